// The table of keys of stage `pretrain`.

package import Pipeline
package import Transformer

/// The sizes of a model: published ones, or those of the model that training starts from.
package enum ModelShape: String, CaseIterable, Sendable {
    case tiny, mini, small, medium, base, large
    case initial = "init"

    package var published: Architecture? { Architecture(rawValue: rawValue) }
}

extension PretrainConfig {
    package static var keys: [ConfigKey<Self>] { modelKeys + optimiserKeys + guardKeys + reportKeys }

    private static var modelKeys: [ConfigKey<Self>] {
        [
            .optionalChoice(
                "recipe", \.recipe, operational: true,
                help: "published settings for the keys left out here; they enter the cache key one by one. "
                    + "`linkloom recipes NAME` shows them"),
            .choice(
                "architecture", \.architecture,
                help: "one of the published BERT sizes; init: that of the model of port `init`"),
            .choice(
                "init_mismatch", \.initMismatch,
                help: "refuse: the model of port `init` must have this vocabulary and as many positions; extend: "
                    + "tokens are found by their text and new ones start at random, positions beyond the model's "
                    + "repeat its own"),
            .int(
                "max_position_embeddings", \.maxPositionEmbeddings, in: 8...65_535,
                help: "positions the model has; rows may be shorter, never longer"),
            .choice(
                "initializer", \.initializer,
                help: "start values of a fresh model. normal: as BERT; mimetic: attention begins with words "
                    + "nearby, the same word elsewhere and the other segment, so that small models learn to use "
                    + "context and relations far sooner"),
            .optionalNumber(
                "initializer_range", \.initializerRange, in: 1e-6...1,
                help: "standard deviation of the start values of weights (normal, cut at two deviations); null: "
                    + "1/sqrt(hidden size) with `initializer: mimetic`, else that of the model of port `init`, or 0.02"),
            .choice(
                "objective", \.objective,
                help: "linkbert: MLM and 3-way document relation prediction; bert: MLM and next sentence prediction; "
                    + "mlm: MLM alone"),
            .number("drp_weight", \.drpWeight, in: 0...1000, help: "weight of the relation loss beside the MLM loss"),
            .number(
                "masked_lm_prob", \.maskedLMProb, in: 0.01...0.9,
                help: "share of tokens masked, where masking is dynamic"),
            .bool("whole_word", \.wholeWord, help: "mask whole words, where masking is dynamic"),
            .number("hidden_dropout", \.hiddenDropout, in: 0...0.9, help: "dropout of embeddings and layer outputs"),
            .number("attention_dropout", \.attentionDropout, in: 0...0.9, help: "dropout of attention probabilities"),
            .int("seed", \.seed, in: 0...Int.max, help: "start values, masks and dropout"),
            .choice(
                "precision", \.precision,
                help: "of the factors of matrix products; bf16 needs a CPU with AVX-512 BF16"),
        ]
    }

    private static var optimiserKeys: [ConfigKey<Self>] {
        [
            .int("steps", \.steps, in: 1...1_000_000_000, help: "optimiser steps"),
            .int("batch_size", \.batchSize, in: 1...1_000_000, help: "sequences a step"),
            .int(
                "slices", \.slices, in: 1...1024,
                help: "parts of a batch that threads take; fixed here, so that no thread count changes a bit"),
            .int(
                "gradient_accumulation", \.gradientAccumulation, in: 1...1_000_000,
                help: "parts of a batch computed one after another: memory for one part, the gradient of all"),
            .nestedList(
                "phases", \.phases, help: "shards in turn, e.g. [{shards: 0, steps: 90%}, {shards: 1, steps: 10%}]"),
            .optionalNumber(
                "learning_rate", \.learningRate, in: 0...1,
                help: "peak; null: by size, 1e-3 tiny and mini, 5e-4 small and medium, 2e-4 base, 1e-4 large, 5e-5 "
                    + "with `architecture: init`"),
            StepAmount.key("warmup_steps", \.warmupSteps, help: "steps of linear warm-up, before `lr_schedule`"),
            .choice(
                "lr_schedule", \.schedule,
                help: "after the warm-up: linear or cosine to 0, constant, or linear-from-start as BERT's own script "
                    + "(on the line from the peak at step 0 to 0 at the end)"),
            .number("adam_beta1", \.adamBeta1, in: 0...0.999999, help: "decay of the first moment"),
            .number("adam_beta2", \.adamBeta2, in: 0...0.999999, help: "decay of the second moment"),
            .number("adam_epsilon", \.adamEpsilon, in: 1e-12...1, help: "added to the root of the second moment"),
            .choice(
                "adam_variant", \.adamVariant,
                help: "torch: as torch.optim.AdamW; transformers: as the AdamW of transformers 4 (epsilon beside the "
                    + "uncorrected root, decay last)"),
            .bool("adam_bias_correction", \.adamBiasCorrection, help: "false: as BERT's own Adam"),
            .number("weight_decay", \.weightDecay, in: 0...10, help: "decoupled"),
            .strings(
                "weight_decay_exclude", \.weightDecayExclude,
                help: "parameters whose name holds one of these are not decayed"),
            .number("max_grad_norm", \.maxGradNorm, in: 0...1e9, help: "clip the global norm; 0: do not clip"),
        ]
    }

    private static var guardKeys: [ConfigKey<Self>] {
        [
            .int(
                "max_skipped_steps", \.maxSkippedSteps, in: 1...1_000_000,
                help: "steps in a row with a loss or gradient that is not finite after which the run fails; fewer are "
                    + "skipped and counted"),
            .int(
                "early_stopping_patience", \.earlyStoppingPatience, in: 0...1_000_000,
                help: "validations in a row without a better loss after which training ends; 0: never"),
            .number(
                "early_stopping_threshold", \.earlyStoppingThreshold, in: 0...1000,
                help: "by how much the validation loss must fall to count as better"),
        ]
    }

    private static var reportKeys: [ConfigKey<Self>] {
        [
            .int(
                "validation_steps", \.validationSteps, in: 0...1_000_000_000, help: "steps between validations; 0: none"
            ),
            .int("validation_rows", \.validationRows, in: 1...1_000_000_000, help: "rows looked at in a validation"),
            .int(
                "save_steps", \.saveSteps, in: 0...1_000_000_000,
                help: "steps between checkpoints that stay in the result, as checkpoint-<step>/; 0: the last only"),
            .int(
                "save_total_limit", \.saveTotalLimit, in: 0...1_000_000,
                help: "how many checkpoints of save_steps stay, the newest; 0: all"),
            .bool(
                "save_best", \.saveBest,
                help: "keep the parameters of the best validation (MLM loss + drp_weight · DRP loss), as best/"),
            .optionalInt(
                "threads", \.threads, in: 1...1024, operational: true, help: "threads; null: as many as the run may use"
            ),
            .int(
                "log_steps", \.logSteps, in: 1...1_000_000, operational: true, help: "steps between lines of progress"),
            .int(
                "checkpoint_steps", \.checkpointSteps, in: 0...1_000_000_000, operational: true,
                help: "steps between states saved for resuming; 0: by checkpoint_seconds"),
            .number(
                "checkpoint_seconds", \.checkpointSeconds, in: 1...1e9, operational: true,
                help: "seconds between states saved for resuming"),
            .int(
                "checkpoint_limit", \.checkpointLimit, in: 2...1000, operational: true,
                help: "states kept for resuming, the newest; a damaged one falls back to the one before"),
        ]
    }
}
