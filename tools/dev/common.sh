# What the commands of ./dev share. Sourced, never run.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export NOSTRO_HOME=${NOSTRO_HOME:-$HOME/.cache/nostro}
jobs=${NOSTRO_JOBS:-$(nproc)}
logs=$root/build/logs
cd "$root"
mkdir -p "$logs" "$NOSTRO_HOME"

say() { printf '%s\n' "$*"; }
die() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}

# span SECONDS: "41 s", "3 min 5 s"
span() {
    if (($1 < 60)); then echo "$1 s"; else echo "$(($1 / 60)) min $(($1 % 60)) s"; fi
}

# logged LOG COMMAND...: output goes to the log; a terminal sees its last line while it runs.
logged() {
    local log=$1 pid line
    shift
    if [ ! -t 1 ]; then
        "$@" >"$log" 2>&1 </dev/null
        return
    fi
    # A process group of its own, so that an interrupt can end all of it: what a script starts in the
    # background ignores the terminal's.
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    trap 'kill -- -$pid 2>/dev/null; printf "\n"; exit 130' INT TERM
    while kill -0 "$pid" 2>/dev/null; do
        line=$(tail -c 2000 "$log" | tr -d '\000' | tr '\r' '\n' | tail -n 1)
        printf '\r\033[K%s' "${line:0:$((${COLUMNS:-$(tput cols 2>/dev/null || echo 80)} - 1))}"
        sleep 0.3
    done
    printf '\r\033[K'
    trap - INT TERM
    wait "$pid"
}

# missing_packages GROUP...: the packages of tools/packages.txt that this machine lacks, one a line.
missing_packages() {
    local group="" name condition program want=" $* "
    while read -r name condition program; do
        case $name in
            "" | \#*) continue ;;
            \[*\]) group=${name:1:-1} && continue ;;
        esac
        [[ $want == *" $group "* ]] || continue
        if [ "$condition" = unless ] && command -v "$program" >/dev/null; then continue; fi
        # shellcheck disable=SC2016  # dpkg-query's own variable
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done <tools/packages.txt | sort -u
}

# need GROUP...: installs what is missing, and touches neither apt nor the network when nothing is.
need() {
    local missing as_root=() log=$logs/packages.log
    [ "${NOSTRO_PACKAGES:-}" != skip ] || return 0
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        die "this machine has no apt. Install what tools/packages.txt lists with your own package manager, then run NOSTRO_PACKAGES=skip ./dev ..."
    fi
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "these packages are missing, and only root may install them: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    install_packages() {
        "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 -q update &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
                -q -y --no-install-recommends install "${missing[@]}"
    }
    if [ ${#as_root[@]} -gt 0 ]; then sudo -v; fi  # asks for the password while it can be seen
    logged "$log" install_packages || {
        tail -n 15 "$log" >&2
        die "the packages could not be installed; all of it: $log"
    }
}

# configure PRESET: only where there is nothing yet or the presets changed; ninja sees all other changes.
configure() {
    local folder=build/$1 stamp
    stamp="$(sha256sum CMakePresets.json | cut -d ' ' -f 1) $root"
    # Without them the program still builds, and says what is missing where it would need it.
    tools/fetch/swagger_ui.sh || true
    tools/fetch/redoc.sh || true
    tools/fetch/hiredis.sh || true
    tools/fetch/librdkafka.sh || true
    if [ ! -f "$folder/build.ninja" ] || [ "$(cat "$folder/.configured" 2>/dev/null)" != "$stamp" ]; then
        rm -rf "$folder/CMakeCache.txt" "$folder/CMakeFiles"
        cmake --preset "$1" || return
        echo "$stamp" >"$folder/.configured"
    fi
}

# build PRESET [TARGET...]: configures and builds; the log is build/logs/build-PRESET.log.
build() {
    local preset=$1 log=$logs/build-$1.log targets=() started=$SECONDS
    shift
    (($#)) && targets=(--target "$@")
    build_steps() {
        configure "$preset" && cmake --build "build/$preset" -j "$jobs" "${targets[@]}"
    }
    if ! logged "$log" build_steps; then
        grep -E -m 12 'error|Error|FAILED' "$log" >&2 || tail -n 20 "$log" >&2
        say "build of $preset failed; all of it: $log" >&2
        return 1
    fi
    say "  built $preset in $(span $((SECONDS - started)))"
}
