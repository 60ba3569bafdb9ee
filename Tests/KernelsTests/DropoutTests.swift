// Masks: their rate, their scaling, and that every variant and every call makes the same ones.

import Kernels
import Testing

struct DropoutTests {
    private func mask(_ device: Device, _ n: Int, _ dropout: DropoutStream) -> [Float] {
        let out = zeros(n)
        device.dropout(out, view([Float](repeating: 1, count: n)), n: n, dropout: dropout)
        return out.read()
    }

    @Test func `the share kept is one minus the rate, within five standard deviations`() {
        let n = 1 << 20
        for rate in [Float(0.01), 0.1, 0.5, 0.9] {
            for seed in UInt64(0)..<4 {
                let values = mask(Device.cpu, n, DropoutStream(seed: seed, rate: rate))
                let kept = Double(values.count { $0 != 0 }) / Double(n), expected = 1 - Double(rate)
                #expect(abs(kept - expected) < 5 * (expected * Double(rate) / Double(n)).squareRoot(), "seed \(seed)")
                #expect(values.allSatisfy { $0 == 0 || $0 == Float(1 / (1 - Double(rate))) })
            }
        }
    }

    @Test func `every variant makes the same mask to the bit`() {
        for n in edgeSizes + [4096 + 5] {
            for seed in [UInt64(0), 1, .max, 0x1234_5678_9abc_def0] {
                let dropout = DropoutStream(seed: seed, rate: 0.1), expected = mask(reference, n, dropout)
                for device in fast { #expect(mask(device, n, dropout) == expected, "\(device.kernelVariant), n \(n)") }
            }
        }
    }

    @Test func `the masks are those of the stated hash, release after release`() {
        // Bit i: whether element i of seed 42 is kept at rate 1/2; from the arithmetic of dropout.h written in Python.
        let kept: UInt64 = 0x4514_9d21_2870_b16b
        for device in variants {
            let values = mask(device, 64, DropoutStream(seed: 42, rate: 0.5))
            #expect((0..<64).reduce(UInt64(0)) { $0 | (values[$1] != 0 ? 1 << UInt64($1) : 0) } == kept)
        }
    }

    @Test func `the mask of an element does not depend on how many elements there are`() {
        let dropout = DropoutStream(seed: 8, rate: 0.4), long = mask(Device.cpu, 100, dropout)
        for n in edgeSizes { #expect(mask(Device.cpu, n, dropout) == Array(long.prefix(n))) }
    }

    @Test func `neighbours, rows and seeds are not correlated`() {
        let n = 1 << 18, c = 64
        func agreement(_ a: some Collection<Bool>, _ b: some Collection<Bool>) -> Double {
            Double(zip(a, b).count { $0 == $1 }) / Double(min(a.count, b.count))
        }
        // Rows as residualLayerNorm counts them: sum = dropout(1) with a residual of 0.
        let dropout = DropoutStream(seed: 21, rate: 0.5), sum = zeros(n), other = zeros(n)
        let ones = view([Float](repeating: 1, count: n)), none = zeros(c), out = zeros(n), mean = zeros(n)
        let rstd = zeros(n), rows = n / c
        for (target, stream) in [(sum, dropout), (other, DropoutStream(seed: 22, rate: 0.5))] {
            Device.cpu.residualLayerNormForward(
                out, target, mean, rstd, ones, none, zeros(n), none, none, n: rows, c: c, eps: 1, dropout: stream)
        }
        let kept = sum.read().map { $0 != 0 }, elsewhere = other.read().map { $0 != 0 }
        let limit = 5 * 0.5 / Double(n).squareRoot()
        for lag in [1, 2, 3, 16, c, 2 * c, 17 * c] {
            #expect(abs(agreement(kept, kept.dropFirst(lag)) - 0.5) < limit, "lag \(lag)")
        }
        #expect(abs(agreement(kept, elsewhere) - 0.5) < limit)
    }

    @Test func `a rate of zero changes nothing, in place too`() {
        for device in variants {
            var numbers = Numbers(seed: 2)
            let values = numbers.floats(33), x = view(values)
            device.dropout(x, x, n: 33, dropout: .off)
            #expect(x.read() == values)
        }
    }
}
