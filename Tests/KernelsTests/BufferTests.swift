// Buffers, views and matrix products.

import Kernels
import Testing

struct BufferTests {
    @Test func `a buffer begins at zero and a view keeps it alive`() {
        func make() -> FloatView { DeviceBuffer(floats: 1 << 20).view(5, 100) }
        let view = make()
        #expect(view.read() == [Float](repeating: 0, count: 100))
        view.write([1, 2, 3], at: 97)
        #expect(view[99] == 3 && view.slice(96, 3).read() == [0, 1, 2] && view.read(98..<100) == [2, 3])
    }

    @Test func `views of one buffer see the same memory, aligned to 64 bytes`() {
        for count in [1, 1000, 1 << 20] {
            let buffer = DeviceBuffer(floats: count)
            buffer.view(0, 1)[0] = 7
            buffer.view().withBytes { bytes in
                #expect(bytes.count == count * 4 && UInt(bitPattern: bytes.baseAddress) % 64 == 0)
                #expect(bytes.load(as: Float.self) == 7)
            }
        }
        let x = view([Float](arrayLiteral: 1, 2, 3, 4, 5))
        x.slice(1, 4).copy(from: x.slice(0, 4))
        #expect(x.read() == [1, 1, 2, 3, 4])
    }

    @Test func `an index past the table stops the program instead of reading beyond it`() async {
        await #expect(processExitsWith: .failure) {
            let table = DeviceBuffer(floats: 6).view(), out = DeviceBuffer(floats: 2).view()
            let rows = IndexBuffer(count: 1).view()
            rows[0] = 3
            Device.cpu.gatherRows(out, table, rows: rows, n: 1, c: 2)
        }
        await #expect(processExitsWith: .failure) {
            let small = DeviceBuffer(floats: 6).view()
            Device.cpu.matmul(small, small, small, m: 2, n: 3, k: 4)
        }
    }

    @Test func `matmul equals plain loops for every transpose, scaling and stride`() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (33, 17, 9), (4, 6, 0), (0, 3, 2)] {
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                for (alpha, beta, extra) in [(Float(1), Float(0), 0), (0.5, 2, 3)] {
                    var numbers = Numbers(seed: UInt64(m * 100 + n * 10 + k))
                    let lda = (ta ? m : k) + extra, ldb = (tb ? k : n) + extra, ldc = n + extra
                    let a = numbers.floats(max(m, k) * (max(m, k) + extra) + 1)
                    let b = numbers.floats(max(n, k) * (max(n, k) + extra) + 1), c = numbers.floats(m * ldc + 1)
                    var expected = c
                    for i in 0..<m {
                        for j in 0..<n {
                            let sum = (0..<k).reduce(0.0) { sum, x in
                                sum + Double(ta ? a[x * lda + i] : a[i * lda + x])
                                    * Double(tb ? b[j * ldb + x] : b[x * ldb + j])
                            }
                            expected[i * ldc + j] = alpha * Float(sum) + beta * c[i * ldc + j]
                        }
                    }
                    let result = view(c)
                    Device.cpu.matmul(
                        result, view(a), view(b), m: m, n: n, k: k, transposeA: ta, transposeB: tb, alpha: alpha,
                        beta: beta, lda: max(lda, 1), ldb: max(ldb, 1), ldc: ldc)
                    #expect(distance(result.read(), expected) < 1e-5, "\(m) × \(n) × \(k), \(ta) \(tb)")
                }
            }
        }
    }
}
