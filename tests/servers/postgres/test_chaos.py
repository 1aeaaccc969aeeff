"""Journal, tables and arriving rows in one PostgreSQL, documents in Redis, payments all the while: everything dies and
hangs in any order, and SQL and Redis say what the journal says."""

import os
import secrets
import signal
import subprocess
import threading
import time
from decimal import Decimal

from chaos import (
    Beside,
    Fleet,
    Patient,
    World,
    an_owner_hangs_and_wakes_as_a_zombie,
    answered,
    rounds,
    rules_change_and_programs_are_renewed_in_turn,
    the_owner_dies,
    the_owner_ends_in_order,
    two_owners_begin_at_once,
)
from client import payment, unique
from postgres_server import projected, until
from test_kill import GONE
from test_postgres import same_as_journal
from test_rows import AS_USER, Session, insert

FENCED = "another owner has taken over"
PROFILES = ("--profile", "clearing", "--profile", "tps")


class SqlWorld(World):
    def __init__(self, fleet, postgres, redis):
        super().__init__(fleet)
        self.postgres, self.redis = postgres, redis
        self.rows, self.transactions = [], {}

    def round(self, faults):
        beside = [Beside(self._insert), Beside(self._transact)]
        try:
            super().round(faults)
        finally:
            for each in beside:
                each.end()

    def _insert(self):
        """A row of clearing's, as anybody may insert one; who lost the connection tries again."""
        name = unique("ROW")
        command = insert(name, "0.01").replace(";", " ON CONFLICT DO NOTHING;")
        words = ["psql", "-X", "-q", self.postgres.address(**AS_USER), "-v", "ON_ERROR_STOP=1", "-c", command]
        until(lambda: subprocess.run(words, capture_output=True).returncode == 0)
        self.rows.append(name)

    def _transact(self):
        """A transaction of tps, read as soon as it is told."""
        body = '{"user_id": "user_1", "amount": 12.75, "currency": "USD"}'
        key = unique("tps")
        made = answered(self.fleet, lambda api: api.post("/transactions", body, key=key))
        assert made.status == 200, made
        told = {**made.json, "status": "completed"}  # as the original answers it: it is pending still
        assert self.transactions.setdefault(told["id"], told) == told, "a number was given twice"
        assert self.read(told["id"]) == told

    def read(self, number):
        answer = answered(self.fleet, lambda api: api.get(f"/transactions/{number}"))
        assert answer.status == 200, answer
        return answer.json

    def takes(self, program):
        """Whether it owns the journal; if not it finds out by what it writes, tells nobody of it, and ends."""
        key, body = unique("probe"), payment(*self.payers.accounts[:2], "0.01")
        self.payers.asked[key] = body
        try:
            answer = until(lambda: (a := program.client().post("/v1/payments", body, key=key)).status != 503 and a)
        except GONE:
            self.fleet.ends_by_itself(program)
            return False
        assert answer.status == 202, answer
        return True

    def finds_out(self, program):
        assert not self.takes(program)

    def only_one_is_left(self):
        self.payers.go_on()
        assert [each for each in list(self.fleet.running) if self.takes(each)] == self.fleet.running[-1:]

    def look(self):
        """Nothing is lost, nothing is there twice, and every store says the same."""
        program = self.fleet.owner
        api = program.client()
        until(lambda: self.pending() == "0")
        for feed in ("postgres", "postgres_clearing", "postgres_tps", "redis"):
            projected(api, feed)
        states = dict(self.postgres.rows("SELECT transaction_id, status FROM transactions", **AS_USER))
        assert states == {name: "settled" for name in self.rows}
        assert same_as_journal(api, self.postgres) == self.paid
        for name in ("clearing", "tps"):
            same_as_journal(api, self.postgres, name)
        for number, told in self.transactions.items():
            assert self.read(number) == told
        assert "deadlock detected" not in self.postgres.log
        return api

    def backends(self):
        """Processes of the server that work for nostro."""
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'nostro'"
        return [int(pid) for (pid,) in self.postgres.rows(query)]

    def pending(self):
        return self.postgres.one("SELECT count(*) FROM transactions WHERE status <> 'settled'", **AS_USER)


# --- PostgreSQL ---


def the_server_crashes(world):
    world.postgres.crash()
    world.postgres.start()


def the_server_is_killed(world):
    world.postgres.kill()
    world.postgres.start()


def all_connections_are_ended(world):
    for _ in range(5):
        world.postgres.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nostro'")
        world.payers.go_on(10)


def signalled(process, number):
    """False: it has ended by itself."""
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return False
    return True


def a_backend_is_killed(world):
    # The server ends all others, and recovers.
    until(lambda: any(signalled(backend, signal.SIGKILL) for backend in world.backends()))


def all_backends_hang(world):
    stopped = [backend for backend in world.backends() if signalled(backend, signal.SIGSTOP)]
    time.sleep(2)
    for backend in stopped:
        signalled(backend, signal.SIGCONT)


def somebody_locks_the_tables(world):
    """An operator who forgets to commit, and takes tables in the order of their rows: payments do not wait for him."""
    operator = Session(world.postgres, world.postgres.address())
    operator.say("BEGIN; LOCK TABLE nostro.accounts, nostro.payments IN ACCESS EXCLUSIVE MODE;")
    world.payers.go_on()
    operator.say("ROLLBACK;")
    operator.end()


# --- Redis ---


def redis_dies(world):
    world.redis.kill()
    world.payers.go_on()
    world.redis.start()


def redis_forgets(world):
    world.redis.cli("FLUSHALL")


def redis_hangs(world):
    pid = int((world.redis.folder / "pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    world.payers.go_on()
    os.kill(pid, signal.SIGCONT)


# --- owners ---


def everything_dies(world):
    world.postgres.kill()
    world.redis.kill()
    world.fleet.kill()
    world.postgres.start()
    world.redis.start()
    world.fleet.begin()


FAULTS = [
    the_server_crashes,
    the_server_is_killed,
    all_connections_are_ended,
    a_backend_is_killed,
    all_backends_hang,
    somebody_locks_the_tables,
    redis_dies,
    redis_forgets,
    redis_hangs,
    the_owner_dies,
    the_owner_ends_in_order,
    an_owner_hangs_and_wakes_as_a_zombie,
    two_owners_begin_at_once,
    everything_dies,
    rules_change_and_programs_are_renewed_in_turn,
]


def test_whatever_breaks_nothing_that_was_answered_is_lost_or_moves_twice(nostro, postgres, own_redis, tmp_path):
    seal = tmp_path / "seal"
    seal.write_text(secrets.token_hex(32))
    sets = {"journal.kind": "postgres", "journal.postgres_url": postgres.url, "postgres.connect_pause": "50ms",
            "redis.key_file": seal}  # fmt: skip
    env = {"NOSTRO_POSTGRES_URL": postgres.url, "NOSTRO_REDIS_URL": own_redis.url}
    fleet = Fleet(lambda n: nostro(*PROFILES, sets=sets, env=env, data=tmp_path / f"data-{n}"), FENCED)
    world = SqlWorld(fleet, postgres, own_redis)
    fleet.begin()
    for faults in rounds(FAULTS):
        world.round(faults)
        world.look()
