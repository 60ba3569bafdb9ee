// MarkupDebris: traces of markup in texts that should have none; `parse` counts them in every format.

package enum MarkupDebris {
    package struct Trace: Sendable, Equatable {
        package var mark: String
        /// In the document's text.
        package var offset: Int
        /// It stands in a block of code, so most likely on purpose.
        package var isCode: Bool
    }

    private static let texts = ["{{", "[[", "|}", "&nbsp;", "<ref"]
    private static let marks: [(text: String, bytes: [UInt8])] = texts.map { (text: $0, bytes: Array($0.utf8)) }

    private static let isFirst: [Bool] = (0..<256).map { b in marks.contains { Int($0.bytes[0]) == b } }

    /// The first trace outside code; if there is none, the first in code. Complexity: O(text).
    package static func first(in document: ParsedDocument) -> Trace? {
        var inCode: Trace?
        for block in 0..<document.blockCount {
            let isCode = document.blockKind[block] == TextBlockKind.code.rawValue
            if isCode, inCode != nil { continue }
            guard let (mark, offset) = first(in: document.text, document.block(block)) else { continue }
            let trace = Trace(mark: mark, offset: offset, isCode: isCode)
            if !isCode { return trace }
            inCode = trace
        }
        return inCode
    }

    private static func first(in text: [UInt8], _ range: Range<Int>) -> (mark: String, offset: Int)? {
        text.withUnsafeBufferPointer { text in
            isFirst.withUnsafeBufferPointer { isFirst in
                for i in range where isFirst[Int(text[i])] {
                    for mark in marks
                    where i + mark.bytes.count <= range.upperBound && text[i...].starts(with: mark.bytes) {
                        return (mark.text, i)
                    }
                }
                return nil
            }
        }
    }
}
