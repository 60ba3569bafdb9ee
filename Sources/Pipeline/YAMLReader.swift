// YAML text → Node. One document, no tags, unique keys; aliases are expanded within a budget.

/// Builds the tree. Slips that leave the structure clear (a key twice, a tag) are collected, others end the text.
struct YAMLReader {
    static let depthLimit = 64
    static let sizeLimit = 100_000

    private let events: YAMLEvents
    private let origin: Origin
    private var anchors: [String: (node: Node, size: Int)] = [:]
    private var open: Set<String> = []
    private var size = 0
    private var diagnostics = Diagnostics()

    /// - Parameter start: where `text` begins in its source; nodes and errors are placed from there.
    /// - Returns: nil if the text holds no value or could not be read; the latter leaves a diagnostic.
    static func read(
        _ text: [UInt8], start: Location, origin: Origin = .file, flowOnly: Bool = false,
        diagnostics: inout Diagnostics
    ) -> Node? {
        var reader = YAMLReader(events: YAMLEvents(text, origin: start), origin: origin)
        var node: Node?
        do throws(Diagnostic) { node = try reader.document(flowOnly: flowOnly) } catch { reader.diagnostics.add(error) }
        diagnostics.add(contentsOf: reader.diagnostics)
        return node
    }

    private init(events: YAMLEvents, origin: Origin) {
        self.events = events
        self.origin = origin
    }

    private mutating func document(flowOnly: Bool) throws(Diagnostic) -> Node? {
        _ = try events.next()  // the start of the stream
        guard case .documentStart = try events.next().kind else { return nil }
        let first = try events.next()
        if flowOnly {
            switch first.kind {
            case .sequenceStart(flow: false), .mappingStart(flow: false):
                throw Diagnostic(
                    "the value is a block of YAML, not a single value", at: first.location,
                    cause: "values of -s are read as YAML in flow style",
                    fix: "write maps as {a: 1}, lists as [1, 2], and quote a text that holds ': ' or begins with '- '")
            default: break
            }
        }
        let root = try value(first, depth: 0)
        _ = try events.next()  // the end of the document
        let after = try events.next()
        if case .documentStart = after.kind {
            diagnostics.add(
                "a second YAML document begins here", at: after.location, cause: "a pipeline file is one document",
                fix: "remove the line, or put the second document into a file of its own and include it")
        }
        return root
    }

    private mutating func value(_ event: YAMLEvent, depth: Int) throws(Diagnostic) -> Node {
        try count(1, at: event.location)
        if depth > Self.depthLimit {
            throw Diagnostic(
                "values are nested more than \(Self.depthLimit) deep", at: event.location,
                cause: "no pipeline needs it, a damaged file might", fix: "flatten the structure")
        }
        if let tag = event.tag {
            diagnostics.add(
                "tags such as '\(tag)' are not used here", at: event.location,
                cause: "the key that a value fills decides its type", fix: "remove the tag")
        }
        if let anchor = event.anchor { open.insert(anchor) }
        let begin = size
        let content: Node.Content
        switch event.kind {
        case .alias(let name): return try alias(name, at: event.location)
        case .scalar(let text, let style): content = .scalar(text, style)
        case .sequenceStart: content = .sequence(try items(depth))
        default: content = .mapping(try entries(depth))
        }
        let node = Node(content, at: event.location, origin: origin)
        if let anchor = event.anchor {
            open.remove(anchor)
            anchors[anchor] = (node, size - begin + 1)
        }
        return node
    }

    private mutating func items(_ depth: Int) throws(Diagnostic) -> [Node] {
        var items: [Node] = []
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind { return items }
            items.append(try value(event, depth: depth + 1))
        }
    }

    private mutating func entries(_ depth: Int) throws(Diagnostic) -> [Node.Entry] {
        var entries: [Node.Entry] = []
        var places: [String: Location] = [:]
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind { return entries }
            let keyNode = try value(event, depth: depth + 1)
            let valueNode = try value(try events.next(), depth: depth + 1)
            guard let key = keyNode.scalar else {
                diagnostics.add(
                    "\(keyNode.described) cannot be a key", at: event.location, cause: "keys are names here",
                    fix: "quote the key if it begins with { or [")
                continue
            }
            if let first = places[key] {
                diagnostics.add(
                    "the key '\(key)' stands twice in this map", at: event.location,
                    cause: "it was given at \(first) already, and one of the two would be lost",
                    fix: "remove one of them")
                continue
            }
            places[key] = event.location
            entries.append(Node.Entry(key: key, keyLocation: event.location, value: valueNode))
        }
    }

    private mutating func alias(_ name: String, at place: Location) throws(Diagnostic) -> Node {
        guard let target = anchors[name] else {
            let inside = open.contains(name)
            throw Diagnostic(
                inside
                    ? "'*\(name)' stands inside the value it names" : "no value is named '&\(name)' above this place",
                at: place,
                cause: inside ? "its expansion would never end" : "'*' at the start of a value means a YAML alias",
                fix: inside ? "remove the alias" : "name the value with &\(name), or quote a text that begins with *")
        }
        try count(target.size - 1, at: place)
        return target.node
    }

    private mutating func count(_ more: Int, at place: Location) throws(Diagnostic) {
        size += more
        if size > Self.sizeLimit {
            throw Diagnostic(
                "the file holds more than \(Self.sizeLimit) values once its aliases are expanded", at: place,
                cause: "a few lines of nested aliases can fill any memory",
                fix: "write the values out, or keep long lists of files as globs")
        }
    }
}
