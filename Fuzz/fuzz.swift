// The door between libFuzzer and the targets. `LINKLOOM_FUZZ` names the target; with `LINKLOOM_FUZZ_SEEDS` its seeds are
// written to that folder and its words beside it, as a dictionary, before libFuzzer looks for them.

import Fuzzing
import Glibc

private let target: FuzzTarget = {
    let name = getenv("LINKLOOM_FUZZ").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        fatalError(
            "LINKLOOM_FUZZ is '\(name)'; targets: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return target
}()

private func write(_ bytes: [UInt8], to path: String) {
    guard let file = fopen(path, "w") else { fatalError("cannot write \(path)") }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
}

@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer, _ arguments: UnsafeMutableRawPointer) -> CInt {
    guard let folder = getenv("LINKLOOM_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
    for (i, seed) in target.seeds.enumerated() { write(seed, to: "\(folder)/seed-\(i)") }
    let hex = Array("0123456789abcdef")
    let words = target.words.map { word in
        "\"" + word.map { "\\x\(hex[Int($0 >> 4)])\(hex[Int($0 & 15)])" }.joined() + "\"\n"
    }
    write(Array(words.joined().utf8), to: folder + ".dict")
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    if let broken = target.brokenPromise(input) { fatalError("\(target): not so: \(broken)") }
    return 0
}
