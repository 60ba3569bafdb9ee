// `linkloom embed DIR [TEXT…]`: texts to vectors with an exported model, or any BERT.

import ArgumentParser
import Runner
import Stages

extension TextEmbedder.Pool: ExpressibleByArgument {}

struct EmbedCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "embed", abstract: "Turn texts into vectors with an exported model.",
            discussion: "Without a text, every line of standard input is one. What is beyond the model's positions is "
                + "cut off, with a warning.")
    }

    @Argument(help: ArgumentHelp("A folder that `export` or `save_pretrained` wrote.", valueName: "dir"))
    var directory: String

    @Argument(help: "Texts; none: the lines of standard input.")
    var text: [String] = []

    @Option(help: ArgumentHelp("A second text for every text, as in [CLS] text [SEP] pair [SEP].", valueName: "text"))
    var pair: String?

    @Option(
        help: "One vector a text: [CLS], the mean of all tokens, or [CLS] through the model's pooler (default: cls).")
    var pool: TextEmbedder.Pool?

    @Flag(help: "Every token's last hidden state instead of one vector a text.")
    var tokens = false

    @Flag(help: "Print a line a text: [number, …], with --tokens {ids, tokens, vectors}.")
    var json = false

    @Option(name: [.short, .long], help: ArgumentHelp("Threads (else all cores).", valueName: "n"))
    var jobs: Int?

    func validate() throws {
        if tokens, pool != nil { throw ValidationError("--tokens gives every token's vector, --pool one a text") }
        if let jobs, !(1...1024).contains(jobs) {
            throw ValidationError("-j takes a number from 1 to 1024, not \(jobs)")
        }
    }

    func run() throws {
        let embedder = try TextEmbedder(
            directory: directory, pool: tokens ? nil : pool ?? .cls, pair: pair, threads: jobs ?? Cores.count)
        let input = text.isEmpty ? LineInput() : nil
        var given = text.makeIterator()
        var output = LineOutput()
        try embedder.embed {
            if let input { return try input.next() }
            return given.next()
        } warn: {
            Terminal.write("warning: \($0)\n", to: 2)
        } _: {
            try output.line(json ? $0.json : $0.text)
        }
        try output.flush()
    }
}
