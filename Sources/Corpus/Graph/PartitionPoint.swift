// Binary search in columns that ascend.

extension Range<Int> {
    /// The first of the range for which `isBefore`, true up to some place and false from it on, does not hold; the end of
    /// the range if it holds for all. O(log count).
    @inline(__always)
    func partitionPoint(where isBefore: (Int) -> Bool) -> Int {
        var (low, high) = (lowerBound, upperBound)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
