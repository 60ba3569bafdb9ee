// A slice of a batch in the form the model reads: sequences end to end, and which rows the heads look at.

import Kernels

/// Index buffers of one slice, sized once for the largest slice and filled anew for every batch.
final class SliceInput {
    let capacity: SliceCapacity
    private(set) var tokens = 0
    private(set) var sequences = 0
    private(set) var masked = 0
    private let idBuffer, positionBuffer, typeBuffer, offsetBuffer, firstBuffer: IndexBuffer
    private let maskedRowBuffer, maskedLabelBuffer, relationBuffer, predictedBuffer: IndexBuffer

    init(capacity: SliceCapacity) {
        self.capacity = capacity
        idBuffer = IndexBuffer(count: capacity.tokens)
        positionBuffer = IndexBuffer(count: capacity.tokens)
        typeBuffer = IndexBuffer(count: capacity.tokens)
        offsetBuffer = IndexBuffer(count: capacity.sequences + 1)
        firstBuffer = IndexBuffer(count: capacity.sequences)
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
    /// (S): the row of every sequence's `[CLS]`.
    var firstRows: IndexView { firstBuffer.view(0, sequences) }
    /// (S): relation ids; 0 where rows have none, which only objectives without a relation head read.
    var relations: IndexView { relationBuffer.view(0, sequences) }
    /// (M): rows of masked positions and their original ids.
    func maskedRows(_ range: Range<Int>) -> IndexView { maskedRowBuffer.view(range.lowerBound, range.count) }
    func maskedLabels(_ range: Range<Int>) -> IndexView { maskedLabelBuffer.view(range.lowerBound, range.count) }

    /// Room for the ids a head predicts at masked positions, or for the relations it predicts.
    func predicted(_ range: Range<Int>) -> IndexView { predictedBuffer.view(range.lowerBound, range.count) }

    func removeAll() {
        tokens = 0
        sequences = 0
        masked = 0
        offsetBuffer.view(0, 1)[0] = 0
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
        let rowView = maskedRowBuffer.view()
        let labelView = maskedLabelBuffer.view()
        for (offset, mask) in positions.enumerated() {
            rowView[masked + offset] = Int32(tokens + mask.position)
            labelView[masked + offset] = Int32(mask.label)
        }
        firstBuffer.view()[sequences] = Int32(tokens)
        relationBuffer.view()[sequences] = Int32(relation ?? 0)
        tokens += ids.count
        masked += positions.count
        sequences += 1
        offsetBuffer.view()[sequences] = Int32(tokens)
    }
}
