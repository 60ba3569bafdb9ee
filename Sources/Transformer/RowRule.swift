// How the rows of an embedding of another vocabulary, or of fewer positions, become the rows of this one.

/// The rule for one parameter whose first axis is the vocabulary or the positions.
struct RowRule {
    /// Rows that the files have.
    let count: Int
    /// By row here, the row there; nil for one that starts afresh.
    private let rows: [Int?]

    /// Nil for parameters whose rows are neither.
    init?(_ entry: ParameterInfo, from found: BertConfig, to config: BertConfig, tokens: [Int?]) {
        switch entry.name {
        case "bert.embeddings.word_embeddings.weight", "cls.predictions.bias":
            count = found.vocabSize
            rows = tokens
        case "bert.embeddings.position_embeddings.weight":
            count = found.maxPositionEmbeddings
            rows = (0..<config.maxPositionEmbeddings).map { $0 % found.maxPositionEmbeddings }
        default: return nil
        }
    }

    /// - Parameter fresh: start values of all rows here.
    func extended(_ values: [Float], _ fresh: [Float]) -> [Float] {
        let width = fresh.count / max(1, rows.count)
        var result = fresh
        for (row, source) in rows.enumerated() {
            guard let source else { continue }
            result.replaceSubrange(
                row * width..<(row + 1) * width, with: values[source * width..<(source + 1) * width])
        }
        return result
    }

    /// What was done, in words.
    static func notes(from found: BertConfig, to config: BertConfig, tokens: [Int?]) -> [String] {
        var notes: [String] = []
        let new = tokens.count { $0 == nil }
        let kept = Set(tokens.compactMap(\.self)).count
        if new > 0 || kept != found.vocabSize {
            notes.append(
                "\(kept) of the model's \(found.vocabSize) tokens are taken over by their text, \(new) of "
                    + "\(config.vocabSize) start at random")
        }
        let (there, here) = (found.maxPositionEmbeddings, config.maxPositionEmbeddings)
        if here > there { notes.append("positions \(there) to \(here - 1) repeat the model's, from the first") }
        if here < there { notes.append("the model's positions from \(here) on are left behind") }
        return notes
    }
}
