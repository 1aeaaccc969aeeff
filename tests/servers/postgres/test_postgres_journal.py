"""The service on a journal in PostgreSQL: what it was answered for is in the table, whoever dies."""

import random
import threading

import pytest
from client import refused, unique
from killing import caught_up, killed_under_load
from postgres_server import SOON, part, until
from program import PATIENCE_S, run
from test_kill import ACCOUNTS, check


@pytest.fixture
def serve(nostro, postgres):
    """serve(...): nostro with its journal in a schema of the test's own."""
    mine = {"journal.kind": "postgres", "journal.postgres_schema": unique("journal").replace("-", "_"), **SOON}

    def start(sets=None, **rest):
        return nostro(sets={**mine, "journal.postgres_url": postgres.url, **(sets or {})}, **rest)

    start.schema = mine["journal.postgres_schema"]
    return start


def test_nothing_that_was_answered_is_lost_by_a_kill(serve, kills, tmp_path):
    program = serve()
    accounts = [program.client().open("50000.00") for _ in range(ACCOUNTS)]
    known = {}
    for round in range(max(kills // 4, 1)):
        load = killed_under_load(program, accounts, random.Random(round).randint(20, 600), program.kill)
        # The folder holds only what is made from the tables: every other time there is none.
        program = serve(data=tmp_path / f"data-{round // 2}")
        check(caught_up(program), load, accounts)
        known |= {key: told["payment_id"] for key, told in load.told.items()}
    program.stop()
    api = caught_up(serve(data=tmp_path / "fresh"))
    for key, payment_id in random.Random(1).sample(sorted(known.items()), 50):
        assert api.payment(payment_id)["idempotency_key"] == key
    assert api.get("/v1/ledger/trial-balance").json["balanced"]


def test_a_second_program_takes_over_and_the_first_one_ends_by_itself(serve, tmp_path):
    first = serve(data=tmp_path / "first")
    debtor, creditor = (first.client().open("100.00") for _ in range(2))
    first.client().paid(debtor, creditor, "30.00")
    second = serve(data=tmp_path / "second")
    api = second.client()
    assert api.posted(debtor) == "70.00"
    assert first.process.wait(PATIENCE_S) == 3
    assert "another owner has taken over" in first.stderr, first.stderr
    api.paid(debtor, creditor, "30.00")
    assert api.posted(creditor) == "160.00"


def test_a_server_that_crashes_costs_time_and_no_payment(serve, postgres):
    program = serve()
    api = program.client()
    debtor, creditor = (api.open("1000.00") for _ in range(2))
    answers, keys = {}, [unique() for _ in range(8)]
    postgres.crash()
    # The first ones may be on their way to the server: they wait for it. Who comes later is told.
    pool = [threading.Thread(target=lambda key=key: answers.update(
        {key: program.client(timeout=PATIENCE_S).pay(debtor, creditor, "1.00", key=key)})) for key in keys]  # fmt: skip
    for thread in pool:
        thread.start()
    until(lambda: "journal_waits" in program.stderr)
    late = unique()
    answer = until(lambda: (a := program.client().pay(debtor, creditor, "1.00", key=late)).status == 503 and a)
    refused(answer, 503, "journal_unavailable")
    assert answer.headers["Retry-After"]
    assert api.get("/health").status == 200 and api.get("/readiness").status == 503
    postgres.start()
    for thread in pool:
        thread.join()
    for key in [*keys, late]:
        again = until(lambda key=key: (a := api.pay(debtor, creditor, "1.00", key=key)).status == 202 and a)
        assert again.json["status"] == "settled"
        told = answers.get(key)
        assert told is None or told.status == 503 or told.json["payment_id"] == again.json["payment_id"]
    assert api.posted(creditor) == "1009.00"
    assert api.get("/readiness").status == 200
    until(lambda: "journal_recovered" in program.stderr)


def test_a_folder_made_from_another_journal_is_refused(serve):
    program = serve()
    program.client().open("1.00")
    program.stop()
    program = serve(sets={"journal.postgres_schema": unique("other").replace("-", "_")})
    assert program.code == 1
    assert "is not the journal that the data folder" in program.stderr, program.stderr


def test_what_keeps_it_from_starting_is_named(serve, postgres, tmp_path):
    program = serve(sets={"journal.postgres_url": "postgresql://postgres@127.0.0.1:1/postgres"})
    assert program.code == 3
    assert "tried 2 times" in program.stderr and "refused" in program.stderr, program.stderr
    program = serve(sets={"journal.postgres_url": postgres.address(password="wrong")})
    assert program.code == 2
    assert "password authentication failed" in program.stderr and "wrong@" not in program.stderr, program.stderr
    done = run("serve", "--data", tmp_path / "data", "--set", "journal.kind=postgres", env={"NOSTRO_POSTGRES_URL": ""})
    assert done.returncode == 2 and "journal.postgres_url" in done.stderr, done


def test_an_operator_sees_the_frames(serve, postgres):
    program = serve()
    program.client().pair()
    books = postgres.rows(f"SELECT book, seq, epoch FROM {serve.schema}.books")
    assert books == [["0", books[0][1], "1"]] and int(books[0][1]) > 1
    assert postgres.one(f"SELECT count(*) FROM {serve.schema}.frames") == books[0][1]


@pytest.mark.parametrize("ends", ["pg_terminate_backend({}, 10000)", "pg_cancel_backend({})"])
def test_an_answer_waits_for_the_synchronous_standby_also_when_its_wait_is_ended(serve, postgres, ends):
    def waiting():
        return [pid for (pid,) in postgres.rows("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")]

    program = serve()
    ada, bob = program.client().pair("100.00")
    postgres.psql("ALTER SYSTEM SET synchronous_standby_names = 'gone'", "SELECT pg_reload_conf()")
    answers = []
    payer = threading.Thread(target=lambda: answers.append(program.client().pay(ada, bob, "1.00")))
    try:
        until(lambda: postgres.one("SHOW synchronous_standby_names") == "gone")
        payer.start()
        (first,) = until(waiting)
        # It is committed and seen here, and on no standby.
        postgres.psql(f"SELECT {ends.format(first)}")
        until(lambda: answers or set(waiting()) - {first})
        assert not answers
    finally:
        postgres.psql("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
    payer.join(PATIENCE_S)
    assert [each.status for each in answers] == [202]
    assert program.client().posted(bob) == "1.00"


def test_a_server_that_is_away_is_seen_before_a_payment_meets_that(serve, postgres):
    program = serve()
    api = program.client()
    ada, bob = api.pair("100.00")
    postgres.crash()
    try:
        state = until(lambda: not (state := part(api, "journal"))["ready"] and state)
        assert "journal_unavailable" in state["reason"] and "PostgreSQL at" in state["reason"], state
        assert api.get("/readiness").status == 503
    finally:
        postgres.start()
    until(lambda: api.get("/readiness").status == 200)
    until(lambda: "journal_recovered" in program.stderr)
    assert program.stderr.count("journal_waits") == program.stderr.count("journal_recovered") == 1, program.stderr
    api.paid(ada, bob, "1.00")
