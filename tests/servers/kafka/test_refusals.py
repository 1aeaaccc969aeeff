"""A cluster that refuses: it knows the older group protocol alone, it gives no rights, its disk takes nothing more."""

import resource
import time
from pathlib import Path

import pytest
import topics
from client import unique
from cluster import Cluster
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from killing import killed_under_load
from program import PATIENCE_S
from test_journal import pulled
from test_kill import GONE, check
from test_outage import message, put

READS = (AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS, AclOperation.READ)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    own = Cluster(tmp_path_factory.mktemp("refuses") / "kafka", "--security", "--classic")
    yield own
    own.stop()


class Rights:
    """Of whoever asks by password; where a topic has none, all is allowed."""

    def __init__(self, cluster):
        self.admin = AdminClient({"bootstrap.servers": cluster.servers})

    def give(self, topic, *operations):
        bindings = [AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:nostro", "*", operation, AclPermissionType.ALLOW)
                    for operation in operations]  # fmt: skip
        for done in self.admin.create_acls(bindings).values():
            done.result(PATIENCE_S)
        topics.until(lambda: len(self._of(topic)) >= len(operations), True)

    def forget(self, topic):
        for done in self.admin.delete_acls([self._all_of(topic)]).values():
            done.result(PATIENCE_S)
        topics.until(lambda: len(self._of(topic)), 0)

    def _all_of(self, topic):
        return AclBindingFilter(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, None, None, AclOperation.ANY, AclPermissionType.ANY)

    def _of(self, topic):
        """As the broker knows them, which hears of a change behind whoever keeps it."""
        return self.admin.describe_acls(self._all_of(topic)).result(PATIENCE_S)


@pytest.fixture
def journal(cluster):
    them = cluster.security()
    return {
        "journal.kind": "kafka", "journal.kafka_topic": unique("journal"), "journal.kafka_single_broker": "true",
        "kafka.mechanism": "PLAIN", "kafka.user": them["KAFKA_USER"], "kafka.password_file": them["KAFKA_PASSWORD_FILE"],
    }  # fmt: skip


@pytest.fixture
def serve(nostro, cluster, journal):
    env = {"KAFKA_BOOTSTRAP_SERVERS": cluster.security()["KAFKA_SASL_SERVERS"]}
    return lambda *words, sets=None, **rest: nostro(*words, sets={**journal, **(sets or {})}, env=env, **rest)


def ended(program, code, *words):
    assert program.process.wait(PATIENCE_S) == code, program.stderr
    for word in words:
        assert word in program.stderr, program.stderr


def test_where_groups_are_of_the_older_kind_a_standby_takes_over_as_well(serve, tmp_path):
    sets = {"standby.enabled": "true", "standby.session_timeout": "6s"}
    first = serve(data=tmp_path / "first", sets=sets)
    role = lambda program: program.client().get("/readiness").json["role"]  # noqa: E731
    topics.until(lambda: role(first), "owner")
    debtor, creditor = first.client().pair("100.00")
    first.client().paid(debtor, creditor, "1.00")
    second = serve(data=tmp_path / "second", sets=sets)
    topics.until(lambda: "protocol=classic" in second.stderr, True)
    assert role(second) == "standby"
    first.kill()
    topics.until(lambda: role(second), "owner")
    second.client().paid(debtor, creditor, "2.00")
    assert second.client().posted(creditor) == "3.00"


def test_who_loses_the_right_to_write_the_journal_ends_and_nothing_is_lost(cluster, serve, journal, tmp_path):
    rights, topic = Rights(cluster), journal["journal.kafka_topic"]
    program = serve()
    accounts = [program.client().open("50000.00") for _ in range(8)]
    load = killed_under_load(program, accounts, 200, lambda: rights.give(topic, *READS))
    ended(program, 3, topic, "authorization failed")
    again = serve(data=program.data)
    assert again.code == 2 and topic in again.stderr and "authorization failed" in again.stderr, again.stderr
    rights.forget(topic)
    program = serve(data=program.data)
    check(program.client(), load, accounts)
    program.stop()
    pulled(tmp_path / "pulled", {**journal, "kafka.mechanism": "none"}, cluster.servers)


def test_who_may_not_read_a_topic_says_so_and_reads_it_when_allowed(cluster, serve, nostro):
    rights, topic = Rights(cluster), unique("upi")
    env = {"KAFKA_BOOTSTRAP_SERVERS": cluster.security()["KAFKA_SASL_SERVERS"], "KAFKA_TOPIC": topic}
    them = cluster.security()
    sets = {"kafka.mechanism": "PLAIN", "kafka.user": them["KAFKA_USER"], "kafka.password_file": them["KAFKA_PASSWORD_FILE"]}
    program = nostro("--profile", "upi", env=env, sets=sets)
    settled = lambda program: program.client().get("/v1/accounts/user:user_1/balance", tenant="upi").json.get("posted")  # noqa: E731
    put(cluster.servers, topic, message())
    topics.until(lambda: settled(program), "999999.00")
    rights.give(topic, AclOperation.DESCRIBE, AclOperation.WRITE)
    put(cluster.servers, topic, message())
    ended(program, 3, topic, "authorization failed")
    rights.forget(topic)
    rights.give(topic, AclOperation.WRITE)
    rights.forget(topic)
    program = nostro("--profile", "upi", env=env, sets=sets, data=program.data)
    topics.until(lambda: settled(program), "999998.00")


def test_a_broker_whose_disk_takes_nothing_more_stops_payments_and_loses_none(cluster, serve, journal, tmp_path):
    program = serve(sets={"journal.in_flight": "1"})
    api = program.client()
    debtor, creditor = api.pair("1000.00")
    told = [api.paid(debtor, creditor, "1.00") for _ in range(5)]
    log = next(Path(cluster.folder, "1", "data").glob(f"{journal['journal.kafka_topic']}-0/*.log"))
    resource.prlimit(cluster.pid(1), resource.RLIMIT_FSIZE, (log.stat().st_size, resource.RLIM_INFINITY))
    keys, deadline = [], time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline, "the broker takes everything"
        keys.append(unique())
        try:
            answer = program.client(timeout=8).pay(debtor, creditor, "1.00", key=keys[-1])
        except GONE:
            continue  # in the frame that waits for the broker
        if answer.status == 202:
            told.append(answer.json["payment_id"])
            keys.pop()
            continue
        assert answer.status == 503 and answer.json["code"] == "journal_unavailable" and answer.headers["Retry-After"], answer
        break
    assert not program.client().get("/readiness").json["ready"]
    try:
        cluster.kill(1)
    except ProcessLookupError:
        pass  # it has ended by itself
    cluster.start()
    deadline = time.monotonic() + PATIENCE_S
    for key in keys:
        while (answer := program.client().pay(debtor, creditor, "1.00", key=key)).status == 503:
            assert time.monotonic() < deadline, answer
        assert answer.status == 202, answer
        told.append(answer.json["payment_id"])
    assert len(set(told)) == len(told) and api.posted(creditor) == f"{len(told)}.00"
    program.stop()
    pulled(tmp_path / "pulled", {**journal, "kafka.mechanism": "none"}, cluster.servers)
