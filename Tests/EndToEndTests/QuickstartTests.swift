// The quick start from dump to model, and what the store promises around it.

import Container
import Foundation
import Testing

@Suite struct QuickstartTests {
    @Test func `everything is built once, then nothing, and a new mix runs only what samples`() throws {
        let shop = try Workshop()
        let first = try shop.run(["run", quickstart, "--json"] + brief)
        try #require(first.status == 0, "\(first.errors)")
        let second = try shop.run(["run", quickstart, "--json"] + brief)
        #expect(second.status == 0)
        let pieces = { (run: JSON) in (run["stages"]?.array ?? []).reduce(0) { $0 + ($1["run"]?.int ?? 0) } }
        #expect(pieces(try first.json) > 10)
        #expect(pieces(try second.json) == 0)
        #expect(digests(try first.json) == digests(try second.json))

        let plan = try shop.run(["plan", quickstart, "--json", "--exit-code", "-s", "params.mix.linked=2"] + brief)
        #expect(plan.status == 2)
        let working = (try plan.json["stages"]?.array ?? []).filter { !($0["reasons"]?.array ?? []).isEmpty }
        #expect(working.compactMap { $0["name"]?.string } == ["pairs", "shards", "model", "scores"])
        let reason = working.first?["reasons"]?.array?.first
        #expect(reason?["kind"]?.string == "configChanged")
        #expect(reason?["key"]?.string == "mix.linked")

        let export = try shop.run(["export", quickstart, "model", "--to", shop.path("model")] + brief)
        try #require(export.status == 0, "\(export.errors)")
        try checkExport(shop.path("model"))
        let scores = try shop.run(["stats", quickstart, "scores", "--json"] + brief)
        try checkScores(try #require(scores.json["statistics"]))

        let filled = try shop.run("fill-mask", shop.path("model"), "A ship in the [MASK].", "--json")
        let guesses = try filled.json.array ?? []
        #expect(guesses.count == 5)
        #expect(guesses.allSatisfy { $0["token"]?.string != nil && $0["id"]?.int != nil && $0["score"]?.double != nil })
        try checkTexts(shop)
        try checkContinuation(shop)
    }

    /// An exported model: its files, and that those which only other programs read hold what they should.
    private func checkExport(_ folder: String) throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        let events = "events.out.tfevents.0.linkloom"
        #expect(
            Set(files).isSuperset(of: [
                "config.json", "model.safetensors", "optimizer.safetensors", "tokenizer.json", "tokenizer_config.json",
                "training.jsonl", "vocab.txt", events,
            ]), "\(files.sorted())")
        func tensors(_ name: String) throws -> [String: TensorInfo] {
            let bytes = try Files.read(folder + "/" + name)
            return try bytes.withUnsafeBytes { try SafetensorsHeader(parsing: $0, fileSize: bytes.count).tensors }
        }
        let (parameters, moments) = try (tensors("model.safetensors"), tensors("optimizer.safetensors"))
        #expect(parameters.count > 30 && moments.count == 2 * parameters.count)
        for (name, parameter) in parameters {
            #expect(moments["first_moment." + name]?.shape == parameter.shape, "\(name)")
            #expect(moments["second_moment." + name]?.shape == parameter.shape, "\(name)")
        }
        let words = try JSON(parsing: Files.read(folder + "/tokenizer.json"))["model"]?["vocab"]?.object
        let lines = try Files.read(folder + "/vocab.txt").split(separator: UInt8(ascii: "\n"))
        #expect(words?.count == lines.count && words?["[MASK]"]?.int == 4)

        // Records of a length in 8 bytes, 4 of checksum, the data and 4 more: the version, then one a line of metrics.
        var rest = try Files.read(folder + "/" + events)[...]
        var records: [String] = []
        while rest.count >= 16 {
            let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
            try #require(length >= 0 && length <= rest.count - 16)
            records.append(String(decoding: rest.dropFirst(12).prefix(length), as: UTF8.self))
            rest = rest.dropFirst(16 + length)
        }
        let metrics = try Files.read(folder + "/training.jsonl").split(separator: UInt8(ascii: "\n"))
        #expect(rest.isEmpty && metrics.count >= 12 && records.count == 1 + metrics.count)
        #expect(records[0].hasSuffix("brain.Event:2") && records[1].contains("validation/mlm_loss"))
        #expect(records[2].contains("train/mlm_loss"))
    }

    /// `pipelines/continue.yaml` takes an exported model up with its vocabulary and relation head, and goes on.
    private func checkContinuation(_ shop: Workshop) throws {
        let file = packageRoot.appending(path: "pipelines/continue.yaml").path
        let settings = ["-e", "sample", "-s", "params.start=" + shop.path("model"), "-s", "params.steps=3"]
        let run = try shop.run(["run", file, "--until", "model", "--json"] + settings)
        try #require(run.status == 0, "\(run.errors)")
        #expect(!run.errors.contains("at random"), "\(run.errors)")
        let export = try shop.run(["export", file, "model", "--to", shop.path("further")] + settings)
        try #require(export.status == 0, "\(export.errors)")
        let vectors = try ["model", "further"].map { try shop.run("embed", shop.path($0), "A ship.", "--json").json }
        let numbers: [[Double]] = vectors.map { vector in (vector.array ?? []).map { $0.double ?? 0 } }
        let differences: [Double] = zip(numbers[0], numbers[1]).map { abs($0 - $1) }
        #expect(differences.count == 128)
        // Three steps move the vectors, but a model begun at random would lie far away.
        let largest = try #require(differences.max())
        #expect(largest > 1e-6 && largest < 0.1)
    }

    /// Vectors and relations from the exported model: results on stdout, warnings on stderr, errors with exit codes.
    private func checkTexts(_ shop: Workshop) throws {
        let model = shop.path("model")
        func piped(_ text: String, _ options: String) throws -> Finished {
            let file = try shop.write(text, "texts.txt")
            return try shop.run(
                "-c", "cat '\(file)' | '\(linkloomPath)' embed '\(model)' \(options)", executable: "/bin/sh")
        }
        let given = try shop.run("embed", model, "A ship.", "", "The harbour", "--json", "--pool", "mean")
        let widths: [Int] = try given.output.split(separator: "\n").map { line in
            try JSON(parsing: Array(line.utf8)).array?.count ?? 0
        }
        #expect(widths == [128, 128, 128])
        #expect(given.errors.isEmpty, "\(given.errors)")
        // The same from lines: empty ones are texts, and the last needs no line feed.
        let read = try piped("A ship.\n\nThe harbour", "--json --pool mean -j 2")
        #expect(read.status == 0 && read.output == given.output, "\(read.errors)")
        let long = String(repeating: "ship ", count: 700)
        let cut = try piped("A ship.\n\(long)\n\(long)\n", "--tokens --json")
        #expect(cut.status == 0 && cut.output.split(separator: "\n").count == 3)
        #expect(cut.errors.contains("warning: text 2 has 702 tokens") && cut.errors.contains("2 of 3 texts"))
        let broken = try shop.run(
            "-c", "printf 'a\\nb\\377\\n' | '\(linkloomPath)' embed '\(model)'", executable: "/bin/sh")
        #expect(broken.status == 1 && broken.errors.contains("standard input:2: error:"), "\(broken.errors)")
        #expect(try shop.run("embed", model, "a", "--tokens", "--pool", "cls").status == 64)
        let none = try shop.run("embed", shop.path("none"), "a")
        #expect(none.status == 1 && none.errors.contains("config.json") && none.errors.contains("fix:"))

        let relation = try shop.run("predict", model, "A ship in the harbour.", "The harbour is deep.", "--json")
        let shares = try #require(relation.json.object)
        #expect(Set(shares.keys) == ["contiguous", "random", "linked"])
        let values = shares.mapValues { $0.double ?? 0 }
        #expect(abs(values.values.reduce(0, +) - 1) < 1e-9)
        let table = try shop.run("predict", model, "A ship in the harbour.", "The harbour is deep.").output
        let likeliest = try #require(values.max { $0.value < $1.value }).key
        #expect(table.split(separator: "\n").first?.hasSuffix("\t" + likeliest) == true, "\(table)")
    }

    /// Shares are those of the counts beside them, and the floors are there to compare with.
    private func checkScores(_ scores: JSON) throws {
        for name in ["drp", "drp_unmasked"] {
            let drp = try #require(scores["probe"]?[name])
            let counts = try #require(drp["confusion"]?.object).mapValues { row in
                (row.object ?? [:]).mapValues { $0.int ?? 0 }
            }
            let rows = counts.values.reduce(0) { $0 + $1.values.reduce(0, +) }
            let right = counts.reduce(0) { $0 + ($1.value[$1.key] ?? 0) }
            #expect(rows > 0 && drp["rows"]?.int == rows)
            #expect(abs(try #require(drp["accuracy"]?.double) - Double(right) / Double(rows)) < 1e-5)
        }
        let floors = try #require(scores["floors"])
        let shortcuts = try #require(floors["shortcut_accuracy"]?.double)
        let joined = try #require(floors["shortcut_and_model_accuracy"]?.double)
        #expect(shortcuts > 0.3 && shortcuts < 1 && joined > 0.3 && joined < 1 && joined != shortcuts)
        let mlm = try #require(scores["probe"]?["mlm"]?["loss"]?.double)
        let unigram = try #require(floors["unigram_loss"]?.double)
        #expect(mlm > 0 && unigram > 1 && mlm < 2 * unigram)
    }

    @Test func `one worker and two write the same bytes at every stage`() throws {
        let (one, two) = (try Workshop(), try Workshop())
        let a = try one.run(["run", quickstart, "--json", "-j", "1"] + brief)
        let b = try two.run(["run", quickstart, "--json", "-j", "2", "--backend", "processes"] + brief)
        try #require(a.status == 0 && b.status == 0, "\(a.errors)\(b.errors)")
        #expect(digests(try a.json) == digests(try b.json))
        #expect(digests(try a.json).count == 12)
    }

    @Test func `training killed in the middle, then stopped by a full disk, goes on to the same weights`() throws {
        let shop = try Workshop()
        let long = [
            "-s", "params.steps=150", "-s", "model.batch_size=4", "-s", "pairs.passes=2", "-s",
            "model.checkpoint_steps=10",
        ]
        let (process, _, _) = try shop.start(["run", quickstart] + long)
        // Killed as soon as training has left a checkpoint in scratch.
        let scratch = shop.folder.appending(path: ".linkloom/scratch")
        let deadline = Date().addingTimeInterval(120)
        while Date() < deadline, process.isRunning {
            let found =
                FileManager.default.enumerator(at: scratch, includingPropertiesForKeys: nil)?
                .contains {
                    // The description of a state is published last.
                    guard let name = ($0 as? URL)?.lastPathComponent else { return false }
                    return name.hasPrefix("state-") && name.hasSuffix(".json")
                } ?? false
            if found { break }
            usleep(2000)
        }
        try #require(process.isRunning, "the run ended before it could be killed")
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        func names() throws -> Set<String> { Set(try FileManager.default.subpathsOfDirectory(atPath: scratch.path)) }
        let left = try names()
        // 2 MiB are enough for all files but a state, whose parameters and moments are 8: the first that is due cannot
        // be written, and those from before stay as they are.
        let full = try shop.run(
            ["-c", "ulimit -f 4096; exec \"$@\"", "sh", linkloomPath, "run", quickstart] + long, executable: "/bin/sh")
        #expect(full.status == 4, "\(full.errors)")
        let message = full.errors.split(separator: "\n").suffix(3)
        #expect(message.first?.hasPrefix(".linkloom/scratch/") == true, "\(full.errors)")
        #expect(message.first?.contains("/states/") == true && message.first?.contains("error: cannot write") == true)
        #expect(message.dropFirst().first?.hasPrefix("  why: ") == true && message.last?.contains("ulimit -f") == true)
        #expect(full.errors.contains("going on after step"), "\(full.errors)")
        let (before, after) = (left.filter { $0.contains("state-") }, try names().filter { $0.contains("state-") })
        #expect(before == after && before.contains { $0.hasSuffix(".json") })
        #expect(try names().subtracting(left).filter { $0.contains(Files.temporaryPrefix) } == [])
        let resumed = try shop.run(["run", quickstart, "--json"] + long)
        try #require(resumed.status == 0, "\(resumed.errors)")
        let whole = try Workshop()
        let uninterrupted = try whole.run(["run", quickstart, "--json"] + long)
        #expect(digests(try resumed.json)["model"] == digests(try uninterrupted.json)["model"])
        #expect(resumed.errors.contains("after step"), "\(resumed.errors)")
    }

    @Test func `training takes the memory that it announced, and an interrupt stops it with 130 and nothing to mend`()
        throws
    {
        let shop = try Workshop()
        let long = ["-s", "params.steps=200000", "-s", "pairs.passes=2", "-s", "model.batch_size=128"]
        let process = Process()
        process.executableURL = URL(filePath: linkloomPath)
        process.arguments = ["run", quickstart] + long
        process.currentDirectoryURL = shop.folder
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // Told after three steps, when all memory is in use.
        var text = ""
        while !text.contains(" to go at ") {
            let more = errors.fileHandleForReading.availableData
            try #require(!more.isEmpty, "training ended too early: \(text)")
            text += String(decoding: more, as: UTF8.self)
        }
        let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        process.interrupt()
        _ = try errors.fileHandleForReading.readToEnd()
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        let again = try shop.run(["run", quickstart, "--until", "segments", "--json"] + long)
        #expect(again.status == 0)
        #expect((try again.json["stages"]?.array ?? []).allSatisfy { $0["run"]?.int == 0 })

        let announced = text.split(separator: "\n").first { $0.hasSuffix(" MiB of memory") }?
            .split(separator: " ").dropLast(3).last.flatMap { Int($0) }
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?
            .split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
        let (expected, found) = (try #require(announced), try #require(peak) >> 10)
        // The program, its libraries and the mapped shards come on top.
        #expect(
            expected > 200 && (expected...expected + 64).contains(found),
            "\(expected) MiB announced, \(found) taken")
    }
}
