"""Transactions that arrive on the topic of the transaction log."""

import json

import pytest
import topics
from client import unique
from program import run


@pytest.fixture
def topic():
    return unique("transaction_events")


@pytest.fixture
def log(nostro, topic, tmp_path):
    folder = topics.profile_file(tmp_path / "profiles", "logging", topic=topic, group=f"workers-{topic}")

    def start(**env):
        program = nostro("--profile", "logging", env=env or {"KAFKA_BROKER": topics.SERVERS},
                         sets={"profiles.folder": folder})  # fmt: skip
        assert program.url, program.stderr
        return program

    return start


def message(sender, amount=9839.64, receiver="M1979787155"):
    return json.dumps({"sender": sender, "receiver": receiver, "amount": amount, "currency": "USD"})


def reports(program):
    answer = program.client().get("/reports")
    assert answer.status == 200, answer
    return answer.json


@pytest.mark.rows("LOG-10", "LOG-11", "LOG-13", "LOG-14", "LOG-17", "LOG-W10")
def test_messages_become_completed_rows_whether_the_worker_runs_or_not(log, topic):
    program = log()
    assert list(topics.partitions(topic)) == [0], "made with one partition, as the original's"
    topics.put(topic, [message("C1231006815")])
    topics.until(lambda: reports(program), [
        {"id": 1, "sender": "C1231006815", "receiver": "M1979787155", "amount": 9839.64, "status": "Completed"}])  # fmt: skip
    program.stop()
    topics.put(topic, [message(f"C{number}") for number in range(100)])
    program = log()
    topics.until(lambda: len(reports(program)), 101)
    assert {each["status"] for each in reports(program)} == {"Completed"}
    topics.until(lambda: topics.committed(f"workers-{topic}", topic), 101)
    program.stop()


@pytest.mark.rows("LOG-W04", "LOG-W06", "G-02", "G-05")
def test_a_kill_gives_no_row_twice_though_messages_have_no_id(log, topic):
    topics.make(topic)
    topics.put(topic, [*(message(f"C{number % 500}", number + 1) for number in range(20_000)), "poison", message("-", -1)])
    program = log()
    topics.until(lambda: len(program.client().get("/reports", limit=1).json), 1)
    program.kill()
    program = log()
    topics.until(lambda: topics.committed(f"workers-{topic}", topic), 20_002)
    program.client().readable()
    assert [each["amount"] for each in reports(program)] == [number + 1 for number in range(20_000)]
    reasons = [topics.headers(each)["nostro-reason"] for each in topics.get(f"{topic}.dead-letters", 2)]
    assert reasons[1] == "amount: is not above zero"
    program.stop()


@pytest.mark.rows("LOG-21")
def test_generated_rows_go_through_the_topic(log, topic):
    told = run("generate", "paysim", "--to", "kafka", "--topic", topic, "-n", "3000", env={
        "KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS})  # fmt: skip
    assert told.returncode == 0, told.stderr
    program = log()
    topics.until(lambda: topics.committed(f"workers-{topic}", topic), 3000)
    program.client().readable()
    assert len(reports(program)) == 3000
    program.stop()
