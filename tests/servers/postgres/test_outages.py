"""Servers that answer, and will not write: said clearly, waited for, and nothing is lost."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest
from client import unique
from postgres_server import SOON, Postgres, lag, part, projected, until
from program import ROOT, run
from test_postgres import same_as_journal
from test_rows import AS_USER, FEED, Session, insert, settled


def serve(nostro, postgres, *arguments, sets=None, **rest):
    program = nostro(*arguments, env={"NOSTRO_POSTGRES_URL": postgres.url}, sets={**SOON, **(sets or {})}, **rest)
    assert program.url, program.stderr
    return program


def set_to(postgres, value):
    """As a server that follows another one, or is being moved: whoever comes anew may read only."""
    postgres.psql("SET default_transaction_read_only = off", f"ALTER SYSTEM SET default_transaction_read_only = {value}",
                  "SELECT pg_reload_conf()")  # fmt: skip
    until(lambda: postgres.one("SHOW default_transaction_read_only") == value)
    postgres.psql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'nostro'")


def test_a_read_only_server_is_waited_for_while_payments_go_on(nostro, postgres):
    program = serve(nostro, postgres)
    api = program.client()
    ada, bob = api.pair("100.00")
    projected(api)
    set_to(postgres, "on")
    try:
        for _ in range(10):
            api.paid(ada, bob, "1.00")
        assert until(lambda: lag(api) >= 10)
        state = until(lambda: "read-only transaction" in ((state := part(api, "feed postgres"))["reason"] or "") and state)
        assert not state["needed"] and api.get("/readiness").status == 200
    finally:
        set_to(postgres, "off")
    projected(api)
    assert postgres.one("SELECT count(*) FROM nostro.payments") == "10"
    assert until(lambda: part(api, "feed postgres")["ready"])


def test_a_read_only_journal_stops_intake_and_loses_nothing(nostro, postgres):
    program = serve(nostro, postgres, sets={"journal.kind": "postgres", "journal.sql_is_the_ledger": "true"})
    api = program.client()
    ada, bob = api.pair("100.00")
    api.paid(ada, bob, "1.00")
    key, body = unique(), {"debtor_account": ada, "creditor_account": bob, "amount": "2.00", "currency": "USD"}
    first = []
    waiting = threading.Thread(target=lambda: first.append(program.client().post("/v1/payments", {**body, "amount": "3.00"}, key=unique())))
    # In a frame that waits for a lock before the server takes nothing: else the journal may find out first, and refuse it.
    reader = Session(postgres, postgres.address())
    reader.say("BEGIN; LOCK TABLE nostro_journal.books IN SHARE MODE;")
    try:
        waiting.start()  # sent to a server that takes nothing: answered when it does
        until(lambda: postgres.one("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'nostro'") == "1")
        set_to(postgres, "on")
        reader.say("ROLLBACK;")
        reader.end()
        until(lambda: "journal_waits" in program.stderr)
        refused = until(lambda: "read-only" in (answer := api.post("/v1/payments", body, key=key)).json["detail"] and answer)
        assert refused.status == 503 and refused.json["code"] == "journal_unavailable" and refused.headers["Retry-After"]
        assert "read-only transaction" in (part(api, "journal")["reason"] or "")
    finally:
        reader.process.kill()
        set_to(postgres, "off")
    until(lambda: api.post("/v1/payments", body, key=key).status == 202)
    waiting.join()
    assert first[0].status == 202, first
    # What was answered stands in SQL at once.
    assert postgres.one("SELECT count(*) FROM nostro.payments WHERE amount = 2.00 AND status = 'settled'") == "1"
    posted = api.balance(bob)["posted"]
    assert postgres.one(f"SELECT balance FROM nostro.accounts WHERE name = '{bob}'") == posted


def test_tables_in_another_database_are_no_ledger(nostro, postgres):
    postgres.psql("CREATE DATABASE other")
    program = nostro(env={"NOSTRO_POSTGRES_URL": postgres.url},
                     sets={**SOON, "journal.kind": "postgres", "journal.sql_is_the_ledger": "true",
                           "journal.postgres_url": postgres.address("other")})  # fmt: skip
    assert program.code == 2 and "name the same database" in program.stderr
    lone = nostro(sets={"journal.sql_is_the_ledger": "true"})
    assert lone.code == 2 and "journal.kind" in lone.stderr


# --- disks ---


class SmallDisk:
    """A server whose tables stand on a file system of 64 MiB."""

    def __init__(self):
        self.folder, self.holder, enter = tempfile.mkdtemp(prefix="nostro-small-"), None, []
        mount = ["mount", "-t", "tmpfs", "-o", "size=64m,mode=777", "tmpfs", self.folder]
        if subprocess.run(mount, capture_output=True).returncode != 0:
            # Who may not mount for all may mount in a namespace of their own, where the server runs then.
            self.holder = subprocess.Popen(
                ["unshare", "-U", "--map-current-user", "--keep-caps", "-m", "sh", "-c", '"$@" && echo ready && exec cat', "sh",
                 *mount], stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
            assert self.holder.stdout.readline() == b"ready\n", "neither root nor a user namespace may mount a tmpfs here"
            enter = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(self.holder.pid), "--"]
        self.postgres = Postgres(enter)
        if not self.holder:  # the server's user is another one
            os.chown(self.folder, (self.postgres.folder / "data").stat().st_uid, -1)
        self.postgres.psql(f"CREATE TABLESPACE small LOCATION '{self.folder}'", "GRANT CREATE ON TABLESPACE small TO PUBLIC",
                           "ALTER SYSTEM SET default_tablespace = small", "SELECT pg_reload_conf()")  # fmt: skip
        until(lambda: self.postgres.one("SHOW default_tablespace") == "small")

    def fill(self):
        done = subprocess.run(["psql", "-X", self.postgres.url, "-c", f"COPY (SELECT repeat('x', 1 << 16) FROM "
                               f"generate_series(1, 2000)) TO '{self.folder}/ballast'"], capture_output=True, text=True)  # fmt: skip
        assert "No space left on device" in done.stderr, done

    def empty(self):
        self.postgres.psql(f"COPY (SELECT) TO '{self.folder}/ballast'")

    def end(self):
        self.postgres.end()
        if self.holder:
            self.holder.communicate()
        else:
            subprocess.run(["umount", self.folder], check=True)
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def small_disk():
    disk = SmallDisk()
    yield disk
    disk.end()


def test_a_full_disk_holds_up_the_tables_and_no_payment(nostro, small_disk):
    postgres = small_disk.postgres
    postgres.forget()
    program = serve(nostro, postgres, "--profile", "clearing")
    api = program.client()
    ada, bob = api.pair("1000.00")
    postgres.psql(insert("BEFORE"), **AS_USER)
    settled(postgres, "BEFORE")
    small_disk.fill()
    try:
        paid = 0
        while "No space left on device" not in (part(api, "feed postgres")["reason"] or ""):
            api.paid(ada, bob, "0.01", description="x" * 200)
            paid += 1
        assert lag(api) > 0 and api.get("/readiness").status == 200 and not part(api, "feed postgres")["ready"]
        for number in range(100):  # through the topic's door, for the tables of clearing
            message = f'{{"transaction_id": "M{number}", "amount": 0.01, "from_account": "ACC001", "to_account": "ACC002"}}'
            answer = api.post("/v1/profiles/clearing/messages", message, form="application/x-ndjson")
            assert answer.status == 202, answer
        until(lambda: "No space left on device" in (part(api, f"feed {FEED}")["reason"] or "") or lag(api, FEED) == 0)
    finally:
        small_disk.empty()
    projected(api)
    projected(api, FEED)
    assert postgres.one("SELECT count(*) FROM transactions WHERE status = 'settled'", **AS_USER) == "101"
    assert same_as_journal(api, postgres) == paid
    assert same_as_journal(api, postgres, "clearing") == 101
    assert until(lambda: part(api, "feed postgres")["ready"] and part(api, f"feed {FEED}")["ready"])


def test_a_full_disk_under_the_journal_stops_intake_and_loses_nothing(nostro, small_disk):
    postgres = small_disk.postgres
    postgres.forget()
    program = serve(nostro, postgres, sets={"journal.kind": "postgres"})
    api = program.client()
    ada, bob = api.pair("1000.00")
    answers, full = [], threading.Event()

    def pay(client):
        while not full.is_set():
            key = unique()
            body = {"debtor_account": ada, "creditor_account": bob, "amount": "0.01", "currency": "USD", "description": "x" * 500}
            while (answer := client.post("/v1/payments", body, key=key)).status == 503:
                pass
            assert answer.status == 202, answer
            answers.append(answer.json["payment_id"])

    small_disk.fill()
    payers = [threading.Thread(target=pay, args=(program.client(),)) for _ in range(4)]
    try:
        for payer in payers:
            payer.start()
        until(lambda: "No space left on device" in (part(api, "journal")["reason"] or ""))
        refused = api.pay(ada, bob, "0.01")  # those before it may all be in frames that wait
        assert refused.status == 503 and refused.json["code"] == "journal_unavailable", refused
        assert refused.headers["Retry-After"], refused
        assert api.get("/v1/payments", account=ada, limit=1).status == 200
    finally:
        small_disk.empty()
        full.set()
    for payer in payers:
        payer.join()
    assert until(lambda: part(api, "journal")["ready"])
    assert len(set(answers)) == len(answers) >= 4
    assert same_as_journal(api, postgres) == len(answers)
    assert api.balance(bob)["posted"] == f"{len(answers) / 100:.2f}"
    program.stop()
    assert run("verify", "--data", program.data).returncode == 0


# --- versions ---


class Older:
    """On the way through here a server says that it is of version 11."""

    def __init__(self, postgres):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.to = postgres.port
        self.url = postgres.url.replace(f":{postgres.port}/", f":{self.listener.getsockname()[1]}/")
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()
        except OSError:
            pass

    @staticmethod
    def _pass(source, to):
        try:
            while data := source.recv(65536):
                to.sendall(re.sub(rb"server_version\0\d\d\.", b"server_version\x0011.", data))
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_a_server_that_is_too_old_is_named(nostro, postgres, tmp_path):
    older = Older(postgres)
    try:
        says = "it is version 11, and nostro needs 12 or newer"
        for sets in ({}, {"journal.kind": "postgres"}, {"journal.kind": "postgres", "inbox.kind": "postgres"}):
            program = nostro("--profile", "tps", env={"NOSTRO_POSTGRES_URL": older.url}, sets={**SOON, **sets}, data=tmp_path / unique())
            assert program.url is None and program.code in (2, 3), program.stderr
            assert says in program.stderr and "tried" not in program.stderr
        migrated = run("migrate", env={"NOSTRO_POSTGRES_URL": older.url})
        assert migrated.returncode in (2, 3) and says in migrated.stderr
        assert postgres.rows("SELECT nspname FROM pg_namespace WHERE nspname ~ '^nostro'") == []
    finally:
        older.end()


# --- tables that somebody has changed ---

HOME = {"database": "postgres"}
CLEARING = {"database": "financial_db"}
CHANGES = [  # where, what somebody does, what brings it back, the part that tells, and what it says
    (HOME, "ALTER TABLE nostro.payments RENAME COLUMN debtor TO payer", "ALTER TABLE nostro.payments RENAME COLUMN payer TO debtor",
     "feed postgres", "debtor"),
    (HOME, "ALTER TABLE nostro.entries ADD COLUMN somebodys text NOT NULL DEFAULT 'x'; ALTER TABLE nostro.entries ALTER COLUMN "
     "somebodys DROP DEFAULT", "ALTER TABLE nostro.entries DROP COLUMN somebodys",
     "feed postgres", "somebodys"),
    (HOME, "ALTER TABLE nostro.entries ADD CONSTRAINT small CHECK (amount < 0) NOT VALID", "ALTER TABLE nostro.entries DROP CONSTRAINT small",
     "feed postgres", "small"),
    (HOME, "ALTER TABLE nostro.cursor RENAME TO c", "ALTER TABLE nostro.c RENAME TO cursor", "feed postgres", "nostro.cursor"),
    (CLEARING, "ALTER TABLE transaction_audit RENAME TO audits", "ALTER TABLE audits RENAME TO transaction_audit",
     "feed postgres_clearing", "transaction_audit"),
    (CLEARING, "ALTER TABLE transactions RENAME COLUMN status TO state", "ALTER TABLE transactions RENAME COLUMN state TO status",
     "feed postgres_clearing", "status"),
    (CLEARING, "ALTER TABLE nostro.arrivals RENAME TO a", "ALTER TABLE nostro.a RENAME TO arrivals", "rows of clearing",
     "nostro.arrivals"),
    (CLEARING, "ALTER TABLE transactions DISABLE TRIGGER nostro_arrivals", "ALTER TABLE transactions ENABLE TRIGGER nostro_arrivals",
     "rows of clearing", "public.transactions has no trigger nostro_arrivals that is enabled"),
]  # fmt: skip


def test_tables_that_somebody_changes_are_named_and_nothing_is_lost(nostro, postgres):
    program = serve(nostro, postgres, "--profile", "clearing", sets={"journal.kind": "postgres"})
    api = program.client()
    projected(api, FEED)
    paid = 0
    for where, change, back, told_by, says in CHANGES:
        postgres.psql(change, **where)
        message = f'{{"transaction_id": "M{paid}", "amount": 0.01, "from_account": "ACC001", "to_account": "ACC002"}}'
        answer = api.post("/v1/profiles/clearing/messages", message, form="application/x-ndjson")
        assert answer.status == 202, answer
        paid += 1
        state = until(lambda told_by=told_by: (state := part(api, told_by))["reason"] and state)
        assert says in state["reason"] and not state["ready"] and not state["needed"], state
        assert api.get("/readiness").status == 200
        postgres.psql(back, **where)
        until(lambda told_by=told_by: part(api, told_by)["ready"])
        projected(api)
        projected(api, FEED)
    # Rows that were inserted while their trigger was off are noted as the page says.
    postgres.psql(CHANGES[-1][1], insert("UNNOTED"), CHANGES[-1][2], **CLEARING)
    section = (ROOT / "docs/operations/postgres.md").read_text().split("## Rows that come in\n")[1].split("\n## ")[0]
    postgres.psql(section.split("```sql\n")[2].split("```")[0], **CLEARING)
    settled(postgres, "UNNOTED")
    assert same_as_journal(api, postgres) == 0
    assert same_as_journal(api, postgres, "clearing") == paid + 1
    assert postgres.one("SELECT count(*) FROM transactions WHERE status = 'settled'", **CLEARING) == str(paid + 1)
    done = run("reconcile", "--url", program.url)
    assert done.returncode == 0, done.stdout
    program.stop()
    assert run("verify", "--data", program.data).returncode == 0


def test_a_role_that_loses_its_rights_is_named_and_nothing_is_lost(nostro, postgres):
    first = serve(nostro, postgres, sets={"journal.kind": "postgres"})
    first.stop()
    for kind, schema in (("books", "nostro_journal"), ("tables", "nostro")):
        postgres.psql(f"CREATE ROLE {kind} LOGIN PASSWORD 'p'", f"GRANT USAGE ON SCHEMA {schema} TO {kind}",
                      f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {kind}")  # fmt: skip
    program = nostro(env={"NOSTRO_POSTGRES_URL": postgres.address(role="tables", password="p")}, data=first.data,
                     sets={**SOON, "journal.kind": "postgres", "postgres.migrate": "false",
                           "journal.postgres_url": postgres.address(role="books", password="p")})  # fmt: skip
    assert program.url, program.stderr
    api = program.client()
    ada, bob = api.pair("100.00")
    projected(api)
    postgres.psql("REVOKE INSERT ON nostro.payments FROM tables")
    api.paid(ada, bob, "1.00")
    until(lambda: "permission denied for table payments" in (part(api, "feed postgres")["reason"] or ""))
    postgres.psql("REVOKE INSERT ON nostro_journal.frames FROM books")
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(program.client().pay(ada, bob, "2.00")))
    waiting.start()
    until(lambda: "journal_waits" in program.stderr)
    refused = api.pay(ada, bob, "3.00")
    assert refused.status == 503 and "permission denied for table frames" in refused.json["detail"], refused
    postgres.psql("GRANT INSERT ON nostro_journal.frames TO books", "GRANT INSERT ON nostro.payments TO tables")
    waiting.join()
    assert answers[0].status == 202, answers
    until(lambda: part(api, "journal")["ready"])
    api.paid(ada, bob, "4.00")
    assert same_as_journal(api, postgres) == 3
    assert api.balance(bob)["posted"] == "7.00"
    program.stop()
    postgres.psql("DROP OWNED BY books, tables")
