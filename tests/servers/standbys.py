"""Standbys of one journal, wherever it lies: who takes over when the owner is gone or gives the Book away, and that
nothing is lost or moved twice by it. test_standby.py of each server brings `serve` and `proves`."""

import json
import os
import re
import signal
import threading
import time
from itertools import count

import pytest
from chaos import Patient, Payers
from client import Client, payment, unique
from killing import caught_up
from postgres_server import until
from program import PATIENCE_S, run
from test_kill import ACCOUNTS, GONE, check

STANDBY = {"standby.enabled": "true", "standby.session_timeout": "6s"}


class Standbys:
    """Programs that may all own the journal; whoever says that it is the owner is asked."""

    def __init__(self, serve, folder):
        self.serve, self.folder, self.numbers = serve, folder, count()
        self.running, self.found, self.changed = [], None, threading.Condition()

    def begin(self, number=1):
        for _ in range(number):
            self.running.append(self.serve(data=self.folder / f"standby-{next(self.numbers)}", sets=STANDBY))
        self.owner()
        return self.running[-1]

    def role(self, program):
        api = Client(program.port, 1)
        try:
            return api.get("/readiness").json["role"]
        except GONE:
            return None
        finally:
            api.close()

    def _one(self, role):
        """Waits until there is one: who is slow to answer has no role for a moment."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            alive = [each for each in self.running if each.running]
            if found := next((each for each in alive if self.role(each) == role), None):
                return found
            assert time.monotonic() < deadline, f"there is no {role}"
            self.pause()

    def owner(self):
        return self._one("owner")

    def standby(self):
        return self._one("standby")

    def port(self):
        with self.changed:
            found = self.found
        while found is None or not found.running:
            found = self.owner()
        with self.changed:
            self.found = found
        return found.port

    def pause(self):
        with self.changed:
            self.found = None
            self.changed.wait(0.05)

    def leaves(self, program):
        self.running.remove(program)


@pytest.fixture
def standbys(serve, tmp_path):
    return Standbys(serve, tmp_path)


@pytest.fixture
def paid(standbys, proves):
    """Payments all the while; afterwards each that was told is there once, and the journal is proved."""
    standbys.begin(2)
    api = Patient(standbys)
    accounts = [api.open("50000.00") for _ in range(ACCOUNTS)]
    payers = Payers(standbys, accounts)
    try:
        payers.go_on()
        yield payers
        payers.go_on()
    finally:
        payers.end()
    caught_up(standbys.owner())
    check(Patient(standbys), payers, accounts)
    proves()


def test_a_standby_takes_over_when_the_owner_dies_and_the_next_one_after_it(standbys, paid):
    standbys.begin()
    for _ in range(2):
        dead = standbys.owner()
        standbys.leaves(dead)
        dead.kill()
        paid.go_on()
        assert standbys.owner() is not dead
    assert len(standbys.running) == 1


def test_a_planned_hand_over_ends_the_owner_in_order(standbys, paid):
    for _ in range(2):
        old, new = standbys.owner(), standbys.standby()
        done = run("take-over", "--url", new.url, "--from", old.url, "--json")
        assert done.returncode == 0, done
        assert json.loads(done.stdout)["role"] == "owner"
        paid.go_on()
        assert old.process.wait(PATIENCE_S) == 0, old.stderr
        assert "book_given_away" in old.stderr and not re.search(r"^\S+ error ", old.stderr, re.M), old.stderr
        assert standbys.owner() is new
        standbys.leaves(old)
        standbys.begin()


def test_a_standby_takes_over_when_it_is_told_and_the_owner_is_fenced(standbys, paid):
    old, new = standbys.owner(), standbys.standby()
    done = run("take-over", "--url", new.url)
    assert done.returncode == 0 and "owns the Book from frame" in done.stdout, done
    paid.go_on()
    assert old.process.wait(PATIENCE_S) == 3, old.stderr
    standbys.leaves(old)
    assert run("take-over", "--url", new.url).returncode == 0  # it does already


def test_an_owner_that_was_stopped_wakes_as_nobody(standbys, paid):
    old = standbys.owner()
    os.kill(old.pid, signal.SIGSTOP)
    try:
        paid.go_on()
        assert standbys.owner() is not old
    finally:
        os.kill(old.pid, signal.SIGCONT)
    assert old.process.wait(PATIENCE_S) == 3, old.stderr
    assert "another owner" in old.stderr, old.stderr
    standbys.leaves(old)


def test_an_owner_whose_book_nobody_takes_goes_on(standbys):
    owner = standbys.begin()
    api = Patient(standbys)
    debtor, creditor = (api.open("100.00") for _ in range(2))
    assert owner.client().post("/v1/admin/hand-over").status == 200
    refused = owner.client().post("/v1/payments", payment(debtor, creditor, "1.00"), key=unique())
    assert refused.status == 503 and refused.json["code"] == "handing_over" and refused.headers["Retry-After"], refused
    api.paid(debtor, creditor, "1.00")
    until(lambda: "book_not_taken" in owner.stderr)


def test_what_a_standby_tells_is_what_the_owner_tells_at_the_same_frame(standbys):
    standbys.begin(2)
    owner, standby = standbys.owner(), standbys.standby()
    api = owner.client()
    accounts = [api.open("50000.00") for _ in range(ACCOUNTS)]
    for number in range(40):
        api.paid(accounts[number % ACCOUNTS], accounts[(number + 1) % ACCOUNTS], "0.01")
    seq = api.get("/readiness").json["as_of_seq"]
    beside = standby.client()
    until(lambda: beside.get("/readiness").json["as_of_seq"] >= seq)
    caught_up(standby)
    api.readable(), beside.readable()
    for account in accounts:
        for path in (f"/v1/accounts/{account}", f"/v1/accounts/{account}/balance", f"/v1/accounts/{account}/entries"):
            assert beside.get(path).json == api.get(path).json, path
    for path in ("/v1/payments", "/v1/ledger/trial-balance", "/v1/policies"):
        assert beside.get(path).json == api.get(path).json, path
    refused = beside.post("/v1/payments", payment(*accounts[:2], "1.00"), key=unique())
    assert refused.status == 503 and refused.json["code"] == "standby" and refused.headers["Retry-After"], refused
    ready = beside.get("/readiness")
    assert ready.status == 503 and ready.json["role"] == "standby" and ready.json["lag"]["frames"] == 0, ready
    assert "nostro_owner 0" in beside.get("/metrics").body.decode()
