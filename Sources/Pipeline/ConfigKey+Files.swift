// Factories for keys that name files from outside. Planning finds the files and their names; their digests are
// filled in by the runner. A key record holds (name or "", digest), never a path.

import Container

extension ConfigKey {
    /// A list of paths or globs (`*`, `?`, `**`); each must give at least one file, no file twice. Files of a glob
    /// are in the order of their logical names.
    package static func files(
        _ name: String, _ path: any KeyOf<C, [InputFile]>, required: Bool = false, operational: Bool = false,
        help: String
    ) -> ConfigKey {
        fileRow(
            name, type: "a list of paths or globs", schema: listSchema(["type": "string"]), required: required,
            operational: operational, help: help, get: { $0[keyPath: path] }, set: { $0[keyPath: path] = $1 },
            find: { (node, files) throws(ConfigProblem) in
                var found: [InputFile] = []
                var seen: Set<String> = []
                for item in try node.readList() {
                    for file in try findFiles(item, in: files) {
                        if !seen.insert(file.path).inserted {
                            throw ConfigProblem(
                                "names \(file.path) twice", cause: "its documents would be read twice",
                                fix: "drop the path or narrow the glob", at: item.location)
                        }
                        found.append(file)
                    }
                }
                if required, found.isEmpty { throw node.mismatch("at least one path or glob") }
                return found
            })
    }

    /// One file; absent or null is nil.
    package static func file(
        _ name: String, _ path: any KeyOf<C, InputFile?>, required: Bool = false, operational: Bool = false,
        help: String
    ) -> ConfigKey {
        fileRow(
            name, type: "a path", schema: required ? ["type": "string"] : orNull(["type": "string"]),
            required: required, operational: operational, help: help, get: { $0[keyPath: path].map { [$0] } ?? [] },
            set: { $0[keyPath: path] = $1.first },
            find: { (node, files) throws(ConfigProblem) in
                if node.isNull, !required { return [] }
                let found = try findFiles(node, in: files)
                if found.count > 1 {
                    throw ConfigProblem(
                        "takes one file, but '\(node.scalar ?? "")' matches \(found.count)",
                        fix: "name one of them, e.g. \(found[0].logicalName)")
                }
                return found
            })
    }

    /// All files below one folder, by their path below it; for inputs that are folders, such as a model.
    package static func folder(
        _ name: String, _ path: any KeyOf<C, [InputFile]>, required: Bool = false, operational: Bool = false,
        help: String
    ) -> ConfigKey {
        fileRow(
            name, type: "a folder", schema: required ? ["type": "string"] : orNull(["type": "string"]),
            required: required, operational: operational, help: help, get: { $0[keyPath: path] },
            set: { $0[keyPath: path] = $1 },
            find: { (node, files) throws(ConfigProblem) in
                if node.isNull, !required { return [] }
                let text = try node.readString()
                let folder = Paths.resolve(text, in: node.folder)
                switch files.kind(folder) {
                case nil: throw missing(text, folder, node)
                case .file:
                    throw ConfigProblem("takes a folder, but '\(text)' is a file", fix: "name the folder that holds it")
                case .folder: return try expand(Glob(below: folder), text, in: files)
                }
            })
    }

    private static func fileRow(
        _ name: String, type: String, schema: JSON, required: Bool, operational: Bool, help: String,
        get: @escaping @Sendable (C) -> [InputFile], set: @escaping @Sendable (inout C, [InputFile]) -> Void,
        find: @escaping @Sendable (Node, any FileSystem) throws(ConfigProblem) -> [InputFile]
    ) -> ConfigKey {
        ConfigKey(
            info: KeyInfo(
                name: name, type: type, schema: described(schema, help), help: help, operational: operational,
                required: required, children: []),
            decode: { node, config, context in
                do throws(ConfigProblem) {
                    set(&config, context.restoring ? try restoreFiles(node) : try find(node, context.files))
                } catch { context.report(error, key: name, at: node.location) }
            },
            value: { .array(get($0).map(record)) },
            canonical: { _, _ in JSON?.none },
            mapFiles: { config, visit in set(&config, try visit(name, get(config))) })
    }

    // MARK: Finding

    private static func findFiles(_ node: Node, in files: any FileSystem) throws(ConfigProblem) -> [InputFile] {
        let text = try node.readString()
        let path = Paths.resolve(text, in: node.folder)
        switch files.kind(path) {
        case .file: return [InputFile(path: path, logicalName: Paths.name(of: path))]
        case .folder:
            throw ConfigProblem(
                "takes a file, but '\(text)' is a folder", fix: "name the files in it: '\(text)/*' or '\(text)/**'",
                at: node.location)
        case nil:
            if let glob = Glob(path) { return try expand(glob, text, in: files, at: node.location) }
            var problem = missing(text, path, node)
            problem.location = node.location
            throw problem
        }
    }

    private static func missing(_ text: String, _ path: String, _ node: Node) -> ConfigProblem {
        var fix = "check the path; relative paths start from the folder of the file they are written in"
        // `$params.data/x.xml`: whoever runs the pipeline gives the folder.
        if let reference = node.reference, reference.hasPrefix("$params."), let slash = reference.firstIndex(of: "/") {
            fix = "say where it lies: -s \(reference[..<slash].dropFirst())=FOLDER, relative to where you are"
        }
        return ConfigProblem("names '\(text)', which does not exist", cause: "looked for \(path)", fix: fix)
    }

    private static func expand(
        _ glob: Glob, _ text: String, in files: any FileSystem, at location: Location? = nil
    ) throws(ConfigProblem) -> [InputFile] {
        let found: [(path: String, logicalName: String)]
        do { found = try glob.matches(in: files) } catch {
            throw ConfigProblem("cannot list the files of '\(text)'", cause: "\(error)", at: location)
        }
        if found.isEmpty {
            throw ConfigProblem(
                "names '\(text)', which matches no file", cause: "looked in \(glob.prefix)",
                fix: "check the pattern: * and ? stand within a name, ** for any number of folders", at: location)
        }
        return found.map { InputFile(path: $0.path, logicalName: $0.logicalName) }
    }

    // MARK: Records of resolved configs

    private static func record(_ file: InputFile) -> JSON {
        var members: [String: JSON] = ["path": .string(file.path), "name": .string(file.logicalName)]
        if let digest = file.digest { members["digest"] = .string(digest.hex) }
        if let bytes = file.bytes { members["bytes"] = .int(bytes) }
        return .object(members)
    }

    private static func restoreFiles(_ node: Node) throws(ConfigProblem) -> [InputFile] {
        var files: [InputFile] = []
        for item in try node.readList() {
            guard let path = item["path"]?.scalar, let name = item["name"]?.scalar else {
                throw item.mismatch("records of files")
            }
            var file = InputFile(path: path, logicalName: name)
            if let hex = item["digest"] {
                guard let digest = Digest(hex: try hex.readString()) else { throw hex.mismatch("a SHA-256 digest") }
                file.digest = digest
            }
            if let bytes = item["bytes"] { file.bytes = Int64(try bytes.readInt(in: 0...Int.max)) }
            files.append(file)
        }
        return files
    }
}
