// What a stage's config is: a struct of knobs with defaults and one table of its keys, and the files it names.

package import Container

/// The knobs of a stage. `init()` gives the defaults; `keys` is the one table that decodes, validates,
/// canonicalises, and prints the JSON Schema and the docs.
package protocol StageConfig: Sendable {
    init()
    static var keys: [ConfigKey<Self>] { get }
    /// Checks that no single key can make, such as two lengths that must agree. Run after every key was read.
    func problems() -> [ConfigProblem]
    /// What keys left out of a map start from. A config with named sets of values reads the name in the map; a name
    /// that it does not know is left to the key's own check.
    static func start(from node: Node) -> Self
    /// Who gave a key that the file leaves out, in words; nil where it has its default.
    func origin(of key: String) -> String?
}

extension StageConfig {
    package static func start(from node: Node) -> Self { Self() }
    package func origin(of key: String) -> String? { nil }
    package func problems() -> [ConfigProblem] { [] }
}

/// What is wrong with a value of a config. `message` follows the name of the key: `key 'steps' of stage 'model' …`,
/// e.g. `takes a whole number, not 'many'`; with no key it follows the name of the stage.
package struct ConfigProblem: Error, Sendable, Equatable {
    /// As in YAML; `a.b` for a key of a nested map.
    package var key: String?
    package var message: String
    package var cause: String?
    package var fix: String?
    /// Where, if a more exact place than the key's value is known.
    package var location: Location?

    package init(
        _ message: String, key: String? = nil, cause: String? = nil, fix: String? = nil, at location: Location? = nil
    ) {
        self.key = key
        self.message = message
        self.cause = cause
        self.fix = fix
        self.location = location
    }

    package init(key: String?, message: String, cause: String? = nil, fix: String? = nil) {
        self.init(message, key: key, cause: cause, fix: fix)
    }
}

/// A file from outside that a config names.
package struct InputFile: Sendable, Equatable {
    /// Absolute.
    package var path: String
    /// The path below the literal prefix of the glob that matched it (`a/*.xml` gives `x.xml`); for a file named
    /// without a glob its last component. Enters keys only for stages that read file names.
    package var logicalName: String
    /// Of the content; nil until the runner has read the file.
    package var digest: Digest?
    package var bytes: Int64?

    package init(path: String, logicalName: String, digest: Digest? = nil, bytes: Int64? = nil) {
        self.path = path
        self.logicalName = logicalName
        self.digest = digest
        self.bytes = bytes
    }
}
