#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check=()
case ${1:-} in
    "") ;;
    --check) check=(--dry-run -Werror) ;;
    -h | --help) say "usage: ./dev format [--check]" && exit ;;
    *) die "usage: ./dev format [--check]" ;;
esac
command -v clang-format-19 >/dev/null || need lint
git ls-files -z --cached --others --exclude-standard '*.cpp' '*.hpp' |
    xargs -0 -r -n 20 -P "$jobs" clang-format-19 "${check[@]:--i}"
