// Clocks for run records and progress. No clock ever reaches a key or an artifact.

import Glibc

package enum Clock {
    /// Seconds that only grow; for durations and rates.
    package static var monotonic: Double { read(CLOCK_MONOTONIC) }
    /// Seconds since 1970.
    package static var wall: Double { read(CLOCK_REALTIME) }

    private static func read(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// `2026-01-14T09:30:12Z`, the form of run records.
    package static func stamp(_ seconds: Double) -> String { format(seconds, "%Y-%m-%dT%H:%M:%SZ") }

    /// `strftime` in UTC.
    package static func format(_ seconds: Double, _ pattern: String) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, pattern, &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// `0:07`, `12:30`, `3:05:00`.
    package static func duration(_ seconds: Double) -> String {
        let whole = Int64(max(0, seconds.rounded()))
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        let tail = (rest < 10 ? "0" : "") + "\(rest)"
        return hours > 0 ? "\(hours):" + (minutes < 10 ? "0" : "") + "\(minutes):" + tail : "\(minutes):" + tail
    }
}
