// The directory of a zip file whose entries are stored without compression, as PyTorch writes them.

/// Entries of a zip archive, by name, as ranges of its bytes.
///
/// Read are the end record (with its zip64 form), the central directory and the local headers; entries that are
/// compressed or encrypted are refused, so every range is the entry's content.
struct ZipArchive {
    let entries: [String: Range<Int>]

    /// - Throws: `ModelError` for a directory that contradicts the file.
    init(_ bytes: UnsafeRawBufferPointer, place: String) throws(ModelError) {
        let reader = ZipReader(bytes: bytes, place: place)
        var entries: [String: Range<Int>] = [:]
        let directory = try reader.directory()
        var position = directory.offset
        for _ in 0..<directory.count {
            let entry = try reader.entry(at: position)
            position = entry.next
            guard entries[entry.name] == nil else { throw reader.fail("it has two entries '\(entry.name)'") }
            entries[entry.name] = try reader.content(of: entry)
        }
        self.entries = entries
    }
}

private struct ZipReader {
    let bytes: UnsafeRawBufferPointer
    let place: String

    struct Entry {
        var name: String
        var size: Int
        var header: Int
        var next: Int
    }

    func fail(_ message: String) -> ModelError {
        ModelError(
            "not a zip file as PyTorch writes it: " + message, place: place,
            fix: "save the model again, best as safetensors: `model.save_pretrained(DIR)`")
    }

    func number(_ offset: Int, _ size: Int) throws(ModelError) -> Int {
        guard offset >= 0, offset <= bytes.count - size else { throw fail("it is cut off") }
        let value = bytes[offset..<offset + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let int = Int(exactly: value) else { throw fail("the number \(value) at byte \(offset)") }
        return int
    }

    func text(_ offset: Int, _ count: Int) throws(ModelError) -> String {
        guard offset >= 0, count >= 0, offset <= bytes.count - count else { throw fail("it is cut off") }
        return String(decoding: bytes[offset..<offset + count], as: UTF8.self)
    }

    /// Where the central directory is, and of how many entries.
    func directory() throws(ModelError) -> (offset: Int, count: Int) {
        // The end record has 22 bytes and a comment of at most 65,535.
        var end = bytes.count - 22
        let first = max(0, end - 65_535)
        while end >= first {
            if try number(end, 4) == 0x0605_4B50 { break }
            end -= 1
        }
        guard end >= first, end >= 0 else { throw fail("it has no end record") }
        var count = try number(end + 10, 2)
        var offset = try number(end + 16, 4)
        if count == 0xFFFF || offset == 0xFFFF_FFFF {
            guard end >= 20, try number(end - 20, 4) == 0x0706_4B50 else { throw fail("its zip64 locator is missing") }
            let large = try number(end - 12, 8)
            guard try number(large, 4) == 0x0606_4B50 else { throw fail("its zip64 end record is missing") }
            count = try number(large + 32, 8)
            offset = try number(large + 48, 8)
        }
        // An entry of the directory has at least 46 bytes.
        guard offset <= bytes.count, count <= (bytes.count - offset) / 46 else {
            throw fail("\(count) entries do not fit behind byte \(offset)")
        }
        return (offset, count)
    }

    func entry(at offset: Int) throws(ModelError) -> Entry {
        guard try number(offset, 4) == 0x0201_4B50 else { throw fail("no directory entry at byte \(offset)") }
        let nameCount = try number(offset + 28, 2)
        let extraCount = try number(offset + 30, 2)
        let name = try text(offset + 46, nameCount)
        guard try number(offset + 8, 2) & 1 == 0 else { throw fail("'\(name)' is encrypted") }
        guard try number(offset + 10, 2) == 0 else { throw fail("'\(name)' is compressed") }
        var (packed, size) = (try number(offset + 20, 4), try number(offset + 24, 4))
        var header = try number(offset + 42, 4)
        // The zip64 extra field gives, in this order, those of the three that are full.
        var extra = offset + 46 + nameCount
        let extraEnd = extra + extraCount
        while extra + 4 <= extraEnd {
            let (kind, length) = (try number(extra, 2), try number(extra + 2, 2))
            if kind == 1 {
                var field = extra + 4
                func next() throws(ModelError) -> Int {
                    guard field + 8 <= min(extraEnd, extra + 4 + length) else { throw fail("'\(name)' lacks its size") }
                    field += 8
                    return try number(field - 8, 8)
                }
                if size == 0xFFFF_FFFF { size = try next() }
                if packed == 0xFFFF_FFFF { packed = try next() }
                if header == 0xFFFF_FFFF { header = try next() }
            }
            extra += 4 + length
        }
        guard packed == size else { throw fail("'\(name)' is compressed") }
        let comment = try number(offset + 32, 2)
        return Entry(name: name, size: size, header: header, next: extraEnd + comment)
    }

    func content(of entry: Entry) throws(ModelError) -> Range<Int> {
        guard try number(entry.header, 4) == 0x0403_4B50 else { throw fail("'\(entry.name)' has no local header") }
        let begin =
            try entry.header + 30 + number(entry.header + 26, 2) + number(entry.header + 28, 2)
        guard begin <= bytes.count, entry.size <= bytes.count - begin else {
            throw fail("'\(entry.name)' claims \(entry.size) bytes from byte \(begin) of \(bytes.count)")
        }
        return begin..<begin + entry.size
    }
}
