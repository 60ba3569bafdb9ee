// Nearest names for `did you mean …?`.

/// The restricted Damerau-Levenshtein distance (optimal string alignment) of two strings, by Unicode scalars:
/// insertions, deletions, substitutions and swaps of neighbours cost 1. Complexity: O(|a|·|b|).
package func editDistance(_ a: String, _ b: String) -> Int {
    let s = Array(a.unicodeScalars), t = Array(b.unicodeScalars)
    if s.isEmpty || t.isEmpty { return max(s.count, t.count) }
    var twoAgo = [Int](repeating: 0, count: t.count + 1)
    var previous = Array(0...t.count)
    for i in 1...s.count {
        var row = [Int](repeating: i, count: t.count + 1)
        for j in 1...t.count {
            let substitution = previous[j - 1] + (s[i - 1] == t[j - 1] ? 0 : 1)
            row[j] = min(previous[j] + 1, row[j - 1] + 1, substitution)
            if i > 1, j > 1, s[i - 1] == t[j - 2], s[i - 2] == t[j - 1] { row[j] = min(row[j], twoAgo[j - 2] + 1) }
        }
        twoAgo = previous
        previous = row
    }
    return previous[t.count]
}

/// The candidate nearest to a misspelt name, if it is near enough to be meant; ties go to the first by name.
package func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
    let limit = max(1, min(3, name.unicodeScalars.count / 3))
    let lowered = name.lowercased()
    let ranked = candidates.map { (distance: editDistance(lowered, $0.lowercased()), name: $0) }
        .filter { $0.distance <= limit || ($0.name.count > 3 && lowered.hasPrefix($0.name.lowercased() + "_")) }
    return ranked.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
}

/// `did you mean 'x'? Known keys: a, b, c`, or only the list when nothing is near. Long lists are cut and counted.
package func suggestion(for name: String, among candidates: some Collection<String>, kind: String) -> String {
    let sorted = candidates.sorted()
    let near = nearestName(to: name, among: sorted).map { "did you mean '\($0)'? " } ?? ""
    if sorted.isEmpty { return near + "there are no \(kind)" }
    let shown = sorted.prefix(30).joined(separator: ", ")
    let more = sorted.count > 30 ? " and \(sorted.count - 30) more" : ""
    return near + "\(near.isEmpty ? "known" : "Known") \(kind): \(shown)\(more)"
}
