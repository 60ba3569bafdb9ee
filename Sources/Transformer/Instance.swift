// Training rows as the trainer sees them, and where they come from.

/// One training row: `[CLS] A [SEP] B [SEP]`, or one span alone, with where its spans come from.
///
/// A source fills the same value again and again, so that reading a row allocates nothing once the arrays are large
/// enough.
package struct Instance: Sendable {
    package struct Span: Sendable, Equatable {
        /// Tokens of the span's text in the row, without the special tokens around it.
        package var range: Range<Int>
        package var document: UInt64
        /// Ordinal of the segment in its document.
        package var segment: UInt32

        package init(range: Range<Int>, document: UInt64, segment: UInt32) {
            self.range = range
            self.document = document
            self.segment = segment
        }
    }

    /// The whole row, special tokens included; replaced already where masks are static.
    package var ids: [UInt32] = []
    /// One or two spans, in order.
    package var spans: [Span] = []
    /// First position of token type 1; the row's length if there is one span.
    package var secondBegin = 0
    /// 0 contiguous, 1 random, 2 linked; nil for a row of one span.
    package var relation: UInt8?
    /// The row's pass in its shards; enters the key of dynamic masks.
    package var pass = 0
    /// Static masks: positions in the row and original ids; nil where masking is dynamic.
    package var staticMasks: (positions: [UInt32], labels: [UInt32])?

    package init() {}

    package mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        spans.removeAll(keepingCapacity: true)
        secondBegin = 0
        relation = nil
        pass = 0
        staticMasks = nil
    }
}

/// The largest rows of a source: what buffers are planned for.
package struct InstanceLimits: Sendable, Equatable {
    package var tokens = 0
    package var spans = 0
    /// Most static masks of a row; 0 where masking is dynamic.
    package var staticMasks = 0

    package init(tokens: Int = 0, spans: Int = 0, staticMasks: Int = 0) {
        self.tokens = tokens
        self.spans = spans
        self.staticMasks = staticMasks
    }

    package func union(_ other: InstanceLimits) -> InstanceLimits {
        InstanceLimits(
            tokens: max(tokens, other.tokens), spans: max(spans, other.spans),
            staticMasks: max(staticMasks, other.staticMasks))
    }
}

/// Rows in a fixed order, readable from several threads at once.
package protocol InstanceSource: AnyObject, Sendable {
    var count: Int { get }
    var limits: InstanceLimits { get }
    /// Tokens of all rows together.
    var tokens: Int { get }
    /// Tokens of one row, without reading it.
    func length(_ row: Int) -> Int
    /// Replaces `instance` by the row.
    /// - Throws: `ModelError` naming part and row if the row is not what this model can read.
    func load(_ row: Int, into instance: inout Instance) throws
    /// Where a row lies, for positions in checkpoints and for messages.
    func place(_ row: Int) -> RowPlace
    /// The row at a place; nil if there is none.
    func row(at place: RowPlace) -> Int?
}

/// (part, offset): the position of a row in its shards.
package struct RowPlace: Sendable, Equatable {
    package var part: Int
    package var offset: Int

    package init(part: Int, offset: Int) {
        self.part = part
        self.offset = offset
    }
}

/// Rows held in memory, for tests and small experiments.
package final class ArraySource: InstanceSource {
    private let instances: [Instance]
    package let limits: InstanceLimits
    package let tokens: Int

    package init(_ instances: [Instance]) {
        self.instances = instances
        tokens = instances.reduce(0) { $0 + $1.ids.count }
        limits = instances.reduce(InstanceLimits()) {
            $0.union(
                InstanceLimits(
                    tokens: $1.ids.count, spans: $1.spans.count, staticMasks: $1.staticMasks?.positions.count ?? 0))
        }
    }

    package var count: Int { instances.count }
    package func length(_ row: Int) -> Int { instances[row].ids.count }
    package func load(_ row: Int, into instance: inout Instance) { instance = instances[row] }
    package func place(_ row: Int) -> RowPlace { RowPlace(part: 0, offset: row) }
    package func row(at place: RowPlace) -> Int? {
        place.part == 0 && place.offset < count ? place.offset : nil
    }
}
