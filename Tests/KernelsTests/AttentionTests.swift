// Attention against a plain double implementation, across tiles, odd lengths, empty sequences, heads and threads.

import Foundation
import Kernels
import Testing

/// These columns of these rows of `width`.
private func parts(_ x: [Float], _ rows: [Int], _ columns: Range<Int>, of width: Int) -> [Float] {
    var found: [Float] = []
    for row in rows { found += x[row * width + columns.lowerBound..<row * width + columns.upperBound] }
    return found
}

struct AttentionTests {
    private struct Setup {
        let lengths: [Int], heads: Int, headSize: Int
        let qkv: FloatView, offsets: IndexView, n: Int

        init(_ lengths: [Int], heads: Int, headSize: Int, seed: UInt64 = 1, scale: Float = 1.5) {
            var numbers = Numbers(seed: seed)
            (self.lengths, self.heads, self.headSize) = (lengths, heads, headSize)
            n = lengths.reduce(0, +)
            qkv = view(numbers.floats(n * 3 * heads * headSize, scale: scale))
            offsets = view(lengths.reduce(into: [Int32(0)]) { $0.append($0.last! + Int32($1)) })
        }

        var h: Int { heads * headSize }
        var rows: AttentionRows {
            .packed(offsets, sequences: lengths.count, heads: heads, headSize: headSize)
        }

        func keys(_ qkv: FloatView) -> FloatView { qkv.slice(h, qkv.count - h) }

        /// Out, and the gradients of queries and of keys with values, where only `asking` rows (ascending) ask.
        func some(_ device: Device, asking: [Int], dOut: [Float], _ dropout: DropoutStream) -> [[Float]] {
            let all = qkv.read(), borders = offsets.read().map(Int.init)
            let own = view(parts(all, asking, 0..<h, of: 3 * h) + [0])
            let kv = view(parts(all, Array(0..<n), h..<3 * h, of: 3 * h))
            let counts = view(borders.map { border in Int32(asking.count { $0 < border }) })
            let rows = AttentionRows.apart(
                queries: counts, keys: offsets, sequences: lengths.count, heads: heads, headSize: headSize)
            let out = view([Float](repeating: .nan, count: asking.count * h + 1)), lse = zeros(asking.count * heads + 1)
            let dOwn = view([Float](repeating: .nan, count: asking.count * h + 1))
            let dKV = view([Float](repeating: .nan, count: n * 2 * h))
            let scratch = zeros(Device.scratchCount(maxSequence: lengths.max() ?? 0, headSize: headSize))
            device.attentionForward(out, lse, queries: own, keys: kv, rows, dropout: dropout, scratch: scratch)
            device.attentionBackward(
                dQueries: dOwn, dKeys: dKV, view(parts(dOut, asking, 0..<h, of: h) + [0]), out, lse,
                queries: own, keys: kv, rows, dropout: dropout, scratch: scratch)
            return [out.read(0..<asking.count * h), dOwn.read(0..<asking.count * h), dKV.read()]
        }

        func forward(_ device: Device, _ dropout: DropoutStream = .off) -> (out: FloatView, lse: FloatView) {
            let out = zeros(n * h), lse = zeros(n * heads)
            let scratch = zeros(Device.scratchCount(maxSequence: lengths.max() ?? 0, headSize: headSize))
            device.attentionForward(
                out, lse, queries: qkv, keys: keys(qkv), rows, dropout: dropout, scratch: scratch)
            return (out, lse)
        }

        func backward(_ device: Device, _ dropout: DropoutStream = .off) -> [Float] {
            let (out, lse) = forward(device, dropout), dQKV = zeros(n * 3 * h)
            var numbers = Numbers(seed: 99)
            let scratch = zeros(Device.scratchCount(maxSequence: lengths.max() ?? 0, headSize: headSize))
            device.attentionBackward(
                dQueries: dQKV, dKeys: keys(dQKV), view(numbers.floats(n * h)), out, lse, queries: qkv,
                keys: keys(qkv), rows, dropout: dropout, scratch: scratch)
            return dQKV.read()
        }

        /// softmax(q kᵀ / √headSize) v in double, nothing shared with the kernels.
        func naive() -> [Float] {
            let x = qkv.read().map(Double.init)
            var out = [Float](repeating: 0, count: n * h), begin = 0
            for length in lengths {
                for head in 0..<heads {
                    func at(_ part: Int, _ row: Int, _ d: Int) -> Double {
                        x[(begin + row) * 3 * h + part * h + head * headSize + d]
                    }
                    for i in 0..<length {
                        let weights = (0..<length).map { j in
                            let score = (0..<headSize).reduce(0) { $0 + at(0, i, $1) * at(1, j, $1) }
                            return exp(score / Double(headSize).squareRoot())
                        }
                        let sum = weights.reduce(0, +)
                        for d in 0..<headSize {
                            let value = (0..<length).reduce(0) { $0 + weights[$1] * at(2, $1, d) } / sum
                            out[(begin + i) * h + head * headSize + d] = Float(value)
                        }
                    }
                }
                begin += length
            }
            return out
        }
    }

    @Test func `attention equals a naive implementation on sequences of odd lengths`() {
        let setups = [
            Setup([1], heads: 1, headSize: 1), Setup([7, 1, 33], heads: 3, headSize: 9),
            Setup([129, 0, 257, 2], heads: 2, headSize: 16),
        ]
        for setup in setups {
            for device in variants {
                let d = distance(setup.forward(device).out.read(), setup.naive())
                #expect(d < 1e-5, "\(device.kernelVariant), \(setup.lengths): \(d)")
            }
        }
    }

    @Test func `forward and backward agree across variants, with and without dropout, over tile borders`() {
        let setup = Setup([1, 127, 128, 129, 31, 300], heads: 2, headSize: 8)
        for dropout in [DropoutStream.off, DropoutStream(seed: 4, rate: 0.15)] {
            let (out, lse) = setup.forward(reference, dropout), gradient = setup.backward(reference, dropout)
            for device in fast {
                let (fastOut, fastLSE) = setup.forward(device, dropout)
                #expect(distance(fastOut.read(), out.read()) < 1e-5)
                #expect(distance(fastLSE.read(), lse.read()) < 1e-5)
                #expect(distance(setup.backward(device, dropout), gradient) < 1e-5)
            }
        }
    }

    @Test(.enabled(if: half != nil)) func `in bf16 attention and its gradients keep two digits`() throws {
        let half = try #require(half)
        for (lengths, headSize) in [([1, 127, 128, 129, 31, 300], 8), ([33, 2], 9), ([512], 64), ([1024], 32)] {
            let setup = Setup(lengths, heads: 2, headSize: headSize)
            for dropout in [DropoutStream.off, DropoutStream(seed: 4, rate: 0.15)] {
                let (out, lse) = setup.forward(reference, dropout), (found, foundLSE) = setup.forward(half, dropout)
                let errors = [
                    relativeError(found.read(), out.read()), distance(foundLSE.read(), lse.read()),
                    relativeError(setup.backward(half, dropout), setup.backward(reference, dropout)),
                ]
                #expect(errors.allSatisfy { $0 < 1e-2 }, "\(lengths), \(headSize): \(errors)")
            }
        }
    }

    @Test func `rows that do not ask change nothing for those that do`() {
        let setup = Setup([33, 5, 0, 150, 1], heads: 2, headSize: 9), (n, h) = (setup.n, setup.h)
        // None of the second sequence, one of the last, most of the fourth.
        let asking = [0, 7, 32] + (38..<188).filter { $0 % 7 != 3 } + [188]
        var numbers = Numbers(seed: 3)
        var dOut = numbers.floats(n * h)
        for row in 0..<n where !asking.contains(row) { for d in 0..<h { dOut[row * h + d] = 0 } }
        for device in variants {
            let found = setup.some(device, asking: asking, dOut: dOut, .off)
            let (out, lse) = setup.forward(device), dQKV = zeros(n * 3 * h)
            device.attentionBackward(
                dQueries: dQKV, dKeys: setup.keys(dQKV), view(dOut), out, lse, queries: setup.qkv,
                keys: setup.keys(setup.qkv), setup.rows, dropout: .off,
                scratch: zeros(Device.scratchCount(maxSequence: 150, headSize: 9)))
            let all = out.read(), gradient = dQKV.read()
            let expected = [
                parts(all, asking, 0..<h, of: h), parts(gradient, asking, 0..<h, of: 3 * h),
                parts(gradient, Array(0..<n), h..<3 * h, of: 3 * h),
            ]
            for (a, b) in zip(found, expected) { #expect(distance(a, b) < 2e-6, "\(device.kernelVariant)") }
        }
        let dropout = DropoutStream(seed: 4, rate: 0.15)
        let expected = setup.some(reference, asking: asking, dOut: dOut, dropout)
        for device in fast {
            for (a, b) in zip(setup.some(device, asking: asking, dOut: dOut, dropout), expected) {
                #expect(distance(a, b) < 1e-5, "\(device.kernelVariant)")
            }
        }
    }

    @Test func `dropout of probabilities keeps its share and differs by head and row`() {
        // q = k = 0 and v = 1: an output is the share of kept columns times the scale.
        let setup = Setup([400], heads: 2, headSize: 4, scale: 0), rate: Float = 0.25
        for row in 0..<400 { setup.qkv.slice(row * 24 + 16, 8).write([Float](repeating: 1, count: 8)) }
        let out = setup.forward(Device.cpu, DropoutStream(seed: 5, rate: rate)).out.read()
        let mean = out.reduce(0) { $0 + Double($1) } / Double(out.count)
        #expect(abs(mean - 1) < 5 * (Double(rate) / 0.75 / 320_000).squareRoot())
        let first = (0..<400).map { out[$0 * 8] }, second = (0..<400).map { out[$0 * 8 + 4] }
        #expect(first != second && Set(first).count > 20)
    }

    @Test func `scores of very different size neither overflow nor become NaN`() {
        let setup = Setup([40], heads: 1, headSize: 8, scale: 60)
        for device in variants + [half].compactMap(\.self) {
            #expect(device.isFinite(setup.forward(device).out))
            #expect(setup.backward(device).allSatisfy { $0.isFinite })
        }
    }

    @Test func `two threads at once give the bits of one`() async {
        let setups = (0..<4).map { Setup([150, 33], heads: 2, headSize: 16, seed: UInt64($0)) }
        let dropout = DropoutStream(seed: 1, rate: 0.1)
        let alone = setups.map { $0.backward(Device.cpu, dropout) }
        let together = await withTaskGroup(of: (Int, [Float]).self) { group in
            for (i, setup) in setups.enumerated() { group.addTask { (i, setup.backward(Device.cpu, dropout)) } }
            return await group.reduce(into: [Int: [Float]]()) { $0[$1.0] = $1.1 }
        }
        for (i, expected) in alone.enumerated() { #expect(together[i] == expected) }
    }
}
