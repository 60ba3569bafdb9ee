// XMLSource: the bytes of an XML stream as UTF-8, whatever encoding its declaration or its first bytes name.

import Glibc

/// Reads a stream and converts it. Memory: one chunk beside the caller's buffer. Not safe to share between threads.
final class XMLSource {
    private static let chunk = 1 << 14

    private let file: String
    private let source: (UnsafeMutableRawBufferPointer) throws -> Int
    private var converter: iconv_t?
    /// Read and not handed out: the head of the stream while its encoding is looked for, later what awaits conversion.
    private var pending: [UInt8] = []
    private var isOpened = false, isAtEnd = false
    /// Sequences that are ill-formed in the declared encoding; each became U+FFFD.
    private(set) var replaced = 0
    /// Bytes of the byte order mark, which is not handed out.
    private(set) var markLength = 0

    /// - Parameters: `file`: for messages. `source`: fills the buffer, 0 at the end.
    init(file: String, _ source: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) {
        self.file = file
        self.source = source
    }

    deinit { if let converter { iconv_close(converter) } }

    /// No character of any encoding becomes more.
    static let leastRoom = 16

    /// Fills the buffer with UTF-8 (as declared: it may be ill-formed). Returns 0 only at the end.
    /// - Parameter buffer: of at least `leastRoom` bytes.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        precondition(buffer.count >= Self.leastRoom, "a buffer of \(buffer.count) bytes may not take a character")
        if !isOpened { try open() }
        if converter != nil { return try convert(into: buffer) }
        if !pending.isEmpty {
            let count = min(buffer.count, pending.count)
            buffer.copyBytes(from: pending[..<count])
            pending.removeFirst(count)
            return count
        }
        return try source(buffer)
    }

    // MARK: encodings

    private func open() throws {
        isOpened = true
        try fill(upTo: 1024, chunk: 1 << 12)
        let marks: [(bytes: [UInt8], name: String, drop: Int)] = [
            ([0xEF, 0xBB, 0xBF], "UTF-8", 3), ([0xFE, 0xFF], "UTF-16BE", 2), ([0xFF, 0xFE], "UTF-16LE", 2),
            ([0x00, 0x3C], "UTF-16BE", 0), ([0x3C, 0x00], "UTF-16LE", 0),
        ]
        let mark = marks.first { pending.starts(with: $0.bytes) }
        markLength = mark?.drop ?? 0
        pending.removeFirst(markLength)
        let name = mark?.name ?? Self.declared(pending) ?? "UTF-8"
        if ["utf-8", "utf8", "us-ascii", "ascii"].contains(name.lowercased()) { return }
        let isName = name.utf8.allSatisfy {
            Byte.isLetter($0) || Byte.isDigit($0) || [Byte.dash, Byte.dot, Byte.underscore, Byte.colon].contains($0)
        }
        guard isName, let opened = iconv_open("UTF-8", name), opened != iconv_t(bitPattern: -1) else {
            throw TextError(
                .unsupported, "the XML declares the encoding '\(name)', which this system does not know", file: file,
                offset: 0, cause: "iconv converts no encoding of that name",
                fix: "convert the file to UTF-8 and change its first line")
        }
        converter = opened
    }

    private func fill(upTo count: Int, chunk: Int = XMLSource.chunk) throws {
        while pending.count < count, !isAtEnd {
            let old = pending.count
            pending.append(contentsOf: repeatElement(0, count: chunk))
            let got = try pending.withUnsafeMutableBytes {
                try source(UnsafeMutableRawBufferPointer(rebasing: $0[old...]))
            }
            pending.removeLast(chunk - got)
            if got == 0 { isAtEnd = true }
        }
    }

    /// The `encoding` of `<?xml … ?>`.
    static func declared(_ head: [UInt8]) -> String? {
        guard head.starts(with: "<?xml".utf8), let end = head.firstIndex(of: Byte.greater) else { return nil }
        let key = Array("encoding".utf8)
        var i = 5
        while i < end, !head[i...].starts(with: key) { i += 1 }
        i += key.count
        while i < end, head[i] == Byte.equal || Byte.isSpace(head[i]) { i += 1 }
        guard i < end, head[i] == Byte.doubleQuote || head[i] == Byte.quote else { return nil }
        let quote = head[i]
        return String(decoding: head[(i + 1)..<end].prefix { $0 != quote }, as: UTF8.self)
    }

    private func convert(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var written = 0
        while written == 0 {
            try fill(upTo: 16)
            if pending.isEmpty { return 0 }
            var to: UnsafeMutablePointer<CChar>? = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
            var room = buffer.count
            var left = pending.count
            let status = pending.withUnsafeMutableBytes { raw in
                var from: UnsafeMutablePointer<CChar>? = raw.baseAddress!.assumingMemoryBound(to: CChar.self)
                return iconv(converter!, &from, &left, &to, &room)
            }
            let reason = errno
            written = buffer.count - room
            pending.removeFirst(pending.count - left)
            // Left: a sequence that is wrong, or cut off by the end of the stream, or the buffer is full.
            if status == -1, reason == EILSEQ || (reason == EINVAL && isAtEnd), room >= 3, !pending.isEmpty {
                pending.removeFirst()
                UnsafeMutableRawPointer(to!).copyMemory(from: UTF8Repair.replacement, byteCount: 3)
                written += 3
                replaced += 1
            }
        }
        return written
    }
}
