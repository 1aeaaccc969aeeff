#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'TEXT'
usage: ./dev build [PRESET] [TARGET...]

Builds a preset (debug, release, asan, tsan, fuzz; default release) into build/PRESET.
Targets are CMake's: nostro, unit_domain, contract, sim, nostro_bench...
TEXT
}

case ${1:-} in
    -h | --help) usage && exit ;;
    -*) usage >&2 && exit 2 ;;
esac
preset=${1:-release}
shift || true
groups=(build)
case $preset in
    debug | release | asan | tsan) ;;
    fuzz) groups+=(fuzz) ;;
    *) die "no preset named $preset; there are debug, release, asan, tsan and fuzz" ;;
esac
need "${groups[@]}"
build "$preset" "$@"
