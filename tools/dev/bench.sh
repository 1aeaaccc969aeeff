#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    say "usage: ./dev bench [options of bench/run.sh, or of Google Benchmark]"
    say "Builds the release and measures it. Close what else runs: two cores tell on each other."
    exit
fi
need build
build release
if [ -x bench/run.sh ]; then exec bench/run.sh "$@"; fi
[ -x build/release/bench/nostro_bench ] || die "there are no benchmarks yet"
exec build/release/bench/nostro_bench "$@"
