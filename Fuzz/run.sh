#!/bin/sh
# usage: Fuzz/run.sh TARGET [libFuzzer options]
# for example: Fuzz/run.sh jsonl -seed=1 -runs=10000000
# Builds the Text room with libFuzzer's coverage (FUZZ_FLAGS="-sanitize=address" adds another check) and runs one target.
# Inputs found so far are kept in .build/fuzz/TARGET; a crash leaves its input in .build/fuzz/crash-….
set -eu
cd "$(dirname "$0")/.."
target=${1:?usage: Fuzz/run.sh TARGET [libFuzzer options]}
shift
out=.build/fuzz
binary=$out/fuzz
sources=$(find Sources/Text -name '*.swift')
if [ ! -x $binary ] || [ -n "$(find Sources/Text Fuzz Tests/TextTests/FuzzTargets.swift Tests/TextTests/FuzzSeeds.swift -name '*.swift' -newer $binary)" ]; then
    mkdir -p $out
    flags="-O -swift-version 6 -package-name linkloom -parse-as-library -sanitize=fuzzer ${FUZZ_FLAGS:-}
        -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
        -enable-upcoming-feature InternalImportsByDefault -I Sources/System/CArchive -I $out"
    # shellcheck disable=SC2086
    swiftc $flags -wmo -module-name Text -emit-module -emit-module-path $out/Text.swiftmodule -c -o $out/Text.o $sources
    # shellcheck disable=SC2086
    swiftc $flags -wmo -module-name Fuzz -o $binary Fuzz/fuzz.swift Tests/TextTests/FuzzTargets.swift \
        Tests/TextTests/FuzzSeeds.swift $out/Text.o \
        -larchive
fi
mkdir -p $out/$target
# Swift's own backtraces would end the program before libFuzzer keeps the input.
SWIFT_BACKTRACE=enable=no LINKLOOM_FUZZ=$target LINKLOOM_FUZZ_SEEDS=$out/$target $binary -dict=$out/$target.dict -max_len=512 -timeout=10 \
    -artifact_prefix=$out/ "$@" $out/$target
