// All names by which the documents of a corpus can be linked to: titles, redirects, aliases, source ids.

package import Container

/// What became of a link target, in 64 bits: document ids leave the top bit free for the reasons.
package enum Resolution: Sendable, Equatable {
    case document(UInt64)
    case dropped(LinkDrop)

    private static let flag: UInt64 = 1 << 63

    package init(bits: UInt64) {
        if bits & Self.flag == 0 {
            self = .document(bits)
        } else {
            let index = Int(bits & ~Self.flag)
            self = .dropped(LinkDrop.allCases.indices.contains(index) ? LinkDrop.allCases[index] : .dangling)
        }
    }

    package var bits: UInt64 {
        switch self {
        case .document(let id): id
        case .dropped(let reason): Self.flag | UInt64(LinkDrop.allCases.firstIndex(of: reason)!)
        }
    }
}

/// Why a link did not become an edge. Raw values are names of counts; the order is stored in projections.
package enum LinkDrop: String, Sendable, CaseIterable {
    /// No document has that name.
    case dangling
    /// The document links to itself, perhaps to one of its sections.
    case selfLink = "self"
    /// The same source, target and span once more.
    case duplicate
    /// A page of another namespace (a category, a file) that the corpus does not hold.
    case otherNamespace = "other_namespace"
    /// A page of another wiki.
    case interwiki
    case empty
    /// Its redirects never reach a document, but each other, or more than `TargetIndex.redirectLimit` of them in a row.
    case redirectLoop = "redirect_loop"
    /// A hyperlink where citations were asked for, or the other way round.
    case otherKind = "other_kind"
    /// The first column of an edge list names no document.
    case unknownSource = "unknown_source"
}

/// The names of a corpus, built part by part, then sealed. 16 bytes a slot: about 25 bytes a name.
package struct TargetIndex: Sendable {
    package static let redirectLimit = 16

    package struct Counts: Sendable, Equatable {
        package var documents = 0
        package var redirects = 0
        /// Documents whose normal title another document has too; the one with the smallest id is linked to.
        package var ambiguousTitles = 0
        /// Redirects from a title that is a document's own; the document wins.
        package var shadowedRedirects = 0
        /// Redirects that lead to no document.
        package var danglingRedirects = 0
        /// Redirects that lead round in a circle or past the limit.
        package var loopingRedirects = 0

        package init() {}
    }

    package let form: TitleNormalForm
    package private(set) var counts = Counts()
    private var names = IDTable()
    private var redirects = IDTable()
    private var redirectSources: [UInt64] = []
    private var schemes = AliasForm.knownSchemes
    private var corpusSchemes: Set<String> = []
    private var buffer: [UInt8] = []
    private var isSealed = false

    package init(form: TitleNormalForm) { self.form = form }

    // MARK: Building

    /// Adds the documents and redirects of one part. Reads names, never texts.
    package mutating func add(reading part: PartReader) throws {
        let id: [UInt64] = try part.column("id")
        let sourceID = try part.strings("source.id")
        let title = try part.strings("title")
        let aliasOffsets: [Int64] = try part.column("aliases.offsets")
        let alias = try part.strings("alias")
        for i in id.indices {
            let aliases = (Int(aliasOffsets[i])..<Int(aliasOffsets[i + 1])).map(alias.string)
            addDocument(id: id[i], sourceID: sourceID.string(i), title: title.string(i), aliases: aliases)
        }
        let from = try part.strings("redirect.from")
        let to = try part.strings("redirect.to")
        for i in 0..<from.count { addRedirect(from: from.string(i), to: to.string(i)) }
    }

    package mutating func addDocument(id: UInt64, sourceID: String, title: String, aliases: [String] = []) {
        precondition(!isSealed, "the index is sealed")
        counts.documents += 1
        if let key = titleKey(title, cuttingSection: false), claim(key, id) { counts.ambiguousTitles += 1 }
        var text = sourceID
        _ = claim(text.withUTF8 { ByteHash.of($0, as: .sourceID) }, id)
        for alias in aliases {
            var text = alias
            guard text.withUTF8({ AliasForm.normalize($0, into: &buffer) }) else { continue }
            _ = claim(ByteHash.of(buffer, as: .alias), id)
            if let scheme = text.withUTF8({ AliasForm.scheme(of: $0) }), !corpusSchemes.contains(scheme) {
                corpusSchemes.insert(scheme)
                schemes.insert(scheme)
            }
        }
    }

    /// A redirect seen before keeps its first target.
    package mutating func addRedirect(from: String, to: String) {
        precondition(!isSealed, "the index is sealed")
        guard let source = titleKey(from, cuttingSection: false) else { return }
        counts.redirects += 1
        guard let target = titleKey(to, cuttingSection: true) else { return }
        if redirects.insert(source, target) == nil { redirectSources.append(source) }
    }

    /// Gives the name to the document with the smallest id. Returns whether another document had it.
    private mutating func claim(_ key: UInt64, _ id: UInt64) -> Bool {
        guard let other = names.insert(key, id), other != id else { return false }
        if id < other { names.set(key, id) }
        return true
    }

    private mutating func titleKey(_ title: String, cuttingSection: Bool) -> UInt64? {
        var title = title
        let outcome = title.withUTF8 { form.normalize($0, cuttingSection: cuttingSection, into: &buffer) }
        guard case .title = outcome else { return nil }
        return ByteHash.of(buffer, as: .title)
    }

    /// Follows every redirect to its document. Names can be resolved after it, and none added.
    package mutating func seal() {
        precondition(!isSealed, "the index is sealed")
        isSealed = true
        var followed: [(key: UInt64, resolution: Resolution)] = []
        for source in redirectSources {
            if names[source] != nil {
                counts.shadowedRedirects += 1
                continue
            }
            let resolution = follow(source)
            switch resolution {
            case .dropped(.redirectLoop): counts.loopingRedirects += 1
            case .dropped: counts.danglingRedirects += 1
            case .document: break
            }
            followed.append((source, resolution))
        }
        for (key, resolution) in followed where resolution != .dropped(.dangling) { names.insert(key, resolution.bits) }
        redirects = IDTable()
        redirectSources = []
    }

    private func follow(_ source: UInt64) -> Resolution {
        var at = source
        for _ in 0..<Self.redirectLimit {
            guard let next = redirects[at] else { return .dropped(.dangling) }
            if let id = names[next] { return .document(id) }
            at = next
        }
        return .dropped(.redirectLoop)
    }

    // MARK: Resolving

    /// How the names of an edge list are understood.
    package enum NameKind: String, Sendable, CaseIterable {
        /// Alias, then title, then source id: the first that names a document.
        case any
        case title, alias
        case sourceID = "source_id"
        /// Identifiers of one scheme, which need not stand before them.
        case doi, pmid, pmcid, arxiv

        var scheme: String? {
            switch self {
            case .doi, .pmid, .pmcid, .arxiv: rawValue
            case .any, .title, .alias, .sourceID: nil
            }
        }
    }

    /// Whether a link's target is an identifier (`doi:…`) rather than a title. Titles such as `Doi: a tale` are not:
    /// beside the known schemes only those count that some document of the corpus has as an alias.
    package func isIdentifier(_ raw: UnsafeBufferPointer<UInt8>) -> Bool {
        AliasForm.scheme(of: raw).map(schemes.contains) ?? false
    }

    /// Resolves a target as written in a text. O(length).
    package mutating func resolve(
        _ raw: UnsafeBufferPointer<UInt8>, as kind: NameKind, percentDecoding: Bool = false
    ) -> Resolution {
        precondition(isSealed, "the index is not sealed")
        if kind != .title, percentDecoding, raw.contains(UInt8(ascii: "%")) {
            let decoded = TitleNormalForm.percentDecoded(raw)
            return decoded.withUnsafeBufferPointer { resolve($0, as: kind, percentDecoding: false) }
        }
        if let scheme = kind.scheme { return byIdentifier(raw, scheme) }
        if kind == .alias || (kind == .any && isIdentifier(raw)) {
            // A citation may give several identifiers of one work, parted by spaces: the first that is known counts.
            for identifier in raw.split(separator: UInt8(ascii: " ")) {
                if AliasForm.normalize(UnsafeBufferPointer(rebasing: identifier), into: &buffer),
                    let bits = names[ByteHash.of(buffer, as: .alias)]
                {
                    return Resolution(bits: bits)
                }
            }
            if kind == .alias { return .dropped(raw.isEmpty ? .empty : .dangling) }
        }
        if kind == .sourceID { return bySourceID(raw) ?? .dropped(raw.isEmpty ? .empty : .dangling) }
        let byTitle = resolveTitle(raw, percentDecoding)
        if kind == .any, case .dropped = byTitle, let found = bySourceID(raw) { return found }
        return byTitle
    }

    private mutating func byIdentifier(_ raw: UnsafeBufferPointer<UInt8>, _ scheme: String) -> Resolution {
        let isNormal =
            AliasForm.scheme(of: raw) == scheme
            ? AliasForm.normalize(raw, into: &buffer) : AliasForm.normalize(raw[...], scheme: scheme, into: &buffer)
        guard isNormal else { return .dropped(.empty) }
        return names[ByteHash.of(buffer, as: .alias)].map { Resolution(bits: $0) } ?? .dropped(.dangling)
    }

    private func bySourceID(_ raw: UnsafeBufferPointer<UInt8>) -> Resolution? {
        names[ByteHash.of(raw, as: .sourceID)].map { Resolution(bits: $0) }
    }

    private mutating func resolveTitle(_ raw: UnsafeBufferPointer<UInt8>, _ percentDecoding: Bool) -> Resolution {
        switch form.normalize(raw, percentDecoding: percentDecoding, into: &buffer) {
        case .empty: return .dropped(.empty)
        case .sectionOnly: return .dropped(.selfLink)
        case .title(let namespaced):
            if let bits = names[ByteHash.of(buffer, as: .title)] { return Resolution(bits: bits) }
            let reason: LinkDrop =
                namespaced ? .otherNamespace : TitleNormalForm.looksInterwiki(buffer) ? .interwiki : .dangling
            // Titles that hold a `#` themselves, which no wiki has, are found uncut.
            guard raw.contains(UInt8(ascii: "#")),
                case .title = form.normalize(
                    raw, percentDecoding: percentDecoding, cuttingSection: false, into: &buffer),
                let bits = names[ByteHash.of(buffer, as: .title)]
            else { return .dropped(reason) }
            return Resolution(bits: bits)
        }
    }
}
