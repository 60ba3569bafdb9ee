// `recipes`: the published settings that `recipe:` of stage `pretrain` knows, and where each number comes from.

import ArgumentParser
import Runner
import Stages

struct RecipesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipes", abstract: "List the recipes of `pretrain`, or show what one resolves to.",
        discussion: "A recipe gives the keys that a pipeline file leaves out; what the file says wins.")
    @Argument(help: ArgumentHelp("A recipe.", valueName: "name"))
    var name: String?
    @Option(help: ArgumentHelp("GFLOP/s of the machine, for its time.", valueName: "gflops"))
    var rate = Recipe.coresRate / 1e9
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard rate > 0 else { throw ValidationError("--rate takes a number above 0") }
    }

    func run() throws {
        guard let name else {
            if json { return try Terminal.print(Recipe.json(Recipe.published)) }
            return try Terminal.print(Terminal.table(Recipe.table))
        }
        guard let found = Recipe.Name(rawValue: name) else {
            throw ValidationError(
                "there is no recipe '\(name)'; there are: "
                    + Recipe.Name.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let recipe = Recipe.named(found)
        if json { return try Terminal.print(Recipe.json([recipe])) }
        let report = recipe.report(rate: rate * 1e9)
        var lines = ["\(name): keys of `pretrain`", Terminal.table(report.keys.map { ["  " + $0[0]] + $0[1...] })]
        lines += ["set elsewhere", Terminal.table(report.notes.map { ["  " + $0[0]] + $0[1...] })]
        lines += ["cost"] + report.cost.map { "  " + $0 }
        try Terminal.print(lines.joined(separator: "\n"))
    }
}
