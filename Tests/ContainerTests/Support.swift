// What the tests of this room share: a folder of their own, goldens, and a look at the error a call throws.

import Container
import Glibc
import Testing

/// A folder that goes with its owner. With `SAVE_TEMPS=FOLDER` it is made there and stays.
final class TemporaryFolder {
    let path: String
    private let keeps: Bool

    init() {
        let saved = getenv("SAVE_TEMPS").map { String(cString: $0) }
        let base = saved ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        keeps = saved != nil
        var generator = SystemRandomNumberGenerator()
        path = base + "/container-" + String(generator.next() as UInt64, radix: 36)
        do { try Files.makeDirectories(path) } catch { Issue.record(error) }
    }

    deinit {
        if !keeps { try? Files.remove(path) }
    }

    static func / (folder: TemporaryFolder, name: String) -> String { folder.path + "/" + name }
}

/// A committed file of `Tests/Goldens/container`.
func golden(_ name: String, from file: String = #filePath) throws -> [UInt8] {
    let tests = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
    return try Files.read(tests + "/Goldens/container/" + name)
}

/// The `ContainerError` that `body` throws; a test failure if it throws none.
func failure(sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) -> ContainerError? {
    do {
        try body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
    } catch let error as ContainerError {
        return error
    } catch {
        Issue.record("another error was thrown: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

/// `count` bytes that neither repeat nor compress well.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = SplitMix64(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count { withUnsafeBytes(of: generator.next().littleEndian) { bytes.append(contentsOf: $0) } }
    bytes.removeLast(bytes.count - count)
    return bytes
}

extension BlobDirectory {
    /// Overwrites a stored blob, which is read-only, with other bytes.
    func tamper(_ digest: Digest, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = try Files.read(storedPath(digest))
        change(&bytes)
        try Files.publish(bytes, at: storedPath(digest))
    }
}
