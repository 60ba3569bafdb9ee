// Toy stages: small enough to reason about, with every shape the executor must handle: input files, pieces that
// follow the data, several ports, early cutoff, rejections, scratch that outlives an attempt.

import Container
import Pipeline
import Synchronization

enum Lines: Artifact {
    static let typeName = "lines"
    static let version = 1
    static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {
        for part in artifact.manifest.parts {
            for line in String(decoding: try artifact.bytes(part), as: UTF8.self).split(separator: "\n") {
                let origin: JSON = context.upstream("words").map { .string($0.manifest.type) } ?? .null
                if try !emit(["line": .string(String(line)), "upstream": origin]) { return }
            }
        }
    }
    static func statistics(_ artifact: StoredArtifact, _ context: PrintContext) throws -> JSON {
        ["parts": .int(Int64(artifact.manifest.parts.count))]
    }
}

enum Words: Artifact {
    static let typeName = "words"
    static let version = 1
    static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws {}
    static func statistics(_ artifact: StoredArtifact, _ context: PrintContext) throws -> JSON { [:] }
}

/// What the toy stages did in this process, by the folder of the test that asked.
enum Calls {
    private static let log = Mutex<[String: [String]]>([:])
    static func note(_ tag: String, _ call: String) { log.withLock { $0[tag, default: []].append(call) } }
    static func take(_ tag: String) -> [String] { log.withLock { $0.removeValue(forKey: tag) ?? [] } }
}

/// Behaviour that a test switches by tag, read at every piece.
enum Switches {
    private static let hooks = Mutex<[String: @Sendable (String) throws -> Void]>([:])
    static func set(_ tag: String, _ hook: @escaping @Sendable (String) throws -> Void) {
        hooks.withLock { $0[tag] = hook }
    }
    static func clear(_ tag: String) { hooks.withLock { $0[tag] = nil } }
    static func call(_ tag: String, _ piece: String) throws { try hooks.withLock { $0[tag] }?(piece) }
}

/// `files` → one piece a file; lines that hold `bad` are rejected.
enum ReadLines: Stage {
    struct Config: StageConfig {
        var files: [InputFile] = []
        var upper = false
        var maxRejected = 0.5
        /// What no machine has.
        var needs = ""
        var tag = ""
        static let keys: [ConfigKey<Self>] = [
            .files("files", \.files, required: true, help: "Files to read."),
            .bool("upper", \.upper, help: "Upper case."),
            .number("max_rejected", \.maxRejected, in: 0...1, operational: true, help: "Share."),
            .string("needs", \.needs, operational: true, help: "Hardware."),
            .string("tag", \.tag, operational: true, help: "Test that asks."),
        ]
    }
    typealias Output = Words
    static let name = "read", version = 1, summary = "Reads lines.", ports: [AnyInputPort] = []
    static func maxRejected(_ config: Config) -> Double? { config.maxRejected }
    static func obstacle(_ config: Config) -> String? {
        config.needs.isEmpty ? nil : "this machine has no \(config.needs)"
    }

    static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        Calls.note(context.config.tag, "gather read")
        return context.files.indices.map { Piece(name: "file-\($0)", files: [$0]) }
    }

    static func piece(_ piece: Piece, _ context: StageContext<Config>, into output: PartSink) throws -> PieceResult {
        Calls.note(context.config.tag, "read \(piece.name)")
        try Switches.call(context.config.tag, piece.name)
        try context.environment.checkCancelled()
        var result = PieceResult(parts: [], counts: ["lines": 0], summary: ["ratio": .number(1)])
        let text = String(decoding: try Files.read(context.files[piece.files[0]].path), as: UTF8.self)
        var kept: [String] = []
        for (number, line) in text.split(separator: "\n").enumerated() {
            result.rejections.total += 1
            if line.contains("bad") {
                result.rejections.add("bad line", place: "\(piece.name):\(number + 1)")
            } else {
                kept.append(context.config.upper ? line.uppercased() : line.lowercased())
            }
        }
        result.counts["lines"] = Int64(kept.count)
        result.parts = [try output.file(piece.name, Array(kept.joined(separator: "\n").utf8))]
        return result
    }
}

/// One piece a part; the projection is the number of parts, if `global`.
enum Mark: Stage {
    struct Config: StageConfig {
        var mark = "-"
        var global = false
        var tag = ""
        static let keys: [ConfigKey<Self>] = [
            .string("mark", \.mark, help: "Put before every line."),
            .bool("global", \.global, help: "Whether a piece reads how many there are."),
            .string("tag", \.tag, operational: true, help: "Test that asks."),
        ]
    }
    typealias Output = Lines
    static let words = InputPort<Words>("words", help: "What to mark.")
    static let name = "mark", version = 1, summary = "Marks lines.", ports = [words.erased]

    static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        Calls.note(context.config.tag, "gather mark")
        let parts = context.allParts
        return parts.map {
            Piece(
                name: $0.part.name, parts: [$0], projection: context.config.global ? Array("\(parts.count)".utf8) : [])
        }
    }

    static func piece(_ piece: Piece, _ context: StageContext<Config>, into output: PartSink) throws -> PieceResult {
        Calls.note(context.config.tag, "mark \(piece.name)")
        try Switches.call(context.config.tag, "mark " + piece.name)
        let bytes = try context.input("words").bytes(piece.parts[0].part)
        let mark = context.config.mark + String(decoding: piece.projection, as: UTF8.self)
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { mark + $0 }
        context.environment.progress.record("training", ["piece": .string(piece.name)])
        return PieceResult(
            parts: [try output.file(piece.name, Array(lines.joined(separator: "\n").utf8))],
            counts: ["marked": Int64(lines.count)])
    }
}

/// Global: one piece that reads all and counts in its scratch how often it was tried.
enum Join: Stage {
    struct Config: StageConfig {
        var tag = ""
        static let keys: [ConfigKey<Self>] = [.string("tag", \.tag, operational: true, help: "Test that asks.")]
    }
    typealias Output = Lines
    static let lines = InputPort<Lines>("lines", .many, help: "What to join.")
    static let name = "join", version = 1, summary = "Joins lines.", ports = [lines.erased]

    static func piece(_ piece: Piece, _ context: StageContext<Config>, into output: PartSink) throws -> PieceResult {
        let scratch = try context.environment.scratch()
        let state = scratch + "/state"
        let before = Files.exists(state) ? String(decoding: try Files.read(state), as: UTF8.self) : "fresh"
        Calls.note(context.config.tag, "join \(before)")
        try Files.publish(Array("resumed".utf8), at: state)
        try Switches.call(context.config.tag, "join")
        try context.environment.checkCancelled()
        var all: [UInt8] = []
        for part in piece.parts { all += try context.list(part.port)[part.artifact].bytes(part.part) + [10] }
        return PieceResult(parts: [try output.file("joined", all)], counts: ["bytes": Int64(all.count)])
    }
}

/// A piece a part of the words, each of which also reads all lines: those that are among them stay.
enum Match: Stage {
    struct Config: StageConfig { static let keys: [ConfigKey<Self>] = [] }
    typealias Output = Lines
    static let words = InputPort<Words>("words", help: "What to look for.")
    static let lines = InputPort<Lines>("lines", readByEveryPiece: true, help: "Where to look.")
    static let name = "match", version = 1, summary = "Matches words.", ports = [words.erased, lines.erased]

    static func gather(_ context: StageContext<Config>) throws -> [Piece] {
        let shared = try context.input("lines").manifest.parts.map { PortPart(port: "lines", part: $0) }
        return try context.input("words").manifest.parts.map {
            Piece(name: $0.name, parts: [PortPart(port: "words", part: $0)] + shared)
        }
    }

    static func piece(_ piece: Piece, _ context: StageContext<Config>, into output: PartSink) throws -> PieceResult {
        func lines(_ part: PortPart) throws -> [Substring] {
            String(decoding: try context.input(part.port).bytes(part.part), as: UTF8.self).split(separator: "\n")
        }
        let known = Set(try piece.parts.dropFirst().flatMap(lines))
        let found = try lines(piece.parts[0]).filter(known.contains)
        return PieceResult(parts: [try output.file(piece.name, Array(found.joined(separator: "\n").utf8))])
    }
}

let toyRegistry = StageRegistry([
    StageType(ReadLines.self), StageType(Mark.self), StageType(Join.self), StageType(Match.self),
])
