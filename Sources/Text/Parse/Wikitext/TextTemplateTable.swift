// TextTemplateTable: names of templates whose text a reader sees inside a sentence or as a quotation, by what they show.
// Names are in lower case; a template's redirects are names of their own.

enum TextTemplateTable {
    private typealias Pieces = TextTemplates.Pieces

    static let rules: [(TextTemplates.Rule, String)] = [
        // Form: size, slant, colour, no line break. The words are the first argument.
        (
            .argument(1),
            """
            nowrap;nobr;nobreak;j;nwr;small;smaller;smalldiv;big;bigger;larger;large;center;centre;abbr;abbrlink;tooltip;\
            hover title;vanchor;visible anchor;sup;sub;sc;sc1;smallcaps;small caps;smallcaps2;em;strong;code;kbd;samp;\
            mono;monospace;tt;var;mvar;math;bigmath;noitalic;nobold;italic;bold;title-italics;italics correction;\
            not a typo;sic;as written;typo;linktext;dfn;hlist item;unicode;polytonic;hebrew;hebrew text;arabic text;\
            avoid wrap;pslink;font;cite quote;section link;slink;green;red;blue;tq;talk quote inline;tqi;keypress;\
            key press;key;button;asiantitle;overline;underline;underlined;strikethrough;equationref;equationnote;\
            num;gaps;flag;flagcountry;flagu;flagdeco link;country;railgauge;track gauge;transliteration text;my lang;\
            ipa;ipa all;ipa-all;audio-nohelp;chem2;chem name;iupac name;tlit;ill;interlanguage link;illm;\
            interlanguage link multi;link-interwiki;nonspam;no wrap;chinese text;korean text;indic text;zwj;zwnj;\
            text;verse translation;verbatim;inflection;first word;lowercase;uppercase;sentence case;\
            visible anchors;no italics;nsmdns;nihongo krt;pre2;angbr ipa text;big3;u;ins;s;strike;tmath
            """
        ),
        (
            .argument(2),
            "resize;script;rtl-lang;lang-rtl;color;fontcolor;font color;colour;font colour;legend;legend inline"
        ),
        (.last, "lang;transl;transliteration;translit;wikt-lang;lang2;runic;cuneiform;linear-b"),
        (
            .block,
            "quote;blockquote;cquote;quotation;bquote;quote box;quote frame;rquote;pull quote;poemquote;poem quote;"
                + "centered pull quote;plainlist;plain list;flatlist;flat list;indent text;verse;epigraph;bigquote"
        ),
        (.lastBlock, "columns-list;column list;multicol list;div columns"),

        // Signs.
        (.literal("–"), "ndash;endash;en dash;–"), (.literal("—"), "mdash;emdash;em dash;mdashb;dash;—"),
        (.literal(" – "), "spaced ndash;spaced en dash;snd;spnd;snds;sndash;snd."),
        (.literal(" — "), "spaced mdash;smd"),
        (.literal(" "), "nbsp;spaces;space;thinsp;thin space;hair space;hsp;nnbsp;pad;figure space;ensp;emsp;0ws"),
        (.literal("'"), "';apostrophe"), (.literal("’"), "`"), (.literal("'s"), "'s"), (.literal("' \""), "' \""),
        (.literal("\" '"), "\" '"), (.literal("\" ' \""), "\" ' \""), (.literal("|"), "!;pipe"),
        (.literal("="), "=;equals"),
        (.literal("{"), "("), (.literal("}"), ")"), (.literal("{{"), "(("), (.literal("}}"), "))"),
        (.literal(" • "), "bull;bullet;•;,"), (.literal(" · "), "dot;middot;·;dot sep"), (.literal("−"), "minus"),
        (.literal("±"), "plus-minus;+-;±"), (.literal("×"), "times"), (.literal("°"), "degree"),
        (.literal("″"), "ditto"), (.literal("♯"), "sharp"), (.literal("♭"), "flat"), (.literal("♮"), "natural"),
        (.literal("*"), "asterisk;*"), (.literal(""), "shy;wbr;zwsp"), (.literal("π"), "pi"), (.literal("ʻ"), "okina"),
        (.literal("ʾ"), "hamza"), (.literal("ʿ"), "ayin"), (.literal("Lord"), "lord"), (.literal("†"), "dagger"),
        (.literal("‡"), "double dagger"), (.literal("N/A"), "n/a;na"), (.literal("Yes"), "yes"), (.literal("No"), "no"),
        (.literal("AD"), "ad"), (.literal("Official website"), "official website;official;official site;official url"),

        // Words around the arguments.
        (.pieces(Pieces(before: "c. ", most: 1)), "circa;c.;ca.;ca;circa-"),
        (.pieces(Pieces(before: "fl. ", between: "–", most: 2)), "floruit;fl."),
        (.pieces(Pieces(before: "r. ", between: "–", most: 2)), "reign;r."),
        (.pieces(Pieces(before: "b. ", most: 1)), "b."),
        (.pieces(Pieces(before: "d. ", most: 1)), "d."),
        (.pieces(Pieces(before: "lit. '", after: "'", most: 1)), "lit;literally"),
        (.pieces(Pieces(before: "USS ", most: 1)), "uss"), (.pieces(Pieces(before: "HMS ", most: 1)), "hms"),
        (.pieces(Pieces(before: "SS ", most: 1)), "ss"), (.pieces(Pieces(before: "HMAS ", most: 1)), "hmas"),
        (.pieces(Pieces(before: "HMCS ", most: 1)), "hmcs"), (.pieces(Pieces(before: "RMS ", most: 1)), "rms"),
        (.pieces(Pieces(before: "SMS ", most: 1)), "sms"), (.pieces(Pieces(before: "MV ", most: 1)), "mv"),
        (.pieces(Pieces(before: "USNS ", most: 1)), "usns"), (.pieces(Pieces(before: "USCGC ", most: 1)), "uscgc"),
        (.pieces(Pieces(between: " ", most: 2)), "ship;bibleref;bibleref2;bible verse"),
        (.pieces(Pieces(between: " ", most: 3)), "bibleverse"),
        (.pieces(Pieces(between: "-class ", most: 2)), "sclass;sclass-;sclass2;sclass2-"),
        (.pieces(Pieces(before: "US$", most: 1)), "us$;usd"), (.pieces(Pieces(before: "A$", most: 1)), "a$;aud"),
        (.pieces(Pieces(before: "C$", most: 1)), "c$;cad"), (.pieces(Pieces(before: "€", most: 1)), "euro;eur;€"),
        (.pieces(Pieces(before: "£", most: 1)), "gbp;pound;£"),
        (.pieces(Pieces(before: "¥", most: 1)), "jpy;yen;¥;cny"),
        (.pieces(Pieces(before: "₹", most: 1)), "inr;indian rupee;rupee;₹"),
        (.pieces(Pieces(before: "₽", most: 1)), "rub;ruble"),
        (.pieces(Pieces(before: "U.S. Patent ", most: 1)), "us patent"),
        (.pieces(Pieces(before: "ISBN ", most: 1)), "isbn;isbnt"), (.pieces(Pieces(before: "OCLC ", most: 1)), "oclc"),
        (.pieces(Pieces(before: "ISSN ", most: 1)), "issn"),
        (.pieces(Pieces(after: " BCE", most: 1)), "bce"), (.pieces(Pieces(after: " BC", most: 1)), "bc"),
        (.pieces(Pieces(after: " CE", most: 1)), "ce"),
        (.pieces(Pieces(before: "⟨", after: "⟩", most: 1)), "angbr;angle bracket;angbr ipa;grapheme"),
        (.pieces(Pieces(before: "[", after: "]", most: 1)), "ipablink;ipa blink;bracket;interp;bracketed"),
        (.pieces(Pieces(before: "/", after: "/", most: 1)), "ipaslink;ipa slink"),
        (.pieces(Pieces(between: "-")), "respell;pronunciation respelling"),
        (.pieces(Pieces(between: ", ")), "hlist;ubl;ublist;unbulleted list;comma separated entries;cslist;flag list"),
        (.pieces(Pieces(between: "")), "chem;mpl"),
        (.pieces(Pieces(between: "-", most: 2)), "nuclide;nuclide2;isotope"),
        (.pieces(Pieces(before: "×10^", most: 1)), "e;esp"),
        (.pieces(Pieces(before: "√", most: 1)), "sqrt;radic"),
        (.pieces(Pieces(before: "|", after: "|", most: 1)), "abs"),

        // Amounts, dates, names.
        (.convert, "convert;cvt;conv"), (.value, "val"), (.fraction, "frac;fraction;sfrac"),
        (.number, "formatnum;nts;number table sorting"),
        (
            .date(isAged: false),
            """
            birth date;birth-date;bd;dob;birth date and age;birth date and age2;bda;birth-date and age;birth year and age;\
            birth based on age as of date;death date;dd;dod;death-date;start date;start-date;start date and age;end date;\
            end-date;film date;release date;released;launch date;dts;date;dtsh;format date;datetime;\
            date table sorting;isodate;date-mf;birth date text
            """
        ),
        (.date(isAged: true), "death date and age;dda;death-date and age;death year and age"),
        (.asOf, "as of;asof"), (.nihongo, "nihongo;nihongo2;nihongo3;nihongo foot"),
        (.phonemes, "ipac-en;ipac-de;ipac-fr;ipac-pl;ipac-es"),
        (.pageTitle, "pagename;subpagename;basepagename;fullpagename;pagenamee"),
    ]

    /// The names that `{{lang-…}}` shows before the text.
    static let languages: [(String, String)] = [
        ("af", "Afrikaans"), ("akk", "Akkadian"), ("am", "Amharic"), ("ang", "Old English"), ("ar", "Arabic"),
        ("arc", "Aramaic"), ("ast", "Asturian"), ("az", "Azerbaijani"), ("be", "Belarusian"), ("bg", "Bulgarian"),
        ("bn", "Bengali"), ("bo", "Tibetan"), ("br", "Breton"), ("bs", "Bosnian"), ("ca", "Catalan"), ("cs", "Czech"),
        ("cy", "Welsh"), ("da", "Danish"), ("de", "German"), ("el", "Greek"), ("en", "English"), ("eo", "Esperanto"),
        ("es", "Spanish"), ("et", "Estonian"), ("eu", "Basque"), ("fa", "Persian"), ("fi", "Finnish"),
        ("fo", "Faroese"),
        ("fr", "French"), ("fy", "West Frisian"), ("ga", "Irish"), ("gd", "Scottish Gaelic"), ("gl", "Galician"),
        ("got", "Gothic"), ("grc", "Ancient Greek"), ("grc-gre", "Greek"), ("gu", "Gujarati"), ("haw", "Hawaiian"),
        ("he", "Hebrew"), ("hi", "Hindi"), ("hr", "Croatian"), ("hu", "Hungarian"), ("hy", "Armenian"),
        ("id", "Indonesian"), ("is", "Icelandic"), ("it", "Italian"), ("ja", "Japanese"), ("ka", "Georgian"),
        ("kk", "Kazakh"), ("km", "Khmer"), ("kn", "Kannada"), ("ko", "Korean"), ("ku", "Kurdish"), ("ky", "Kyrgyz"),
        ("la", "Latin"), ("lb", "Luxembourgish"), ("lo", "Lao"), ("lt", "Lithuanian"), ("ltg", "Latgalian"),
        ("lv", "Latvian"), ("mi", "Māori"), ("mk", "Macedonian"), ("ml", "Malayalam"), ("mn", "Mongolian"),
        ("mr", "Marathi"), ("ms", "Malay"), ("mt", "Maltese"), ("my", "Burmese"), ("ne", "Nepali"), ("nl", "Dutch"),
        ("no", "Norwegian"), ("non", "Old Norse"), ("oc", "Occitan"), ("pa", "Punjabi"), ("pl", "Polish"),
        ("ps", "Pashto"), ("pt", "Portuguese"), ("qu", "Quechua"), ("ro", "Romanian"), ("ru", "Russian"),
        ("sa", "Sanskrit"), ("sco", "Scots"), ("sd", "Sindhi"), ("si", "Sinhala"), ("sk", "Slovak"), ("sl", "Slovene"),
        ("so", "Somali"), ("sq", "Albanian"), ("sr", "Serbian"), ("sv", "Swedish"), ("sw", "Swahili"),
        ("syr", "Syriac"), ("ta", "Tamil"), ("te", "Telugu"), ("th", "Thai"), ("tl", "Tagalog"), ("tr", "Turkish"),
        ("uk", "Ukrainian"), ("ur", "Urdu"), ("uz", "Uzbek"), ("vi", "Vietnamese"), ("yi", "Yiddish"),
        ("zh", "Chinese"), ("zu", "Zulu"),
    ]

    /// What `convert` shows for its codes of units; other codes are shown as they are.
    static let units: [(String, String)] = [
        ("sqmi", "sq mi"), ("sqft", "sq ft"), ("sqyd", "sq yd"), ("sqin", "sq in"), ("cuft", "cu ft"),
        ("cuyd", "cu yd"),
        ("cuin", "cu in"), ("cumi", "cu mi"), ("km2", "km²"), ("m2", "m²"), ("cm2", "cm²"), ("mm2", "mm²"),
        ("ft2", "ft²"), ("mi2", "mi²"), ("in2", "in²"), ("km3", "km³"), ("m3", "m³"), ("cm3", "cm³"), ("ft3", "ft³"),
        ("kmh", "km/h"), ("C", "°C"), ("F", "°F"), ("C-change", "°C"), ("F-change", "°F"), ("impgal", "imp gal"),
        ("USgal", "US gal"), ("U.S.gal", "US gal"), ("kn", "knots"), ("acre", "acres"), ("foot", "feet"),
        ("inch", "inches"), ("yard", "yards"), ("mile", "miles"), ("pound", "pounds"), ("usoz", "US fl oz"),
        ("LT", "long tons"), ("ST", "short tons"), ("lbf.ft", "lbf⋅ft"), ("Nm", "N⋅m"), ("N.m", "N⋅m"),
        ("g/cm3", "g/cm³"),
        ("kg/m3", "kg/m³"), ("cuft/s", "cu ft/s"), ("m3/s", "m³/s"), ("PD/sqkm", "/km²"), ("/km2", "/km²"),
        ("/sqmi", "/sq mi"), ("/sqkm", "/km²"), ("um", "μm"), ("uM", "μM"),
    ]

    /// Words that `convert` takes between two amounts.
    static let rangeWords = [
        "-", "–", "to", "and", "or", "x", "by", "+", "×", "to about", "(-)", "&", "*", "till", "xx",
    ]

    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    /// Arguments of `IPAc-en` that are no sounds.
    static let phonemeWords: Set<String> = [
        "us", "uk", "uklang", "uslang", "lang", "pron", "audio", "icon", "also", "or", "local", "ame", "bre", "en",
        "sometimes", "in", "alsolocally", "locally", "us also", "label", "generally",
    ]
}
