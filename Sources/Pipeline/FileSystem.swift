// The little of a file system that planning needs: pipeline files are read, input files are only looked for.

import Container

package enum FileKind: Sendable { case file, folder }

/// Where pipeline files and the names of input files come from. Paths are absolute.
package protocol FileSystem: Sendable {
    func read(_ path: String) throws -> [UInt8]
    /// Nil if there is nothing at the path.
    func kind(_ path: String) -> FileKind?
    /// The names in a folder, sorted.
    func list(_ folder: String) throws -> [String]
}

/// The machine's own files.
package struct RealFiles: FileSystem {
    package init() {}
    package func read(_ path: String) throws -> [UInt8] { try Files.read(path) }
    package func kind(_ path: String) -> FileKind? {
        Files.isDirectory(path) ? .folder : Files.exists(path) ? .file : nil
    }
    package func list(_ folder: String) throws -> [String] { try Files.list(folder) }
}

/// Paths as text: joined and tidied without asking the file system.
package enum Paths {
    /// `path` itself if absolute, else below `folder`; `.` and `..` and double slashes are resolved lexically.
    package static func resolve(_ path: String, in folder: String) -> String {
        let joined = path.utf8.first == UInt8(ascii: "/") ? path : folder + "/" + path
        var parts: [Substring] = []
        for part in joined.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The folder of an absolute path.
    package static func folder(of path: String) -> String {
        let parts = path.split(separator: "/")
        return "/" + parts.dropLast().joined(separator: "/")
    }

    /// The last component.
    package static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "/" }
}

extension Paths {
    /// How a path below a shown folder is shown: `pipelines` and `../a.yaml` give `a.yaml`. Keeps leading `..`.
    static func shown(_ path: String, in folder: String) -> String {
        if path.hasPrefix("/") { return path }
        let joined = folder.isEmpty ? path : folder + "/" + path
        var parts: [Substring] = []
        for part in joined.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return (joined.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    /// The part before the last slash; empty if there is none.
    static func shownFolder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
