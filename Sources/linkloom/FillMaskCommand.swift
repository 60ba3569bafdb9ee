// `linkloom fill-mask DIR TEXT`: the first question anyone asks a new model.

import ArgumentParser
import Runner
import Stages

struct FillMaskCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "fill-mask", abstract: "Guess the [MASK]s of a text with an exported model.",
            discussion: "With several masks, --json prints one list of guesses a mask.")
    }

    @Argument(help: ArgumentHelp("A folder that `export` or `save_pretrained` wrote.", valueName: "dir"))
    var directory: String

    @Argument(help: "The text, with [MASK] where a token is to be guessed.")
    var text: String

    @Option(name: .shortAndLong, help: "Guesses to print for each mask.")
    var top = 5

    @Flag(help: "Print [{token, id, score}].")
    var json = false

    func validate() throws {
        guard top >= 1 else { throw ValidationError("--top takes a whole number of at least 1, not \(top)") }
    }

    func run() throws {
        let filler = try MaskFiller(directory: directory, threads: 1)
        let answers = try filler.fill(text, top: top)
        for note in filler.notes { Terminal.write("note: \(note)\n", to: 2) }
        if json {
            try Terminal.print(MaskFiller.json(answers))
            return
        }
        for (number, guesses) in answers.enumerated() {
            if answers.count > 1 { try Terminal.print("mask \(number + 1)") }
            for guess in guesses {
                let score = (guess.score * 10_000).rounded() / 10_000
                try Terminal.print("\(score)\t\(guess.token)")
            }
        }
    }
}
