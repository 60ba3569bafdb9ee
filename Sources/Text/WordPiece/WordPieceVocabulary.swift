// A WordPiece vocabulary made ready for encoding: a trie over the bytes of its tokens, and its special tokens.

/// Tokens in id order with the options they are used with. Immutable, so encoders on any thread share one.
package final class WordPieceVocabulary: Sendable {
    package let tokens: [String]
    package let options: WordPieceOptions
    package let unknownID: UInt32
    /// Ids of the special tokens, in the order of `SpecialTokens.all`.
    package let specialIDs: [UInt32]
    /// Special tokens as written in text, longest first, for leftmost-longest matching.
    let specials: [(bytes: [UInt8], id: UInt32)]
    let trie: TokenTrie
    /// Where tokens that continue a word begin in the trie; nil if the vocabulary has none.
    let continuation: TokenTrie.Node?

    /// - Throws: `VocabularyError` that names the missing special token, the duplicate or the empty token.
    package init(tokens: [String], options: WordPieceOptions) throws(VocabularyError) {
        guard !tokens.isEmpty else { throw VocabularyError("the vocabulary is empty") }
        // By bytes: as strings, a composed and a decomposed spelling would be one token.
        var ids: [[UInt8]: UInt32] = [:]
        ids.reserveCapacity(tokens.count)
        if tokens[0].utf8.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw VocabularyError("token 0 begins with a byte order mark", cause: "vocab.txt would lose it")
        }
        for (id, token) in tokens.enumerated() {
            guard !token.isEmpty else { throw VocabularyError("token \(id) is empty", fix: "remove the blank line") }
            guard !token.utf8.contains(where: { $0 == 10 || $0 == 13 }) else {
                throw VocabularyError("token \(id) holds a line break", cause: "vocab.txt has a line for each token")
            }
            if let other = ids.updateValue(UInt32(id), forKey: Array(token.utf8)) {
                throw VocabularyError(
                    "the token '\(token)' stands twice, as id \(other) and as id \(id)",
                    cause: "a token must have one id", fix: "remove one of the two lines")
            }
        }
        var specialIDs: [UInt32] = []
        for token in options.specialTokens.all {
            guard let id = ids[Array(token.utf8)] else { throw Self.missing(token, tokens) }
            specialIDs.append(id)
        }
        guard let unknown = ids[Array(options.unknownToken.utf8)] else {
            throw Self.missing(options.unknownToken, tokens)
        }
        self.tokens = tokens
        self.options = options
        self.specialIDs = specialIDs
        unknownID = unknown
        specials = zip(options.specialTokens.all, specialIDs).map { (Array($0.utf8), $1) }
            .sorted { ($1.bytes.count, $0.id) < ($0.bytes.count, $1.id) }
        trie = TokenTrie(tokens)
        continuation = trie.node(Array(options.continuingPrefix.utf8))
    }

    private static func missing(_ token: String, _ tokens: [String]) -> VocabularyError {
        let bare = token.filter { $0.isLetter }.lowercased()
        let near = tokens.first { $0 != token && $0.filter { $0.isLetter }.lowercased() == bare }
        return VocabularyError(
            "the vocabulary lacks the special token '\(token)'",
            cause: "inputs are built from \(SpecialTokens().all.joined(separator: ", "))",
            fix: near.map { "it has '\($0)': a vocabulary for BERT writes it '\(token)'" } ?? "add a line '\(token)'")
    }
}

/// A byte trie whose edges stand in one hash table. Complexity: one probe, on average little more, a byte.
struct TokenTrie: Sendable {
    typealias Node = UInt32

    /// Key (node << 8 | byte) + 1, 0 if empty; value the child.
    private var edges: [(key: UInt32, child: Node)]
    private let shift: UInt32
    /// Token id + 1 of the token that ends at a node, else 0.
    private(set) var accepts: [UInt32]

    init(_ tokens: [String]) {
        // Nodes fit 24 bits as long as the tokens have under 16 M bytes in all.
        let bytes = tokens.reduce(0) { $0 + $1.utf8.count }
        precondition(bytes < 1 << 24, "a vocabulary of \(bytes) bytes is too large")
        var bits: UInt32 = 4
        while 1 << bits < bytes * 2 { bits += 1 }
        edges = Array(repeating: (0, 0), count: 1 << bits)
        shift = 32 - bits
        accepts = [0]
        for (id, token) in tokens.enumerated() {
            var node: Node = 0
            for byte in token.utf8 {
                let index = slot(node, byte)
                if edges[index].key == 0 {
                    edges[index] = ((node << 8 | UInt32(byte)) + 1, Node(accepts.count))
                    accepts.append(0)
                }
                node = edges[index].child
            }
            accepts[Int(node)] = UInt32(id) + 1
        }
    }

    @inline(__always)
    private func slot(_ node: Node, _ byte: UInt8) -> Int {
        let key = (node << 8 | UInt32(byte)) + 1
        let mask = edges.count - 1
        var index = Int((key &* 0x9E37_79B1) >> shift)
        while edges[index].key != 0 && edges[index].key != key { index = (index + 1) & mask }
        return index
    }

    @inline(__always)
    func child(_ node: Node, _ byte: UInt8) -> Node? {
        let edge = edges[slot(node, byte)]
        return edge.key == 0 ? nil : edge.child
    }

    /// The node that these bytes lead to.
    func node(_ bytes: [UInt8]) -> Node? {
        var node: Node = 0
        for byte in bytes {
            guard let next = child(node, byte) else { return nil }
            node = next
        }
        return node
    }

    /// The longest token that `bytes[from...]` begins with, walked from `root`.
    @inline(__always)
    func longest(_ bytes: UnsafeBufferPointer<UInt8>, from: Int, root: Node) -> (id: UInt32, end: Int)? {
        var node = root
        var best: (id: UInt32, end: Int)?
        var at = from
        while at < bytes.count, let next = child(node, bytes[at]) {
            node = next
            at += 1
            if accepts[Int(node)] != 0 { best = (accepts[Int(node)] - 1, at) }
        }
        return best
    }
}
