// TokenView: the columns of a `tokens` part where they stand, for stages that read few of them or skip about.

package import Container

/// Token ids of a part, narrow or wide, without a copy. Valid while the part lives.
package enum TokenIDs: @unchecked Sendable {
    // Safe to share: read-only memory, kept alive by the owner of the part.
    case narrow(UnsafeBufferPointer<UInt16>)
    case wide(UnsafeBufferPointer<UInt32>)

    package init(_ part: MappedPart, _ name: String) throws {
        if let narrow = try? part.column(name, as: UInt16.self) {
            self = .narrow(narrow)
        } else {
            self = .wide(try part.column(name, as: UInt32.self))
        }
    }

    /// Writes a range to the front of `out`, which has room for it.
    @inline(__always)
    package func copy(_ range: Range<Int>, to out: UnsafeMutableBufferPointer<UInt32>) {
        precondition(range.count <= out.count, "the ids do not fit")
        switch self {
        case .narrow(let ids):
            let source = UnsafeBufferPointer(rebasing: ids[range])
            for i in 0..<source.count { out[i] = UInt32(source[i]) }
        case .wide(let ids): _ = out.update(fromContentsOf: ids[range])
        }
    }

    package func append(_ range: Range<Int>, to out: inout [UInt32]) {
        let old = out.count
        out.append(contentsOf: repeatElement(0, count: range.count))
        out.withUnsafeMutableBufferPointer { copy(range, to: UnsafeMutableBufferPointer(rebasing: $0[old...])) }
    }

    /// A 64-bit hash of a range, the same for narrow and wide ids and in every process.
    package func hash(_ range: Range<Int>) -> UInt64 {
        switch self {
        case .narrow(let ids): Self.hash(ids[range])
        case .wide(let ids): Self.hash(ids[range])
        }
    }

    @inline(__always)
    private static func hash(_ ids: Slice<UnsafeBufferPointer<some FixedWidthInteger>>) -> UInt64 {
        var hash = KeyedRandom.mix(0x5E67, UInt64(ids.count))
        for id in UnsafeBufferPointer(rebasing: ids) { hash = KeyedRandom.mix(hash, UInt64(truncatingIfNeeded: id)) }
        return hash
    }

    package var count: Int {
        switch self {
        case .narrow(let ids): ids.count
        case .wide(let ids): ids.count
        }
    }
}

/// The columns of one `tokens` part, read in place (their meaning: `TokenColumns`). Its offsets are checked once, so that
/// they may be followed unchecked.
package struct TokenView: @unchecked Sendable {
    // Safe to share: read-only memory that `owner` keeps mapped.
    package let document: UnsafeBufferPointer<UInt64>
    package let documentOffsets: UnsafeBufferPointer<Int64>
    package let sentenceOffsets: UnsafeBufferPointer<Int64>
    package let block: UnsafeBufferPointer<UInt32>
    package let ids: TokenIDs
    package let begin: UnsafeBufferPointer<UInt32>
    package let end: UnsafeBufferPointer<UInt32>
    package let titleOffsets: UnsafeBufferPointer<Int64>
    package let titleIDs: TokenIDs
    private let owner: MappedPart

    /// - Throws: as `MappedPart.column`; `.damaged` if offsets or lengths of one column point outside another.
    package init(_ part: MappedPart) throws {
        owner = part
        document = try part.column("document")
        documentOffsets = try part.column("document.offsets")
        sentenceOffsets = try part.column("sentence.offsets")
        block = try part.column("block")
        ids = try TokenIDs(part, "ids")
        begin = try part.column("begin")
        end = try part.column("end")
        titleOffsets = try part.column("title.offsets")
        titleIDs = try TokenIDs(part, "title.ids")
        guard Self.divide(documentOffsets, rows: document.count, end: sentenceOffsets.count - 1),
            Self.divide(sentenceOffsets, rows: sentenceOffsets.count - 1, end: ids.count),
            Self.divide(titleOffsets, rows: document.count, end: titleIDs.count),
            block.count == sentenceOffsets.count - 1, begin.count == ids.count, end.count == ids.count
        else { throw ContainerError.misfit(part.part) }
    }

    package var count: Int { document.count }

    /// Tokens of document i, as a range of `ids`.
    package func tokens(_ i: Int) -> Range<Int> {
        Int(sentenceOffsets[Int(documentOffsets[i])])..<Int(sentenceOffsets[Int(documentOffsets[i + 1])])
    }

    /// Whether offsets begin at 0, never fall, and end where the column they cut ends: what the unchecked reads rely on.
    private static func divide(_ offsets: UnsafeBufferPointer<Int64>, rows: Int, end: Int) -> Bool {
        guard rows >= 0, offsets.count == rows + 1, offsets[0] == 0, offsets[rows] == Int64(end), end < Int(UInt32.max)
        else { return false }
        return (0..<rows).allSatisfy { offsets[$0] <= offsets[$0 + 1] }
    }
}

extension ContainerError {
    /// Columns of one part that contradict each other.
    static func misfit(_ part: Part) -> ContainerError {
        ContainerError(
            .damaged, "the columns of part '\(part.name)' do not fit together",
            cause: "offsets or lengths of one column point outside another", fix: "make the artifact again")
    }
}
