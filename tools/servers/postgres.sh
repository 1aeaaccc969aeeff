#!/usr/bin/env bash
# A private PostgreSQL on a free port of 127.0.0.1.
set -euo pipefail
export NOSTRO_HOME=${NOSTRO_HOME:-$HOME/.cache/nostro}

usage() {
    cat <<'TEXT'
usage: ./dev servers postgres start|stop [--dir DIR] [--immediate]

start  makes a database server in DIR where there is none, and starts it. Its last line is the address for its
       administrator: NOSTRO_POSTGRES_URL=postgresql://... A server that runs already is left as it is.
stop   ends it in good order; with --immediate as a crash would. Its data and its port stay, for the next start.
--dir  default: $NOSTRO_HOME/run/postgres, or nostro/ in the home of the user postgres where root may not be followed
TEXT
}

die() {
    printf 'postgres.sh: %s\n' "$*" >&2
    exit 1
}

command=${1:-}
case $command in
    start | stop) shift ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
esac
dir=""
how=fast
while (($#)); do
    case $1 in
        --dir)
            dir=${2:-}
            [ -n "$dir" ] || die "--dir needs a folder"
            ;;
        --immediate) how=immediate && shift && continue ;;
        -h | --help) usage && exit ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift 2
done

programs=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$programs" ] || programs=$(dirname "$(command -v pg_ctl || echo ./pg_ctl)")
[ -x "$programs/pg_ctl" ] || die "there is no PostgreSQL server here; tools/packages.txt names its package"

# PostgreSQL does not run as root: root lends it the user that its package has made.
as_server() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; else "$@"; fi
}

reachable() { as_server test -x "$1" 2>/dev/null; }
if [ -z "$dir" ]; then
    dir=$NOSTRO_HOME/run/postgres
    mkdir -p "$(dirname "$dir")"
    reachable "$(dirname "$dir")" || dir=$(getent passwd postgres | cut -d : -f 6)/nostro
fi
data=$dir/data

control() { as_server "$programs/pg_ctl" -D "$data" "$@" </dev/null; }
running() { [ -f "$data/PG_VERSION" ] && control status >/dev/null 2>&1; }

if [ "$command" = stop ]; then
    ! running || control stop -w -t 60 -m "$how" >/dev/null || die "it did not stop; see $dir/log"
    exit
fi

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

make_server() {
    mkdir -p "$dir"
    if [ "$(id -u)" = 0 ]; then chown postgres: "$dir"; fi
    reachable "$dir" || die "$dir: the user postgres cannot enter it; name another folder with --dir"
    cd "$dir"
    python3 -c 'import secrets; print(secrets.token_hex(16))' >password
    free_port >port
    chmod 600 password
    if [ "$(id -u)" = 0 ]; then chown postgres: password port; fi
    rm -rf "$data.new"
    as_server "$programs/initdb" -D "$data.new" -U postgres --pwfile=password --auth=scram-sha-256 --encoding=UTF8 \
        --locale=C --data-checksums --no-sync >/dev/null </dev/null
    as_server tee -a "$data.new/postgresql.conf" >/dev/null <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = logical
max_replication_slots = 4
max_wal_senders = 4
shared_buffers = 256MB
max_wal_size = 2GB
CONF
    as_server mv "$data.new" "$data"
}

[ -f "$data/PG_VERSION" ] || make_server
cd "$dir"
tries=0
until running || control start -w -t 60 -l "$dir/log" -o "-p $(cat port)" >/dev/null; do
    # Somebody else may have the port by now.
    tries=$((tries + 1))
    if ((tries == 5)) || ! tail -n 20 "$dir/log" | grep -q 'Address already in use'; then
        tail -n 15 "$dir/log" >&2
        die "it did not start; all of it: $dir/log"
    fi
    free_port >port
done
echo "NOSTRO_POSTGRES_URL=postgresql://postgres:$(cat password)@127.0.0.1:$(cat port)/postgres"
