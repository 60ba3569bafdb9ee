// What a plan says of a stage whose inputs are not all made yet: what may change it, and what of it stays.

import Container
import Pipeline
import Runner
import Testing

@Suite struct PlanReasonTests {
    /// `matched` reads `words` piece by piece, and `list` whole in every piece.
    private func workshop() throws -> Workshop {
        let shop = try Workshop()
        try shop.write("few.list", "one\nfive")
        try shop.write(
            "pipeline.yaml",
            """
            version: 1
            stages:
              words: {use: read, with: {files: ["*.txt"], tag: "\(shop.root)"}}
              listed: {use: read, with: {files: ["*.list"], tag: "\(shop.root)"}}
              list: {use: mark, in: {words: listed}, with: {tag: "\(shop.root)"}}
              matched: {use: match, in: {words: words, lines: list}}
            """)
        return shop
    }

    private func matched(_ forecast: Forecast) throws -> StageForecast {
        try #require(forecast.stages.last { $0.name == "matched" })
    }

    @Test func `an input that every piece reads decides whether a plan promises reuse`() throws {
        let shop = try workshop()
        let first = try matched(shop.forecast())
        #expect(first.reasons == [.upstream(["words"]), .upstreamOfEveryPiece(["list"], port: "lines")])
        #expect(first.unchangedPorts == [], "there is nothing to reuse yet")
        try shop.run()

        try shop.write("d.txt", "five")
        let forecast = try shop.forecast()
        let grown = try matched(forecast)
        #expect(grown.reasons == [.upstream(["words"])] && grown.unchangedPorts == ["lines"])
        #expect(grown.runText == "at most all (last time 3)")
        #expect(forecast.text.contains("upstream runs: words; port lines stays: pieces of unchanged parts are reused"))
        #expect(try shop.run()["matched"].piecesRun == 1)

        let changed = try matched(shop.forecast(["list.mark=+"]))
        #expect(changed.reasons == [.upstreamOfEveryPiece(["list"], port: "lines")] && changed.unchangedPorts == [])
        #expect(changed.json["reasons"] == [["kind": "upstream", "stage": "list", "port": "lines"]])
        #expect(try shop.run(["list.mark=+"])["matched"].piecesRun == 4)
    }

    @Test func `an input that is made but is another than last time is named, and promises no reuse`() throws {
        let shop = try workshop()
        try shop.run()
        try shop.run(["list.mark=+"])
        try shop.write("d.txt", "five")
        let back = try matched(shop.forecast())
        #expect(back.reasons == [.inputChanged(.port("lines")), .upstream(["words"])])
        #expect(back.unchangedPorts == [])
    }

    @Test func `a stage that is forced promises no reuse`() throws {
        let shop = try workshop()
        try shop.run()
        try shop.write("d.txt", "five")
        let inspector = Inspector(store: shop.store, memo: FileMemo(store: shop.store.root), plan: try shop.plan()) {
            _ in
        }
        let forced = try matched(Planner(inspector: inspector, force: ["matched"]).forecast())
        #expect(forced.reasons == [.forced, .upstream(["words"])] && forced.unchangedPorts == [])
    }
}
