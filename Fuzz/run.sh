#!/bin/sh
# usage: Fuzz/run.sh TARGET [libFuzzer options]
# for example: Fuzz/run.sh jsonl -seed=1 -runs=10000000
# Builds the target's room with libFuzzer's coverage (FUZZ_FLAGS="-sanitize=fuzzer,address" adds another check) and runs it.
# Inputs found so far are kept in .build/fuzz/TARGET; a crash leaves its input in .build/fuzz/crash-….
set -eu
cd "$(dirname "$0")/.."
target=${1:?usage: Fuzz/run.sh TARGET [libFuzzer options]}
shift
container= transformer=
case $target in
wikitext | mediawiki | jsonl | wikiextractor | pubmed | jats | wordpiece | vocabulary)
    room=Text
    text=$(find Sources/Text -name '*.swift')
    libraries="-larchive"
    ;;
pickle | weights | safetensors | config | index)
    # What reads models, without the kernels that run them.
    room=Transformer
    text=
    container=$(find Sources/Container -name '*.swift')
    for file in BertConfig BertConfig+JSON ModelError ParameterLayout PickledWeights PickleValue TensorFile Unpickler \
        WeightFiles WeightIndex ZipArchive; do
        transformer="$transformer Sources/Transformer/$file.swift"
    done
    libraries="-lzstd -lcrypto"
    ;;
*)
    echo "Fuzz/run.sh: there is no target '$target'; Fuzz/README.md lists them" >&2
    exit 2
    ;;
esac
out=.build/fuzz
# A build for each set of flags.
objects=$out/$room$(echo "${FUZZ_FLAGS:-}" | tr -c 'a-z0-9\n' '-')
binary=$objects/fuzz
fuzzing=$(find Tests/Fuzzing -name '*.swift')
targets="Fuzz/fuzz.swift Tests/${room}Tests/FuzzTargets.swift Tests/${room}Tests/FuzzSeeds.swift"

# module NAME SOURCES: compiles them for those that follow.
module() {
    name=$1
    shift
    # shellcheck disable=SC2086
    swiftc $flags -wmo -module-name "$name" -emit-module -emit-module-path "$objects/$name.swiftmodule" \
        -c -o "$objects/$name.o" "$@"
}

# shellcheck disable=SC2086
if [ ! -x $binary ] || [ -n "$(find Fuzz/run.sh $text $container $transformer $fuzzing $targets -newer $binary)" ]; then
    mkdir -p $objects
    rm -f $objects/*
    flags="-O -swift-version 6 -package-name linkloom -parse-as-library -sanitize=fuzzer ${FUZZ_FLAGS:-}
        -enable-upcoming-feature ExistentialAny -enable-upcoming-feature MemberImportVisibility
        -enable-upcoming-feature InternalImportsByDefault -I $objects"
    for system in CArchive CZstd CCrypto; do flags="$flags -I Sources/System/$system"; done
    [ -z "$text" ] || module Text $text
    [ -z "$container" ] || module Container $container
    [ -z "$transformer" ] || module Transformer $transformer
    module Fuzzing $fuzzing
    swiftc $flags -wmo -module-name Fuzz -o $binary $targets $objects/*.o $libraries
fi
mkdir -p $out/$target
# Swift's own backtraces would end the program before libFuzzer keeps the input.
SWIFT_BACKTRACE=enable=no LINKLOOM_FUZZ=$target LINKLOOM_FUZZ_SEEDS=$out/$target $binary -dict=$out/$target.dict -max_len=512 -timeout=10 \
    -artifact_prefix=$out/ "$@" $out/$target
