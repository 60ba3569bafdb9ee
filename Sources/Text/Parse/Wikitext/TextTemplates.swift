// TextTemplates: the templates that are part of a sentence, and what of them a reader sees. All others are dropped.

enum TextTemplates {
    enum Rule: Sendable {
        /// The nth argument, inline.
        case argument(Int)
        /// The first argument, or the one with one of these names, as its own block.
        case block([[UInt8]])
        case literal([UInt8])
        /// Words, then the first argument.
        case prefixed([UInt8])
        /// All positional arguments.
        case joined([UInt8])
        case convert
    }

    /// Lower case, first argument after the name unless a digit says otherwise.
    private static let inline = """
        nowrap|1 nobr|1 nobreak|1 small|1 smaller|1 big|1 bigger|1 larger|1 resize|2 center|1 abbr|1 tooltip|1 \
        lang|2 transl|-1 nihongo|1 ill|1 interlanguage_link|1 link-interwiki|1 illm|1 vanchor|1 visible_anchor|1 \
        sup|1 sub|1 sc|1 smallcaps|1 small_caps|1 em|1 strong|1 code|1 kbd|1 mono|1 tt|1 var|1 mvar|1 math|1 bigmath|1 \
        val|1 num|1 formatnum|1 angbr|1 angle_bracket|1 noitalic|1 nobold|1 italic|1 bold|1 title-italics|1 not_a_typo|1 \
        sic|1 as_written|1 typo|1 linktext|1 dfn|1 zwj|1 hlist_item|1 script|2 unicode|1 polytonic|1 hebrew|1 \
        script/hebrew|1 script/arabic|1 rtl-lang|2 lang-rtl|2 avoid_wrap|1 pslink|1 font|1 color|2 fontcolor|2 colour|2 \
        cite_quote|1 section_link|1 slink|1 green|1 red|1 blue|1 tq|1 talk_quote_inline|1 keypress|1 key_press|1 asiantitle|1
        """

    private static let blocks =
        "quote blockquote cquote quotation bquote quote_box quote_frame rquote pull_quote poemquote"

    private static let literals: [(String, String)] = [
        ("ndash", "–"), ("spaced ndash", " – "), ("snd", " – "), ("spnd", " – "), ("mdash", "—"),
        ("spaced mdash", " — "),
        ("snds", " – "), ("dash", "—"), ("emdash", "—"), ("endash", "–"), ("nbsp", " "), ("spaces", " "),
        ("space", " "),
        ("thinsp", " "), ("hair space", " "), ("'", "'"), ("`", "’"), ("!", "|"), ("=", "="), ("(", "{"), (")", "}"),
        ("((", "{{"), ("))", "}}"), ("bull", " • "), ("dot", " · "), ("middot", " · "), ("·", " · "), ("•", " • "),
        ("minus", "−"), ("plus-minus", "±"), ("times", "×"), ("degree", "°"), ("euro", "€"), ("gbp", "£"),
        ("pound", "£"),
        ("ditto", "″"), ("sharp", "♯"), ("flat", "♭"), ("music|sharp", "♯"), ("asterisk", "*"), ("*", "*"), ("shy", ""),
        ("pi", "π"), ("okina", "ʻ"), ("hamza", "ʾ"), ("ayin", "ʿ"),
    ]

    private static let prefixes: [(String, String)] = [
        ("circa", "c."), ("c.", "c."), ("ca.", "c."), ("floruit", "fl."), ("fl.", "fl."), ("as of", "As of"),
        ("uss", "USS"), ("hms", "HMS"), ("ss", "SS"), ("hmas", "HMAS"), ("hmcs", "HMCS"), ("us$", "US$"),
    ]

    private static let functions = ["formatnum:", "lc:", "uc:", "lcfirst:", "ucfirst:"].map { Array($0.utf8) }

    /// Words that `convert` takes between two amounts.
    static let rangeWords: [[UInt8]] = ["-", "–", "to", "and", "or", "x", "by", "+", "×", "to about", "(-)"]
        .map { Array($0.utf8) }

    private static let table: [[UInt8]: Rule] = {
        var table: [[UInt8]: Rule] = [:]
        for entry in inline.split(separator: " ") {
            guard let bar = entry.lastIndex(of: "|"), let n = Int(entry[entry.index(after: bar)...]) else { continue }
            table[Array(entry[..<bar].utf8).map { $0 == Byte.underscore ? Byte.space : $0 }] = .argument(n < 0 ? 2 : n)
        }
        let names = ["text", "quote", "1"].map { Array($0.utf8) }
        for name in blocks.split(separator: " ") {
            table[Array(name.utf8).map { $0 == Byte.underscore ? Byte.space : $0 }] = .block(names)
        }
        for (name, text) in literals { table[Array(name.utf8)] = .literal(Array(text.utf8)) }
        for (name, text) in prefixes { table[Array(name.utf8)] = .prefixed(Array(text.utf8)) }
        for name in ["frac", "fraction", "sfrac"] { table[Array(name.utf8)] = .joined([Byte.slash]) }
        table[Array("hlist".utf8)] = .joined(Array(", ".utf8))
        for name in ["convert", "cvt"] { table[Array(name.utf8)] = .convert }
        return table
    }()

    /// The rule of a template and, for functions, how many bytes of the name to skip; nil for templates that show nothing
    /// worth keeping. Case and underscores do not matter.
    static func rule(_ bytes: Bytes, _ name: Range<Int>) -> (rule: Rule, skipped: Int)? {
        let key = bytes[name].map { $0 == Byte.underscore ? Byte.space : Byte.lower($0) }
        if let rule = table[key] { return (rule, 0) }
        // {{lang-fr|…}}, {{lang-grc|…}}: the language's name is not shown.
        if key.starts(with: "lang-".utf8), key.count <= 16 { return (.argument(1), 0) }
        for function in functions where key.starts(with: function) { return (.argument(1), function.count) }
        return nil
    }
}
