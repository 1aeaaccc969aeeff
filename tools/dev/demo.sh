#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1:-} in
    "" | --exit) ;;
    -h | --help) say "usage: ./dev demo [--exit]" && exit ;;
    *) die "usage: ./dev demo [--exit]" ;;
esac
need build
say "building nostro; the first time takes some minutes"
build release nostro
build/release/nostro </dev/null
