import Kernels
import Testing
@Test func `smoke`() {
    let d = Device.cpu
    print(d.cpuKind, d.kernelVariant, d.blas)
    let x = DeviceBuffer(floats: 4), y = DeviceBuffer(floats: 4)
    x.view().write([1, 2, 3, 4])
    d.matmul(y.view(), x.view(), x.view(), m: 2, n: 2, k: 2)
    #expect(y.view().read() == [7, 10, 15, 22])
    #expect(d.sumOfSquares(x.view()) == 30)
}
