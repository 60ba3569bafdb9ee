#!/bin/sh
# Builds the C kernels with the flags of Package.swift and prints time per element of each kernel and variant, and the
# matrix products' GFLOP/s. Usage: Benchmarks/kernels/run.sh [name-prefix]     (needs clang and libopenblas-dev)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sources=$here/../../Sources/CKernels
build=${TMPDIR:-/tmp}/linkloom-kernel-bench.$$
mkdir -p "$build"
trap 'rm -rf "$build"' EXIT
clang -std=gnu11 -O3 -fno-math-errno -Wall -Wextra -Werror -I"$sources/include" $(pkg-config --cflags openblas) \
    "$here/main.c" "$here/products.c" "$sources"/*.c "$sources"/ref/*.c "$sources"/x86/*.c -o "$build/bench" \
    $(pkg-config --libs openblas) -lm
"$build/bench" "$@"
