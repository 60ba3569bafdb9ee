// Every vector kernel against the scalar reference at the lengths where vector loops change shape.

import Kernels
import Testing

/// Rows and channels: each edge size as N with an odd C, and as C with three rows.
private let shapes: [(n: Int, c: Int)] = edgeSizes.map { ($0, 37) } + edgeSizes.filter { $0 > 0 }.map { (3, $0) }

/// Runs `body` with the reference and with each fast variant from the same inputs and compares what it returns.
private func expectAgreement(
    within bound: Double = 1e-5, _ what: String, location: SourceLocation = #_sourceLocation,
    _ body: (Device, inout Numbers) -> [[Float]]
) {
    var numbers = Numbers(seed: 5)
    let expected = body(reference, &numbers)
    for device in fast {
        var numbers = Numbers(seed: 5)
        let outputs = body(device, &numbers)
        for (i, (a, b)) in zip(outputs, expected).enumerated() {
            let d = distance(a, b)
            #expect(d <= bound, "\(device.kernelVariant), \(what), output \(i): \(d)", sourceLocation: location)
        }
    }
}

struct VariantTests {
    private let streams = [DropoutStream.off, DropoutStream(seed: 3, rate: 0.3)]

    @Test func `this machine's preferred variant is one that it can run`() {
        #expect(variants.contains { $0.variant == Device.cpu.variant })
        #expect(!Device.cpu.cpuKind.isEmpty && Device.cpu.blas.contains("OpenBLAS"))
        let measured = ["amd-zen4": "own-1", "intel-icelake-server": "own-1 to 512, then openblas"]
        #expect(Device.cpu.products == measured[Device.cpu.cpuKind] ?? "openblas")
    }

    @Test func `layer norm agrees`() {
        for (n, c) in shapes {
            expectAgreement(within: 3e-5, "\(n) × \(c)") { device, numbers in
                let inp = view(numbers.floats(n * c, scale: 3)), weight = view(numbers.floats(c))
                let bias = view(numbers.floats(c)), dOut = view(numbers.floats(n * c))
                let out = zeros(n * c), mean = zeros(n), rstd = zeros(n), dInp = zeros(n * c)
                let dWeight = view(numbers.floats(c)), dBias = view(numbers.floats(c))
                device.layerNormForward(out, mean, rstd, inp, weight, bias, n: n, c: c, eps: 1e-5)
                device.layerNormBackward(dInp, dWeight, dBias, dOut, inp, weight, mean, rstd, n: n, c: c)
                return [out, mean, dInp, dWeight, dBias].map { $0.read() }
            }
        }
    }

    @Test func `residual, dropout and layer norm agree`() {
        for (n, c) in shapes {
            for dropout in streams {
                expectAgreement(within: 3e-5, "\(n) × \(c), rate \(dropout.rate)") { device, numbers in
                    let x = view(numbers.floats(n * c, scale: 3)), xBias = view(numbers.floats(c))
                    let residual = view(numbers.floats(n * c)), weight = view(numbers.floats(c))
                    let bias = view(numbers.floats(c)), dOut = view(numbers.floats(n * c))
                    let out = zeros(n * c), sum = zeros(n * c), mean = zeros(n), rstd = zeros(n)
                    let dX = zeros(n * c), dResidual = zeros(n * c), dXBias = view(numbers.floats(c))
                    let dWeight = view(numbers.floats(c)), dBias = view(numbers.floats(c))
                    device.residualLayerNormForward(
                        out, sum, mean, rstd, x, xBias, residual, weight, bias, n: n, c: c, eps: 1e-5, dropout: dropout)
                    device.residualLayerNormBackward(
                        dX, dXBias, dResidual, dWeight, dBias, dOut, sum, weight, mean, rstd, n: n, c: c,
                        dropout: dropout)
                    return [out, sum, dX, dXBias, dResidual, dWeight, dBias].map { $0.read() }
                }
            }
        }
    }

    @Test func `gelu and tanh with bias agree, forward, backward and in place`() {
        for (n, c) in shapes {
            expectAgreement("\(n) × \(c)") { device, numbers in
                let x = view(numbers.floats(n * c, scale: 5)), bias = view(numbers.floats(c))
                let dOut = view(numbers.floats(n * c)), dBias = view(numbers.floats(c))
                let gelu = zeros(n * c), dGelu = zeros(n * c), tanh = zeros(n * c)
                device.biasGeluForward(gelu, x, bias, n: n, c: c)
                let again = zeros(n * c)
                device.biasGeluBackward(dGelu, dBias, dOut, x, bias, n: n, c: c, activated: again)
                #expect(again.read() == gelu.read())
                device.tanhForward(tanh, x, bias, n: n, c: c)
                device.tanhBackward(dOut, dBias, dOut, tanh, n: n, c: c)
                device.biasGeluForward(x, x, bias, n: n, c: c)
                #expect(x.read() == gelu.read())
                return [gelu, dGelu, tanh, dOut, dBias].map { $0.read() }
            }
        }
    }

    @Test func `row operations agree to the bit`() {
        for (n, c) in shapes {
            expectAgreement(within: 0, "\(n) × \(c)") { device, numbers in
                let word = view(numbers.floats(11 * c)), position = view(numbers.floats(40 * c))
                let type = view(numbers.floats(2 * c)), x = view(numbers.floats(n * c))
                let ids = view(numbers.indices(n, below: 11)), types = view(numbers.indices(n, below: 2))
                let positions = view((0..<Int32(n)).map { $0 }), bias = view(numbers.floats(c))
                let out = zeros(n * c), gathered = zeros(n * c)
                device.embeddingForward(
                    out, word, position, type, ids: ids, positions: positions, types: types, n: n, c: c)
                device.gatherRows(gathered, word, rows: ids, n: n, c: c)
                device.scatterAddRows(word, x, rows: ids, n: n, c: c)
                device.sumRows(bias, x, n: n, c: c)
                device.addBias(x, bias, n: n, c: c)
                return [out, gathered, word, position, type, bias, x].map { $0.read() }
            }
        }
    }

    @Test func `cross-entropy agrees, with and without bias`() {
        for (n, v) in shapes where v > 0 {
            for hasBias in [false, true] {
                expectAgreement("\(n) × \(v)") { device, numbers in
                    let logits = view(numbers.floats(n * v, scale: 20)), bias = view(numbers.floats(v, scale: 3))
                    let labels = view(numbers.indices(n, below: v)), predicted = IndexBuffer(count: n).view()
                    let losses = zeros(n), only = zeros(n), given = hasBias ? bias : nil
                    device.softmaxCrossEntropyForward(
                        only, predicted: predicted, logits, bias: given, labels: labels, n: n, v: v)
                    device.softmaxCrossEntropy(losses, logits, bias: given, labels: labels, n: n, v: v, scale: 0.25)
                    #expect(distance(only.read(), losses.read()) <= 1e-6)
                    return [losses.read(), logits.read(), predicted.read().map(Float.init)]
                }
            }
        }
    }

    @Test func `AdamW, add and scale agree; sum of squares to the bit`() {
        for n in edgeSizes + [1000] {
            expectAgreement(within: 1e-6, "\(n)") { device, numbers in
                let param = view(numbers.floats(n)), grad = view(numbers.floats(n)), m = view(numbers.floats(n))
                let v = view(numbers.floats(n).map(abs))
                device.adamW(
                    param, grad, m, v, count: n, lr: 0.01, beta1: 0.9, beta2: 0.99, eps: 1e-6, weightDecay: 0.1,
                    biasCorrection1: 0.19, biasCorrection2: 0.0199, gradScale: 0.5)
                device.add(grad, param)
                device.scale(grad, by: 3)
                return [param, m, v, grad].map { $0.read() }
            }
            var numbers = Numbers(seed: 9)
            let x = view(numbers.floats(n, scale: 100))
            for device in fast { #expect(device.sumOfSquares(x) == reference.sumOfSquares(x)) }
        }
    }

    @Test func `one infinite or NaN element is found at any place`() {
        for device in variants {
            for n in [1, 8, 33, 5000] {
                let x = view([Float](repeating: -3.4e38, count: n))
                #expect(device.isFinite(x))
                for i in Set([0, n / 2, n - 1]).sorted() {
                    for bad in [Float.infinity, -.infinity, .nan] {
                        x[i] = bad
                        #expect(!device.isFinite(x), "\(device.kernelVariant), \(bad) at \(i) of \(n)")
                    }
                    x[i] = 0
                }
            }
        }
    }

    @Test func `huge logits stay stable, the lowest of equal logits is predicted, NaN is not hidden`() {
        for device in variants {
            let logits = view([Float]([1e4, -1e4, 1e4] + [Float](repeating: -1e30, count: 30)))
            let losses = zeros(1), predicted = view([Int32(-1)]), labels = view([Int32(2)])
            device.softmaxCrossEntropyForward(
                losses, predicted: predicted, logits, bias: nil, labels: labels, n: 1, v: 33)
            #expect(abs(losses[0] - 0.693147) < 1e-3 && predicted[0] == 0)
            logits[17] = .nan
            device.softmaxCrossEntropy(losses, logits, bias: nil, labels: labels, n: 1, v: 33, scale: 1)
            #expect(losses[0].isNaN)
        }
    }
}
