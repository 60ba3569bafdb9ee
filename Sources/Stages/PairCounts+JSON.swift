// The counts of sampled pairs as JSON, there and back.

import Container
import Corpus

/// As in metadata and in the summaries of pieces.
extension PairCounts {
    var json: JSON {
        func sides(_ values: [Int]) -> JSON { .bySide { .int(Int64(values[$0])) } }
        let relations = JSON.bySide { side in .byRelation { .int(Int64(relation[side][$0])) } }
        return .object([
            "relations": relations, "anchors": sides(anchors),
            "left_out": sides(leftOut), "redraws": sides(redraws), "refused_negatives": .int(Int64(refusedNegatives)),
            "hard_negatives": sides(hardNegatives), "without_hard_negative": sides(withoutHardNegative),
        ])
    }

    init(json: JSON) {
        self.init()
        for side in Side.allCases {
            let s = Int(side.rawValue)
            for r in Relation.allCases {
                relation[s][Int(r.rawValue)] = Int(json["relations"]?[side.name]?[r.name]?.int ?? 0)
            }
            anchors[s] = Int(json["anchors"]?[side.name]?.int ?? 0)
            leftOut[s] = Int(json["left_out"]?[side.name]?.int ?? 0)
            redraws[s] = Int(json["redraws"]?[side.name]?.int ?? 0)
            hardNegatives[s] = Int(json["hard_negatives"]?[side.name]?.int ?? 0)
            withoutHardNegative[s] = Int(json["without_hard_negative"]?[side.name]?.int ?? 0)
        }
        refusedNegatives = Int(json["refused_negatives"]?.int ?? 0)
    }
}
