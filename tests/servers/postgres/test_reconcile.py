"""What is made from the journal is held against it: drift is named, mended, or adopted, and there is no false one."""

import json
import threading

import pytest
from client import unique
from postgres_server import SOON, lag, projected, until
from program import run
from redis_server import Redis, metric
from stream import Stream
from test_rows import Session

USERS = {"tps": "tps", "logging": "financedb", "clearing": "financial_db", "upi": "upi_db"}


def serve(nostro, postgres, *arguments, env=None, sets=None, **rest):
    program = nostro(*arguments, env={"NOSTRO_POSTGRES_URL": postgres.url, **(env or {})}, sets={**SOON, **(sets or {})}, **rest)
    assert program.url, program.stderr
    return program


def reconcile(program, *words):
    """Exit code, and the report."""
    done = run("reconcile", "--url", program.url, "--json", *words)
    assert done.stdout, done
    return done.returncode, json.loads(done.stdout)


def drifts(report):
    return [{"store": store["store"], **each} for store in report["stores"] for each in store["drifts"]]


def clean(program):
    code, report = reconcile(program)
    assert code == 0 and report["clean"] and not drifts(report), report
    return report


def deposit(api, ada, bob):
    """One of each that a profile has."""
    api.paid(ada, bob, "12.75")
    assert api.post("/transactions", {"user_id": "u1", "amount": 10, "currency": "USD"}).status == 200
    assert api.post("/transaction", {"sender": "a", "receiver": "b", "amount": 5}).status == 202
    pay = {"tx_id": unique(), "payer_id": "user_1", "payee_id": "user_2", "amount": 7}
    assert api.post("/v1/profiles/upi/messages", json.dumps(pay), form="application/x-ndjson").status == 202


def test_nothing_is_drift_while_everything_moves(nostro, postgres):
    program = serve(nostro, postgres, *(word for each in USERS for word in ("--profile", each)))
    api = program.client()
    ada, bob = api.pair("100000.00")
    ends = threading.Event()

    def pay():
        mine = program.client()
        while not ends.is_set():
            deposit(mine, ada, bob)
            name = unique()
            postgres.psql("INSERT INTO transactions (transaction_id, amount, from_account, to_account) VALUES "
                          f"('{name}', 1.00, 'ACC001', 'ACC002')", database="financial_db")  # fmt: skip

    threads = [threading.Thread(target=pay) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        through = []

        def moved():
            through.append({store["store"]: store["through"] for store in clean(program)["stores"]})
            return len(through) >= 6 and all(through[0][store] < through[-1][store] for store in through[0])

        until(moved)
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    for store in through[0]:
        projected(api, store)
    report = clean(program)
    assert {store["store"] for store in report["stores"]} == {"postgres", *(f"postgres_{each}" for each in USERS)}
    # A look at the tables themselves: what was counted is there.
    for store, database, tables in (("postgres_tps", "tps", ["transactions"]), ("postgres_upi", "upi_db", ["users", "transactions"])):
        rows = sum(int(postgres.one(f"SELECT count(*) FROM {table}", database=database)) for table in tables)
        assert next(each for each in report["stores"] if each["store"] == store)["rows"] == rows > 0


EDITS = [
    ("postgres", "nostro.payments", "UPDATE nostro.payments SET status = 'rejected' WHERE tenant = 'nostro'", "status", "settled", "rejected"),
    ("tps", "public.transactions", "UPDATE transactions SET amount = amount + 0.01", "amount", "10.0000", "10.0100"),
    ("logging", "public.transactions", "UPDATE transactions SET sender = 'c'", "sender", "a", "c"),
    ("upi", "public.users", "UPDATE users SET balance = 1 WHERE id = 'user_2'", "balance", None, "1"),
    ("upi", "public.transactions", "DELETE FROM transactions", None, "a row", None),
    ("clearing", "public.accounts", "UPDATE accounts SET status = 'FROZEN' WHERE account_number = 'ACC001'", "status", "ACTIVE", "FROZEN"),
    ("clearing", "public.transaction_audit", "INSERT INTO transaction_audit (transaction_id, old_status, new_status, changed_by) "
     "SELECT transaction_id, 'x', 'y', 'me' FROM transactions LIMIT 1", None, None, "a row"),
]  # fmt: skip


def test_drift_is_named_with_both_values_and_mended(nostro, postgres):
    program = serve(nostro, postgres, *(word for each in USERS for word in ("--profile", each)))
    api = program.client()
    ada, bob = api.pair()
    deposit(api, ada, bob)
    postgres.psql("INSERT INTO transactions (transaction_id, amount, from_account, to_account) VALUES ('T1', 1.00, "
                  "'ACC001', 'ACC002')", database="financial_db")  # fmt: skip
    until(lambda: postgres.one("SELECT status FROM transactions WHERE transaction_id = 'T1'", database="financial_db") == "settled")
    for store in ("postgres", *(f"postgres_{each}" for each in USERS)):
        projected(api, store)
    clean(program)
    for profile, table, sql, column, journal, found in EDITS:
        postgres.psql(sql, database=USERS.get(profile, "postgres"))
        code, report = reconcile(program)
        assert code == 1 and not report["clean"]
        (drift,) = drifts(report)
        assert (drift["place"], drift["column"], drift["found"]) == (table, column, found), (sql, drift)
        assert journal is None or drift["journal"] == journal, (sql, drift)
        code, report = reconcile(program, "--repair", "--by", "ops")
        assert code == 0 and [store["mended"] for store in report["stores"] if store["drift"]] == [1], report
        clean(program)
    # Rows that people put in are no drift, whatever becomes of them.
    postgres.psql("INSERT INTO transactions (transaction_id, amount, from_account, to_account, status) VALUES "
                  "('OLD', 1.00, 'ACC001', 'ACC002', 'archived')", database="financial_db")  # fmt: skip
    report = clean(program)
    assert next(each for each in report["stores"] if each["store"] == "postgres_clearing")["unknown"] == 1
    shown = run("reconcile", "--url", program.url)
    assert shown.returncode == 0 and "says what the journal says" in shown.stdout and "1 rows of others" in shown.stdout


def balance(api, account, tenant="nostro"):
    return api.get(f"/v1/accounts/{account}/balance?tenant={tenant}").json["posted"]


def test_an_edited_balance_is_adopted_once_and_the_journal_says_who_and_why(nostro, postgres, tmp_path):
    data = tmp_path / "data"
    program = serve(nostro, postgres, "--profile", "clearing", data=data)
    api = program.client()
    ada, bob = api.pair()
    for store in ("postgres", "postgres_clearing"):
        projected(api, store)
    before = balance(api, "ACC001", "clearing")
    postgres.psql(f"UPDATE nostro.accounts SET balance = balance + 20.5 WHERE name = '{ada}'")
    postgres.psql("UPDATE accounts SET balance = balance - 30 WHERE account_number = 'ACC001'", database="financial_db")
    code, report = reconcile(program)
    found = drifts(report)
    assert code == 1 and len(found) == 2 and all(each["balance"] for each in found), found
    assert (balance(api, ada), balance(api, "ACC001", "clearing")) == ("1000.00", before)
    refused = run("reconcile", "--url", program.url, "--adopt")
    assert refused.returncode == 2 and "--by" in refused.stderr
    words = ("--adopt", "--by", "ops.lee", "--reason", "bank statement 7")
    code, report = reconcile(program, *words)
    assert code == 0, report
    taken = {each["place"]: each["amount"] for store in report["stores"] for each in store["adopted"]}
    assert taken == {"nostro.accounts": "20.50", "public.accounts": "-30.00"}
    for _ in range(2):  # nothing is left to adopt
        code, report = reconcile(program, *words)
        assert code == 0 and not drifts(report) and not any(store["adopted"] for store in report["stores"])
    assert balance(api, ada) == "1020.50" and float(balance(api, "ACC001", "clearing")) == float(before) - 30
    for store in ("postgres", "postgres_clearing"):
        projected(api, store)
    assert postgres.one(f"SELECT balance FROM nostro.accounts WHERE name = '{ada}'") == "1020.50"
    assert postgres.rows("SELECT currency FROM nostro.accounts GROUP BY currency HAVING sum(balance) <> 0") == []
    entries = api.get(f"/v1/accounts/{ada}/entries?tenant=nostro").json["data"]
    assert [(each["event"], each["direction"], each["amount"]) for each in entries if each["event"] == "balance_adjusted"] == [
        ("balance_adjusted", "credit", "20.50")]  # fmt: skip
    # The same trail in SQL and in the journal.
    notes = [note for (note,) in postgres.rows("SELECT why ->> 'note' FROM nostro.outcomes WHERE event = 'balance_adjusted'")]
    assert len(notes) == 2 and all(note.startswith("ops.lee: bank statement 7 (adopted from postgres") for note in notes)
    clean(program)
    program.stop()
    log = run("log", "--data", data, "--outcomes")
    assert log.stdout.count("because ops.lee: bank statement 7") == 2, log
    proved = run("verify", "--data", data)
    assert proved.returncode == 0, proved.stdout + proved.stderr


def test_drift_is_noticed_by_itself_and_so_is_its_end(nostro, postgres):
    program = serve(nostro, postgres, sets={"reconcile.interval": "50ms"})
    api = program.client()
    ada, bob = api.pair()
    projected(api)

    def metric(name):
        lines = api.get("/metrics").body.decode().splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f'{name}{{store="postgres"}}'))

    until(lambda: metric("nostro_reconcile_buckets_total") > 0)
    with Stream(program.port) as stream:
        postgres.psql(f"UPDATE nostro.accounts SET balance = 5 WHERE name = '{ada}'")
        name, data = stream.next()
        assert name == "drift" and data["store"] == "postgres" and data["drift"] == 1
        assert metric("nostro_reconcile_drift") == 1
        until(lambda: " drift " in program.stderr)
        api.paid(ada, bob, "1.00")  # writes the balance again
        while name != "drift" or data["drift"] != 0:
            name, data = stream.next()
    until(lambda: "drift_gone" in program.stderr)
    until(lambda: metric("nostro_reconcile_drift") == 0)
    clean(program)


def test_documents_in_redis_that_are_wrong_stale_or_missing_are_found_and_rewritten(nostro, tmp_path):
    redis = Redis(tmp_path / "redis")
    try:
        program = nostro("--profile", "upi", "--profile", "tps", env={"NOSTRO_REDIS_URL": redis.url})
        api = program.client()
        for _ in range(3):
            pay = {"tx_id": unique(), "payer_id": "user_1", "payee_id": "user_2", "amount": 7}
            assert api.post("/v1/profiles/upi/messages", json.dumps(pay), form="application/x-ndjson").status == 202
        number = api.post("/transactions", {"user_id": "u1", "amount": 10, "currency": "USD"}).json["id"]
        until(lambda: lag(api, "redis") == 0 and lag(api, "index") == 0)
        until(lambda: all(redis.cli("GET", key) for key in ("balance:user_1", f"txn:{number}")))
        clean(program)
        right = {key: redis.cli("GET", key) for key in ("balance:user_1", "balance:user_2", f"txn:{number}")}
        day = next(iter(redis.keys("daily:*")))
        redis.cli("SET", "balance:user_1", "1")
        redis.cli("DEL", "balance:user_2")
        redis.cli("SET", f"nostro:v:{day}", "0" * 24, "KEEPTTL")
        redis.cli("DEL", f"txn:{number}")
        redis.cli("RPUSH", f"txn:{number}", "x")
        code, report = reconcile(program)
        found = {each["key"]: (each["kind"], each["column"], each["found"]) for each in drifts(report)}
        assert code == 1 and found == {
            "balance:user_1": ("differs", None, "1"),
            "balance:user_2": ("missing", None, None),
            day: ("differs", "version", "0" * 24),
            f"txn:{number}": ("differs", None, "a list"),
        }
        code, report = reconcile(program, "--repair")
        assert code == 0, report
        assert {key: redis.cli("GET", key) for key in right} == right
        clean(program)
        # An older copy that says it is newer than anything.
        redis.cli("SET", "balance:user_1", "2")
        redis.cli("SET", "nostro:v:balance:user_1", "f" * 24)
        assert reconcile(program)[0] == 1 and reconcile(program, "--repair")[0] == 0
        assert redis.cli("GET", "balance:user_1") == right["balance:user_1"]
        clean(program)
    finally:
        redis.stop()


def test_what_an_account_is_called_later_makes_no_document_of_before_wrong(nostro, redis):
    program = nostro("--profile", "clearing", env={"NOSTRO_REDIS_URL": redis.url})
    api = program.client()

    def send(name, amount, **fields):
        body = {"transaction_id": name, "amount": amount, "from_account": "ACC001", "to_account": "ACC002", **fields}
        assert api.post("/v1/profiles/clearing/messages", json.dumps(body), form="application/x-ndjson").status == 202

    def told():
        projected(api, "redis")
        until(lambda: metric(program, "nostro_redis_missing_frames") == 0)
        return {key: redis.hash(key) for key in redis.keys()}

    send("T1", 10.5)
    send("T2", 10000000)  # rejected: it has no such money
    before = told()
    assert before["settlement:T1"]["from_customer_name"] == "John Doe" and "rejected:T2" in before
    for account in ("ACC001", "ACC002"):
        changed = api.patch(f"/v1/accounts/{account}", {"holder": "Ada King", "risk_level": "high"}, tenant="clearing")
        assert changed.status == 200, changed
    send("T3", 10.5)
    after = told()
    assert after["settlement:T3"]["from_customer_name"] == "Ada King"
    assert {key: after[key] for key in before} == before
    clean(program)
    redis.cli("FLUSHALL")
    until(lambda: told() == after)
    clean(program)


def test_a_server_that_goes_in_the_middle_of_a_repair_leaves_nothing_half_mended(nostro, postgres):
    program = serve(nostro, postgres)
    api = program.client()
    ada, bob = api.pair()
    api.paid(ada, bob, "1.00")
    projected(api)
    postgres.psql("UPDATE nostro.accounts SET holder = 'me'", "UPDATE nostro.entries SET balance = 5")
    edited = "SELECT (SELECT count(*) FROM nostro.accounts WHERE holder = 'me'), (SELECT count(*) FROM nostro.entries WHERE balance = 5)"
    edits = postgres.rows(edited)
    reader = Session(postgres, postgres.address())
    reader.say("BEGIN; LOCK TABLE nostro.entries IN SHARE MODE;")  # as a backup does: whoever writes there waits
    answers = []
    repair = threading.Thread(target=lambda: answers.append(reconcile(program, "--repair")))
    try:
        repair.start()
        # Its accounts are mended, in a transaction that waits for the entries.
        until(lambda: postgres.one("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'nostro'") == "1")
        postgres.crash()
        repair.join()
    finally:
        reader.process.communicate()
        postgres.start()
    code, report = answers[0]
    assert code == 3 and not report["clean"], report
    (store,) = report["stores"]
    assert "PostgreSQL at" in store["error"] and not store["mended"] and not store["drifts"], store
    assert postgres.rows(edited) == edits
    code, report = until(lambda: (done := reconcile(program, "--repair"))[0] != 3 and done)
    assert code == 0 and report["stores"][0]["mended"] > 2, report
    assert postgres.rows(edited) == [["0", "0"]]
    clean(program)


def test_servers_that_are_away_are_named_and_the_others_are_compared(nostro, postgres, own_redis, tmp_path):
    data = tmp_path / "data"
    program = serve(nostro, postgres, "--profile", "upi", data=data, env={"NOSTRO_REDIS_URL": own_redis.url})
    api = program.client()
    api.pair()
    projected(api), projected(api, "redis")
    clean(program)
    own_redis.kill()
    code, report = reconcile(program, "--repair")
    errors = {store["store"]: store["error"] for store in report["stores"]}
    assert code == 3 and "Redis at" in errors.pop("redis") and set(errors.values()) == {None}, report
    shown = run("reconcile", "--url", program.url)
    assert shown.returncode == 3 and "not compared" in shown.stdout and "says what the journal says" in shown.stdout, shown
    postgres.crash()
    offline = ("reconcile", "--offline", "--set", f"data.dir={data}", "--set", "postgres.connect_tries=1")
    try:
        code, report = reconcile(program)
        assert code == 3 and all(store["error"] for store in report["stores"]), report
        shown = run(*offline, env={"NOSTRO_POSTGRES_URL": postgres.url})
        assert shown.returncode == 3 and "PostgreSQL at" in shown.stdout + shown.stderr, shown
    finally:
        own_redis.start()
        postgres.start()
    until(lambda: reconcile(program)[0] == 0)


def test_what_cannot_be_compared_is_said(nostro, postgres):
    program = nostro()
    asked = run("reconcile", "--url", program.url)
    assert asked.returncode == 1 and "postgres.url" in asked.stderr
    program.stop()
    program = serve(nostro, postgres)
    api = program.client()
    api.pair()
    projected(api)
    postgres.psql("ALTER TABLE nostro.payments RENAME COLUMN reference TO ref")
    code, report = reconcile(program)
    assert code == 3 and "nostro.payments has no column reference" in report["stores"][0]["error"]
    postgres.psql("ALTER TABLE nostro.payments RENAME COLUMN ref TO reference")
    clean(program)


def test_without_a_service_the_settings_say_where_both_are(nostro, postgres, tmp_path):
    data = tmp_path / "data"
    program = serve(nostro, postgres, *(word for each in USERS for word in ("--profile", each)), data=data)
    api = program.client()
    ada, bob = api.pair()
    deposit(api, ada, bob)
    held = api.paid(ada, bob, "3.00", capture="manual", status="held")
    assert api.post(f"/v1/payments/{held}/capture", {}).status == 202
    for store in ("postgres", *(f"postgres_{each}" for each in USERS)):
        projected(api, store)
    env = {"NOSTRO_POSTGRES_URL": postgres.url}
    words = ("reconcile", "--offline", "--data", data, *(word for each in USERS for word in ("--profile", each)))

    def compared(*more):
        done = run(*words, "--json", *more, env=env)
        assert done.stdout, done
        return done.returncode, json.loads(done.stdout)

    code, report = compared()  # beside the owner
    assert code == 0 and report["clean"], report
    assert {store["store"] for store in report["stores"]} == {"postgres", *(f"postgres_{each}" for each in USERS)}
    assert all(store["rows"] for store in report["stores"])
    program.stop()
    assert compared()[0] == 0
    postgres.psql("UPDATE nostro.payments SET status = 'rejected' WHERE amount = 12.75 AND tenant = 'nostro'")
    postgres.psql("DELETE FROM transactions", database="tps")
    code, report = compared()
    assert code == 1 and {(each["place"], each["column"]) for each in drifts(report)} == {
        ("nostro.payments", "status"), ("public.transactions", None)}  # fmt: skip
    shown = run(*words, env=env)
    assert shown.returncode == 1 and "journal settled, found rejected" in shown.stdout, shown
    code, report = compared("--repair")
    assert code == 0 and sum(store["mended"] for store in report["stores"]) == 2, report
    assert compared()[0] == 0


@pytest.mark.parametrize(("words", "says"), [
    (("--offline", "--adopt", "--by", "me", "--reason", "x"), "running service"),
    (("--set", "data.dir=x"), "go with --offline"),
    (("--data", "x"), "go with --offline"),
    (("--offline", "--data", "/no/such/folder"), "data.dir"),
    (("--offline", "--set", "journal.kind=memory"), "nostro pull"),
    (("--offline", "--set", "no.such=1"), "no.such"),
])  # fmt: skip
def test_a_wrong_wish_is_said(words, says):
    done = run("reconcile", *words, env={"NOSTRO_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none"})
    assert done.returncode == 2 and says in done.stderr and not done.stdout, done
