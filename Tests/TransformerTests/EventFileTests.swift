// TensorBoard event files: framing, checksums, tags, and the file that grows.

import Container
import Foundation
import Testing

import Transformer

/// The records of a file, each checked by its checksums.
private func records(_ bytes: [UInt8]) throws -> [[UInt8]] {
    var records: [[UInt8]] = []
    var rest = bytes[...]
    func number(_ slice: ArraySlice<UInt8>) -> UInt64 { slice.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    while !rest.isEmpty {
        let length = Int(number(rest.prefix(8)))
        try #require(rest.count >= 16 + length)
        #expect(UInt64(EventFile.maskedChecksum(Array(rest.prefix(8)))) == number(rest.dropFirst(8).prefix(4)))
        let data = Array(rest.dropFirst(12).prefix(length))
        #expect(UInt64(EventFile.maskedChecksum(data)) == number(rest.dropFirst(12 + length).prefix(4)))
        records.append(data)
        rest = rest.dropFirst(16 + length)
    }
    return records
}

@Test func `checksums are CRC-32C, masked as TFRecord masks them`() {
    // The check value of the Castagnoli polynomial, and 32 zeros as in RFC 3720, appendix B.4.
    #expect(EventFile.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(EventFile.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(EventFile.maskedChecksum([UInt8](repeating: 0, count: 32)) == 0x0FD7_FFFA)
}

@Test func `lines of metrics become records of one step each, without a clock`() throws {
    let metrics = Array(
        """
        {"loss":2.5,"step":1}
        {"step":300,"validation_mlm_loss":1.5}
        {"step":301,"stopped_early":true}

        """.utf8)
    let file = try EventFile.file(metrics: metrics)
    let all = try records(file)
    #expect(all.count == 3)
    #expect(String(decoding: all[0], as: UTF8.self).hasSuffix("brain.Event:2"))
    // wall_time 1.0, step 1, summary {value {tag "train/loss", simple_value 2.5}}.
    let value: [UInt8] = [0x0A, 10] + Array("train/loss".utf8) + [0x15, 0, 0, 0x20, 0x40]
    #expect(all[1] == [0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x10, 1, 0x2A, 19, 0x0A, 17] + value)
    #expect(String(decoding: all[2], as: UTF8.self).contains("validation/mlm_loss"))
    #expect(all[2][9...11] == [0x10, 0xAC, 0x02])
    #expect(try EventFile.file(metrics: metrics) == file)
}

@Test func `a live file holds what was measured before and what comes after`() throws {
    let folder = try TemporaryFolder()
    let first = #"{"loss":2.5,"step":1}"#
    let second = #"{"loss":2.25,"step":2}"#
    let events = LiveEvents(directory: folder.path + "/tensorboard") { _ in }
    events.begin(metrics: [])
    events.add(try JSON(parsing: Array(#"{"loss":9.0,"step":1}"#.utf8)))
    // Going on after an interruption begins the file anew.
    events.begin(metrics: Array((first + "\n").utf8))
    events.add(try JSON(parsing: Array(second.utf8)))
    let bytes = try Files.read(folder.path + "/tensorboard/" + EventFile.name)
    #expect(try bytes == EventFile.file(metrics: Array((first + "\n" + second + "\n").utf8)))
}
