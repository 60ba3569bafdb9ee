// What the bits of a training run depend on beside its inputs.

package import Container
import Kernels

/// CPU kind, kernel variant, matrix products and BLAS of this process: recorded beside a result, never in a key. Two runs of equal
/// numerics give equal bits.
package enum Numerics {
    package static var json: JSON {
        [
            "cpu": .string(Device.cpu.cpuKind), "kernels": .string(Device.cpu.kernelVariant),
            "products": .string(Device.cpu.products), "blas": .string(Device.cpu.blas), "precision": "fp32",
        ]
    }
}
