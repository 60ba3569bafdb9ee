// From (document, segment ordinal) to token ids, over mapped parts: the texts stay on disk until they are touched.

package import Container

/// Finds the tokens of any segment of the documents it was built over.
///
/// Memory: about 50 bytes a document; token ids and segment bounds are read in place from expanded, evictable parts.
package final class SegmentLookup: Sendable {
    /// Where a document's tokens and segments stand. A part has fewer than 2^32 of each.
    private struct Place {
        var tokenPart: UInt32 = 0
        /// `absent` until a segments part names the document.
        var segmentPart: UInt32 = absent
        /// First token of the document in its part, and first row of the document in its segments part.
        var firstToken: UInt32 = 0, firstSegment: UInt32 = 0
        var tokens: UInt32 = 0, segments: UInt32 = 0
        var titleBegin: UInt32 = 0, titleCount: UInt32 = 0

        static let absent = UInt32.max
    }

    private let numbers: DocumentNumbers
    /// By number of the document.
    private let places: [Place]
    private let tokens: [TokenView]
    private let bounds: [Bounds]

    /// Rows of a mapped segments part.
    private struct Bounds: @unchecked Sendable {
        // Safe to share: read-only memory that `owner` keeps mapped.
        let first: UnsafeBufferPointer<UInt32>
        let end: UnsafeBufferPointer<UInt32>
        let owner: MappedPart
    }

    /// - Parameters: `tokens`, `segments`: the artifacts and which of their parts to open (all by default).
    package init(
        tokens: StoredArtifact, tokenParts: [Part]? = nil, segments: StoredArtifact, segmentParts: [Part]? = nil
    ) throws {
        var (documents, places): ([UInt64], [Place]) = ([], [])
        var views: [TokenView] = []
        var bounds: [Bounds] = []
        for part in tokenParts ?? tokens.manifest.parts {
            let view = try TokenView(try tokens.mapped(part))
            for row in 0..<view.count {
                let range = view.tokens(row)
                var place = Place()
                place.tokenPart = UInt32(views.count)
                place.firstToken = UInt32(range.lowerBound)
                place.tokens = UInt32(range.count)
                place.titleBegin = UInt32(view.titleOffsets[row])
                place.titleCount = UInt32(view.titleOffsets[row + 1] - view.titleOffsets[row])
                documents.append(view.document[row])
                places.append(place)
            }
            views.append(view)
        }
        let numbers = DocumentNumbers(documents)
        documents = []
        if let repeated = numbers.firstRepeated { throw Self.repeated(repeated) }
        for part in segmentParts ?? segments.manifest.parts {
            let mapped = try segments.mapped(part)
            let document = try mapped.column("document", as: UInt64.self)
            let bound = Bounds(
                first: try mapped.column("first"), end: try mapped.column("end"), owner: mapped)
            guard bound.first.count == document.count, bound.end.count == document.count else {
                throw ContainerError.misfit(part)
            }
            var row = 0
            while row < document.count {
                var end = row + 1
                while end < document.count && document[end] == document[row] { end += 1 }
                if let number = numbers[document[row]] {
                    places[number].segmentPart = UInt32(bounds.count)
                    places[number].firstSegment = UInt32(row)
                    places[number].segments = UInt32(end - row)
                }
                row = end
            }
            bounds.append(bound)
        }
        self.numbers = numbers
        self.places = places
        self.tokens = views
        self.bounds = bounds
    }

    private func place(_ document: UInt64) -> Place? { numbers[document].map { places[$0] } }

    package func segmentCount(_ document: UInt64) -> Int { Int(place(document)?.segments ?? 0) }

    /// Replaces `out` with the token ids of one segment.
    ///
    /// - Throws: `ContainerError.damaged` if the segment is unknown or reaches past its document: the artifacts given do
    ///   not belong together.
    package func tokens(_ document: UInt64, _ segment: UInt32, into out: inout [UInt32]) throws {
        out.removeAll(keepingCapacity: true)
        append(try text(document, segment), to: &out)
    }

    /// Where tokens stand: some of those of one part.
    package struct Text {
        fileprivate var part: Int
        fileprivate var range: Range<Int>

        package var count: Int { range.count }
        package func prefix(_ count: Int) -> Text { Text(part: part, range: range.prefix(count)) }
        package func suffix(_ count: Int) -> Text { Text(part: part, range: range.suffix(count)) }
    }

    package func append(_ text: Text, to out: inout [UInt32]) { tokens[text.part].ids.append(text.range, to: &out) }

    /// Writes the ids to the front of `out`, which has room for them.
    package func copy(_ text: Text, to out: UnsafeMutableBufferPointer<UInt32>) {
        tokens[text.part].ids.copy(text.range, to: out)
    }

    /// The tokens of one segment, not yet read.
    /// - Throws: as `tokens(_:_:into:)`.
    package func text(_ document: UInt64, _ segment: UInt32) throws -> Text {
        guard let place = place(document), place.segmentPart != Place.absent, segment < place.segments
        else { throw Self.unknown(document, segment) }
        let row = Int(place.firstSegment) + Int(segment)
        let (first, end) = (bounds[Int(place.segmentPart)].first[row], bounds[Int(place.segmentPart)].end[row])
        guard first <= end, end <= place.tokens else { throw Self.unknown(document, segment) }
        let begin = Int(place.firstToken)
        return Text(part: Int(place.tokenPart), range: begin + Int(first)..<begin + Int(end))
    }

    /// The segment that holds the first token that reaches into bytes `begin ..< end` of a document's text; nil if there is
    /// no such token, or the document is unknown. O(log tokens).
    package func segment(at begin: UInt32, _ end: UInt32, of document: UInt64) -> UInt32? {
        guard let place = place(document), place.segmentPart != Place.absent else { return nil }
        let tokens = tokens[Int(place.tokenPart)]
        let last = Int(place.firstToken + place.tokens)
        let token = (Int(place.firstToken)..<last).partitionPoint { tokens.end[$0] <= begin }
        guard token < last, tokens.begin[token] < end else { return nil }
        let number = UInt32(token) - place.firstToken
        let segments = bounds[Int(place.segmentPart)]
        let rows = Int(place.firstSegment)..<Int(place.firstSegment + place.segments)
        let row = rows.partitionPoint { segments.end[$0] <= number }
        return row < rows.upperBound && segments.first[row] <= number ? UInt32(row - rows.lowerBound) : nil
    }

    /// Replaces `out` with the token ids of a document's title; empty if the document is unknown.
    package func title(_ document: UInt64, into out: inout [UInt32]) {
        out.removeAll(keepingCapacity: true)
        guard let place = place(document) else { return }
        let begin = Int(place.titleBegin)
        tokens[Int(place.tokenPart)].titleIDs.append(begin..<begin + Int(place.titleCount), to: &out)
    }

    /// Number of documents that hold each token id: the document frequencies of tf-idf. O(tokens).
    package func documentFrequencies(vocabularySize: Int) -> [UInt32] {
        var frequency = [UInt32](repeating: 0, count: vocabularySize)
        var lastSeen = [UInt64](repeating: 0, count: vocabularySize)
        var number: UInt64 = 0
        for place in places {
            number += 1
            let range = Int(place.firstToken)..<Int(place.firstToken) + Int(place.tokens)
            let count = { (id: Int) in
                if id < vocabularySize && lastSeen[id] != number {
                    lastSeen[id] = number
                    frequency[id] += 1
                }
            }
            switch tokens[Int(place.tokenPart)].ids {
            case .narrow(let buffer): for i in range { count(Int(buffer[i])) }
            case .wide(let buffer): for i in range { count(Int(buffer[i])) }
            }
        }
        return frequency
    }

    /// Occurrences of each token id in all documents. O(tokens).
    package func tokenCounts(vocabularySize: Int) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: vocabularySize)
        for part in tokens {
            switch part.ids {
            case .narrow(let buffer): for id in buffer where Int(id) < vocabularySize { counts[Int(id)] += 1 }
            case .wide(let buffer): for id in buffer where Int(id) < vocabularySize { counts[Int(id)] += 1 }
            }
        }
        return counts
    }

    package var documentCount: Int { places.count }

    private static func repeated(_ document: UInt64) -> ContainerError {
        ContainerError(
            .damaged, "document \(document) stands twice in the tokens given",
            cause: "two parts hold the same document", fix: "make the tokens again")
    }

    private static func unknown(_ document: UInt64, _ segment: UInt32) -> ContainerError {
        ContainerError(
            .damaged, "segment \(segment) of document \(document) is not in the segments and tokens given",
            cause: "the pairs were drawn from other segments or tokens than those wired here",
            fix: "wire the segments and tokens that the pairs come from")
    }
}
