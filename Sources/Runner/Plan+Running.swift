// What running needs of a plan beside what Pipeline says of it.

package import Pipeline
import Glibc

extension Plan {
    /// What run records call the file: its real path, so that a run is found again from any working folder.
    var identity: String {
        guard let path = realpath(file, nil) else { return file }
        defer { free(path) }
        return String(cString: path)
    }

    /// The experiment, empty if the file has none.
    var experimentName: String { experiment ?? "" }

    /// All stages, or one and what it reads from, in plan order.
    package func stages(until name: String?) throws -> [PlannedStage] {
        guard let name else { return stages }
        try check(stage: name)
        let needed = Set(upstream(of: name) + [name])
        return stages.filter { needed.contains($0.name) }
    }

    /// - Throws: an error that lists the stages if there is none of this name.
    @discardableResult
    package func check(stage name: String) throws -> PlannedStage {
        if let stage = self[name] { return stage }
        throw RunnerError(
            .usage, "there is no stage '\(name)'", place: file,
            fix: "the stages are: \(stages.map(\.name).joined(separator: ", "))")
    }
}
