// Redirect: finds the target of a page whose text is `#REDIRECT [[target]]`, in the languages of the large wikis.

package enum Redirect {
    /// The magic words of MediaWiki's message files, lower case; English holds everywhere.
    private static let words: Set<String> = [
        "redirect", "weiterleitung", "redirection", "redirección", "redireccion", "redirecionamento",
        "redirecionar", "rinvia", "rinvio", "doorverwijzing", "patrz", "przekieruj", "tam", "omdirigering", "omdiriger",
        "omdirigering til", "ohjaus", "uudelleenohjaus", "átirányítás", "перенаправление", "перенапр",
        "перенаправлення",
        "пренасочване", "преусмери", "преусмерување", "виж", "перанакіраваньне", "айдау", "yönlendirme", "yönlendi̇rme",
        "yönlendir", "تحويل", "تغییر_مسیر", "تغییرمسیر", "رجوع_مکرر", "הפניה", "転送", "リダイレクト", "넘겨주기", "重定向", "重新導向",
        "đổi",
        "alih", "lencong", "preusmjeri", "preusmeri", "presmeruj", "přesměruj", "redirectare", "redireccionamento",
        "ανακατευθυνση", "ανακατεύθυνση", "suunamine", "suuna", "peradresavimas", "pāradresācija", "tilvísun",
        "aýlawyň", "เปลี่ยนทาง", "แทนที่", "अनुप्रेषित", "पुनर्प्रेषित", "পুনর্নির্দেশ", "alidirekto", "birzuzendu",
        "birzuzenketa", "athsheoladh", "ail-cyfeirio", "adkas", "dianngy", "redirige", "redirect_to", "siirrä",
    ]

    /// The target of a redirect text as written and trimmed, or nil for any other text. Looks at the first 1,024 bytes.
    package static func target(of text: [UInt8]) -> String? {
        let head = text.prefix(1024)
        guard let start = head.firstIndex(where: { !Byte.isSpace($0) }), head[start] == Byte.hash else { return nil }
        guard let open = head.firstRange(of: [Byte.openBracket, Byte.openBracket])?.lowerBound else { return nil }
        var word = head[(start + 1)..<open]
        while let last = word.last, Byte.isSpace(last) || last == Byte.colon { word.removeLast() }
        guard word.count <= 64, words.contains(String(decoding: word, as: UTF8.self).lowercased()) else { return nil }
        return linkTarget(head[open...])
    }

    /// The target of the first `[[link]]` in the first 1,024 bytes.
    package static func firstLink(in text: [UInt8]) -> String? {
        let head = text.prefix(1024)
        guard let open = head.firstRange(of: [Byte.openBracket, Byte.openBracket])?.lowerBound else { return nil }
        return linkTarget(head[open...])
    }

    private static func linkTarget(_ bytes: ArraySlice<UInt8>) -> String? {
        let inner = bytes.dropFirst(2)
        guard let end = inner.firstIndex(where: { $0 == Byte.closeBracket || $0 == Byte.pipe }) else { return nil }
        var target = inner[..<end]
        while let first = target.first, Byte.isSpace(first) || first == Byte.colon { target.removeFirst() }
        while let last = target.last, Byte.isSpace(last) { target.removeLast() }
        return target.isEmpty ? nil : String(decoding: target, as: UTF8.self)
    }
}
