"""Business payments that arrive on a topic, and the tools of the cluster beside them."""

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import topics
from client import unique
from program import PATIENCE_S, run


@pytest.fixture
def topic():
    return unique("payment-transactions")


@pytest.fixture
def b2b(nostro, topic, tmp_path):
    folder = topics.profile_file(tmp_path / "profiles", "b2b", topic=topic, group=f"processors-{topic}")

    def start():
        program = nostro("--profile", "b2b", env={"KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS},
                         sets={"profiles.folder": folder})  # fmt: skip
        assert program.url, program.stderr
        return program

    return start


def fill(topic, count, *more):
    told = run("generate", "b2b", "--to", "kafka", "--topic", topic, "-n", count, "--customers", "20", *more, env={
        "KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS})  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert f"delivered {count} to topic {topic}" in told.stdout
    return topics.get(topic, count)


def payments(program):
    answer = program.client().post("/payments/time-range", {"start_date": "2020-01-01", "end_date": "2035-01-01"})
    assert answer.status == 200, answer
    return answer.json


@pytest.mark.rows("B2B-20", "B2B-25", "G-05")
def test_documents_of_the_topic_can_be_queried_and_what_is_none_is_a_dead_letter(b2b, topic):
    messages = fill(topic, 300)
    sizes = [len(each.value()) for each in messages]
    assert 1_500 < sum(sizes) / len(sizes) < 3_000
    topics.put(topic, [json.dumps({"payment_type": "ACH"})])
    program = b2b()
    topics.until(lambda: len(payments(program)), 300)
    assert {each["payment_id"] for each in payments(program)} == {
        json.loads(each.value())["payment_id"] for each in messages}  # fmt: skip
    letter = topics.get(f"{topic}.dead-letters", 1)[0]
    assert topics.headers(letter)["nostro-reason"].startswith("payment_id: ")
    program.stop()


@pytest.mark.rows("B2B-21")
@pytest.mark.parametrize(("strategy", "path"), [
    ("none", None), ("originator_id", ("originator", "party_id")), ("payment_id", ("payment_id",)),
    ("payment_type", ("payment_type",)),
])  # fmt: skip
def test_the_key_is_a_switch_and_one_key_is_in_one_partition(topic, strategy, path):
    topics.make(topic, 6)
    partitions = defaultdict(set)
    for each in fill(topic, 200, "--key", strategy):
        value = json.loads(each.value())
        for name in path or ():
            value = value[name]
        assert each.key() == (value.encode() if path else None)
        partitions[each.key()].add(each.partition())
    if path:
        assert all(len(each) == 1 for each in partitions.values())


@pytest.mark.rows("B2B-22", "B2B-23")
def test_a_file_is_published_and_what_lacks_a_member_is_named_and_left_out(b2b, topic, tmp_path):
    file = tmp_path / "transactions.json"
    told = run("generate", "b2b", "--to", file)
    assert told.returncode == 0, told.stderr
    documents = json.loads(file.read_text())["transactions"]
    for number, path in ((3, ("amount", "value")), (5, ("originator", "party_id")), (8, ("payment_type",))):
        place = documents[number]
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]
    file.write_text(json.dumps({"transactions": documents}))
    told = run("feed", "b2b", file, "--to", "kafka", "--topic", topic, "--key", "payment_id", env={
        "KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS})  # fmt: skip
    assert told.returncode == 1, told.stderr
    assert f"87 messages to topic {topic}" in told.stdout
    for fault in ("message 4: amount.value: is missing", "message 6: originator.party_id: is missing",
                  "message 9: payment_type: is missing"):  # fmt: skip
        assert fault in told.stdout
    sent = topics.get(topic, 87)
    assert topics.count(topic) == 87
    assert all(each.key().decode() == json.loads(each.value())["payment_id"] for each in sent)
    program = b2b()
    topics.until(lambda: len(payments(program)), 87)
    program.stop()
    gone = run("feed", "b2b", tmp_path / "none.json", "--to", "kafka", "--topic", topic)
    assert gone.returncode == 1 and "none.json" in gone.stderr


def tool(name, *arguments):
    """One of the cluster's own command line tools."""
    home = Path(os.environ.get("NOSTRO_HOME", Path.home() / ".cache/nostro"))
    (libs,) = home.glob("servers/kafka-*")
    ran = subprocess.run(
        ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
         f"{libs}/*", f"org.apache.kafka.tools.{name}", "--bootstrap-server", topics.SERVERS, *arguments],
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


@pytest.mark.rows("B2B-41")
def test_the_tools_of_the_cluster_read_what_the_generator_wrote(topic):
    sent = [each.value().decode() for each in fill(topic, 30)]
    assert tool("consumer.ConsoleConsumer", "--topic", topic, "--from-beginning", "--max-messages", "30") == sent
    assert tool("consumer.ConsoleConsumer", "--topic", topic, "--timeout-ms", "2000") == [], "from now on"
    described = " ".join(tool("TopicCommand", "--describe", "--topic", topic)).split()
    assert "PartitionCount:" in described and described[described.index("PartitionCount:") + 1] == "1"
    assert tool("GetOffsetShell", "--topic", topic) == [f"{topic}:0:30"]
