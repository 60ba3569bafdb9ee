// A CBLAS library named at run time: it multiplies as our own kernels do, and what is none is refused in words.

import Kernels
import Testing

struct CBLASTests {
    // The library that the kernels link against, opened once more by its name.
    private static let name = "libopenblas.so.0"

    @Test func `a named library computes all products, with bias, strides and both transpositions`() throws {
        let library = try CBLAS(Self.name)
        #expect(library.version.contains("OpenBLAS") && library.path.contains("openblas"))
        let device = try #require(Device.cpu(variant: .reference, cblas: library))
        #expect(device.products == "cblas" && device.blas == library.version)
        var numbers = Numbers(seed: 1)
        for (m, n, k) in [(1, 1, 1), (7, 33, 9), (31, 8, 64)] {
            let a = view(numbers.floats(m * k)), b = view(numbers.floats(n * k)), bias = view(numbers.floats(n))
            for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
                let found = zeros(m * n), expected = zeros(m * n)
                for (target, device) in [(found, device), (expected, reference)] {
                    device.matmul(
                        target, a, b, bias: bias, m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB,
                        alpha: 0.5)
                    device.matmul(
                        target, a, b, m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB, beta: 1)
                }
                #expect(distance(found.read(), expected.read()) < 1e-5, "\(m) × \(n) × \(k)")
            }
        }
    }

    @Test func `what is no CBLAS library is refused with the linker's words`() {
        let other = #expect(throws: CBLASError.self) { try CBLAS("libm.so.6") }
        #expect(other?.message == "it has no function cblas_sgemm")
        let missing = #expect(throws: CBLASError.self) { try CBLAS("./no-such-library.so") }
        #expect(missing?.message.contains("no-such-library.so") == true)
    }
}
