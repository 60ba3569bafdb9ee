// The published recipes. Every value names the place that states it; what no source states says so.

import Transformer

/// Where numbers come from.
private enum Source {
    static let linkbert = "LinkBERT (ACL 2022), section 5.1"
    static let method = "LinkBERT (ACL 2022), section 4.2"
    static let masking = "LinkBERT (ACL 2022), section 3"
    static let biolinkbert = "LinkBERT (ACL 2022), section 6.1"
    static let asPubMedBERT = "as PubMedBERT, LinkBERT section 6.1; PubMedBERT (arXiv 2007.15779)"
    static let pubmedbert = "PubMedBERT (arXiv 2007.15779)"
    static let bert = "google-research/bert, README and run_pretraining.py"
    static let bertPaper = "BERT (arXiv 1810.04805), as commonly reported"
    static let adam = "google-research/bert, optimization.py"
    static let bertSize = "google-research/bert, README"
    static let asBERT = "not stated there; BERT's own (google-research/bert)"
    static let usual = "not stated there; as torch.optim.AdamW"
}

extension Recipe {
    package static let published: [Recipe] = Name.allCases.map { name in
        switch name {
        case .linkbertTiny: linkbert(name, .tiny, rate: 5e-3, steps: 10_000, start: nil, gpus: "2 RTX 2080 Ti, 1 day")
        case .linkbertBase:
            linkbert(name, .base, rate: 3e-4, steps: 40_000, start: "bert-base-cased", gpus: "4 A100, 4 days")
        case .linkbertLarge:
            linkbert(name, .large, rate: 2e-4, steps: 40_000, start: "bert-large-cased", gpus: "8 A100, 7 days")
        case .biolinkbertBase: biolinkbert(name, .base, rate: 6e-4, warmup: 10, gpus: "8 A100, 7 days")
        case .biolinkbertLarge: biolinkbert(name, .large, rate: 4e-4, warmup: 20, gpus: "8 A100, 21 days")
        case .bert: bert(name, .base)
        case .bertTiny: bert(name, .tiny)
        case .bertMini: bert(name, .mini)
        case .bertSmall: bert(name, .small)
        case .bertMedium: bert(name, .medium)
        case .bertBase: bert(name, .base)
        case .bertLarge: bert(name, .large)
        case .pubmedbert: pubmedbert
        }
    }

    package static func named(_ name: Name) -> Recipe {
        guard let recipe = published.first(where: { $0.name == name }) else {
            preconditionFailure("every name has its recipe")
        }
        return recipe
    }

    /// What BERT does and its successors do not mention.
    private static func common(_ source: String) -> [Value] {
        [
            Value("adam_epsilon", \.adamEpsilon, 1e-6, source),
            Value("max_grad_norm", \.maxGradNorm, 1, source),
            Value("hidden_dropout", \.hiddenDropout, 0.1, source),
            Value("attention_dropout", \.attentionDropout, 0.1, source),
        ]
    }

    private static func linkbert(
        _ name: Name, _ shape: ModelShape, rate: Double, steps: Int, start: String?, gpus: String
    ) -> Recipe {
        let p = Source.linkbert
        return Recipe(
            name: name,
            values: [
                Value("architecture", \.architecture, shape, p),
                Value("max_position_embeddings", \.maxPositionEmbeddings, 512, p),
                Value("objective", \.objective, .linkbert, Source.method),
                Value("drp_weight", \.drpWeight, 1, Source.method),
                Value("masked_lm_prob", \.maskedLMProb, 0.15, Source.masking),
                Value("whole_word", \.wholeWord, false, Source.asBERT),
                Value("steps", \.steps, steps, p), Value("batch_size", \.batchSize, 2048, p),
                Value("learning_rate", \.learningRate, rate, p),
                Value("warmup_steps", \.warmupSteps, .steps(5000), p),
                Value("lr_schedule", \.schedule, .linear, p),
                Value("adam_beta1", \.adamBeta1, 0.9, p), Value("adam_beta2", \.adamBeta2, 0.98, p),
                Value("weight_decay", \.weightDecay, 0.01, p),
                Value("adam_bias_correction", \.adamBiasCorrection, true, Source.usual),
            ] + common(Source.asBERT),
            notes: [
                Note("mix", "pair-sample: {contiguous: 1, random: 1, linked: 1}", p),
                Note("length", "segment, shard: max_seq_length 512", p),
                Note("corpus", "Wikipedia with its hyperlinks, and BookCorpus without linked pairs", p),
                Note(
                    "control", "BERT of the same size: `objective: bert` with {contiguous: 1, random: 1, linked: 0}", p),
                Note("precision", "fp16 there; fp32 here", p), Note("there", gpus, p),
            ]
                + [
                    start.map {
                        Note(
                            "init", "connect an import of \($0): its vocabulary too",
                            p + "; cased as the released models")
                    }
                ].compactMap(\.self),
            vocabularySize: start == nil ? 30_522 : 28_996, start: start)
    }

    private static func biolinkbert(
        _ name: Name, _ shape: ModelShape, rate: Double, warmup: Double, gpus: String
    ) -> Recipe {
        let p = Source.biolinkbert
        return Recipe(
            name: name,
            values: [
                Value("architecture", \.architecture, shape, p),
                Value("max_position_embeddings", \.maxPositionEmbeddings, 512, Source.asPubMedBERT),
                Value("objective", \.objective, .linkbert, Source.method),
                Value("drp_weight", \.drpWeight, 1, Source.method),
                Value("masked_lm_prob", \.maskedLMProb, 0.15, Source.asPubMedBERT),
                Value("whole_word", \.wholeWord, true, Source.asPubMedBERT),
                Value("steps", \.steps, 62_500, p), Value("batch_size", \.batchSize, 8192, p),
                Value("learning_rate", \.learningRate, rate, p),
                Value("warmup_steps", \.warmupSteps, .percent(warmup), p),
                Value("lr_schedule", \.schedule, .linear, p),
                Value("adam_beta1", \.adamBeta1, 0.9, Source.asBERT),
                Value("adam_beta2", \.adamBeta2, 0.999, "as PubMedBERT, which does not state it; BERT's own"),
                Value("weight_decay", \.weightDecay, 0.01, Source.asBERT),
                Value("adam_bias_correction", \.adamBiasCorrection, true, Source.usual),
            ] + common(Source.asBERT),
            notes: [
                Note("mix", "pair-sample: {contiguous: 1, random: 1, linked: 1}", p),
                Note("length", "segment, shard: max_seq_length 512", Source.asPubMedBERT),
                Note("corpus", "PubMed abstracts (21 GB) with their citations", p),
                Note("vocabulary", "28,895 entries, uncased, learned on PubMed", "configuration of the released model"),
                Note("precision", "fp16 there; fp32 here", p), Note("there", gpus, p),
            ], vocabularySize: 28_895, start: nil)
    }

    private static func bert(_ name: Name, _ shape: ModelShape) -> Recipe {
        let p = Source.bert
        let isOriginal = shape == .base || shape == .large
        return Recipe(
            name: name,
            values: [
                Value("architecture", \.architecture, shape, Source.bertSize),
                Value("max_position_embeddings", \.maxPositionEmbeddings, 512, Source.bertSize),
                Value("objective", \.objective, .bert, p), Value("drp_weight", \.drpWeight, 1, p),
                Value("masked_lm_prob", \.maskedLMProb, 0.15, p), Value("whole_word", \.wholeWord, false, p),
                Value(
                    "steps", \.steps, 1_000_000,
                    isOriginal ? Source.bertPaper : "as BERT-base; not stated for this size"),
                Value(
                    "batch_size", \.batchSize, 256,
                    isOriginal ? Source.bertPaper : "as BERT-base; not stated for this size"),
                Value("learning_rate", \.learningRate, 1e-4, isOriginal ? p : "as BERT-base; not stated for this size"),
                Value("warmup_steps", \.warmupSteps, .steps(10_000), p),
                Value("lr_schedule", \.schedule, .linearFromStart, Source.adam),
                Value("adam_beta1", \.adamBeta1, 0.9, Source.adam),
                Value("adam_beta2", \.adamBeta2, 0.999, Source.adam),
                Value("weight_decay", \.weightDecay, 0.01, Source.adam),
                Value("adam_bias_correction", \.adamBiasCorrection, false, Source.adam),
            ] + common(Source.adam),
            notes: [
                Note("mix", "pair-sample: {contiguous: 1, random: 1, linked: 0}", p),
                Note("phases", "90% of the steps at length 128, then 10% at 512: pipelines/curriculum.yaml", p),
                Note("corpus", "Wikipedia and BookCorpus", p),
            ], vocabularySize: 30_522, start: nil)
    }

    private static var pubmedbert: Recipe {
        let p = Source.pubmedbert
        return Recipe(
            name: .pubmedbert,
            values: [
                Value("architecture", \.architecture, .base, p),
                Value("max_position_embeddings", \.maxPositionEmbeddings, 512, p),
                Value("objective", \.objective, .bert, p), Value("drp_weight", \.drpWeight, 1, Source.asBERT),
                Value("masked_lm_prob", \.maskedLMProb, 0.15, p), Value("whole_word", \.wholeWord, true, p),
                Value("steps", \.steps, 62_500, p), Value("batch_size", \.batchSize, 8192, p),
                Value("learning_rate", \.learningRate, 6e-4, p),
                Value("warmup_steps", \.warmupSteps, .percent(10), p),
                Value("lr_schedule", \.schedule, .linear, p),
                Value("adam_beta1", \.adamBeta1, 0.9, Source.asBERT),
                Value("adam_beta2", \.adamBeta2, 0.999, Source.asBERT),
                Value("weight_decay", \.weightDecay, 0.01, Source.asBERT),
                Value("adam_bias_correction", \.adamBiasCorrection, true, Source.usual),
            ] + common(Source.asBERT),
            notes: [
                Note("mix", "pair-sample: {contiguous: 1, random: 1, linked: 0}", p),
                Note("corpus", "14 M PubMed abstracts of at least 128 words (21 GB)", p),
                Note("vocabulary", "30,522 entries, uncased, learned on PubMed", p),
                Note("there", "16 V100, about 5 days", p),
            ], vocabularySize: 30_522, start: nil)
    }
}
