#!/bin/sh
# 6 million documents and 200 million links, generated in place, through `graph` and one pass of `pair-sample`: prints
# seconds and peak memory of each step, and fails past 12 GiB or if a link is lost. The first argument is a share of
# that size (0.1 by default). Needs 6 GB of disk in TMPDIR at full size. What it printed: docs/scale.md.
set -eu
cd "$(dirname "$0")/../.."
LINKLOOM_SCALE="${1:-0.1}" swift test -c release --disable-xctest --disable-testable-imports --filter GraphScaleTests
