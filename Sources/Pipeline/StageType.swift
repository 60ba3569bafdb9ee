// The stage types a program knows, as values: names, ports, tables of keys, decoding. Pipeline itself knows none.

package import Container

/// A stage type, its Swift types erased.
package struct StageType: Sendable {
    package let name: String
    package let version: Int
    package let summary: String
    package let ports: [AnyInputPort]
    /// The artifact type that the default config makes.
    package let output: any Artifact.Type
    /// The keys with their defaults, in the order of the table.
    package let keys: [KeyDoc]
    private let decoder: @Sendable (Node, inout DecodeContext) -> any StageBox

    package init<S: Stage>(_ stage: S.Type) {
        name = S.name
        version = S.version
        summary = S.summary
        ports = S.ports
        output = S.output(S.Config())
        let defaults = S.Config()
        keys = S.Config.keys.map { KeyDoc(info: $0.info, defaultValue: $0.value(defaults)) }
        decoder = { node, context in
            var config = S.Config.start(from: node)
            let before = context.diagnostics.count
            decodeKeys(S.Config.keys, from: node, into: &config, &context)
            if context.diagnostics.count == before, !context.isIncomplete, !context.restoring {
                reportProblems(of: config, in: nil, node, &context)
            }
            return Bound<S>(config: config)
        }
    }

    /// The JSON Schema of the config.
    package var schema: JSON { schemaObject(keys.map(\.info)) }
    /// One line a key, for people.
    package var docs: [String] { keys.map(\.line) }

    /// Reads a config.
    /// - Parameters:
    ///   - node: a map with every reference resolved.
    ///   - stage: what errors call the stage.
    /// - Returns: the stage, nil if there is any diagnostic.
    package func decode(
        node: Node, stage: String, files: any FileSystem = RealFiles()
    ) -> (stage: BoundStage?, diagnostics: Diagnostics) {
        var context = DecodeContext(stage: stage, files: files)
        let bound = decodeLeniently(node, &context)
        return (context.diagnostics.isEmpty ? bound : nil, context.diagnostics)
    }

    /// Keeps what could be read; the rest has its defaults and a diagnostic.
    func decodeLeniently(_ node: Node, _ context: inout DecodeContext) -> BoundStage {
        BoundStage(decoder(node, &context))
    }

    /// Restores what `BoundStage.resolvedConfig` wrote, in another process perhaps. No file is looked for.
    /// - Throws: `PipelineErrors` if the record was made by another version of the stage's config.
    package func rebind(resolvedConfig: JSON) throws(PipelineErrors) -> BoundStage {
        var context = DecodeContext(stage: name, files: RealFiles(), restoring: true)
        let bound = decodeLeniently(Node(json: resolvedConfig), &context)
        try context.diagnostics.check()
        return bound
    }
}

/// The stage types of a program, by name.
package struct StageRegistry: Sendable {
    package let stages: [StageType]
    private let byName: [String: StageType]

    /// - Precondition: names are unique.
    package init(_ stages: [StageType]) {
        self.stages = stages
        byName = Dictionary(uniqueKeysWithValues: stages.map { ($0.name, $0) })
    }

    package subscript(_ name: String) -> StageType? { byName[name] }
    /// In the order given.
    package var names: [String] { stages.map(\.name) }

    /// The JSON Schema of a whole pipeline file. Every value may also be a reference.
    package var schema: JSON {
        let reference: JSON = ["type": "string", "pattern": "^\\$[^$]"]
        let map: JSON = ["type": "object"]
        let variants: [JSON] = stages.map { stage in
            let ports = stage.ports.map { port in
                (port.name, ["description": .string(port.help), "anyOf": Self.portSchema(port)] as JSON)
            }
            let properties: JSON = [
                "use": ["const": .string(stage.name)],
                "in": [
                    "type": "object", "additionalProperties": false,
                    "properties": .object(Dictionary(uniqueKeysWithValues: ports)),
                ],
                "with": [
                    "anyOf": [Self.allowingReferences(stage.schema), ["type": "array", "items": map], reference]
                ],
            ]
            return [
                "type": "object", "description": .string(stage.summary), "required": ["use"],
                "additionalProperties": false, "properties": properties,
            ]
        }
        let experiment: JSON = [
            "type": "object", "additionalProperties": false,
            "properties": [
                "extends": ["type": "string"], "corpus": ["type": "string"], "set": map,
                "matrix": ["type": "object", "additionalProperties": ["type": "array"]],
            ],
        ]
        let properties: JSON = [
            "version": ["const": .int(Int64(PipelineFile.version))],
            "include": ["anyOf": [["type": "array", "items": ["type": "string"]], ["type": "string"]]],
            "params": map, "corpus": ["type": "string"],
            "corpora": ["type": "object", "additionalProperties": map],
            "stages": ["type": "object", "additionalProperties": ["oneOf": .array(variants)]],
            "experiments": ["type": "object", "additionalProperties": experiment],
        ]
        return [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Linkloom pipeline",
            "type": "object", "additionalProperties": false, "properties": properties,
        ]
    }

    private static func portSchema(_ port: AnyInputPort) -> JSON {
        let name: JSON = ["type": "string"]
        return port.arity.isList ? [name, ["type": "array", "items": name]] : [name]
    }

    /// The same schema, every property of it also taking a reference.
    private static func allowingReferences(_ schema: JSON) -> JSON {
        guard var members = schema.object else { return schema }
        if let properties = members["properties"]?.object {
            members["properties"] = .object(
                properties.mapValues { value in
                    ["anyOf": [allowingReferences(value), ["type": "string", "pattern": "^\\$[^$]"]]]
                })
        }
        members["required"] = nil
        return .object(members)
    }
}
