// Pieces in true processes: this test binary starts itself again as the worker, which the test
// `worker entry` below becomes when the command line orders a job.

import Container
import Glibc
import Pipeline
import Runner
import Testing

/// Starts this binary with only the entry test.
private let thisBinary = ProcessSpawner(arguments: [
    CommandLine.arguments[0], "--filter", "becomesAWorkerIfOrdered", "--testing-library", "swift-testing",
])

@Test func becomesAWorkerIfOrdered() {
    let arguments = CommandLine.arguments
    guard let job = arguments.firstIndex(of: "--job"), let store = arguments.firstIndex(of: "--store") else { return }
    Interrupt.install()
    Worker.stopWithParent()
    let path = arguments[job + 1]
    if let order = try? WorkerJob(JSON(parsing: Files.read(path))), let tag = order.config["tag"]?.string {
        // The test's wishes come as files beside its input: what to do in the middle of a piece.
        Switches.set(tag) { piece in
            let wish = tag + "/wish-" + piece
            guard Files.exists(wish) else { return }
            switch String(decoding: try Files.read(wish), as: UTF8.self) {
            case "die":
                try Files.remove(wish)
                kill(getpid(), SIGKILL)
            case "crash":
                try Files.remove(wish)
                fatalError("the toy broke")
            case "fail": throw StageError("this page is broken", place: "c.txt:1", cause: "a wish", fix: "wish again")
            case "wait":
                try Files.publish([], at: tag + "/waiting-" + piece)
                while Interrupt.signal == nil { usleep(1000) }
            default: break
            }
        }
    }
    exit(Worker.run(store: arguments[store + 1], job: path, registry: toyRegistry, events: 3))
}

@Suite(.serialized) struct WorkerTests {
    private func processes(_ width: Int) -> (inout RunOptions) -> Void {
        { options in
            options.width = width
            options.backend = .processes
            options.spawner = thisBinary
        }
    }

    @Test func `workers write the same bytes as this process`() throws {
        let here = try Workshop(), there = try Workshop()
        let a = try here.run(), b = try there.run([], processes(2))
        #expect(a.digests == b.digests)
        #expect(b.stages.map(\.piecesRun) == [3, 3, 1])
        #expect(!there.calls().contains { $0.hasPrefix("read") }, "the pieces were made elsewhere")
        #expect(try there.run([], processes(2)).piecesRun == 0)
        #expect(try Files.list(there.store.path("jobs")) == [])
    }

    @Test func `lines that a worker records reach the run, and are found by key`() throws {
        let shop = try Workshop()
        let outcome = try shop.run([], processes(2))
        let lines = RunHistory(shop.store).lines("training", key: outcome["marked"].key)
        #expect(Set(lines.compactMap { $0["piece"]?.string }) == ["file-0", "file-1", "file-2"])
    }

    @Test func `a worker killed in the middle of a piece is named, and the next run goes on`() throws {
        let shop = try Workshop()
        try shop.write("wish-file-1", "die")
        let error = #expect(throws: RunnerError.self) { try shop.run([], processes(1)) }
        #expect(error?.status == .backEnd)
        #expect(error?.message.contains("piece 'file-1' of stage 'words' was killed by signal 9") == true)
        let second = try shop.run([], processes(1))
        #expect(second["words"].piecesReused == 1 && second["words"].piecesRun == 2)
        #expect(second.digests == (try Workshop().run().digests))
        #expect(try shop.snapshot(shop.store.root).filter { $0.contains(Files.temporaryPrefix) } == [])
    }

    @Test func `a crash is told with its last words`() throws {
        let shop = try Workshop()
        try shop.write("wish-file-0", "crash")
        let error = #expect(throws: RunnerError.self) { try shop.run([], processes(2)) }
        #expect(error?.cause?.contains("the toy broke") == true)
    }

    @Test func `an error of a worker reads the same as one of this process`() throws {
        let shop = try Workshop()
        try shop.write("wish-file-2", "fail")
        let error = #expect(throws: StageError.self) { try shop.run([], processes(2)) }
        #expect(error == StageError("this page is broken", place: "c.txt:1", cause: "a wish", fix: "wish again"))
    }

    @Test func `a failing piece stops workers that would wait for ever`() throws {
        let shop = try Workshop()
        try shop.write("wish-file-0", "wait")
        try shop.write("wish-file-1", "fail")
        #expect(throws: StageError.self) { try shop.run([], processes(2)) }
        try Files.remove(shop.root + "/wish-file-0")
        try Files.remove(shop.root + "/wish-file-1")
        try shop.run()
    }

    @Test func `damage that a worker meets is healed as well`() throws {
        let shop = try Workshop()
        let first = try shop.run()
        guard case .value(let words) = shop.store.artifact(first["words"].output) else {
            throw RecordError("no artifact")
        }
        let blob = shop.store.blobs.storedPath(words.manifest.parts[2].digest)
        var bytes = try Files.read(blob)
        bytes[9] ^= 0x40
        try Files.publish(bytes, at: blob)
        let second = try shop.run(["marked.mark=+"], processes(2))
        #expect(second["words"].piecesRun == 1 && second["words"].reasons == [.outputMissing])
        #expect(second["words"].output == first["words"].output)
        #expect(second["marked"].piecesRun + second["marked"].piecesReused == 3)
        #expect(shop.warnings.contains { $0.contains("damaged or missing part") })
    }
}
