// pubmed-benchmark FILE PASSES: reads a PubMed file to documents with citations, on one thread, and prints JSON: the CPU
// seconds of each pass, counts, and hashes of what was read, for run.py to compare.

import Glibc
import Text

#if DEBUG
    #error("a debug build says nothing about speed: swift build -c release")
#endif

/// FNV-1a over everything in order, so that equal hashes mean equal documents.
struct Hash {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for b in bytes { value = (value ^ UInt64(b)) &* 0x100_0000_01B3 }
        value = (value ^ 0xFF) &* 0x100_0000_01B3
    }
}

func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

let path = CommandLine.arguments[1]
let passes = Int(CommandLine.arguments[2]) ?? 1
var seconds: [Double] = []
var (records, citations, bytes) = (0, 0, 0)
for _ in 0..<passes {
    (records, citations, bytes) = (0, 0, 0)
    let start = cpuSeconds()
    let reader = try PubMedReader(path: path, labels: .none)
    while let event = try reader.next() {
        guard event == .record else { continue }
        records += 1
        citations += reader.record.document.linkCount
        bytes += reader.record.document.text.count
    }
    seconds.append(cpuSeconds() - start)
}
var hash = Hash()
let reader = try PubMedReader(path: path, labels: .none)
while let event = try reader.next() {
    guard event == .record else { continue }
    let document = reader.record.document
    hash.add(document.sourceID.utf8)
    hash.add(document.title.utf8)
    hash.add(document.text)
    for i in 0..<document.linkCount { hash.add(document.linkTarget[i]) }
}
print(
    "{\"seconds\": \(seconds), \"records\": \(records), \"citations\": \(citations), \"bytes\": \(bytes), "
        + "\"hash\": \"\(hash.value)\"}")
