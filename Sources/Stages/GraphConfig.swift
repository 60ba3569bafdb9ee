// The keys of `graph`: sides, caps, and which documents take part in no link.

import Corpus
package import Pipeline
import Text

package struct SidesConfig: StageConfig {
    package enum By: String, CaseIterable, Sendable { case group, text, none }

    package var by = By.group
    package var validation = 0.05
    package var test = 0.05
    package var maxGroup = 0.02

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .choice(
                "by", \.by,
                help: "group: communities of linked or equal-text documents; text: a hash of the text; none: all train"),
            .number("validation", \.validation, in: 0...0.5, help: "share of the documents"),
            .number("test", \.test, in: 0...0.5, help: "share of the documents"),
            .number("max_group", \.maxGroup, in: 0.0001...0.5, help: "largest share of the documents in one community"),
        ]
    }

    package func problems() -> [ConfigProblem] {
        validation + test < 1
            ? []
            : [
                ConfigProblem(
                    "and test leave nothing to train on", key: "validation", fix: "make the two shares smaller")
            ]
    }
}

package struct GraphConfig: StageConfig {
    package var sides = SidesConfig()
    package var maxInDegree: Int?
    package var maxOutDegree: Int?
    package var minDegree: Int?
    package var excludePrefixes: [String] = []
    package var excludeSuffixes: [String] = []
    package var excludePatterns: [String] = []
    package var nearDuplicates: Double? = 0.8

    package init() {}

    package static var keys: [ConfigKey<Self>] {
        [
            .nested("sides", \.sides, help: "how documents are divided into train, validation and test"),
            .optionalInt(
                "max_in_degree", \.maxInDegree, in: 1...Int(UInt32.max),
                help: "documents with more distinct sources lose their in-links"),
            .optionalInt(
                "max_out_degree", \.maxOutDegree, in: 1...Int(UInt32.max),
                help: "documents with more distinct targets (lists, indexes) lose their out-links"),
            .optionalInt(
                "min_degree", \.minDegree, in: 1...Int(UInt32.max),
                help: "documents with fewer edges, in and out together, lose them"),
            .strings(
                "exclude_title_prefixes", \.excludePrefixes,
                help: "documents whose title begins so (`List of `) take part in no link"),
            .strings(
                "exclude_title_suffixes", \.excludeSuffixes,
                help: "documents whose title ends so (` (disambiguation)`) take part in no link"),
            .strings(
                "exclude_title_patterns", \.excludePatterns,
                help:
                    "documents whose title a regular expression (`^[0-9]{1,4}s?( BC)?$` for years) matches take part in no link"
            ),
            .optionalNumber(
                "near_duplicates", \.nearDuplicates, in: 0.6...1,
                help:
                    "documents that share so much of their runs of five words stay on one side and are not linked; null: equal texts only"
            ),
        ]
    }

    /// Rules by title, in the order of their numbers.
    var titleRules: [(key: String, value: String)] {
        [
            ("exclude_title_prefixes", excludePrefixes), ("exclude_title_suffixes", excludeSuffixes),
            ("exclude_title_patterns", excludePatterns),
        ].flatMap { key, values in values.map { (key, $0) } }
    }

    package func problems() -> [ConfigProblem] {
        var problems: [ConfigProblem] = []
        for (key, value) in titleRules where value.isEmpty {
            problems.append(
                ConfigProblem("holds an empty string", key: key, cause: "every title matches it", fix: "remove it"))
        }
        do { _ = try DropRules(excludePatterns) } catch let error as TextError {
            problems.append(
                ConfigProblem(
                    "is wrong: \(error.message)", key: "exclude_title_patterns", cause: error.cause, fix: error.fix))
        } catch {}
        if titleRules.count > GraphNodes.mostRules {
            problems.append(
                ConfigProblem(
                    "and the other rules by title are more than \(GraphNodes.mostRules)", key: "exclude_title_patterns",
                    fix: "join patterns with `|`"))
        }
        return problems
    }
}

extension SidesConfig {
    var rule: SideRule {
        var rule = SideRule()
        rule.unit = SideRule.Unit(rawValue: by.rawValue) ?? .group
        rule.validation = validation
        rule.test = test
        rule.maxGroup = maxGroup
        return rule
    }
}
