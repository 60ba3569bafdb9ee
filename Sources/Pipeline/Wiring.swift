// Ports and stages: who feeds whom, by name or by the only maker of a type; types checked; cycles refused; order.

/// A stage before its ports are connected.
struct UnwiredStage {
    var name: String
    var bound: BoundStage
    var location: Location
    /// `in:` as written, references resolved.
    var inputs: [Node.Entry]
}

/// The connections of one stage.
struct Wires: Equatable {
    var ports: [String: [String]] = [:]
    var autoWired: Set<String> = []
}

struct Wiring {
    let stages: [UnwiredStage]
    /// False if a stage is missing from `stages`, or its output unknown, because of an error told already: then
    /// nothing is said about ports that it might have filled.
    let isComplete: Bool
    /// Names of all stages of the file, also of those that could not be read.
    let names: [String]
    var diagnostics = Diagnostics()

    init(_ stages: [UnwiredStage], names: [String], isComplete: Bool) {
        self.stages = stages
        self.names = names
        self.isComplete = isComplete
    }

    private func output(of name: String) -> String? {
        stages.first { $0.name == name }.map { $0.bound.output.typeName }
    }

    /// Connects every stage. Entries of the result stand at the index of their stage.
    mutating func connect() -> [Wires] { stages.map { connect($0) } }

    private mutating func connect(_ stage: UnwiredStage) -> Wires {
        var wires = Wires()
        let ports = stage.bound.ports
        for entry in stage.inputs where !ports.contains(where: { $0.name == entry.key }) {
            diagnostics.add(
                "stage '\(stage.name)' (\(stage.bound.stageName)) has no port '\(entry.key)'", at: entry.keyLocation,
                cause: ports.isEmpty ? "it reads no other stage" : nil,
                fix: suggestion(for: entry.key, among: ports.map(\.name), kind: "ports"))
        }
        for port in ports {
            if let entry = stage.inputs.first(where: { $0.key == port.name }) {
                let named = connect(port, of: stage, to: entry.value)
                if stage.bound.uses(port.name), !named.isEmpty { wires.ports[port.name] = named }
            } else if stage.bound.uses(port.name), let found = only(port, of: stage) {
                wires.ports[port.name] = [found]
                wires.autoWired.insert(port.name)
            }
        }
        return wires
    }

    private mutating func connect(_ port: AnyInputPort, of stage: UnwiredStage, to node: Node) -> [String] {
        let items: [Node]
        do throws(ConfigProblem) { items = try node.readList() } catch {
            diagnostics.add(
                "port '\(port.name)' of stage '\(stage.name)' takes the name of a stage, not \(node.described)",
                at: node.location, fix: "write \(port.name): NAME")
            return []
        }
        if items.isEmpty, port.arity.isRequired, stage.bound.uses(port.name) {
            diagnostics.add(
                "port '\(port.name)' of stage '\(stage.name)' must be connected", at: node.location,
                cause: port.help, fix: fixByNaming(port, among: candidates(port, of: stage)))
        }
        if items.count > 1, !port.arity.isList {
            diagnostics.add(
                "port '\(port.name)' of stage '\(stage.name)' takes one stage, not \(items.count)", at: node.location,
                fix: "name one of them")
        }
        return items.compactMap { item in
            guard let name = item.scalar, !item.isNull else {
                diagnostics.add(
                    "port '\(port.name)' of stage '\(stage.name)' takes names of stages, not \(item.described)",
                    at: item.location, fix: "write \(port.name): NAME")
                return nil
            }
            guard names.contains(name) else {
                diagnostics.add(
                    "port '\(port.name)' of stage '\(stage.name)' names '\(name)', which is no stage of this file",
                    at: item.location, fix: suggestion(for: name, among: names, kind: "stages"))
                return nil
            }
            guard let made = output(of: name) else { return nil }
            guard made == port.typeName else {
                diagnostics.add(
                    "port '\(port.name)' of stage '\(stage.name)' takes \(aType(port.typeName)), but '\(name)' makes \(aType(made))",
                    at: item.location, cause: "a stage reads one kind of artifact through each port",
                    fix: fixByNaming(port, among: candidates(port, of: stage)))
                return nil
            }
            return name
        }
    }

    /// The stage that fills a port left out. Reports a required port that none or several could fill.
    private mutating func only(_ port: AnyInputPort, of stage: UnwiredStage) -> String? {
        let found = candidates(port, of: stage)
        if port.autoWired, found.count == 1, isComplete { return found[0] }
        guard port.arity.isRequired, isComplete else { return nil }
        let cause =
            switch found.count {
            case 0: "no other stage of this file makes \(aType(port.typeName))"
            case 1: "this port is never filled by itself"
            default: "\(found.count) stages make \(aType(port.typeName)): \(found.joined(separator: ", "))"
            }
        diagnostics.add(
            "port '\(port.name)' of stage '\(stage.name)' is not connected", at: stage.location, cause: cause,
            fix: fixByNaming(port, among: found))
        return nil
    }

    private func candidates(_ port: AnyInputPort, of stage: UnwiredStage) -> [String] {
        stages.filter { $0.name != stage.name && $0.bound.output.typeName == port.typeName }.map(\.name)
    }

    private func fixByNaming(_ port: AnyInputPort, among candidates: [String]) -> String {
        guard let first = candidates.first else { return "add a stage that makes \(aType(port.typeName))" }
        if candidates.count == 1 { return "write in: {\(port.name): \(first)}" }
        let all = candidates.joined(separator: ", ")
        return port.arity.isList
            ? "write in: {\(port.name): [\(all)]} with those you mean"
            : "write in: {\(port.name): NAME} with one of: \(all)"
    }

    /// The indices of the stages, each after those it reads from, otherwise in file order; cycles are reported.
    mutating func order(_ wires: [Wires]) -> [Int] {
        let index = Dictionary(stages.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        let needs = wires.map { wire in Set(wire.ports.values.joined().compactMap { index[$0] }) }
        var done: Set<Int> = [], order: [Int] = []
        while let next = stages.indices.first(where: { !done.contains($0) && needs[$0].isSubset(of: done) }) {
            done.insert(next)
            order.append(next)
        }
        var left = Set(stages.indices).subtracting(done)
        while let start = left.min(), let cycle = findCycle(from: start, needs, within: left) {
            reportCycle(cycle, wires)
            left.subtract(cycle)
            left = left.filter { reaches($0, left, needs) }
        }
        return order
    }

    /// Whether a stage still waits for a stage that is left.
    private func reaches(_ stage: Int, _ left: Set<Int>, _ needs: [Set<Int>]) -> Bool {
        var path: Set<Int> = [stage], front = [stage]
        while let next = front.popLast() {
            for need in needs[next] where left.contains(need) {
                if need == stage { return true }
                if path.insert(need).inserted { front.append(need) }
            }
        }
        return false
    }

    /// Follows the smallest unmet need until a stage comes again.
    private func findCycle(from start: Int, _ needs: [Set<Int>], within left: Set<Int>) -> [Int]? {
        var path = [start]
        while let next = needs[path.last!].intersection(left).min() {
            if let first = path.firstIndex(of: next) { return Array(path[first...]) }
            path.append(next)
        }
        return nil
    }

    /// The cycle from its first stage in file order: `a → b` reads "a feeds b".
    private mutating func reportCycle(_ needsCycle: [Int], _ wires: [Wires]) {
        let feeding = Array(needsCycle.reversed())
        let first = feeding.firstIndex(of: feeding.min()!)!
        let cycle = Array(feeding[first...] + feeding[..<first])
        var steps: [String] = []
        for (from, to) in zip(cycle, cycle.dropFirst() + [cycle[0]]) {
            let name = stages[from].name
            let port = wires[to].ports.keys.sorted().first { wires[to].ports[$0]!.contains(name) } ?? ""
            let how = wires[to].autoWired.contains(port) ? ", connected by itself" : ""
            steps.append("'\(name)' feeds '\(stages[to].name)' (port '\(port)'\(how))")
        }
        diagnostics.add(
            "stages feed each other: \((cycle + [cycle[0]]).map { stages[$0].name }.joined(separator: " → "))",
            at: stages[cycle[0]].location, cause: steps.joined(separator: ", "),
            fix: "name another stage in one of these ports")
    }
}

/// `documents`, `a vocabulary`, `an index`: an artifact type in a sentence.
func aType(_ name: String) -> String {
    if name.hasSuffix("s") { return name }
    return ("aeiou".contains(name.first ?? "x") ? "an " : "a ") + name
}
