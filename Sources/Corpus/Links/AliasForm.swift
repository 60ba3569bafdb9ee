// Normal form of document identifiers written `scheme:value`, such as `pmid:123` or `doi:10.1000/x`.

/// One identifier names one document however it was written: schemes are lower-case, DOIs lower-case and without a
/// resolver's address, PMIDs without leading zeros, PMCIDs without their `PMC`.
package enum AliasForm {
    /// Schemes that are known without a document that uses them, so that a citation of something outside the corpus
    /// still counts as a citation.
    package static let knownSchemes: Set<String> = ["arxiv", "doi", "pmcid", "pmid"]

    /// The scheme of `scheme:value`: a letter, then letters, digits, `+`, `-`, `.`, directly followed by a colon and a
    /// value that does not begin with a space. Nil for anything else, so for most titles.
    package static func scheme(of raw: UnsafeBufferPointer<UInt8>) -> String? {
        var end = 0
        while end < raw.count, raw[end] != UInt8(ascii: ":") {
            let byte = raw[end]
            let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
            let isMark = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
            guard isLetter || (end > 0 && (isMark || isDigit)), end < 16 else { return nil }
            end += 1
        }
        guard end > 0, end + 1 < raw.count, raw[end + 1] > 0x20 else { return nil }
        return String(decoding: raw[..<end], as: UTF8.self).lowercased()
    }

    /// Writes the normal form over `out`. Returns false if `raw` is not `scheme:value` or the value is empty.
    package static func normalize(_ raw: UnsafeBufferPointer<UInt8>, into out: inout [UInt8]) -> Bool {
        guard let scheme = scheme(of: raw) else { return false }
        return normalize(raw[(scheme.utf8.count + 1)...], scheme: scheme, into: &out)
    }

    /// Writes the normal form of an identifier over `out` whose scheme, in lower case, does not stand before it.
    package static func normalize(
        _ value: Slice<UnsafeBufferPointer<UInt8>>, scheme: String, into out: inout [UInt8]
    ) -> Bool {
        var value = value
        while let last = value.last, last <= 0x20 { value.removeLast() }
        switch scheme {
        case "doi":
            for prefix in ["https://", "http://", "dx.doi.org/", "doi.org/", "doi:"] { drop(prefix, from: &value) }
        case "pmcid":
            drop("pmc", from: &value)
        case "pmid":
            while value.count > 1, value.first == UInt8(ascii: "0") { value.removeFirst() }
        case "arxiv":
            drop("arxiv:", from: &value)
        default: break
        }
        guard !value.isEmpty else { return false }
        out.removeAll(keepingCapacity: true)
        out.append(contentsOf: scheme.utf8)
        out.append(UInt8(ascii: ":"))
        if scheme == "doi" { out.append(contentsOf: value.lazy.map(lowercased)) } else { out.append(contentsOf: value) }
        return true
    }

    package static func normalize(_ alias: String) -> String? {
        var out: [UInt8] = []
        var alias = alias
        return alias.withUTF8 { normalize($0, into: &out) } ? String(decoding: out, as: UTF8.self) : nil
    }

    /// Drops an ASCII prefix, in any case.
    private static func drop(_ prefix: String, from value: inout Slice<UnsafeBufferPointer<UInt8>>) {
        if value.count >= prefix.utf8.count, value.lazy.map(lowercased).starts(with: prefix.utf8) {
            value.removeFirst(prefix.utf8.count)
        }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte + 32 : byte
    }
}
