// A reader of Python pickles that can only ever produce plain data and tensors. It calls nothing: a pickle that names
// any function or class but those that rebuild a tensor is refused by that name.

/// Reads one pickle after another from bytes.
///
/// Memory and time are linear in the bytes, and those are at most `lengthLimit`: nothing is expanded, values are at most
/// `depthLimit` deep, and what many tensors may share is short. All work is done on a stack of values; no code but this
/// file's runs.
struct Unpickler {
    static let depthLimit = 64
    /// Bytes of pickles, which spend some 150 on a tensor: room for 28,000 tensors.
    static let lengthLimit = 1 << 22
    /// Axes of a tensor, as in NumPy.
    static let rankLimit = 64
    /// Bytes of a storage's key, which torch.save makes of a number.
    static let keyLimit = 64
    let bytes: UnsafeRawBufferPointer
    /// For messages.
    let place: String
    private(set) var position: Int
    private var stack: [PickleValue] = []
    /// Heights of the stack at the open marks.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]

    init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0, place: String) {
        self.bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.lengthLimit))
        self.position = position
        self.place = place
    }

    func fail(_ message: String, cause: String? = nil, fix: String? = nil) -> ModelError {
        ModelError("not a pickle of tensors: " + message, place: "\(place) byte \(position)", cause: cause, fix: fix)
    }

    /// The next pickle's value.
    mutating func next() throws(ModelError) -> PickleValue {
        stack = []
        marks = []
        memo = [:]
        while true {
            let code = try byte()
            if code == UInt8(ascii: ".") {
                guard stack.count == 1, marks.isEmpty, let value = stack.popLast() else {
                    throw fail("it ends with \(stack.count) values")
                }
                return value
            }
            try run(code)
        }
    }

    private mutating func run(_ code: UInt8) throws(ModelError) {
        switch code {
        case 0x80:  // PROTO
            let version = try byte()
            guard (2...5).contains(version) else { throw fail("it has protocol \(version), not 2 to 5") }
        case 0x95: _ = try number(8)  // FRAME
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popMark()
        case UInt8(ascii: "}"): stack.append(.dict(PickleDict()))
        case UInt8(ascii: "]"): stack.append(.list(PickleList()))
        case UInt8(ascii: ")"): stack.append(.tuple([], 1))
        case UInt8(ascii: "t"): try push(tuple: popMark())
        case 0x85: try push(tuple: [pop()])
        case 0x86:
            let second = try pop()
            try push(tuple: [pop(), second])
        case 0x87:
            let third = try pop()
            let second = try pop()
            try push(tuple: [pop(), second, third])
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "J"): stack.append(.int(Int(Int32(truncatingIfNeeded: try number(4)))))
        case UInt8(ascii: "K"): stack.append(.int(try number(1)))
        case UInt8(ascii: "M"): stack.append(.int(try number(2)))
        case 0x8A: try pushLong(number(1))
        case UInt8(ascii: "G"):
            let bits = try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            stack.append(.float(Double(bitPattern: bits)))
        case UInt8(ascii: "X"): try pushString(number(4))
        case 0x8C, UInt8(ascii: "U"): try pushString(number(1))
        case 0x8D: try pushString(number(8))
        case UInt8(ascii: "T"): try pushString(number(4))
        case UInt8(ascii: "q"): try remember(number(1))
        case UInt8(ascii: "r"): try remember(number(4))
        case 0x94: try remember(memo.count)  // MEMOIZE
        case UInt8(ascii: "h"): try recall(number(1))
        case UInt8(ascii: "j"): try recall(number(4))
        case UInt8(ascii: "c"):
            let module = try line()
            try pushGlobal(module + "." + line())
        case 0x93:
            guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
                throw fail("STACK_GLOBAL without two names")
            }
            try pushGlobal(module + "." + name)
        case UInt8(ascii: "R"): try reduce()
        case UInt8(ascii: "Q"): try pushStorage(pop())
        case UInt8(ascii: "s"):
            let value = try pop()
            try set([pop(), value])
        case UInt8(ascii: "u"): try set(popMark())
        case UInt8(ascii: "a"): try append([pop()])
        case UInt8(ascii: "e"): try append(popMark())
        case UInt8(ascii: "b"):  // BUILD: the state of an OrderedDict is notes on versions, which nobody needs.
            _ = try pop()
            guard case .dict = stack.last else { throw fail("BUILD of something that is no dict") }
        default:
            let name = PickleValue.refused[code].map { "opcode \($0)" } ?? "opcode \(code)"
            throw fail(
                name, cause: "only plain data and tensors are read; nothing in a pickle is run",
                fix: "save the weights as safetensors: `model.save_pretrained(DIR)`")
        }
    }
}

// MARK: - Reading

extension Unpickler {
    private mutating func byte() throws(ModelError) -> UInt8 {
        guard position < bytes.count else {
            throw fail(
                bytes.count < Self.lengthLimit ? "it ends in the middle" : "it is longer than \(Self.lengthLimit) bytes"
            )
        }
        position += 1
        return bytes[position - 1]
    }

    private mutating func take(_ count: Int) throws(ModelError) -> UnsafeRawBufferPointer.SubSequence {
        guard count >= 0, count <= bytes.count - position else {
            throw fail("\(count) bytes are announced, \(bytes.count - position) are left or may be read")
        }
        position += count
        return bytes[position - count..<position]
    }

    /// A little-endian number without sign.
    private mutating func number(_ size: Int) throws(ModelError) -> Int {
        let value = try take(size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let int = Int(exactly: value) else { throw fail("the number \(value) is larger than any file") }
        return int
    }

    private mutating func line() throws(ModelError) -> String {
        let start = position
        while try byte() != UInt8(ascii: "\n") {}
        return String(decoding: bytes[start..<position - 1], as: UTF8.self)
    }

    private mutating func pushString(_ count: Int) throws(ModelError) {
        stack.append(.string(String(decoding: try take(count), as: UTF8.self)))
    }

    private mutating func pushLong(_ count: Int) throws(ModelError) {
        let digits = Array(try take(count))
        guard count <= 8 else { return stack.append(.bigInt(digits)) }
        var value = digits.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if let top = digits.last, top & 0x80 != 0, count < 8 { value |= ~UInt64(0) << UInt64(8 * count) }
        stack.append(.int(Int(Int64(bitPattern: value))))
    }
}

// MARK: - The stack

extension Unpickler {
    private mutating func pop() throws(ModelError) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else { throw fail("a value is missing") }
        return value
    }

    private mutating func popMark() throws(ModelError) -> [PickleValue] {
        guard let mark = marks.popLast(), mark <= stack.count else { throw fail("a mark is missing") }
        let values = Array(stack[mark...])
        stack.removeSubrange(mark...)
        return values
    }

    private mutating func push(tuple items: [PickleValue]) throws(ModelError) {
        stack.append(.tuple(items, try depth(freezing: items)))
    }

    /// The depth of a value that holds these, which may not change from now on.
    private func depth(freezing items: [PickleValue]) throws(ModelError) -> Int {
        var depth = 0
        for item in items { depth = max(depth, self.depth(of: item)) }
        guard depth < Self.depthLimit else { throw fail("values are nested more than \(Self.depthLimit) deep") }
        for item in items {
            if case .list(let list) = item { list.isFrozen = true }
            if case .dict(let dict) = item { dict.isFrozen = true }
        }
        return depth + 1
    }

    private func depth(of value: PickleValue) -> Int {
        switch value {
        case .list(let list): list.depth
        case .dict(let dict): dict.depth
        case .tuple(_, let depth): depth
        default: 0
        }
    }

    private mutating func remember(_ index: Int) throws(ModelError) {
        guard let value = stack.last, stack.count > marks.last ?? 0 else { throw fail("nothing to remember") }
        memo[index] = value
    }

    private mutating func recall(_ index: Int) throws(ModelError) {
        guard let value = memo[index] else { throw fail("memo \(index) was never written") }
        stack.append(value)
    }

    private mutating func set(_ items: [PickleValue]) throws(ModelError) {
        guard items.count % 2 == 0, case .dict(let dict) = stack.last else { throw fail("items of no dict") }
        // An item that is the dict itself becomes frozen here, and is refused for it.
        let depth = try self.depth(freezing: items)
        guard !dict.isFrozen else { throw fail("a dict changes after it was stored in another value") }
        for index in stride(from: 0, to: items.count, by: 2) { dict.items.append((items[index], items[index + 1])) }
        dict.depth = max(dict.depth, depth)
    }

    private mutating func append(_ items: [PickleValue]) throws(ModelError) {
        guard case .list(let list) = stack.last else { throw fail("items of no list") }
        let depth = try self.depth(freezing: items)
        guard !list.isFrozen else { throw fail("a list changes after it was stored in another value") }
        list.items.append(contentsOf: items)
        list.depth = max(list.depth, depth)
    }
}

// MARK: - Names, storages, tensors

extension Unpickler {
    private mutating func pushGlobal(_ name: String) throws(ModelError) {
        // Python 2 called it so.
        let known = name == "__builtin__.OrderedDict" ? "collections.OrderedDict" : name
        guard let global = PickleGlobal(rawValue: known) else {
            throw fail(
                "it names '\(name.prefix(100))', which is no part of a tensor",
                cause: "Python would import and call it; here only tensors are rebuilt and nothing is run",
                fix: "do not open this file elsewhere unless you trust its maker; weights can be saved as safetensors")
        }
        stack.append(.global(global))
    }

    /// A persistent id: `('storage', type, key, location, count[, view])`.
    private mutating func pushStorage(_ value: PickleValue) throws(ModelError) {
        guard case .tuple(let items, _) = value, items.count >= 5, case .string("storage") = items[0],
            case .global(let kind) = items[1], kind.element != nil, case .string(let key) = items[2],
            case .string = items[3], case .int(let count) = items[4], count >= 0
        else { throw fail("a persistent id that is no storage of a tensor") }
        guard key.utf8.count <= Self.keyLimit else { throw fail("a storage whose key has \(key.utf8.count) bytes") }
        if items.count > 5 {
            guard items.count == 6, case .none = items[5] else { throw fail("a storage that is a view of another") }
        }
        stack.append(.storage(PickledStorage(kind: kind, key: key, count: count)))
    }

    /// Applies one of the known names to its arguments.
    private mutating func reduce() throws(ModelError) {
        guard case .tuple(let arguments, _) = try pop(), case .global(let function) = try pop() else {
            throw fail("REDUCE of something that is no known name")
        }
        switch function {
        case .orderedDict where arguments.isEmpty: stack.append(.dict(PickleDict()))
        case .tensorV2 where (6...7).contains(arguments.count), .tensor where arguments.count == 4:
            stack.append(.tensor(try tensor(arguments)))
        case .parameter where arguments.count == 3:
            guard case .tensor = arguments[0] else { throw fail("a parameter that is no tensor") }
            stack.append(arguments[0])
        default: throw fail("'\(function.rawValue)' with \(arguments.count) arguments")
        }
    }

    private func tensor(_ arguments: [PickleValue]) throws(ModelError) -> PickledTensor {
        guard case .storage(let storage) = arguments[0], case .int(let offset) = arguments[1], offset >= 0,
            case .tuple(let sizes, _) = arguments[2], case .tuple(let steps, _) = arguments[3],
            sizes.count == steps.count
        else { throw fail("a tensor without storage, offset, shape and strides") }
        guard sizes.count <= Self.rankLimit else { throw fail("a tensor of \(sizes.count) axes") }
        func sizesOf(_ values: [PickleValue]) throws(ModelError) -> [Int] {
            var sizes: [Int] = []
            for value in values {
                guard case .int(let size) = value, size >= 0 else { throw fail("a tensor with a negative size") }
                sizes.append(size)
            }
            return sizes
        }
        let (shape, strides) = (try sizesOf(sizes), try sizesOf(steps))
        var count = 1
        var last = offset
        for (size, stride) in zip(shape, strides) {
            let (product, tooMany) = count.multipliedReportingOverflow(by: size)
            let (reach, tooFar) = max(0, size - 1).multipliedReportingOverflow(by: stride)
            let (end, tooLong) = last.addingReportingOverflow(reach)
            guard !tooMany, !tooFar, !tooLong else { throw fail("a tensor of shape \(shape) is larger than any file") }
            (count, last) = (product, end)
        }
        guard count <= storage.count, offset <= storage.count, count == 0 || last < storage.count else {
            throw fail(
                "a tensor of shape \(shape), strides \(strides) from \(offset) leaves its storage of "
                    + "\(storage.count) elements")
        }
        // A step that is never taken may be any number, which no arithmetic shall meet.
        let taken = zip(shape, strides).map { $0 > 1 ? $1 : 0 }
        return PickledTensor(storage: storage, offset: offset, shape: shape, strides: taken, count: count)
    }
}
