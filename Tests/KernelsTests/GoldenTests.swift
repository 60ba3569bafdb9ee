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
}
