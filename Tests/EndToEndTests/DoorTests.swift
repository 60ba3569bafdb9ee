// The doors between rooms, as docs/architecture.md draws them. The build's own check sees Swift modules only, so the
// imports of C modules, and of rooms, are read from the sources.

import Foundation
import Testing

private let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// What each room may import beside the standard library, Glibc and Foundation.
private let doors: [String: Set<String>] = [
    "Kernels": ["CKernels"],
    "Transformer": ["Kernels", "Container"],
    "Container": ["CZstd", "CCrypto"],
    "Text": ["CArchive"],
    "Corpus": ["Container"],
    "Pipeline": ["CYAML", "Container"],
    "Stages": ["Pipeline", "Text", "Corpus", "Transformer", "Container"],
    "Runner": ["Pipeline", "Container", "CMalloc", "ArgumentParser"],
    "linkloom": ["Runner", "Stages", "ArgumentParser"],
]

private let everywhere: Set<String> = ["Glibc", "Foundation", "Synchronization", "Dispatch"]

private func sources(_ room: String, endings: Set<String> = ["swift"]) throws -> [URL] {
    let folder = package.appending(path: "Sources/\(room)")
    let walker = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    return walker.compactMap { $0 as? URL }.filter { endings.contains($0.pathExtension) }
}

private func imports(_ file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
        var words = line.split(separator: " ").map(String.init)
        while let first = words.first,
            ["package", "public", "internal", "private", "fileprivate", "@preconcurrency"].contains(first)
        {
            words.removeFirst()
        }
        guard words.first == "import", words.count >= 2 else { return nil }
        return String(words.last!.split(separator: ".")[0])
    }
}

@Suite struct DoorTests {
    @Test(arguments: doors.keys.sorted()) func `a room imports only what its door lets in`(room: String) throws {
        let files = try sources(room)
        #expect(!files.isEmpty)
        for file in files {
            for module in try imports(file) where !everywhere.contains(module) {
                #expect(doors[room]!.contains(module), "\(room)/\(file.lastPathComponent) imports \(module)")
            }
        }
    }

    @Test func `only the C kernels include the BLAS header`() throws {
        for file in try sources("", endings: ["c", "h", "swift"]) {
            let isDoor = file.path.contains("/Sources/CKernels/") || file.path.contains("/Sources/System/")
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(isDoor || !text.contains("#include <cblas.h>"), "\(file.lastPathComponent)")
        }
    }

    @Test func `no source file is longer than a reader's patience`() throws {
        for file in try sources("", endings: ["c", "h", "swift"]) {
            let lines = try String(contentsOf: file, encoding: .utf8).split(
                separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 400, "\(file.lastPathComponent) has \(lines.count) lines")
        }
    }
}
