// Recipes: the published settings of known models, by name, each number with where it comes from.

package import Container
import Pipeline
import Transformer

/// A published way to pretrain. It gives keys of `pretrain` that the file leaves out; what the file says wins.
package struct Recipe: Sendable {
    package enum Name: String, CaseIterable, Sendable {
        case linkbertTiny = "linkbert-tiny"
        case linkbertBase = "linkbert-base"
        case linkbertLarge = "linkbert-large"
        case biolinkbertBase = "biolinkbert-base"
        case biolinkbertLarge = "biolinkbert-large"
        /// BERT-base, by the name that its article has for the method.
        case bert
        case bertTiny = "bert-tiny"
        case bertMini = "bert-mini"
        case bertSmall = "bert-small"
        case bertMedium = "bert-medium"
        case bertBase = "bert-base"
        case bertLarge = "bert-large"
        case pubmedbert
    }

    /// One key of `pretrain`, and who says so.
    package struct Value: Sendable {
        package let key: String
        /// As a pipeline file would have it.
        package let value: JSON
        package let source: String
        let apply: @Sendable (inout PretrainConfig) -> Void

        init<V: RecipeValue>(_ key: String, _ path: any KeyOf<PretrainConfig, V>, _ value: V, _ source: String) {
            self.key = key
            self.value = value.inYAML
            self.source = source
            apply = { $0[keyPath: path] = value }
        }
    }

    /// Something published that is no key of `pretrain`: of another stage, or of the data.
    package struct Note: Sendable {
        package let subject: String
        package let text: String
        package let source: String

        init(_ subject: String, _ text: String, _ source: String) {
            self.subject = subject
            self.text = text
            self.source = source
        }
    }

    package let name: Name
    package let values: [Value]
    package let notes: [Note]
    /// Entries of the published vocabulary.
    package let vocabularySize: Int
    /// The published model that training starts from; nil for random weights.
    package let start: String?

    /// The config that the recipe alone resolves to.
    package var config: PretrainConfig {
        var config = PretrainConfig()
        for value in values { value.apply(&config) }
        config.recipe = name
        return config
    }

    /// Who gives a key; nil where the recipe is silent.
    package func source(of key: String) -> String? { values.first { $0.key == key }?.source }
}

// MARK: - Cost

extension Recipe {
    /// What two cores with AVX-512 sustain on a base model, operations a second: for orders of magnitude.
    package static let coresRate = 150e9

    /// Floating-point operations of the whole recipe with full rows, and the tokens they train on.
    package var cost: (operations: Double, tokens: Double) {
        let config = config
        let model = config.model(vocabularySize: vocabularySize, padID: 0)
        let length = Double(config.maxPositionEmbeddings)
        let batch = Double(config.batchSize)
        let step = TrainingEstimate.operations(
            model, tokens: batch * length, squares: batch * length * length,
            masked: batch * length * config.maskedLMProb, sequences: batch)
        return (step * Double(config.steps), batch * length * Double(config.steps))
    }

    /// A hint where training here would take longer than anyone waits; nil where it would not.
    static func tooLong(operations: Double) -> String? {
        let seconds = operations / coresRate
        guard seconds > 30 * 86400 else { return nil }
        return
            "about \(span(seconds)) on two CPU cores: train a model of this scale on GPUs, from the same shards, with "
            + "examples/pytorch"
    }

    /// A long time in one unit.
    package static func span(_ seconds: Double) -> String {
        let units = [("years", 365.25 * 86400), ("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)]
        let (name, size) = units.first { seconds >= 2 * $0.1 } ?? ("seconds", 1)
        return "\(decimal(seconds / size, seconds / size < 10 ? 1 : 0)) \(name)"
    }

    /// A positive number with a fixed number of decimals.
    package static func decimal(_ value: Double, _ decimals: Int) -> String {
        var factor = 1.0
        for _ in 0..<decimals { factor *= 10 }
        let scaled = Int64((value * factor).rounded())
        guard decimals > 0 else { return "\(scaled)" }
        let fraction = String(scaled % Int64(factor))
        return "\(scaled / Int64(factor))." + String(repeating: "0", count: decimals - fraction.utf8.count) + fraction
    }
}

// MARK: - For people

extension Recipe {
    /// One line a recipe: name, size, steps, batch, start.
    package static var table: [[String]] {
        [["recipe", "shape", "objective", "steps", "batch", "peak rate", "starts from"]]
            + published.map { recipe in
                let config = recipe.config
                return [
                    recipe.name.rawValue, config.architecture.rawValue, config.objective.rawValue, "\(config.steps)",
                    "\(config.batchSize)", config.learningRate.map { "\($0)" } ?? "", recipe.start ?? "random weights",
                ]
            }
    }

    /// Keys, values and sources; then what is to be set elsewhere; then the cost.
    /// - Parameter rate: operations a second of the machine asked about.
    package func report(rate: Double) -> (keys: [[String]], notes: [[String]], cost: [String]) {
        let rows = values.map {
            [$0.key, $0.value.string ?? String(decoding: $0.value.canonical, as: UTF8.self), $0.source]
        }
        let (operations, tokens) = cost
        var lines = [
            "\(Recipe.decimal(tokens / 1e9, 1)) G tokens at most, \(Recipe.decimal(operations / 1e15, 0)) PFLOP; "
                + "\(Recipe.span(operations / rate)) at \(Recipe.decimal(rate / 1e9, 0)) GFLOP/s, which "
                + (rate == Recipe.coresRate ? "two cores with AVX-512 sustain" : "--rate names")
        ]
        if operations / rate > 30 * 86400 {
            lines.append(
                "too long for this machine: train on GPUs, from the same shards, with examples/pytorch, or set `steps` "
                    + "and `batch_size` beside `recipe`: what the file says wins")
        }
        return (rows, notes.map { [$0.subject, $0.text, $0.source] }, lines)
    }

    /// Recipes as JSON text: one object, or a list of several.
    package static func json(_ recipes: [Recipe]) -> String {
        let list = recipes.map(\.json)
        return (list.count == 1 ? list[0] : .array(list)).pretty
    }

    private var json: JSON {
        [
            "recipe": .string(name.rawValue),
            "values": .array(values.map { ["key": .string($0.key), "value": $0.value, "source": .string($0.source)] }),
            "notes": .array(
                notes.map {
                    ["subject": .string($0.subject), "text": .string($0.text), "source": .string($0.source)]
                }),
            "operations": .number(cost.operations), "tokens": .number(cost.tokens),
        ]
    }
}

/// What a recipe can give a key.
protocol RecipeValue: Sendable { var inYAML: JSON { get } }

extension Int: RecipeValue { var inYAML: JSON { .int(Int64(self)) } }
extension Double: RecipeValue { var inYAML: JSON { .number(self) } }
extension Double?: RecipeValue { var inYAML: JSON { map { .number($0) } ?? .null } }
extension Bool: RecipeValue { var inYAML: JSON { .bool(self) } }
extension StepAmount: RecipeValue { var inYAML: JSON { json } }
extension ModelShape: RecipeValue { var inYAML: JSON { .string(rawValue) } }
extension Objective: RecipeValue { var inYAML: JSON { .string(rawValue) } }
extension LearningRateSchedule: RecipeValue { var inYAML: JSON { .string(rawValue) } }
