// References: `$params.mix` for a whole value, `$params.data/general/x` for the beginning of a path, `$$` for a dollar.

/// Replaces references by what they name, in a tree with `params`, `corpora` and the name of the selected corpus.
struct ReferenceResolver {
    static let roots = ["params", "corpora", "corpus"]

    /// A map with `params`, `corpora`, `stages`.
    let tree: Node
    /// Nil if no corpus is selected.
    let corpus: String?
    var diagnostics = Diagnostics()
    /// Whether a reference could not be resolved; its value is absent from what was returned.
    var failed = false
    private var open: [String] = []
    private var size = 0

    init(tree: Node, corpus: String?) {
        self.tree = tree
        self.corpus = corpus
    }

    /// A scalar that begins with a reference: its path, and the rest from the first slash on.
    static func parse(_ text: String) -> (path: [String], rest: String)? {
        guard text.hasPrefix("$"), !text.hasPrefix("$$") else { return nil }
        let body = text.dropFirst()
        let end = body.firstIndex(of: "/") ?? body.endIndex
        return (
            body[..<end].split(separator: ".", omittingEmptySubsequences: false).map(String.init), String(body[end...])
        )
    }

    /// The tree with every reference in it replaced; nil if `node` itself is a reference that names nothing.
    mutating func resolve(_ node: Node) -> Node? {
        size += 1
        if size > YAMLReader.sizeLimit {
            if !failed {
                diagnostics.add(
                    "references expand to more than \(YAMLReader.sizeLimit) values", at: node.location,
                    cause: "values that name each other many times fill any memory", fix: "name each value once")
            }
            failed = true
            return nil
        }
        switch node.content {
        case .scalar(let text, let style):
            if text.hasPrefix("$$") {
                var copy = node
                copy.content = .scalar(String(text.dropFirst()), style)
                return copy
            }
            guard let (path, rest) = Self.parse(text) else { return node }
            guard let found = follow(path, of: node) else {
                failed = true
                return nil
            }
            return rest.isEmpty ? found : join(found, rest, node)
        case .sequence(let nodes):
            var copy = node
            copy.content = .sequence(nodes.compactMap { resolve($0) })
            return copy
        case .mapping(let entries):
            var copy = node
            copy.content = .mapping(
                entries.compactMap { entry in
                    resolve(entry.value).map {
                        Node.Entry(key: entry.key, keyLocation: entry.keyLocation, value: $0)
                    }
                })
            return copy
        }
    }

    /// The value of a reference that is the prefix of a path: its text and folder, at the place of the reference.
    private mutating func join(_ found: Node, _ rest: String, _ node: Node) -> Node? {
        guard let prefix = found.scalar, !found.isNull else {
            diagnostics.add(
                "'\(node.scalar ?? "")' continues \(found.described) as a path", at: node.location,
                cause: "the value at \(found.location) is not a path", fix: "name a text, or drop what follows the '/'")
            failed = true
            return nil
        }
        var copy = found
        copy.content = .scalar(prefix + rest, .quoted)
        copy.location = node.location
        copy.reference = node.scalar
        if found.origin == .file { copy.origin = node.origin }
        return copy
    }

    private mutating func follow(_ path: [String], of node: Node) -> Node? {
        let text = "$" + path.joined(separator: ".")
        guard path.allSatisfy(isName) else {
            diagnostics.add(
                "'\(node.scalar ?? "")' is not a reference", at: node.location,
                cause: "a value that begins with '$' refers to $params.NAME, $corpus.NAME or $corpora.NAME",
                fix: "write $$ for a dollar at the beginning of a text")
            return nil
        }
        if let first = open.firstIndex(of: text) {
            diagnostics.add(
                "references name each other: \((open[first...] + [text]).joined(separator: " → "))", at: node.location,
                cause: "the value would never end", fix: "give one of them a value of its own")
            return nil
        }
        open.append(text)
        defer { open.removeLast() }
        guard let target = locate(path, for: node), var found = resolve(target) else { return nil }
        if found.reference == nil { found.reference = text }
        return found
    }

    /// Walks a path; a reference on the way is followed.
    private mutating func locate(_ path: [String], for node: Node) -> Node? {
        var rest = path[...]
        let root = rest.removeFirst()
        var seen: String
        var current: Node
        switch root {
        case "params", "corpora":
            seen = root
            current = tree[root] ?? Node(.mapping([]), at: tree.location)
        case "corpus":
            guard let corpus else {
                let known = tree["corpora"]?.entries?.map(\.key).sorted() ?? []
                diagnostics.add(
                    "'\(node.scalar ?? "")' needs a corpus, and none is selected", at: node.location,
                    cause: "$corpus means the definitions of the selected corpus",
                    fix: known.isEmpty
                        ? "define one under 'corpora:'"
                        : "add -s corpus=NAME; known corpora: \(known.joined(separator: ", "))")
                return nil
            }
            guard let selected = tree["corpora"]?[corpus] else { return nil }
            seen = "corpus '\(corpus)'"
            current = selected
        default:
            diagnostics.add(
                "'\(node.scalar ?? "")' refers to '\(root)', which is no part of a pipeline file", at: node.location,
                cause: "references begin with $params, $corpus or $corpora",
                fix: (nearestName(to: root, among: Self.roots).map { "did you mean '$\($0)'? " } ?? "")
                    + "Write $$ for a dollar at the beginning of a text")
            return nil
        }
        for name in rest {
            if let inner = current.scalar, let (path, tail) = Self.parse(inner), tail.isEmpty {
                guard let found = follow(path, of: current) else { return nil }
                current = found
            }
            guard let next = current[name] else {
                let known = current.entries?.map(\.key)
                diagnostics.add(
                    "'\(node.scalar ?? "")' refers to nothing: \(seen) \(known == nil ? "is not a map" : "has no '\(name)'")",
                    at: node.location, cause: "looked at \(current.entries?.first?.keyLocation ?? current.location)",
                    fix: known.map { suggestion(for: name, among: $0, kind: "names") })
                return nil
            }
            seen += ".\(name)"
            current = next
        }
        return current
    }
}
