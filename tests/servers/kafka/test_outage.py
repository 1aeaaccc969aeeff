"""Brokers of the tests' own: one that goes away and comes back, one that asks who we are."""

import json
import os
import signal
import subprocess
from pathlib import Path

import confluent_kafka
import pytest
import topics
from client import unique
from program import PATIENCE_S, ROOT


class Broker:
    """One of the test's own, which it may kill."""

    def __init__(self, folder):
        self.folder = folder
        self.servers = None

    def script(self, command, *more):
        ran = subprocess.run([ROOT / "tools/servers/kafka.sh", command, "--dir", self.folder, *more],
                             capture_output=True, text=True, timeout=PATIENCE_S)  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def start(self, *more):
        self.servers = self.script("start", *more).splitlines()[-1].removeprefix("KAFKA_BOOTSTRAP_SERVERS=")

    def kill(self):
        pid = int(Path(self.folder, "1", "pid").read_text())
        os.kill(pid, signal.SIGKILL)
        subprocess.run(["tail", f"--pid={pid}", "-f", "/dev/null"], timeout=PATIENCE_S, check=True)


@pytest.fixture
def broker(tmp_path):
    own = Broker(tmp_path / "broker")
    own.start()
    try:
        yield own
    finally:
        own.script("stop")


def put(servers, topic, *messages):
    producer = confluent_kafka.Producer({"bootstrap.servers": servers, "acks": "all"})
    for each in messages:
        producer.produce(topic, json.dumps(each))
    assert producer.flush(PATIENCE_S) == 0


def message():
    return {"tx_id": unique("tx"), "payer_id": "user_1", "payee_id": "user_2", "amount": 1}


@pytest.mark.rows("B2B-43")
def test_payments_go_on_without_the_broker_and_the_topic_goes_on_when_it_is_back(nostro, broker):
    program = nostro("--profile", "upi", env={"KAFKA_BOOTSTRAP_SERVERS": broker.servers, "KAFKA_TOPIC": "upi"})
    client = program.client()

    def part():
        return next(each for each in client.get("/readiness").json["parts"] if each["name"] == "topic upi")

    def settled():
        return client.get("/v1/accounts/user:user_1/balance", tenant="upi").json["posted"]

    put(broker.servers, "upi", message(), message())
    topics.until(settled, "999998.00")
    broker.kill()
    topics.until(lambda: part()["ready"], False)
    assert "no broker" in part()["reason"] or "topic upi" in part()["reason"]
    assert client.get("/readiness").json["ready"], "payments over HTTP need no broker"
    sent = client.request("POST", "/v1/profiles/upi/messages", json.dumps(message()))
    assert sent.status == 202, sent
    topics.until(settled, "999997.00")
    broker.start()
    put(broker.servers, "upi", message(), "poison")
    topics.until(settled, "999996.00")
    topics.until(lambda: part()["ready"], True)
    broker.kill()
    program.stop()


@pytest.fixture
def secure_broker(tmp_path):
    own = Broker(tmp_path / "secure")
    own.start("--security")
    try:
        yield own
    finally:
        own.script("stop")


def test_a_password_or_an_authority_that_is_wrong_ends_the_start_at_once(nostro, secure_broker, tmp_path):
    told = (secure_broker.folder / "security.env").read_text()
    said = dict(line.split("=", 1) for line in told.splitlines())
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong\n")
    right = {
        "kafka.bootstrap_servers": said["KAFKA_TLS_SERVERS"], "kafka.tls": "true", "kafka.ca_file": said["KAFKA_CA_FILE"],
        "kafka.mechanism": "SCRAM-SHA-256", "kafka.user": said["KAFKA_USER"],
        "kafka.password_file": said["KAFKA_PASSWORD_FILE"],
    }  # fmt: skip
    for change, told in (
        ({"kafka.password_file": wrong}, "does not let us in"),
        ({"kafka.ca_file": ""}, "certificate verify failed"),
        ({"kafka.password_file": tmp_path / "none"}, "kafka.password_file: "),
        ({"kafka.user": ""}, "kafka.user: "),
    ):
        program = nostro("--profile", "upi", sets={**right, **change})
        assert program.code == 2, program.stderr
        assert told in program.stderr
    program = nostro("--profile", "upi", sets=right)
    assert program.url, program.stderr
    program.stop()
