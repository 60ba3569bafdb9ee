#!/usr/bin/env bash
# `swift test` with the flags of this package, and what failed said once more at the end, where the last lines of a
# long log are all that somebody sees. Arguments go to `swift test`.
set -uo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT
swift test -c release --disable-xctest --disable-testable-imports "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
if [ "$status" -ne 0 ]; then
    printf '\nswift test ended with %s. What failed:\n' "$status"
    grep -aE -A 6 '^✘|^↳|error:|Fatal error|unexpected signal' "$log" | grep -avE '^(✔|◇|--$)' | tail -n 60
fi
exit "$status"
