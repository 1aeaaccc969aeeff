#!/usr/bin/env bash
# Apache Kafka on loopback: one broker, or several that replicate.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${NOSTRO_HOME:-$HOME/.cache/nostro}

usage() {
    cat <<'TEXT'
usage: kafka.sh start [--brokers N] [--dir DIR] [--security] [--classic]
       kafka.sh stop [--dir DIR]
       kafka.sh tool [--dir DIR] CLASS ARGS...

start fetches the broker once (Maven, checksums pinned), starts N brokers (default 1) on free ports of 127.0.0.1 and
ends when they take connections, after 3 to 20 seconds. Whatever runs already is left as it is; a broker that was killed
starts again on its own port, with its data. --security adds listeners that ask for a password (SASL), one of them under
TLS; their addresses, user and password stand in DIR/security.env, and rights count: of a topic that has some, who asks
by password has no others. --classic knows the older group protocol alone. The last line is
KAFKA_BOOTSTRAP_SERVERS=host:port[,host:port].
stop ends them in order and keeps the data. DIR/N/pid names the process of broker N, DIR/N/server.log is its log.
tool runs one of Kafka's own administration classes, such as org.apache.kafka.tools.TopicCommand, on these brokers.
DIR: by default $NOSTRO_HOME/run/kafka. NOSTRO_KAFKA_HEAP changes a broker's memory (-Xms64m -Xmx256m).
TEXT
}

fail() {
    printf 'kafka: %s\n' "$*" >&2
    exit 1
}

# Any id will do, but all brokers of one cluster are formatted with the same.
cluster=5L6g3nShT-eMCtK--X86sw
libs=$home/servers/kafka-$(sed -n 's/.*<kafka.version>\(.*\)<.*/\1/p' "$here/kafka/pom.xml")
dir=$home/run/kafka
brokers=
security=0
classic=0

fetch() {
    local pinned=$here/kafka/libs.sha256 stamp log
    stamp=$(sha256sum "$pinned" | cut -d ' ' -f 1)
    [ "$(cat "$libs/whole" 2>/dev/null)" = "$stamp" ] && return
    command -v java >/dev/null || fail "java is not installed: apt-get install default-jdk-headless"
    if ! (cd "$libs" 2>/dev/null && sha256sum --check --quiet --status "$pinned"); then
        command -v mvn >/dev/null || fail "maven is not installed: apt-get install maven"
        echo "kafka: fetching the broker (54 MB, once)" >&2
        rm -rf "$libs" && mkdir -p "$libs"
        log=$libs/maven.log
        mvn -B -q -f "$here/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
            -DoutputDirectory="$libs" >"$log" 2>&1 </dev/null || { tail -n 10 "$log" >&2 && fail "the broker could not be fetched; all of it: $log"; }
        (cd "$libs" && sha256sum --check --quiet "$pinned") >&2 || fail "what was fetched is not what is pinned in $pinned"
    fi
    echo "$stamp" >"$libs/whole"
}

runs() { kill -0 "$(cat "$dir/$1/pid" 2>/dev/null || echo x)" 2>/dev/null; }
port_of() { sed -n "s/^$2=//p" "$dir/$1/ports"; }

# Four ports of each broker's own, taken once, so that one that starts again is found where it was; of all brokers at
# the same time, so that no two get the same.
take_ports() {
    local n new=() ports=()
    for ((n = 1; n <= brokers; n++)); do
        mkdir -p "$dir/$n"
        [ -s "$dir/$n/ports" ] || new+=("$n")
    done
    ((${#new[@]})) || return 0
    mapfile -t ports < <(free_ports $((4 * ${#new[@]})))
    for ((n = 0; n < ${#new[@]}; n++)); do
        printf 'client=%s\ncontroller=%s\nsasl=%s\ntls=%s\n' "${ports[@]:4 * n:4}" >"$dir/${new[n]}/ports"
    done
}
free_ports() {
    python3 - "$1" <<'PYTHON'
import socket
import sys
taken = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in taken:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in taken), sep="\n")
PYTHON
}

# broker_config NODE: the defaults of Kafka but for what a cluster of this size needs, and for quicker take-overs.
broker_config() {
    local n=$1 voters="" i replicas=$((brokers < 3 ? brokers : 3)) in_sync=$((brokers < 3 ? 1 : 2))
    local listeners protocols=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
    for ((i = 1; i <= brokers; i++)); do voters+=${voters:+,}$i@127.0.0.1:$(port_of "$i" controller); done
    listeners=PLAINTEXT://127.0.0.1:$(port_of "$n" client)
    if ((security)); then
        listeners+=,SASL://127.0.0.1:$(port_of "$n" sasl),SASLTLS://127.0.0.1:$(port_of "$n" tls)
        protocols+=,SASL:SASL_PLAINTEXT,SASLTLS:SASL_SSL
        security_config
    fi
    if ((classic)); then echo "group.coordinator.rebalance.protocols=classic"; fi
    cat <<CONFIG
process.roles=broker,controller
node.id=$n
controller.quorum.voters=$voters
listeners=$listeners,CONTROLLER://127.0.0.1:$(port_of "$n" controller)
advertised.listeners=$listeners
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=$protocols
log.dirs=$dir/$n/data
auto.create.topics.enable=false
default.replication.factor=$replicas
min.insync.replicas=$in_sync
unclean.leader.election.enable=false
offsets.topic.replication.factor=$replicas
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$in_sync
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$in_sync
share.coordinator.state.topic.num.partitions=4
log.segment.bytes=134217728
log.cleaner.dedupe.buffer.size=8388608
message.max.bytes=8388608
replica.fetch.max.bytes=8388608
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.consumer.session.timeout.ms=3000
group.consumer.min.session.timeout.ms=3000
group.consumer.heartbeat.interval.ms=1000
group.consumer.min.heartbeat.interval.ms=1000
CONFIG
}

security_config() {
    local listener password
    password=$(cat "$dir/security/password")
    echo "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256"
    for listener in sasl sasltls; do
        cat <<CONFIG
listener.name.$listener.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_nostro="$password";
listener.name.$listener.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
CONFIG
    done
    echo "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    echo "allow.everyone.if.no.acl.found=true"
    echo "super.users=User:ANONYMOUS" # of the plain listeners
    echo "listener.name.sasltls.ssl.keystore.type=PEM"
    echo "listener.name.sasltls.ssl.keystore.location=$dir/security/server.pem"
}

# An authority of its own, a certificate for 127.0.0.1, and a password nobody else has.
make_security() {
    local folder=$dir/security
    [ -s "$folder/server.pem" ] && return
    (
        umask 077
        rm -rf "$folder" && mkdir -p "$folder" && cd "$folder"
        openssl rand -hex 16 >password
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 3650 -subj /CN=nostro-test-authority
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt -days 3650 \
            -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1")
        cat server.key server.crt ca.pem >server.pem
    ) >"$dir/openssl.log" 2>&1 || { cat "$dir/openssl.log" >&2 && fail "openssl could not make the certificates"; }
}

run_java() { java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$@"; }

start_one() {
    local n=$1 scram=() heap
    broker_config "$n" >"$dir/$n/server.properties"
    if [ ! -e "$dir/$n/data/meta.properties" ]; then
        ((security)) && scram=(--add-scram "SCRAM-SHA-256=[name=nostro,password=$(cat "$dir/security/password")]")
        run_java -Xmx128m -cp "$libs/*" kafka.tools.StorageTool format -t "$cluster" -c "$dir/$n/server.properties" \
            "${scram[@]}" >"$dir/$n/format.log" 2>&1 || { cat "$dir/$n/format.log" >&2 && fail "broker $n could not be formatted"; }
    fi
    read -r -a heap <<<"${NOSTRO_KAFKA_HEAP:--Xms64m -Xmx256m}"
    # A session of its own: an interrupt of the terminal ends whoever uses the broker, not the broker.
    setsid java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "${heap[@]}" \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
        -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
        -cp "$libs/*" kafka.Kafka "$dir/$n/server.properties" >>"$dir/$n/server.log" 2>&1 </dev/null &
    echo $! >"$dir/$n/pid"
}

# The port of clients is the last thing that a broker opens, behind the recovery of its log.
wait_ready() {
    local n=$1 port deadline=$((SECONDS + 120))
    port=$(port_of "$n" client)
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        runs "$n" || { tail -n 10 "$dir/$n/server.log" >&2 && fail "broker $n ended; its log: $dir/$n/server.log"; }
        ((SECONDS < deadline)) || fail "broker $n is not ready after two minutes; its log: $dir/$n/server.log"
        sleep 0.1
    done
}

start() {
    local n bootstrap="" sasl="" tls=""
    mkdir -p "$dir"
    fetch
    # What was begun goes on as it was: the number of brokers and their listeners are part of their data.
    [ -s "$dir/cluster" ] || echo "${brokers:-1} $security $classic" >"$dir/cluster"
    local wanted=$brokers
    read -r brokers security classic <"$dir/cluster"
    [ -z "$wanted" ] || [ "$wanted" = "$brokers" ] || fail "$dir holds a cluster of $brokers; name another --dir"
    if ((security)); then make_security; fi
    take_ports
    for ((n = 1; n <= brokers; n++)); do runs "$n" || start_one "$n"; done
    for ((n = 1; n <= brokers; n++)); do
        wait_ready "$n"
        bootstrap+=${bootstrap:+,}127.0.0.1:$(port_of "$n" client)
        sasl+=${sasl:+,}127.0.0.1:$(port_of "$n" sasl)
        tls+=${tls:+,}127.0.0.1:$(port_of "$n" tls)
    done
    if ((security)); then
        (umask 077 && printf '%s\n' "KAFKA_SASL_SERVERS=$sasl" "KAFKA_TLS_SERVERS=$tls" "KAFKA_CA_FILE=$dir/security/ca.pem" \
            KAFKA_USER=nostro "KAFKA_PASSWORD_FILE=$dir/security/password" >"$dir/security.env")
        echo "user and password: $dir/security.env"
    fi
    echo "$bootstrap" >"$dir/bootstrap"
    echo "KAFKA_BOOTSTRAP_SERVERS=$bootstrap"
}

stop() {
    local file pid pids=() deadline=$((SECONDS + 30))
    for file in "$dir"/*/pid; do
        [ -s "$file" ] || continue
        pid=$(cat "$file")
        # A stopped process takes no signal but these.
        if kill "$pid" 2>/dev/null; then kill -CONT "$pid" && pids+=("$pid"); fi
    done
    for pid in "${pids[@]}"; do
        while kill -0 "$pid" 2>/dev/null; do
            ((SECONDS < deadline)) || kill -9 "$pid" 2>/dev/null || true
            sleep 0.1
        done
    done
    rm -f "$dir"/*/pid
}

command=${1:-}
shift || true
while (($#)); do
    case $1 in
        --brokers) [[ ${2:-} =~ ^[1-9]$ ]] || fail "--brokers needs a number from 1 to 9"; brokers=$2 && shift ;;
        --dir) [ -n "${2:-}" ] || fail "--dir needs a folder"; dir=$(realpath -m "$2") && shift ;;
        --security) security=1 ;;
        --classic) classic=1 ;;
        -h | --help) usage && exit ;;
        -*) usage >&2 && exit 2 ;;
        *) break ;;
    esac
    shift
done
case $command in
    start) start ;;
    stop) stop ;;
    tool) run_java -Xmx256m -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$libs/*" "$1" --bootstrap-server "$(cat "$dir/bootstrap")" "${@:2}" ;;
    -h | --help) usage ;;
    *) usage >&2 && exit 2 ;;
esac
