// Scalars read by the type of the key they fill. Nothing is guessed: `no` is never false, `012` is twelve.

extension Node {
    /// What a key that takes something else says about this value.
    package func mismatch(_ expected: String, fix: String? = nil) -> ConfigProblem {
        ConfigProblem("takes \(expected), not \(described)", fix: fix, at: location)
    }

    private func text(_ expected: String) throws(ConfigProblem) -> String {
        guard let scalar, !isNull else { throw mismatch(expected) }
        return scalar
    }

    /// Any scalar but null, as it was written.
    package func readString() throws(ConfigProblem) -> String { try text("a string") }

    /// A decimal whole number.
    package func readInt(in range: ClosedRange<Int> = Int.min...Int.max) throws(ConfigProblem) -> Int {
        let expected = Self.describe(range)
        let text = try text(expected)
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }), let value = Int(text) else {
            throw mismatch(expected, fix: Self.wholeNumberHint(text))
        }
        guard range.contains(value) else { throw mismatch(expected) }
        return value
    }

    /// A decimal number, with or without a fraction and an exponent.
    package func readDouble(
        in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    ) throws(ConfigProblem) -> Double {
        let expected = Self.describe(range)
        let text = try text(expected)
        let allowed = text.utf8.allSatisfy { (48...57).contains($0) || "+-.eE".utf8.contains($0) }
        guard allowed, let value = Double(text), value.isFinite else { throw mismatch(expected) }
        guard range.contains(value) else { throw mismatch(expected) }
        return value
    }

    /// `true` or `false`, nothing else.
    package func readBool() throws(ConfigProblem) -> Bool {
        switch try text("true or false") {
        case "true": return true
        case "false": return false
        default: throw mismatch("true or false", fix: "write true or false; yes, no, on and off are strings here")
        }
    }

    /// One of the raw values of an enum.
    package func readChoice<V: RawRepresentable<String> & CaseIterable>(
        _ type: V.Type = V.self
    ) throws(ConfigProblem) -> V {
        let names = V.allCases.map(\.rawValue)
        let expected = "one of " + names.joined(separator: ", ")
        let text = try text(expected)
        guard let value = V(rawValue: text) else {
            throw mismatch(expected, fix: nearestName(to: text, among: names).map { "did you mean '\($0)'?" })
        }
        return value
    }

    /// The items of a list; a single scalar is a list of one, null an empty list.
    package func readList() throws(ConfigProblem) -> [Node] {
        switch content {
        case .sequence(let nodes): return nodes
        case .scalar: return isNull ? [] : [self]
        case .mapping: throw mismatch("a list")
        }
    }

    /// The entries of a map; null is an empty map.
    package func readEntries() throws(ConfigProblem) -> [Entry] {
        if isNull { return [] }
        guard let entries else { throw mismatch("a map") }
        return entries
    }

    package static func describe(_ range: ClosedRange<Int>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (Int.min, Int.max): "a whole number"
        case (Int.min, let high): "a whole number up to \(high)"
        case (let low, Int.max): "a whole number of at least \(low)"
        case (let low, let high): "a whole number from \(low) to \(high)"
        }
    }

    package static func describe(_ range: ClosedRange<Double>) -> String {
        let limit = Double.greatestFiniteMagnitude
        switch (range.lowerBound, range.upperBound) {
        case (-limit, limit): return "a number"
        case (-limit, let high): return "a number up to \(plain(high))"
        case (let low, limit): return "a number of at least \(plain(low))"
        case (let low, let high): return "a number from \(plain(low)) to \(plain(high))"
        }
    }

    /// A Double as a person writes it: `1`, not `1.0`.
    package static func plain(_ value: Double) -> String {
        if let whole = Int64(exactly: value), abs(whole) < 1_000_000_000_000 { String(whole) } else { "\(value)" }
    }

    private static func wholeNumberHint(_ text: String) -> String? {
        guard let value = Double(text), let whole = Int64(exactly: value) else { return nil }
        return "write \(whole)"
    }
}
