#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'TEXT'
usage: ./dev fuzz [NAME...] [--seconds N]

Runs fuzz targets (tests/fuzz/NAME_fuzz.cpp), all of them if none is named, each N seconds (default 60;
NOSTRO_FUZZ_SECONDS). Starts from the kept corpus tests/fuzz/corpus/NAME; what is found on the way stays in
build/fuzz/corpus/NAME. An input that breaks a promise is written to build/fuzz/broken, and its path printed.
TEXT
}

seconds=${NOSTRO_FUZZ_SECONDS:-60}
names=()
while (($#)); do
    case $1 in
        --seconds)
            [[ ${2:-} =~ ^[0-9]+$ ]] || die "--seconds needs a number"
            seconds=$2
            shift
            ;;
        -h | --help) usage && exit ;;
        -*) usage >&2 && exit 2 ;;
        *) names+=("${1%_fuzz}") ;;
    esac
    shift
done

all=()
for file in tests/fuzz/*_fuzz.cpp; do
    [ -f "$file" ] && all+=("$(basename "$file" _fuzz.cpp)")
done
((${#all[@]})) || { say "  no fuzz targets" && say "0 passed, 0 failed" && exit; }
for name in "${names[@]}"; do
    [ -f "tests/fuzz/${name}_fuzz.cpp" ] || die "no fuzz target named $name; there are: ${all[*]}"
done
((${#names[@]})) || names=("${all[@]}")
# A target without one would begin with nothing, and few get far from there.
for name in "${names[@]}"; do
    [ -n "$(ls "tests/fuzz/corpus/$name" 2>/dev/null)" ] || die "$name has no kept corpus: tests/fuzz/corpus/$name"
done

need build fuzz
build fuzz "${names[@]/%/_fuzz}"

# one NAME: runs one target; its log is build/logs/fuzz-NAME.log
one() {
    local name=$1 found=build/fuzz/corpus/$1 log=$logs/fuzz-$1.log
    mkdir -p "$found" build/fuzz/broken
    export ASAN_SYMBOLIZER_PATH=/usr/lib/llvm-19/bin/llvm-symbolizer
    if "build/fuzz/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=3000 -verbosity=1 \
        -artifact_prefix="build/fuzz/broken/$name-" "$found" "tests/fuzz/corpus/$name" >"$log" 2>&1 </dev/null; then
        say "  $name: ok, $(grep -oE '^Done [0-9]+ runs' "$log" | cut -d ' ' -f 2) inputs in $seconds s"
    else
        say "  $name: FAILED; $(grep -m 1 -E 'ERROR|runtime error|Assert' "$log"); $(grep -oE 'written to .*' "$log" | head -n 1); log $log"
        return 1
    fi
}
export -f one say
export seconds logs
if printf '%s\n' "${names[@]}" | xargs -P "$jobs" -I '{}' bash -c 'one {}' | tee "$logs/fuzz.log"; then :; fi
failed=$(grep -c ': FAILED' "$logs/fuzz.log" || true)
say "$((${#names[@]} - failed)) passed, $failed failed"
((failed == 0))
