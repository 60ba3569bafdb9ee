// What fuzzing starts from: small inputs that exercise much of a reader, and strings that mean something to it.

extension FuzzTarget {
    var seeds: [[UInt8]] { seedTexts.map { Array($0.utf8) } }
    var words: [[UInt8]] { wordTexts.map { Array($0.utf8) } }

    private var seedTexts: [String] {
        switch self {
        case .wikitext:
            [
                "'''A''' [[b|c]]d {{t|x={{u}}|[[y]]}} <ref name=\"r\">z</ref>\n== H ==\n* [[File:x.png|thumb|a [[b]]]]\n:;# i",
                "{| class=a\n! h !! i\n|-\n| a || [[b]]\n{|\n| c\n|}\n|}\n<!-- c --><nowiki>[[n]]</nowiki>&nbsp;&#x41; [http://x y]",
                "<gallery>\nFile:a.png|b\n</gallery><math>x</math><br/>{{{p|q}}} #REDIRECT [[z#s]] -{zh:a}- __TOC__ ~~~~",
            ]
        case .mediawiki:
            [
                "<mediawiki version=\"0.10\" xml:lang=\"en\"><siteinfo><sitename>S</sitename><case>first-letter</case>"
                    + "<namespaces><namespace key=\"6\" case=\"first-letter\">File</namespace></namespaces></siteinfo>"
                    + "<page><title>T&amp;</title><ns>0</ns><id>1</id><redirect title=\"U\"/><revision><id>2</id>"
                    + "<model>wikitext</model><text xml:space=\"preserve\" deleted=\"d\">[[x]] &lt;b&gt;é</text></revision></page></mediawiki>",
                "<mediawiki><page><title>T</title><id>3</id><revision><text/></revision></page><!-- c --><![CDATA[x]]>",
            ]
        case .jsonl:
            [
                "{\"id\":1,\"title\":\"t\",\"text\":\"a b\\n\\u00e9 \\ud83d\\ude00\",\"aliases\":[\"x:y\"],\"links\":["
                    + "{\"target\":\"t\",\"begin\":0,\"end\":1},\"u\"],\"z\":[{},1.5e-3,true,null]}\n",
                "\u{FEFF}{\"title\":\"t\",\"text\":null}\r\n\n[1]\n{\"id\":\"a\",\"text\":\"é\",\"links\":[{\"target\":\"\",\"begin\":0,\"end\":2}]}",
            ]
        case .wikiextractor:
            [
                "<doc id=\"1\" url=\"u\" title=\"T\">\nT\n\na &lt;a href=\"B%20c\"&gt;b&lt;/a&gt; &amp;amp; <a href=\"D\">d</a>\n</doc>\n",
                "{\"id\":\"1\",\"revid\":\"2\",\"url\":\"u\",\"title\":\"T\",\"text\":\"a <a href=\\\"b\\\">c</a>\\nd\"}\n",
            ]
        case .pubmed:
            [
                "<?xml version=\"1.0\"?><!DOCTYPE PubmedArticleSet><PubmedArticleSet><PubmedArticle><MedlineCitation>"
                    + "<PMID Version=\"1\">1</PMID><Article><ArticleTitle>A <i>b</i> &alpha;</ArticleTitle><Abstract>"
                    + "<AbstractText Label=\"L\">x</AbstractText></Abstract><ELocationID EIdType=\"doi\">d</ELocationID>"
                    + "</Article><CommentsCorrectionsList><CommentsCorrections RefType=\"Cites\"><PMID>2</PMID>"
                    + "</CommentsCorrections></CommentsCorrectionsList></MedlineCitation><PubmedData><ReferenceList>"
                    + "<Reference><ArticleIdList><ArticleId IdType=\"pubmed\">3</ArticleId></ArticleIdList></Reference>"
                    + "</ReferenceList></PubmedData></PubmedArticle><DeleteCitation><PMID>4</PMID></DeleteCitation>"
                    + "</PubmedArticleSet>"
            ]
        case .jats:
            [
                "<article><front><article-meta><article-id pub-id-type=\"doi\">10.1/x</article-id><title-group>"
                    + "<article-title>T</article-title></title-group><abstract><p>a</p></abstract></article-meta></front>"
                    + "<body><sec><title>S</title><p>b <xref ref-type=\"bibr\" rid=\"r\">1</xref> <italic>c</italic>"
                    + "<inline-formula>x</inline-formula></p><fig><caption><p>d</p></caption></fig><list><list-item>"
                    + "<p>e</p></list-item></list><table-wrap><table><tr><td>f</td></tr></table></table-wrap></sec></body>"
                    + "<back><ref-list><ref id=\"r\"><element-citation><pub-id pub-id-type=\"pmid\">2</pub-id>"
                    + "</element-citation></ref></ref-list></back></article>"
            ]
        case .wordpiece:
            [
                "The étude [MASK] 2.5-fold, don't 漢字 ﬁ Ａ İ ẞ",
                "a\u{301}\u{302} \u{AD}\u{200D}\u{0}\u{FFFD} [UNK][SEP] 한글 ǅ \u{1F600}",
            ]
        case .vocabulary:
            [
                "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##ing\r\né\ne\u{301}\n",
                "{\"added_tokens\":[{\"id\":4,\"content\":\"[MASK]\",\"lstrip\":false}],\"normalizer\":{\"type\":"
                    + "\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":false,\"strip_accents\":null,"
                    + "\"lowercase\":false},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{\"type\":"
                    + "\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","
                    + "\"max_input_chars_per_word\":9,\"vocab\":{\"[PAD]\":0,\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3,"
                    + "\"\\u00e9\":5,\"##\\ud83d\\ude00\":6}}}",
            ]
        }
    }

    private var wordTexts: [String] {
        switch self {
        case .wikitext:
            [
                "[[", "]]", "{{", "}}", "{{{", "}}}", "{|", "|}", "|-", "||", "!!", "|", "=", "==", "\n", "\n*", "\n#",
                "\n:", "\n;",
                "''", "'''", "<ref>", "</ref>", "<ref name=a/>", "<nowiki>", "</nowiki>", "<!--", "-->", "<br>",
                "<gallery>",
                "</gallery>", "<math>", "</math>", "<pre>", "</pre>", "&amp;", "&#", ";", "File:", "Category:", ":",
                "fr:",
                "http://", "[", "]", " ", "convert|", "lang|", "#if:", "__NOTOC__", "~~~~", "é", "\u{200E}",
            ]
        case .mediawiki:
            [
                "<mediawiki>", "</mediawiki>", "<page>", "</page>", "<title>", "</title>", "<ns>", "</ns>", "<id>",
                "</id>",
                "<revision>", "</revision>", "<text>", "</text>", "<text deleted=\"1\">", "<redirect title=\"x\"/>",
                "<content>",
                "</content>", "<model>", "</model>", "<siteinfo>", "</siteinfo>", "<namespace key=\"1\">",
                "</namespace>", "<![CDATA[",
                "]]>", "<!--", "-->", "<?x", "?>", "<!DOCTYPE", "&amp;", "&lt;", "&x;", "#REDIRECT [[", "]]", "0", "1",
                "é",
            ]
        case .jsonl:
            [
                "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "\\n", "\"id\":", "\"title\":",
                "\"text\":",
                "\"links\":", "\"aliases\":", "\"target\":", "\"begin\":", "\"end\":", "null", "true", "-", "0", "1",
                "2", "9", ".", "e", "\n",
                "\r", " ", "é", "{\"id\":1,\"text\":\"ab\"", "{\"target\":\"t\",\"begin\":",
            ]
        case .wikiextractor:
            [
                "<doc id=\"", "\" url=\"", "\" title=\"", "\">\n", "</doc>\n", "\n", "<a href=\"", "\">", "</a>",
                "&lt;a href=\"",
                "\"&gt;", "&lt;/a&gt;", "&amp;", "&lt;", "&quot;", "%20", "%C3", "http:", "{\"id\":\"1\",\"text\":\"",
                "\"}\n", "\\n", "é",
            ]
        case .pubmed, .jats:
            [
                "<", ">", "/>", "</", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "<!DOCTYPE a [", "]>", "&amp;",
                "&#x41;",
                "&alpha;", "&x;", "=\"", "\"", " ", "\n", "é", "encoding=\"latin1\"", "\u{FEFF}", "<PMID>", "</PMID>",
                "1",
                "<PubmedArticle>", "</PubmedArticle>", "<AbstractText Label=\"L\">", "</AbstractText>",
                "<ArticleTitle>",
                "</ArticleTitle>", "<mml:math>", "</mml:math>", "<DeleteCitation>", "</DeleteCitation>", "<article>",
                "</article>", "<sec>", "</sec>", "<p>", "</p>", "<title>", "</title>",
                "<xref ref-type=\"bibr\" rid=\"r\">",
                "</xref>", "<ref id=\"r\">", "</ref>", "<list>", "</list>", "<fig>", "</fig>", "<sup>", "</sup>",
                "<body>",
            ]
        case .vocabulary:
            [
                "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\n", "\r", "##", "{", "}", "[", "]", ",", ":", "\"",
                "\\u",
                "\\n", "0", "5", "7", "-1", "1e3", "9223372036854775808", "null", "true", "false", "\"vocab\":{",
                "\"id\":",
                "\"content\":", "\"max_input_chars_per_word\":", "\"continuing_subword_prefix\":", "\"unk_token\":",
                "\"strip_accents\":", ",\"x\":7", "é", "e\u{301}", "\u{0}", "\u{FEFF}",
            ]
        case .wordpiece:
            [
                "[MASK]", "[UNK]", "[", "]", "##", "e\u{301}", "\u{301}", "İ", "ẞ", "ﬁ", "漢", "한", "\u{1100}\u{1161}",
                "\u{200D}",
                "\u{AD}", "\u{0}", "\u{FFFD}", "\u{FFFE}", "the", "ing", "'", ".", "-", " ", "\u{A0}", "\u{2028}", "😀",
                "À", "Ａ",
            ]
        }
    }
}
