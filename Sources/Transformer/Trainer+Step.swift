// One step of training: gradients, the guard against numbers that are none, AdamW, a line of metrics.

import Container
import Kernels

extension Trainer {
    /// One step: batch, gradients, clipping, AdamW, metrics.
    /// - Throws: `ModelError` once too many steps in a row were not finite, or hopeless.
    func step(rate: String) throws {
        let step = state.step + 1
        let cursor = dataSet(of: step)
        let rows = cursors[cursor].take(settings.batchSize)
        let losses = try gradients(step, rows)
        let norm = engine.gradientSquares().squareRoot()
        let loss = losses.mlm + settings.drpWeight * (losses.drp ?? 0)
        let learningRate = settings.learningRate(step: step)
        state.step = step
        state.tokens += losses.tokens
        state.positions[cursor] = cursors[cursor].position
        if loss.isFinite, norm.isFinite {
            state.skippedInRow = 0
            try watch(losses, norm, rows)
            update(step: step, learningRate: learningRate, norm: norm)
            var line: [String: JSON] = [
                "step": JSON(step), "loss": .number(loss), "mlm_loss": .number(losses.mlm),
                "learning_rate": .number(learningRate), "grad_norm": .number(norm), "tokens": JSON(state.tokens),
            ]
            if let drp = losses.drp { line["drp_loss"] = .number(drp) }
            append(line)
        } else {
            try skip(loss, norm, rows)
            append([
                "step": JSON(step), "skipped": JSON(state.skipped), "learning_rate": .number(learningRate),
                "tokens": JSON(state.tokens),
            ])
        }
        if settings.logSteps > 0, step % settings.logSteps == 0 || step == settings.steps {
            observer.progress(step, "loss \(rounded(loss, 4))" + (rate.isEmpty ? "" : ", " + rate))
        }
    }

    /// The gradient of a batch, whole or part by part; it ends in the engine either way.
    private func gradients(_ step: Int, _ rows: [BatchRow]) throws -> BatchLosses {
        let parts = settings.gradientAccumulation
        guard let accumulated else { return try engine.gradients(step: settings.dropout ? step : nil, rows: rows) }
        let chunks = (0..<parts).map {
            Array(rows[rows.count * $0 / parts..<rows.count * ($0 + 1) / parts])
        }
        var whole = BatchCounts(masked: 0, sequences: 0)
        for chunk in chunks {
            let counts = try engine.count(chunk)
            whole.masked += counts.masked
            whole.sequences += counts.sequences
        }
        var sums = BatchLosses()
        for (index, chunk) in chunks.enumerated() {
            // Dropout differs by part: parts are numbered through the run.
            let number = (step - 1) * parts + index + 1
            let losses = try engine.gradients(step: settings.dropout ? number : nil, rows: chunk, of: whole)
            sums.mlm += losses.mlm * Double(losses.masked)
            if let drp = losses.drp { sums.drp = (sums.drp ?? 0) + drp * Double(losses.sequences) }
            sums.tokens += losses.tokens
            sums.masked += losses.masked
            sums.sequences += losses.sequences
            add(to: accumulated, isFirst: index == 0, isLast: index == parts - 1)
        }
        sums.mlm /= Double(max(1, sums.masked))
        sums.drp = sums.drp.map { $0 / Double(max(1, sums.sequences)) }
        return sums
    }

    /// Adds the engine's gradient to the sum; after the last part the sum stands in the engine.
    private func add(to sum: DeviceBuffer, isFirst: Bool, isLast: Bool) {
        let (gradients, sum) = (engine.gradients, sum.view())
        engine.pool.run(engine.ranges.count) { [engine] index in
            let range = engine.ranges[index]
            let (own, all) = (gradients.slice(range.offset, range.count), sum.slice(range.offset, range.count))
            if isLast { return engine.device.add(own, all) }
            if isFirst { engine.device.fill(all, 0) }
            engine.device.add(all, own)
        }
    }

    /// AdamW over fixed ranges of the flat buffers.
    private func update(step: Int, learningRate: Double, norm: Double) {
        // As torch.nn.utils.clip_grad_norm_: the norm plus 1e-6, never scaling up.
        let limit = settings.maxGradNorm
        let scale = limit > 0 ? min(1, limit / (norm + 1e-6)) : 1
        let numbers = AdamNumbers(settings, rate: learningRate, step: step - state.skipped)
        let plain = AdamNumbers(settings.undecayed, rate: learningRate, step: step - state.skipped)
        let parameters = model.parameters.view()
        let gradients = engine.gradients
        let first = firstMoment.view()
        let second = secondMoment.view()
        engine.pool.run(ranges.count) { [engine, settings, ranges] index in
            let range = ranges[index]
            guard range.isTrained else { return }
            let numbers = range.isDecayed ? numbers : plain
            engine.device.adamW(
                parameters.slice(range.offset, range.count), gradients.slice(range.offset, range.count),
                first.slice(range.offset, range.count), second.slice(range.offset, range.count), count: range.count,
                lr: Float(numbers.rate), beta1: Float(settings.adamBeta1), beta2: Float(settings.adamBeta2),
                eps: Float(numbers.epsilon), weightDecay: Float(numbers.decay),
                biasCorrection1: Float(numbers.correction1), biasCorrection2: Float(numbers.correction2),
                gradScale: Float(scale))
        }
    }

    func append(_ line: [String: JSON]) {
        state.metrics.append(contentsOf: JSON.object(line).canonical)
        state.metrics.append(UInt8(ascii: "\n"))
        observer.metrics(.object(line))
    }

    /// The data set that a step (1, 2, …) trains on.
    private func dataSet(of step: Int) -> Int {
        var begin = 0
        for phase in settings.phases {
            if step <= begin + phase.steps { return phase.data(at: step - begin - 1) }
            begin += phase.steps
        }
        preconditionFailure("step \(step) is past the last phase")
    }
}

// MARK: - Steps that cannot be used

extension Trainer {
    /// A loss this many times that of guessing every token alike is no longer training …
    private static let hopelessFactor = 4.0
    /// … if it stays so for this many steps.
    private static let hopelessSteps = 50

    /// Counts a step that is passed over.
    /// - Throws: `ModelError` at the last one in a row that is allowed.
    private func skip(_ loss: Double, _ norm: Double, _ rows: [BatchRow]) throws {
        state.skipped += 1
        state.skippedInRow += 1
        guard state.skippedInRow < settings.maxSkippedSteps else {
            let times = settings.maxSkippedSteps > 1 ? ", \(settings.maxSkippedSteps) steps in a row" : ""
            throw ModelError(
                "the loss is \(loss) and the gradient's norm \(norm)\(times)", place: "step \(state.step)",
                cause: "training diverged on the batch of " + names(rows),
                fix: "lower learning_rate, lengthen warmup_steps, or set max_grad_norm; " + lastGoodState)
        }
        observer.warning(
            "step \(state.step) is skipped: its loss is \(loss), its gradient's norm \(norm); its batch is "
                + names(rows))
    }

    /// - Throws: `ModelError` once the loss has been hopeless for many steps.
    private func watch(_ losses: BatchLosses, _ norm: Double, _ rows: [BatchRow]) throws {
        let guess = naturalLogarithm(model.config.vocabSize)
        guard losses.mlm > Self.hopelessFactor * guess else {
            state.hopelessInRow = 0
            return
        }
        state.hopelessInRow += 1
        guard state.hopelessInRow >= Self.hopelessSteps else { return }
        throw ModelError(
            "the masked-word loss is \(rounded(losses.mlm, 2)), \(Self.hopelessSteps) steps in a row above "
                + "\(rounded(Self.hopelessFactor * guess, 2))", place: "step \(state.step)",
            cause: "guessing every token alike has a loss of \(rounded(guess, 2)): training diverged (gradient norm "
                + "\(rounded(norm, 2)), learning rate \(settings.learningRate(step: state.step)))",
            fix: "lower learning_rate, lengthen warmup_steps, or set max_grad_norm; " + lastGoodState)
    }

    /// All rows of a batch: the first by shards, part, row and documents, the others by part and row.
    private func names(_ rows: [BatchRow]) -> String {
        let described = 8
        var instance = Instance()
        var parts = rows.prefix(described).map { row -> String in
            try? row.source.load(row.row, into: &instance)
            let documents = instance.spans.map { String($0.document) }.joined(separator: " and ")
            return "\(part(row)) row \(row.source.place(row.row).offset) (documents \(documents))"
        }
        var last: String?
        for row in rows.dropFirst(described) {
            let (part, offset) = (part(row), row.source.place(row.row).offset)
            parts.append(part == last ? "\(offset)" : "\(part) row \(offset)")
            last = part
        }
        return parts.joined(separator: ", ")
    }

    /// The part a row lies in, with the number of its shards where there are several.
    private func part(_ row: BatchRow) -> String {
        let part = "part \(row.source.place(row.row).part)"
        guard data.count > 1, let shards = data.firstIndex(where: { $0.train === row.source }) else { return part }
        return "shards \(shards) \(part)"
    }
}

extension TrainingSettings {
    fileprivate var undecayed: TrainingSettings {
        var settings = self
        settings.weightDecay = 0
        return settings
    }
}
