// Bzip2Streams: a .bz2 file of many streams, unpacked on several threads and handed on in order.
// Dumps of large wikis are such files ("multistream": a stream a hundred pages), and so is what pbzip2 writes.

internal import CArchive
import Glibc

/// Unpacks the pieces that `Bzip2Cutter` makes, several at a time.
///
/// A piece counts only if it unpacks without error to its very last byte. At the first that does not, everything from
/// the piece before it is left to whoever reads the file from one end to the other: so damage, a cut-off end, bytes that
/// are no stream and false cuts give what they give without threads, and this type reports no errors of its own.
///
/// Threading: `read` is for one thread. Workers take pieces in order and sleep while `2 · threads` are unread, or while
/// their own piece has `mostUnread` bytes unread; so the worker of the piece that is read next always gets on.
/// Memory: at most `2 · threads` pieces of `mostUnread` + `Bzip2Cutter.mostBytes`; of a wiki's dump about 1 MiB each.
package final class Bzip2Streams {
    package enum Answer: Equatable {
        /// So many bytes were written.
        case bytes(Int)
        case end
        /// The rest must be read without threads, from the stream that begins at byte `from` of the file; the first
        /// `skip` bytes that come from there were handed out.
        case plain(from: UInt64, skip: UInt64)
    }

    package static let mostUnread = 1 << 23
    static let chunk = 1 << 18

    private let shared: Shared
    private let workers: [pthread_t]
    private var current: [UInt8] = []
    private var position = 0
    /// Every byte of the file was unpacked and handed out.
    private(set) var isAtEnd = false

    /// - Returns: nil if the file has less than two pieces near its beginning, or no thread can be started.
    package init?(path: String, threads: Int) {
        guard var trial = Bzip2Cutter(path: path), case .piece = trial.next(), case .piece = trial.next(),
            let cutter = Bzip2Cutter(path: path)
        else { return nil }
        let shared = Shared(cutter, window: 2 * threads)
        self.shared = shared
        workers = (0..<threads).compactMap { _ in Self.start(shared) }
        if workers.isEmpty { return nil }
    }

    deinit {
        shared.close()
        for worker in workers { pthread_join(worker, nil) }
    }

    /// Fills the buffer, which is not empty, as far as there are bytes at hand; sleeps while there are none.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> Answer {
        if position == current.count {
            switch shared.nextChunk() {
            case .chunk(let bytes): (current, position) = (bytes, 0)
            case .answer(let answer):
                isAtEnd = answer == .end
                return answer
            }
        }
        let count = min(buffer.count, current.count - position)
        buffer.copyBytes(from: current[position..<(position + count)])
        position += count
        return .bytes(count)
    }

    /// Where in the file the piece being read begins.
    var offset: UInt64 { shared.offset }

    private static func start(_ shared: Shared) -> pthread_t? {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(shared)
        let status = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<Shared>.fromOpaque(raw).takeRetainedValue().work()
                return nil
            }, context.toOpaque())
        if status == 0 { return thread }
        context.release()
        return nil
    }
}

/// A piece on its way from the cutter to the reader. All but the constants is under the mutex of `Shared`.
private final class Bzip2Piece: @unchecked Sendable {
    enum State { case running, whole, broken }

    let offset: UInt64
    var state: State
    /// Unpacked and unread.
    var chunks: [[UInt8]] = []
    var unread = 0
    /// Bytes handed out.
    var taken: UInt64 = 0

    init(offset: UInt64, state: State) {
        self.offset = offset
        self.state = state
    }
}

/// What the reader and the workers share: the cutter and the pieces under way, in order.
// `@unchecked`: every access to what is mutable is under `mutex`.
private final class Shared: @unchecked Sendable {
    enum Next {
        case chunk([UInt8])
        case answer(Bzip2Streams.Answer)
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let window: Int
    private var cutter: Bzip2Cutter
    private var pieces: [Bzip2Piece] = []
    /// The piece before `pieces[0]`, whole and read.
    private var last: Bzip2Piece?
    private var isCut = false
    private var isClosed = false

    init(_ cutter: consuming Bzip2Cutter, window: Int) {
        self.cutter = cutter
        self.window = window
        mutex.initialize(to: pthread_mutex_t())
        changed.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    private func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    private func wait() { pthread_cond_wait(changed, mutex) }
    private func tell() { pthread_cond_broadcast(changed) }

    func close() {
        locked {
            isClosed = true
            tell()
        }
    }

    // MARK: the reader

    var offset: UInt64 { locked { pieces.first?.offset ?? last?.offset ?? 0 } }

    func nextChunk() -> Next {
        locked {
            while true {
                guard let piece = pieces.first else {
                    if isCut { return .answer(.end) }
                    wait()
                    continue
                }
                if !piece.chunks.isEmpty {
                    let chunk = piece.chunks.removeFirst()
                    piece.unread -= chunk.count
                    piece.taken += UInt64(chunk.count)
                    tell()
                    return .chunk(chunk)
                }
                switch piece.state {
                case .running: wait()
                case .whole:
                    last = pieces.removeFirst()
                    tell()
                case .broken:
                    let from = last ?? piece
                    return .answer(.plain(from: from.offset, skip: (last?.taken ?? 0) + piece.taken))
                }
            }
        }
    }

    // MARK: the workers

    func work() {
        while let (piece, bytes) = take() {
            let state = unpack(bytes, of: piece)
            locked {
                piece.state = state
                tell()
            }
        }
    }

    /// The next piece, once there is room for it.
    private func take() -> (Bzip2Piece, [UInt8])? {
        locked {
            while !isClosed, !isCut, pieces.count >= window { wait() }
            if isClosed || isCut { return nil }
            switch cutter.next() {
            case .piece(let offset, let bytes):
                pieces.append(Bzip2Piece(offset: offset, state: .running))
                return (pieces.last!, bytes)
            case .rest(let offset): pieces.append(Bzip2Piece(offset: offset, state: .broken))
            case .end: break
            }
            isCut = true
            tell()
            return nil
        }
    }

    private func unpack(_ bytes: [UInt8], of piece: Bzip2Piece) -> Bzip2Piece.State {
        guard let handle = archive_read_new() else { return .broken }
        defer { archive_read_free(handle) }
        archive_read_support_filter_bzip2(handle)
        archive_read_support_format_raw(handle)
        return bytes.withUnsafeBytes { bytes in
            var entry: OpaquePointer?
            guard archive_read_open_memory(handle, bytes.baseAddress, bytes.count) == ARCHIVE_OK,
                archive_read_next_header(handle, &entry) == ARCHIVE_OK
            else { return .broken }
            while true {
                var status = 0
                let chunk = [UInt8](unsafeUninitializedCapacity: Bzip2Streams.chunk) { buffer, count in
                    status = archive_read_data(handle, buffer.baseAddress!, buffer.count)
                    count = max(0, status)
                }
                if status < 0 { return .broken }
                if status == 0 { return archive_filter_bytes(handle, -1) == bytes.count ? .whole : .broken }
                if !put(chunk, in: piece) { return .broken }
            }
        }
    }

    /// Returns false if nobody reads any more.
    private func put(_ chunk: [UInt8], in piece: Bzip2Piece) -> Bool {
        locked {
            while !isClosed, piece.unread >= Bzip2Streams.mostUnread { wait() }
            if isClosed { return false }
            piece.chunks.append(chunk)
            piece.unread += chunk.count
            tell()
            return true
        }
    }
}
