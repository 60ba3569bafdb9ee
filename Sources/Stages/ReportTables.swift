// Tables of reports: one member a side, one member a relation, under the names that users write.

import Container
import Corpus

extension JSON {
    /// `{"train": …, "validation": …, "test": …}`; `value` gets the raw value.
    static func bySide(_ value: (Int) -> JSON) -> JSON {
        .object(Dictionary(uniqueKeysWithValues: Side.allCases.map { ($0.name, value(Int($0.rawValue))) }))
    }

    /// `{"contiguous": …, "random": …, "linked": …}`; `value` gets the raw value.
    /// - Parameter relations: how many of them, from the first; a two-way head knows no linked rows.
    static func byRelation(_ relations: Int = Relation.allCases.count, _ value: (Int) -> JSON) -> JSON {
        .object(
            Dictionary(
                uniqueKeysWithValues: Relation.allCases.prefix(relations).map { ($0.name, value(Int($0.rawValue))) }))
    }
}
