"""kill -9 in the middle of a load: every 202 that a client has seen is there after the restart, exactly once."""

import http.client
import json
import random
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from client import Client, payment, unique
from program import run

ACCOUNTS, CLIENTS = 20, 8
GONE = (ConnectionError, http.client.HTTPException, TimeoutError, OSError)


class Load:
    """Clients that pay until the connection breaks, and note what they asked and what they were told."""

    def __init__(self, port, accounts, enough):
        self.port, self.accounts, self.enough = port, accounts, enough
        self.told, self.asked = {}, {}  # key -> receipt; key -> body
        self.killed = Event()
        self.full = Event()

    def one(self, api, choice):
        key = unique("kill")
        body = payment(*choice.sample(self.accounts, 2), f"{choice.randint(1, 900)}.{choice.randint(0, 99):02}",
                       capture=choice.choice(["automatic", "automatic", "manual"]))  # fmt: skip
        self.asked[key] = body
        answer = api.post("/v1/payments", body, key=key)
        assert answer.status == 202 and "Idempotent-Replayed" not in answer.headers, answer
        self.told[key] = answer.json

    def many(self, api, choice):
        items = [{"idempotency_key": unique("kill"), **payment(*choice.sample(self.accounts, 2), "0.01")}
                 for _ in range(50)]  # fmt: skip
        for item in items:
            self.asked[item["idempotency_key"]] = {k: v for k, v in item.items() if k != "idempotency_key"}
        answer = api.post("/v1/payments/batch", {"payments": items})
        assert answer.status == 202 and answer.json["taken"] == 50, answer
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


def all_payments(api, accounts):
    found = {}
    for account in accounts:
        for each in api.pages("/v1/payments", account=account, limit=1000):
            found.setdefault(each["idempotency_key"], set()).add(each["payment_id"])
    return found


def check(api, load, accounts):
    """What was told is there; what was asked and not told is there or not, and asking again settles it."""
    api.readable()
    for key, receipt in load.told.items():
        read = api.payment(receipt["payment_id"])
        assert (read["idempotency_key"], read["status"], read["accepted_at"]) == (
            key, receipt["status"], receipt["accepted_at"]), (receipt, read)  # fmt: skip
    for key, body in load.asked.items():
        answer = api.post("/v1/payments", body, key=key)
        assert answer.status == 202, answer
        if key in load.told:
            assert answer.headers["Idempotent-Replayed"] == "true"
            assert answer.json["payment_id"] == load.told[key]["payment_id"]
            assert answer.json["status"] == load.told[key]["status"]
        else:
            load.told[key] = answer.json
    api.readable()
    found = all_payments(api, accounts)
    assert all(len(ids) == 1 for ids in found.values()), "a key has two payments"
    assert {key: found[key] for key in load.asked} == {key: {load.told[key]["payment_id"]} for key in load.asked}
    trial = api.get("/v1/ledger/trial-balance").json
    assert trial["balanced"] and all(not each["sum"].strip("0.-") for each in trial["currencies"]), trial
    return found


def test_nothing_that_was_answered_is_lost_by_a_kill(nostro, kills, tmp_path):
    program = nostro()
    api = program.client()
    accounts = [api.open("50000.00") for _ in range(ACCOUNTS)]
    known = {}
    for round in range(kills):
        load = Load(program.port, accounts, enough=300)
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(load.run, number) for number in range(CLIENTS)]
            assert load.full.wait(60), "the load does not get on"
            load.killed.set()
            program.kill()
            for client in clients:
                client.result()
        proved = run("verify", "--data", tmp_path / "data", "--json")
        assert proved.returncode == 0 and json.loads(proved.stdout)["proved"], proved
        program = nostro()
        found = check(program.client(), load, accounts)
        assert known.items() <= found.items(), "a payment of an earlier round is gone"
        known = found
    program.stop()
    proved = run("verify", "--data", tmp_path / "data", "--json")
    assert proved.returncode == 0, proved
    report = json.loads(proved.stdout)
    assert report["proved"] and report["payments"] == len(known) and not report["findings"]
