// What a step asks the heap for once training has warmed up: a few small things, whatever the number of tokens.

import CAllocations
import Container
import Kernels
import Synchronization
import Testing

import Transformer

/// Made-up rows of one length, read in place as those of shards are.
private final class PlainRows: InstanceSource {
    let count: Int
    let length: Int
    var limits: InstanceLimits { InstanceLimits(tokens: length, spans: 2) }
    var tokens: Int { count * length }

    init(_ count: Int, length: Int) {
        self.count = count
        self.length = length
    }

    func length(_ row: Int) -> Int { length }
    func place(_ row: Int) -> RowPlace { RowPlace(part: 0, offset: row) }
    func row(at place: RowPlace) -> Int? { place.offset }

    func load(_ row: Int, into instance: inout Instance) {
        instance.removeAll()
        let key = RandomKey(seed: 7).adding(UInt64(row))
        let second = length / 2
        for position in 0..<length {
            let isSeparator = position == second - 1 || position == length - 1
            instance.ids.append(
                position == 0 ? 2 : isSeparator ? 3 : UInt32(5 + key.draw(UInt64(position), below: 92)))
        }
        instance.spans.append(Instance.Span(range: 1..<second - 1, document: UInt64(row), segment: 0))
        instance.spans.append(Instance.Span(range: second..<length - 1, document: UInt64(row), segment: 1))
        instance.secondBegin = second
        instance.relation = UInt8(row % 3)
    }
}

/// Calls of malloc and bytes asked for in steps 3 to 10, the least of three runs: what the runtime sets up at a type's
/// first use, and what a slow machine's clock adds, comes on top once.
private func allocations(batch: Int, length: Int, parts: Int = 1) throws -> (calls: Int, bytes: Int) {
    let runs = try (0..<3).map { _ in try allocationsOfRun(batch: batch, length: length, parts: parts) }
    return (runs.map(\.calls).min() ?? 0, runs.map(\.bytes).min() ?? 0)
}

/// All steps are computed by this thread.
private func allocationsOfRun(batch: Int, length: Int, parts: Int) throws -> (calls: Int, bytes: Int) {
    var config = toyConfig()
    config.maxPositionEmbeddings = 128
    let model = try BertModel(config, seed: 3)
    var settings = TrainingSettings()
    settings.steps = 10
    settings.batchSize = batch
    settings.slices = 2
    settings.threads = 1
    settings.warmupSteps = 2
    settings.gradientAccumulation = parts
    let seen = Mutex<[allocation_counts]>([])
    seen.withLock { $0.reserveCapacity(settings.steps) }
    var observer = TrainingObserver()
    observer.metrics = { _ in seen.withLock { $0.append(allocations_of_this_thread()) } }
    let data = TrainingData(train: PlainRows(batch * 4, length: length))
    _ = try Trainer(model: model, settings: settings, masking: toyMasking(), data: [data], observer: observer).run()
    let counts = seen.withLock { $0 }
    try #require(counts.count == 10)
    return (Int(counts[9].calls - counts[1].calls), Int(counts[9].bytes - counts[1].bytes))
}

@Suite(.enabled(if: allocations_are_counted())) struct AllocationTests {
    @Test func `a warm step allocates little, no more for longer rows, and little more for more of them`() throws {
        let few = try allocations(batch: 4, length: 24)
        let longer = try allocations(batch: 4, length: 120)
        let more = try allocations(batch: 16, length: 120)
        // A line of metrics, closures and lists of rows; 77 calls and 12 kB a step.
        #expect(few.calls > 0 && few.calls <= 8 * 100 && few.bytes <= 8 * 20_000, "\(few)")
        // 96 tokens more in every row: their ids alone would be 1536 bytes a step, were they copied. Numbers that are
        // printed with more digits may make the difference.
        #expect(abs(longer.calls - few.calls) <= 16 && abs(longer.bytes - few.bytes) <= 1024, "\(few), \(longer)")
        // 12 rows more: their places in lists, at most 256 bytes each.
        #expect(more.calls - longer.calls <= 8 * 12, "\(longer), \(more)")
        #expect(more.bytes - longer.bytes <= 8 * 12 * 256, "\(longer), \(more)")
        // Four parts one after another cost no more than four batches.
        let parts = try allocations(batch: 16, length: 120, parts: 4)
        #expect(parts.calls <= 4 * more.calls && parts.bytes <= 4 * more.bytes, "\(more), \(parts)")
    }
}
