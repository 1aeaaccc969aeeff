"""PostgreSQL beside nostro: SQL says what the journal says, whatever breaks, and payments never wait for it."""

import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import unique
from postgres_server import SOON, lag, part, projected, until
from program import run


def serve(nostro, postgres, *arguments, url=None, sets=None, **rest):
    env = {"NOSTRO_POSTGRES_URL": url or postgres.url}
    return nostro(*arguments, env=env, sets={**SOON, **(sets or {})}, **rest)


def same_as_journal(api, postgres, tenant="nostro"):
    """Every account and payment of the tenant, by HTTP and by SQL."""
    projected(api, "index")  # lists are read from it, and wait for it no longer than a while
    projected(api)
    accounts = {each["account_id"]: (each["balance"]["posted"], each["balance"]["held"], each["status"])
                for each in api.pages("/v1/accounts", tenant=tenant, limit=200)}  # fmt: skip
    found = {name: rest for name, *rest in postgres.rows(
        f"SELECT name, balance, held, status FROM nostro.accounts WHERE tenant = '{tenant}'")}  # fmt: skip
    assert {name: list(numbers) for name, numbers in accounts.items()} == found
    payments = {}
    for account in accounts:
        for each in api.pages("/v1/payments", tenant=tenant, account=account, limit=200):
            payments[each["payment_id"]] = [each["status"], each["amount"], each["reason"], each["captured_amount"]]
    rows = {name.replace("-", ""): rest for name, *rest in postgres.rows(
        "SELECT p.payment_id, p.status, p.amount, p.reason, o.amount FROM nostro.payments p LEFT JOIN nostro.outcomes o "
        f"ON o.payment_id = p.payment_id AND o.event = 'captured' WHERE p.tenant = '{tenant}'")}  # fmt: skip
    assert rows == payments
    sums = "SELECT currency, sum({}) FROM nostro.{} GROUP BY currency HAVING sum({}) <> 0"
    assert postgres.rows(sums.format("balance", "accounts", "balance")) == []
    assert postgres.rows(sums.format("amount", "entries", "amount")) == []
    # The newest entry of an account is where it stands; every entry begins where the one before ended.
    assert postgres.rows(
        "SELECT account_id FROM (SELECT account_id, amount, balance, coalesce(lag(balance) OVER w, 0) AS before "
        "FROM nostro.entries WINDOW w AS (PARTITION BY account_id ORDER BY seq, index)) e WHERE before + amount <> balance"
    ) == []  # fmt: skip
    return len(payments)


def test_payments_are_rows_with_their_why(nostro, postgres):
    program = serve(nostro, postgres)
    api = program.client()
    ada, bob = api.pair()
    settled = api.paid(ada, bob, "12.75", reference="inv 7", metadata={"a": "b"})
    rejected = api.paid(ada, bob, "5000.00", status="rejected")
    held = api.paid(ada, bob, "100.00", status="held", capture="manual")
    assert api.post(f"/v1/payments/{held}/capture", {"amount": "40.00"}, key=unique()).status == 202
    projected(api)
    rows = {name.replace("-", ""): rest for name, *rest in postgres.rows(
        "SELECT payment_id, status, reason, amount, settled_amount, reference, metadata ->> 'a' FROM nostro.payments")}  # fmt: skip
    assert rows == {
        settled: ["settled", None, "12.75", "12.75", "inv 7", "b"],
        rejected: ["rejected", "insufficient_funds", "5000.00", None, None, None],
        held: ["settled", None, "100.00", "40.00", None, None],
    }
    why = json.loads(postgres.one(f"SELECT why FROM nostro.outcomes WHERE payment_id = '{settled}'"))
    assert why == api.payment(settled)["why"]
    statement = postgres.rows("SELECT e.amount, e.balance FROM nostro.entries e JOIN nostro.accounts a USING (account_id) "
                              f"WHERE a.name = '{ada}' ORDER BY seq, index")  # fmt: skip
    assert statement == [["1000.00", "1000.00"], ["-12.75", "987.25"], ["-40.00", "947.25"]]
    assert same_as_journal(api, postgres) == 3


def test_changes_of_accounts_are_seen(nostro, postgres):
    program = serve(nostro, postgres)
    api = program.client()
    name = api.open("7.00", holder="Ada")
    change = {"status": "frozen", "holder": "Ada Lovelace", "metadata": {"k": "v"}, "risk_level": "high", "floor": "-5.00"}
    assert api.patch(f"/v1/accounts/{name}", change).status == 200
    projected(api)
    assert postgres.rows(f"SELECT holder, status, risk_level, floor, metadata ->> 'k', balance FROM nostro.accounts "
                         f"WHERE name = '{name}'") == [["Ada Lovelace", "frozen", "high", "-5.00", "v", "7.00"]]  # fmt: skip


ODD = ["'; DROP TABLE nostro.payments; --", "\\N \\. \\' $1 %s {} \"q\"", "a' OR '1'='1", "\u00e9\u20ac\U0001f600",
       "$$; SELECT pg_sleep(9); $$"]  # fmt: skip


def test_texts_are_never_sql(nostro, postgres):
    program = serve(nostro, postgres)
    api = program.client()
    for text in ODD:
        ada, bob = api.open(holder=text, metadata={text: text}), api.open("0")
        payment = api.paid(ada, bob, "1.00", reference=text, description=text, type=text[:32], metadata={"m": text})
        projected(api)
        assert postgres.rows("SELECT reference, description, metadata ->> 'm', type FROM nostro.payments "
                             f"WHERE payment_id = '{payment}'") == [[text, text, text, text[:32]]]  # fmt: skip
        assert postgres.rows(f"SELECT holder FROM nostro.accounts WHERE name = '{ada}'") == [[text]]
    assert same_as_journal(api, postgres) == len(ODD)


def test_a_lost_server_holds_up_nothing_and_catches_up(nostro, postgres):
    program = serve(nostro, postgres)
    api = program.client()
    ada, bob = api.pair("1000.00")
    projected(api)
    postgres.crash()
    for _ in range(20):
        api.paid(ada, bob, "1.00")
    assert until(lambda: lag(api) >= 20)
    waiting = until(lambda: (state := part(api, "feed postgres"))["ready"] or state)
    assert not waiting["needed"] and "PostgreSQL at 127.0.0.1" in waiting["reason"] and "frames behind" in waiting["reason"]
    assert api.get("/readiness").status == 200
    postgres.start()
    projected(api)
    assert until(lambda: part(api, "feed postgres")["ready"])
    assert same_as_journal(api, postgres) == 20


def test_sql_equals_the_journal_after_everything_was_killed(nostro, postgres, tmp_path):
    data = tmp_path / "data"
    program = serve(nostro, postgres, data=data)
    api = program.client()
    accounts = [api.open("10000.00") for _ in range(6)]
    told = []

    def pay(client, number, stop):
        try:
            while not stop.is_set():
                amount = "1.00" if number % 2 else "1.01"
                capture = "manual" if number == 2 else "automatic"
                answer = client.pay(accounts[number], accounts[(number + 1) % 6], amount, capture=capture)
                assert answer.status == 202, answer
                told.append(answer.json["payment_id"])
        except OSError:
            pass

    for victim in ("server", "nostro", "backends"):
        stop = threading.Event()
        clients = [program.client() for _ in range(4)]
        begun = len(told)
        with ThreadPoolExecutor(4) as pool:
            for number, client in enumerate(clients):
                pool.submit(pay, client, number, stop)
            until(lambda: len(told) - begun > 100)
            if victim == "server":
                postgres.crash()
                until(lambda: len(told) - begun > 200)
                postgres.start()
            elif victim == "backends":
                for _ in range(5):
                    postgres.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                  "WHERE application_name = 'nostro'")  # fmt: skip
            else:
                os.kill(program.pid, signal.SIGKILL)
            stop.set()
        if victim == "nostro":
            program.end(signal.SIGKILL)
            program = serve(nostro, postgres, data=data)
        api = program.client()
        assert same_as_journal(api, postgres) >= len(told)
    known = {name.replace("-", "") for (name,) in postgres.rows("SELECT payment_id FROM nostro.payments")}
    assert set(told) <= known
    assert "deadlock" not in postgres.log


def test_a_server_that_is_not_there_ends_the_start_with_what_was_tried(nostro, postgres, tmp_path):
    postgres.stop()
    try:
        program = serve(nostro, postgres)
        assert program.url is None and program.code == 3
        assert f"PostgreSQL at 127.0.0.1:{postgres.port}" in program.stderr and "tried 2 times" in program.stderr
    finally:
        postgres.start()


@pytest.mark.rows("LOG-W02")
def test_a_server_that_comes_late_is_waited_for(nostro, postgres):
    postgres.stop()
    late = threading.Timer(0.3, postgres.start)
    late.start()
    try:
        program = serve(nostro, postgres, sets={"postgres.connect_tries": "1000", "postgres.connect_pause": "100ms"})
        assert program.url, program.stderr
    finally:
        late.join()


def test_passwords_are_never_shown(nostro, postgres, tmp_path):
    secret = "very-secret-word"
    url = f"postgresql://postgres:{secret}@127.0.0.1:{postgres.port}/postgres"
    program = serve(nostro, postgres, url=url)
    assert program.code == 3 and "authentication failed" in program.stderr and secret not in program.stderr
    for words in (["config", "show"], ["config", "explain", "postgres.url"]):
        shown = run(*words, env={"NOSTRO_POSTGRES_URL": url})
        assert shown.returncode == 0 and "postgres:***@" in shown.stdout and secret not in shown.stdout
    masked = tmp_path / "shown.toml"
    masked.write_text(run("config", "show", env={"NOSTRO_POSTGRES_URL": url}).stdout)
    again = run("config", "check", "--config", masked)
    assert again.returncode == 2 and "its password is not there" in again.stderr
    shown = run("migrate", "--dry-run", "--profile", "tps", env={"NOSTRO_POSTGRES_URL": url})
    assert shown.returncode == 0 and secret not in shown.stdout and "CREATE TABLE" in shown.stdout


def test_migrating_again_does_nothing(postgres):
    env = {"NOSTRO_POSTGRES_URL": postgres.url}
    profiles = [word for name in ("upi", "tps", "logging", "clearing") for word in ("--profile", name)]
    first = run("migrate", *profiles, env=env)
    assert first.returncode == 0 and first.stdout.count("went from version 0 to ") == 5, first
    again = run("migrate", *profiles, env=env)
    assert again.returncode == 0 and again.stdout.count("is up to date") == 5, again
    nothing = run("migrate")
    assert nothing.returncode == 2 and "NOSTRO_POSTGRES_URL" in nothing.stderr


def test_a_role_that_only_writes_is_enough(nostro, postgres):
    assert run("migrate", env={"NOSTRO_POSTGRES_URL": postgres.url}).returncode == 0
    postgres.psql("CREATE ROLE feeds LOGIN PASSWORD 'only-feeds'", "GRANT USAGE ON SCHEMA nostro TO feeds",
                  "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA nostro TO feeds")  # fmt: skip
    url = postgres.address(role="feeds", password="only-feeds")
    program = serve(nostro, postgres, url=url, sets={"postgres.migrate": "false"})
    api = program.client()
    api.paid(*api.pair(), "1.00")
    assert same_as_journal(api, postgres) == 1
    program.stop()
    postgres.psql("DROP OWNED BY feeds")
    program = serve(nostro, postgres, url=url, sets={"postgres.migrate": "false"})
    assert program.code == 3 and "permission denied for schema nostro" in program.stderr
    postgres.psql("DROP ROLE feeds")


def test_tables_that_are_missing_are_asked_for(nostro, postgres):
    program = serve(nostro, postgres, sets={"postgres.migrate": "false"})
    assert program.code == 3 and "run `nostro migrate`" in program.stderr


def test_rows_that_were_edited_stop_the_feeding_and_no_payment(nostro, postgres, tmp_path):
    program = serve(nostro, postgres, data=tmp_path / "data")
    api = program.client()
    api.paid(*api.pair(), "1.00")
    projected(api)
    program.stop()
    # As a restored table beside a cursor that was not.
    postgres.psql("UPDATE nostro.entries SET amount = amount * 2 WHERE balance > 999", "DELETE FROM nostro.cursor")
    program = serve(nostro, postgres, data=tmp_path / "data")
    api = program.client()
    state = until(lambda: (state := part(api, "feed postgres"))["reason"] and state)
    assert "history differs: a row of nostro.entries" in state["reason"], state
    api.paid(*api.pair(), "1.00")


def test_another_journals_tables_are_left_alone(nostro, postgres, tmp_path):
    program = serve(nostro, postgres, data=tmp_path / "one")
    api = program.client()
    api.paid(*api.pair(), "1.00")
    projected(api)
    program.stop()
    before = postgres.psql("SELECT * FROM nostro.outcomes ORDER BY seq, index")
    program = serve(nostro, postgres, data=tmp_path / "two")
    if program.url:
        api = program.client()
        for _ in range(5):
            api.paid(*api.pair(), "1.00")
        assert "another journal" in until(lambda: part(api, "feed postgres")["reason"])
    else:
        assert program.code == 1 and "PostgreSQL" in program.stderr
    assert postgres.psql("SELECT * FROM nostro.outcomes ORDER BY seq, index") == before
