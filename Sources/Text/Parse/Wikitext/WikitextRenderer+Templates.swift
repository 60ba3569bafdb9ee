// Templates go, but for the few that carry running text (TextTemplates); arguments {{{x|default}}} show their default.

extension WikitextRenderer {
    mutating func renderArgument(_ index: Int, isBlock: Bool, depth: Int) {
        let slot = slots[index]
        let inner = (slot.begin + 3)..<(slot.end - 3)
        guard let bar = firstTopLevel(Byte.pipe, in: inner, slot: index + 1) else { return writer.gap() }
        let end = firstTopLevel(Byte.pipe, in: (bar + 1)..<inner.upperBound, slot: index + 1) ?? inner.upperBound
        render(from: bar + 1, to: end, slot: index + 1, isBlock: isBlock, depth: depth)
    }

    mutating func renderTemplate(_ index: Int, isBlock: Bool, depth: Int) {
        let slot = slots[index]
        let inner = (slot.begin + 2)..<(slot.end - 2)
        // Names are short; a longer one is none of the table's, and need not be searched for its end.
        let nameEnd = firstTopLevel(
            Byte.pipe, in: inner.lowerBound..<min(inner.upperBound, inner.lowerBound + 128), slot: index + 1)
        let name = trimmed(inner.lowerBound..<(nameEnd ?? inner.upperBound))
        guard name.count <= 64, let (rule, skipped) = TextTemplates.rule(source, name) else { return writer.gap() }
        if skipped > 0 {
            // A function such as `lc:text`: its first argument follows the colon.
            let start = name.lowerBound + skipped
            render(from: start, to: name.upperBound, slot: index + 1, isBlock: false, depth: depth)
            return
        }
        let arguments = nameEnd.map { split(($0 + 1)..<inner.upperBound, slot: index + 1) } ?? []
        apply(rule, Arguments(values: arguments), slot: index + 1, isBlock: isBlock, depth: depth)
    }

    struct Argument {
        var name: Range<Int>?
        var value: Range<Int>
    }

    struct Arguments {
        var values: [Argument]

        /// Positional arguments in order; named ones do not count.
        func positional(_ n: Int) -> Range<Int>? {
            var left = n
            for argument in values where argument.name == nil {
                left -= 1
                if left == 0 { return argument.value }
            }
            return nil
        }
    }

    /// Splits at the pipes that lie in no matched bracket. At most 32 arguments are looked at.
    private func split(_ range: Range<Int>, slot: Int) -> [Argument] {
        var arguments: [Argument] = []
        var start = range.lowerBound
        while start <= range.upperBound, arguments.count < 32 {
            let end = firstTopLevel(Byte.pipe, in: start..<range.upperBound, slot: slot) ?? range.upperBound
            if let equal = firstTopLevel(Byte.equal, in: start..<end, slot: slot) {
                arguments.append(Argument(name: trimmed(start..<equal), value: trimmed((equal + 1)..<end)))
            } else {
                arguments.append(Argument(name: nil, value: trimmed(start..<end)))
            }
            start = end + 1
        }
        return arguments
    }

    /// The nth positional argument, or the one named so or by a word of `names`.
    private func value(_ n: Int, _ names: [[UInt8]], _ arguments: Arguments) -> Range<Int>? {
        let digit = [UInt8(ascii: "0") + UInt8(n % 10)]
        for argument in arguments.values {
            guard let name = argument.name else { continue }
            let bytes = source[name]
            if bytes.elementsEqual(digit) || names.contains(where: { bytes.elementsEqual($0) }) {
                return argument.value
            }
        }
        return arguments.positional(n)
    }

    private mutating func show(_ range: Range<Int>?, slot: Int, isBlock: Bool, depth: Int) {
        guard let range else { return }
        render(from: range.lowerBound, to: range.upperBound, slot: slot, isBlock: isBlock, depth: depth)
    }

    private mutating func apply(
        _ rule: TextTemplates.Rule, _ arguments: Arguments, slot: Int, isBlock: Bool, depth: Int
    ) {
        switch rule {
        case .argument(let n):
            if let found = value(n, [], arguments) {
                show(found, slot: slot, isBlock: false, depth: depth)
            } else {
                writer.gap()
            }
        case .block(let names):
            if isBlock { writer.breakBlock() } else { writer.space() }
            show(value(1, names, arguments), slot: slot, isBlock: isBlock, depth: depth)
            if isBlock { writer.breakBlock() } else { writer.space() }
        case .literal(let text):
            for byte in text { if byte == Byte.space { writer.space() } else { writer.append(byte) } }
        case .prefixed(let text):
            writer.append(text)
            writer.space()
            show(value(1, [], arguments), slot: slot, isBlock: false, depth: depth)
        case .joined(let separator):
            for (k, argument) in arguments.values.filter({ $0.name == nil }).enumerated() {
                if k > 0 {
                    for byte in separator { if byte == Byte.space { writer.space() } else { writer.append(byte) } }
                }
                show(argument.value, slot: slot, isBlock: false, depth: depth)
            }
        case .convert: convert(arguments, slot: slot, depth: depth)
        }
    }

    /// `{{convert|5|km|mi}}` shows `5 km`; `{{convert|5|to|8|km|mi}}` shows `5 to 8 km`; `{{convert|5|ft|8|in|m}}`
    /// shows `5 ft 8 in`. The converted value is left out: the writer gave only the first.
    private mutating func convert(_ arguments: Arguments, slot: Int, depth: Int) {
        var k = 1
        while k <= 7, let amount = arguments.positional(k), let unit = arguments.positional(k + 1) {
            if k > 1 { writer.space() }
            show(amount, slot: slot, isBlock: false, depth: depth)
            writer.space()
            let word = TextTemplates.rangeWords.first { source[unit].elementsEqual($0) }
            show(unit, slot: slot, isBlock: false, depth: depth)
            k += 2
            guard let next = arguments.positional(k) else { return }
            let isNumber = next.first.map { Byte.isDigit(source[$0]) || source[$0] == Byte.dash } ?? false
            if !isNumber || (word == nil && arguments.positional(k + 1) == nil) { return }
        }
    }
}
