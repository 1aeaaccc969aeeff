#!/usr/bin/env bash
# shellcheck source=tools/dev/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat <<'TEXT'
usage: ./dev demo [--exit]

Builds nostro, starts it on 127.0.0.1:8000 with a data folder of its own, replays a generated PaySim file of
1,000,000 rows through the HTTP API, sends single payments over 64 connections for 10 seconds, and proves the books.
Then it leaves nostro running; --exit ends it. A second demo stops the one before and begins with an empty folder.
NOSTRO_DEMO_ROWS and NOSTRO_DEMO_LISTEN change the number of rows and the address.
TEXT
}

leave=1
case ${1:-} in
    "") ;;
    --exit) leave=0 ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
esac

# The embedded default is shown, whatever servers this shell knows.
unset KAFKA_BOOTSTRAP_SERVERS KAFKA_BROKER NOSTRO_POSTGRES_URL NOSTRO_REDIS_URL REDIS_HOST REDIS_PORT

rows=${NOSTRO_DEMO_ROWS:-1000000}
listen=${NOSTRO_DEMO_LISTEN:-127.0.0.1:8000}
folder=$NOSTRO_HOME/demo
data=$folder/data
file=$folder/paysim-$rows.csv
server_log=$folder/server.log
pid_file=$folder/pid
nostro=$root/build/release/nostro
begun=$SECONDS

step() { printf '\n%s %s\n' "==>" "$*"; }

# The demo's own server, if it still runs: the process of that number, and with our data folder among its words.
demo_pid() {
    local pid
    pid=$(cat "$pid_file" 2>/dev/null) || return 1
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- "$data" || return 1
    echo "$pid"
}

stop_demo() {
    local pid
    pid=$(demo_pid) || return 0
    kill "$pid" 2>/dev/null || return 0
    # Ends when it has settled and written what it took.
    timeout 30 tail --pid="$pid" -f /dev/null || kill -9 "$pid" 2>/dev/null || true
    rm -f "$pid_file"
}

start_server() {
    local ready=$folder/ready
    rm -f "$ready"
    mkfifo "$ready"
    setsid "$nostro" serve --listen "$listen" --data "$data" >"$ready" 2>"$server_log" </dev/null &
    echo $! >"$pid_file"
    # The first line tells that it listens; the end of the pipe tells that it does not.
    local line=""
    exec 9<"$ready"
    read -r -t 120 line <&9 || true
    rm -f "$ready"
    url=${line##* }
    [[ $line == *"listens on http"* ]] && return
    tail -n 5 "$server_log" >&2
    die "nostro did not start; all it said: $server_log"
}

need build
if [ -x "$nostro" ]; then expected="about a minute"; else expected="up to ten minutes, most of it the first build"; fi
say "The demo takes $expected. It builds nostro, replays $rows generated PaySim rows through the HTTP API of a"
say "server on $listen, loads it for ten seconds more, and proves the books. Its data: $folder"

step "build"
build release nostro

mkdir -p "$folder"
if old=$(demo_pid); then
    step "stop the demo that runs since before (process $old)"
    stop_demo
fi
rm -rf "$data"

step "start nostro on $listen with an empty folder"
start_server
if ((!leave)); then trap stop_demo EXIT; fi
say "$url is ready"

step "generate $rows PaySim rows (the same every time)"
[ -f "$file" ] || { "$nostro" generate paysim --count "$rows" --to "$file.new" >/dev/null && mv "$file.new" "$file"; }
say "$(du -h "$file" | cut -f1) in $file"

step "replay them: batches of 1,000 over 8 connections; unknown names open inside the payment's decision"
"$nostro" replay "$file" --url "$url" --put-policy

step "open 10,000 accounts, then single payments over 64 connections for 10 s"
"$nostro" bench --url "$url" --load concurrent --seconds 10 --accounts 10000

step "prove the books from the journal alone: nostro verify"
"$nostro" verify --data "$data"

say
if ((leave)); then
    say "nostro runs at $url ($(span $((SECONDS - begun))) in all). Look at $url/ and $url/docs, or try:"
    say "  $nostro list --account house:cash:USD --url $url"
    say "Stop it with: kill $(cat "$pid_file")"
else
    stop_demo
    trap - EXIT
    say "nostro is stopped; the demo took $(span $((SECONDS - begun)))."
fi
