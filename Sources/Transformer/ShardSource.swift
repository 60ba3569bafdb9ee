// Training rows out of stored `shards`: mapped, checked once, read without copies of the part.

package import Container

/// Which parts of a `shards` artifact to read, by the beginning of their names.
package enum ShardSide: String, Sendable, CaseIterable {
    case train = "train-"
    case validation = "validation-"
    case test = "test-"
}

/// The rows of one side of a `shards` artifact, in stored order.
///
/// Columns of a part: `input_ids` U16 or U32 (flat), `offsets` I64 (rows + 1), `span.offsets` I64 (rows + 1),
/// `span.begin` U32 (first token of a span's text, from the row's start), `span.document` U64, `span.segment` U32,
/// `span.relation` U8 (to the first span), `pass` U16 a row; static masks: `masked.offsets` I64, `masked.positions`
/// U32 (from the row's start), `masked.labels` (as `input_ids`). A span's text ends one token, its `[SEP]`, before
/// the next span or the row's end.
///
/// Memory: parts are mapped; a part's pages come and go as the system likes. Threading: any number of threads may read.
package final class ShardSource: InstanceSource {
    package let limits: InstanceLimits
    package let tokens: Int
    private let parts: [ShardPart]
    /// First row of every part, then the number of all rows.
    private let starts: [Int]

    /// - Throws: `ModelError` naming part and row if the columns contradict each other; `ContainerError` if a part is
    ///   damaged.
    package convenience init(_ artifact: StoredArtifact, side: ShardSide) throws {
        try self.init(artifact.manifest.parts.filter { $0.name.hasPrefix(side.rawValue) }, of: artifact)
    }

    package init(_ chosen: [Part], of artifact: StoredArtifact) throws {
        var parts: [ShardPart] = []
        var starts = [0]
        var limits = InstanceLimits()
        var tokens = 0
        for part in chosen {
            let shard = try ShardPart(try artifact.mapped(part), name: part.name)
            parts.append(shard)
            starts.append(starts[starts.count - 1] + shard.rows)
            limits = limits.union(shard.limits)
            tokens += shard.tokens
        }
        self.parts = parts
        self.starts = starts
        self.limits = limits
        self.tokens = tokens
    }

    package var count: Int { starts[starts.count - 1] }

    package func length(_ row: Int) -> Int {
        let place = place(row)
        return parts[place.part].range(place.offset).count
    }

    package func load(_ row: Int, into instance: inout Instance) throws {
        let place = place(row)
        try parts[place.part].load(place.offset, into: &instance)
    }

    package func place(_ row: Int) -> RowPlace {
        precondition(row >= 0 && row < max(count, 1), "row \(row) of \(count)")
        // The last part that begins at or before the row and is not empty.
        var low = 0
        var high = parts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= row { low = middle } else { high = middle }
        }
        return RowPlace(part: low, offset: row - starts[low])
    }

    package func row(at place: RowPlace) -> Int? {
        guard parts.indices.contains(place.part), (0..<parts[place.part].rows).contains(place.offset) else {
            return nil
        }
        return starts[place.part] + place.offset
    }
}

/// One mapped part.
private final class ShardPart: @unchecked Sendable {
    // `@unchecked`: immutable after init; the columns point into `mapped`, which lives as long.
    private enum IDs {
        case narrow(UnsafeBufferPointer<UInt16>), wide(UnsafeBufferPointer<UInt32>)

        init(_ mapped: MappedPart, _ name: String) throws {
            if try mapped.info(name).dtype == .u16 {
                self = .narrow(try mapped.column(name, as: UInt16.self))
            } else {
                self = .wide(try mapped.column(name, as: UInt32.self))
            }
        }

        var count: Int {
            switch self {
            case .narrow(let ids): ids.count
            case .wide(let ids): ids.count
            }
        }

        func append(_ range: Range<Int>, to list: inout [UInt32]) {
            switch self {
            case .narrow(let ids): for index in range { list.append(UInt32(ids[index])) }
            case .wide(let ids): list.append(contentsOf: ids[range])
            }
        }
    }

    let rows: Int
    let tokens: Int
    let limits: InstanceLimits
    private let name: String
    private let mapped: MappedPart
    private let ids: IDs
    private let offsets: UnsafeBufferPointer<Int64>
    private let spanOffsets: UnsafeBufferPointer<Int64>
    private let spanBegins: UnsafeBufferPointer<UInt32>
    private let spanDocuments: UnsafeBufferPointer<UInt64>
    private let spanSegments: UnsafeBufferPointer<UInt32>
    private let spanRelations: UnsafeBufferPointer<UInt8>
    private let passes: UnsafeBufferPointer<UInt16>
    private let masks: (offsets: UnsafeBufferPointer<Int64>, positions: UnsafeBufferPointer<UInt32>, labels: IDs)?

    init(_ mapped: MappedPart, name: String) throws {
        self.mapped = mapped
        self.name = name
        ids = try IDs(mapped, "input_ids")
        offsets = try mapped.column("offsets", as: Int64.self)
        spanOffsets = try mapped.column("span.offsets", as: Int64.self)
        spanBegins = try mapped.column("span.begin", as: UInt32.self)
        spanDocuments = try mapped.column("span.document", as: UInt64.self)
        spanSegments = try mapped.column("span.segment", as: UInt32.self)
        spanRelations = try mapped.column("span.relation", as: UInt8.self)
        passes = try mapped.column("pass", as: UInt16.self)
        rows = offsets.count - 1
        tokens = ids.count
        if mapped.has("masked.offsets") {
            masks = (
                try mapped.column("masked.offsets", as: Int64.self),
                try mapped.column("masked.positions", as: UInt32.self), try IDs(mapped, "masked.labels")
            )
        } else {
            masks = nil
        }
        let (place, boundaries) = (name, offsets.count)
        func check(_ values: UnsafeBufferPointer<Int64>, _ column: String, end: Int) throws(ModelError) -> Int {
            guard values.count == boundaries, values.first == 0, values.last == Int64(end) else {
                throw ModelError("column '\(column)' does not run from 0 to \(end) over its rows", place: place)
            }
            var longest: Int64 = 0
            for row in 1..<values.count {
                let length = values[row] - values[row - 1]
                guard length >= 0 else {
                    throw ModelError("column '\(column)' falls", place: "\(place) row \(row - 1)")
                }
                longest = max(longest, length)
            }
            return Int(longest)
        }
        guard rows >= 0, passes.count == rows, spanDocuments.count == spanBegins.count,
            spanSegments.count == spanBegins.count, spanRelations.count == spanBegins.count
        else { throw ModelError("columns have different numbers of rows", place: name) }
        var limits = InstanceLimits()
        limits.tokens = try check(self.offsets, "offsets", end: ids.count)
        limits.spans = try check(self.spanOffsets, "span.offsets", end: self.spanBegins.count)
        if let masks {
            guard masks.labels.count == masks.positions.count else {
                throw ModelError("'masked.labels' and 'masked.positions' have different lengths", place: name)
            }
            limits.staticMasks = try check(masks.offsets, "masked.offsets", end: masks.positions.count)
        }
        self.limits = limits
    }

    func range(_ row: Int) -> Range<Int> { Int(offsets[row])..<Int(offsets[row + 1]) }

    func load(_ row: Int, into instance: inout Instance) throws(ModelError) {
        instance.removeAll()
        let range = range(row)
        ids.append(range, to: &instance.ids)
        let spans = Int(spanOffsets[row])..<Int(spanOffsets[row + 1])
        func fail(_ message: String) -> ModelError { ModelError(message, place: "\(name) row \(row)") }
        guard spans.count == 1 || spans.count == 2 else {
            throw fail("the row has \(spans.count) spans; a model of two token types reads one or two")
        }
        for span in spans {
            let begin = Int(spanBegins[span])
            let end = (span + 1 < spans.upperBound ? Int(spanBegins[span + 1]) : range.count) - 1
            guard begin <= end, end < range.count else {
                throw fail("span \(span - spans.lowerBound) begins at token \(begin) of \(range.count)")
            }
            instance.spans.append(
                Instance.Span(range: begin..<end, document: spanDocuments[span], segment: spanSegments[span]))
        }
        instance.secondBegin = spans.count == 2 ? Int(spanBegins[spans.lowerBound + 1]) : range.count
        instance.relation = spans.count == 2 ? spanRelations[spans.lowerBound + 1] : nil
        instance.pass = Int(passes[row])
        guard let masks else { return }
        let masked = Int(masks.offsets[row])..<Int(masks.offsets[row + 1])
        var positions: [UInt32] = []
        var labels: [UInt32] = []
        positions.append(contentsOf: masks.positions[masked])
        masks.labels.append(masked, to: &labels)
        if let bad = positions.first(where: { Int($0) >= range.count }) {
            throw fail("masked position \(bad) of \(range.count) tokens")
        }
        instance.staticMasks = (positions, labels)
    }
}
