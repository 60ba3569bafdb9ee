// What a run leaves to show: a line a stage, the table, its JSON.

package import Container
package import Pipeline

/// One stage of a finished run.
package struct StageOutcome: Sendable {
    package var name: String
    package var use: String
    package var key: Digest
    package var output: Digest
    package var piecesRun: Int
    package var piecesReused: Int
    package var counts: [String: Int64]
    package var rejections: Rejections
    package var seconds: Double
    /// Empty for a stage that was reused.
    package var reasons: [RunReason]
    package var isReused: Bool { reasons.isEmpty }

    package var json: JSON {
        [
            "name": .string(name), "uses": .string(use), "key": .string(key.hex), "output": .string(output.hex),
            "run": .int(Int64(piecesRun)), "reuse": .int(Int64(piecesReused)), "counts": JSON(counts: counts),
            "rejected": JSON(counts: rejections.counts), "seconds": .number(seconds),
            "reasons": .array(reasons.flatMap(\.json)),
        ]
    }

    var reasonText: String { isReused ? "reused" : reasons.map(\.text).joined(separator: "; ") }
}

/// A whole run of one plan.
package struct RunOutcome: Sendable {
    package var experiment: String?
    package var run: String
    package var stages: [StageOutcome]
    package var seconds: Double
    package var warnings: Int

    package var json: JSON {
        [
            "experiment": experiment.map { .string($0) } ?? .null, "run": .string(run),
            "stages": .array(stages.map(\.json)),
            "seconds": .number(seconds), "warnings": .int(Int64(warnings)),
        ]
    }

    /// The table of stages; counts of nothing are left out.
    package var table: String {
        var rows = [["stage", "use", "run", "reused", "seconds", "reason", "counts"]]
        for stage in stages {
            let counts = stage.counts.sorted { $0.key < $1.key }.filter { $0.value != 0 }
                .map { "\($0.key) \(Figures.grouped($0.value))" }
            rows.append([
                stage.name, stage.use, "\(stage.piecesRun)", "\(stage.piecesReused)",
                Figures.fixed(stage.seconds, stage.seconds < 100 ? 2 : 0), stage.reasonText,
                counts.joined(separator: ", "),
            ])
        }
        let run = stages.reduce(0) { $0 + $1.piecesRun }, reused = stages.reduce(0) { $0 + $1.piecesReused }
        rows.append(["total", "", "\(run)", "\(reused)", Figures.fixed(seconds, 2), "", ""])
        return Terminal.table(rows, right: [2, 3, 4])
    }
}
