// Changing a tree: setting the value at a path, merging maps key by key.

extension Node {
    /// Why a path could not be set.
    enum PathProblem: Error {
        /// `parent` (a dotted path, empty for the root) has no such name.
        case unknown(name: String, parent: String, known: [String])
        case notAMap(parent: String, is: String)
    }

    /// Replaces the value at a path below this map.
    /// - Parameters:
    ///   - strictDepth: how many components must exist already; deeper maps are made on the way.
    ///   - expand: gives the value that a reference on the way names, so that the path can go on inside a copy of it.
    mutating func set(
        _ path: ArraySlice<String>, to value: Node, at place: Location, strictDepth: Int,
        parent: String = "", expand: (Node) -> Node? = { _ in nil }
    ) throws(PathProblem) {
        guard let name = path.first else {
            self = value
            return
        }
        if isNull { content = .mapping([]) }
        if entries == nil, let target = expand(self) { self = target }
        guard case .mapping(var entries) = content else { throw .notAMap(parent: parent, is: described) }
        let index: Int
        if let found = entries.firstIndex(where: { $0.key == name }) {
            index = found
        } else {
            if strictDepth > 0 { throw .unknown(name: name, parent: parent, known: entries.map(\.key)) }
            let empty = Node(.mapping([]), at: place, folder: value.folder, origin: value.origin)
            entries.append(Entry(key: name, keyLocation: place, value: empty))
            index = entries.count - 1
        }
        try entries[index].value.set(
            path.dropFirst(), to: value, at: place, strictDepth: strictDepth - 1,
            parent: parent.isEmpty ? name : "\(parent).\(name)", expand: expand)
        if path.count == 1 { entries[index].keyLocation = place }
        content = .mapping(entries)
    }

    /// This map with the entries of another: maps merge key by key, everything else is replaced.
    func merged(with other: Node) -> Node {
        guard case .mapping(var mine) = content, case .mapping(let theirs) = other.content else { return other }
        for entry in theirs {
            if let index = mine.firstIndex(where: { $0.key == entry.key }) {
                mine[index].value = mine[index].value.merged(with: entry.value)
                mine[index].keyLocation = entry.keyLocation
            } else {
                mine.append(entry)
            }
        }
        var copy = self
        copy.content = .mapping(mine)
        return copy
    }
}
