// Recipes: what they resolve to, that the file wins, and that the key knows the numbers and not the name.

import Container
import Pipeline
import Testing
import Transformer

import Stages

@Suite struct RecipeTests {
    private func bound(_ json: JSON) throws -> BoundStage {
        let (stage, diagnostics) = StageType(Pretrain.self).decode(node: Node(json: json), stage: "model")
        return try #require(stage, "\(diagnostics.sorted)")
    }

    @Test(arguments: Recipe.Name.allCases) func `every recipe resolves without a problem`(name: Recipe.Name) throws {
        let stage = try bound(["recipe": .string(name.rawValue)])
        let recipe = Recipe.named(name)
        for value in recipe.values {
            #expect(stage.resolvedConfig[value.key] == value.value, "\(value.key)")
            #expect(!value.source.isEmpty)
            #expect(stage.origin(of: value.key)?.hasPrefix("recipe \(name.rawValue): ") == true)
        }
        #expect(stage.origin(of: "seed") == nil)
        #expect(recipe.cost.operations > 1e15)
    }

    /// The rows of the table in the article, sections 5.1 and 6.1.
    @Test(arguments: [
        ("linkbert-tiny", "tiny", 10_000, 2048, 5e-3, 5000), ("linkbert-base", "base", 40_000, 2048, 3e-4, 5000),
        ("linkbert-large", "large", 40_000, 2048, 2e-4, 5000), ("biolinkbert-base", "base", 62_500, 8192, 6e-4, 6250),
        ("biolinkbert-large", "large", 62_500, 8192, 4e-4, 12_500), ("bert-base", "base", 1_000_000, 256, 1e-4, 10_000),
        ("bert", "base", 1_000_000, 256, 1e-4, 10_000),
        ("pubmedbert", "base", 62_500, 8192, 6e-4, 6250),
    ])
    func `published numbers`(
        name: String, architecture: String, steps: Int, batch: Int, rate: Double, warmup: Int
    ) throws {
        let config = Recipe.named(try #require(Recipe.Name(rawValue: name))).config
        #expect(config.architecture.rawValue == architecture && config.steps == steps && config.batchSize == batch)
        #expect(config.learningRate == rate && config.warmupSteps.of(steps) == warmup)
        #expect(config.maxPositionEmbeddings == 512)
        #expect(config.wholeWord == (name.hasPrefix("bio") || name == "pubmedbert"))
        #expect(config.objective == (name.contains("linkbert") ? .linkbert : .bert))
        #expect(config.adamBiasCorrection == !["bert", "bert-base"].contains(name))
    }

    @Test func `what the file says wins over the recipe, also where it says the default`() throws {
        let stage = try bound([
            "recipe": "bert-base", "adam_beta2": 0.98, "steps": 100, "warmup_steps": 10, "adam_bias_correction": true,
        ])
        #expect(stage.resolvedConfig["adam_beta2"] == 0.98 && stage.resolvedConfig["adam_bias_correction"] == true)
        #expect(stage.resolvedConfig["lr_schedule"] == "linear-from-start")
        let restored = try StageType(Pretrain.self).rebind(resolvedConfig: stage.resolvedConfig)
        #expect(restored.canonicalConfig == stage.canonicalConfig)
    }

    @Test func `a recipe and its numbers written out have one key`() throws {
        var written: [String: JSON] = [:]
        for value in Recipe.named(.biolinkbertBase).values { written[value.key] = value.value }
        let named = try bound(["recipe": "biolinkbert-base"])
        #expect(try named.canonicalConfig == bound(.object(written)).canonicalConfig)
        #expect(named.canonicalConfig["recipe"] == nil)
        #expect(try bound([:]).canonicalConfig == .object([:]))
    }

    @Test func `an unknown recipe is an error that lists the known`() {
        let (stage, diagnostics) = StageType(Pretrain.self).decode(
            node: Node(json: ["recipe": "linkbert-huge"]), stage: "model")
        #expect(stage == nil && diagnostics.sorted.count == 1)
    }

    @Test func `years on this machine are said, with the way out`() throws {
        let estimate = try #require(
            try bound(["recipe": "linkbert-base"]).estimate(inputs: [:], waiting: ["vocabulary": [["size": 28_996]]]))
        #expect(estimate.summary.contains("recipe linkbert-base") && estimate.summary.contains("years"))
        #expect(estimate.summary.contains("examples/pytorch") && estimate.summary.contains("110.") == false)
        let report = Recipe.named(.linkbertBase).report(rate: Recipe.coresRate)
        #expect(report.keys.contains { $0[0] == "learning_rate" && $0[1] == "0.0003" && $0[2].contains("section 5.1") })
        #expect(report.cost.joined().contains("years") && report.cost.joined().contains("examples/pytorch"))
    }

    @Test func `the estimate takes sizes from the stages that are yet to run`() throws {
        func summary(_ size: Int, _ length: Int) throws -> String {
            let waiting: [String: [JSON]] = [
                "vocabulary": [["size": JSON(size)]], "shards": [["max_seq_length": JSON(length)]],
            ]
            return try #require(try bound(["steps": 100]).estimate(inputs: [:], waiting: waiting)).summary
        }
        #expect(try summary(2000, 128).contains("at most 0.20 M tokens"))
        #expect(try summary(2000, 128).hasPrefix("0.76 M parameters") || summary(2000, 128).hasPrefix("0.75 M"))
        #expect(try summary(30_522, 128).hasPrefix("4.4"))
    }
}
