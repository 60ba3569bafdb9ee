// Links of `kind: edges`: a list that the user brings, plain, compressed or in an archive, becomes one piece. Its
// projection is what the names in it resolve to.

import Container
import Corpus
import Pipeline
import Text

extension LinkExtract {
    /// Reads the list once for the names in it. Names that no document has cost no memory.
    static func gatherEdges(_ index: inout TargetIndex, _ context: StageContext<Config>) throws -> Piece {
        let kind = TargetIndex.NameKind(rawValue: context.config.edgesBy.rawValue) ?? .any
        let percentDecoding = context.config.urlDecode
        var table = TargetTable()
        try eachLine(context, note: "names") { line, _ in
            guard case .edge(let source, let target) = line else { return }
            for name in [source, target] {
                table.addKnown(name) { index.resolve(name, as: kind, percentDecoding: percentDecoding) }
            }
        }
        return Piece(name: "edges", files: [0], projection: table.bytes)
    }

    static func pieceEdges(
        _ piece: Piece, _ table: TargetTable, _ context: StageContext<Config>, _ output: PartSink
    ) throws -> PieceResult {
        var edges = EdgeCollector(table)
        var rejections = Rejections()
        try eachLine(context, note: "edges") { line, place in
            switch line {
            case .passedOver: return
            case .edge(let source, let target): edges.add(source: source, target: target)
            case .malformed(let reason): rejections.add(reason, place: place())
            }
            rejections.total += 1
        }
        let (links, counts) = edges.finish()
        return try result(
            links, counts, piece.name, output, summary: .object(["lines": .int(rejections.total)]),
            rejections: rejections)
    }

    /// Calls `body` for every line of the list, or of all files if it is an archive, with its place as `file:line`.
    /// - Throws: `StageError` for a file that is missing, empty, cut off or damaged; whatever `body` throws.
    private static func eachLine(
        _ context: StageContext<Config>, note: String, _ body: (EdgeList.Line, _ place: () -> String) throws -> Void
    ) throws {
        guard let file = context.files.first else {
            throw StageError("`kind: edges` has no file", fix: "add `edges: FILE`")
        }
        let list = EdgeList(skipLines: context.config.skipLines)
        do {
            let archive = try ArchiveReader(path: file.path, threads: context.environment.threads)
            var members = 0
            while let member = try archive.next() {
                members += 1
                let name = member.isWholeFile ? file.logicalName : "\(file.logicalName): \(member.name)"
                try LineReader.read(from: archive.read(into:)) { line in
                    let read =
                        line.isTooLong ? .malformed(reason: "too_long") : list.read(line.bytes, number: line.number)
                    try body(read) { "\(name):\(line.number)" }
                    if line.number & 0xFFFF == 0 {
                        try context.environment.checkCancelled()
                        context.environment.progress.update(
                            done: Int64(archive.offset), total: file.bytes ?? 0, unit: "bytes", note: note)
                    }
                }
            }
            guard members > 0 else {
                throw TextError(
                    .empty, "the archive has no files", file: file.path, fix: "check that it is the right archive")
            }
        } catch let error as TextError {
            throw StageError(error)
        }
    }
}
