// What flows between stages: typed artifacts, and the typed ports they enter through.
// An artifact type is a name and a version; its bytes are a manifest and parts (Container).

package import Container

/// A type of artifact. Conformed by empty enums in `Stages`; `Runner` meets them only through this protocol.
package protocol Artifact: Sendable {
    /// The name in manifests, port tables and messages, e.g. `documents`.
    static var typeName: String { get }
    /// Version of the byte layout. It enters the key of every stage that makes this type.
    static var version: Int { get }
    /// Emits one JSON object a row, in stored order, until `emit` returns false.
    static func rows(_ artifact: StoredArtifact, _ context: PrintContext, emit: (JSON) throws -> Bool) throws
    /// What `linkloom stats` shows: a JSON object computed from the metadata and the parts.
    static func statistics(_ artifact: StoredArtifact, _ context: PrintContext) throws -> JSON
    /// Writes the artifact into an existing empty folder for use outside; the default writes the manifest and
    /// every part uncompressed.
    static func export(_ artifact: StoredArtifact, _ context: ExportContext) throws
}

/// Where and what `linkloom export` writes.
package struct ExportContext: Sendable {
    package let directory: String
    /// Names of the parts asked for; empty for all.
    package let partNames: [String]
    /// Lines a stage recorded beside its artifact (`ProgressSink.record`), by stream; empty if unknown.
    package let records: @Sendable (String) -> [JSON]

    package init(directory: String, partNames: [String], records: @escaping @Sendable (String) -> [JSON]) {
        self.directory = directory
        self.partNames = partNames
        self.records = records
    }
}

/// What a printer may look at beside the artifact itself.
package struct PrintContext: Sendable {
    /// Finds the nearest upstream artifact of a type, e.g. the tokens that segments were cut from; nil if unknown.
    package let upstream: @Sendable (String) -> StoredArtifact?

    package init(upstream: @escaping @Sendable (String) -> StoredArtifact?) { self.upstream = upstream }
}

/// How many artifacts a port takes.
package enum PortArity: String, Sendable {
    case one, optional, many, optionalMany

    package var isRequired: Bool { self == .one || self == .many }
    package var isList: Bool { self == .many || self == .optionalMany }
}

/// A named, typed way into a stage.
package struct InputPort<A: Artifact>: Sendable {
    package let name: String
    package let arity: PortArity
    /// Whether a port left out is filled by the only stage that makes the type. Off for ports such as
    /// `init` of `pretrain`, whose absence has a meaning of its own.
    package let autoWired: Bool
    /// Whether every piece reads all that comes in here, as tokenizing does the vocabulary: another artifact makes every
    /// piece anew. Other ports leave alone the pieces whose parts and projections stay the same.
    package let readByEveryPiece: Bool
    package let help: String

    package init(
        _ name: String, _ arity: PortArity = .one, autoWired: Bool = true, readByEveryPiece: Bool = false, help: String
    ) {
        self.name = name
        self.arity = arity
        self.autoWired = autoWired
        self.readByEveryPiece = readByEveryPiece
        self.help = help
    }

    package var erased: AnyInputPort {
        AnyInputPort(
            name: name, typeName: A.typeName, typeVersion: A.version, arity: arity, autoWired: autoWired,
            readByEveryPiece: readByEveryPiece, help: help)
    }
}

/// A port with its artifact type as a value, for planning.
package struct AnyInputPort: Sendable, Equatable {
    package let name: String
    package let typeName: String
    package let typeVersion: Int
    package let arity: PortArity
    package let autoWired: Bool
    package let readByEveryPiece: Bool
    package let help: String
}
