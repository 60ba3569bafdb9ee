// The order of pseudo-random keys, for keys by the million.

/// Sorting by keys that are spread evenly over 64 bits: their upper bits say almost where they belong.
package enum KeyOrder {
    /// Keys that share a bucket, on average.
    private static let bucketSize = 4

    /// The indices of `keys` in ascending order of (key, index). O(n) for evenly spread keys, O(n log n) for any.
    /// - Precondition: fewer than 2^32 keys. Memory: 5 bytes a key beside the result's 4.
    package static func ascending(_ keys: [UInt64]) -> [UInt32] {
        precondition(keys.count < Int(UInt32.max), "an order of fewer than 2^32 keys")
        let bits = max(1, Int.bitWidth - (keys.count / bucketSize).leadingZeroBitCount)
        let shift = UInt64(64 - bits)
        var next = [UInt32](repeating: 0, count: (1 << bits) + 1)
        for key in keys { next[Int(key >> shift) + 1] += 1 }
        for bucket in 1..<next.count { next[bucket] += next[bucket - 1] }
        var order = [UInt32](repeating: 0, count: keys.count)
        for (index, key) in keys.enumerated() {
            let bucket = Int(key >> shift)
            order[Int(next[bucket])] = UInt32(index)
            next[bucket] += 1
        }
        // Every entry of `next` now says where its bucket ends.
        keys.withUnsafeBufferPointer { keys in
            order.withUnsafeMutableBufferPointer { order in
                var begin = 0
                for bucket in 0..<1 << bits {
                    let end = Int(next[bucket])
                    sort(UnsafeMutableBufferPointer(rebasing: order[begin..<end]), keys)
                    begin = end
                }
            }
        }
        return order
    }

    /// A bucket stands in order of index.
    private static func sort(_ bucket: UnsafeMutableBufferPointer<UInt32>, _ keys: UnsafeBufferPointer<UInt64>) {
        guard bucket.count <= 4 * bucketSize else {
            var bucket = bucket
            bucket.sort { (keys[Int($0)], $0) < (keys[Int($1)], $1) }
            return
        }
        for i in bucket.indices.dropFirst() {
            let index = bucket[i]
            var place = i
            while place > 0, keys[Int(bucket[place - 1])] > keys[Int(index)] {
                bucket[place] = bucket[place - 1]
                place -= 1
            }
            bucket[place] = index
        }
    }
}
