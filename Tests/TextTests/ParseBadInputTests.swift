// Files made to break readers: compression bombs, names that lead elsewhere, archives cut off. Fixtures:
// Tests/Goldens/make_own.py and make_parse.py.

import Foundation
import Testing
import Text

@Suite struct ParseBadInputTests {
    private static let bomb = ParseGoldens.path("../own/bomb.jsonl.zst")

    private func read(_ path: String) throws -> (documents: [ParsedDocument], places: [String]) {
        var reader = JSONLinesReader(lineLimit: 1 << 20)
        var documents: [ParsedDocument] = []
        var places: [String] = []
        try reader.read(
            path: path, onDocument: { documents.append($0) }, onRejection: { places.append($0.place(file: "f")) })
        return (documents, places)
    }

    @Test func `a file that unpacks to 10,000 times its size is refused, not unpacked`() throws {
        #expect(try Data(contentsOf: URL(fileURLWithPath: Self.bomb)).count * 10_000 < 300_000_000)
        let archive = try ArchiveReader(path: Self.bomb, bombFloor: 1 << 24)
        _ = try archive.next()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 1)
        defer { buffer.deallocate() }
        var bytes = 0
        let error = #expect(throws: TextError.self) {
            while case let count = try archive.read(into: buffer), count > 0 { bytes += count }
        }
        #expect(bytes <= 1 << 24 && error?.code == .unsupported)
        #expect(error?.description.contains("1000 times its size") == true && error?.fix != nil)
        #expect(throws: TextError.self) { try read(Self.bomb) }
    }

    @Test func `member names of an archive reach nothing but messages`() throws {
        for name in ["names.tar", "names.tar.gz", "names.zip"] {
            let (documents, places) = try read(ParseGoldens.path("archives/\(name)"))
            #expect(documents.isEmpty)
            #expect(
                places == [
                    "f:texts/%C3%85land.txt:1:1", "f:/etc/passwd:1:1", "f:../../above.txt:1:1", "f:texts/Éire.txt:1:1",
                ])
        }
    }

    @Test(arguments: ["one.txt.bz2", "one.txt.gz", "one.txt.xz", "one.txt.zst", "names.tar.gz", "names.zip"])
    func `a reader never takes a file that is cut off for a whole one`(_ name: String) throws {
        let folder = try TemporaryFolder()
        let whole = try ParseGoldens.bytes("archives/\(name)")
        for share in [3, 5, 8] {
            let path = try folder.write("cut-\(share)-\(name)", whole[..<(whole.count * share / 10)])
            let error = #expect(throws: TextError.self, "\(name) cut to \(share)0%") { try read(path) }
            #expect(error?.code == .truncated || error?.code == .damaged)
        }
    }
}
