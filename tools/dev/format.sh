#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check=0
case ${1:-} in
    "") ;;
    --check) check=1 ;;
    -h | --help) say "usage: ./dev format [--check]" && exit ;;
    *) die "usage: ./dev format [--check]" ;;
esac
command -v clang-format-19 >/dev/null || need lint

sources() { git ls-files -z --cached --others --exclude-standard '*.cpp' '*.hpp'; }
if ((check)); then
    found=$(sources | xargs -0 -r -n 20 -P "$jobs" clang-format-19 --dry-run --ferror-limit=1 2>&1 |
        grep -oE '^[^ ]+:[0-9]+:[0-9]+: (warning|error)' | cut -d : -f 1 | sort -u || true)
    [ -z "$found" ] && exit
    say "not as clang-format writes it; ./dev format mends them:"
    # shellcheck disable=SC2001  # every line is indented, not the first
    sed 's/^/  /' <<<"$found"
    exit 1
fi
sources | xargs -0 -r -n 20 -P "$jobs" clang-format-19 -i
