// What a person sees while a run goes on: on a terminal a bar with rate and time left, elsewhere plain lines at most
// every ten seconds. Everything here goes to stderr; results go to stdout.

import Container
import Pipeline
import Glibc
import Synchronization

/// Thread-safe. Lines appear in the order of the calls.
package final class Reporter: Sendable {
    private struct Item {
        var done: Int64 = 0
        var total: Int64 = 0
    }

    private struct State {
        var stage = ""
        var started = 0.0
        var pieces = 0
        var finished = 0
        var items: [Int: Item] = [:]
        var doneItems: Int64 = 0
        var unit = ""
        var note = ""
        var lastShown = 0.0
        var barWidth = 0
        var warnings = 0
    }

    private let state = Mutex(State())
    private let isTerminal: Bool
    private let columns: Int
    private let output: @Sendable (String) -> Void

    /// - Parameter output: takes text as it is to be printed, line ends included.
    package init(isTerminal: Bool, output: @escaping @Sendable (String) -> Void) {
        self.isTerminal = isTerminal
        columns = getenv("COLUMNS").flatMap { Int(String(cString: $0)) } ?? 80
        self.output = output
    }

    /// The reporter of commands: stderr.
    package static func standardError() -> Reporter {
        Reporter(isTerminal: isatty(2) == 1) { text in Terminal.write(text, to: 2) }
    }

    package static let silent = Reporter(isTerminal: false) { _ in }

    package var warnings: Int { state.withLock { $0.warnings } }

    package func line(_ text: String) {
        state.withLock { state in
            erase(&state)
            output(text + "\n")
        }
    }

    package func warning(_ text: String) {
        state.withLock { state in
            erase(&state)
            state.warnings += 1
            output("warning: " + text + "\n")
        }
    }

    package func begin(stage: String, pieces: Int) {
        state.withLock { state in
            erase(&state)
            let (barWidth, warnings) = (state.barWidth, state.warnings)
            state = State(stage: stage, started: Clock.monotonic, pieces: pieces)
            state.lastShown = state.started
            state.barWidth = barWidth
            state.warnings = warnings
        }
    }

    package func end() { state.withLock { erase(&$0) } }

    package func finished(piece: Int) {
        state.withLock { state in
            state.finished += 1
            if let item = state.items.removeValue(forKey: piece) { state.doneItems += item.done }
            show(&state)
        }
    }

    func update(piece: Int, done: Int64, total: Int64, unit: String, note: String) {
        state.withLock { state in
            state.items[piece] = Item(done: done, total: total)
            state.unit = unit
            state.note = note
            show(&state)
        }
    }

    private func show(_ state: inout State) {
        let now = Clock.monotonic
        guard now - state.lastShown >= (isTerminal ? 0.1 : 10) else { return }
        state.lastShown = now
        let text = Self.text(state, now: now, bar: isTerminal)
        if isTerminal {
            let shown = String(text.prefix(columns - 1))
            output("\r" + shown + String(repeating: " ", count: max(0, state.barWidth - shown.count)))
            state.barWidth = shown.count
        } else {
            output(text + "\n")
        }
    }

    private func erase(_ state: inout State) {
        if state.barWidth > 0 { output("\r" + String(repeating: " ", count: state.barWidth) + "\r") }
        state.barWidth = 0
    }

    private static func text(_ state: State, now: Double, bar: Bool) -> String {
        let items = state.doneItems + state.items.values.reduce(0) { $0 + $1.done }
        let running = state.items.values.reduce(0.0) {
            $0 + ($1.total > 0 ? min(1, Double($1.done) / Double($1.total)) : 0)
        }
        let fraction = min(1, (Double(state.finished) + running) / Double(max(1, state.pieces)))
        let elapsed = now - state.started
        var fields = [state.stage]
        let isKnown = state.pieces > 1 || state.items.values.contains { $0.total > 0 }
        if bar, isKnown {
            let filled = Int(fraction * 20)
            fields.append(
                "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: 20 - filled) + "]")
        }
        if isKnown { fields.append("\(Int(fraction * 100))%") }
        if state.pieces > 1 { fields.append("\(state.finished)/\(state.pieces) pieces") }
        if items > 0, elapsed > 0 {
            fields.append("\(Figures.grouped(items)) \(state.unit)")
            fields.append("\(Figures.short(Double(items) / elapsed))/s")
        }
        if fraction > 0.001, elapsed > 1 { fields.append("ETA \(Clock.duration(elapsed * (1 - fraction) / fraction))") }
        if !state.note.isEmpty { fields.append(state.note) }
        return fields.joined(separator: "  ")
    }
}

/// What a stage in this process reports through.
struct PieceProgress: ProgressSink {
    let reporter: Reporter
    let piece: Int
    let onWarning: @Sendable (String) -> Void
    let onRecord: @Sendable (String, JSON) -> Void

    func update(done: Int64, total: Int64, unit: String, note: String) {
        reporter.update(piece: piece, done: done, total: total, unit: unit, note: note)
    }
    func message(_ text: String) { reporter.line(text) }
    func warning(_ text: String) {
        reporter.warning(text)
        onWarning(text)
    }
    func record(_ stream: String, _ line: JSON) { onRecord(stream, line) }
}

/// Numbers as people read them.
package enum Figures {
    /// `1,234,567`
    package static func grouped(_ value: Int64) -> String {
        let digits = Array(String(value.magnitude))
        var out = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { out.append(",") }
            out.append(digit)
        }
        return out
    }

    /// `950`, `12.3k`, `4.56M`
    package static func short(_ value: Double) -> String {
        switch value {
        case ..<10: fixed(value, 2)
        case ..<1000: fixed(value, 0)
        case ..<1e6: fixed(value / 1e3, 1) + "k"
        case ..<1e9: fixed(value / 1e6, 2) + "M"
        default: fixed(value / 1e9, 2) + "G"
        }
    }

    package static func fixed(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        let whole = String(scaled / Int64(scale))
        let sign = value < 0 && scaled != 0 ? "-" : ""
        if places == 0 { return sign + whole }
        let rest = String(scaled % Int64(scale))
        return sign + whole + "." + String(repeating: "0", count: places - rest.count) + rest
    }
}
