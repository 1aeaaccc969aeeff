"""A standby that comes to own the Book takes up all that the owner did beside payments: tables, inserted rows, Redis, the
reconciler, and, where a test's own Work says so, topics. test_standby_whole.py of each server brings the journal."""

import json
import secrets

from client import refused, unique
from postgres_server import SOON, projected, until
from program import PATIENCE_S, run
from standbys import Standbys

CLEARING = {"database": "financial_db", "role": "user", "password": "pass"}


def fleet(nostro, postgres, redis, folder, sets, env=None):
    """Standbys that serve clearing and tps, with tables and a cache."""
    redis.cli("FLUSHALL")
    key = folder / "redis.key"
    key.write_text(secrets.token_hex(32))
    mine = {"redis.key_file": key, "reconcile.enabled": "false", **SOON, **sets}
    servers = {"NOSTRO_POSTGRES_URL": postgres.url, "NOSTRO_REDIS_URL": redis.url, **(env or {})}

    def serve(sets, **rest):
        return nostro("--profile", "clearing", "--profile", "tps", sets={**mine, **sets}, env=servers, **rest)

    return Standbys(serve, folder)


def reconciled(program, *words):
    done = run("reconcile", "--url", program.url, "--json", *words)
    assert done.stdout, done
    return done.returncode, json.loads(done.stdout)


class Work:
    """All that an owner does, once more each time; what is in the stores afterwards is what was asked for."""

    def __init__(self, postgres, redis, ledger):
        self.postgres, self.redis, self.ledger = postgres, redis, ledger
        self.accounts, self.rounds = None, 0

    def goes_on(self, owner):
        api = owner.client()
        self.accounts = self.accounts or api.pair("100.00")  # the other one has nothing
        ada, bob = self.accounts
        self.rounds += 1
        paid = api.paid(ada, bob, "1.00")
        if self.ledger:  # at once, and in the transaction of the frame
            told = self.postgres.rows(f"SELECT status FROM nostro.payments WHERE payment_id = '{paid}'")
            assert told == [["settled"]], told
        row = unique("row")
        self.postgres.psql("INSERT INTO transactions (transaction_id, amount, from_account, to_account) "
                           f"VALUES ('{row}', 1.00, 'ACC001', 'ACC002')", **CLEARING)  # fmt: skip
        until(lambda: self.postgres.one(f"SELECT status FROM transactions WHERE transaction_id = '{row}'", **CLEARING) == "settled")
        number = api.post("/transactions", {"user_id": "user_11", "amount": 12.75, "currency": "USD"}).json["id"]
        until(lambda: self.redis.cli("GET", f"txn:{number}"))
        for feed in ("postgres_clearing", "postgres_tps", *(() if self.ledger else ("postgres",))):
            projected(api, feed)
        self.stands()
        code, report = reconciled(owner)
        assert code == 0 and report["clean"], report
        assert {store["store"] for store in report["stores"]} == {"postgres", "postgres_clearing", "postgres_tps", "redis"}

    def settled(self):
        return self.rounds

    def stands(self):
        """Each once, whoever wrote it."""
        one = self.postgres.one
        assert one("SELECT count(*) FROM nostro.payments WHERE tenant = 'nostro'") == str(self.rounds)
        settled = "SELECT count(*) FROM transactions WHERE status = 'settled'"
        until(lambda: one(settled, **CLEARING) == str(self.settled()))
        assert one("SELECT count(*) FROM transactions", database="tps") == str(self.rounds)
        balance = one(f"SELECT balance FROM nostro.accounts WHERE name = '{self.accounts[1]}'")
        assert balance == f"{self.rounds}.00", balance


def taken_over_and_given_away(standbys, work, tables=None):
    """By a kill, and as planned; gives the last owner. `tables`: a server that is away when the owner dies, and comes
    back; the journal is not in it."""
    standbys.begin(2)
    first, second = standbys.owner(), standbys.standby()
    complete(first)
    work.goes_on(first)
    refused(second.client().post("/v1/reconciliations", {"mode": "compare"}), 503, "standby")
    standbys.leaves(first)
    if tables:
        tables.crash()
    first.kill()
    assert standbys.owner() is second
    if tables:
        until(lambda: "owner_waits" in second.stderr)
        tables.start()
    complete(second)
    work.goes_on(second)

    third = standbys.begin()
    done = run("take-over", "--url", third.url, "--from", second.url)
    assert done.returncode == 0, done
    assert second.process.wait(PATIENCE_S) == 0, second.stderr
    complete(third)
    work.goes_on(third)
    return third


def complete(owner):
    until(lambda: "owner_complete" in owner.stderr or not owner.running)
    assert owner.running, owner.stderr
