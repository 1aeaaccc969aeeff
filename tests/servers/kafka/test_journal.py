"""The service on a journal in Kafka: what it was answered for is in the topic, whoever dies."""

import os
import random
import time

import pytest
from client import refused, unique
from cluster import Cluster
from killing import caught_up, killed_under_load
from program import PATIENCE_S, run, settings
from test_kill import ACCOUNTS, check, proved

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "")
assert SERVERS, (
    "KAFKA_BOOTSTRAP_SERVERS is not set: run ./dev test --only kafka, or start a broker with "
    "./dev servers kafka start and export the line it prints"
)


@pytest.fixture
def journal():
    return {"journal.kind": "kafka", "journal.kafka_topic": unique("journal"), "journal.kafka_single_broker": "true"}


@pytest.fixture
def serve(nostro, journal):
    """serve(...): nostro with its journal in a topic of the test's own."""

    def start(servers=SERVERS, sets=None, **rest):
        return nostro(sets={**journal, **(sets or {})}, env={"KAFKA_BOOTSTRAP_SERVERS": servers}, **rest)

    return start


@pytest.fixture
def own_broker(tmp_path):
    cluster = Cluster(tmp_path / "kafka", "--security")
    yield cluster
    cluster.stop()


def pulled(folder, journal, servers=SERVERS):
    """The journal out of the topic into a folder, proved there."""
    done = run("pull", folder, *settings(journal), env={"KAFKA_BOOTSTRAP_SERVERS": servers})
    assert done.returncode == 0, done
    return proved(folder)


def test_nothing_that_was_answered_is_lost_by_a_kill(serve, kills, journal, tmp_path):
    program = serve()
    accounts = [program.client().open("50000.00") for _ in range(ACCOUNTS)]
    known = {}
    for round in range(max(kills // 2, 1)):
        load = killed_under_load(program, accounts, random.Random(round).randint(20, 600), program.kill)
        # The folder holds only what is made from the topic: every other time there is none.
        program = serve(data=tmp_path / f"data-{round // 2}")
        check(caught_up(program), load, accounts)
        known |= {key: told["payment_id"] for key, told in load.told.items()}
        if round % 4 == 1:
            pulled(tmp_path / "pulled", journal)
    program.stop()
    api = caught_up(serve(data=tmp_path / "fresh"))
    for key, payment_id in random.Random(1).sample(sorted(known.items()), 50):
        assert api.payment(payment_id)["idempotency_key"] == key
    assert api.get("/v1/ledger/trial-balance").json["balanced"]
    assert pulled(tmp_path / "pulled", journal)["payments"] == len(known)


def test_a_second_program_takes_over_and_the_first_one_ends_by_itself(serve, tmp_path):
    first = serve(data=tmp_path / "first")
    debtor, creditor = (first.client().open("100.00") for _ in range(2))
    first.client().paid(debtor, creditor, "30.00")
    second = serve(data=tmp_path / "second")
    assert first.process.wait(PATIENCE_S) == 3
    assert "another owner took over" in first.stderr, first.stderr
    api = second.client()
    assert api.posted(debtor) == "70.00"
    api.paid(debtor, creditor, "30.00")
    assert api.posted(creditor) == "160.00"


def test_without_its_broker_it_answers_503_and_goes_on_when_it_is_back(serve, own_broker):
    program = serve(servers=own_broker.servers, sets={"journal.in_flight": "1"})
    api = program.client()
    debtor, creditor = (api.open("1000.00") for _ in range(2))
    own_broker.kill(1)
    # Whoever is in the one frame under way waits for the broker, and hears nothing for a while; who comes later is told.
    keys, answer, deadline = [], None, time.monotonic() + PATIENCE_S
    while answer is None:
        assert time.monotonic() < deadline, "nobody is told"
        keys.append(unique())
        try:
            answer = program.client(timeout=8).pay(debtor, creditor, "1.00", key=keys[-1])
        except TimeoutError:
            pass
    refused(answer, 503, "journal_unavailable")
    assert api.get("/health").status == 200
    own_broker.start()
    deadline = time.monotonic() + PATIENCE_S
    for key in keys:
        while (answer := api.pay(debtor, creditor, "1.00", key=key)).status == 503:
            assert time.monotonic() < deadline, answer
        assert answer.status == 202 and answer.json["status"] == "settled", answer
    assert api.posted(creditor) == f"{1000 + len(keys)}.00"


def test_without_a_broker_at_start_it_says_so_and_ends(serve):
    program = serve(servers="127.0.0.1:1", sets={"kafka.start_timeout": "3s"})
    assert program.code == 3
    assert "no broker of 127.0.0.1:1 answers" in program.stderr and "refused" in program.stderr, program.stderr
    assert "tried" in program.stderr


def test_a_folder_made_from_another_topic_is_refused(serve):
    program = serve()
    program.client().open("1.00")
    program.stop()
    program = serve(sets={"journal.kafka_topic": unique("journal")})
    assert program.code == 1
    assert "belongs to another journal" in program.stderr, program.stderr


def test_who_is_not_let_in_is_told_at_once_and_who_is_pays(serve, own_broker, tmp_path):
    them = own_broker.security()
    rights = {"kafka.tls": "true", "kafka.ca_file": them["KAFKA_CA_FILE"], "kafka.mechanism": "SCRAM-SHA-256",
              "kafka.user": them["KAFKA_USER"], "kafka.password_file": them["KAFKA_PASSWORD_FILE"]}  # fmt: skip
    wrong = tmp_path / "wrong"
    wrong.write_text("not the password\n")
    for spoiled, said in (
        ({"kafka.password_file": wrong}, "does not let us in"),
        ({"kafka.ca_file": ""}, "does not let us in"),
        ({"kafka.password_file": tmp_path / "nowhere"}, "kafka.password_file"),
    ):
        program = serve(servers=them["KAFKA_TLS_SERVERS"], sets={**rights, **spoiled})
        assert program.code == 2, program.stderr
        assert said in program.stderr, program.stderr
        assert wrong.read_text().strip() not in program.stderr
    for servers, sets in ((them["KAFKA_TLS_SERVERS"], rights),
                          (them["KAFKA_SASL_SERVERS"], {**rights, "kafka.tls": "false", "kafka.mechanism": "PLAIN"})):  # fmt: skip
        program = serve(servers=servers, sets=sets, data=tmp_path / sets["kafka.mechanism"])
        assert program.url, program.stderr
        api = program.client()
        debtor, creditor = (api.open("10.00") for _ in range(2))
        api.paid(debtor, creditor, "1.00")
        program.stop()


def test_wrong_settings_are_named(tmp_path):
    for sets, said in (
        (["journal.kind=kafka"], "kafka.bootstrap_servers"),
        (["journal.kind=kafka", "kafka.bootstrap_servers=127.0.0.1:1", "kafka.mechanism=PLAIN"], "kafka.user"),
    ):
        words = [word for each in sets for word in ("--set", each)]
        done = run("serve", "--data", tmp_path / "data", *words, env={"KAFKA_BOOTSTRAP_SERVERS": ""})
        assert done.returncode == 2 and said in done.stderr, done
