// Keys of stages and pieces: what enters, what must not; reasons; configs that travel to workers; file patterns.

import Container
import Testing

import Pipeline

private func digest(_ path: String) -> (digest: Digest, bytes: Int64) {
    (Digest.of("content of \(Paths.name(of: path))"), 3)
}

private func model(_ with: String) throws -> BoundStage {
    let plan = try planned(base("  model: {use: train, with: \(with)}"))
    return try #require(plan["model"]).bound.withDigests(digest)
}

private func key(_ with: String) throws -> StageKey {
    StageKey(stage: try model(with), inputs: ["graph": [Digest.of("g")]])
}

struct KeyTests {
    @Test func `defaults, operational keys and paths leave the key alone`() throws {
        let plain = try key("{}")
        #expect(plain.components["config"] == [:])
        for same in [
            "{steps: 10}", "{threads: 8}", "{mix: {linked: 1.0, contiguous: 1}}", "{sides: {by: group}}",
            "{limit: null, phases: []}",
        ] {
            #expect(try key(same).digest == plain.digest, "\(same)")
        }
        for other in [
            "{steps: 11}", "{mix: {linked: 1}}", "{sides: {by: text}}", "{limit: 0}", "{phases: [{}]}",
            "{edges: a.txt}", "{names: ''}",
        ] {
            #expect(try key(other).digest != plain.digest, "\(other)")
        }
    }

    @Test func `a file enters by content, and by name only for stages that read names`() throws {
        func components(_ yaml: String, _ files: [String: String]) throws -> JSON {
            let plan = try planned("version: 1\nstages: {one: {use: parse, with: \(yaml)}}", files: files)
            return StageKey(stage: try #require(plan["one"]).bound.withDigests(digest), inputs: [:]).components
        }
        let here = try components("{files: ['x/*']}", ["/home/x/f": ""])
        #expect(here["files"] == ["files": [["f", .string(digest("f").digest.hex)]]])
        #expect(try components("{files: ['/y/z/*']}", ["/y/z/f": ""]) == here)
        let nameless = try components("{files: ['x/**'], drop: [a]}", ["/home/x/b/f": ""])
        #expect(nameless["files"] == ["files": [["", .string(digest("f").digest.hex)]]])
        #expect(here["config"] == [:])
    }

    @Test func `the key is the digest of its record, and the record is stable`() throws {
        let key = try key("{steps: 11, edges: a.txt}")
        #expect(key.digest == Digest.of(key.components.canonical))
        #expect(
            String(decoding: key.components.canonical, as: UTF8.self) == """
                {"config":{"steps":11},"files":{"edges":[["","\(digest("a.txt").digest.hex)"]]},\
                "inputs":[["graph","\(Digest.of("g").hex)"]],"outputType":"checkpoint","outputVersion":1,\
                "stage":"train","stageVersion":3}
                """)
    }

    @Test func `the order within a port enters the key, the order of ports does not`() throws {
        let stage = try model("{}")
        let a = Digest.of("a"), b = Digest.of("b")
        #expect(StageKey(stage: stage, inputs: ["x": [a, b]]) != StageKey(stage: stage, inputs: ["x": [b, a]]))
        #expect(
            StageKey(stage: stage, inputs: ["x": [a], "y": [b]])
                == StageKey(stage: stage, inputs: ["y": [b], "x": [a]]))
    }

    @Test func `a piece's key holds its parts, files and projection`() throws {
        let stage = try model("{files: [a.txt], edges: a.txt}")
        let part = Part(name: "p", digest: Digest.of("p"), bytes: 1, rows: 1)
        let piece = Piece(name: "all", parts: [PortPart(port: "graph", part: part)], files: [0], projection: [1])
        let key = PieceKey(stage: stage, piece: piece)
        #expect(key.digest == Digest.of(key.components.canonical))
        var changed = [piece, piece, piece, piece]
        changed[0].projection = []
        changed[1].files = []
        changed[2].parts[0].part.digest = Digest.of("q")
        changed[3].name = "other"
        #expect(Set(changed.map { PieceKey(stage: stage, piece: $0).digest } + [key.digest]).count == 5)
        var renamed = piece
        renamed.parts[0].part.name = "q"
        #expect(PieceKey(stage: stage, piece: renamed) == key)
    }

    @Test func `reasons name the keys that changed with their values`() throws {
        let old = try key("{mix: {contiguous: 1, linked: 0}, sides: {by: text}}").components
        let stage = try model("{steps: 20, edges: a.txt}")
        let new = StageKey(stage: stage, inputs: ["graph": [Digest.of("h")]]).components
        let stored = try JSON(parsing: old.canonical)
        let reasons = RunReason.compare(old: stored, new: new, defaults: stage.defaultConfig)
        #expect(
            reasons.map(\.text) == [
                "config changed: mix.linked 0 → 1, sides.by text → group, steps 10 → 20",
                "input changed: files of 'edges'", "input changed: port graph",
            ])
        #expect(
            reasons.flatMap(\.json).dropFirst(2) == [
                ["kind": "configChanged", "key": "steps", "old": 10, "new": 20],
                ["kind": "inputChanged", "key": "edges"], ["kind": "inputChanged", "port": "graph"],
            ])
        #expect(RunReason.compare(old: stored, new: old, defaults: stage.defaultConfig) == [])
        var older = new
        older["stageVersion"] = 2
        #expect(RunReason.compare(old: older, new: new).map(\.text) == ["version changed: stageVersion 2 → 3"])
    }

    @Test func `a stage that waits for what every piece reads says by which port, also when it is recorded`() {
        let reason = RunReason.upstreamOfEveryPiece(["vocab", "more"], port: "vocabulary")
        #expect(
            reason.text
                == "upstream runs: vocab, more (every piece reads port vocabulary: if it changes, all run again)")
        #expect(
            reason.json == [
                ["kind": "upstream", "stage": "vocab", "port": "vocabulary"],
                ["kind": "upstream", "stage": "more", "port": "vocabulary"],
            ])
        let one = RunReason.upstreamOfEveryPiece(["vocab"], port: "vocabulary")
        #expect(RunReason.text(recorded: one.json[0]) == one.text)
        #expect(RunReason.text(recorded: RunReason.upstream(["vocab"]).json[0]) == "upstream runs: vocab")
        #expect(InputPort<Documents>("pages", readByEveryPiece: true, help: "").erased.readByEveryPiece)
        #expect(!InputPort<Documents>("pages", help: "").erased.readByEveryPiece)
    }

    @Test func `a config that crossed to another process is the same`() throws {
        let stage = try model(
            """
            {steps: 11, rate: 0.1, fast: true, title: "null", masking: static, limit: 5, names: [a, "12"], share: 12.5%,
            mix: {linked: 0.3}, sides: {by: text}, phases: [{validation: 0.25}, {}], threads: 3, files: [a.txt], edges: a.txt}
            """)
        let sent = try JSON(parsing: stage.resolvedConfig.canonical)
        let back = try #require(toyRegistry["train"]).rebind(resolvedConfig: sent)
        #expect(back.resolvedConfig.canonical == stage.resolvedConfig.canonical)
        #expect(back.files == stage.files)
        #expect(back.canonicalConfig == stage.canonicalConfig)
        #expect(back.resolvedConfig["title"] == "null")
        #expect(throws: PipelineErrors.self) { try toyRegistry["train"]!.rebind(resolvedConfig: ["stesp": 1]) }
    }

    @Test func `globs match by name and depth, sorted by logical name`() throws {
        let files = MemoryFiles(
            Dictionary(
                ["/d/b.txt", "/d/a.txt", "/d/.h.txt", "/d/x/a.txt", "/d/x/y/ab.txt", "/d/x.y/c.md"].map { ($0, "") },
                uniquingKeysWith: { $1 }))
        func names(_ glob: String) throws -> [String] { try #require(Glob(glob)).matches(in: files).map(\.logicalName) }
        #expect(try names("/d/*.txt") == ["a.txt", "b.txt"])
        #expect(try names("/d/**/*.txt") == ["a.txt", "b.txt", "x/a.txt", "x/y/ab.txt"])
        #expect(try names("/d/**") == ["a.txt", "b.txt", "x.y/c.md", "x/a.txt", "x/y/ab.txt"])
        #expect(try names("/d/x*/?.*") == ["x.y/c.md", "x/a.txt"])
        #expect(try names("/d/.*") == [".h.txt"])
        #expect(Glob.matches(Array("a*b*c".unicodeScalars)[...], Array("aXbXbc".unicodeScalars)[...]))
        #expect(!Glob.matches(Array("a*b".unicodeScalars)[...], Array("abX".unicodeScalars)[...]))
    }

    @Test func `the distance counts a swap of neighbours as one`() {
        #expect(editDistance("stesp", "steps") == 1)
        #expect(editDistance("", "abc") == 3)
        #expect(editDistance("kitten", "sitting") == 3)
        #expect(nearestName(to: "zzz", among: ["steps", "rate"]) == nil)
    }

    @Test func `docs and schema come from the same table`() throws {
        let type = try #require(toyRegistry["train"])
        #expect(type.docs[0] == "steps: a whole number from 1 to 1000, default 10. Steps to run.")
        #expect(type.docs[10] == "threads: a whole number from 1 to 64, default 1, not part of the cache key. Threads.")
        let steps: JSON = ["type": "integer", "minimum": 1, "maximum": 1000, "description": "Steps to run."]
        #expect(type.schema["properties"]?["steps"] == steps)
        #expect(type.schema["additionalProperties"] == false)
        #expect(toyRegistry["parse"]?.schema["required"] == ["files"])
        #expect(toyRegistry.schema["properties"]?["stages"]?["additionalProperties"]?["oneOf"]?.array?.count == 5)
    }
}
