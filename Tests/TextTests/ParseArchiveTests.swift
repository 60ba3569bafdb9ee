// Archives and compressed files, whole and broken. Fixtures: Tests/Goldens/make_parse.py.

import Foundation
import Testing
import Text

@Suite struct ParseArchiveTests {
    /// Every member's name and content.
    private func read(_ path: String) throws -> [(name: String, content: [UInt8])] {
        let archive = try ArchiveReader(path: path)
        var members: [(String, [UInt8])] = []
        var content: [UInt8] = []
        while let member = try archive.next() {
            try archive.readAll(into: &content)
            members.append((member.name, content))
        }
        return members
    }

    private func failure(_ path: String) -> TextError? {
        do {
            _ = try read(path)
            return nil
        } catch { return error as? TextError }
    }

    @Test(arguments: ["one.txt.bz2", "one.txt.gz", "one.txt.xz", "one.txt.zst"])
    func `a compressed file is one member, named without its suffix`(_ name: String) throws {
        let members = try read(ParseGoldens.path("archives/\(name)"))
        #expect(members.map(\.name) == ["one.txt"])
        #expect(members[0].content == (try ParseGoldens.bytes("archives/plain.txt")))
    }

    @Test(arguments: ["two.txt.bz2", "two.txt.gz", "two.txt.xz", "two.txt.zst"])
    func `streams one after another are one file`(_ name: String) throws {
        let members = try read(ParseGoldens.path("archives/\(name)"))
        #expect(members.map(\.content) == [try ParseGoldens.bytes("archives/plain.txt")])
    }

    @Test(arguments: ["names.tar", "names.tar.gz", "names.zip"])
    func `names that lead out of a folder are only names, and links and folders are passed over`(_ name: String) throws
    {
        let members = try read(ParseGoldens.path("archives/\(name)"))
        #expect(members.map(\.name) == ["texts/%C3%85land.txt", "/etc/passwd", "../../above.txt", "texts/Éire.txt"])
        for member in members { #expect(member.content == Array("The text of \(member.name).\n".utf8)) }
    }

    @Test(arguments: [
        "one.txt.bz2", "one.txt.gz", "one.txt.xz", "one.txt.zst", "two.txt.bz2", "two.txt.gz", "two.txt.xz",
    ])
    func `a file cut off anywhere is an error, never a shorter file`(_ name: String) throws {
        let folder = try TemporaryFolder()
        let whole = try ParseGoldens.bytes("archives/\(name)")
        let plain = try ParseGoldens.bytes("archives/plain.txt")
        for length in 1..<whole.count {
            let path = try folder.write("cut-\(name)", whole[..<length])
            if let error = failure(path) {
                #expect(error.file == path && error.fix != nil, "cut at \(length)")
                if error.code == .truncated { #expect(error.offset == UInt64(length)) }
            } else {
                // Between two streams a cut cannot be seen; elsewhere it must be.
                let content = try #require(try read(path).first?.content)
                #expect(
                    name.hasPrefix("two") && plain.starts(with: content) && content.count == 480,
                    "cut at \(length)")
            }
        }
    }

    @Test func `bytes after a compressed stream that are no stream are an error`() throws {
        let folder = try TemporaryFolder()
        for name in ["one.txt.bz2", "one.txt.gz", "one.txt.zst"] {
            let path = try folder.write(name, try ParseGoldens.bytes("archives/\(name)") + Array("BZxnonsense".utf8))
            #expect(failure(path) != nil, "\(name)")
        }
    }

    @Test func `a flipped byte inside a stream is an error with its offset`() throws {
        let folder = try TemporaryFolder()
        for name in ["one.txt.bz2", "one.txt.xz"] {
            var bytes = try ParseGoldens.bytes("archives/\(name)")
            bytes[bytes.count / 2] ^= 0x55
            let error = try #require(failure(try folder.write(name, bytes)))
            #expect(error.code == .damaged || error.code == .truncated)
            #expect(error.offset != nil && error.description.contains("byte"))
        }
    }

    @Test func `a tar cut between two members is an error`() throws {
        let folder = try TemporaryFolder()
        let whole = try ParseGoldens.bytes("archives/names.tar")
        let error = try #require(failure(try folder.write("cut.tar", whole[..<(whole.count - 1024 - 512 - 1024)])))
        #expect(error.code == .truncated)
    }

    @Test func `missing, empty, folder and false suffix each say what is wrong and what to do`() throws {
        let folder = try TemporaryFolder()
        #expect(failure(folder.path + "/none.bz2")?.code == .notFound)
        #expect(failure(folder.path)?.code == .notAFile)
        #expect(failure(try folder.write("empty.xml", []))?.code == .empty)
        let error = try #require(failure(try folder.write("page.xml.bz2", "<mediawiki/>".utf8)))
        #expect(error.code == .damaged)
        #expect(
            error.description.hasSuffix(
                """
                page.xml.bz2: byte 0: error: the name says bzip2, the content does not
                  why: the file does not begin with the bzip2 signature
                  fix: fetch it again, or rename it if it is not compressed
                """))
    }

    @Test func `a document larger than the limit is refused, not cut`() throws {
        let archive = try ArchiveReader(path: ParseGoldens.path("archives/one.txt.gz"))
        _ = try archive.next()
        var content: [UInt8] = []
        #expect(throws: TextError.self) { try archive.readAll(into: &content, limit: 100) }
    }
}
