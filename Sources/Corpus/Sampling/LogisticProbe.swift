// A multinomial logistic regression on standardised features, by a fixed number of full-batch gradient steps with
// momentum: small, deterministic, and honest as a floor.

/// The accuracy that simple features reach on a classification task, by cross-validation.
package struct LogisticProbe: Sendable, Equatable {
    /// Share of rows classified right when they were held out.
    package let accuracy: Double
    /// Standardised weights of the fit on all rows, by class and then feature (bias last): what gives the label away.
    package let weights: [[Double]]

    /// - Parameters:
    ///   - rows: feature vectors of one length, at least one per class.
    ///   - folds: row i is held out in fold `fold[i]`; rows of one document share a fold.
    ///   - check: called before every gradient step; what it throws ends the work.
    package init(
        rows: [[Double]], labels: [Int], classes: Int, fold: [Int], folds: Int = 5, iterations: Int = 300,
        check: () throws -> Void = {}
    ) rethrows {
        precondition(rows.count == labels.count && rows.count == fold.count)
        let standard = Self.standardised(rows)
        var right = 0
        for held in 0..<folds {
            let train = rows.indices.filter { fold[$0] != held }
            let test = rows.indices.filter { fold[$0] == held }
            if train.isEmpty || test.isEmpty { continue }
            let fit = try Self.fit(train.map { standard[$0] }, train.map { labels[$0] }, classes, iterations, check)
            for row in test where Self.predict(fit, standard[row]) == labels[row] { right += 1 }
        }
        accuracy = rows.isEmpty ? 0 : Double(right) / Double(rows.count)
        weights = try Self.fit(standard, labels, classes, iterations, check)
    }

    private static func standardised(_ rows: [[Double]]) -> [[Double]] {
        guard let width = rows.first?.count else { return [] }
        let n = Double(rows.count)
        let mean = (0..<width).map { f in rows.reduce(0) { $0 + $1[f] } / n }
        let deviation = (0..<width).map { f in
            (rows.reduce(0) { $0 + ($1[f] - mean[f]) * ($1[f] - mean[f]) } / n).squareRoot()
        }
        return rows.map { row in
            (0..<width).map { deviation[$0] > 1e-12 ? (row[$0] - mean[$0]) / deviation[$0] : 0 } + [1]
        }
    }

    private static func scores(_ weights: [[Double]], _ row: [Double]) -> [Double] {
        weights.map { w in zip(w, row).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    private static func predict(_ weights: [[Double]], _ row: [Double]) -> Int {
        let scores = scores(weights, row)
        return scores.indices.max { scores[$0] != scores[$1] ? scores[$0] < scores[$1] : $0 > $1 } ?? 0
    }

    private static func fit(
        _ rows: [[Double]], _ labels: [Int], _ classes: Int, _ iterations: Int, _ check: () throws -> Void
    ) rethrows -> [[Double]] {
        guard let width = rows.first?.count else { return [] }
        let n = Double(rows.count)
        var weights = [[Double]](repeating: [Double](repeating: 0, count: width), count: classes)
        var velocity = weights
        for _ in 0..<iterations {
            try check()
            var gradient = [[Double]](repeating: [Double](repeating: 0, count: width), count: classes)
            for (row, label) in zip(rows, labels) {
                let scores = scores(weights, row)
                let top = scores.max() ?? 0
                let exponentials = scores.map { Exponential.of($0 - top) }
                let sum = exponentials.reduce(0, +)
                for c in 0..<classes {
                    let error = exponentials[c] / sum - (c == label ? 1 : 0)
                    for f in 0..<width { gradient[c][f] += error * row[f] }
                }
            }
            for c in 0..<classes {
                for f in 0..<width {
                    let decay = f == width - 1 ? 0 : 1e-4 * weights[c][f]
                    velocity[c][f] = 0.9 * velocity[c][f] - 0.3 * (gradient[c][f] / n + decay)
                    weights[c][f] += velocity[c][f]
                }
            }
        }
        return weights
    }
}

/// e^x in plain arithmetic, for x ≤ 0: the same to the last digit on every machine.
package enum Exponential {
    package static func of(_ x: Double) -> Double {
        if x < -700 { return 0 }
        let whole = (x / 0.693147180559945309417).rounded(.down)
        let t = x - whole * 0.693147180559945309417
        var term = 1.0
        var sum = 1.0
        for k in 1...24 {
            term *= t / Double(k)
            sum += term
        }
        return Double(sign: .plus, exponent: Int(whole), significand: sum)
    }
}
