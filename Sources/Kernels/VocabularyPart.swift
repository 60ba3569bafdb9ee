// The vocabulary cut into parts, so that each core has words of its own in the loss of the MLM head.

internal import CKernels

/// A run of the vocabulary's words with the memory that its share of a loss takes.
package struct VocabularyPart: Sendable {
    package let words: Range<Int>
    /// (n) each.
    private let greatest, sum, labelled: FloatView
    /// (n, c).
    private let dX: FloatView
    private let work: FloatView

    /// - Parameters:
    ///   - memory: `floats(n, words.count, c)` of them.
    ///   - n: the most rows at a time.
    package init(words: Range<Int>, memory: FloatView, n: Int, c: Int) {
        self.words = words
        let rows = Self.aligned(n)
        greatest = memory.slice(0, n)
        sum = memory.slice(rows, n)
        labelled = memory.slice(2 * rows, n)
        dX = memory.slice(3 * rows, n * c)
        let begin = 3 * rows + Self.aligned(n * c)
        work = memory.slice(begin, memory.count - begin)
        check(n, c)
    }

    /// Floats of memory for at most `n` rows of `c` and `words` words.
    package static func floats(_ n: Int, words: Int, _ c: Int) -> Int {
        precondition(n >= 0 && words >= 0 && c > 0, "VocabularyPart: \(n) rows, \(words) words of \(c)")
        return 3 * aligned(n) + aligned(n * c) + ck_vocabulary_work(n, words, c)
    }

    /// Cuts a vocabulary into as many parts, about equally long; no part depends on anything else.
    package static func cut(_ v: Int, into count: Int) -> [Range<Int>] {
        func border(_ part: Int) -> Int { part == count ? v : v * part / count & ~31 }
        return (0..<count).map { border($0)..<border($0 + 1) }
    }

    private static func aligned(_ floats: Int) -> Int { (floats + 15) & ~15 }

    internal func check(_ n: Int, _ c: Int) {
        precondition(
            n <= greatest.count && n * c <= dX.count && ck_vocabulary_work(n, words.count, c) <= work.count,
            "VocabularyPart: \(n) rows of \(c) for a part of \(greatest.count)")
    }

    // Valid while the views' buffer lives, which they keep.
    @unsafe internal var pointers: ck_vocabulary_part {
        unsafe ck_vocabulary_part(
            greatest: greatest.pointer, sum: sum.pointer, labelled: labelled.pointer, d_x: dX.pointer,
            work: work.pointer)
    }
}
