// What an artifact is on disk: a list of parts by digest, under a type and a version.

/// One part of an artifact: columns (a safetensors file) or a file (any bytes).
package struct Part: Sendable, Equatable {
    /// A safe relative path: see `Part.checkName`.
    package var name: String
    /// Of the uncompressed bytes.
    package var digest: Digest
    /// Uncompressed size.
    package var bytes: Int64
    /// How many items of the artifact's own kind the part holds; 0 for files without rows.
    package var rows: Int64

    package init(name: String, digest: Digest, bytes: Int64, rows: Int64) {
        self.name = name
        self.digest = digest
        self.bytes = bytes
        self.rows = rows
    }

    /// A part name may be joined to any folder and stays inside: components separated by `/`, none of them empty, `.`
    /// or `..`, no backslash, no control characters, at most 255 bytes each.
    package static func checkName(_ name: String) throws {
        let components = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let safe = components.allSatisfy { c in
            !c.isEmpty && c.count <= 255 && !c.elementsEqual(".".utf8) && !c.elementsEqual("..".utf8)
                && c.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }
        }
        guard safe else {
            throw ContainerError(
                .invalidArgument, "'\(name)' is no name for a part",
                cause: "a part's name must stay inside the folder it is exported to",
                fix: "use a relative path without '.', '..', backslashes or control characters")
        }
    }

    package var json: JSON {
        ["name": .string(name), "digest": .string(digest.hex), "bytes": .int(bytes), "rows": .int(rows)]
    }

    /// - Throws: `.format` if a member is missing, unknown or wrong; `.invalidArgument` for an unsafe name.
    package init(json: JSON) throws {
        guard let members = json.object, members.count == 4, let name = members["name"]?.string,
            let hex = members["digest"]?.string, let digest = Digest(hex: hex),
            let bytes = members["bytes"]?.int, bytes >= 0, let rows = members["rows"]?.int, rows >= 0
        else {
            throw ContainerError(.format, "a part of the manifest is not {name, digest, bytes, rows}")
        }
        try Part.checkName(name)
        self.init(name: name, digest: digest, bytes: bytes, rows: rows)
    }
}

/// An artifact's table of contents. Its canonical JSON, `{"format": 1, "metadata": …, "parts": [{"bytes", "digest",
/// "name", "rows"}], "type": …, "version": …}`, is what the artifact's digest is taken of: no upstream digest, key,
/// path or time stands in it.
package struct Manifest: Sendable, Equatable {
    package static let format: Int64 = 1

    package var type: String
    package var version: Int
    /// Every number in it is finite.
    package var metadata: JSON
    package var parts: [Part]

    package init(type: String, version: Int, metadata: JSON = .object([:]), parts: [Part]) {
        self.type = type
        self.version = version
        self.metadata = metadata
        self.parts = parts
    }

    /// - Throws: `.format` for anything but a manifest, unknown members included; `.unsupported` for another format.
    package init(parsing bytes: [UInt8]) throws {
        let json = try JSON(parsing: bytes)
        guard let members = json.object, let format = members["format"]?.int else {
            throw ContainerError(.format, "not a manifest: no 'format'")
        }
        guard format == Self.format else {
            throw ContainerError(
                .unsupported, "the manifest has format \(format), this version reads \(Self.format)",
                fix: "use the version of the program that wrote it, or make the artifact again")
        }
        let known: Set<String> = ["format", "type", "version", "metadata", "parts"]
        guard let type = members["type"]?.string, let version = members["version"]?.int, version >= 0,
            let metadata = members["metadata"], let list = members["parts"]?.array
        else { throw ContainerError(.format, "the manifest lacks type, version, metadata or parts") }
        if let unknown = members.keys.filter({ !known.contains($0) }).min() {
            throw ContainerError(.format, "the manifest has an unknown member '\(unknown)'")
        }
        let parts = try list.map { try Part(json: $0) }
        var names: Set<String> = []
        for part in parts where !names.insert(part.name).inserted {
            throw ContainerError(.format, "the manifest names the part '\(part.name)' twice")
        }
        self.init(type: type, version: Int(version), metadata: metadata, parts: parts)
    }

    package var json: JSON {
        [
            "format": .int(Self.format), "type": .string(type), "version": .int(Int64(version)), "metadata": metadata,
            "parts": .array(parts.map(\.json)),
        ]
    }

    package var canonical: [UInt8] { json.canonical }
    package var digest: Digest { .of(canonical) }
}
