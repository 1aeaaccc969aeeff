#!/usr/bin/env bash
# Brings promtool, Prometheus' own reader of /metrics, into $NOSTRO_HOME/bin, once. Only that program is taken
# out of Debian's package: installing the package would start a monitoring service on the machine.
set -euo pipefail

home=${NOSTRO_HOME:-$HOME/.cache/nostro}
{ [ -x "$home/bin/promtool" ] || command -v promtool >/dev/null; } && exit 0

mkdir -p "$home/bin"
work=$(mktemp -d "$home/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! apt-get -q download prometheus >apt.log 2>&1; then
    # A machine that never listed its packages knows none.
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get -q update >apt.log 2>&1
    if ! apt-get -q download prometheus >>apt.log 2>&1; then
        echo "promtool: Debian's package prometheus could not be fetched: $(tail -n 1 apt.log)" >&2
        exit 1
    fi
fi
dpkg-deb --extract prometheus_*.deb files
mv files/usr/bin/promtool "$home/bin/promtool"
echo "promtool: $("$home/bin/promtool" --version 2>&1 | head -n 1)"
