// Plans from YAML text: wiring, order, references, experiments, precedence, paths.

import Container
import Testing

import Pipeline

struct PlanTests {
    @Test func `ports left out are filled by the only stage of their type`() throws {
        let plan = try planned(base("  model: {use: train}"))
        #expect(plan.stages.map(\.name) == ["documents", "links", "graph", "model"])
        #expect(plan["graph"]?.wires == ["documents": ["documents"], "links": ["links"]])
        #expect(plan["model"]?.wires == ["graph": ["graph"]])
        #expect(plan["model"]?.autoWired == ["graph"])
        #expect(plan.downstream(of: "links") == ["graph", "model"])
        #expect(plan.upstream(of: "graph") == ["documents", "links"])
    }

    @Test func `stages run after those they read, otherwise in file order`() throws {
        let plan = try planned(
            """
            version: 1
            stages:
              model: {use: train}
              graph: {use: graph}
              tokens: {use: tokenize}
              links: {use: link-extract}
              documents: {use: parse, with: {files: a.txt}}
            """)
        #expect(plan.stages.map(\.name) == ["documents", "tokens", "links", "graph", "model"])
    }

    @Test func `a port that the config does not use is not wired`() throws {
        let plan = try planned(base("  tokens: {use: tokenize, in: {documents: documents}, with: {import: a.txt}}"))
        #expect(plan["tokens"]?.wires == [:])
    }

    @Test func `an ambiguous optional port stays empty and a list port takes a list`() throws {
        let plan = try planned(
            base(
                """
                  more: {use: link-extract}
                  both: {use: graph, in: {links: [more, links]}}
                  one: {use: tokenize}
                  two: {use: tokenize}
                  model: {use: train, in: {graph: both}}
                """
            ).replacing("graph: {use: graph}", with: "graph: {use: graph, in: {links: links}}"))
        #expect(plan["both"]?.wires["links"] == ["more", "links"])
        #expect(plan["model"]?.wires == ["graph": ["both"]])
    }

    @Test func `a port that is not auto-wired is never filled by itself`() throws {
        let plan = try planned(base("  first: {use: train}\n  second: {use: train}"))
        #expect(plan["second"]?.wires["init"] == nil)
    }

    // MARK: Scalars, references

    @Test func `scalars are read by the type of their key`() throws {
        let plan = try planned(base("  model: {use: train, with: {title: no, steps: 012, names: [12:30, on, 1.0]}}"))
        #expect(value(plan, "model", "title") == "no")
        #expect(value(plan, "model", "steps") == 12)
        #expect(value(plan, "model", "names") == ["12:30", "on", "1.0"])
    }

    @Test func `a reference stands for a scalar, a map or a list and keeps dollars doubled at the start`() throws {
        let plan = try planned(
            base(
                "  model: {use: train, with: {mix: $params.mix, steps: $params.steps, title: $$5, names: $params.names}}",
                head:
                    "params: {mix: {contiguous: 0, linked: 2}, steps: $params.other, other: 7, names: [$params.steps, ends$]}"
            ))
        #expect(value(plan, "model", "mix") == ["contiguous": .number(0), "linked": .number(2)])
        #expect(value(plan, "model", "steps") == 7)
        #expect(value(plan, "model", "title") == "$5")
        #expect(value(plan, "model", "names") == ["7", "ends$"])
    }

    @Test func `a list of maps merges from left to right, maps key by key`() throws {
        let plan = try planned(
            base(
                "  model: {use: train, with: [$params.a, {sides: {by: text}, steps: 3}]}",
                head: "params: {a: {sides: {validation: 0.1}, steps: 2, rate: 0.25}}"))
        #expect(value(plan, "model", "sides") == ["by": "text", "validation": .number(0.1)])
        #expect(value(plan, "model", "steps") == 3)
        #expect(value(plan, "model", "rate") == .number(0.25))
    }

    @Test func `the selected corpus is what $corpus means and fills keys called corpus`() throws {
        let yaml = """
            version: 1
            include: corpora/c.yaml
            corpora: {absent: {parse: {files: [nowhere.xml]}}}
            stages: {documents: {use: parse, with: $corpus.parse}}
            experiments: {one: {corpus: small}, two: {extends: one, corpus: absent}}
            """
        let files = [
            "/home/corpora/c.yaml": "corpora: {small: {parse: {files: ['*.txt']}}}", "/home/corpora/x.txt": "x",
        ]
        let plan = try planned(yaml, "one", files: files)
        #expect(plan["documents"]?.bound.files == [InputFile(path: "/home/corpora/x.txt", logicalName: "x.txt")])
        #expect(value(plan, "documents", "corpus") == "small")
        #expect(plan.corpus == "small")
        #expect(errors(yaml, "two", files: files).contains("names 'nowhere.xml', which does not exist"))
        let set = try planned(yaml, "two", sets: ["corpus=small", "corpus.parse.drop=[x]"], files: files)
        #expect(value(set, "documents", "drop") == ["x"])
    }

    @Test func `a path starts from the file in which its text is written`() throws {
        let files = [
            "/home/sub/inc.yaml": "params: {data: ., up: ../shared}", "/home/sub/d/x.txt": "", "/home/shared/y.txt": "",
            "/elsewhere/d/z.txt": "",
        ]
        let yaml = """
            version: 1
            include: [sub/inc.yaml]
            stages:
              one: {use: parse, with: {files: [$params.data/d/*.txt, $params.up/y.txt]}}
              two: {use: parse, with: {files: a.txt}}
            """
        let first = try planned(yaml, files: files)
        #expect(first["one"]?.bound.files.map(\.path) == ["/home/sub/d/x.txt", "/home/shared/y.txt"])
        let set = try planned(yaml, sets: ["params.data=../elsewhere", "two.files=shared/y.txt"], files: files)
        #expect(set["one"]?.bound.files.map(\.path) == ["/elsewhere/d/z.txt", "/home/shared/y.txt"])
        #expect(set["two"]?.bound.files.map(\.path) == ["/home/shared/y.txt"])
    }

    // MARK: Experiments

    static let experiments = base(
        "  model: {use: train, with: {steps: $params.steps, mix: $params.mix, rate: 0.125}}",
        head: """
            params: {steps: 5, mix: {contiguous: 1, linked: 1}}
            experiments:
              plain: {}
              long: {extends: plain, set: {params.steps: 50, model.rate: 0.25}}
              longer: {extends: long, set: {params.steps: 500}}
              sweep: {extends: long, matrix: {params.mix.linked: [0, 2], model.masking: [dynamic, static]}}
            """)

    @Test func `precedence is default, with, experiment, command line`() throws {
        let sets = ["model.rate=0.5"]
        #expect(value(try planned(Self.experiments, "plain"), "model", "rate") == .number(0.125))
        #expect(value(try planned(Self.experiments, "longer"), "model", "rate") == .number(0.25))
        #expect(value(try planned(Self.experiments, "longer"), "model", "steps") == 500)
        #expect(value(try planned(Self.experiments, "longer", sets: sets), "model", "rate") == .number(0.5))
        let values = try #require(try planned(Self.experiments, "longer", sets: sets)["model"]).values
        func source(_ key: String) -> String? { values.first { $0.key == key }?.source }
        #expect(source("title") == "default")
        #expect(source("steps") == "experiment longer (p.yaml:6:47) via $params.steps")
        #expect(source("rate") == "-s")
        #expect(source("mix.linked") == "p.yaml:2:49")
        #expect(source("sides.by") == "default")
    }

    @Test func `a matrix becomes one named plan a combination`() throws {
        let arms = try plans(Self.experiments, "sweep")
        #expect(
            arms.map { $0.experiment ?? "" } == [
                "sweep[params.mix.linked=0,model.masking=dynamic]", "sweep[params.mix.linked=0,model.masking=static]",
                "sweep[params.mix.linked=2,model.masking=dynamic]", "sweep[params.mix.linked=2,model.masking=static]",
            ])
        #expect(arms.map { value($0, "model", "mix")?["linked"] } == [.number(0), .number(0), .number(2), .number(2)])
        #expect(arms.allSatisfy { value($0, "model", "steps") == 50 })
        let one = try planned(Self.experiments, "sweep[params.mix.linked=2,model.masking=static]")
        #expect(value(one, "model", "masking") == "static")
        let fixed = try plans(Self.experiments, "sweep", sets: ["params.mix.linked=3"])
        #expect(fixed.map { $0.experiment ?? "" } == ["sweep[model.masking=dynamic]", "sweep[model.masking=static]"])
        #expect(value(fixed[0], "model", "mix")?["linked"] == .number(3))
        #expect(try plans(Self.experiments, "sweep", sets: ["stages.model.with.masking=static"]).count == 2)
        let covered = errors(Self.experiments, "sweep", sets: ["params.mix={linked: 1}"])
        #expect(covered.contains("-s:1:1: error: 'params.mix' covers 'params.mix.linked', an axis of the matrix"))
    }

    @Test func `setting one value of a map that the file leaves out keeps the others`() throws {
        let plan = try planned(
            base("  model: {use: train}"), sets: ["model.mix.linked=4", "stages.model.with.sides.by=text"])
        #expect(value(plan, "model", "mix") == ["contiguous": .number(1), "linked": .number(4)])
        #expect(plan["model"]?.values.first { $0.key == "mix.contiguous" }?.source == "default")
        #expect(value(plan, "model", "sides")?["validation"] == .number(0.05))
    }

    @Test func `a setting may go below a reference without changing what it names`() throws {
        let plan = try planned(
            base(
                "  model: {use: train, with: {mix: $params.mix}}\n  other: {use: train, with: {mix: $params.mix}}",
                head: "params: {mix: {contiguous: 1, linked: 1}}"),
            sets: ["model.mix.linked=9"])
        #expect(value(plan, "model", "mix")?["linked"] == .number(9))
        #expect(value(plan, "other", "mix")?["linked"] == .number(1))
    }
}
