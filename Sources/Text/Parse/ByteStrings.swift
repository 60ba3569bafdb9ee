// ByteStrings: many short byte strings in one flat buffer, so that a page's links cost no allocation each.

/// A list of byte strings. Reused between documents with `removeAll`, which keeps its memory.
package struct ByteStrings: Sendable, Equatable {
    package private(set) var bytes: [UInt8] = []
    private var ends: [Int] = []

    package init() {}

    package var count: Int { ends.count }
    package func range(_ i: Int) -> Range<Int> { (i == 0 ? 0 : ends[i - 1])..<ends[i] }
    package subscript(_ i: Int) -> ArraySlice<UInt8> { bytes[range(i)] }
    package func string(_ i: Int) -> String { String(decoding: self[i], as: UTF8.self) }
    package var strings: [String] { ends.indices.map(string) }

    package mutating func append(_ string: some Collection<UInt8>) {
        bytes.append(contentsOf: string)
        ends.append(bytes.count)
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    /// Keeps the strings whose index `isKept` accepts, in order. Complexity: O(bytes).
    package mutating func filter(_ isKept: (Int) -> Bool) {
        var kept = ByteStrings()
        for i in 0..<count where isKept(i) { kept.append(self[i]) }
        self = kept
    }
}
