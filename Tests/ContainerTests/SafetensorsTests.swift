import Container
import Testing

@Suite struct SafetensorsTests {
    private func bytes(_ table: ColumnTable) throws -> [UInt8] {
        var out: [UInt8] = []
        try table.write { out.append(contentsOf: $0) }
        return out
    }

    /// A file with this header and so many bytes of data.
    private func file(_ header: String, data: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    private func parse(_ file: [UInt8]) throws -> SafetensorsHeader {
        try file.withUnsafeBytes { try SafetensorsHeader(parsing: $0, fileSize: file.count) }
    }

    private var goldenTable: ColumnTable {
        var table = ColumnTable()
        table.metadata = ["format": "pt"]
        table.set("title.bytes", Array("Añoé".utf8))
        table.set("ids", [101, 2023, 65535, 102] as [UInt16])
        table.set("weights", [1.5, -2, 3.25, 0, 1e-30, 65504] as [Float], shape: [2, 3])
        table.set("bias", [] as [Float], shape: [0, 4])
        table.set("offsets", [0, 1, 1, 1 << 40] as [Int64])
        return table
    }

    @Test func `our file is the reference library's to the byte`() throws {
        #expect(try bytes(goldenTable) == golden("tensors.safetensors"))
    }

    @Test func `the reference library's header is read`() throws {
        let header = try parse(golden("tensors.safetensors"))
        #expect(header.names == ["bias", "ids", "offsets", "title.bytes", "weights"])
        #expect(header.metadata == ["format": "pt"])
        #expect(header.tensors["weights"]?.shape == [2, 3] && header.tensors["weights"]?.dtype == .f32)
        #expect(header.tensors["bias"]?.range.isEmpty == true)
        let ids = try #require(header.tensors["ids"])
        #expect(try golden("tensors.safetensors")[ids.range].elementsEqual([101, 0, 0xE7, 7, 0xFF, 0xFF, 102, 0]))
    }

    @Test func `every tensor stands at a multiple of its element size`() throws {
        var table = ColumnTable()
        table.set("a", [1, 2, 3] as [UInt8])
        table.set("b", [1] as [UInt64])
        table.set("c", [1, 2, 3] as [UInt16])
        table.set("d", [-1] as [Int32])
        table.set("text", StringColumn(["x", "", "yz"]))
        let file = try bytes(table)
        let header = try parse(file)
        #expect(header.tensors.values.allSatisfy { $0.range.lowerBound % $0.dtype.size == 0 })
        #expect(header.headerBytes % 8 == 0 && table.byteCount == file.count)
        #expect(header.names == ["a", "b", "c", "d", "text.bytes", "text.offsets"])
        #expect(try parse(bytes(ColumnTable())).tensors.isEmpty)
    }

    @Test func `names that need escapes survive`() throws {
        var table = ColumnTable()
        table.set("a\"b\\c\u{1}é", [1] as [UInt8])
        #expect(try parse(bytes(table)).names == ["a\"b\\c\u{1}é"])
    }

    @Test(arguments: [
        (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 3, "lies at [0, 4] of 3 bytes"),
        (#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 5, "1 bytes after the last tensor"),
        (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, 4, "'a' follows a hole"),
        (
            #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
            4,
            "'b' overlaps"
        ),
        (
            #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
            4,
            "'b' overlaps"
        ),
        (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[4,2]}}"#, 4, "lies at [4, 2]"),
        (#"{"a":{"dtype":"U16","shape":[4],"data_offsets":[0,4]}}"#, 4, "needs 8 bytes, has 4"),
        (#"{"a":{"dtype":"U64","shape":[1152921504606846976,16],"data_offsets":[0,0]}}"#, 0, "larger than any file"),
        (#"{"a":{"dtype":"U8","shape":[1152921504606846976],"data_offsets":[0,1152921504606846976]}}"#, 8, "lies at"),
        (#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}"#, 0, "no size"),
        (#"{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#, 1, "no size"),
        (#"{"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1]}}"#, 1, "no size"),
        (#"{"a":{"dtype":"U8","data_offsets":[0,1]}}"#, 1, "no list 'shape'"),
        (#"{"a":{"shape":[1],"data_offsets":[0,1]}}"#, 1, "no dtype"),
        (#"{"a":{"dtype":"Q3","shape":[1],"data_offsets":[0,1]}}"#, 1, "element type 'Q3'"),
        (#"{"a":[]}"#, 0, "no dtype"),
        (#"[]"#, 0, "not an object"),
        (#"{"__metadata__":{"k":1}}"#, 0, "not a string"),
        (
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
            2,
            "stands twice"
        ),
        (#"{"a":"#, 0, "not valid JSON"),
    ])
    func `a header that lies is refused with the reason`(header: String, data: Int, reason: String) {
        let message = failure { _ = try parse(file(header, data: data)) }?.message
        #expect(message?.contains(reason) == true, "\(message ?? "")")
    }

    @Test(arguments: [
        [], [1, 0, 0], [9, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], [UInt8](repeating: 0xFF, count: 16),
        [2, 0, 0, 0, 0, 0, 0, 0x80, 0x7B, 0x7D],
    ])
    func `a length that leaves the file is refused`(file: [UInt8]) {
        #expect(failure { _ = try parse(file) }?.code == .format)
    }

    @Test func `strings keep every byte`() {
        var strings = StringColumn()
        strings.append("")
        strings.append("naïve")
        strings.append(utf8: [0xFF, 0x61])
        #expect(strings.count == 3 && strings.string(1) == "naïve" && strings.string(2) == "\u{FFFD}a")
        #expect(strings.withBytes(2) { Array($0) } == [0xFF, 0x61])
        #expect(strings.range(0).isEmpty && strings.range(2) == 6..<8)
        #expect(StringColumn().count == 0 && StringColumn().offsets == [0])
    }
}
