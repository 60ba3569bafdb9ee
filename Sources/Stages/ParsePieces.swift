// How `parse` cuts its files into pieces.

import Container
import Pipeline

enum ParsePieces {
    /// What a format's files are like.
    enum Cut: Sendable {
        /// Each is a piece: they are large, and their order says which version of a document is the later one.
        case everyFile
        /// Each is a piece, up to `mostFilePieces`; more of them go to buckets by the hash of their names, so that a
        /// changed text stays in its bucket.
        case bucketsByName
        /// As `bucketsByName`, by the hash of their content: their names say nothing, and each document is in one file.
        case bucketsByContent
        /// As `bucketsByContent`, but only files below `smallFile` share a bucket: some sources give a file a document,
        /// others thousands.
        case smallByContent
    }

    /// Up to here each file is a piece. A piece costs a few files in the store, so thousands of small ones would be slow;
    /// but crossing this border remakes them all, so it lies far above what people add to file by file.
    static let mostFilePieces = 256
    static let smallFile: Int64 = 1 << 20

    /// Pieces are named after what the files are, never after where or how many they are, so that a file added or moved
    /// leaves the others' results alone.
    static func gather(_ context: StageContext<ParseConfig>) -> [Piece] {
        let format = context.config.format
        var seen: [Digest: Int] = [:]
        let identities = context.files.map { identity($0, format.reader.cut) }
        if format.reader.cut != .everyFile, context.files.count > mostFilePieces {
            let count = UInt64(context.config.pieces)
            var buckets = [[Int]](repeating: [], count: context.config.pieces)
            var large: [Piece] = []
            for (i, identity) in identities.enumerated() {
                if format.reader.cut == .smallByContent, context.files[i].bytes ?? 0 >= smallFile {
                    large.append(single(i, identity, format, &seen))
                    continue
                }
                let hash = identity.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                buckets[Int(hash % count)].append(i)
            }
            return buckets.indices.filter { !buckets[$0].isEmpty }.map {
                Piece(name: "bucket-\(padded($0, 4))", files: buckets[$0])
            } + large
        }
        return identities.enumerated().map { i, identity in single(i, identity, format, &seen) }
    }

    private static func single(
        _ file: Int, _ identity: Digest, _ format: ParseConfig.Format, _ seen: inout [Digest: Int]
    ) -> Piece {
        seen[identity, default: 0] += 1
        let copy = seen[identity]! > 1 ? "-\(seen[identity]!)" : ""
        return Piece(name: "\(format.rawValue)-\(identity.hex.prefix(12))\(copy)", files: [file])
    }

    /// What makes a file this file: the name of a text, the content of a dump.
    private static func identity(_ file: InputFile, _ cut: Cut) -> Digest {
        switch cut {
        case .bucketsByName: Digest.of("name:" + file.logicalName)
        case .everyFile, .bucketsByContent, .smallByContent: file.digest ?? Digest.of("name:" + file.logicalName)
        }
    }
}
