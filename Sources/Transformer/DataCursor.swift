// Which rows come next: every data set is read in its own order, pass after pass, from where it was left.

import Container

/// The rows of one data set, endlessly.
struct DataCursor {
    let source: any InstanceSource
    private(set) var epoch = 0
    private(set) var next = 0

    init(_ source: any InstanceSource) { self.source = source }

    /// Goes on from a saved position.
    init(_ source: any InstanceSource, at position: DataPosition) throws(ModelError) {
        self.source = source
        epoch = position.epoch
        if let row = source.row(at: position.place) {
            next = row
        } else {
            throw ModelError(
                "the data has no part \(position.place.part) row \(position.place.offset), where training stopped",
                cause: "the shards are not those the run began with")
        }
    }

    var position: DataPosition { DataPosition(epoch: epoch, place: source.place(next)) }

    /// The next `count` rows; a pass that ends is followed by the first row of the next one, whose masks are new.
    mutating func take(_ count: Int) -> [BatchRow] {
        var rows: [BatchRow] = []
        rows.reserveCapacity(count)
        for _ in 0..<count {
            rows.append(BatchRow(source: source, row: next, epoch: epoch))
            next += 1
            if next == source.count {
                next = 0
                epoch += 1
            }
        }
        return rows
    }
}
