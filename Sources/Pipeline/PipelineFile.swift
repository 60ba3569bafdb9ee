// A pipeline file with everything it includes, as one set of definitions. Nothing is selected or resolved here.

/// The definitions of a pipeline file and its includes, in the order written (includes first).
struct PipelineFile {
    static let version = 1
    static let topKeys = ["version", "include", "params", "corpora", "corpus", "stages", "experiments"]

    /// The file as the user named it.
    let name: String
    /// Where the file begins.
    let start: Location
    var params: [Node.Entry] = []
    var corpora: [Node.Entry] = []
    var stages: [Node.Entry] = []
    var experiments: [Node.Entry] = []
    /// The corpus that the file itself selects.
    var corpus: Node?

    /// Reads a file and its includes. What is wrong goes to `diagnostics`; what could be read is returned.
    /// - Returns: nil if the file itself could not be read as YAML.
    static func read(
        _ path: String, workingDirectory: String, files: any FileSystem, diagnostics: inout Diagnostics
    ) -> PipelineFile? {
        var reader = Reader(files: files)
        let absolute = Paths.resolve(path, in: workingDirectory)
        var file = PipelineFile(
            name: path,
            start: Location(
                source: SourceText(name: path, folder: Paths.folder(of: absolute), text: ""), line: 1, column: 1))
        let isReadable = reader.add(absolute, shown: path, includedAt: nil, to: &file)
        diagnostics.add(contentsOf: reader.diagnostics)
        return isReadable ? file : nil
    }

    private struct Reader {
        let files: any FileSystem
        var diagnostics = Diagnostics()
        /// Absolute paths of the files being read, outermost first, and of those done.
        var open: [(path: String, shown: String)] = []
        var done: Set<String> = []

        init(files: any FileSystem) { self.files = files }

        mutating func add(_ path: String, shown: String, includedAt: Location?, to file: inout PipelineFile) -> Bool {
            if done.contains(path) { return true }
            if let first = open.firstIndex(where: { $0.path == path }) {
                let chain = (open[first...].map(\.shown) + [shown]).joined(separator: " → ")
                diagnostics.add(
                    "files include each other: \(chain)", at: includedAt,
                    cause: "a file cannot stand before itself", fix: "remove one of the includes")
                return false
            }
            guard let root = parse(path, shown: shown, includedAt: includedAt) else { return false }
            open.append((path, shown))
            defer {
                open.removeLast()
                done.insert(path)
            }
            guard let entries = root.entries else {
                diagnostics.add(
                    "a pipeline file is a map, not \(root.described)", at: root.location,
                    fix: "begin with 'version: 1' and 'stages:'")
                return false
            }
            for entry in entries where !PipelineFile.topKeys.contains(entry.key) {
                diagnostics.add(
                    "unknown key '\(entry.key)' in a pipeline file", at: entry.keyLocation,
                    cause: "unknown keys are never ignored",
                    fix: suggestion(for: entry.key, among: PipelineFile.topKeys, kind: "keys"))
            }
            checkVersion(root, isIncluded: includedAt != nil)
            if let include = root["include"] { addIncludes(include, path: path, shown: shown, to: &file) }
            merge(root["params"], "param", into: &file.params)
            merge(root["corpora"], "corpus", into: &file.corpora)
            merge(root["stages"], "stage", into: &file.stages)
            merge(root["experiments"], "experiment", into: &file.experiments)
            if let corpus = root["corpus"] {
                if let first = file.corpus {
                    diagnostics.add(
                        "the corpus is selected twice", at: corpus.location,
                        cause: "it was selected at \(first.location) already", fix: "keep one of them")
                } else {
                    file.corpus = corpus
                }
            }
            return true
        }

        private mutating func parse(_ path: String, shown: String, includedAt: Location?) -> Node? {
            guard files.kind(path) == .file else {
                let what = files.kind(path) == nil ? "does not exist" : "is a folder"
                diagnostics.add(
                    "the pipeline file '\(shown)' \(what)", at: includedAt, cause: "looked for \(path)",
                    fix: includedAt == nil ? "check the path" : "includes are relative to the file that names them")
                return nil
            }
            let bytes: [UInt8]
            do { bytes = try files.read(path) } catch {
                diagnostics.add("the pipeline file '\(shown)' cannot be read", at: includedAt, cause: "\(error)")
                return nil
            }
            let source = SourceText(
                name: shown, folder: Paths.folder(of: path), text: String(decoding: bytes, as: UTF8.self))
            let start = Location(source: source, line: 1, column: 1)
            let before = diagnostics.count
            let root = YAMLReader.read(bytes, start: start, diagnostics: &diagnostics)
            if root == nil, diagnostics.count == before {
                diagnostics.add("the pipeline file is empty", at: start, fix: "begin with 'version: 1' and 'stages:'")
            }
            return root
        }

        private mutating func checkVersion(_ root: Node, isIncluded: Bool) {
            guard let version = root["version"] else {
                if !isIncluded {
                    diagnostics.add(
                        "the pipeline file has no version", at: root.location,
                        cause: "the version says by which rules the file is read",
                        fix: "add 'version: \(PipelineFile.version)' as its first line")
                }
                return
            }
            if version.scalar != "\(PipelineFile.version)" {
                diagnostics.add(
                    "the version of a pipeline file is \(PipelineFile.version), not \(version.described)",
                    at: version.location, cause: "this program reads version \(PipelineFile.version) only",
                    fix: "write version: \(PipelineFile.version), or use the program that the file was written for")
            }
        }

        private mutating func addIncludes(_ include: Node, path: String, shown: String, to file: inout PipelineFile) {
            let items: [Node]
            do throws(ConfigProblem) { items = try include.readList() } catch {
                diagnostics.add(
                    "'include' \(error.message)", at: include.location, fix: "write include: [a.yaml, b.yaml]")
                return
            }
            for item in items {
                guard let target = item.scalar, !item.isNull else {
                    diagnostics.add("'include' takes paths, not \(item.described)", at: item.location)
                    continue
                }
                _ = add(
                    Paths.resolve(target, in: item.folder),
                    shown: Paths.shown(target, in: Paths.shownFolder(of: shown)), includedAt: item.location, to: &file)
            }
        }

        private mutating func merge(_ node: Node?, _ kind: String, into definitions: inout [Node.Entry]) {
            guard let node, !node.isNull else { return }
            guard let entries = node.entries else {
                diagnostics.add(
                    "definitions of \(kind == "corpus" ? "corpora" : kind + "s") are a map from names, not \(node.described)",
                    at: node.location, fix: "write NAME: {…} under it")
                return
            }
            for entry in entries {
                if let first = definitions.first(where: { $0.key == entry.key }) {
                    diagnostics.add(
                        "the \(kind) '\(entry.key)' is defined twice", at: entry.keyLocation,
                        cause:
                            "it is defined at \(first.keyLocation) already, and neither definition is above the other",
                        fix: "rename one of them, or include only one of the files")
                } else if !isName(entry.key) {
                    diagnostics.add(
                        "'\(entry.key)' cannot name a \(kind)", at: entry.keyLocation,
                        cause: "names stand in paths such as \(kind)s.NAME and in $references",
                        fix: "use letters, digits, '-' and '_'")
                } else if kind == "stage", Setting.roots.contains(entry.key) {
                    diagnostics.add(
                        "a stage cannot be called '\(entry.key)'", at: entry.keyLocation,
                        cause: "'\(entry.key).KEY' in set and -s means the part of the file of that name",
                        fix: "choose another name")
                } else {
                    definitions.append(entry)
                }
            }
        }
    }
}

/// Letters, digits, `-` and `_` of ASCII, at least one.
func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(isNameByte)
}

func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
    default: false
    }
}
