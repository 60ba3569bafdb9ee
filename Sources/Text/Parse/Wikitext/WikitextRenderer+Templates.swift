// Templates go, but for those that carry running text (TextTemplates); arguments {{{x|default}}} show their default.

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
        let shown = writer.document.text.count
        defer { if writer.document.text.count == shown { writer.gap() } }
        if skipped > 0 {
            // A function such as `lc:text`: its first argument follows the colon.
            let text = (name.lowerBound + skipped)..<name.upperBound
            let arguments = TemplateArguments(values: [TemplateArgument(name: nil, value: trimmed(text))])
            return apply(rule, arguments, slot: index + 1, isBlock: isBlock, depth: depth)
        }
        let arguments = nameEnd.map { split(($0 + 1)..<inner.upperBound, slot: index + 1) } ?? []
        apply(rule, TemplateArguments(values: arguments), slot: index + 1, isBlock: isBlock, depth: depth)
    }

    /// Splits at the pipes that lie in no matched bracket. At most 32 arguments are looked at.
    private func split(_ range: Range<Int>, slot: Int) -> [TemplateArgument] {
        var arguments: [TemplateArgument] = []
        var start = range.lowerBound
        while start <= range.upperBound, arguments.count < 32 {
            let end = firstTopLevel(Byte.pipe, in: start..<range.upperBound, slot: slot) ?? range.upperBound
            if let equal = firstTopLevel(Byte.equal, in: start..<end, slot: slot) {
                arguments.append(TemplateArgument(name: trimmed(start..<equal), value: trimmed((equal + 1)..<end)))
            } else {
                arguments.append(TemplateArgument(name: nil, value: trimmed(start..<end)))
            }
            start = end + 1
        }
        return arguments
    }

    /// The nth argument, whether it is written by position or by number.
    func value(_ n: Int, _ arguments: TemplateArguments) -> Range<Int>? {
        arguments.positional(n) ?? value(named: String(n), arguments)
    }

    func value(named name: String, _ arguments: TemplateArguments) -> Range<Int>? {
        arguments.values.first { $0.name.map { source[$0].elementsEqual(name.utf8) } ?? false }?.value
    }

    /// The nth argument as a number, if it is written with digits alone.
    func number(_ n: Int, _ arguments: TemplateArguments) -> Int? {
        guard let range = value(n, arguments), !range.isEmpty, range.count <= 6 else { return nil }
        var number = 0
        for i in range {
            guard Byte.isDigit(source[i]) else { return nil }
            number = number * 10 + Int(source[i] & 15)
        }
        return number
    }

    mutating func show(_ range: Range<Int>?, slot: Int, isBlock: Bool = false, depth: Int) {
        guard let range else { return }
        render(from: range.lowerBound, to: range.upperBound, slot: slot, isBlock: isBlock, depth: depth)
    }

    /// Words of the table itself; spaces as markup has them.
    mutating func show(_ words: String) {
        for byte in words.utf8 { if byte == Byte.space { writer.space() } else { writer.append(byte) } }
    }
}

/// One argument of a template, trimmed; `name` is nil for a positional one.
struct TemplateArgument {
    var name: Range<Int>?
    var value: Range<Int>
}

struct TemplateArguments {
    var values: [TemplateArgument]

    /// The nth argument without a name.
    func positional(_ n: Int) -> Range<Int>? {
        var left = n
        for argument in values where argument.name == nil {
            left -= 1
            if left == 0 { return argument.value }
        }
        return nil
    }

    var positionalCount: Int { values.count { $0.name == nil } }
}
