import Container
import Testing

@Suite struct DigestTests {
    @Test func `digests are those of the standard`() {
        // FIPS 180-2, appendix B.
        #expect(Digest.of("abc").hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Digest.of([UInt8]()).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let million = DigestBuilder()
        for _ in 0..<1000 { million.update([UInt8](repeating: UInt8(ascii: "a"), count: 1000)) }
        #expect(million.finish().hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func `a digest survives its hexadecimal form and nothing else is one`() throws {
        let digest = Digest.of("abc")
        #expect(Digest(hex: digest.hex) == digest)
        #expect(digest.bytes.prefix(3) == [0xBA, 0x78, 0x16] && digest.bytes.last == 0xAD && digest.bytes.count == 32)
        #expect(digest.prefix == 0xBA78_16BF_8F01_CFEA)
        for bad in [
            "", String(digest.hex.dropLast()), digest.hex + "0", digest.hex.uppercased(), "g" + digest.hex.dropFirst(),
        ] {
            #expect(Digest(hex: bad) == nil)
        }
    }

    @Test func `digests are ordered as their bytes`() {
        let digests = (0..<100).map { Digest.of("\($0)") }.sorted()
        #expect(digests.map(\.hex) == digests.map(\.hex).sorted())
    }

    @Test func `the digest of a file is that of its bytes`() throws {
        let folder = TemporaryFolder()
        for size in [0, 1, 1 << 20, 1 << 20 + 1] {
            let bytes = noise(size)
            try Files.publish(bytes, at: folder / "file")
            let (digest, count) = try digestOfFile(folder / "file")
            #expect(digest == Digest.of(bytes) && count == size)
        }
        #expect(failure { _ = try digestOfFile(folder / "absent") }?.code == .notFound)
        #expect(failure { _ = try digestOfFile(folder.path) }?.message.contains("this is a folder") == true)
    }
}

@Suite struct RandomTests {
    @Test func `SplitMix64 gives the published sequence`() {
        // The reference implementation of Sebastiano Vigna (splitmix64.c) for the seed 1234567.
        var generator = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<5).map { _ in generator.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test func `keys fold from the left and depend on order and number of parts`() {
        let all = KeyedRandom.key(13, 1, 2, 3, 4, 5)
        #expect(all == KeyedRandom.mix(KeyedRandom.key(13, 1, 2, 3, 4), 5))
        #expect(KeyedRandom.key(13, 1, 2) == KeyedRandom.mix(KeyedRandom.mix(13, 1), 2))
        let keys: Set<UInt64> = [
            KeyedRandom.key(13, 1, 2), KeyedRandom.key(13, 2, 1), KeyedRandom.key(13, 1), KeyedRandom.key(13, 1, 2, 0),
            KeyedRandom.key(13, 1, 0), KeyedRandom.key(14, 1, 2), KeyedRandom.key(0, 0), KeyedRandom.key(0, 0, 0),
        ]
        #expect(keys.count == 8)
    }

    @Test func `mix never changes`() {
        // Artifacts depend on these values: another value here means another version of every sampling stage.
        var chain: UInt64 = 0
        for i in 0..<1000 as Range<UInt64> { chain = KeyedRandom.mix(chain, i) }
        #expect(KeyedRandom.mix(0, 0) == 0xA706_DD2F_4D19_7E6F)
        #expect(chain == 0x7F32_8DEC_09C9_DCC1)
    }

    @Test func `neighbouring keys are spread evenly`() {
        // 1,000 cells, 100,000 draws: chi-square has 999 degrees of freedom, standard deviation 45.
        for n in [3, 1000] as [UInt64] {
            var cells = [Int](repeating: 0, count: Int(n))
            for document in 0..<1000 as Range<UInt64> {
                for segment in 0..<100 as Range<UInt64> {
                    cells[Int(KeyedRandom.below(KeyedRandom.key(13, 0, document, segment), n))] += 1
                }
            }
            let expected = 100_000 / Double(n)
            let chi = cells.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
            #expect(abs(chi - Double(n - 1)) < 5 * (2 * Double(n)).squareRoot(), "chi-square \(chi) over \(n) cells")
        }
    }

    @Test func `unit and below stay in their ranges`() {
        #expect(KeyedRandom.unit(0) == 0 && KeyedRandom.unit(.max) < 1)
        #expect(KeyedRandom.unit(1 << 63) == 0.5)
        #expect(KeyedRandom.below(.max, 10) == 9 && KeyedRandom.below(0, 10) == 0 && KeyedRandom.below(.max, 1) == 0)
        #expect(KeyedRandom.below(.max, .max) == UInt64.max - 1)
    }
}
