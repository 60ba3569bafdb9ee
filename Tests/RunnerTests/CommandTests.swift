// The commands as a user meets them: exit codes, what is printed, signals, a full disk. This test binary starts
// itself again as `linkloom` over the toy stages.

import Container
import Glibc
import Pipeline
import Runner
import Testing

@Test func becomesTheCommandIfOrdered() {
    guard let start = CommandLine.arguments.firstIndex(of: "--as-command") else { return }
    let arguments = Array(CommandLine.arguments[(start + 1)...])
    // What the test machinery prints does not count: the test reads descriptor 4.
    fflush(nil)
    dup2(4, 1)
    if let folder = getenv("TEST_FOLDER") { chdir(folder) }
    if let limit = getenv("TEST_FILE_LIMIT").flatMap({ rlim_t(String(cString: $0)) }) {
        // As a shell starts a program; a thread pool leaves signals blocked.
        signal(SIGXFSZ, SIG_DFL)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGXFSZ)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        var limits = rlimit(rlim_cur: limit, rlim_max: limit)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
    }
    if let tag = getenv("TEST_WAIT").map({ String(cString: $0) }) {
        Switches.set(tag) { piece in
            guard piece == "join" else { return }
            try Files.publish([], at: tag + "/waiting")
            while Interrupt.signal == nil { usleep(1000) }
        }
    }
    LinkloomCommand.main(registry: toyRegistry, extraCommands: [], arguments: arguments)
}

struct Finished {
    var code: Int32
    var out: String
    var err: String
}

extension Workshop {
    /// Starts `linkloom arguments` with this workshop's folder as its own. `during` runs while it does.
    func command(
        _ arguments: [String], environment: [String: String] = [:],
        during: (pid_t) throws -> Void = { _ in }
    ) throws -> Finished {
        let all =
            [
                "/proc/self/exe", "--filter", "becomesTheCommandIfOrdered", "--testing-library", "swift-testing",
                "--as-command",
            ] + arguments
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let (out, err) = (root + "/stdout.log", root + "/stderr.log")
        for path in [out, err] { try Files.remove(path) }
        posix_spawn_file_actions_addopen(&actions, 4, out, O_WRONLY | O_CREAT, 0o666)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, err, O_WRONLY | O_CREAT, 0o666)
        var argv: [UnsafeMutablePointer<CChar>?] = all.map { strdup($0) } + [nil]
        var variables = environment.merging(["TEST_FOLDER": root], uniquingKeysWith: { $1 }).map {
            strdup("\($0.key)=\($0.value)") as UnsafeMutablePointer<CChar>?
        }
        for name in ["PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR"] {
            if let value = getenv(name) { variables.append(strdup("\(name)=\(String(cString: value))")) }
        }
        variables.append(nil)
        defer { for pointer in argv + variables { free(pointer) } }
        var child: pid_t = 0
        try #require(posix_spawn(&child, "/proc/self/exe", &actions, nil, &argv, &variables) == 0)
        try during(child)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return Finished(
            code: status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f),
            out: String(decoding: try Files.read(out), as: UTF8.self),
            err: String(decoding: try Files.read(err), as: UTF8.self))
    }
}

@Suite(.serialized) struct CommandTests {
    @Test func `exit codes say how a command ended`() throws {
        let shop = try Workshop()
        let pending = try shop.command(["plan", "pipeline.yaml", "--exit-code"])
        #expect(pending.code == 2)
        #expect(pending.out.contains("never built"))
        let run = try shop.command(["run", "pipeline.yaml", "-j", "1"])
        #expect(run.code == 0, "\(run.err)")
        #expect(run.out.split(separator: "\n").last?.hasPrefix("total") == true)
        #expect(try shop.command(["plan", "pipeline.yaml", "--exit-code"]).code == 0)
        #expect(try shop.command(["run", "pipeline.yaml", "-j", "0"]).code == 64)
        #expect(try shop.command(["walk"]).code == 64)
        #expect(try shop.command(["run", "nothing.yaml"]).code == 3)
        #expect(try shop.command(["stages", "nothing"]).code == 64)
        try shop.write("pipeline.yaml", "version: 1\nstages: {a: {use: raed}}")
        let wrong = try shop.command(["check", "pipeline.yaml"])
        #expect(wrong.code == 3)
        #expect(wrong.err.contains("pipeline.yaml:2:") && wrong.err.contains("fix:"))
        #expect(wrong.out.isEmpty)
    }

    @Test func `every command prints what it is asked for`() throws {
        let shop = try Workshop()
        _ = try shop.command(["run", "pipeline.yaml", "-j", "1", "--json"])
        func out(_ arguments: String...) throws -> String {
            let finished = try shop.command(arguments)
            #expect(finished.code == 0, "\(arguments): \(finished.err)")
            return finished.out
        }
        #expect(try out("check", "pipeline.yaml").contains("words*: words"))
        #expect(try out("why", "pipeline.yaml", "marked").contains("marked is reused (pieces: 3)"))
        #expect(try out("why", "pipeline.yaml", "marked", "-s", "marked.mark=+").contains("config changed: mark - → +"))
        #expect(
            try out("graph", "pipeline.yaml", "--format", "dot").contains("\"words\" -> \"marked\" [label=\"words\"]"))
        #expect(try out("graph", "pipeline.yaml", "--format", "mermaid").hasPrefix("flowchart LR"))
        #expect(try out("head", "pipeline.yaml", "marked", "-n", "1") == "{\"line\":\"-one\",\"upstream\":\"words\"}\n")
        #expect(try out("cat", "pipeline.yaml", "marked").split(separator: "\n").count == 4)
        #expect(try out("stats", "pipeline.yaml", "marked").contains("type: lines"))
        #expect(try out("runs").contains("done"))
        #expect(try out("runs", "show", "last").contains("never built"))
        #expect(try out("stages").contains("mark"))
        #expect(try out("stages", "mark").contains("mark: "))
        #expect(try JSON(parsing: Array(out("schema").utf8))["properties"] != nil)
        let resolved = try out("plan", "pipeline.yaml", "--resolved").split(separator: "\n")
        #expect(resolved.contains { $0.split(separator: " ") == ["mark", "\"-\"", "default"] })
        _ = try out("export", "pipeline.yaml", "marked", "--to", "out", "--part", "file-1")
        #expect(try Files.list(shop.root + "/out") == ["file-1", "manifest.json"])
        #expect(try shop.command(["export", "pipeline.yaml", "marked", "--to", "out"]).code == 64)
        let json = try JSON(parsing: Array(out("run", "pipeline.yaml", "-j", "1", "--json").utf8))
        #expect(json["stages"]?.array?.compactMap { $0["run"]?.int } == [0, 0, 0])
    }

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func `a signal stops a run with its state saved`(number: Int32, code: Int32) throws {
        let shop = try Workshop()
        let stopped = try shop.command(["run", "pipeline.yaml", "-j", "1"], environment: ["TEST_WAIT": shop.root]) {
            child in
            while !Files.exists(shop.root + "/waiting") { usleep(1000) }
            kill(child, number)
        }
        #expect(stopped.code == code)
        #expect(stopped.err.contains("stopped; run the same command to continue"))
        let second = try shop.command(["run", "pipeline.yaml", "-j", "1", "--json"])
        let stages = try JSON(parsing: Array(second.out.utf8))["stages"]?.array ?? []
        #expect(stages.compactMap { $0["run"]?.int } == [0, 0, 1])
    }

    @Test func `a disk that takes no more leaves nothing half-written`() throws {
        var noise = SplitMix64(seed: 1)
        let text = String(decoding: (0..<20000).map { _ in UInt8(33 + noise.next() % 89) }, as: UTF8.self)
        let shop = try Workshop(files: ["a.txt": text])
        let failed = try shop.command(["run", "pipeline.yaml", "-j", "1"], environment: ["TEST_FILE_LIMIT": "4000"])
        #expect(failed.code == 4)
        #expect(failed.err.contains("error: ") && failed.err.contains("why: ") && failed.err.contains("fix: "))
        let left = try shop.snapshot(shop.root + "/.linkloom")
        #expect(!left.contains { $0.contains(Files.temporaryPrefix) || $0.contains("/artifacts/") })
        let second = try shop.command(["run", "pipeline.yaml", "-j", "1"])
        #expect(second.code == 0, "\(second.err)")
    }
}
