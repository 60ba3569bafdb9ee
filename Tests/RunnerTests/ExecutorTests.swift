// The executor over toy stages: what is reused, what is made again, and why.

import Container
import Pipeline
import Runner
import Testing

@Suite struct ExecutorTests {
    @Test func `what this machine cannot run is said before the run begins`() throws {
        let shop = try Workshop()
        try shop.pipeline(read: ", needs: warp drive")
        try shop.run()
        let warned = try #require(shop.warnings.first)
        #expect(shop.warnings.count == 1 && warned.contains("pipeline.yaml:3:") && warned.contains("no warp drive"))
        #expect(try shop.run().piecesRun == 0)
    }

    @Test func `a second run makes no piece, calls no stage and gives the same digests`() throws {
        let shop = try Workshop()
        let first = try shop.run()
        #expect(
            shop.calls() == [
                "gather mark", "gather read", "join fresh", "mark file-0", "mark file-1", "mark file-2", "read file-0",
                "read file-1", "read file-2",
            ])
        #expect(first.stages.map(\.piecesRun) == [3, 3, 1])
        #expect(first.stages.allSatisfy { $0.reasons == [.neverBuilt] })
        #expect(first["words"].counts == ["lines": 4])
        let second = try shop.run()
        #expect(shop.calls() == [])
        #expect(second.piecesRun == 0 && second.stages.allSatisfy { $0.isReused })
        #expect(second.digests == first.digests)
        #expect(second["words"].counts == ["lines": 4])
        #expect(shop.warnings == [])
    }

    @Test func `a touched input runs only the pieces that read it`() throws {
        let shop = try Workshop()
        let first = try shop.run()
        try shop.write("b.txt", "drei")
        let second = try shop.run()
        #expect(shop.calls() == ["gather mark", "gather read", "join fresh", "mark file-1", "read file-1"])
        #expect(second["words"].reasons == [.inputChanged(.files("files"))])
        #expect(second["marked"].reasons == [.inputChanged(.port("words"))])
        #expect(second["marked"].piecesReused == 2)
        #expect(second.digests != first.digests)
    }

    @Test func `a file rewritten with the same bytes runs nothing`() throws {
        let shop = try Workshop()
        try shop.run()
        try shop.write("b.txt", "three")
        #expect(try shop.run().piecesRun == 0)
    }

    @Test func `a changed key is named with its old and new value`() throws {
        let shop = try Workshop()
        try shop.run()
        let second = try shop.run(["marked.mark=+"])
        let change = RunReason.Change(key: "mark", old: "-", new: "+")
        #expect(second["words"].isReused)
        #expect(second["marked"].reasons == [.configChanged([change])])
        #expect(second["joined"].reasons == [.inputChanged(.port("lines"))])
        let third = try shop.run()
        #expect(third.piecesRun == 0, "the first results are still there")
    }

    @Test func `an output that comes out as before stops the rest from running`() throws {
        let shop = try Workshop()
        try shop.run()
        try shop.write("a.txt", "ONE\nTWO")
        let second = try shop.run()
        #expect(second["words"].piecesRun == 1)
        #expect(second["marked"].isReused && second["joined"].isReused)
        #expect(shop.calls() == ["gather read", "read file-0"])
    }

    @Test func `a projection that changes reaches every piece that reads it`() throws {
        let shop = try Workshop()
        try shop.pipeline(mark: ", global: true")
        try shop.run()
        try shop.write("d.txt", "five")
        let second = try shop.run()
        #expect(second["words"].piecesRun == 1)
        #expect(second["marked"].piecesRun == 4)
    }

    @Test func `force makes one stage again and nothing that reads the same bytes`() throws {
        let shop = try Workshop()
        try shop.run()
        let second = try shop.run { $0.force = ["marked"] }
        #expect(second["words"].isReused && second["joined"].isReused)
        #expect(second["marked"].reasons == [.forced])
        #expect(second["marked"].piecesRun == 3)
        #expect(shop.warnings == [])
    }

    @Test func `until runs a stage and what it reads from`() throws {
        let shop = try Workshop()
        #expect(try shop.run { $0.until = "marked" }.stages.map(\.name) == ["words", "marked"])
        #expect(throws: RunnerError.self) { try shop.run { $0.until = "nothing" } }
    }

    @Test(arguments: ["blob", "manifest", "record", "cut blob", "flipped blob", "piece"])
    func `whatever is lost or damaged is made again, with a warning`(what: String) throws {
        let shop = try Workshop()
        let first = try shop.run()
        let store = shop.store
        let marked = first["marked"]
        guard case .value(let artifact) = store.artifact(marked.output) else { throw RecordError("no artifact") }
        let blob = store.blobs.storedPath(artifact.manifest.parts[0].digest)
        switch what {
        case "blob": try Files.remove(blob)
        case "manifest": try Files.publish(Array("{}".utf8), at: store.manifestPath(marked.output))
        case "record": try Files.publish(Array("{\"format\": 1".utf8), at: store.recordPath(marked.key))
        case "cut blob": try Files.publish(Array(try Files.read(blob).dropLast(3)), at: blob)
        case "flipped blob":
            var bytes = try Files.read(blob)
            bytes[9] ^= 0x40
            try Files.publish(bytes, at: blob)
            // Found only when somebody reads it.
            try Files.remove(store.recordPath(first["joined"].key))
            for path in try shop.snapshot(store.path("results")) where path.contains(".json") {
                let file = String(path.prefix { $0 != " " })
                if String(decoding: try Files.read(file), as: UTF8.self).contains("\"stage\":\"join\"") {
                    try Files.remove(file)
                }
            }
        default:
            try Files.remove(store.recordPath(marked.key))
            try Files.remove(blob)
        }
        let second = try shop.run()
        #expect(second.digests == first.digests)
        #expect(second["words"].isReused)
        #expect(!second["marked"].isReused)
        #expect(second["marked"].piecesRun == (what == "manifest" || what == "record" ? 0 : 1))
        #expect(!shop.warnings.isEmpty)
        #expect(try shop.run().piecesRun == 0)
    }

    @Test func `rejections past the share fail the stage and show where they are`() throws {
        let shop = try Workshop()
        try shop.write("b.txt", "bad one\ngood\nbad two")
        let within = try shop.run()
        #expect(within["words"].rejections.counts == ["bad line": 2])
        try shop.pipeline(read: ", max_rejected: 0.1")
        #expect(try shop.run().piecesRun == 0, "max_rejected enters no key")
        try shop.write("c.txt", "bad three")
        let error = #expect(throws: StageError.self) { try shop.run() }
        let text = error?.description ?? ""
        #expect(text.contains("rejected 3 of 6 items (50.00%), max_rejected allows 10.00%"))
        #expect(text.contains("file-1:3: bad line"))
        // An error that knows no place of its own has the stage's.
        #expect(error?.place?.contains("pipeline.yaml:") == true, "\(text)")
        let run = try #require(RunHistory(shop.store).ids().last)
        #expect(try Files.read(shop.store.path("runs/\(run)/rejected.jsonl")).split(separator: 10).count == 3)
    }

    @Test func `one worker and several write the same bytes`() throws {
        let one = try Workshop(), three = try Workshop()
        let a = try one.run(width: 1), b = try three.run(width: 3)
        #expect(a.digests == b.digests)
    }

    @Test func `a failing piece keeps those that were finished`() throws {
        let shop = try Workshop()
        Switches.set(shop.root) { if $0 == "file-2" { throw StageError("this page is broken", place: "c.txt:1") } }
        let error = #expect(throws: StageError.self) { try shop.run() }
        #expect(error?.place == "c.txt:1")
        Switches.clear(shop.root)
        let second = try shop.run()
        #expect(second["words"].piecesRun == 1 && second["words"].piecesReused == 2)
        let statuses = RunHistory(shop.store).ids().map { RunHistory(shop.store).run($0)?["status"]?.string }
        #expect(statuses == ["failed", "done"])
    }

    @Test func `a stage that failed last time is compared with the time before`() throws {
        let shop = try Workshop()
        try shop.run()
        Switches.set(shop.root) { if $0 == "mark file-2" { throw StageError("broken") } }
        #expect(throws: StageError.self) { try shop.run(["marked.mark=+"]) }
        Switches.clear(shop.root)
        let third = try shop.run(["marked.mark=+"])
        #expect(third["marked"].reasons == [.configChanged([.init(key: "mark", old: "-", new: "+")])])
        #expect(third["marked"].piecesReused == 2)
    }

    @Test func `a missing input file is an error that names it`() throws {
        let shop = try Workshop()
        let plan = try shop.plan()
        try Files.remove(shop.root + "/b.txt")
        let error = #expect(throws: RunnerError.self) {
            try Executor(
                store: shop.store, memo: FileMemo(store: shop.store.root), plan: plan, options: RunOptions(width: 1),
                reporter: .silent
            ).run()
        }
        #expect(error?.place == shop.root + "/b.txt")
    }
}
