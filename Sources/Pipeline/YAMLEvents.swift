// libyaml's event stream as Swift values. The only file that imports libyaml; it resolves no tag and runs nothing.

import CYAML

/// One event with its place.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd
        case alias(String)
        case scalar(String, Node.Style)
        case sequenceStart(flow: Bool)
        case mappingStart(flow: Bool)
    }

    var kind: Kind
    var location: Location
    var anchor: String?
    var tag: String?
}

/// Pulls events out of a text. Owns the libyaml parser and a copy of the bytes.
final class YAMLEvents {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private let origin: Location

    /// `origin` is where the text begins in its source.
    init(_ text: [UInt8], origin: Location) {
        self.origin = origin
        bytes = .allocate(capacity: text.count)
        _ = bytes.initialize(from: text)
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        precondition(yaml_parser_initialize(parser) == 1, "libyaml could not allocate a parser")
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        bytes.deallocate()
    }

    /// The next event. - Throws: the syntax error, after which nothing more can be read.
    func next() throws(Diagnostic) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError() }
        defer { yaml_event_delete(&event) }
        let place = location(event.start_mark)
        func made(
            _ kind: YAMLEvent.Kind, _ anchor: UnsafeMutablePointer<yaml_char_t>? = nil,
            _ tag: UnsafeMutablePointer<yaml_char_t>? = nil
        ) -> YAMLEvent {
            YAMLEvent(kind: kind, location: place, anchor: string(anchor), tag: string(tag))
        }
        switch event.type {
        case YAML_STREAM_START_EVENT: return made(.streamStart)
        case YAML_DOCUMENT_START_EVENT: return made(.documentStart)
        case YAML_DOCUMENT_END_EVENT: return made(.documentEnd)
        case YAML_SEQUENCE_END_EVENT: return made(.sequenceEnd)
        case YAML_MAPPING_END_EVENT: return made(.mappingEnd)
        case YAML_ALIAS_EVENT: return made(.alias(string(event.data.alias.anchor) ?? ""))
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            let style: Node.Style = scalar.style == YAML_PLAIN_SCALAR_STYLE ? .plain : .quoted
            return made(.scalar(text, style), scalar.anchor, scalar.tag)
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return made(.sequenceStart(flow: start.style == YAML_FLOW_SEQUENCE_STYLE), start.anchor, start.tag)
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return made(.mappingStart(flow: start.style == YAML_FLOW_MAPPING_STYLE), start.anchor, start.tag)
        default: return made(.streamEnd)
        }
    }

    private func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        text.map { String(cString: $0) }
    }

    private func location(_ mark: yaml_mark_t) -> Location {
        let line = Int(mark.line), column = Int(mark.column)
        return Location(
            source: origin.source, line: origin.line + line, column: column + (line == 0 ? origin.column : 1))
    }

    private func syntaxError() -> Diagnostic {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "unknown problem"
        if parser.pointee.error == YAML_READER_ERROR {
            let offset = min(Int(parser.pointee.problem_offset), bytes.count)
            let before = bytes[..<offset]
            let line = before.count { $0 == 10 }
            let column = offset - (before.lastIndex(of: 10).map { $0 + 1 } ?? 0)
            return Diagnostic(
                "the file is not UTF-8 text: \(problem) (byte offset \(offset))",
                at: Location(source: origin.source, line: origin.line + line, column: column + 1),
                cause: "pipeline files are YAML in UTF-8", fix: "save the file as UTF-8")
        }
        var cause: String?
        if let context = parser.pointee.context.map({ String(cString: $0) }) {
            let mark = parser.pointee.context_mark
            let place = location(mark)
            cause =
                context
                + (mark.line == 0 && mark.column == 0
                    ? "" : " that begins at line \(place.line), column \(place.column)")
        }
        let place = location(parser.pointee.problem_mark)
        let line = place.source.line(place.line) ?? ""
        let fix =
            line.prefix { $0 == " " || $0 == "\t" }.contains("\t")
            ? "indent with spaces, YAML takes no tabs"
            : "quote a value that holds : # { } [ ] , & * ! | > % @ or ` where YAML gives them a meaning"
        return Diagnostic("the YAML cannot be read: \(problem)", at: place, cause: cause, fix: fix)
    }
}
