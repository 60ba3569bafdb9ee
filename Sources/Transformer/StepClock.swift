// Rates and remaining time of a run. Nothing here reaches the result.

import Container

/// Measures steps; knows when a checkpoint is due by the clock.
struct StepClock {
    private let start = ContinuousClock.now
    private let firstStep: Int
    private var lastLog = ContinuousClock.now
    private var loggedStep: Int
    private var loggedTokens: Int
    /// Since the last log.
    private var leftOut = Duration.zero
    private var lastCheckpoint = ContinuousClock.now
    private var reports = 0
    private var secondsPerStep = 0.0
    private var tokensPerSecond = 0.0

    init(step: Int, tokens: Int) {
        firstStep = step
        loggedStep = step
        loggedTokens = tokens
    }

    /// `10250 tokens/s` once a rate is known, else empty.
    var rate: String { reports == 0 ? "" : "\(rounded(tokensPerSecond, 0)) tokens/s" }

    /// True right after the first rate came in.
    private(set) var isFirstReport = false

    /// Runs what is no training: its time does not count in the rate of tokens.
    mutating func leavingOut(_ body: () throws -> Void) rethrows {
        let begin = ContinuousClock.now
        try body()
        leftOut += ContinuousClock.now - begin
    }

    /// Every `every` steps: the rates since the last time, as a line for the run's record.
    mutating func tick(_ step: Int, _ tokens: Int, every: Int, of steps: Int) -> JSON? {
        isFirstReport = false
        let due = every > 0 ? every : 10
        guard step % due == 0 || step == steps || reports == 0 && step - firstStep >= 3 else { return nil }
        let now = ContinuousClock.now
        let seconds = seconds(now - lastLog)
        let training = seconds - self.seconds(leftOut)
        guard training > 0, step > loggedStep else { return nil }
        tokensPerSecond = Double(tokens - loggedTokens) / training
        secondsPerStep = seconds / Double(step - loggedStep)
        reports += 1
        isFirstReport = reports == 1
        lastLog = now
        leftOut = .zero
        loggedStep = step
        loggedTokens = tokens
        return [
            "step": JSON(step), "tokens_per_second": .number((tokensPerSecond * 10).rounded() / 10),
            "seconds": .number((self.seconds(now - start) * 1000).rounded() / 1000),
        ]
    }

    /// Time left, in words.
    func remaining(_ steps: Int) -> String {
        duration(Double(steps - loggedStep) * secondsPerStep)
    }

    /// By steps if the settings say so, else by the clock; restarts the clock when true.
    mutating func isCheckpointDue(_ step: Int, _ settings: TrainingSettings) -> Bool {
        if settings.checkpointSteps > 0 { return step % settings.checkpointSteps == 0 }
        let now = ContinuousClock.now
        guard seconds(now - lastCheckpoint) >= settings.checkpointSeconds else { return false }
        lastCheckpoint = now
        return true
    }

    private func seconds(_ duration: Duration) -> Double {
        let parts = duration.components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }
}

/// A time in the largest two units that matter.
func duration(_ seconds: Double) -> String {
    let whole = Int(min(max(seconds, 0), 1e12).rounded(.up))
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    if whole < 48 * 3600 { return "\(whole / 3600) h \(whole % 3600 / 60) min" }
    return "\(whole / 86400) days \(whole % 86400 / 3600) h"
}

/// `value` with a fixed number of decimals, for people.
func rounded(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var factor = 1.0
    for _ in 0..<decimals { factor *= 10 }
    let scaled = Int((abs(value) * factor).rounded())
    let sign = value < 0 && scaled != 0 ? "-" : ""
    let whole = scaled / Int(factor)
    guard decimals > 0 else { return sign + "\(whole)" }
    let fraction = String(scaled % Int(factor))
    return sign + "\(whole)." + String(repeating: "0", count: decimals - fraction.count) + fraction
}
