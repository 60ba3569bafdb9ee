// Backward kernels against central differences of the forward ones.

import Kernels
import Testing

struct GradientTests {
    /// The error of fp32 central differences is near 1e-8 of the gradient's energy; a wrong term is near 1.
    private let bound = 1e-5

    private func expectGradient(
        _ analytic: [Float], _ x: FloatView, _ name: String, location: SourceLocation = #_sourceLocation,
        _ loss: () -> Double
    ) {
        let error = normalisedError(analytic, numericalGradient(x, loss))
        #expect(error <= bound, "\(name): \(error)", sourceLocation: location)
    }

    @Test func `residual layer norm with dropout has the gradient of its forward`() {
        let (n, c) = (3, 21), dropout = DropoutStream(seed: 11, rate: 0.25)
        for device in variants {
            var numbers = Numbers(seed: 1)
            let x = view(numbers.floats(n * c)), xBias = view(numbers.floats(c)), residual = view(numbers.floats(n * c))
            let weight = view(numbers.floats(c)), bias = view(numbers.floats(c)), dOut = numbers.floats(n * c)
            let out = zeros(n * c), sum = zeros(n * c), mean = zeros(n), rstd = zeros(n)
            let loss = {
                device.residualLayerNormForward(
                    out, sum, mean, rstd, x, xBias, residual, weight, bias, n: n, c: c, eps: 1e-12, dropout: dropout)
                return dot(out, dOut)
            }
            _ = loss()
            let dX = zeros(n * c), dXBias = zeros(c), dResidual = zeros(n * c), dWeight = zeros(c), dBias = zeros(c)
            device.residualLayerNormBackward(
                dX, dXBias, dResidual, dWeight, dBias, view(dOut), sum, weight, mean, rstd, n: n, c: c,
                dropout: dropout)
            let pairs = [
                (dX, x, "x"), (dXBias, xBias, "xBias"), (dResidual, residual, "residual"), (dWeight, weight, "weight"),
                (dBias, bias, "bias"),
            ]
            for (d, input, name) in pairs { expectGradient(d.read(), input, "\(device.kernelVariant) \(name)", loss) }
        }
    }

    @Test func `layer norm has the gradient of its forward, also written over d_out`() {
        let (n, c) = (2, 33)
        for device in variants {
            var numbers = Numbers(seed: 2)
            let inp = view(numbers.floats(n * c)), weight = view(numbers.floats(c)), bias = view(numbers.floats(c))
            let dOut = numbers.floats(n * c), out = zeros(n * c), mean = zeros(n), rstd = zeros(n)
            let loss = {
                device.layerNormForward(out, mean, rstd, inp, weight, bias, n: n, c: c, eps: 1e-12)
                return dot(out, dOut)
            }
            _ = loss()
            let d = view(dOut), dWeight = zeros(c), dBias = zeros(c)
            device.layerNormBackward(d, dWeight, dBias, d, inp, weight, mean, rstd, n: n, c: c)
            expectGradient(d.read(), inp, "inp", loss)
            expectGradient(dWeight.read(), weight, "weight", loss)
            expectGradient(dBias.read(), bias, "bias", loss)
        }
    }

    @Test func `gelu and tanh have the gradients of their forwards`() {
        let (n, c) = (3, 19)
        for device in variants {
            var numbers = Numbers(seed: 3)
            let x = view(numbers.floats(n * c, scale: 3)), bias = view(numbers.floats(c)), dOut = numbers.floats(n * c)
            let out = zeros(n * c), dX = zeros(n * c), dBias = zeros(c)
            let gelu = {
                device.biasGeluForward(out, x, bias, n: n, c: c)
                return dot(out, dOut)
            }
            device.biasGeluBackward(dX, dBias, view(dOut), x, bias, n: n, c: c)
            expectGradient(dX.read(), x, "gelu x", gelu)
            expectGradient(dBias.read(), bias, "gelu bias", gelu)
            let tanh = {
                device.tanhForward(out, x, bias, n: n, c: c)
                return dot(out, dOut)
            }
            _ = tanh()
            device.fill(dBias, 0)
            device.tanhBackward(dX, dBias, view(dOut), out, n: n, c: c)
            expectGradient(dX.read(), x, "tanh x", tanh)
            expectGradient(dBias.read(), bias, "tanh bias", tanh)
        }
    }

    @Test func `cross-entropy leaves the gradient of its losses, scaled`() {
        let (n, v) = (3, 29)
        for device in variants {
            var numbers = Numbers(seed: 4)
            let logits = view(numbers.floats(n * v, scale: 3)), bias = view(numbers.floats(v))
            let labels = view(numbers.indices(n, below: v)), losses = zeros(n)
            let predicted = IndexBuffer(count: n).view(), d = zeros(n * v)
            d.copy(from: logits)
            device.softmaxCrossEntropy(losses, d, bias: bias, labels: labels, n: n, v: v, scale: 0.5)
            let loss = {
                device.softmaxCrossEntropyForward(
                    losses, predicted: predicted, logits, bias: bias, labels: labels, n: n, v: v)
                return losses.read().reduce(0) { $0 + 0.5 * Double($1) }
            }
            expectGradient(d.read(), logits, "logits", loss)
        }
    }

    @Test func `attention with dropout has the gradient of its forward`() {
        let lengths = [1, 5, 0, 18], heads = 2, headSize = 5, h = heads * headSize
        let offsets = view(lengths.reduce(into: [Int32(0)]) { $0.append($0.last! + Int32($1)) })
        let n = lengths.reduce(0, +)
        for rate in [Float(0), 0.2] {
            let dropout = DropoutStream(seed: 77, rate: rate)
            for device in variants {
                var numbers = Numbers(seed: 6)
                let qkv = view(numbers.floats(n * 3 * h)), dOut = numbers.floats(n * h)
                let out = zeros(n * h), lse = zeros(n * heads), dQKV = zeros(n * 3 * h)
                let scratch = zeros(Device.scratchCount(maxSequence: 18, headSize: headSize))
                let rows = AttentionRows.packed(offsets, sequences: 4, heads: heads, headSize: headSize)
                let keys = qkv.slice(h, qkv.count - h), dKeys = dQKV.slice(h, dQKV.count - h)
                let loss = {
                    device.attentionForward(
                        out, lse, queries: qkv, keys: keys, rows, dropout: dropout, scratch: scratch)
                    return dot(out, dOut)
                }
                _ = loss()
                device.fill(dQKV, .nan)  // every element must be written, not added to
                device.attentionBackward(
                    dQueries: dQKV, dKeys: dKeys, view(dOut), out, lse, queries: qkv, keys: keys, rows,
                    dropout: dropout, scratch: scratch)
                expectGradient(dQKV.read(), qkv, "\(device.kernelVariant), rate \(rate)", loss)
            }
        }
    }
}
