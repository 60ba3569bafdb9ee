// XMLNames: from the name of an element, as it stands in a buffer, to a case of an enumeration.

import Glibc

/// A hash table of the element names that a reader knows. Prefixes (`mml:math`) are not compared. A lookup is O(1).
struct XMLNames<Element: RawRepresentable<String> & CaseIterable & Sendable>: Sendable {
    private let elements: [Element]
    private let names: [[UInt8]]
    /// Index + 1 of an element by hash, with linear probing; at most a quarter full.
    private let slots: [UInt16]
    private let mask: Int

    init() {
        elements = Array(Element.allCases)
        names = elements.map { Array($0.rawValue.utf8) }
        var size = 64
        while size < elements.count * 4 { size *= 2 }
        mask = size - 1
        var slots = [UInt16](repeating: 0, count: size)
        for (i, name) in names.enumerated() {
            var at = name.withUnsafeBufferPointer { Self.hash($0.baseAddress!, $0.count) } & mask
            while slots[at] != 0 { at = (at + 1) & mask }
            slots[at] = UInt16(i + 1)
        }
        self.slots = slots
    }

    /// The element whose tag the scanner stands on, or nil if the reader does not know it.
    @inline(__always)
    subscript(scanner: XMLScanner) -> Element? {
        var begin = scanner.name.lowerBound
        let end = scanner.name.upperBound
        let base = scanner.bytes.baseAddress!
        if let colon = memchr(base + begin, Int32(Byte.colon), end - begin) {
            begin = UnsafeRawPointer(colon) - UnsafeRawPointer(base) + 1
        }
        guard begin < end else { return nil }
        let name = base + begin
        var at = Self.hash(name, end - begin) & mask
        while slots[at] != 0 {
            let i = Int(slots[at]) - 1
            if names[i].count == end - begin,
                names[i].withUnsafeBufferPointer({ memcmp($0.baseAddress!, name, $0.count) == 0 })
            {
                return elements[i]
            }
            at = (at + 1) & mask
        }
        return nil
    }

    @inline(__always)
    private static func hash(_ name: UnsafePointer<UInt8>, _ count: Int) -> Int {
        let a = Int(name[0]), b = Int(name[count / 2]), c = Int(name[count - 1]), d = Int(name[count / 4])
        return (count &* 0x9E5) ^ (a &* 0x1F35) ^ (b &* 0x4A7) ^ (c &* 0x65) ^ (d &* 0x2B9)
    }
}
