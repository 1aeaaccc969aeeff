"""tps as three instances on one store: one owns the books, all take transactions in, and any of them may die."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest
from client import Client, unique
from postgres_server import SOON, until
from program import PATIENCE_S

TPS = {"database": "tps", "role": "user", "password": "password"}
BODY = {"user_id": "user_11", "amount": 12.75, "currency": "USD"}
GONE = (OSError, HTTPException)


class Instances:
    """Three programs, each with a folder of its own; whoever is begun later follows."""

    def __init__(self, nostro, postgres, folder):
        self.nostro, self.postgres, self.folder, self.number = nostro, postgres, folder, 0
        self.sets = {"journal.kind": "postgres", "journal.postgres_schema": unique("journal").replace("-", "_"),
                     "inbox.kind": "postgres", "standby.session_timeout": "5s", **SOON}  # fmt: skip
        self.programs = [self.begin("--profile", "tps")]
        self.programs += [self.begin("--profile", "tps", "--standby") for _ in range(2)]

    def begin(self, *words):
        self.number += 1
        program = self.nostro(*words, data=self.folder / str(self.number), sets=self.sets,
                              env={"NOSTRO_POSTGRES_URL": self.postgres.url})  # fmt: skip
        assert program.url, program.stderr
        return program

    def begin_again(self, index):
        self.programs[index] = self.begin("--profile", "tps", "--standby")

    def clients(self):
        return [each.client() for each in self.programs]


@pytest.fixture
def instances(nostro, postgres, tmp_path):
    return Instances(nostro, postgres, tmp_path)


def shown(client, number):
    """The transaction, once this instance has read of it."""
    return until(lambda: (a := client.get(f"/transactions/{number}")).status == 200 and a.json)


def books(client):
    """Sums by currency and kind of account; all is booked when this is asked."""
    answer = client.get("/v1/ledger/trial-balance")
    assert answer.status == 200 and answer.json["balanced"], answer
    return {name: value for name, value in answer.json.items() if name != "as_of"}


def same_books(clients):
    """Waits until they have read the same of the journal; what that makes."""
    first, *others = clients
    return until(lambda: (mine := books(first)) and all(books(each) == mine for each in others) and mine)


@pytest.mark.rows("TPS-27")
def test_each_instance_takes_transactions_and_shows_those_of_all(instances, postgres):
    clients, told = instances.clients(), []
    for client in clients:
        answer = client.post("/transactions", BODY)
        assert answer.status == 200 and answer.json["status"] == "pending", answer
        told.append(answer.json)
        assert client.get(f"/transactions/{answer.json['id']}").status == 200, "it finds what it has just answered"
    assert [each["id"] for each in told] == [1, 2, 3]
    for client in clients:
        for each in told:
            assert shown(client, each["id"]) == each | {"status": "completed"}
        assert client.get("/transactions/99").status == 404
        assert client.post("/transactions", BODY | {"amount": -1}).status == 422
        assert client.get("/health").status == 200 and client.get("/readiness").status == 200
    until(lambda: postgres.one("SELECT count(*) FROM transactions WHERE status = 'completed'", **TPS) == "3")
    same_books(clients)
    assert [client.balance("user:user_11:USD", tenant="tps")["posted"] for client in clients] == ["-38.25"] * 3


def test_equal_requests_at_different_instances_are_one_transaction(instances):
    keys = [unique() for _ in range(30)]
    barrier = threading.Barrier(3)

    def ask(program):
        client, ids = program.client(), []
        for key in keys:
            barrier.wait(PATIENCE_S)
            answer = client.post("/transactions", BODY, key=key)
            assert answer.status == 200, answer
            ids.append(answer.json["id"])
        return ids

    with ThreadPoolExecutor(3) as pool:
        first, second, third = pool.map(ask, instances.programs)
    assert first == second == third and sorted(first) == list(range(1, len(keys) + 1))
    for client in instances.clients():
        assert client.post("/transactions", BODY | {"amount": 1}, key=keys[0]).status == 422
        assert client.get(f"/transactions/{len(keys) + 1}").status == 404


class Load:
    """Clients that ask any instance until one answers, and note what they were told."""

    def __init__(self, instances):
        self.instances, self.told, self.more, self.ended = instances, {}, threading.Condition(), threading.Event()
        self.pool = ThreadPoolExecutor(6)
        self.running = [self.pool.submit(self._run, number) for number in range(6)]

    def _run(self, number):
        choice = random.Random(number)
        while not self.ended.is_set():
            key, answer = unique(), None
            while answer is None or answer.status == 503:
                client = Client(choice.choice(self.instances.programs).port, timeout=15)
                try:
                    answer = client.post("/transactions", BODY | {"amount": 0.25}, key=key)
                except GONE:
                    answer = None
                finally:
                    client.close()
            assert answer.status == 200, answer
            with self.more:
                self.told[key] = answer.json["id"]
                self.more.notify_all()

    def go_on(self, number=40):
        with self.more:
            enough = len(self.told) + number
            assert self.more.wait_for(lambda: len(self.told) >= enough, PATIENCE_S), "transactions do not go on"

    def end(self):
        self.ended.set()
        for each in self.running:
            each.result(PATIENCE_S)
        self.pool.shutdown()


@pytest.mark.rows("TPS-27")
def test_whichever_instance_is_killed_nothing_answered_is_lost_and_nothing_moves_twice(instances, postgres):
    load = Load(instances)
    for victim in (1, 2, 0):  # the owner last
        load.go_on()
        instances.programs[victim].kill()
        load.go_on()
        instances.begin_again(victim)
    load.go_on()
    load.end()
    assert len(set(load.told.values())) == len(load.told), "two keys were told one transaction"
    count = len(load.told)
    for client in instances.clients():
        for key, number in random.Random(1).sample(sorted(load.told.items()), 20):
            assert shown(client, number)["status"] == "completed"
            assert client.post("/transactions", BODY | {"amount": 0.25}, key=key).json["id"] == number
        assert client.get(f"/transactions/{count + 1}").status == 404, "each key is one transaction"
    until(lambda: postgres.one("SELECT count(*) FROM transactions WHERE status = 'completed'", **TPS) == str(count))
    assert postgres.one("SELECT sum(amount) FROM transactions", **TPS) == f"{count * 0.25:.4f}"
    assert "deadlock" not in postgres.log
    fresh = instances.begin("--profile", "tps", "--standby").client()
    same_books([*instances.clients(), fresh])  # who reads the journal from its begin has them, too
