#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'TEXT'
usage: ./dev test [--quick] [--only STAGE]... [--sim N] [--kills N] [--chaos N] [--rows N] [--fuzz-seconds N]

Runs the stages in this order, and stops at the first that fails:
  release  builds the release; unit, contract and simulation tests
  asan     the same tests under the address and undefined-behaviour sanitizers
  tsan     the same tests under the thread sanitizer
  fuzz     every fuzz target for some seconds, from its kept corpus
  lint     format, layers, style, words, scripts, clang-tidy
  system   the release program over HTTP and its command line, kill -9 included
  postgres the adapters under asan, and the release program, against a real PostgreSQL and a real Redis
  kafka    the same against a real Kafka broker
  demo     what a newcomer sees
--quick is release without the simulation, and lint without clang-tidy.
--only runs the named stages alone. --sim sets the seeds of the simulation (NOSTRO_SIM_SEEDS), --kills the
kill -9 rounds of the system tests (NOSTRO_KILLS), --chaos the rounds of faults against real servers (NOSTRO_CHAOS; the
first four, which is the default, have every fault once), --rows about how many rows 16 connections insert at once
(NOSTRO_ROWS; 1,152 by default), --fuzz-seconds the time of each target (by default they share
three minutes).
TEXT
}

stages=(release asan tsan fuzz lint system postgres kafka demo)
only=()
quick=0
number() { [[ ${2:-} =~ ^[0-9]+$ ]] || die "$1 needs a number"; }
while (($#)); do
    case $1 in
        --quick) quick=1 ;;
        --only)
            [[ " ${stages[*]} " == *" ${2:-} "* ]] || die "--only needs one of: ${stages[*]}"
            only+=("$2")
            shift
            ;;
        --sim) number "$@" && export NOSTRO_SIM_SEEDS=$2 && shift ;;
        --kills) number "$@" && export NOSTRO_KILLS=$2 && shift ;;
        --chaos) number "$@" && export NOSTRO_CHAOS=$2 && shift ;;
        --rows) number "$@" && export NOSTRO_ROWS=$2 && shift ;;
        --fuzz-seconds) number "$@" && export NOSTRO_FUZZ_SECONDS=$2 && shift ;;
        -h | --help) usage && exit ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done
targets=(tests/fuzz/*_fuzz.cpp)
export NOSTRO_FUZZ_SECONDS=${NOSTRO_FUZZ_SECONDS:-$((180 / ${#targets[@]}))}
((quick)) && stages=(release lint)
((${#only[@]})) && stages=("${only[@]}")

declare -A budget=([release]=8 [asan]=9 [tsan]=8 [fuzz]=3 [lint]=4 [system]=8 [demo]=2 [postgres]=4 [kafka]=6)
passed=0
failed=0

# count FILE: adds the totals of a JUnit file of ctest or pytest
count() {
    local tests failures errors
    tests=$(grep -oE -m 1 '\btests="[0-9]+"' "$1" | tr -dc 0-9)
    failures=$(grep -oE -m 1 '\bfailures="[0-9]+"' "$1" | tr -dc 0-9)
    errors=$(grep -oE -m 1 '\berrors="[0-9]+"' "$1" | tr -dc 0-9 || true)
    failures=$((failures + ${errors:-0}))
    failed=$((failed + failures))
    passed=$((passed + tests - failures))
    say "  $((tests - failures)) passed, $failures failed"
}

# count_line LOG: adds the closing line "N passed, N failed" of one of our own checks
count_line() {
    local line
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$1" | tail -n 1)
    [ -n "$line" ] || { failed=$((failed + 1)) && return; }
    passed=$((passed + ${line%% passed*}))
    line=${line#*, }
    failed=$((failed + ${line%% failed*}))
}

# ctest_in PRESET [LABEL]: all but those with the label, and those that need a server
ctest_in() {
    local preset=$1 log=$logs/test-$1.log xml=$root/build/$1/junit.xml alone=()
    shift
    rm -f "$xml"
    # The thread sanitizer of g++ 12 cannot place its shadow where the kernel randomizes addresses widely.
    if [ "$preset" = tsan ] && setarch -R true 2>/dev/null; then alone=(setarch -R); fi
    local status=0
    logged "$log" "${alone[@]}" ctest --preset "$preset" -j "$jobs" -LE "^(servers_.*${1:+|$1})\$" --no-tests=error --output-junit "$xml" || status=1
    [ -f "$xml" ] && count "$xml"
    if ((status)); then
        sed -n '/tests FAILED\|tests failed/,$p' "$log" | head -n 40 >&2
        say "  tests of $preset failed; all of it: $log" >&2
    fi
    return "$status"
}

stage_release() {
    build release || return
    if ((quick)); then ctest_in release sim; else ctest_in release; fi
}
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1
export UBSAN_OPTIONS=print_stacktrace=1
stage_asan() {
    build asan all && ctest_in asan
}
stage_tsan() {
    # A process that ends by a broken invariant writes its last words from the signal, which may allocate.
    export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:report_signal_unsafe=0
    build tsan all && ctest_in tsan
}
stage_fuzz() {
    local log=$logs/test-fuzz.log status=0
    logged "$log" tools/dev/fuzz.sh || status=1
    grep -E '^  ' "$log" || true
    ((status)) && tail -n 5 "$log" >&2
    count_line "$log"
    return "$status"
}
stage_lint() {
    local log=$logs/test-lint.log status=0 options=()
    ((quick)) && options=(--no-tidy)
    logged "$log" tools/dev/lint.sh "${options[@]}" || status=1
    grep -E '^  [a-z-]+: ' "$log" || true
    if ((status)); then
        grep -vE '^  [a-z-]+: ok' "$log" | head -n 40 >&2
        say "  all of it: $log" >&2
    fi
    count_line "$log"
    return "$status"
}
stage_system() {
    local log=$logs/test-system.log xml=$root/build/system.xml status=0
    if ! compgen -G 'tests/system/test_*.py' >/dev/null; then
        say "  no system tests"
        return
    fi
    build release nostro || return
    # shellcheck source=tools/dev/python.sh
    . tools/dev/python.sh && python_ready || return
    tools/fetch/promtool.sh >"$logs/promtool.log" 2>&1 || { cat "$logs/promtool.log" >&2 && return 1; }
    rm -f "$xml"
    PATH=$PATH:$NOSTRO_HOME/bin NOSTRO_BIN=$root/build/release/nostro logged "$log" \
        "$NOSTRO_HOME/venv/bin/python" -m pytest -q -x --tb=short --junitxml "$xml" tests/system || status=1
    if [ -f "$xml" ]; then count "$xml"; else failed=$((failed + 1)); fi
    if ((status)); then
        tail -n 40 "$log" >&2
        say "  all of it: $log" >&2
    fi
    return "$status"
}
stage_demo() {
    local log=$logs/test-demo.log
    if logged "$log" tools/dev/demo.sh --exit; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -n 20 "$log" >&2
        say "  the demo failed; all of it: $log" >&2
        return 1
    fi
}

# Where databases of tests lie, so that none waits for the disk; empty where memory has no room for them.
memory=""
memory_begins() {
    local free_kib shared_kib
    free_kib=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
    shared_kib=$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)
    ((free_kib > 6 << 20 && ${shared_kib:-0} > 2 << 20)) || return 0
    memory=$(mktemp -d -p /dev/shm nostro-test.XXXXXX)
    chmod 755 "$memory"  # the user of PostgreSQL goes through it
}

# server NAME start|stop
server() {
    local place=()
    if [ "$1" = postgres ] && [ -n "$memory" ]; then place=(--dir "$memory/postgres"); fi
    "tools/servers/$1.sh" "$2" "${place[@]}"
}
servers_end() {
    local each status=0
    for each in "$@"; do server "$each" stop || status=1; done
    if [ -n "$memory" ]; then
        cp "$memory/postgres/log" "$logs/postgres-server.log" || status=1
        rm -rf "$memory"
        memory=""
    fi
    return "$status"
}

# against NAME SERVER...: tests/servers/NAME, while these servers run: its contracts (servers_NAME) under the address and
# undefined-behaviour sanitizers, then its tests with the release program
against() {
    local name=$1 log=$logs/test-$1-contract.log xml=$root/build/$1 status=0 each variables=()
    shift
    need "$@"
    build asan "servers_$name" && build release nostro || return
    # shellcheck source=tools/dev/python.sh
    . tools/dev/python.sh && python_ready || return
    # shellcheck disable=SC2064  # the servers of now
    trap "servers_end $* >/dev/null 2>&1" EXIT
    if [[ " $* " == *" postgres "* ]]; then memory_begins; fi
    [ -z "$memory" ] || variables+=("NOSTRO_MEMORY=$memory")  # servers that tests start
    for each in "$@"; do
        logged "$logs/$each.log" server "$each" start || { tail -n 15 "$logs/$each.log" >&2 && return 1; }
        variables+=("$(tail -n 1 "$logs/$each.log")")  # for these tests alone: a later stage shall not see them
    done
    rm -f "$xml"-*.xml
    logged "$log" env "${variables[@]}" ctest --preset asan -L "^servers_$name\$" --no-tests=error --output-junit "$xml-contract.xml" || status=1
    [ -f "$xml-contract.xml" ] && count "$xml-contract.xml"
    if ((!status)); then
        log=$logs/test-$name.log
        logged "$log" env "${variables[@]}" NOSTRO_BIN="$root/build/release/nostro" "$NOSTRO_HOME/venv/bin/python" -m pytest \
            -q -x --tb=short --junitxml "$xml-system.xml" "tests/servers/$name" || status=1
        if [ -f "$xml-system.xml" ]; then count "$xml-system.xml"; else failed=$((failed + 1)); fi
    fi
    servers_end "$@" >"$logs/servers_end.log" 2>&1 || status=1
    trap - EXIT
    if ((status)); then
        tail -n 40 "$log" >&2
        say "  all of it: $log; the servers wrote $(printf "$logs/%s.log " "$@")" >&2
    fi
    return "$status"
}
stage_postgres() { against postgres postgres redis; }
# Its tests start a PostgreSQL and a Redis of their own.
stage_kafka() { tools/fetch/librdkafka.sh && need postgres redis && against kafka kafka; }

finish() {
    say "$(span $SECONDS) in all; logs in $logs"
    say "$passed passed, $failed failed"
    exit "$1"
}

need build
for stage in "${stages[@]}"; do
    case $stage in
        fuzz | lint | system) need "$stage" ;;
    esac
    started=$SECONDS
    say "$stage (budget ${budget[$stage]} min)"
    if ! "stage_$stage"; then
        ((failed)) || failed=1  # a build that fails has no test to count
        say "$stage failed after $(span $((SECONDS - started)))"
        finish 1
    fi
    took=$((SECONDS - started))
    over=""
    ((took > budget[$stage] * 60)) && over=", over its budget"
    say "  $stage took $(span $took)$over"
done
finish 0
