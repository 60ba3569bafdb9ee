// What each rule of TextTemplates writes: words, amounts with units, dates, names in several scripts.

extension WikitextRenderer {
    mutating func apply(
        _ rule: TextTemplates.Rule, _ arguments: TemplateArguments, slot: Int, isBlock: Bool, depth: Int
    ) {
        switch rule {
        case .argument(let n):
            guard let found = value(n, arguments) else { return writer.gap() }
            show(found, slot: slot, depth: depth)
        case .last:
            let count = arguments.positionalCount
            guard let found = count > 1 ? arguments.positional(count) : value(2, arguments) ?? value(1, arguments)
            else { return writer.gap() }
            show(found, slot: slot, depth: depth)
        case .block:
            let named =
                value(named: "text", arguments) ?? value(named: "quote", arguments)
                ?? value(named: "content", arguments)
            ownBlock(named ?? value(1, arguments), slot: slot, isBlock: isBlock, depth: depth)
        case .lastBlock:
            let named = value(named: "content", arguments)
            let last = arguments.positional(arguments.positionalCount) ?? value(2, arguments)
            ownBlock(named ?? last ?? value(1, arguments), slot: slot, isBlock: isBlock, depth: depth)
        case .literal(let words): show(words)
        case .pieces(let pieces): show(pieces, arguments, slot: slot, depth: depth)
        case .convert: convert(arguments, slot: slot, depth: depth)
        case .value: number(arguments, slot: slot, depth: depth)
        case .fraction: fraction(arguments, slot: slot, depth: depth)
        case .date(let isAged): date(arguments, isAged: isAged, slot: slot, depth: depth)
        case .asOf: asOf(arguments, slot: slot, depth: depth)
        case .nihongo: nihongo(arguments, slot: slot, depth: depth)
        case .phonemes: phonemes(arguments, slot: slot, depth: depth)
        case .number:
            guard let found = value(1, arguments) else { return writer.gap() }
            showAmount(found, slot: slot, depth: depth)
        case .language(let name):
            guard let text = value(1, arguments), !text.isEmpty else { return writer.gap() }
            show(name + ": ")
            show(text, slot: slot, depth: depth)
        case .pageTitle: show(writer.document.title)
        }
    }

    private mutating func ownBlock(_ range: Range<Int>?, slot: Int, isBlock: Bool, depth: Int) {
        if isBlock { writer.breakBlock() } else { writer.space() }
        show(range, slot: slot, isBlock: isBlock, depth: depth)
        if isBlock { writer.breakBlock() } else { writer.space() }
    }

    private mutating func show(
        _ pieces: TextTemplates.Pieces, _ arguments: TemplateArguments, slot: Int, depth: Int
    ) {
        let all = arguments.values.filter { $0.name == nil && !$0.value.isEmpty }.map(\.value)
        var texts = Array(all.dropFirst(pieces.first - 1).prefix(pieces.most))
        if texts.isEmpty, let first = value(named: "1", arguments) { texts = [first] }
        guard !texts.isEmpty || (pieces.after.isEmpty && !pieces.before.isEmpty) else { return writer.gap() }
        show(pieces.before)
        for (k, text) in texts.enumerated() {
            if k > 0 { show(pieces.between) }
            show(text, slot: slot, depth: depth)
        }
        show(pieces.after)
    }

    // MARK: amounts

    /// A number with its digits in groups of three, if it is one: `52419.5` is shown as `52,419.5`.
    private mutating func showAmount(_ range: Range<Int>, slot: Int, depth: Int) {
        var digits = 0
        var isWhole = true
        for (k, i) in range.enumerated() {
            if Byte.isDigit(source[i]) {
                if isWhole { digits += 1 }
            } else if source[i] == Byte.dot, isWhole {
                isWhole = false
            } else if k > 0 || (source[i] != Byte.dash && source[i] != Byte.plus) {
                return show(range, slot: slot, depth: depth)
            }
        }
        guard digits > 3, digits <= 24 else { return show(range, slot: slot, depth: depth) }
        var left = digits
        for i in range {
            writer.append(source[i])
            guard Byte.isDigit(source[i]), left > 0 else { continue }
            left -= 1
            if left > 0, left % 3 == 0 { writer.append(Byte.comma) }
        }
    }

    private mutating func showUnit(_ range: Range<Int>, slot: Int, depth: Int) {
        if let unit = TextTemplateTable.units.first(where: { source[range].elementsEqual($0.0.utf8) }) {
            show(unit.1)
        } else {
            show(range, slot: slot, depth: depth)
        }
    }

    /// `{{convert|5|km|mi}}` shows `5 km`; `{{convert|5|to|8|km|mi}}` shows `5 to 8 km`; `{{convert|5|ft|8|in|m}}`
    /// shows `5 ft 8 in`. The converted value is left out: the writer gave only the first.
    private mutating func convert(_ arguments: TemplateArguments, slot: Int, depth: Int) {
        var k = 1
        while k <= 7, let amount = arguments.positional(k), let unit = arguments.positional(k + 1) {
            if k > 1 { writer.space() }
            showAmount(amount, slot: slot, depth: depth)
            writer.space()
            let isRange = TextTemplateTable.rangeWords.contains { source[unit].elementsEqual($0.utf8) }
            showUnit(unit, slot: slot, depth: depth)
            k += 2
            guard let next = arguments.positional(k) else { return }
            let isNumber = next.first.map { Byte.isDigit(source[$0]) || source[$0] == Byte.dash } ?? false
            if !isNumber || (!isRange && arguments.positional(k + 1) == nil) { return }
        }
    }

    private mutating func number(_ arguments: TemplateArguments, slot: Int, depth: Int) {
        guard let first = value(1, arguments) else { return writer.gap() }
        showAmount(first, slot: slot, depth: depth)
        if let second = value(2, arguments), !second.isEmpty {
            if source[second.lowerBound] != Byte.openParen { show("±") }
            show(second, slot: slot, depth: depth)
        }
        if let exponent = value(named: "e", arguments) {
            show("×10^")
            show(exponent, slot: slot, depth: depth)
        }
        if let unit = value(named: "u", arguments) ?? value(named: "ul", arguments) {
            writer.space()
            show(unit, slot: slot, depth: depth)
        }
    }

    private mutating func fraction(_ arguments: TemplateArguments, slot: Int, depth: Int) {
        let parts = (1...3).compactMap { value($0, arguments) }
        switch parts.count {
        case 1:
            show("1/")
            show(parts[0], slot: slot, depth: depth)
        case 2, 3:
            if parts.count == 3 {
                show(parts[0], slot: slot, depth: depth)
                writer.space()
            }
            show(parts[parts.count - 2], slot: slot, depth: depth)
            show("/")
            show(parts[parts.count - 1], slot: slot, depth: depth)
        default: writer.gap()
        }
    }

    // MARK: dates

    /// `May 1, 1990`, or `1 May 1990` if `isDayFirst`; month and day may be absent.
    private mutating func showDate(_ year: Int, _ month: Int?, _ day: Int?, isDayFirst: Bool) {
        guard let month, (1...12).contains(month) else { return show(String(year)) }
        let name = TextTemplateTable.months[month - 1]
        guard let day, (1...31).contains(day) else { return show("\(name) \(year)") }
        show(isDayFirst ? "\(day) \(name) \(year)" : "\(name) \(day), \(year)")
    }

    private mutating func date(_ arguments: TemplateArguments, isAged: Bool, slot: Int, depth: Int) {
        guard let year = number(1, arguments) else {
            guard let text = value(1, arguments) else { return writer.gap() }
            return show(text, slot: slot, depth: depth)
        }
        let day = number(3, arguments)
        let isDayFirst = value(named: "df", arguments).map { !$0.isEmpty } ?? false
        showDate(year, number(2, arguments), day, isDayFirst: isDayFirst)
        guard isAged, let month = number(2, arguments), let day, let birthYear = number(4, arguments),
            let birthMonth = number(5, arguments), let birthDay = number(6, arguments)
        else { return }
        let age = year - birthYear - ((month, day) < (birthMonth, birthDay) ? 1 : 0)
        if age >= 0 { show(" (aged \(age))") }
    }

    private mutating func asOf(_ arguments: TemplateArguments, slot: Int, depth: Int) {
        if let words = value(named: "alt", arguments) { return show(words, slot: slot, depth: depth) }
        guard let first = value(1, arguments) else { return writer.gap() }
        let isLower = value(named: "lc", arguments).map { !$0.isEmpty } ?? false
        let isSince = value(named: "since", arguments).map { !$0.isEmpty } ?? false
        show(isSince ? (isLower ? "since " : "Since ") : (isLower ? "as of " : "As of "))
        guard let year = number(1, arguments) else { return show(first, slot: slot, depth: depth) }
        showDate(
            year, number(2, arguments), number(3, arguments),
            isDayFirst: !(value(named: "df", arguments).map { source[$0].elementsEqual("US".utf8) } ?? false))
    }

    // MARK: names and sounds

    /// `English (kanji, rōmaji)`
    private mutating func nihongo(_ arguments: TemplateArguments, slot: Int, depth: Int) {
        let texts = (1...3).compactMap { value($0, arguments) }.filter { !$0.isEmpty }
        guard let first = texts.first else { return writer.gap() }
        show(first, slot: slot, depth: depth)
        guard texts.count > 1 else { return }
        show(" (")
        for (k, text) in texts.dropFirst().enumerated() {
            if k > 0 { show(", ") }
            show(text, slot: slot, depth: depth)
        }
        show(")")
    }

    private mutating func phonemes(_ arguments: TemplateArguments, slot: Int, depth: Int) {
        let sounds = arguments.values.filter { argument in
            guard argument.name == nil, !argument.value.isEmpty else { return false }
            let text = String(decoding: source[argument.value], as: UTF8.self)
            return !TextTemplateTable.phonemeWords.contains(text.lowercased()) && !text.utf8.contains(Byte.dot)
        }
        guard !sounds.isEmpty else { return writer.gap() }
        show("/")
        for sound in sounds { show(sound.value, slot: slot, depth: depth) }
        show("/")
    }
}
