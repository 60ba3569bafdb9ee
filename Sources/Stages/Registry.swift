// All stages, in the order of the pipeline.

package import Pipeline

package enum LinkloomStages {
    package static var registry: StageRegistry {
        StageRegistry([
            StageType(Parse.self), StageType(LinkExtract.self), StageType(Graph.self), StageType(Vocabulary.self),
            StageType(Tokenize.self), StageType(Segment.self), StageType(PairSample.self), StageType(Shard.self),
            StageType(Pretrain.self), StageType(Evaluate.self), StageType(Import.self),
        ])
    }
}
