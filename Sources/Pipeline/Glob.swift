// Paths and globs of file keys: `*` and `?` within a name, `**` over any number of folders.

/// A path that may hold wildcards, split at its literal prefix.
package struct Glob {
    /// The absolute folder before the first component with a wildcard.
    let prefix: String
    let pattern: [[Unicode.Scalar]]

    /// Every file below a folder.
    package init(below folder: String) {
        prefix = folder
        pattern = [["*", "*"]]
    }

    /// Nil for a path without wildcards.
    package init?(_ path: String) {
        let parts = path.split(separator: "/")
        guard let first = parts.firstIndex(where: { $0.contains("*") || $0.contains("?") }) else { return nil }
        prefix = "/" + parts[..<first].joined(separator: "/")
        pattern = parts[first...].map { Array($0.unicodeScalars) }
    }

    /// Every file that matches: absolute path and path below the prefix, sorted by the bytes of the latter. Names
    /// that begin with a dot match only a component that does too; `**` goes 32 folders deep at most.
    package func matches(in files: any FileSystem) throws -> [(path: String, logicalName: String)] {
        var found: Set<String> = []
        try walk(prefix, "", pattern[...], 0, files, &found)
        return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map {
            (prefix == "/" ? "/" + $0 : prefix + "/" + $0, $0)
        }
    }

    private func walk(
        _ folder: String, _ logical: String, _ rest: ArraySlice<[Unicode.Scalar]>, _ depth: Int,
        _ files: any FileSystem, _ found: inout Set<String>
    ) throws {
        guard let component = rest.first, files.kind(folder) == .folder else { return }
        let isDeep = component == ["*", "*"]
        if isDeep, rest.count > 1 { try walk(folder, logical, rest.dropFirst(), depth, files, &found) }
        for name in try files.list(folder) {
            let scalars = Array(name.unicodeScalars)
            if scalars.first == ".", component.first != "." { continue }
            let path = folder == "/" ? "/" + name : folder + "/" + name
            let child = logical.isEmpty ? name : logical + "/" + name
            if isDeep {
                let kind = files.kind(path)
                if kind == .folder, depth < 32 { try walk(path, child, rest, depth + 1, files, &found) }
                if kind == .file, rest.count == 1 { found.insert(child) }
            } else if Self.matches(component[...], scalars[...]) {
                if rest.count > 1 { try walk(path, child, rest.dropFirst(), depth, files, &found) }
                if rest.count == 1, files.kind(path) == .file { found.insert(child) }
            }
        }
    }

    /// Whether a name matches a component; `*` stands for any scalars, `?` for one. Complexity: O(|pattern|·|name|).
    package static func matches(_ pattern: ArraySlice<Unicode.Scalar>, _ name: ArraySlice<Unicode.Scalar>) -> Bool {
        var p = pattern.startIndex, n = name.startIndex
        var star: (p: Int, n: Int)?
        while n < name.endIndex {
            if p < pattern.endIndex, pattern[p] == "*" {
                star = (p, n)
                p += 1
            } else if p < pattern.endIndex, pattern[p] == "?" || pattern[p] == name[n] {
                p += 1
                n += 1
            } else if let back = star {
                p = back.p + 1
                n = back.n + 1
                star = (back.p, back.n + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}
