"""Tables and Redis fed by programs of their own: any number, in any order of starting, and any of them may die."""

import itertools
import json
import secrets
import threading

import pytest
from client import unique
from postgres_server import SOON, until
from program import run, settings
from test_postgres import same_as_journal
from test_reconcile import clean

PROFILES = ("--profile", "tps", "--profile", "upi")


class Fed:
    """A journal in PostgreSQL, its owner, and programs that feed the rest from it."""

    def __init__(self, nostro, postgres, redis, folder):
        self.nostro, self.postgres, self.redis, self.folder, self.numbers = nostro, postgres, redis, folder, itertools.count()
        (folder / "key").write_text(secrets.token_hex(32))
        self.sets = {"journal.kind": "postgres", "journal.postgres_schema": unique("journal").replace("-", "_"),
                     "redis.key_file": folder / "key", "redis.read_timeout": "5s", **SOON}  # fmt: skip

    def _begin(self, words, sets):
        program = self.nostro(*PROFILES, words=words, data=self.folder / str(next(self.numbers)), sets={**self.sets, **sets},
                              env={"NOSTRO_POSTGRES_URL": self.postgres.url, "NOSTRO_REDIS_URL": self.redis.url})  # fmt: skip
        assert program.url, program.stderr
        return program

    def owner(self):
        return self._begin(("serve",), {"projections.elsewhere": "true"})

    def worker(self):
        return self._begin(("worker", "projection"), {})

    def rows(self):
        return int(self.postgres.one("SELECT count(*) FROM nostro.payments"))


@pytest.fixture
def fed(nostro, postgres, redis, tmp_path):
    return Fed(nostro, postgres, redis, tmp_path)


def deposit(api, ada, bob):
    """One of each tenant that is served; the number of tps'."""
    api.paid(ada, bob, "0.01")
    taken = api.post("/transactions", {"user_id": "u1", "amount": 10, "currency": "USD"})
    assert taken.status == 200, taken
    pay = {"tx_id": unique(), "payer_id": "user_1", "payee_id": "user_2", "amount": 7}
    assert api.post("/v1/profiles/upi/messages", json.dumps(pay), form="application/x-ndjson").status == 202
    return taken.json["id"]


def follows(owner, worker):
    """A client of the worker, once it has read what the owner has answered."""
    seq = owner.client().get("/readiness").json["as_of_seq"]
    api = worker.client()
    until(lambda: api.get("/readiness").json["as_of_seq"] >= seq)
    return api


@pytest.mark.parametrize("order", ("worker-owner-worker", "owner-worker-worker"))
def test_whoever_starts_first_the_tables_say_what_the_journal_says(fed, order):
    programs = [getattr(fed, role)() for role in order.split("-")]
    owner = next(each for each, role in zip(programs, order.split("-"), strict=True) if role == "owner")
    workers = [each for each in programs if each is not owner]
    ada, bob = owner.client().pair("1000.00")
    numbers = [deposit(owner.client(), ada, bob) for _ in range(20)]
    for worker in workers:
        api = follows(owner, worker)
        assert same_as_journal(api, fed.postgres) == 20
        ready = api.get("/readiness")
        assert ready.status == 200 and ready.json["role"] == "standby", ready
        told = api.pay(ada, bob, "0.01")
        assert told.status == 503 and told.json["code"] == "standby", told
    tps = fed.postgres.rows("SELECT id FROM transactions ORDER BY id", database="tps")
    assert [int(number) for (number,) in tps] == numbers
    until(lambda: fed.redis.cli("GET", "balance:user_2") == "1000140")
    for number in numbers:
        until(lambda number=number: fed.redis.cli("EXISTS", f"txn:{number}") == "1")
        assert owner.client().get(f"/transactions/{number}").json["status"] == "completed"
    hits = next(line for line in owner.client().get("/metrics").body.decode().splitlines()
                if line.startswith('nostro_cache_reads_total{result="hit"}'))  # fmt: skip
    assert hits.endswith(" 20"), "what the workers told is what the owner reads"
    clean(owner)


def test_whichever_is_killed_the_others_go_on_and_nothing_is_missing_or_twice(fed):
    owner, workers = fed.owner(), [fed.worker(), fed.worker()]
    ada, bob = owner.client().pair("1000000.00")
    ends, failures = threading.Event(), []

    def pay():
        api = owner.client()
        try:
            while not ends.is_set():
                deposit(api, ada, bob)
        except Exception as failure:
            failures.append(failure)

    def more():
        before = fed.rows()
        until(lambda: fed.rows() > before + 50 or failures)

    threads = [threading.Thread(target=pay) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for index in (0, 1, 0):
            more()
            workers[index].kill()
            more()
            workers[index] = fed.worker()
        more()
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    assert not failures, failures
    for worker in workers:
        same_as_journal(follows(owner, worker), fed.postgres)
    clean(owner)
    while workers:
        workers.pop().stop()
    count = fed.rows()
    owner.client().paid(ada, bob, "0.01")
    assert fed.rows() == count, "the owner feeds nothing"
    same_as_journal(follows(owner, fed.worker()), fed.postgres)
    assert fed.rows() == count + 1


def test_what_cannot_be_fed_is_said(fed, postgres, tmp_path):
    there = {"journal.kind": "postgres", "journal.postgres_url": postgres.url, "journal.postgres_schema": unique("journal").replace("-", "_"), **SOON}
    for words, sets, said in (
        (("worker", "projection"), {}, "journal.kind: a journal of kind segment has one process alone"),
        (("worker", "projection"), there, "postgres.url: a worker that feeds needs something to feed"),
        (("worker", "projection"), {**there, "redis.url": "redis://127.0.0.1:1"}, "redis.key_file: programs that share a Redis"),
        (("serve",), {"projections.elsewhere": "true"}, "projections.elsewhere: a journal of kind segment"),
    ):  # fmt: skip
        done = run(*words, "--data", tmp_path / "nowhere", "--listen", "127.0.0.1:0", *settings(sets))
        assert done.returncode == 2 and said in done.stderr, done
