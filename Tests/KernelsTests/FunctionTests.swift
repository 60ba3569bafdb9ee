// exp, erf and tanh against the true value in double, in units of the last place.

import CKernels
import Foundation
import Testing

struct FunctionTests {
    private typealias Map = @convention(c) (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void

    private static var tables: [UnsafePointer<ck_ops>] {
        [CK_REFERENCE, CK_AVX2, CK_AVX512].compactMap { ck_ops_for($0) }
    }

    /// Every 509th fp32 bit pattern inside the range, with both signs.
    private static func samples(_ range: ClosedRange<Float>) -> [Float] {
        stride(from: UInt32(0), to: 0x7f80_0000, by: 509).flatMap { bits in
            [Float(bitPattern: bits), -Float(bitPattern: bits)].filter(range.contains)
        }
    }

    private static func worst(_ map: Map, _ inputs: [Float], _ truth: (Double) -> Double) -> (Double, Float) {
        var outputs = [Float](repeating: 0, count: inputs.count)
        map(&outputs, inputs, inputs.count)
        var result = (0.0, Float(0))
        for (x, y) in zip(inputs, outputs) {
            let expected = truth(Double(x))
            let unit = Double(max(Float(abs(expected)), .leastNormalMagnitude).ulp)
            let error = abs(Double(y) - expected) / unit
            if !(error <= result.0) { result = (error, x) }
        }
        return result
    }

    @Test func `exp is within 1,1 units of the last place down to the smallest normal number`() {
        let inputs = Self.samples(-87.336...88.722)
        for table in Self.tables {
            let (error, at) = Self.worst(table.pointee.map_exp, inputs, exp)
            #expect(error <= 1.1, "\(error) at \(at)")
        }
    }

    @Test func `erf is within 1,2 units of the last place everywhere`() {
        let inputs = Self.samples(-(.greatestFiniteMagnitude)...(.greatestFiniteMagnitude))
        for table in Self.tables {
            let (error, at) = Self.worst(table.pointee.map_erf, inputs, erf)
            #expect(error <= 1.2, "\(error) at \(at)")
        }
    }

    @Test func `tanh is within 1,5 units of the last place everywhere`() {
        let inputs = Self.samples(-(.greatestFiniteMagnitude)...(.greatestFiniteMagnitude))
        for table in Self.tables.dropFirst() {  // libm's own tanhf, the reference, is off by 2.1
            let (error, at) = Self.worst(table.pointee.map_tanh, inputs, tanh)
            #expect(error <= 1.5, "\(error) at \(at)")
        }
    }

    @Test func `functions keep NaN, saturate at infinity and flush to zero`() {
        let inputs: [Float] = [.nan, .infinity, -.infinity, -88, -104, 89, 1e30, -1e30, 0, -0.0]
        for table in Self.tables.dropFirst() {
            var out = [Float](repeating: 7, count: inputs.count)
            table.pointee.map_exp(&out, inputs, inputs.count)
            #expect(out[0].isNaN)
            #expect(out[1...] == [.infinity, 0, 0, 0, .infinity, .infinity, 0, 1, 1])
            table.pointee.map_erf(&out, inputs, inputs.count)
            #expect(out[0].isNaN)
            #expect(out[1...] == [1, -1, -1, -1, 1, 1, -1, 0, 0])
            table.pointee.map_tanh(&out, inputs, inputs.count)
            #expect(out[0].isNaN)
            #expect(out[1...] == [1, -1, -1, -1, 1, 1, -1, 0, 0])
        }
    }
}
