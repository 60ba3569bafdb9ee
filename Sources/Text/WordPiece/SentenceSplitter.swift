// Finds sentences in a block of text by rules for English prose.
// A wrong guess costs little (a segment ends elsewhere), so the rules are few and look at bytes only.

/// Splits text into sentences at `.`, `!`, `?`, `…` with whatever closes behind them, and at blank lines.
///
/// A sentence ends only where whitespace follows, or after `。！？`, which are words of their own: so the ids of the
/// sentences joined are the ids of the whole. Not ends: initials (`J. Smith`), titles and other abbreviations,
/// decimals, list numbers at the start (`1. Introduction`), an omission (`was ... Paris`), anything before a lowercase
/// letter of any script. Reference marks behind the stop belong to the sentence: `[12]`, and `12,13` as superscripts
/// read once their markup is gone.
/// Complexity: O(bytes). Threading: a value; use one anywhere.
package struct SentenceSplitter: Sendable {
    package init() {}

    /// Appends the sentences of `text[range]` in order, without the whitespace around them. Together they hold every
    /// byte of the range that is not ASCII whitespace.
    package func split(
        _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, into sentences: inout [Range<Int>]
    ) {
        let reader = BlockReader(text: text, range: range)
        var begin = reader.skipSpace(range.lowerBound)
        var at = begin
        while at < range.upperBound {
            guard let end = reader.possibleEnd(at, sentenceBegin: begin) else {
                at += 1
                continue
            }
            sentences.append(begin..<end)
            begin = reader.skipSpace(end)
            at = begin
        }
        let end = reader.trimmedEnd(begin)
        if begin < end { sentences.append(begin..<end) }
    }

    /// The sentences of a string. For tests and single texts.
    package func split(_ text: String) -> [String] {
        var text = text
        return text.withUTF8 { bytes in
            var ranges: [Range<Int>] = []
            split(bytes, 0..<bytes.count, into: &ranges)
            return ranges.map { String(decoding: bytes[$0], as: UTF8.self) }
        }
    }
}

/// The questions that a sentence end is decided by.
private struct BlockReader {
    let text: UnsafeBufferPointer<UInt8>
    let range: Range<Int>

    /// Never the end of a sentence: something follows.
    private static let leading = words(
        "adm al approx assoc bks brig ca capt cf chaps cmdr col comdr cpl cpt dept det dr e.g eccl ed eds eqn eqns eqs"
            + " esp esq fig figs fl fr ft gen gov hon i.e illus insp lieut lt maj mdm messrs mgr mlle mme mr mrs ms msgr mt"
            + " mts nos obs p pls pp prof pt pts pvt rep resp rev sen ser sgt spp sr st ste sts subsp supt suppl transl"
            + " univ viz vol vols vs v")
    /// Words, too, but an abbreviation before a number: `no. 5`, `art. 3`.
    private static let beforeNumber = words(
        "no art arts bk ch chap eq ex lib lit par para pl ref refs sec sect secs tab tbl var")
    /// May end a sentence; it does if a word follows that often begins one.
    private static let trailing = words(
        "a.d a.m acad assn ave b.c b.c.e blvd bros c.e co corp cos d.c dist etc est feb hwy inc jan jr ltd mar apr jun jul"
            + " aug sep sept oct nov dec mfg p.m ph.d plc rd sp thu tue u.k u.n u.s u.s.a yr yrs")
    private static let starters = words(
        "a after all also an and as at because before both but by despite during each finally first for from he her"
            + " here his how however i if in it its later many more most my no none on one other our several she since"
            + " so some such that the their then there these they this those three through thus to today two under"
            + " unlike until we what when where while who why with you")
    /// Words that begin a sentence even behind what looks like an initial: `in plan B. The`.
    private static let strongStarters = words(
        "although but however in it since the there these they this those when while")

    /// Words of up to eight ASCII bytes, packed into a number each.
    private static func words(_ list: String) -> Set<UInt64> {
        Set(list.split(separator: " ").map { $0.utf8.reversed().reduce(0) { $0 << 8 | UInt64($1) } })
    }

    private func isSpace(_ at: Int) -> Bool { text[at] == 0x20 || (9...13).contains(text[at]) }

    func skipSpace(_ from: Int) -> Int {
        var at = from
        while at < range.upperBound && isSpace(at) { at += 1 }
        return at
    }

    func trimmedEnd(_ begin: Int) -> Int {
        var end = range.upperBound
        while end > begin && isSpace(end - 1) { end -= 1 }
        return end
    }

    private func has(_ bytes: (UInt8, UInt8, UInt8), at: Int) -> Bool {
        at + 2 < range.upperBound && text[at] == bytes.0 && text[at + 1] == bytes.1 && text[at + 2] == bytes.2
    }

    /// Length of the sentence terminator at `at`, 0 if there is none; wide ones need no space after them.
    private func terminator(_ at: Int) -> (length: Int, isWide: Bool) {
        switch text[at] {
        case UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "?"): (1, false)
        case 0xE2 where has((0xE2, 0x80, 0xA6), at: at): (3, false)  // …
        case 0xE3 where has((0xE3, 0x80, 0x82), at: at): (3, true)  // 。
        case 0xEF where has((0xEF, 0xBC, 0x81), at: at) || has((0xEF, 0xBC, 0x9F), at: at): (3, true)  // ！？
        default: (0, false)
        }
    }

    /// Length of a closing quote or bracket, or of a reference mark (`[12]`), at `at`; 0 if there is none.
    private func closer(_ at: Int) -> Int {
        switch text[at] {
        case UInt8(ascii: "["):
            var end = at + 1
            while end < range.upperBound && isDigit(text[end]) { end += 1 }
            return end > at + 1 && end < range.upperBound && text[end] == UInt8(ascii: "]") ? end + 1 - at : 0
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): return 1
        case 0xE2 where has((0xE2, 0x80, 0x99), at: at) || has((0xE2, 0x80, 0x9D), at: at): return 3  // ’ ”
        case 0xE3 where has((0xE3, 0x80, 0x8D), at: at) || has((0xE3, 0x80, 0x8F), at: at): return 3  // 」 』
        case 0xC2 where at + 1 < range.upperBound && text[at + 1] == 0xBB: return 2  // »
        default: return 0
        }
    }

    /// Length of an opening quote or bracket at `at`; 0 if there is none.
    private func opener(_ at: Int) -> Int {
        switch text[at] {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): 1
        case 0xE2 where has((0xE2, 0x80, 0x98), at: at) || has((0xE2, 0x80, 0x9C), at: at): 3  // ‘ “
        case 0xC2 where at + 1 < range.upperBound && text[at + 1] == 0xAB: 2  // «
        default: 0
        }
    }

    /// Where the sentence ends, if one ends at the terminator or blank line that begins at `at`.
    func possibleEnd(_ at: Int, sentenceBegin: Int) -> Int? {
        if text[at] == 0x0A {
            // A blank line.
            var next = at + 1
            while next < range.upperBound && isSpace(next) && text[next] != 0x0A { next += 1 }
            guard next < range.upperBound && text[next] == 0x0A else { return nil }
            var end = at
            while end > sentenceBegin && isSpace(end - 1) { end -= 1 }
            return end > sentenceBegin ? end : nil
        }
        let mark = terminator(at)
        guard mark.length > 0 else { return nil }
        var end = at + mark.length
        while end < range.upperBound {
            let more = max(terminator(end).length, closer(end))
            if more == 0 { break }
            end += more
        }
        guard end < range.upperBound else { return nil }  // the block ends by itself
        if mark.isWide { return end }
        let references = referenceEnd(at, end, sentenceBegin)
        end = references ?? end
        guard end < range.upperBound, isSpace(end) else { return nil }
        var next = skipSpace(end)
        guard next < range.upperBound else { return nil }
        while next < range.upperBound, opener(next) > 0 { next += opener(next) }
        guard next < range.upperBound else { return end }
        if isLowercase(next) { return nil }
        if isOmission(at, end, sentenceBegin), !isStarter(next) { return nil }
        // Only a lone full stop can be anything else than an end.
        let isLonePeriod =
            text[at] == UInt8(ascii: ".") && (at + 1 == end || closer(at + 1) > 0 || references != nil)
        return isLonePeriod && !endsSentence(period: at, next: next, sentenceBegin: sentenceBegin) ? nil : end
    }

    /// The end of the numbers of references that stand directly behind a full stop: `expression.12,13 We`. Only behind
    /// a small letter or a bracket, so that no decimal and no `No.5` is meant.
    private func referenceEnd(_ period: Int, _ end: Int, _ sentenceBegin: Int) -> Int? {
        guard text[period] == UInt8(ascii: "."), end == period + 1, period > sentenceBegin + 2, isDigit(text[end]),
            isLower(text[period - 1]) || text[period - 1] == UInt8(ascii: ")"),
            text[period - 1] == UInt8(ascii: ")") || isLower(text[period - 2])
        else { return nil }
        var at = end
        var digits = 0
        while at < range.upperBound {
            if isDigit(text[at]) {
                digits += 1
                at += 1
            } else if text[at] == UInt8(ascii: ",") || text[at] == UInt8(ascii: "-"), digits > 0 {
                digits = 0
                at += 1
            } else if has((0xE2, 0x80, 0x93), at: at), digits > 0 {  // –
                digits = 0
                at += 3
            } else {
                break
            }
            if digits > 3 { return nil }
        }
        return digits > 0 ? at : nil
    }

    /// Whether `...` or `…` stands alone between spaces: words were left out. `at`: any of the dots.
    private func isOmission(_ at: Int, _ end: Int, _ sentenceBegin: Int) -> Bool {
        var begin = at
        while begin > sentenceBegin, text[begin - 1] == UInt8(ascii: ".") { begin -= 1 }
        guard begin > sentenceBegin, isSpace(begin - 1), end - begin == 3 else { return false }
        return text[begin] == 0xE2 || (begin..<end).allSatisfy { text[$0] == UInt8(ascii: ".") }
    }

    /// Whether the scalar at `at` is a small letter of any script.
    private func isLowercase(_ at: Int) -> Bool {
        if text[at] < 0x80 { return isLower(text[at]) }
        var decoder = UTF8()
        var bytes = text[at..<min(range.upperBound, at + 4)].makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&bytes) else { return false }
        return scalar.properties.isLowercase
    }

    private func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private func endsSentence(period: Int, next: Int, sentenceBegin: Int) -> Bool {
        var begin = period
        while begin > sentenceBegin, isWordByte(text[begin - 1]) { begin -= 1 }
        let word = begin..<period
        guard !word.isEmpty else { return true }
        // A list number, with nothing before it.
        if begin == sentenceBegin && word.count <= 3 && text[word].allSatisfy(isDigit) { return false }
        let packed = packed(word)
        if Self.beforeNumber.contains(packed) { return !isDigit(text[next]) }
        if Self.leading.contains(packed) { return false }
        if word.count == 1 && isUpper(text[begin]) {
            // An initial, unless a word that begins sentences follows a letter that names something: "in plan B. The".
            return isStarter(next, Self.strongStarters) && followsSmallWord(begin, sentenceBegin)
        }
        // "c. 1500", "b. Rome": a small letter alone is rarely a word.
        if word.count == 1 && isLower(text[begin]) { return isStarter(next) }
        let isAcronym = word.count >= 3 && text[word.upperBound - 2] == UInt8(ascii: ".")
        if isAcronym || Self.trailing.contains(packed) { return isStarter(next) }
        return true
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        isLower(byte) || isUpper(byte) || isDigit(byte) || byte == UInt8(ascii: ".") || byte >= 0x80
    }

    /// Up to eight bytes in lower case as one number; 0 for longer words.
    private func packed(_ word: Range<Int>) -> UInt64 {
        guard word.count <= 8 else { return 0 }
        return text[word].reversed().reduce(0) { $0 << 8 | UInt64(isUpper($1) ? $1 | 0x20 : $1) }
    }

    private func isStarter(_ next: Int, _ words: Set<UInt64> = BlockReader.starters) -> Bool {
        var end = next
        while end < range.upperBound, isLower(text[end]) || isUpper(text[end]) { end += 1 }
        return words.contains(packed(next..<end))
    }

    /// Whether the word before the one at `begin` ends in a small letter and no stop, so is no other initial.
    private func followsSmallWord(_ begin: Int, _ sentenceBegin: Int) -> Bool {
        var at = begin
        while at > sentenceBegin, isSpace(at - 1) { at -= 1 }
        return at > sentenceBegin && at < begin && isLower(text[at - 1]) && isFirstSmall(at, sentenceBegin)
    }

    /// Whether the word that ends at `end` begins with a small letter: `plan`, not `Harry`.
    private func isFirstSmall(_ end: Int, _ sentenceBegin: Int) -> Bool {
        var at = end
        while at > sentenceBegin, isLower(text[at - 1]) { at -= 1 }
        return at == sentenceBegin || isSpace(at - 1)
    }
}
