// Matrix products of our own: against the scalar reference and OpenBLAS at sizes where tiles, panels and chunks end,
// and to the bit where a promise of determinism rests on them.

import Kernels
import Testing

/// A product's arguments: operands wider than needed, so that leading dimensions count.
private struct Product {
    let m, n, k: Int
    var transposeA = false
    var transposeB = false
    var alpha: Float = 1
    var beta: Float = 0
    var slack = 0
    var hasBias = false

    private var lda: Int { (transposeA ? m : k) + slack }
    private var ldb: Int { (transposeB ? k : n) + slack }
    private var ldc: Int { n + slack }

    /// All of C's memory afterwards, what lies between its rows included.
    /// - Parameter factor: what is made of each element of A and B first.
    func run(_ device: Device, factor: (Float) -> Float = { $0 }) -> [Float] {
        var numbers = Numbers(seed: 11)
        let a = view(numbers.floats(max(1, (transposeA ? k : m) * lda)).map(factor))
        let b = view(numbers.floats(max(1, (transposeB ? n : k) * ldb)).map(factor))
        let c = view(beta == 0 ? [Float](repeating: .nan, count: m * ldc) : numbers.floats(m * ldc))
        let bias = hasBias ? view(numbers.floats(n)) : nil
        device.matmul(
            c, a, b, bias: bias, m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB, alpha: alpha,
            beta: beta,
            lda: max(1, lda), ldb: max(1, ldb), ldc: max(1, ldc))
        return c.read()
    }

    var name: String {
        "\(m) × \(n) × \(k)\(transposeA ? ", Aᵀ" : "")\(transposeB ? ", Bᵀ" : ""), alpha \(alpha), beta \(beta), "
            + "slack \(slack)"
    }
}

private func expectAgreement(_ product: Product) {
    let expected = product.run(reference)
    let bound = 2e-6 * Double(product.k).squareRoot() + 1e-6
    for device in fast {
        let d = distance(product.run(device), expected)
        #expect(d <= bound, "\(device.kernelVariant), \(product.name): \(d)")
    }
    let byBLAS = Device.cpu(variant: .reference, ownProductLimit: 0)!
    let d = distance(product.run(byBLAS), expected)
    #expect(d <= bound, "OpenBLAS, \(product.name): \(d)")
    if let half { expectRoundedFactors(product, half, bound) }
}

/// In bf16, factors are rounded and nothing else: of factors that are bf16 already the product is that of fp32, and of
/// others it is, to the bit, that of their nearest bf16.
private func expectRoundedFactors(_ product: Product, _ half: Device, _ bound: Double) {
    let found = product.run(half, factor: roundedToBF16)
    let d = distance(found, product.run(reference, factor: roundedToBF16))
    #expect(d <= bound, "bf16, \(product.name): \(d)")
    #expect(product.run(half).map(\.bitPattern) == found.map(\.bitPattern), "bf16, \(product.name)")
}

struct ProductTests {
    @Test func `tails in every dimension agree with the reference`() {
        for m in [1, 5, 6, 7, 13, 14, 15, 29] {
            for n in [1, 8, 15, 16, 17, 31, 33, 65] {
                for k in [1, 7, 16, 17, 40] {
                    expectAgreement(Product(m: m, n: n, k: k, transposeB: true, slack: 3))
                    expectAgreement(Product(m: m, n: n, k: k, slack: 1))
                    expectAgreement(Product(m: m, n: n, k: k, transposeA: true, slack: 2))
                }
            }
        }
    }

    @Test func `sums longer than a chunk and blocks of many columns agree`() {
        for (m, n, k) in [(3, 300, 511), (17, 257, 513), (15, 5, 1030), (29, 520, 700)] {
            for transposeA in [false, true] {
                for transposeB in [false, true] {
                    expectAgreement(Product(m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB, slack: 5))
                }
            }
        }
    }

    @Test func `rows whose addresses collide in the cache are packed and agree`() {
        for k in [1024, 2048] { expectAgreement(Product(m: 31, n: 40, k: k, transposeB: true)) }
    }

    @Test func `alpha scales, beta adds or scales, beta 0 does not read C`() {
        for alpha: Float in [1, 0.125, -2] {
            for beta: Float in [0, 1, 0.5] {
                for k in [9, 600] {
                    expectAgreement(Product(m: 20, n: 37, k: k, transposeA: true, alpha: alpha, beta: beta))
                    expectAgreement(Product(m: 20, n: 37, k: k, transposeB: true, alpha: alpha, beta: beta, slack: 4))
                }
            }
        }
    }

    @Test func `a bias begins every row`() {
        for k in [0, 9, 600] {
            expectAgreement(Product(m: 17, n: 300, k: k, transposeB: true, alpha: 0.5, slack: 2, hasBias: true))
        }
    }

    @Test func `empty sums write zeros or keep what beta keeps, empty products touch nothing`() {
        for device in variants + [half].compactMap(\.self) {
            let c = view([1, 2, 3, 4] as [Float]), x = zeros(4)
            device.matmul(c, x, x, m: 2, n: 2, k: 0, beta: 1)
            #expect(c.read() == [1, 2, 3, 4])
            device.matmul(c, x, x, m: 0, n: 2, k: 1)
            device.matmul(c, x, x, m: 2, n: 0, k: 1)
            #expect(c.read() == [1, 2, 3, 4])
            device.matmul(c, x, x, m: 2, n: 2, k: 0)
            #expect(c.read() == [0, 0, 0, 0])
        }
    }

    @Test func `an element's bits do not depend on the rows and columns beside it`() {
        let (m, n, k) = (37, 70, 1100)
        var numbers = Numbers(seed: 3)
        let a = view(numbers.floats(m * k)), b = view(numbers.floats(n * k))
        for device in fast + [half].compactMap(\.self) {
            let whole = zeros(m * n)
            device.matmul(whole, a, b, m: m, n: n, k: k, transposeB: true)
            for (row, rows) in [(0, 1), (5, 20), (36, 1)] {
                for (column, columns) in [(0, 70), (3, 17), (69, 1)] {
                    let part = zeros(rows * columns)
                    device.matmul(
                        part, a.slice(row * k, rows * k), b.slice(column * k, columns * k), m: rows, n: columns, k: k,
                        transposeB: true)
                    for i in 0..<rows {
                        let first = (row + i) * n + column
                        #expect(part.read(i * columns..<(i + 1) * columns) == whole.read(first..<first + columns))
                    }
                }
            }
        }
    }
}

struct VocabularyLossTests {
    /// Sizes at which blocks of words (512 at these widths), panels and rows end.
    private let shapes = [(1, 3, 5), (14, 33, 16), (29, 511, 37), (31, 513, 20), (5, 1100, 8)]

    private struct Outputs {
        let losses, dX, dWord, dBias: FloatView
    }

    /// The three steps over a vocabulary cut into parts, with memory that is no number before.
    private func loss(
        _ device: Device, _ outputs: Outputs, _ x: FloatView, _ word: FloatView, _ bias: FloatView, labels: IndexView,
        n: Int, v: Int, c: Int, scale: Float, adds: Bool, parts count: Int
    ) {
        let parts = VocabularyPart.cut(v, into: count).map { words in
            let floats = VocabularyPart.floats(n, words: words.count, c)
            return VocabularyPart(words: words, memory: view([Float](repeating: .nan, count: floats)), n: n, c: c)
        }
        let (greatest, factors) = (zeros(n), zeros(n))
        for part in parts { device.vocabularyForward(part, x, word, bias, labels: labels, n: n, c: c) }
        device.vocabularyJoin(
            outputs.losses, outputs.dX, greatest: greatest, factors: factors, parts, word, labels: labels, n: n, c: c,
            scale: scale)
        for part in parts {
            device.vocabularyBackward(
                outputs.dWord, outputs.dBias, part, greatest: greatest, factors: factors, x, word, bias,
                labels: labels, n: n, c: c, scale: scale, adds: adds)
        }
    }

    private func run(
        _ device: Device, n: Int, v: Int, c: Int, adds: Bool, scale: Float = 3, parts: Int = 1
    ) -> Outputs {
        var numbers = Numbers(seed: 8)
        let x = view(numbers.floats(n * c, scale: scale)), word = view(numbers.floats(v * c))
        let bias = view(numbers.floats(v)), labels = view(numbers.indices(n, below: v))
        let outputs = Outputs(
            losses: zeros(n), dX: view([Float](repeating: .nan, count: n * c)),
            dWord: view(adds ? numbers.floats(v * c) : [Float](repeating: .nan, count: v * c)),
            dBias: view(numbers.floats(v)))
        loss(
            device, outputs, x, word, bias, labels: labels, n: n, v: v, c: c, scale: 0.25, adds: adds, parts: parts)
        return outputs
    }

    @Test func `loss and gradients over the vocabulary agree with the reference`() {
        for (n, v, c) in shapes {
            for adds in [false, true] {
                let expected = run(reference, n: n, v: v, c: c, adds: adds)
                for (device, parts) in fast.flatMap({ device in [1, 2, 3].map { (device, $0) } }) {
                    let found = run(device, n: n, v: v, c: c, adds: adds, parts: parts)
                    for (name, path) in [
                        ("losses", \Outputs.losses), ("dX", \.dX), ("dWord", \.dWord), ("dBias", \.dBias),
                    ] {
                        let d = distance(found[keyPath: path].read(), expected[keyPath: path].read())
                        #expect(d < 5e-6, "\(device.kernelVariant), \(n) × \(v) × \(c), \(parts) parts, \(name): \(d)")
                    }
                }
            }
        }
    }

    @Test(.enabled(if: half != nil)) func `in bf16 loss and gradients keep two digits`() throws {
        let half = try #require(half)
        for (n, v, c) in shapes {
            for adds in [false, true] {
                let expected = run(reference, n: n, v: v, c: c, adds: adds)
                let found = run(half, n: n, v: v, c: c, adds: adds, parts: 2)
                #expect(distance(found.losses.read(), expected.losses.read()) < 1e-2)
                for path in [\Outputs.dX, \.dWord, \.dBias] {
                    let error = relativeError(found[keyPath: path].read(), expected[keyPath: path].read())
                    #expect(error < 1e-2, "\(n) × \(v) × \(c): \(error)")
                }
            }
        }
    }

    @Test func `parts agree with the whole in the reference too`() {
        for (n, v, c) in shapes {
            let whole = run(reference, n: n, v: v, c: c, adds: true)
            let found = run(reference, n: n, v: v, c: c, adds: true, parts: 4)
            for path in [\Outputs.losses, \.dX, \.dWord, \.dBias] {
                #expect(distance(found[keyPath: path].read(), whole[keyPath: path].read()) < 1e-6)
            }
        }
    }

    @Test func `the cut of a vocabulary leaves out no word`() {
        for v in [1, 4, 31, 32, 33, 1000, 30522] {
            for count in 1...5 {
                let parts = VocabularyPart.cut(v, into: count)
                #expect(parts.count == count && parts.flatMap(Array.init) == Array(0..<v))
            }
        }
    }

    @Test func `logits far apart neither overflow nor lose the greatest`() {
        let expected = run(reference, n: 20, v: 1500, c: 40, adds: false, scale: 100)
        for (device, parts) in fast.flatMap({ device in [1, 2, 3].map { (device, $0) } }) {
            let found = run(device, n: 20, v: 1500, c: 40, adds: false, scale: 100, parts: parts)
            #expect(distance(found.losses.read(), expected.losses.read()) < 1e-5)
            #expect(distance(found.dX.read(), expected.dX.read()) < 1e-3)
        }
    }

    @Test func `a NaN shows in the loss of its row`() {
        for (device, parts) in variants.flatMap({ device in [1, 2].map { (device, $0) } }) {
            let outputs = Outputs(losses: zeros(3), dX: zeros(3), dWord: zeros(40), dBias: zeros(40))
            let (x, word) = (view([1, .nan, 2] as [Float]), view((0..<40).map(Float.init))), losses = outputs.losses
            loss(
                device, outputs, x, word, zeros(40), labels: view([0, 1, 39] as [Int32]), n: 3, v: 40, c: 1, scale: 1,
                adds: false, parts: parts)
            #expect(losses[0].isFinite && losses[1].isNaN && losses[2].isFinite)
        }
    }
}
