#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'TEXT'
usage: ./dev bench [OPTION...]              the whole chain: nostro bench with these options, books proved
       ./dev bench peers [OPTION...]        beside nginx, Redis and PostgreSQL, installed for it (bench/peers/run)
       ./dev bench goals [NAME...] [OPTION...]  restarts, stalls, memory, bytes, queries (bench/goals)
       ./dev bench parts [OPTION...]        single parts, by Google Benchmark
Builds the release and measures it, in build/bench. Close what else runs: two cores tell on each other.
TEXT
}

case ${1:-} in
    -h | --help) usage && exit ;;
    peers | goals | parts) what=$1 && shift ;;
    *) what=chain ;;
esac
need build
build release
mkdir -p build/bench
cd build/bench
case $what in
    chain)
        proof=(--prove)
        # A server that runs already keeps running: its own `nostro verify` proves it.
        for word in "$@"; do
            case $word in --url* | --plain* | memory | --journal=memory | --help | -h) proof=() ;; esac
        done
        exec ../release/nostro bench "${proof[@]}" "$@"
        ;;
    peers) exec ../../bench/peers/run "$@" ;;
    goals) exec ../../bench/goals "$@" ;;
    parts) exec ../release/bench/nostro_bench "$@" ;;
esac
