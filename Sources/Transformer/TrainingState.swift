// Checkpoints of a run in progress: everything needed to go on as if it had never stopped, bit for bit.

import Container
import Kernels

/// Where training stands in one data set: rows before `place` of this pass have been used.
struct DataPosition: Equatable {
    var epoch = 0
    var place = RowPlace(part: 0, offset: 0)
}

/// A run between two steps, apart from its buffers.
struct TrainingState: Equatable {
    /// Steps done.
    var step = 0
    var tokens = 0
    var positions: [DataPosition]
    /// Lines of metrics.jsonl so far.
    var metrics: [UInt8] = []
    /// Steps skipped because their loss or gradient was not finite: of all, and right before this moment.
    var skipped = 0
    var skippedInRow = 0
    /// Steps right before this moment whose loss was hopeless.
    var hopelessInRow = 0
    /// The best validation; nil before the first.
    var best: BestValidation?
    /// Validations since the best.
    var validationsSinceBest = 0
    /// Whether early stopping has ended the run.
    var isStopped = false
}

/// The best validation of a run.
package struct BestValidation: Sendable, Equatable {
    package var step: Int
    /// MLM loss plus the weighted relation loss.
    package var loss: Double
}

extension TrainingState {
    /// What stands in the record beside step, tokens and positions; members at their start values are absent.
    fileprivate var progress: [String: JSON] {
        var members: [String: JSON] = [:]
        for (name, count) in [
            ("skipped", skipped), ("skipped_in_row", skippedInRow), ("hopeless_in_row", hopelessInRow),
            ("validations_since_best", validationsSinceBest),
        ] where count != 0 { members[name] = JSON(count) }
        if let best { members["best"] = ["step": JSON(best.step), "loss": .number(best.loss)] }
        if isStopped { members["stopped"] = true }
        return members
    }

    fileprivate mutating func readProgress(_ json: JSON) {
        func count(_ name: String) -> Int { Int(json[name]?.int ?? 0) }
        skipped = count("skipped")
        skippedInRow = count("skipped_in_row")
        hopelessInRow = count("hopeless_in_row")
        validationsSinceBest = count("validations_since_best")
        if let step = json["best"]?["step"]?.int, let loss = json["best"]?["loss"]?.double {
            best = BestValidation(step: Int(step), loss: loss)
        }
        isStopped = json["stopped"]?.bool ?? false
    }
}

/// The scratch folder of one run.
///
/// `state-<step>.safetensors` holds `parameters`, `first_moment`, `second_moment` (F32, flat over the layout, gaps
/// included) and `metrics` (U8); `state-<step>.json`, published after it, holds its SHA-256, the step, the data
/// positions, the counts of `TrainingState`, a fingerprint of settings and layout, and the numerics. A state without its
/// JSON does not exist. The last `kept` are kept.
struct StateFolder {
    let path: String
    let kept: Int
    let fingerprint: JSON
    /// Of this run: it goes on where it has the same.
    let numerics: JSON

    private func file(_ step: Int, _ suffix: String) -> String {
        let digits = String(step)
        return path + "/state-" + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + "." + suffix
    }

    /// Steps that have a state, newest first.
    func steps() throws -> [Int] {
        guard Files.isDirectory(path) else { return [] }
        return try Files.list(path).compactMap { name in
            guard name.hasPrefix("state-"), name.hasSuffix(".json") else { return nil }
            return Int(name.dropFirst(6).dropLast(5))
        }.sorted(by: >)
    }

    /// Publishes a state and removes all but the last `kept`. After a crash at any moment the folder holds a whole state.
    func save(_ state: TrainingState, parameters: FloatView, firstMoment: FloatView, secondMoment: FloatView) throws {
        try Files.makeDirectories(path)
        let digest = DigestBuilder()
        let tensors = [
            TensorToWrite("parameters", shape: [parameters.count], parameters),
            TensorToWrite("first_moment", shape: [firstMoment.count], firstMoment),
            TensorToWrite("second_moment", shape: [secondMoment.count], secondMoment),
            TensorToWrite("metrics", state.metrics),
        ]
        try Files.publish(at: file(state.step, "safetensors")) { writer in
            try TensorFile.write(tensors, metadata: ["format": "linkloom-state"]) { bytes in
                digest.update(bytes)
                try writer.write(bytes)
            }
        }
        var json: JSON = [
            "digest": .string(digest.finish().hex), "fingerprint": fingerprint, "numerics": numerics,
            "step": JSON(state.step), "tokens": JSON(state.tokens),
            "positions": .array(
                state.positions.map {
                    ["epoch": JSON($0.epoch), "part": JSON($0.place.part), "offset": JSON($0.place.offset)]
                }),
        ]
        for (name, value) in state.progress { json[name] = value }
        try Files.publish(json.canonical, at: file(state.step, "json"))
        for old in try steps().dropFirst(kept) {
            try Files.remove(file(old, "json"))
            try Files.remove(file(old, "safetensors"))
        }
    }

    /// Restores the newest whole state into the buffers; nil if there is none.
    /// - Parameter warn: told of every damaged state that was passed over.
    /// - Throws: `ModelError` if the newest whole state is of other numerics.
    func restore(
        parameters: FloatView, firstMoment: FloatView, secondMoment: FloatView, warn: (String) -> Void
    ) throws -> TrainingState? {
        for step in try steps() {
            do {
                let (state, tensors, numerics) = try load(step, count: parameters.count)
                if let numerics, numerics != self.numerics { throw OtherNumerics(found: numerics) }
                parameters.write(try tensors.values("parameters", as: Float.self))
                firstMoment.write(try tensors.values("first_moment", as: Float.self))
                secondMoment.write(try tensors.values("second_moment", as: Float.self))
                return state
            } catch let other as OtherNumerics {
                throw refusal(step, other.found)
            } catch {
                warn("the checkpoint of step \(step) in scratch cannot be used (\(error)); trying the one before")
            }
        }
        return nil
    }

    private struct OtherNumerics: Error { let found: JSON }

    private func refusal(_ step: Int, _ found: JSON) -> ModelError {
        ModelError(
            "training was stopped after step \(step) and cannot go on here: \(Numerics.differences(found, numerics))",
            place: path,
            cause: "the same run with other arithmetic gives other bits, and what came out would be of both",
            fix: "go on where it began, with the same \(Numerics.libraryVariable), or remove this folder to train anew")
    }

    /// A state that is sure to fit: checksum, fingerprint, sizes and record are as they were written; with the numerics
    /// it was made with.
    private func load(_ step: Int, count: Int) throws -> (TrainingState, TensorFile, JSON?) {
        let json = try JSON(parsing: try Files.read(file(step, "json")))
        guard json["fingerprint"] == fingerprint else {
            throw ModelError("it was made with other settings or another model")
        }
        let path = file(step, "safetensors")
        let mapped = try MappedFile(path: path)
        guard json["digest"]?.string == Digest.of(mapped.bytes).hex else {
            throw ModelError("its checksum does not match its content", place: path)
        }
        guard let saved = json["step"]?.int, saved == step, let tokens = json["tokens"]?.int,
            let positions = json["positions"]?.array?.compactMap(Self.position)
        else { throw ModelError("its record is incomplete", place: file(step, "json")) }
        let tensors = try TensorFile(mapped, place: path)
        for name in ["parameters", "first_moment", "second_moment"] {
            guard let info = tensors.header.tensors[name], info.dtype == .f32, info.count == count else {
                throw ModelError("'\(name)' is not \(count) floats", place: path)
            }
        }
        var state = TrainingState(
            step: step, tokens: Int(tokens), positions: positions,
            metrics: try tensors.values("metrics", as: UInt8.self))
        state.readProgress(json)
        return (state, tensors, json["numerics"])
    }

    private static func position(_ json: JSON) -> DataPosition? {
        guard let epoch = json["epoch"]?.int, let part = json["part"]?.int, let offset = json["offset"]?.int else {
            return nil
        }
        return DataPosition(epoch: Int(epoch), place: RowPlace(part: Int(part), offset: Int(offset)))
    }
}
