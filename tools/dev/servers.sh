#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

names() { for script in tools/servers/*.sh; do basename "$script" .sh; done; }

usage() {
    cat <<TEXT
usage: ./dev servers NAME start|stop [options]

Starts and stops the real servers that nostro works with, on free ports of 127.0.0.1, as private ones:
their data lies in one folder, and no service of the machine is touched. What is missing is installed once.
The last line of start is what nostro wants in its environment: VARIABLE=value.

NAME is one of: $(names | paste -sd ' ')
./dev servers NAME --help tells the options of one; kafka has Kafka's own tools besides: ./dev servers kafka tool CLASS.
TEXT
}

case ${1:-} in
    "" | -h | --help) usage && exit ;;
esac
name=$1
shift
[ -f "tools/servers/$name.sh" ] || die "no server named $name; there are: $(names | paste -sd ' ')"
case ${1:-} in
    start) need "$name" >&2 ;;
    stop | tool | -h | --help) ;;
    *) usage >&2 && exit 2 ;;
esac
exec "tools/servers/$name.sh" "$@"
