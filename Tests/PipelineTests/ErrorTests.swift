// What a user reads when a pipeline file is wrong: place, caret, why, fix. The texts are goldens.

import Testing

import Pipeline

struct ErrorTests {
    @Test func `an unknown key is shown with its place and the nearest name`() {
        #expect(
            errors(base("  model:\n    use: train\n    with:\n      stesp: 5")) == """
                p.yaml:10:7: error: unknown key 'stesp' in the config of stage 'model'
                  10 |       stesp: 5
                     |       ^
                  why: unknown keys are never ignored, a typo would train another model
                  fix: did you mean 'steps'? Known keys: edges, fast, files, limit, masking, mix, names, phases, rate, \
                share, sides, steps, threads, title
                """)
    }

    @Test func `a value of the wrong type says what the key takes`() {
        #expect(
            errors(base("  model: {use: train, with: {steps: many, fast: yes, masking: dinamic, mix: [1]}}")) == """
                p.yaml:7:37: error: key 'steps' of stage 'model' takes a whole number from 1 to 1000, not 'many'
                  7 |   model: {use: train, with: {steps: many, fast: yes, masking: dinamic, mix: [1]}}
                    |                                     ^
                  why: it means: Steps to run.
                  fix: give a whole number from 1 to 1000; left out it is 10
                p.yaml:7:49: error: key 'fast' of stage 'model' takes true or false, not 'yes'
                  7 |   model: {use: train, with: {steps: many, fast: yes, masking: dinamic, mix: [1]}}
                    |                                                 ^
                  why: it means: Be fast.
                  fix: write true or false; yes, no, on and off are strings here
                p.yaml:7:63: error: key 'masking' of stage 'model' takes one of dynamic, static, not 'dinamic'
                  7 |   model: {use: train, with: {steps: many, fast: yes, masking: dinamic, mix: [1]}}
                    |                                                               ^
                  why: it means: When masks are drawn.
                  fix: did you mean 'dynamic'?
                p.yaml:7:77: error: key 'mix' of stage 'model' takes a map, not a list
                  7 |   model: {use: train, with: {steps: many, fast: yes, masking: dinamic, mix: [1]}}
                    |                                                                             ^
                  why: it means: Weights.
                  fix: give a map of weights for contiguous, linked (left out: 0); left out it is {"contiguous":1.0,"linked":1.0}
                """)
    }

    @Test func `keys of nested maps, own checks and own forms are placed too`() {
        let text = errors(
            base("  model: {use: train, with: {sides: {bye: 1}, phases: [{}, {validation: 2}], share: half}}"))
        #expect(text.contains("p.yaml:7:38: error: unknown key 'bye' in 'sides' in the config of stage 'model'"))
        #expect(
            text.contains(
                "p.yaml:7:73: error: key 'phases[1].validation' of stage 'model' takes a number from 0 to 0.5, not '2'")
        )
        #expect(text.contains("p.yaml:7:85: error: key 'share' of stage 'model' takes a percentage, not 'half'"))
        #expect(
            errors(base("  model: {use: train, with: {steps: 13}}")).hasPrefix(
                "p.yaml:7:37: error: key 'steps' of stage 'model' must not be 13"))
    }

    @Test func `ports are checked by name and type before anything runs`() {
        #expect(
            errors(
                base("  tokens: {use: tokenize}\n  model: {use: train, in: {grph: graph, graph: tokens, init: nobody}}")
            ) == """
                p.yaml:8:28: error: stage 'model' (train) has no port 'grph'
                  8 |   model: {use: train, in: {grph: graph, graph: tokens, init: nobody}}
                    |                            ^
                  fix: did you mean 'graph'? Known ports: graph, init, tokens
                p.yaml:8:48: error: port 'graph' of stage 'model' takes a document-graph, but 'tokens' makes tokens
                  8 |   model: {use: train, in: {grph: graph, graph: tokens, init: nobody}}
                    |                                                ^
                  why: a stage reads one kind of artifact through each port
                  fix: write in: {graph: graph}
                p.yaml:8:62: error: port 'init' of stage 'model' names 'nobody', which is no stage of this file
                  8 |   model: {use: train, in: {grph: graph, graph: tokens, init: nobody}}
                    |                                                              ^
                  fix: known stages: documents, graph, links, model, tokens
                """)
    }

    @Test func `a required port with several makers or none lists them`() {
        #expect(
            errors(base("  other: {use: graph, in: {links: links}}\n  model: {use: train}")) == """
                p.yaml:8:3: error: port 'graph' of stage 'model' is not connected
                  8 |   model: {use: train}
                    |   ^
                  why: 2 stages make a document-graph: graph, other
                  fix: write in: {graph: NAME} with one of: graph, other
                """)
        #expect(
            errors("version: 1\nstages: {model: {use: train}}").contains(
                "why: no other stage of this file makes a document-graph\n  fix: add a stage that makes a document-graph"
            ))
    }

    @Test func `a cycle is named stage by stage`() {
        #expect(
            errors(
                base(
                    "  one: {use: train, in: {graph: graph, init: two}}\n  two: {use: train, in: {graph: graph, init: one}}"
                )) == """
                    p.yaml:7:3: error: stages feed each other: one → two → one
                      7 |   one: {use: train, in: {graph: graph, init: two}}
                        |   ^
                      why: 'one' feeds 'two' (port 'init'), 'two' feeds 'one' (port 'init')
                      fix: name another stage in one of these ports
                    """)
    }

    @Test func `an alias bomb, an endless alias, a key twice, a tag and a second document are refused`() {
        var bomb = "version: 1\nparams:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for i in 1...9 {
            let alias = "*a\(i - 1)"
            bomb += "  a\(i): &a\(i) [\(Array(repeating: alias, count: 10).joined(separator: ", "))]\n"
        }
        #expect(errors(bomb).contains("error: the file holds more than 100000 values once its aliases are expanded"))
        #expect(errors("a: &a [*a]").hasPrefix("p.yaml:1:8: error: '*a' stands inside the value it names"))
        let text = errors(base("  links: {use: graph}\n---\nb: 1", head: "params: {x: !!int 3, x: 4}"))
        #expect(text.contains("p.yaml:2:13: error: tags such as 'tag:yaml.org,2002:int' are not used here"))
        #expect(text.contains("p.yaml:2:22: error: the key 'x' stands twice in this map"))
        #expect(text.contains("why: it was given at p.yaml:2:10 already, and one of the two would be lost"))
        #expect(text.contains("p.yaml:7:3: error: the key 'links' stands twice in this map"))
        #expect(text.contains("error: a second YAML document begins here"))
    }

    @Test func `text that is no YAML is placed`() {
        #expect(errors("version: 1\nstages: {a: [1, 2}").hasPrefix("p.yaml:2:18: error: the YAML cannot be read: "))
        #expect(errors("version: 1\nstages:\n\ta: 1").contains("fix: indent with spaces, YAML takes no tabs"))
        #expect(errors("").hasPrefix("p.yaml:1:1: error: the pipeline file is empty"))
        let deep = "version: 1\nparams: " + String(repeating: "[", count: 80) + String(repeating: "]", count: 80)
        #expect(errors(deep).contains("error: values are nested more than 64 deep"))
    }

    @Test func `a reference that names nothing says where it looked`() {
        #expect(
            errors(
                base(
                    "  model: {use: train, with: {steps: $params.stepz, title: $param.x, rate: $corpus.rate}}",
                    head: "params: {steps: 1}")) == """
                    p.yaml:7:37: error: '$params.stepz' refers to nothing: params has no 'stepz'
                      7 |   model: {use: train, with: {steps: $params.stepz, title: $param.x, rate: $corpus.rate}}
                        |                                     ^
                      why: looked at p.yaml:2:10
                      fix: did you mean 'steps'? Known names: steps
                    p.yaml:7:59: error: '$param.x' refers to 'param', which is no part of a pipeline file
                      7 |   model: {use: train, with: {steps: $params.stepz, title: $param.x, rate: $corpus.rate}}
                        |                                                           ^
                      why: references begin with $params, $corpus or $corpora
                      fix: did you mean '$params'? Write $$ for a dollar at the beginning of a text
                    p.yaml:7:75: error: '$corpus.rate' needs a corpus, and none is selected
                      7 |   model: {use: train, with: {steps: $params.stepz, title: $param.x, rate: $corpus.rate}}
                        |                                                                           ^
                      why: $corpus means the definitions of the selected corpus
                      fix: define one under 'corpora:'
                    """)
    }

    @Test func `references, includes and experiments that go round in circles are refused`() {
        let references = errors(
            base("  model: {use: train, with: {steps: $params.a}}", head: "params: {a: $params.b, b: $params.a}"))
        #expect(references.contains("error: references name each other: $params.a → $params.b → $params.a"))
        let includes = errors("version: 1\ninclude: b.yaml", files: ["/home/b.yaml": "include: ./p.yaml"])
        #expect(includes.contains("b.yaml:1:10: error: files include each other: p.yaml → b.yaml → p.yaml"))
        let experiments = errors(base("", head: "experiments: {a: {extends: b}, b: {extends: a}}"), "a")
        #expect(experiments.contains("error: experiments extend each other: a → b → a"))
    }

    @Test func `a definition in two files names both places`() {
        let text = errors(
            base("", head: "include: b.yaml\nparams: {seed: 1}"), files: ["/home/b.yaml": "params:\n  seed: 2"])
        #expect(text.contains("p.yaml:3:10: error: the param 'seed' is defined twice"))
        #expect(text.contains("why: it is defined at b.yaml:2:3 already"))
    }

    @Test func `several experiments and none chosen is an error that lists them`() {
        let yaml = base("", head: "experiments: {one: {}, two: {}}")
        #expect(
            errors(yaml) == """
                p.yaml:2:15: error: the file has 2 experiments, and none was chosen
                  2 | experiments: {one: {}, two: {}}
                    |               ^
                  why: they would train different models
                  fix: choose one: -e one, -e two
                """)
        #expect(errors(yaml, "twoo").contains("error: there is no experiment 'twoo'\n"))
        #expect(errors(yaml, "twoo").contains("fix: did you mean 'two'? Known experiments: one, two"))
    }

    @Test func `-s errors point into the argument`() {
        let yaml = base("  model: {use: train}", head: "params: {mix: {linked: 1}}")
        #expect(
            errors(yaml, sets: ["params.mix.linked=2", "params.mix.linkd=2"])
                == """
                -s:2:1: error: 'params.mix.linkd=2' sets nothing: params.mix has no 'linkd'
                  2 | params.mix.linkd=2
                    | ^
                  why: a path that nothing reads would change nothing
                  fix: did you mean 'linked'? Known names: linked
                """.replacing("'params.mix.linkd=2' sets", with: "'params.mix.linkd' sets"))
        let text = errors(
            yaml,
            sets: [
                "modle.steps=1", "model.stesp=1", "model.steps=x", "model", "model.names=# a", "model.title=a: b",
                "corpus=x",
            ])
        #expect(text.contains("-s:1:1: error: 'modle.steps' sets nothing: there is no 'modle'"))
        #expect(text.contains("-s:2:1: error: unknown key 'stesp' in the config of stage 'model'"))
        #expect(
            text.contains("-s:3:13: error: key 'steps' of stage 'model' takes a whole number from 1 to 1000, not 'x'"))
        #expect(text.contains("-s:4:1: error: 'model' sets nothing"))
        #expect(text.contains("-s:5:13: error: '# a' is a YAML comment"))
        #expect(text.contains("-s:6:13: error: the value is a block of YAML"))
        #expect(text.contains("-s:7:8: error: there is no corpus 'x'"))
    }

    @Test func `a missing file below a parameter names the parameter to set`() {
        let text = errors(
            """
            version: 1
            params: {data: .}
            stages:
              one: {use: parse, with: {files: [$params.data/gone.txt]}}
            """)
        #expect(text.contains("names './gone.txt', which does not exist"))
        #expect(text.contains("fix: say where it lies: -s params.data=FOLDER"))
    }

    @Test func `files that are missing, folders or empty matches are errors with a place`() {
        let text = errors(
            """
            version: 1
            stages:
              one: {use: parse, with: {files: [gone.txt, sub, 'sub/*.xml', a.txt, '?.txt']}}
              two: {use: tokenize, in: {documents: one}, with: {import: 'sub/*'}}
              three: {use: parse}
            """, files: ["/home/sub/x.txt": "", "/home/sub/y.txt": ""])
        #expect(text.contains("p.yaml:3:36: error: key 'files' of stage 'one' names 'gone.txt', which does not exist"))
        #expect(text.contains("why: looked for /home/gone.txt"))
        #expect(text.contains("p.yaml:4:61: error: key 'import' of stage 'two' takes one file, but 'sub/*' matches 2"))
        #expect(text.contains("p.yaml:5:3: error: key 'files' of stage 'three' is missing"))
        for (entry, problem) in [
            ("sub", "takes a file, but 'sub' is a folder"), ("'sub/*.xml'", "names 'sub/*.xml', which matches no file"),
            ("a.txt, '?.txt'", "names /home/a.txt twice"),
        ] {
            let text = errors(
                "version: 1\nstages: {one: {use: parse, with: {files: [\(entry)]}}}", files: ["/home/sub/x": ""])
            #expect(text.contains("key 'files' of stage 'one' \(problem)"))
        }
    }

    @Test func `all errors of a file come in one run, in the order of their places`() {
        let text = errors(
            """
            versoin: 1
            params: {a: $params.gone}
            stages:
              model: {use: trian}
              links: {use: link-extract, with: {a: 1}, out: 3}
              documents: {use: parse, with: {files: a.txt, drop: {}}}
              graph: {use: graph, in: {links: documents}}
            """)
        let places = text.split(separator: "\n").filter { $0.contains(": error: ") }.map { $0.prefix { $0 != " " } }
        #expect(
            places == [
                "p.yaml:1:1:", "p.yaml:1:1:", "p.yaml:4:16:", "p.yaml:5:37:", "p.yaml:5:44:", "p.yaml:6:54:",
                "p.yaml:7:35:",
            ])
    }

    @Test func `a file that does not exist has an error without a place`() throws {
        let loader = PipelineLoader(registry: toyRegistry, files: MemoryFiles([:]))
        let error = #expect(throws: PipelineErrors.self) {
            try loader.load(path: "x.yaml", experiment: nil, sets: [], workingDirectory: "/home")
        }
        #expect(
            error?.description
                == "error: the pipeline file 'x.yaml' does not exist\n  why: looked for /home/x.yaml\n  fix: check the path"
        )
    }
}
