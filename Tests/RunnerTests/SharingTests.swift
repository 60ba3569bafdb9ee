// Stopping, sharing a store, looking without touching.

import Container
import Glibc
import Pipeline
import Runner
import Synchronization
import Testing

@Suite struct SharingTests {
    @Test func `a run that is stopped keeps its finished pieces and scratch, and goes on from there`() throws {
        let shop = try Workshop()
        let stop = StopFlag()
        Switches.set(shop.root) { if $0 == "join" { stop.raise() } }
        let stopped = #expect(throws: Stopped.self) { try shop.run { $0.isCancelled = { stop.isRaised } } }
        #expect(stopped?.exitCode == 130)
        Switches.clear(shop.root)
        #expect(RunHistory(shop.store).run(RunHistory(shop.store).ids()[0])?["status"]?.string == "stopped")
        let second = try shop.run()
        #expect(shop.calls() == ["join resumed"], "the scratch folder of the first attempt was still there")
        #expect(second["words"].isReused && second["marked"].isReused)
        #expect(try Files.list(shop.store.path("scratch")) == [])
        #expect(second.digests == (try Workshop().run().digests))
    }

    @Test func `two runs of one store at once both finish with the right bytes`() throws {
        let shop = try Workshop()
        let expected = try Workshop().run().digests
        let results = Mutex<[[Digest]]>([])
        try forEachParallel(4, width: 4) { _ in
            let digests = try shop.run(width: 2).digests
            results.withLock { $0.append(digests) }
        }
        #expect(results.withLock { $0 } == Array(repeating: expected, count: 4))
        #expect(RunHistory(shop.store).ids().count == 4)
        #expect(try shop.run().piecesRun == 0)
    }

    @Test func `runs that make one piece at once work in folders of their own, and leave those of others`() throws {
        let shop = try Workshop()
        let key = Digest.of("a piece")
        let warnings = Mutex<[String]>([])
        let runs = (0..<4).map { _ in
            Scratch(store: shop.store, key: key) { line in warnings.withLock { $0.append(line) } }
        }
        let folders = try runs[..<3].map { try $0.folder() }
        #expect(Set(folders).count == 3 && folders[0] == shop.store.path("scratch/" + key.hex))
        #expect(warnings.withLock { $0.count } == 2)
        runs[1].remove()
        runs[3].remove()
        #expect(folders.map(Files.exists) == [true, false, true])
        runs[0].remove()
        // The usual folder is free again, and what is left of the third run is still its own.
        #expect(try runs[3].folder() == folders[0] && Files.exists(folders[2]))
        runs[2].remove()
        runs[3].remove()
        #expect(try Files.list(shop.store.path("scratch")) == [])
    }

    @Test func `the scratch folder of a piece has one owner at any time`() throws {
        let shop = try Workshop()
        let key = Digest.of("a piece")
        let owners = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        try forEachParallel(400, width: 8) { _ in
            let scratch = Scratch(store: shop.store, key: key) { _ in }
            if try scratch.folder().hasSuffix(key.hex) {
                most.max(owners.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
                usleep(100)
                owners.subtract(1, ordering: .relaxed)
            }
            scratch.remove()
        }
        #expect(most.load(ordering: .relaxed) == 1)
        #expect(try Files.list(shop.store.path("scratch")) == [])
    }

    @Test func `a plan says what a run would do, and writes nothing`() throws {
        let shop = try Workshop()
        let empty = try shop.forecast()
        #expect(empty.stages.map(\.run) == [3, 1, 1])
        #expect(empty.stages.map(\.isExact) == [true, false, false])
        #expect(!shop.store.exists)
        try shop.run()
        let before = try shop.snapshot(shop.root)
        #expect(try !shop.forecast().hasWork)
        let changed = try shop.forecast(["marked.mark=+"])
        #expect(changed.stages.map(\.run) == [0, 3, 1])
        #expect(changed.stages.map(\.reuse) == [3, 0, 0])
        #expect(changed.stages[1].reasons == [.configChanged([.init(key: "mark", old: "-", new: "+")])])
        #expect(changed.stages[2].reasons == [.upstream(["marked"])])
        #expect(changed.stages[1].isExact && !changed.stages[2].isExact)
        #expect(
            String(decoding: changed.json.canonical, as: UTF8.self) == #"""
                {"experiment":null,"stages":[{"exact":true,"name":"words","reasons":[],"reuse":3,"run":0,"uses":"read"},{"exact":true,"name":"marked","reasons":[{"key":"mark","kind":"configChanged","new":"+","old":"-"}],"reuse":0,"run":3,"uses":"mark"},{"exact":false,"name":"joined","reasons":[{"kind":"upstream","stage":"marked"}],"reuse":0,"run":1,"uses":"join"}]}
                """#)
        #expect(try shop.snapshot(shop.root) == before)
        try shop.write("d.txt", "five")
        let grown = try shop.forecast()
        #expect(grown.stages[0].run == 1 && grown.stages[0].reuse == 3)
    }

    @Test func `a plan of another experiment names the keys that differ from the last run of the file`() throws {
        let shop = try Workshop()
        try shop.pipeline(extra: "experiments: {plain: {}, plus: {set: {marked.mark: \"+\"}}}")
        let loader = PipelineLoader(registry: toyRegistry)
        func plan(_ name: String) throws -> Plan {
            try loader.load(
                path: shop.root + "/pipeline.yaml", experiment: name, sets: [], workingDirectory: shop.root)[0]
        }
        var options = RunOptions(width: 1)
        options.isCancelled = { false }
        let memo = FileMemo(store: shop.store.root)
        _ = try Executor(store: shop.store, memo: memo, plan: plan("plain"), options: options, reporter: .silent).run()
        let inspector = Inspector(store: shop.store, memo: memo, plan: try plan("plus")) { _ in }
        let forecast = try Planner(inspector: inspector).forecast()
        #expect(forecast.stages[1].reasons == [.configChanged([.init(key: "mark", old: "-", new: "+")])])
    }

    @Test func `looking finds the result of a stage and its ancestors, by name and by digest`() throws {
        let shop = try Workshop()
        let finder = ResultFinder(store: shop.store, registry: toyRegistry)
        func inspect(_ sets: [String] = []) throws -> Inspector {
            Inspector(store: shop.store, memo: FileMemo(store: shop.store.root), plan: try shop.plan(sets)) { _ in }
        }
        let missing = #expect(throws: RunnerError.self) {
            try finder.find(inspect(), stage: "marked", command: "linkloom run it")
        }
        #expect(missing?.message.contains("'words', which it reads from, must run first") == true)
        #expect(missing?.fix == "linkloom run it")
        let outcome = try shop.run()
        let digest = outcome["marked"].output
        for found in [
            try finder.find(inspect(), stage: "marked", command: ""),
            try finder.find(digest: String(digest.hex.prefix(9))),
        ] {
            var rows: [JSON] = []
            try found.type.rows(found.artifact, found.context) { row in
                rows.append(row)
                return rows.count < 2
            }
            #expect(rows == [["line": "-one", "upstream": "words"], ["line": "-two", "upstream": "words"]])
            #expect(found.records("training").count == 3)
        }
        #expect(throws: RunnerError.self) { try finder.find(digest: "zz") }
        #expect(throws: RunnerError.self) { try finder.find(inspect(["marked.mark=+"]), stage: "marked", command: "") }
    }

    @Test func `a file memo believes nothing that changed less than two seconds before it was read`() throws {
        let shop = try Workshop()
        let path = shop.root + "/a.txt"
        let memo = FileMemo(store: shop.root)
        let first = try memo.digest(path)
        // The same size, and times put back: only reading it again can tell.
        var status = stat()
        stat(path, &status)
        let descriptor = open(path, O_WRONLY)
        _ = Glibc.write(descriptor, "ONE", 3)
        var times = [status.st_atim, status.st_mtim]
        futimens(descriptor, &times)
        close(descriptor)
        #expect(try memo.digest(path).digest != first.digest)
    }

    @Test func `what a dead process left is cleaned when nobody else is here`() throws {
        let shop = try Workshop()
        try shop.run { $0.until = "words" }
        let litter = ["blobs/.tmp-1", "results/.tmp-2", "jobs/x.json", "scratch/abc.123"].map(shop.store.path)
        for path in litter { try Files.publish([1], at: path) }
        let other = try Presence(shop.store)
        try shop.run { $0.until = "marked" }
        #expect(litter.allSatisfy(Files.exists), "somebody may be writing them")
        withExtendedLifetime(other) {}
        _ = consume other
        try shop.run()
        #expect(!litter.contains(where: Files.exists))
    }

    @Test func `an export is whole or absent, and replaces only when told`() throws {
        let shop = try Workshop()
        let target = shop.root + "/out"
        #expect(throws: StageError.self) {
            try Exporter(directory: target, overwrite: false).write { folder in
                try Files.publish([1], at: folder + "/half")
                throw StageError("the other half fails")
            }
        }
        #expect(!Files.exists(target))
        try Exporter(directory: target, overwrite: false).write { try Files.publish([1], at: $0 + "/manifest.json") }
        #expect(throws: RunnerError.self) { try Exporter(directory: target, overwrite: false).write { _ in } }
        try Exporter(directory: target + "/", overwrite: true).write { try Files.publish([2], at: $0 + "/two") }
        #expect(try Files.list(target) == ["two"])
        // A folder that no export wrote stays as it is.
        #expect(throws: RunnerError.self) {
            try Exporter(directory: target, overwrite: true).write { try Files.publish([3], at: $0 + "/three") }
        }
        #expect(try Files.list(target) == ["two"])
        #expect(try Files.list(shop.root).filter { $0.hasPrefix("out") } == ["out"])
    }
}
