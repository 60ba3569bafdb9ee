// What the kernel tests share: seeded numbers, buffers from arrays, distances, and the reader of golden files.

import Foundation
import Kernels

/// Every variant in fp32 that this machine can run; the reference is always the first.
let variants: [Device] = Device.Variant.allCases.filter { $0.precision == .fp32 }.compactMap { Device.cpu(variant: $0) }
let reference = variants[0]
let fast = Array(variants.dropFirst())
/// The variant whose products take bf16 factors, where this machine has it.
let half = Device.cpu(.bf16)

/// The lengths at which vector loops change shape.
let edgeSizes = [0, 1, 7, 8, 9, 31, 32, 33]

/// SplitMix64: the same numbers on every run.
struct Numbers {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Uniform in −scale ... scale.
    mutating func floats(_ count: Int, scale: Float = 1) -> [Float] {
        (0..<count).map { _ in (Float(next() >> 40) / 8_388_608 - 1) * scale }
    }

    mutating func indices(_ count: Int, below bound: Int) -> [Int32] {
        (0..<count).map { _ in Int32(next() % UInt64(bound)) }
    }
}

/// To the nearest bf16, ties to the even one.
func roundedToBF16(_ x: Float) -> Float {
    let bits = x.bitPattern
    return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

func view(_ values: [Float]) -> FloatView {
    let result = DeviceBuffer(floats: values.count).view()
    result.write(values)
    return result
}

func zeros(_ count: Int) -> FloatView { DeviceBuffer(floats: count).view() }

func view(_ values: [Int32]) -> IndexView {
    let result = IndexBuffer(count: values.count).view()
    result.write(values)
    return result
}

/// Greatest |a − b| / (1 + |b|); infinite if one is NaN and the other is not.
func distance(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { worst, pair in
        if pair.0.isNaN && pair.1.isNaN { return worst }
        let d = Double(abs(pair.0 - pair.1)) / (1 + Double(abs(pair.1)))
        return d.isNaN ? .infinity : max(worst, d)
    }
}

/// Σ (a − b)² / Σ b²: the error of a gradient as a share of its energy.
func normalisedError(_ a: [Float], _ b: [Double]) -> Double {
    let error = zip(a, b).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
    return error / max(b.reduce(0) { $0 + $1 * $1 }, 1e-30)
}

/// ‖a − b‖ / ‖b‖.
func relativeError(_ a: [Float], _ b: [Float]) -> Double { normalisedError(a, b.map(Double.init)).squareRoot() }

/// Central differences of `loss` by each element of `x`.
func numericalGradient(_ x: FloatView, step: Float = 1.0 / 128, _ loss: () -> Double) -> [Double] {
    (0..<x.count).map { i in
        let kept = x[i]
        x[i] = kept + step
        let above = loss(), width = Double(x[i])
        x[i] = kept - step
        let below = loss(), total = width - Double(x[i])
        x[i] = kept
        return (above - below) / total
    }
}

/// Σ aᵢ bᵢ in double: the scalar loss whose gradient by `a` is `b`.
func dot(_ a: FloatView, _ b: [Float]) -> Double { zip(a.read(), b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }

/// One file of `Tests/Goldens/kernels`; the format is stated in `make_kernels.py`.
struct Golden {
    private var words: [String: [Substring]] = [:]

    init(_ operation: String) throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Goldens/kernels/\(operation).txt")
        let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
        for i in stride(from: 0, to: lines.count, by: 2) {
            let head = lines[i].split(separator: " ")
            words[String(head[0])] = lines[i + 1].split(separator: " ")
            precondition(words[String(head[0])]!.count == Int(head[1]), "\(operation): \(head[0]) is cut off")
        }
    }

    func floats(_ name: String) -> [Float] { words[name]!.map { Float(bitPattern: UInt32($0, radix: 16)!) } }
    func indices(_ name: String) -> [Int32] { words[name]!.map { Int32($0)! } }
}
