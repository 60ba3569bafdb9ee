// `linkloom predict DIR TEXT_A TEXT_B`: how a model that learned from links relates two texts.

import ArgumentParser
import Runner
import Stages

struct PredictCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "predict", abstract: "Guess the relation of two texts with an exported model.",
            discussion: "contiguous: B goes on where A ends; random: B is from anywhere; linked: A's document links to "
                + "B's. A model of `objective: bert` knows the first two.")
    }

    @Argument(help: ArgumentHelp("A folder that `export` wrote.", valueName: "dir"))
    var directory: String

    @Argument(help: ArgumentHelp("Text A.", valueName: "text-a"))
    var first: String

    @Argument(help: ArgumentHelp("Text B.", valueName: "text-b"))
    var second: String

    @Flag(help: "Print {relation: probability}.")
    var json = false

    func run() throws {
        let answers = try RelationPredictor(directory: directory, threads: 1).predict(first, second) {
            Terminal.write("warning: \($0)\n", to: 2)
        }
        if json { return try Terminal.print(RelationPredictor.json(answers)) }
        for answer in answers.sorted(by: { $0.probability > $1.probability }) {
            try Terminal.print("\((answer.probability * 10_000).rounded() / 10_000)\t\(answer.relation)")
        }
    }
}
