// The Adam moments of a finished run, for whoever continues training elsewhere.

import Container
import Kernels

/// Both moments, by parameter.
package struct OptimizerState: Sendable {
    private let layout: ParameterLayout
    private let first: DeviceBuffer
    private let second: DeviceBuffer
    private let step: Int

    init(_ trainer: Trainer, step: Int) {
        layout = trainer.model.layout
        first = trainer.firstMoment
        second = trainer.secondMoment
        self.step = step
    }

    /// Writes `optimizer.safetensors`: `first_moment.<parameter>` and `second_moment.<parameter>` in fp32; metadata
    /// `step`. The layout's names are those of `model.safetensors`.
    package func write(to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        let tensors = layout.entries.flatMap { entry in
            [
                TensorToWrite("first_moment." + entry.name, shape: entry.shape, first.view(entry.offset, entry.count)),
                TensorToWrite(
                    "second_moment." + entry.name, shape: entry.shape, second.view(entry.offset, entry.count)),
            ]
        }
        try TensorFile.write(tensors, metadata: ["format": "pt", "step": String(step)], to: sink)
    }
}
