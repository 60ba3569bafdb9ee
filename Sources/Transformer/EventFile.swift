// TensorBoard event files: training curves in the tool that people have. Written by hand, without protobuf.

package import Container
import Glibc
import Synchronization

/// Records of a TensorBoard event file.
///
/// A record (TFRecord framing, little-endian): 8 bytes, the data's length n; 4 bytes, the masked CRC-32C of those 8;
/// n bytes of data; 4 bytes, the masked CRC-32C of the data. Masked: rotated right by 15 bits, plus 0xA282EAD8.
///
/// The data is a protobuf `Event`: 1 `wall_time` (double), 2 `step` (varint), then either 3 `file_version` (string, the
/// first record) or 5 `summary`, whose repeated field 1 is a value of 1 `tag` (string) and 2 `simple_value` (float).
///
/// No clock enters: `wall_time` is the step, as if every step took a second, so the same training gives the same bytes.
/// - Source: tensorflow/core/util/event.proto, tensorflow/core/lib/io/record_writer.h.
package enum EventFile {
    /// TensorBoard reads files with `tfevents` in their name.
    package static let name = "events.out.tfevents.0.linkloom"

    /// The record that a file begins with.
    package static var start: [UInt8] {
        var event = Protobuf()
        event.double(1, 0)
        event.string(3, "brain.Event:2")
        return record(event.bytes)
    }

    /// A line of metrics.jsonl as a record; empty for a line without numbers.
    ///
    /// `validation_x` becomes the tag `validation/x`, every other number `train/x`.
    package static func record(metrics line: JSON) -> [UInt8] {
        guard let members = line.object, let step = line["step"]?.int else { return [] }
        var summary = Protobuf()
        for (name, value) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            guard name != "step", let number = value.double else { continue }
            var scalar = Protobuf()
            scalar.string(1, tag(name))
            scalar.float(2, Float(number))
            summary.message(1, scalar)
        }
        guard !summary.bytes.isEmpty else { return [] }
        var event = Protobuf()
        event.double(1, Double(step))
        event.varint(2, UInt64(bitPattern: step))
        event.message(5, summary)
        return record(event.bytes)
    }

    /// A whole file from the lines of metrics.jsonl.
    package static func file(metrics: [UInt8]) throws -> [UInt8] {
        try metrics.split(separator: UInt8(ascii: "\n")).reduce(into: start) { file, line in
            file += record(metrics: try JSON(parsing: Array(line)))
        }
    }

    private static func tag(_ name: String) -> String {
        let prefix = "validation_"
        return name.hasPrefix(prefix) ? "validation/" + name.dropFirst(prefix.count) : "train/" + name
    }

    private static func record(_ data: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt64(data.count))
        return length + littleEndian(maskedChecksum(length)) + data + littleEndian(maskedChecksum(data))
    }

    /// The masked CRC-32C that guards a record.
    package static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
        let sum = checksum(bytes)
        return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
    }

    /// CRC-32C (Castagnoli), reflected, of polynomial 0x1EDC6F41.
    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in bytes { sum = table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ sum >> 8 }
        return ~sum
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }
}

private func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
}

/// The four field forms that an event needs.
private struct Protobuf {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ field: Int, _ value: UInt64) {
        key(field, 0)
        append(value)
    }

    mutating func double(_ field: Int, _ value: Double) {
        key(field, 1)
        bytes += littleEndian(value.bitPattern)
    }

    mutating func float(_ field: Int, _ value: Float) {
        key(field, 5)
        bytes += littleEndian(value.bitPattern)
    }

    mutating func string(_ field: Int, _ value: String) { block(field, Array(value.utf8)) }
    mutating func message(_ field: Int, _ value: Protobuf) { block(field, value.bytes) }

    private mutating func block(_ field: Int, _ content: [UInt8]) {
        key(field, 2)
        append(UInt64(content.count))
        bytes += content
    }

    private mutating func key(_ field: Int, _ kind: Int) { append(UInt64(field << 3 | kind)) }

    private mutating func append(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// An event file that grows with the training, for watching it. It is no part of any result: a failure to write it is
/// told once and stops nothing.
package final class LiveEvents: Sendable {
    private let path: String
    private let descriptor = Mutex<Int32>(-1)
    private let complain: @Sendable (String) -> Void

    /// - Parameter directory: made if it is not there.
    package init(directory: String, complain: @escaping @Sendable (String) -> Void) {
        path = directory + "/" + EventFile.name
        self.complain = complain
        try? Files.makeDirectories(directory)
    }

    deinit { descriptor.withLock { if $0 >= 0 { _ = close($0) } } }

    /// Begins the file anew with what has been measured so far.
    package func begin(metrics: [UInt8]) {
        let opened = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        descriptor.withLock {
            if $0 >= 0 { _ = close($0) }
            $0 = opened
        }
        write((try? EventFile.file(metrics: metrics)) ?? EventFile.start)
    }

    package func add(_ line: JSON) { write(EventFile.record(metrics: line)) }

    private func write(_ bytes: [UInt8]) {
        let failed = descriptor.withLock { number -> Bool in
            guard number >= 0 else { return false }
            let count = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            guard count != bytes.count else { return false }
            _ = close(number)
            number = -1
            return true
        }
        if failed { complain("the TensorBoard file of this run is incomplete: \(String(cString: strerror(errno)))") }
    }
}
