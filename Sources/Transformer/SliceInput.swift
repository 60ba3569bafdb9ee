// A slice of a batch in the form the model reads: sequences end to end, and which rows the heads look at.

import Kernels

/// Index buffers of one slice, sized once for the largest slice and filled anew for every batch.
final class SliceInput {
    let capacity: SliceCapacity
    private(set) var tokens = 0
    private(set) var sequences = 0
    private(set) var masked = 0
    private let idBuffer, positionBuffer, typeBuffer, offsetBuffer, firstBuffer: IndexBuffer
    private let headRowBuffer, headOffsetBuffer: IndexBuffer
    private let maskedRowBuffer, maskedLabelBuffer, relationBuffer, predictedBuffer: IndexBuffer

    init(capacity: SliceCapacity) {
        self.capacity = capacity
        idBuffer = IndexBuffer(count: capacity.tokens)
        positionBuffer = IndexBuffer(count: capacity.tokens)
        typeBuffer = IndexBuffer(count: capacity.tokens)
        offsetBuffer = IndexBuffer(count: capacity.sequences + 1)
        firstBuffer = IndexBuffer(count: capacity.sequences)
        headRowBuffer = IndexBuffer(count: capacity.everyRow ? 0 : capacity.headRows)
        headOffsetBuffer = IndexBuffer(count: capacity.everyRow ? 0 : capacity.sequences + 1)
        maskedRowBuffer = IndexBuffer(count: capacity.masked)
        maskedLabelBuffer = IndexBuffer(count: capacity.masked)
        relationBuffer = IndexBuffer(count: capacity.sequences)
        predictedBuffer = IndexBuffer(count: max(capacity.masked, capacity.sequences))
    }

    /// Token ids, positions within the sequence and token types, (N) each.
    var ids: IndexView { idBuffer.view(0, tokens) }
    var positions: IndexView { positionBuffer.view(0, tokens) }
    var types: IndexView { typeBuffer.view(0, tokens) }
    /// (S + 1): sequence s is rows `offsets[s]..<offsets[s + 1]`.
    var offsets: IndexView { offsetBuffer.view(0, sequences + 1) }
    /// Rows that the last layer makes: N where the capacity says `everyRow`, else R, those that a head reads.
    var headCount: Int { capacity.everyRow ? tokens : masked + sequences }
    /// (R): what they are rows of the input: `[CLS]` and the masked positions of one sequence after another. Sequence s
    /// has `headOffsets[s]..<headOffsets[s + 1]` of them. Not where the last layer makes every row.
    var headRows: IndexView { headRowBuffer.view(0, masked + sequences) }
    var headOffsets: IndexView { headOffsetBuffer.view(0, sequences + 1) }
    /// (S): which of the last layer's rows is every sequence's `[CLS]`.
    var firstRows: IndexView { firstBuffer.view(0, sequences) }
    /// (S): relation ids; 0 where rows have none, which only objectives without a relation head read.
    var relations: IndexView { relationBuffer.view(0, sequences) }
    /// (M): which of the last layer's rows are masked positions, and their original ids.
    func maskedRows(_ range: Range<Int>) -> IndexView { maskedRowBuffer.view(range.lowerBound, range.count) }
    func maskedLabels(_ range: Range<Int>) -> IndexView { maskedLabelBuffer.view(range.lowerBound, range.count) }

    /// Room for the ids a head predicts at masked positions, or for the relations it predicts.
    func predicted(_ range: Range<Int>) -> IndexView { predictedBuffer.view(range.lowerBound, range.count) }

    func removeAll() {
        tokens = 0
        sequences = 0
        masked = 0
        offsetBuffer.view(0, 1)[0] = 0
        if !capacity.everyRow { headOffsetBuffer.view(0, 1)[0] = 0 }
    }

    /// Whether another sequence fits.
    func fits(tokens more: Int, masked moreMasked: Int) -> Bool {
        tokens + more <= capacity.tokens && sequences < capacity.sequences && masked + moreMasked <= capacity.masked
            && more <= capacity.longest
    }

    /// Appends one sequence; `ids` are what the model sees.
    /// - Parameter secondBegin: first position of token type 1.
    func append(_ ids: [UInt32], secondBegin: Int, relation: UInt8?, masked positions: [(position: Int, label: UInt32)])
    {
        precondition(fits(tokens: ids.count, masked: positions.count), "the slice is full")
        let idView = idBuffer.view()
        let positionView = positionBuffer.view()
        let typeView = typeBuffer.view()
        for (offset, id) in ids.enumerated() {
            idView[tokens + offset] = Int32(id)
            positionView[tokens + offset] = Int32(offset)
            typeView[tokens + offset] = offset < secondBegin ? 0 : 1
        }
        let labelView = maskedLabelBuffer.view()
        for (offset, mask) in positions.enumerated() { labelView[masked + offset] = Int32(mask.label) }
        appendHeadRows(positions)
        relationBuffer.view()[sequences] = Int32(relation ?? 0)
        tokens += ids.count
        masked += positions.count
        sequences += 1
        offsetBuffer.view()[sequences] = Int32(tokens)
    }

    /// Notes which rows the heads read of the sequence that begins behind the others.
    private func appendHeadRows(_ positions: [(position: Int, label: UInt32)]) {
        let (first, rowView) = (firstBuffer.view(), maskedRowBuffer.view())
        if capacity.everyRow {
            first[sequences] = Int32(tokens)
            for (offset, mask) in positions.enumerated() { rowView[masked + offset] = Int32(tokens + mask.position) }
            return
        }
        let begin = headCount
        let headView = headRowBuffer.view()
        first[sequences] = Int32(begin)
        headView[begin] = Int32(tokens)
        for (offset, mask) in positions.enumerated() {
            rowView[masked + offset] = Int32(begin + 1 + offset)
            headView[begin + 1 + offset] = Int32(tokens + mask.position)
        }
        headOffsetBuffer.view()[sequences + 1] = Int32(begin + 1 + positions.count)
    }
}
