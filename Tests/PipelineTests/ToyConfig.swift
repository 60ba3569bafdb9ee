// A config with one key of every kind, for the tests of this room.

import Container
import Pipeline

enum Masking: String, CaseIterable, Sendable { case dynamic, fixed = "static" }

struct Sides: StageConfig, Equatable {
    var by = "group"
    var validation = 0.05
    static let keys: [ConfigKey<Sides>] = [
        .string("by", \.by, help: "How documents are put on sides."),
        .number("validation", \.validation, in: 0...0.5, help: "Share of the validation side."),
    ]
}

struct Mix: Equatable, Sendable { var contiguous = 1.0, linked = 1.0 }

struct ToyConfig: StageConfig, Equatable {
    var steps = 10
    var rate = 0.5
    var fast = false
    var title = "toy"
    var masking = Masking.dynamic
    var limit: Int?
    var names: [String] = []
    var mix = Mix()
    var sides = Sides()
    var phases: [Sides] = []
    var threads = 1
    var share = 90.0
    var files: [InputFile] = []
    var edges: InputFile?

    static let keys: [ConfigKey<ToyConfig>] = [
        .int("steps", \.steps, in: 1...1000, help: "Steps to run."),
        .number("rate", \.rate, in: 0...1, help: "A rate."),
        .bool("fast", \.fast, help: "Be fast."),
        .string("title", \.title, help: "A title."),
        .choice("masking", \.masking, help: "When masks are drawn."),
        .optionalInt("limit", \.limit, in: 0...Int.max, help: "A limit."),
        .strings("names", \.names, help: "Names."),
        .weights("mix", \.mix, fields: [("contiguous", \.contiguous), ("linked", \.linked)], help: "Weights."),
        .nested("sides", \.sides, help: "Sides."),
        .nestedList("phases", \.phases, help: "Phases."),
        .int("threads", \.threads, in: 1...64, operational: true, help: "Threads."),
        .custom(
            "share", \.share, type: "a percentage", schema: ["type": "string"], help: "A share.",
            decode: { (node) throws(ConfigProblem) in
                let text = try node.readString()
                guard text.hasSuffix("%"), let value = Double(text.dropLast()) else {
                    throw node.mismatch("a percentage")
                }
                return value
            },
            encode: { .string("\(Node.plain($0))%") }),
        .files("files", \.files, help: "Files."),
        .file("edges", \.edges, help: "A file."),
    ]

    func problems() -> [ConfigProblem] {
        steps == 13 ? [ConfigProblem("must not be 13", key: "steps", fix: "choose another")] : []
    }
}
