// `model.safetensors.index.json` and its kin: which tensors lie in which shard.

import Container

/// The `weight_map` of an index, turned round. It names files beside itself and nothing else.
package struct WeightIndex: Sendable {
    /// The names of each file's tensors; never empty.
    package let shards: [String: [String]]

    /// - Throws: `ModelError` for what is no JSON, has no `weight_map`, or names a file that is none of this folder.
    package init(parsing bytes: [UInt8], place: String) throws {
        let json = try JSON(ofModel: bytes, place: place)
        guard let map = json["weight_map"]?.object, !map.isEmpty else {
            throw ModelError("the index has no 'weight_map'", place: place)
        }
        var shards: [String: [String]] = [:]
        for (tensor, file) in map {
            // By bytes: a slash with an accent on it is another character, and a border between folders all the same.
            guard let file = file.string, !file.utf8.contains(UInt8(ascii: "/")), !file.utf8.contains(0),
                file.hasSuffix(".safetensors") || file.hasSuffix(".bin")
            else {
                throw ModelError(
                    "'\(tensor)' lies in something that is no file of this folder", place: place,
                    cause: "an index names files beside itself")
            }
            shards[file, default: []].append(tensor)
        }
        self.shards = shards
    }
}
