#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'TEXT'
usage: ./dev lint [--fix] [--no-tidy] [FILE...]

Checks the format, the layers, the style, the words, the scripts, and runs clang-tidy over our sources
(over FILE... if named). A source whose text, includes and rules did not change is not looked at again.
--fix lets clang-format and clang-tidy mend what they can.
TEXT
}

fix=()
tidy=1
files=()
while (($#)); do
    case $1 in
        --fix) fix=(--fix) ;;
        --no-tidy) tidy=0 ;;
        -h | --help) usage && exit ;;
        -*) usage >&2 && exit 2 ;;
        *) files+=("$1") ;;
    esac
    shift
done

need build lint
passed=0
failed=0
# step NAME COMMAND...
step() {
    local name=$1 started=$SECONDS
    shift
    if "$@"; then
        passed=$((passed + 1))
        say "  $name: ok ($(span $((SECONDS - started))))"
    else
        failed=$((failed + 1))
        say "  $name: FAILED"
    fi
}

scripts() {
    git ls-files -z --cached --others --exclude-standard 'dev' '.ci/run' '*.sh' | xargs -0 -r shellcheck -x
}
tidy_all() {
    # Nothing builds this preset, so nothing else would see that a source came or went.
    { configure tidy && cmake build/tidy; } >"$logs/configure-tidy.log" 2>&1 || {
        tail -n 20 "$logs/configure-tidy.log"
        return 1
    }
    find "$NOSTRO_HOME/tidy" -type f -mtime +60 -delete 2>/dev/null || true
    python3 tools/dev/tidy.py --build build/tidy --cache "$NOSTRO_HOME/tidy" --jobs "$jobs" "${fix[@]}" "${files[@]}"
}

if ((${#fix[@]})); then tools/dev/format.sh; fi
step checks python3 tests/tools/checks_test.py --quiet
step format tools/dev/format.sh --check
step layers python3 tools/check_layers.py
step style python3 tools/check_style.py
step words python3 tools/check_words.py
step promises python3 tools/check_promises.py
step scripts scripts
if ((tidy)); then step clang-tidy tidy_all; fi
say "$passed passed, $failed failed"
((failed == 0))
