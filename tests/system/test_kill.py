"""kill -9 in the middle of a load: every 202 that a client has seen is there after the restart, exactly once."""

import http.client
import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

from client import Client, payment, unique
from program import run

ACCOUNTS, CLIENTS = 20, 8
GONE = (ConnectionError, http.client.HTTPException, TimeoutError, OSError)


class Load:
    """Clients that pay until the connection breaks, and note what they asked and what they were told."""

    def __init__(self, port, accounts, enough):
        self.port, self.accounts, self.enough = port, accounts, enough
        self.begun = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.told, self.asked = {}, {}  # key -> receipt; key -> body
        self.killed = Event()
        self.full = Event()

    def ask(self, api, path, body, **rest):
        answer = api.post(path, body, **rest)
        assert answer.status == 202 and "Idempotent-Replayed" not in answer.headers, answer
        return answer

    def one(self, api, choice):
        key = unique("kill")
        body = payment(*choice.sample(self.accounts, 2), f"{choice.randint(1, 900)}.{choice.randint(0, 99):02}",
                       capture=choice.choice(["automatic", "automatic", "manual"]))  # fmt: skip
        self.asked[key] = body
        self.told[key] = self.ask(api, "/v1/payments", body, key=key).json

    def many(self, api, choice):
        items = [{"idempotency_key": unique("kill"), **payment(*choice.sample(self.accounts, 2), "0.01")}
                 for _ in range(50)]  # fmt: skip
        for item in items:
            self.asked[item["idempotency_key"]] = {k: v for k, v in item.items() if k != "idempotency_key"}
        answer = self.ask(api, "/v1/payments/batch", {"payments": items})
        assert answer.json["taken"] == 50, answer
        for each in answer.json["data"]:
            self.told[each["idempotency_key"]] = each

    def run(self, number):
        api = Client(self.port)
        choice = random.Random(number)
        try:
            while True:
                (self.many if number == 0 else self.one)(api, choice)
                if len(self.told) >= self.enough:
                    self.full.set()
        except GONE:
            assert self.killed.is_set(), "a connection broke before the kill"
        finally:
            api.close()


def all_payments(api, accounts, **query):
    """Every payment between the accounts, by its key: {key: {id: payment}}."""
    found = {}
    for account in accounts:
        for each in api.pages("/v1/payments", account=account, limit=1000, **query):
            found.setdefault(each["idempotency_key"], {})[each["payment_id"]] = each
    return found


def ask_again(api, load):
    """What was told is told again; what was asked and not told happened or not, and asking again settles it."""
    keys = list(load.asked)
    for first in range(0, len(keys), 500):
        items = [{"idempotency_key": key, **load.asked[key]} for key in keys[first : first + 500]]
        answer = api.post("/v1/payments/batch", {"payments": items})
        assert answer.status == 202 and answer.json["taken"] == len(items), answer
        for each in answer.json["data"]:
            told = load.told.setdefault(each["idempotency_key"], each)
            assert each["replayed"] or told is each, f"what was answered is lost: {told}"
            assert all(each[name] == told[name] for name in ("payment_id", "status", "accepted_at")), (told, each)


def check(api, load, accounts):
    """Each key has one payment, the one that was told, and the books balance."""
    ask_again(api, load)
    api.readable()
    found = all_payments(api, accounts, **{"from": load.begun})
    assert found.keys() >= load.asked.keys()
    for key, told in load.told.items():
        assert list(found[key]) == [told["payment_id"]], "a key has two payments"
        read = found[key][told["payment_id"]]
        assert (read["status"], read["accepted_at"]) == (told["status"], told["accepted_at"]), (told, read)
    trial = api.get("/v1/ledger/trial-balance").json
    assert trial["balanced"] and all(not each["sum"].strip("0.-") for each in trial["currencies"]), trial


def proved(data):
    done = run("verify", "--data", data, "--json")
    assert done.returncode == 0, done
    report = json.loads(done.stdout)
    assert report["proved"] and not report["findings"], report
    return report


def test_nothing_that_was_answered_is_lost_by_a_kill(nostro, kills, tmp_path):
    program = nostro()
    api = program.client()
    accounts = [api.open("50000.00") for _ in range(ACCOUNTS)]
    known = {}
    for round in range(kills):
        load = Load(program.port, accounts, enough=random.Random(round).randint(20, 600))
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(load.run, number) for number in range(CLIENTS)]
            assert load.full.wait(60), "the load does not get on"
            load.killed.set()
            program.kill()
            for client in clients:
                client.result()
        proved(tmp_path / "data")
        program = nostro()
        check(program.client(), load, accounts)
        known |= {key: told["payment_id"] for key, told in load.told.items()}
    found = all_payments(program.client(), accounts)
    assert {key: list(ids) for key, ids in found.items()} == {key: [id] for key, id in known.items()}
    program.stop()
    assert proved(tmp_path / "data")["payments"] == len(known)
