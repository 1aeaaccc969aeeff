#!/usr/bin/env bash
# A private Redis on a free port of 127.0.0.1.
set -euo pipefail
export NOSTRO_HOME=${NOSTRO_HOME:-$HOME/.cache/nostro}

usage() {
    cat <<'TEXT'
usage: ./dev servers redis start|stop [--dir DIR] [--tls]

start  starts a cache that keeps nothing on disk, and waits until it answers. Its last line is its address with its
       password: NOSTRO_REDIS_URL=redis://... A server that runs already is left as it is.
stop   ends it in good order. Its port and password stay, for the next start.
--dir  where its log, port, password and certificate stand; default: $NOSTRO_HOME/run/redis
--tls  it speaks TLS alone, with a certificate that DIR/tls/ca.crt has signed: NOSTRO_REDIS_URL=rediss://...
TEXT
}

die() {
    printf 'redis.sh: %s\n' "$*" >&2
    exit 1
}

command=${1:-}
case $command in
    start | stop) shift ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
esac
dir=$NOSTRO_HOME/run/redis
want_tls=0
while (($#)); do
    case $1 in
        --dir) dir=${2:-} && [ -n "$dir" ] || die "--dir needs a folder" && shift ;;
        --tls) want_tls=1 ;;
        -h | --help) usage && exit ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done
command -v redis-server >/dev/null || die "there is no Redis server here; tools/packages.txt names its package"

umask 077
mkdir -p "$dir"
cd "$dir"
dir=$PWD
# What it was started with last stands in the folder: stop and another start speak to it the same way.
((want_tls)) && mkdir -p tls
[ ! -d tls ] || [ "$command" = stop ] || want_tls=1

ask() {
    local tls=()
    [ ! -d tls ] || tls=(--tls --cacert tls/ca.crt)
    REDISCLI_AUTH=$(cat password) timeout 10 redis-cli -h 127.0.0.1 -p "$(cat port)" "${tls[@]}" "$@" 2>/dev/null
}
answers() { [ -f port ] && [ -f password ] && [ "$(ask ping)" = PONG ]; }
# Its process, which may be there without answering any more.
alive() { [ -f pid ] && grep -qaz '^redis-server' "/proc/$(cat pid)/cmdline" 2>/dev/null; }

if [ "$command" = stop ]; then
    alive || exit 0
    ask shutdown nosave >/dev/null || kill -KILL "$(cat pid)"
    for ((i = 0; i < 200; i++)); do
        alive || exit 0
        sleep 0.05
    done
    die "it did not stop; its process is $(cat pid)"
fi

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

make_certificate() {
    local of="$dir/tls"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=redis-test-ca \
        -keyout "$of/ca.key" -out "$of/ca.crt" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=127.0.0.1 \
        -keyout "$of/redis.key" -out "$of/redis.csr" 2>/dev/null
    openssl x509 -req -in "$of/redis.csr" -CA "$of/ca.crt" -CAkey "$of/ca.key" -CAcreateserial -days 3650 \
        -extfile <(echo 'subjectAltName = IP:127.0.0.1') -out "$of/redis.crt" 2>/dev/null
}

write_configuration() {
    cat <<CONF
bind 127.0.0.1
dir $dir
pidfile $dir/pid
logfile $dir/log
daemonize yes
save ""
appendonly no
requirepass $(cat password)
CONF
    if ((want_tls)); then
        cat <<CONF
port 0
tls-port $(cat port)
tls-cert-file $dir/tls/redis.crt
tls-key-file $dir/tls/redis.key
tls-ca-cert-file $dir/tls/ca.crt
tls-auth-clients no
CONF
    else
        echo "port $(cat port)"
    fi
}

[ -f password ] || python3 -c 'import secrets; print(secrets.token_hex(16))' >password
[ -f port ] || free_port >port
! ((want_tls)) || [ -f tls/redis.crt ] || make_certificate || die "no certificate could be made with openssl"
tries=0
until answers; do
    ! alive || die "a Redis of this folder runs, process $(cat pid), and does not answer; see $dir/log"
    # Somebody else may have the port by now.
    ((tries == 0)) || free_port >port
    ((tries++ < 5)) || {
        tail -n 15 log >&2
        die "it did not start; all of it: $dir/log"
    }
    write_configuration >redis.conf
    redis-server "$dir/redis.conf" >>log 2>&1 </dev/null || continue
    for ((i = 0; i < 100; i++)); do
        ! answers || break
        sleep 0.05
    done
done
scheme=redis
[ ! -d tls ] || scheme=rediss
echo "NOSTRO_REDIS_URL=$scheme://:$(cat password)@127.0.0.1:$(cat port)/0"
