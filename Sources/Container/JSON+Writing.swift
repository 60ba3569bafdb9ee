// JSON values → bytes: one canonical form for digests, one readable form for people.

extension JSON {
    /// The canonical form: keys sorted by their UTF-8 bytes, no spaces, only the escapes that RFC 8259 requires
    /// (short ones where there are), integers as such, other numbers as the shortest text that reads back the same
    /// and always with a point or exponent, so that 1.0 and 1 stay apart.
    /// - Precondition: every number is finite; use `encoded()` where data decides.
    package var canonical: [UInt8] {
        var out: [UInt8] = []
        write(into: &out, indent: nil, depth: 0)
        return out
    }

    /// Indented by two spaces, keys sorted, no newline at the end.
    /// - Precondition: every number is finite.
    package var pretty: String {
        var out: [UInt8] = []
        write(into: &out, indent: 2, depth: 0)
        return String(decoding: out, as: UTF8.self)
    }

    /// The canonical form.
    /// - Throws: `invalidArgument` naming the place of a number that is not finite.
    package func encoded() throws(ContainerError) -> [UInt8] {
        if let (place, value) = firstNonFinite {
            throw ContainerError(
                .invalidArgument, "the number \(value) at '$\(place)' has no JSON form",
                cause: "JSON has only finite numbers", fix: "leave the member out, or write null on purpose")
        }
        return canonical
    }

    /// Place (`.losses[3]`) and value of the first number, in written order, that is infinite or not a number.
    package var firstNonFinite: (place: String, value: Double)? {
        switch self {
        case .number(let value): return value.isFinite ? nil : ("", value)
        case .array(let values):
            for (i, value) in values.enumerated() {
                if let found = value.firstNonFinite { return ("[\(i)]" + found.place, found.value) }
            }
        case .object(let members):
            for (key, value) in Self.inOrder(members) {
                if let found = value.firstNonFinite { return (".\(key)" + found.place, found.value) }
            }
        case .null, .bool, .int, .string: break
        }
        return nil
    }

    /// A string as JSON text, quotes included; for writers that compose JSON themselves.
    package static func quote(_ s: String) -> [UInt8] {
        var out: [UInt8] = []
        appendQuoted(s.utf8, to: &out)
        return out
    }

    private static func inOrder(_ members: [String: JSON]) -> [(key: String, value: JSON)] {
        members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    private func write(into out: inout [UInt8], indent: Int?, depth: Int) {
        func newLine(_ depth: Int, _ out: inout [UInt8]) {
            guard let indent else { return }
            out.append(UInt8(ascii: "\n"))
            out.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent * depth))
        }
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
        case .int(let value): out.append(contentsOf: "\(value)".utf8)
        case .number(let value):
            precondition(value.isFinite, "the number \(value) has no JSON form")
            out.append(contentsOf: "\(value)".utf8)
        case .string(let value): Self.appendQuoted(value.utf8, to: &out)
        case .array(let values):
            out.append(UInt8(ascii: "["))
            for (i, value) in values.enumerated() {
                if i > 0 { out.append(UInt8(ascii: ",")) }
                newLine(depth + 1, &out)
                value.write(into: &out, indent: indent, depth: depth + 1)
            }
            if !values.isEmpty { newLine(depth, &out) }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            for (i, (key, value)) in Self.inOrder(members).enumerated() {
                if i > 0 { out.append(UInt8(ascii: ",")) }
                newLine(depth + 1, &out)
                Self.appendQuoted(key.utf8, to: &out)
                out.append(UInt8(ascii: ":"))
                if indent != nil { out.append(UInt8(ascii: " ")) }
                value.write(into: &out, indent: indent, depth: depth + 1)
            }
            if !members.isEmpty { newLine(depth, &out) }
            out.append(UInt8(ascii: "}"))
        }
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    private static func appendQuoted(_ utf8: some Collection<UInt8>, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x08: out.append(contentsOf: "\\b".utf8)
            case 0x09: out.append(contentsOf: "\\t".utf8)
            case 0x0A: out.append(contentsOf: "\\n".utf8)
            case 0x0C: out.append(contentsOf: "\\f".utf8)
            case 0x0D: out.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                out.append(contentsOf: "\\u00".utf8)
                out.append(hexDigits[Int(byte >> 4)])
                out.append(hexDigits[Int(byte & 15)])
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}
