// A BERT with its heads: config, layout and the flat buffer of parameters. What is done with it (training, prediction)
// lives elsewhere and keeps its own buffers.

package import Kernels

/// Config and parameters of one model.
///
/// Threading: any number of threads may read the parameters; whoever writes them (the trainer, between steps) does so
/// while nobody reads.
package final class BertModel: Sendable {
    package let config: BertConfig
    package let layout: ParameterLayout
    /// Flat over `layout`.
    package let parameters: DeviceBuffer

    /// A model of zeros, to be filled.
    /// - Throws: `ModelError` if the config is impossible.
    package init(zeros config: BertConfig) throws(ModelError) {
        try config.validate()
        self.config = config
        layout = ParameterLayout(config)
        parameters = DeviceBuffer(floats: layout.count)
    }

    /// A fresh model: its start values are a pure function of seed and parameter name.
    package convenience init(
        _ config: BertConfig, seed: UInt64, initializer: Initializer = .normal
    ) throws(ModelError) {
        try self.init(zeros: config)
        layout.initialise(parameters.view(), seed: seed, config: config, initializer: initializer)
    }

    var weights: Weights { Weights(parameters.view(), layout, config) }

    /// The values of one parameter, row-major; nil if there is none of that name.
    package func values(_ name: String) -> [Float]? {
        layout[name].map { parameters.view($0.offset, $0.count).read() }
    }
}
