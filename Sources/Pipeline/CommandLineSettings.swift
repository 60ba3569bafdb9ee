// `-s path=value`: the arguments become lines of one source called `-s`, so that errors show them with a caret.

/// Reads the values of `-s` as YAML in flow style; relative paths in them start from the working folder.
func commandLineSettings(_ arguments: [String], workingDirectory: String, _ diagnostics: inout Diagnostics) -> [Setting]
{
    let source = SourceText(name: "-s", folder: workingDirectory, text: arguments.joined(separator: "\n"))
    var settings: [Setting] = []
    var line = 1
    for argument in arguments {
        let start = Location(source: source, line: line, column: 1)
        line += 1 + argument.utf8.count { $0 == 10 }
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
            diagnostics.add(
                "'\(argument)' sets nothing", at: start, cause: "-s takes a path, '=' and a value",
                fix: "write -s params.seed=14")
            continue
        }
        let path = String(argument[..<equals])
        let text = argument[argument.index(after: equals)...]
        let valueStart = Location(source: source, line: start.line, column: path.unicodeScalars.count + 2)
        var problems = Diagnostics()
        var value = YAMLReader.read(
            Array(text.utf8), start: valueStart, origin: .commandLine, flowOnly: true, diagnostics: &problems)
        if value == nil, problems.isEmpty {
            if text.contains(where: { !$0.isWhitespace }) {
                problems.add(
                    "'\(text)' is a YAML comment", at: valueStart, cause: "'#' begins a comment in YAML",
                    fix: "quote the value: '\(path)=\"\(text)\"'")
            } else {
                value = Node(.scalar("", .plain), at: valueStart, origin: .commandLine)
            }
        }
        diagnostics.add(contentsOf: problems)
        if let value { settings.append(Setting(path: path, location: start, value: value)) }
    }
    return settings
}
