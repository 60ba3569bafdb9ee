// How an artifact leaves the store when its type has no layout of its own.

package import Container

extension Artifact {
    /// The manifest and every part asked for, uncompressed; columns parts get the ending `.safetensors`.
    package static func export(_ artifact: StoredArtifact, _ context: ExportContext) throws {
        try Files.publish(artifact.manifest.canonical, at: context.directory + "/manifest.json")
        for part in artifact.manifest.parts where context.wants(part) {
            let bytes = try artifact.bytes(part)
            let path = context.directory + "/" + ExportContext.fileName(of: part, bytes)
            if let slash = path.lastIndex(of: "/") { try Files.makeDirectories(String(path[..<slash])) }
            try Files.publish(bytes, at: path)
        }
    }
}

extension ExportContext {
    package func wants(_ part: Part) -> Bool { partNames.isEmpty || partNames.contains(part.name) }

    /// A columns part is a safetensors file: an 8-byte header length and a JSON object.
    package static func fileName(of part: Part, _ bytes: [UInt8]) -> String {
        let isColumns = bytes.count > 8 && bytes[8] == UInt8(ascii: "{") && !part.name.contains(".")
        return isColumns ? part.name + ".safetensors" : part.name
    }
}
