// Kernels against PyTorch: the files that Tests/Goldens/make_kernels.py wrote.

import Kernels
import Testing

struct GoldenTests {
    private let bound = 2e-5

    @Test func `layer norm equals torch's`() throws {
        let golden = try Golden("layer_norm"), (n, c) = (5, 37)
        for device in variants {
            let out = zeros(n * c), mean = zeros(n), rstd = zeros(n), dX = zeros(n * c)
            let dWeight = zeros(c), dBias = zeros(c)
            let x = view(golden.floats("x")), weight = view(golden.floats("weight"))
            device.layerNormForward(out, mean, rstd, x, weight, view(golden.floats("bias")), n: n, c: c, eps: 1e-12)
            device.layerNormBackward(
                dX, dWeight, dBias, view(golden.floats("d_out")), x, weight, mean, rstd, n: n, c: c)
            for (value, name) in [(out, "out"), (dX, "d_x"), (dWeight, "d_weight"), (dBias, "d_bias")] {
                let d = distance(value.read(), golden.floats(name))
                #expect(d < bound, "\(device.kernelVariant) \(name): \(d)")
            }
        }
    }

    @Test func `gelu equals torch's exact form`() throws {
        let golden = try Golden("gelu"), (n, c) = (3, 67)
        for device in variants {
            let out = zeros(n * c), dX = zeros(n * c), dBias = zeros(c)
            let x = view(golden.floats("x")), bias = view(golden.floats("bias"))
            device.biasGeluForward(out, x, bias, n: n, c: c)
            device.biasGeluBackward(dX, dBias, view(golden.floats("d_out")), x, bias, n: n, c: c)
            for (value, name) in [(out, "out"), (dX, "d_x"), (dBias, "d_bias")] {
                let d = distance(value.read(), golden.floats(name))
                #expect(d < 2e-6, "\(device.kernelVariant) \(name): \(d)")
            }
        }
    }

    @Test func `attention equals torch's scaled dot product`() throws {
        let golden = try Golden("attention"), offsets = view(golden.indices("offsets"))
        let n = Int(offsets[3]), heads = 2, headSize = 9, h = heads * headSize
        for device in variants {
            let qkv = view(golden.floats("qkv")), out = zeros(n * h), lse = zeros(n * heads), dQKV = zeros(n * 3 * h)
            let scratch = zeros(Device.scratchCount(maxSequence: 33, headSize: headSize))
            let rows = AttentionRows.packed(offsets, sequences: 3, heads: heads, headSize: headSize)
            let keys = qkv.slice(h, qkv.count - h), dKeys = dQKV.slice(h, dQKV.count - h)
            device.attentionForward(out, lse, queries: qkv, keys: keys, rows, dropout: .off, scratch: scratch)
            device.attentionBackward(
                dQueries: dQKV, dKeys: dKeys, view(golden.floats("d_out")), out, lse, queries: qkv, keys: keys, rows,
                dropout: .off, scratch: scratch)
            for (value, name) in [(out, "out"), (dQKV, "d_qkv")] {
                let d = distance(value.read(), golden.floats(name))
                #expect(d < bound, "\(device.kernelVariant) \(name): \(d)")
            }
        }
    }

    @Test func `cross-entropy equals torch's`() throws {
        let golden = try Golden("cross_entropy"), (n, v) = (6, 53)
        for device in variants {
            let logits = view(golden.floats("logits")), losses = zeros(n), predicted = IndexBuffer(count: n).view()
            let bias = view(golden.floats("bias")), labels = view(golden.indices("labels"))
            device.softmaxCrossEntropyForward(
                losses, predicted: predicted, logits, bias: bias, labels: labels, n: n, v: v)
            #expect(predicted.read() == golden.indices("predicted"))
            #expect(distance(losses.read(), golden.floats("losses")) < bound)
            device.softmaxCrossEntropy(losses, logits, bias: bias, labels: labels, n: n, v: v, scale: 1.0 / 6)
            #expect(distance(losses.read(), golden.floats("losses")) < bound)
            #expect(distance(logits.read(), golden.floats("d_logits")) < 1e-6)
        }
    }

    @Test func `three AdamW steps equal torch's`() throws {
        let golden = try Golden("adamw"), count = 19, grads = golden.floats("grads")
        for device in variants {
            let param = view(golden.floats("start")), m = zeros(count), v = zeros(count)
            var power1: Float = 1, power2: Float = 1
            for step in 0..<3 {
                power1 *= 0.9
                power2 *= 0.999
                let grad = view(Array(grads[step * count..<(step + 1) * count]))
                device.adamW(
                    param, grad, m, v, count: count, lr: 1e-2, beta1: 0.9, beta2: 0.999, eps: 1e-6,
                    weightDecay: 0.01, biasCorrection1: 1 - power1, biasCorrection2: 1 - power2, gradScale: 1)
            }
            for (value, name) in [(param, "param"), (m, "m"), (v, "v")] {
                let d = distance(value.read(), golden.floats(name))
                #expect(d < 1e-6, "\(device.kernelVariant) \(name): \(d)")
            }
        }
    }

    /// Whether every value equals the golden tensor of its name.
    private func expect(_ values: [(FloatView, String)], _ golden: Golden, _ device: Device, within bound: Double) {
        for (value, name) in values {
            let d = distance(value.read(), golden.floats(name))
            #expect(d < bound, "\(device.kernelVariant) \(name): \(d)")
        }
    }

    @Test func `embeddings and their gradients equal torch's`() throws {
        let golden = try Golden("embedding"), (n, c) = (7, 19)
        let tables = [("word", "ids", 11), ("position", "positions", 9), ("type", "types", 2)]
        let weights = tables.map { view(golden.floats($0.0)) }, ids = tables.map { view(golden.indices($0.1)) }
        for device in variants {
            let out = zeros(n * c), gradients = tables.map { zeros($0.2 * c) }
            device.embeddingForward(
                out, weights[0], weights[1], weights[2], ids: ids[0], positions: ids[1], types: ids[2], n: n, c: c)
            for (gradient, rows) in zip(gradients, ids) {
                device.scatterAddRows(gradient, view(golden.floats("d_out")), rows: rows, n: n, c: c)
            }
            let named = zip(gradients, tables).map { ($0, "d_" + $1.0) }
            expect([(out, "out")] + named, golden, device, within: 1e-6)
        }
    }

    @Test func `rows gathered and scattered equal torch's`() throws {
        let golden = try Golden("rows"), (n, c) = (7, 21), rows = view(golden.indices("rows"))
        for device in variants {
            let out = zeros(n * c), dX = zeros(9 * c)
            device.gatherRows(out, view(golden.floats("x")), rows: rows, n: n, c: c)
            device.scatterAddRows(dX, view(golden.floats("d_out")), rows: rows, n: n, c: c)
            #expect(out.read() == golden.floats("out"))
            expect([(dX, "d_x")], golden, device, within: 1e-6)
        }
    }

    @Test func `a residual's layer norm equals torch's`() throws {
        let golden = try Golden("residual_layer_norm"), (n, c) = (5, 37)
        func given(_ name: String) -> FloatView { view(golden.floats(name)) }
        for device in variants {
            let out = zeros(n * c), sum = zeros(n * c), mean = zeros(n), rstd = zeros(n)
            let dX = zeros(n * c), dXBias = zeros(c), dResidual = zeros(n * c), dWeight = zeros(c), dBias = zeros(c)
            device.residualLayerNormForward(
                out, sum, mean, rstd, given("x"), given("x_bias"), given("residual"), given("weight"), given("bias"),
                n: n, c: c, eps: 1e-12, dropout: .off)
            device.residualLayerNormBackward(
                dX, dXBias, dResidual, dWeight, dBias, given("d_out"), sum, given("weight"), mean, rstd, n: n, c: c,
                dropout: .off)
            expect(
                [
                    (out, "out"), (dX, "d_x"), (dXBias, "d_x_bias"), (dResidual, "d_residual"), (dWeight, "d_weight"),
                    (dBias, "d_bias"),
                ], golden, device, within: 2e-6)
        }
    }

    @Test func `tanh equals torch's`() throws {
        let golden = try Golden("tanh"), (n, c) = (3, 67)
        for device in variants {
            let out = zeros(n * c), dX = zeros(n * c), dBias = zeros(c)
            device.tanhForward(out, view(golden.floats("x")), view(golden.floats("bias")), n: n, c: c)
            device.tanhBackward(dX, dBias, view(golden.floats("d_out")), out, n: n, c: c)
            expect([(out, "out"), (dX, "d_x"), (dBias, "d_bias")], golden, device, within: 2e-6)
        }
    }

    @Test(arguments: [Int.max, 0]) func `a linear layer's three products equal torch's`(ownProductLimit: Int) throws {
        let golden = try Golden("linear"), (m, n, k) = (13, 35, 29)
        func given(_ name: String) -> FloatView { view(golden.floats(name)) }
        let x = given("x"), weight = given("weight"), dOut = given("d_out")
        for variant in variants.map(\.variant) {
            let device = try #require(Device.cpu(variant: variant, ownProductLimit: ownProductLimit))
            let out = zeros(m * n), dX = zeros(m * k), dWeight = zeros(n * k), dBias = zeros(n)
            let nn = zeros(m * k), tn = zeros(n * k)
            device.matmul(out, x, weight, bias: given("bias"), m: m, n: n, k: k, transposeB: true)
            device.matmul(dX, dOut, weight, m: m, n: k, k: n)
            device.matmul(dWeight, dOut, x, m: n, n: k, k: m, transposeA: true, beta: 1)
            device.sumRows(dBias, dOut, n: m, c: n)
            device.matmul(nn, dOut, weight, bias: given("nn_bias"), m: m, n: k, k: n)
            device.matmul(tn, dOut, x, bias: given("tn_bias"), m: n, n: k, k: m, transposeA: true)
            expect(
                [(out, "out"), (dX, "d_x"), (dWeight, "d_weight"), (dBias, "d_bias"), (nn, "nn"), (tn, "tn")], golden,
                device, within: 3e-6)
        }
    }

    @Test(arguments: [1, 2, 3], [[0..<7], [0..<4, 4..<7]])
    func `the vocabulary's loss and gradients equal torch's`(parts: Int, blocks: [Range<Int>]) throws {
        let golden = try Golden("vocabulary_loss"), (n, v, c) = (7, 83, 19), scale: Float = 1.0 / 7
        let word = view(golden.floats("word")), bias = view(golden.floats("bias"))
        let allRows = view(golden.floats("x")), allLabels = view(golden.indices("labels"))
        for device in variants {
            let losses = zeros(n), dX = zeros(n * c), dWord = zeros(v * c), dBias = zeros(v)
            for rows in blocks {
                let count = rows.count, (greatest, factors) = (zeros(count), zeros(count))
                let x = allRows.slice(rows.lowerBound * c, count * c)
                let labels = allLabels.slice(rows.lowerBound, count)
                let cut = VocabularyPart.cut(v, into: parts).map {
                    let floats = VocabularyPart.floats(count, words: $0.count, c)
                    return VocabularyPart(words: $0, memory: zeros(floats), n: count, c: c)
                }
                for part in cut { device.vocabularyForward(part, x, word, bias, labels: labels, n: count, c: c) }
                device.vocabularyJoin(
                    losses.slice(rows.lowerBound, count), dX.slice(rows.lowerBound * c, count * c), greatest: greatest,
                    factors: factors, cut, word, labels: labels, n: count, c: c, scale: scale)
                for part in cut {
                    device.vocabularyBackward(
                        dWord, dBias, part, greatest: greatest, factors: factors, x, word, bias, labels: labels,
                        n: count, c: c, scale: scale, adds: rows.lowerBound > 0)
                }
            }
            expect(
                [(losses, "losses"), (dX, "d_x"), (dWord, "d_word"), (dBias, "d_bias")], golden, device, within: 3e-6)
        }
    }
}
