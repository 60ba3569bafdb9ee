// Speed of WordPiece encoding and vocabulary training on the lines of a file, or on its texts parted by NUL, one thread.
//   wordpiece-benchmark encode VOCAB TEXT [cased] [passes] [IDS]    IDS: the ids as U32, for comparison
//   wordpiece-benchmark train TEXT SIZE [TOKENS]                    TOKENS: the trained vocabulary
// Prints one JSON object. `cold` is the first pass of the process, with an empty word cache.

import Glibc
import Text

func fail(_ message: String, _ code: Int32) -> Never {
    (message + "\n").withCString { _ = Glibc.write(2, $0, strlen($0)) }
    exit(code)
}

#if DEBUG
    fail("build with -c release: a debug build says nothing about speed", 64)
#endif

func read(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { fail("\(path): cannot be read", 66) }
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    let size = ftell(file)
    rewind(file)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        count = fread(buffer.baseAddress, 1, size, file)
    }
}

func write(_ bytes: UnsafeRawBufferPointer, _ path: String) {
    guard let file = fopen(path, "wb") else { return }
    fwrite(bytes.baseAddress, 1, bytes.count, file)
    fclose(file)
}

func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Byte ranges of the texts that hold anything: what NUL bytes part, or else lines.
func texts(_ bytes: [UInt8]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var begin = 0
    let separator: UInt8 = bytes.contains(0) ? 0 : 10
    for at in 0...bytes.count where at == bytes.count || bytes[at] == separator {
        if at > begin { result.append(begin..<at) }
        begin = at + 1
    }
    return result
}

func rate(_ bytes: Int, _ seconds: Double) -> Double { (Double(bytes) / 1e6 / seconds * 10).rounded() / 10 }

var arguments = Array(CommandLine.arguments.dropFirst())
let command = arguments.isEmpty ? "" : arguments.removeFirst()
switch command {
case "encode" where arguments.count >= 2:
    let isCased = arguments.contains("cased")
    arguments.removeAll { $0 == "cased" }
    let passes = arguments.count > 2 ? Int(arguments[2]) ?? 5 : 5
    let vocabulary = try VocabularyFiles.tokens(text: read(arguments[0]), file: arguments[0])
    let encoder = try WordPieceEncoder(tokens: vocabulary, options: WordPieceOptions(lowercase: !isCased))
    let text = read(arguments[1])
    let ranges = texts(text)
    let size = ranges.reduce(0) { $0 + $1.count }
    // All ids are kept, as a stage does that writes them; in memory that the process has used before.
    var ids = [UInt32](repeating: 0, count: size)
    var times: [Double] = []
    text.withUnsafeBufferPointer { text in
        for _ in 0..<max(2, passes) {
            ids.removeAll(keepingCapacity: true)
            let start = now()
            for range in ranges {
                encoder.withTokens(of: UnsafeBufferPointer(rebasing: text[range])) { ids.append(contentsOf: $0.ids) }
            }
            times.append(now() - start)
        }
    }
    if arguments.count > 3 { ids.withUnsafeBytes { write($0, arguments[3]) } }
    let warm = times.dropFirst().sorted()
    print(
        "{\"bytes\": \(size), \"texts\": \(ranges.count), \"tokens\": \(ids.count), \"cold_mb_s\":",
        "\(rate(size, times[0])), \"best_mb_s\": \(rate(size, warm[0])), \"median_mb_s\": \(rate(size, warm[warm.count / 2]))}"
    )
case "train" where arguments.count >= 2:
    let text = read(arguments[0])
    let start = now()
    let counter = WordCounter(WordPieceOptions())
    text.withUnsafeBufferPointer { counter.add($0) }
    let words = counter.counts
    let counted = now()
    var trainer = WordPieceTrainer()
    trainer.size = Int(arguments[1]) ?? trainer.size
    let tokens = try trainer.train(words)
    let end = now()
    if arguments.count > 2 {
        Array((tokens.joined(separator: "\n") + "\n").utf8).withUnsafeBytes { write($0, arguments[2]) }
    }
    print(
        "{\"bytes\": \(text.count), \"distinct_words\": \(words.count), \"tokens\": \(tokens.count),",
        "\"count_s\": \(counted - start), \"seconds\": \(end - start), \"mb_s\": \(rate(text.count, end - start))}")
default:
    fail("usage: wordpiece-benchmark encode VOCAB TEXT [cased] [passes] [IDS] | train TEXT SIZE [TOKENS]", 64)
}
