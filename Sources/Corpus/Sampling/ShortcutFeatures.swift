// What a model could read off a pair without understanding it: lengths, positions, shared words, the title.
// `pair-sample` reports these by relation; `evaluate` trains a logistic probe on them, whose accuracy is the floor
// that document relation prediction has to beat.

import Container

package struct ShortcutFeatures: Sendable {
    /// In the order of a feature vector.
    package static let names = [
        "length_a", "length_b", "ordinal_a", "ordinal_b", "tfidf_cosine", "title_of_b_in_a", "title_of_a_in_b",
    ]

    private let idf: [Double]

    /// - Parameter frequencies: documents that hold each token id, of `documents` in all.
    package init(frequencies: [UInt32], documents: Int) {
        idf = frequencies.map { f in f == 0 ? 0 : NaturalLog.of(Double(documents + 1) / Double(f)) }
    }

    /// The features of one pair.
    ///
    /// - Parameters: `a`, `b`: token ids of the segments as written, before masking. `ordinalA`, `ordinalB`: ordinals as
    ///   a share of the document's segments, in [0, 1). `titleA`, `titleB`: token ids of the titles.
    package func vector(
        a: [UInt32], b: [UInt32], ordinalA: Double, ordinalB: Double, titleA: [UInt32], titleB: [UInt32]
    ) -> [Double] {
        [
            Double(a.count), Double(b.count), ordinalA, ordinalB, cosine(a, b),
            Self.contains(a, titleB) ? 1 : 0, Self.contains(b, titleA) ? 1 : 0,
        ]
    }

    /// tf-idf cosine of two bags of token ids, term frequency as log(1 + tf).
    package func cosine(_ a: [UInt32], _ b: [UInt32]) -> Double {
        let (x, y) = (weights(a), weights(b))
        var (i, j) = (0, 0)
        var dot = 0.0
        while i < x.count && j < y.count {
            if x[i].id < y[j].id {
                i += 1
            } else if x[i].id > y[j].id {
                j += 1
            } else {
                dot += x[i].weight * y[j].weight
                i += 1
                j += 1
            }
        }
        let norms = (x.reduce(0) { $0 + $1.weight * $1.weight } * y.reduce(0) { $0 + $1.weight * $1.weight })
            .squareRoot()
        return norms == 0 ? 0 : dot / norms
    }

    private func weights(_ ids: [UInt32]) -> [(id: UInt32, weight: Double)] {
        let sorted = ids.sorted()
        var out: [(id: UInt32, weight: Double)] = []
        var i = 0
        while i < sorted.count {
            var j = i
            while j < sorted.count && sorted[j] == sorted[i] { j += 1 }
            let id = Int(sorted[i])
            let idf = id < idf.count ? idf[id] : 0
            out.append((sorted[i], NaturalLog.of(1 + Double(j - i)) * idf))
            i = j
        }
        return out
    }

    /// Whether `needle` stands in `haystack` as a run; false if empty.
    package static func contains(_ haystack: [UInt32], _ needle: [UInt32]) -> Bool {
        guard !needle.isEmpty, needle.count <= haystack.count else { return false }
        for start in 0...(haystack.count - needle.count) where haystack[start] == needle[0] {
            if haystack[start..<start + needle.count].elementsEqual(needle) { return true }
        }
        return false
    }
}

/// ln in plain arithmetic, so that reports are the same to the last digit on every machine.
package enum NaturalLog {
    /// - Parameter x: positive and normal.
    package static func of(_ x: Double) -> Double {
        var m = x.significand
        var e = Double(x.exponent)
        if m > 1.4142135623730951 {
            m /= 2
            e += 1
        }
        let z = (m - 1) / (m + 1)
        let z2 = z * z
        var term = z
        var sum = 0.0
        for k in stride(from: 1, through: 41, by: 2) {
            sum += term / Double(k)
            term *= z2
        }
        return 2 * sum + e * 0.693147180559945309417
    }
}

/// Quantiles of a sample, by the nearest-rank rule.
package enum Quantiles {
    package static let shares = [0.05, 0.25, 0.5, 0.75, 0.95]

    package static func of(_ values: [Double]) -> [Double] {
        guard !values.isEmpty else { return [] }
        let sorted = values.sorted()
        return shares.map { sorted[min(sorted.count - 1, Int($0 * Double(sorted.count)))] }
    }
}
