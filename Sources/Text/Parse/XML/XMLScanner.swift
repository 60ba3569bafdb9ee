// XMLScanner: XML in memory, cut into tags and texts. Why not a library: expat, one call a tag or line through C, costs
// more than all the rest of reading dumps and PubMed (Benchmarks/mediawiki, Benchmarks/pubmed).

import Glibc

/// What is wrong with XML, and where in its buffer.
struct XMLProblem: Error, Equatable {
    enum Kind {
        /// The buffer ends inside the token, and more of the stream is to come.
        case incomplete
        /// The stream ends before everything that was opened is closed.
        case cutOff
        case malformed
        /// A reference to an entity that XML and HTML do not define. Those that a file defines are never expanded.
        case undefinedEntity
    }

    var kind: Kind
    var offset: Int
    var message = ""
}

/// A pull parser over one buffer of UTF-8, which need not be well-formed UTF-8: only markup is looked at.
///
/// Tags must match, attribute values must be closed and elements may nest `depthLimit` deep. Comments, processing
/// instructions and document type declarations are passed over; entities are left to `XMLText`, so none that a file
/// defines is ever expanded. A value, so that a reader can come back to a place. Complexity: O(bytes).
struct XMLScanner {
    enum Token { case start, end, text, finished }

    static let depthLimit = 256

    private(set) var bytes: Bytes
    /// Nothing follows the buffer.
    private(set) var isFinal: Bool
    /// Of the next token.
    private(set) var position: Int
    /// Of the token just returned.
    private(set) var tokenStart: Int
    /// Of a start or end tag.
    private(set) var name = 0..<0
    /// Between the name and the end of a start tag.
    private(set) var attributes = 0..<0
    private(set) var text = 0..<0
    private(set) var isCDATA = false
    /// Where the last `<!DOCTYPE …>` or the like began that was passed over since the scanner was made.
    private(set) var declaration: Int?
    private var open: [Range<Int>] = []
    /// The start tag just returned ends its element, too.
    private(set) var isEmptyElement = false

    init(_ bytes: Bytes, from position: Int = 0, isFinal: Bool = true) {
        self.bytes = bytes
        self.isFinal = isFinal
        self.position = position
        tokenStart = position
    }

    /// How many elements are open: after a start tag with its own, after an end tag without.
    var depth: Int { open.count }

    /// Begins again elsewhere with nothing open, and keeps its memory.
    mutating func reset(_ bytes: Bytes, from position: Int, isFinal: Bool) {
        self.bytes = bytes
        self.isFinal = isFinal
        self.position = position
        tokenStart = position
        isEmptyElement = false
        open.removeAll(keepingCapacity: true)
    }

    // MARK: tokens

    /// The next tag or text. An empty element gives a start and an end. An end tag that nothing in this buffer opened is
    /// handed out, for the reader who opened it elsewhere.
    mutating func next() throws(XMLProblem) -> Token {
        if isEmptyElement {
            isEmptyElement = false
            open.removeLast()
            return .end
        }
        while true {
            tokenStart = position
            guard position < bytes.count else {
                if !isFinal { throw XMLProblem(kind: .incomplete, offset: position) }
                guard open.isEmpty else { throw cutOff("the end tag of \(shown(open[open.count - 1]))") }
                return .finished
            }
            if bytes[position] != Byte.less { return try characters() }
            switch try byte(position + 1) {
            case Byte.slash:
                try endTag()
                return .end
            case Byte.bang:
                if try isDeclaration("<!--") {
                    position = try find("-->", from: position + 4, in: "a comment")
                } else if try isDeclaration("<![CDATA[") {
                    let begin = position + 9
                    position = try find("]]>", from: begin, in: "a CDATA section")
                    text = begin..<(position - 3)
                    isCDATA = true
                    return .text
                } else {
                    guard open.isEmpty else { throw malformed("a declaration inside \(shown(open[open.count - 1]))") }
                    declaration = position
                    try passOverDeclaration()
                }
            case UInt8(ascii: "?"):
                position = try find("?>", from: position + 2, in: "a processing instruction")
            default:
                try startTag()
                return .start
            }
        }
    }

    /// Goes to the end of the element whose start tag was just returned.
    mutating func skip() throws(XMLProblem) {
        let outside = depth - 1
        while depth > outside { _ = try next() }
    }

    private mutating func characters() throws(XMLProblem) -> Token {
        let rest = bytes.count - position
        let end: Int
        if let found = memchr(bytes.baseAddress! + position, Int32(Byte.less), rest) {
            end = UnsafeRawPointer(found) - UnsafeRawPointer(bytes.baseAddress!)
        } else {
            // A text is never handed out in two: the cut could stand inside an entity.
            if !isFinal { throw XMLProblem(kind: .incomplete, offset: position) }
            end = bytes.count
        }
        text = position..<end
        isCDATA = false
        position = end
        return .text
    }

    private mutating func startTag() throws(XMLProblem) {
        var i = position + 1
        guard Self.isNameStart(bytes[i]) else { throw malformed("'<' begins no tag") }
        while Self.isName(try byte(i)) { i += 1 }
        name = (position + 1)..<i
        let attributesBegin = i
        while bytes[i] != Byte.greater {
            let b = bytes[i]
            if b == Byte.doubleQuote || b == Byte.quote {
                guard let end = memchr(bytes.baseAddress! + i + 1, Int32(b), bytes.count - i - 1) else {
                    throw cutOff("the end of a value in the tag \(shown(name))")
                }
                i = UnsafeRawPointer(end) - UnsafeRawPointer(bytes.baseAddress!)
            } else if b == Byte.less {
                throw malformed("'<' inside the tag \(shown(name))")
            }
            i += 1
            _ = try byte(i)
        }
        isEmptyElement = bytes[i - 1] == Byte.slash && i > attributesBegin
        attributes = attributesBegin..<(isEmptyElement ? i - 1 : i)
        guard open.count < Self.depthLimit else { throw malformed("more than \(Self.depthLimit) elements are open") }
        open.append(name)
        position = i + 1
    }

    private mutating func endTag() throws(XMLProblem) {
        let begin = position + 2
        var i = begin
        while Self.isName(try byte(i)) { i += 1 }
        name = begin..<i
        while Byte.isSpace(try byte(i)) { i += 1 }
        guard bytes[i] == Byte.greater, !name.isEmpty else { throw malformed("an end tag that is none") }
        if let last = open.popLast() {
            guard last.count == name.count,
                memcmp(bytes.baseAddress! + last.lowerBound, bytes.baseAddress! + begin, last.count) == 0
            else { throw malformed("</\(string(name))> closes \(shown(last))") }
        }
        position = i + 1
    }

    /// `<!DOCTYPE …>`, with an internal subset or without. What it declares has no effect.
    private mutating func passOverDeclaration() throws(XMLProblem) {
        var i = position + 2
        var brackets = 0
        while true {
            let b = try byte(i)
            switch b {
            case Byte.doubleQuote, Byte.quote:
                i += 1
                while try byte(i) != b { i += 1 }
            case Byte.openBracket: brackets += 1
            case Byte.closeBracket: brackets -= 1
            case Byte.less where bytes.count >= i + 4 && bytes[i..<(i + 4)].elementsEqual("<!--".utf8):
                i = try find("-->", from: i + 4, in: "a comment") - 1
            case Byte.greater where brackets == 0:
                position = i + 1
                return
            default: break
            }
            i += 1
        }
    }

    // MARK: attributes

    /// The value of an attribute of the start tag just returned, as written; a prefix (`xlink:`) is not compared.
    func attribute(_ wanted: StaticString) -> Range<Int>? {
        var i = attributes.lowerBound
        let end = attributes.upperBound
        while i < end {
            while i < end, Byte.isSpace(bytes[i]) { i += 1 }
            var nameBegin = i
            while i < end, bytes[i] != Byte.equal, !Byte.isSpace(bytes[i]) {
                if bytes[i] == Byte.colon { nameBegin = i + 1 }
                i += 1
            }
            let nameEnd = i
            while i < end, bytes[i] != Byte.doubleQuote, bytes[i] != Byte.quote { i += 1 }
            guard i < end else { return nil }
            let quote = bytes[i]
            let valueBegin = i + 1
            i = valueBegin
            while i < end, bytes[i] != quote { i += 1 }
            if nameEnd - nameBegin == wanted.utf8CodeUnitCount,
                memcmp(bytes.baseAddress! + nameBegin, wanted.utf8Start, nameEnd - nameBegin) == 0
            {
                return valueBegin..<i
            }
            i += 1
        }
        return nil
    }

    /// Whether an attribute has exactly this value.
    func attribute(_ name: StaticString, is value: StaticString) -> Bool {
        guard let range = attribute(name), range.count == value.utf8CodeUnitCount else { return false }
        return memcmp(bytes.baseAddress! + range.lowerBound, value.utf8Start, range.count) == 0
    }

    func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    // MARK: pieces of tokens

    private func byte(_ i: Int) throws(XMLProblem) -> UInt8 {
        guard i < bytes.count else { throw cutOff("the end of a tag") }
        return bytes[i]
    }

    private func isDeclaration(_ text: StaticString) throws(XMLProblem) -> Bool {
        for k in 0..<text.utf8CodeUnitCount where try byte(position + k) != text.utf8Start[k] { return false }
        return true
    }

    /// Where the first `mark` from `start` on ends; a mark ends in `>`.
    private func find(_ mark: StaticString, from start: Int, in what: String) throws(XMLProblem) -> Int {
        let length = mark.utf8CodeUnitCount
        var i = start + length - 1
        while i < bytes.count, let found = memchr(bytes.baseAddress! + i, Int32(Byte.greater), bytes.count - i) {
            let end = UnsafeRawPointer(found) - UnsafeRawPointer(bytes.baseAddress!) + 1
            if memcmp(bytes.baseAddress! + end - length, mark.utf8Start, length) == 0 { return end }
            i = end
        }
        throw cutOff("the end of \(what)")
    }

    private func cutOff(_ missing: @autoclosure () -> String) -> XMLProblem {
        isFinal
            ? XMLProblem(kind: .cutOff, offset: bytes.count, message: missing() + " is missing")
            : XMLProblem(kind: .incomplete, offset: tokenStart)
    }

    private func malformed(_ message: String) -> XMLProblem {
        XMLProblem(kind: .malformed, offset: tokenStart, message: message)
    }

    private func shown(_ name: Range<Int>) -> String {
        "<\(string(name.lowerBound..<min(name.upperBound, name.lowerBound + 80)))>"
    }

    @inline(__always)
    private static func isNameStart(_ b: UInt8) -> Bool {
        Byte.isLetter(b) || b == Byte.underscore || b == Byte.colon || b >= 0x80
    }

    @inline(__always)
    private static func isName(_ b: UInt8) -> Bool {
        isNameStart(b) || Byte.isDigit(b) || b == Byte.dash || b == Byte.dot
    }
}
