import Container
import Testing

@Suite struct JSONTests {
    private func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }
    private func canonical(_ value: JSON) -> String { String(decoding: value.canonical, as: UTF8.self) }

    @Test func `the canonical form sorts keys by bytes and escapes only what it must`() {
        // "é" (C3 A9) sorts after "z", and U+FF61 (EF BD A1) before U+10000 (F0 …), which UTF-16 order would swap.
        let value: JSON = [
            "z": 1, "é": nil, "\u{FF61}": true, "\u{10000}": [1.5, "/\u{7F}\u{2028}"], "a\"\\\n\u{1}": -7,
        ]
        let expected =
            #"{"a\"\\\n\u0001":-7,"z":1,"é":null,"# + "\"\u{FF61}\":true,\"\u{10000}\":[1.5,\"/\u{7F}\u{2028}\"]}"
        #expect(canonical(value) == expected)
    }

    @Test func `integers and other numbers stay apart and read back the same`() throws {
        let numbers: [JSON] = [
            1, 1.0, -0.0, 0.1, 1e22, 1e-7, .number(.leastNonzeroMagnitude), 1.7976931348623157e308, .int(.max),
            .int(.min), 123456789.0,
        ]
        for number in numbers { #expect(try parse(canonical(number)) == number) }
        #expect(canonical(1.0) == "1.0")
        #expect(try parse("1E2") == 100.0)
        // As in many a published tokenizer_config.json.
        #expect(try parse("1000000000000000019884624838656") == .number(1e30))
    }

    @Test func `the pretty form parses to the same value`() throws {
        let value: JSON = ["b": [1, [:], []], "a": ["x": "y"]]
        #expect(value.pretty == "{\n  \"a\": {\n    \"x\": \"y\"\n  },\n  \"b\": [\n    1,\n    {},\n    []\n  ]\n}")
        #expect(try parse(value.pretty) == value)
    }

    @Test func `escapes make the characters they stand for`() throws {
        #expect(try parse(#""\u00e9\uD83D\uDE00\/\b\f\n\r\t\"\\""#) == .string("é😀/\u{8}\u{C}\n\r\t\"\\"))
        #expect(try parse(" [ \"ü\" , { } ] \n") == ["ü", [:]])
    }

    @Test(arguments: [
        ("", 0), (" ", 1), ("{", 1), ("[1,]", 3), ("[1 2]", 3), ("{\"a\":1,}", 7), ("{a:1}", 1), ("01", 0), ("-", 1),
        ("1.", 2), (".5", 0), ("1e", 2), ("+1", 0), ("nul", 0), ("NaN", 0), ("1 1", 2), ("\"a", 0), ("\"a\nb\"", 2),
        ("\"\\x\"", 1), ("\"\\u12G4\"", 5), ("\"\\uD800\"", 1), ("\"\\uD800\\u0041\"", 1), ("\"\\uDC00\"", 1),
        ("{\"a\":1,\"a\":2}", 7), ("{\"\u{e9}\":1,\"e\u{301}\":2}", 8), ("1e400", 0), ("[1] x", 4), ("\u{FEFF}1", 0),
        ("//c\n1", 0), ("'a'", 0),
    ])
    func `what the standard forbids is an error at its byte`(text: String, offset: Int) {
        let error = failure { _ = try parse(text) }
        #expect(error?.code == .format)
        #expect(error?.message.hasPrefix("not valid JSON at byte \(offset): ") == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC0, 0x80, 0x22],
    ])
    func `invalid UTF-8 is an error`(bytes: [UInt8]) {
        #expect(failure { _ = try JSON(parsing: bytes) }?.message.contains("not valid UTF-8") == true)
    }

    @Test func `512 levels are read and 513 are refused`() throws {
        func nested(_ n: Int) -> String { String(repeating: "[", count: n) + String(repeating: "]", count: n) }
        _ = try parse(nested(512))
        #expect(failure { _ = try parse(nested(513)) }?.message.contains("deeper than 512") == true)
        #expect(failure { _ = try parse(String(repeating: "{\"a\":", count: 200_000)) } != nil)
    }

    @Test func `a number that is not finite is refused with its place`() {
        let value: JSON = ["metrics": ["losses": [1.0, .number(.nan)]]]
        #expect(
            failure { _ = try value.encoded() }?.message == "the number nan at '$.metrics.losses[1]' has no JSON form")
    }

    @Test func `members are read set and removed by key`() {
        var value: JSON = ["a": ["b": 1]]
        value["a"]?["b"] = 2.5
        value["c"] = "new"
        #expect(value == ["a": ["b": 2.5], "c": "new"])
        value["c"] = nil
        #expect(value["c"] == nil && value["a"]?["b"]?.double == 2.5 && value["a"]?["b"]?.int == nil)
        #expect(JSON.int(3).double == 3 && JSON.null["x"] == nil)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `random values survive writing and reading`(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        func make(_ depth: Int) -> JSON {
            switch Int.random(in: 0..<(depth == 0 ? 5 : 7), using: &generator) {
            case 0: .null
            case 1: .bool(.random(using: &generator))
            case 2: .int(.random(in: .min ... .max, using: &generator))
            case 3: .number(.random(in: -1e9...1e9, using: &generator))
            case 4:
                .string(
                    String(
                        String.UnicodeScalarView(
                            (0..<8).compactMap { _ in Unicode.Scalar(.random(in: 0...0x2FFFF, using: &generator)) })))
            case 5: .array((0..<3).map { _ in make(depth - 1) })
            default: .object(Dictionary(uniqueKeysWithValues: (0..<3).map { ("k\($0)\u{1F}", make(depth - 1)) }))
            }
        }
        let value = make(5)
        #expect(try JSON(parsing: value.canonical) == value, "seed \(seed)")
        #expect(try parse(value.pretty) == value, "seed \(seed)")
        #expect(try JSON(parsing: value.canonical).canonical == value.canonical, "seed \(seed)")
    }
}
