// Bytes → JSON values. Strict: what RFC 8259 does not allow, or leaves to chance (a key that stands twice), is an
// error with its byte offset.

extension JSON {
    /// Nesting beyond this is refused, so that no input can exhaust the stack.
    package static let depthLimit = 512

    /// One JSON value with nothing but spaces around it.
    ///
    /// An integer that fits `Int64` becomes `.int`; a longer one, like any number with a point or exponent,
    /// becomes the nearest `.number`.
    /// - Throws: `ContainerError.format` with the byte offset: syntax, invalid UTF-8, lone surrogates, a key twice in
    ///   one object, numbers beyond the range of a double, nesting deeper than `depthLimit`.
    package init(parsing bytes: [UInt8]) throws {
        self = try bytes.withUnsafeBufferPointer { input throws(ContainerError) in
            var parser = JSONParser(input: input)
            return try parser.document()
        }
    }
}

private struct JSONParser {
    let input: UnsafeBufferPointer<UInt8>
    var position = 0
    var depth = 0

    init(input: UnsafeBufferPointer<UInt8>) { self.input = input }

    var peek: UInt8? { position < input.count ? input[position] : nil }

    func fail(_ what: String, at offset: Int? = nil) -> ContainerError {
        ContainerError(.format, "not valid JSON at byte \(offset ?? position): \(what)")
    }

    func found() -> String {
        guard let byte = peek else { return "the end" }
        return byte > 0x20 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
    }

    mutating func skipSpaces() {
        while let c = peek, c == 0x20 || c == 0x0A || c == 0x0D || c == 0x09 { position += 1 }
    }

    mutating func document() throws(ContainerError) -> JSON {
        skipSpaces()
        let value = try self.value()
        skipSpaces()
        guard position == input.count else { throw fail("\(found()) after the value has ended") }
        return value
    }

    mutating func value() throws(ContainerError) -> JSON {
        guard let c = peek else { throw fail("a value was expected, found \(found())") }
        switch c {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw fail("a value was expected, found \(found())")
        }
    }

    mutating func word(_ text: StaticString, _ value: JSON) throws(ContainerError) -> JSON {
        let n = text.utf8CodeUnitCount
        guard position + n <= input.count, (0..<n).allSatisfy({ input[position + $0] == text.utf8Start[$0] }) else {
            throw fail("'\(text)' was expected")
        }
        position += n
        return value
    }

    mutating func enter() throws(ContainerError) {
        depth += 1
        position += 1
        guard depth <= JSON.depthLimit else { throw fail("nested deeper than \(JSON.depthLimit) levels") }
        skipSpaces()
    }

    mutating func array() throws(ContainerError) -> JSON {
        try enter()
        defer { depth -= 1 }
        var values: [JSON] = []
        if peek == UInt8(ascii: "]") {
            position += 1
            return .array(values)
        }
        while true {
            skipSpaces()
            values.append(try value())
            if try end(UInt8(ascii: "]")) { return .array(values) }
        }
    }

    mutating func object() throws(ContainerError) -> JSON {
        try enter()
        defer { depth -= 1 }
        var members: [String: JSON] = [:]
        if peek == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpaces()
            let start = position
            guard peek == UInt8(ascii: "\"") else { throw fail("a key was expected, found \(found())") }
            let key = try string()
            skipSpaces()
            guard peek == UInt8(ascii: ":") else { throw fail("':' was expected, found \(found())") }
            position += 1
            skipSpaces()
            if let other = members.index(forKey: key) {
                let same = members.keys[other].utf8.elementsEqual(key.utf8)
                throw fail(
                    same
                        ? "the key '\(key)' stands twice in one object"
                        : "the key '\(key)' stands twice in one object, in two Unicode forms", at: start)
            }
            members[key] = try value()
            if try end(UInt8(ascii: "}")) { return .object(members) }
        }
    }

    /// After an element: true at the closing bracket, false after a comma.
    mutating func end(_ close: UInt8) throws(ContainerError) -> Bool {
        skipSpaces()
        guard let c = peek, c == close || c == UInt8(ascii: ",") else {
            throw fail("',' or '\(Character(Unicode.Scalar(close)))' was expected, found \(found())")
        }
        position += 1
        return c == close
    }

    mutating func digits() throws(ContainerError) {
        let start = position
        while let c = peek, c >= UInt8(ascii: "0"), c <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw fail("a digit was expected, found \(found())") }
    }

    mutating func number() throws(ContainerError) -> JSON {
        let start = position
        var isInteger = true
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") {
            position += 1
            if let c = peek, c >= UInt8(ascii: "0"), c <= UInt8(ascii: "9") {
                throw fail("a number does not begin with 0", at: start)
            }
        } else {
            try digits()
        }
        if peek == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits()
        }
        if let c = peek, c | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if let sign = peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let text = String(decoding: input[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else {
            throw fail("a number beyond the range of a 64-bit float", at: start)
        }
        return .number(value)
    }

    mutating func string() throws(ContainerError) -> String {
        position += 1
        let start = position
        // The common string has no escape: find its end, validate once.
        while let c = peek, c != UInt8(ascii: "\""), c != UInt8(ascii: "\\"), c >= 0x20 { position += 1 }
        if peek == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try text(input[start..<position], from: start)
        }
        var bytes = Array(input[start..<position])
        while let c = peek {
            switch c {
            case UInt8(ascii: "\""):
                position += 1
                return try text(bytes, from: start)
            case UInt8(ascii: "\\"): try escape(into: &bytes)
            case 0..<0x20: throw fail("control character \(c) in a string; it must be escaped")
            default:
                bytes.append(c)
                position += 1
            }
        }
        throw fail("the string that begins here never ends", at: start - 1)
    }

    func text(_ bytes: some Collection<UInt8>, from start: Int) throws(ContainerError) -> String {
        guard let s = String(validating: bytes, as: UTF8.self) else {
            throw fail("the string that begins here is not valid UTF-8", at: start - 1)
        }
        return s
    }

    mutating func escape(into bytes: inout [UInt8]) throws(ContainerError) {
        let start = position
        position += 1
        guard let c = peek else { throw fail("the escape never ends", at: start) }
        position += 1
        switch c {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(c)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hex4()
            if code & 0xFC00 == 0xD800 {
                guard peek == UInt8(ascii: "\\"), position + 1 < input.count, input[position + 1] == UInt8(ascii: "u")
                else { throw fail("a high surrogate without its low one", at: start) }
                position += 2
                let low = try hex4()
                guard low & 0xFC00 == 0xDC00 else { throw fail("a high surrogate without its low one", at: start) }
                code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw fail("a low surrogate without its high one", at: start)
            }
            bytes.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped)
        default: throw fail("unknown escape", at: start)
        }
    }

    mutating func hex4() throws(ContainerError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let c = peek, let digit = Character(Unicode.Scalar(c)).hexDigitValue, c < 0x80 else {
                throw fail("\\u needs four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
