import Container
import Testing

@Suite struct ArtifactTests {
    let folder = TemporaryFolder()
    let blobs: BlobDirectory
    let sink: PartSink

    init() {
        blobs = BlobDirectory(root: folder.path)
        sink = PartSink(blobs: blobs)
    }

    private func artifact(_ parts: [Part]) -> StoredArtifact {
        StoredArtifact(manifest: Manifest(type: "toy", version: 1, parts: parts), blobs: blobs)
    }

    private func table(ids: [UInt32] = [7, 8, 9]) -> ColumnTable {
        var table = ColumnTable()
        table.set("ids", ids)
        table.set("id", [1, 1 << 63] as [UInt64])
        table.set("wide", [-1, 0, 1, 2, 3, 4] as [Int32], shape: [2, 3])
        table.set("title", StringColumn(["Añoé", "", "b"]))
        return table
    }

    @Test func `columns come back by name and type`() throws {
        let part = try sink.columns("data/0", rows: 3, table())
        let reader = try artifact([part]).columns(0)
        #expect(reader.rows == 3 && part.bytes == Int64(table().byteCount))
        #expect(reader.names == ["id", "ids", "title.bytes", "title.offsets", "wide"])
        #expect(try reader.column("id", as: UInt64.self) == [1, 1 << 63])
        #expect(try reader.column("wide", as: Int32.self, range: 1..<4) == [0, 1, 2])
        #expect(try reader.column("wide", as: Int32.self, range: 6..<6) == [])
        #expect(try reader.info("wide").shape == [2, 3])
        #expect(try reader.strings("title") == StringColumn(["Añoé", "", "b"]))
        #expect(reader.has("id") && !reader.has("title"))
        #expect(try sink.read(part).ids("ids") == [7, 8, 9])
        #expect(try sink.bytes(of: part).count == table().byteCount)
    }

    @Test func `ids are widened from 16 bits`() throws {
        var table = ColumnTable()
        table.set("ids", [0, 65535, 3] as [UInt16])
        let reader = try sink.read(sink.columns("p", rows: 0, table))
        #expect(try reader.ids("ids") == [0, 65535, 3])
        #expect(try reader.ids("ids", range: 1..<3) == [65535, 3])
    }

    @Test func `a wrong column is an error that names part and column`() throws {
        let part = try sink.columns("data/0", rows: 3, table())
        let reader = try sink.read(part)
        #expect(
            failure { _ = try reader.column("is", as: UInt64.self) }?.description == """
                part 'data/0': error: there is no column 'is'
                  why: it has: id, ids, title.bytes, title.offsets, wide
                """)
        let wrong = failure { _ = try reader.column("id", as: Int64.self) }
        #expect(wrong?.code == .format && wrong?.message == "column 'id' is U64, read as I64")
        #expect(failure { _ = try reader.ids("id") }?.code == .format)
        #expect(failure { _ = try reader.column("id", as: UInt64.self, range: 1..<3) }?.code == .invalidArgument)
        #expect(failure { _ = try artifact([part]).columns(1) }?.code == .notFound)
    }

    @Test(arguments: [[1, 3, 4], [0, 3, 2, 4], [0, 3], [0, 5], []] as [[Int64]])
    func `string offsets that do not divide the bytes are refused`(offsets: [Int64]) throws {
        var table = ColumnTable()
        table.set("s.bytes", [1, 2, 3, 4] as [UInt8])
        table.set("s.offsets", offsets)
        let reader = try sink.read(sink.columns("p", rows: 0, table))
        #expect(failure { _ = try reader.strings("s") }?.code == .format)
    }

    @Test func `a part larger than a frame is read from frames and from a map`() throws {
        let n = 700_000
        var table = ColumnTable()
        table.set("number", (0..<UInt64(n)).map { $0 &* 0x9E37_79B9_7F4A_7C15 })
        table.set("small", (0..<n).map { UInt16($0 % 65521) })
        table.set("grid", (0..<n).map { Float($0) }, shape: [2, n / 2])
        table.set("name", StringColumn(["", "Añoé", "link"]))
        let part = try sink.columns("large", rows: n, table)
        #expect(part.bytes > 2 * 4 << 20)
        let stored = artifact([part])
        let reader = try stored.columns(part), map = try stored.mapped(part)
        let numbers: [UInt64] = try reader.column("number")
        #expect(numbers.count == n && numbers.indices.allSatisfy { numbers[$0] == UInt64($0) &* 0x9E37_79B9_7F4A_7C15 })
        #expect(try map.withColumn("number") { $0.elementsEqual(numbers) })
        #expect(try map.column("small", as: UInt16.self).elementsEqual(reader.column("small", as: UInt16.self)))
        #expect(try map.withColumn("grid", as: Float.self) { $0[n - 1] } == Float(n - 1))
        #expect(try reader.column("grid", as: Float.self, range: n - 2..<n) == [Float(n - 2), Float(n - 1)])
        #expect(try reader.strings("name").string(1) == "Añoé")
        #expect(failure { _ = try map.column("small", as: UInt32.self) }?.code == .format)
    }

    @Test func `the same table gives the same digest whatever the order of its columns`() throws {
        var a = ColumnTable(), b = ColumnTable()
        for i in 0..<20 { a.set("c\(i)", [UInt32(i)]) }
        for i in (0..<20).reversed() { b.set("c\(i)", [UInt32(i)]) }
        #expect(try sink.columns("p", rows: 1, a) == sink.columns("p", rows: 1, b))
    }

    @Test func `files keep their bytes`() throws {
        let part = try sink.file("config.json", Array("{}".utf8))
        #expect(part.rows == 0 && part.bytes == 2)
        #expect(try artifact([part]).bytes(part) == Array("{}".utf8))
        #expect(artifact([part]).part(named: "config.json") == part && artifact([part]).part(named: "x") == nil)
        #expect(failure { _ = try sink.read(part) }?.code == .format)
    }

    @Test func `a part whose manifest lies about its size is damaged`() throws {
        var part = try sink.columns("p", rows: 0, table())
        part.bytes += 1
        let stored = artifact([part])
        #expect(failure { _ = try stored.columns(0) }?.code == .damaged)
        #expect(failure { _ = try stored.bytes(part) }?.code == .damaged)
        #expect(failure { _ = try stored.mapped(part) }?.code == .damaged)
    }

    @Test(arguments: [
        "", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a\\b", "a\0b", "a\nb", String(repeating: "x", count: 256),
    ])
    func `a part name that could leave its folder is refused everywhere`(name: String) throws {
        #expect(failure { _ = try sink.file(name, []) }?.code == .invalidArgument)
        let part = Part(name: name, digest: Digest.of("x"), bytes: 1, rows: 0)
        let manifest = Manifest(type: "toy", version: 1, parts: [part])
        #expect(failure { _ = try Manifest(parsing: manifest.canonical) }?.code == .invalidArgument)
    }

    @Test func `a manifest has one canonical form and comes back from it`() throws {
        let part = Part(name: "models/a..b/0", digest: Digest.of("x"), bytes: 3, rows: 2)
        let manifest = Manifest(type: "toy", version: 2, metadata: ["k": [1, 2.0]], parts: [part])
        let hex = Digest.of("x").hex
        let text =
            #"{"format":1,"metadata":{"k":[1,2.0]},"parts":[{"bytes":3,"digest":"\#(hex)","name":"models/a..b/0","rows":2}],"type":"toy","version":2}"#
        #expect(String(decoding: manifest.canonical, as: UTF8.self) == text)
        #expect(try Manifest(parsing: manifest.canonical) == manifest)
        #expect(manifest.digest == Digest.of(text))
    }

    @Test(arguments: [
        (#"{"format":2,"metadata":{},"parts":[],"type":"t","version":1}"#, ContainerError.Code.unsupported),
        (#"{"metadata":{},"parts":[],"type":"t","version":1}"#, .format),
        (#"{"format":1,"metadata":{},"parts":[],"type":"t"}"#, .format),
        (#"{"format":1,"metadata":{},"parts":[],"type":"t","version":1,"x":0}"#, .format),
        (#"{"format":1,"metadata":{},"parts":[{"name":"a"}],"type":"t","version":1}"#, .format),
        ("[]", .format), ("", .format),
    ])
    func `what is no manifest is refused`(text: String, code: ContainerError.Code) {
        #expect(failure { _ = try Manifest(parsing: Array(text.utf8)) }?.code == code)
    }

    @Test func `a manifest that names a part twice is refused`() {
        let part = Part(name: "a", digest: Digest.of("x"), bytes: 1, rows: 0)
        let manifest = Manifest(type: "toy", version: 1, parts: [part, part])
        #expect(failure { _ = try Manifest(parsing: manifest.canonical) }?.message.contains("twice") == true)
    }
}
