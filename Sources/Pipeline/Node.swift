// A YAML tree in which every value knows where it was written, who set it and which folder its paths start from.

package import Container

/// Who gave a value; `plan --resolved` prints it.
package enum Origin: Sendable, Hashable, CustomStringConvertible {
    /// Nobody: the default of the key.
    case standard
    /// The pipeline file or a file it includes.
    case file
    case experiment(String)
    case commandLine
    /// The name of the selected corpus, filled into a key called `corpus`.
    case corpus

    package var description: String {
        switch self {
        case .standard: "default"
        case .file: "file"
        case .experiment(let name): "experiment \(name)"
        case .commandLine: "-s"
        case .corpus: "selected corpus"
        }
    }
}

/// One value of a pipeline file.
package struct Node: Sendable {
    package enum Style: Sendable { case plain, quoted }

    package struct Entry: Sendable {
        package var key: String
        package var keyLocation: Location
        package var value: Node

        package init(key: String, keyLocation: Location, value: Node) {
            self.key = key
            self.keyLocation = keyLocation
            self.value = value
        }
    }

    package indirect enum Content: Sendable {
        case scalar(String, Style)
        case sequence([Node])
        /// In the order written; keys are unique.
        case mapping([Entry])
    }

    package var content: Content
    package var location: Location
    /// The absolute folder that a relative path in this scalar starts from.
    package var folder: String
    package var origin: Origin
    /// The reference this value came through, as written, e.g. `$params.seed`.
    package var reference: String?

    package init(_ content: Content, at location: Location, folder: String? = nil, origin: Origin = .file) {
        self.content = content
        self.location = location
        self.folder = folder ?? location.source.folder
        self.origin = origin
    }

    package var scalar: String? { if case .scalar(let text, _) = content { text } else { nil } }
    package var sequence: [Node]? { if case .sequence(let nodes) = content { nodes } else { nil } }
    package var entries: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }

    /// An empty plain scalar, `null` or `~`. A quoted `"null"` is a string.
    package var isNull: Bool {
        if case .scalar(let text, .plain) = content { ["", "~", "null", "Null", "NULL"].contains(text) } else { false }
    }

    package subscript(_ key: String) -> Node? { entries?.first { $0.key == key }?.value }
    package func entry(_ key: String) -> Entry? { entries?.first { $0.key == key } }

    /// For messages: the scalar in quotes (cut when long), `a list`, `a map` or `nothing`.
    package var described: String {
        switch content {
        case .scalar(let text, _):
            if isNull { return text.isEmpty ? "nothing" : "'\(text)'" }
            return text.unicodeScalars.count > 60 ? "'\(String(text.prefix(57)))…'" : "'\(text)'"
        case .sequence: return "a list"
        case .mapping: return "a map"
        }
    }

    /// The number of scalars, lists and maps in the tree, itself included.
    package var size: Int {
        switch content {
        case .scalar: 1
        case .sequence(let nodes): nodes.reduce(1) { $0 + $1.size }
        case .mapping(let entries): entries.reduce(1) { $0 + $1.value.size }
        }
    }

    /// The same tree, every value of it set by `origin`.
    package func setBy(_ origin: Origin) -> Node {
        var copy = mapChildren { $0.setBy(origin) }
        copy.origin = origin
        return copy
    }

    package func mapChildren<E: Error>(_ transform: (Node) throws(E) -> Node) throws(E) -> Node {
        var copy = self
        switch content {
        case .scalar: break
        case .sequence(let nodes):
            var changed: [Node] = []
            for node in nodes { changed.append(try transform(node)) }
            copy.content = .sequence(changed)
        case .mapping(var entries):
            for index in entries.indices { entries[index].value = try transform(entries[index].value) }
            copy.content = .mapping(entries)
        }
        return copy
    }
}

// MARK: - JSON

extension Node {
    /// A tree from JSON, for configs that travel to workers. Strings become quoted scalars, so that `"null"` stays a
    /// string; numbers and Booleans become plain scalars, read by the type of the key they fill.
    package init(json: JSON, source: SourceText? = nil) {
        let source = source ?? SourceText(name: "config", folder: "/", text: "")
        let place = Location(source: source, line: 1, column: 1)
        switch json {
        case .null: self.init(.scalar("null", .plain), at: place)
        case .bool(let value): self.init(.scalar(value ? "true" : "false", .plain), at: place)
        case .int(let value): self.init(.scalar(String(value), .plain), at: place)
        case .number(let value): self.init(.scalar("\(value)", .plain), at: place)
        case .string(let text): self.init(.scalar(text, .quoted), at: place)
        case .array(let items): self.init(.sequence(items.map { Node(json: $0, source: source) }), at: place)
        case .object(let members):
            let entries = members.keys.sorted().map { key in
                Entry(key: key, keyLocation: place, value: Node(json: members[key]!, source: source))
            }
            self.init(.mapping(entries), at: place)
        }
    }

    /// The tree as JSON. Scalars stay strings (only their key knows their type), nulls become null.
    package var json: JSON {
        switch content {
        case .scalar(let text, _): isNull ? .null : .string(text)
        case .sequence(let nodes): .array(nodes.map(\.json))
        case .mapping(let entries):
            .object(Dictionary(entries.map { ($0.key, $0.value.json) }, uniquingKeysWith: { $1 }))
        }
    }
}
