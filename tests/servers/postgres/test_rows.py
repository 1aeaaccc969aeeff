"""Clearing's input is an INSERT: rows that people put into its tables are taken, each once."""

import os
import subprocess
import threading

import pytest
from postgres_server import SOON, part, projected, until
from program import PATIENCE_S, run

AS_USER = {"database": "financial_db", "role": "user", "password": "pass"}
FEED = "postgres_clearing"


def serve(nostro, postgres, wait=True, **rest):
    program = nostro("--profile", "clearing", env={"NOSTRO_POSTGRES_URL": postgres.url}, sets=SOON, **rest)
    assert program.url, program.stderr
    if wait:  # until the sample accounts are in SQL
        projected(program.client(), FEED)
    return program


def insert(name, amount="1.00", debtor="ACC001", creditor="ACC002"):
    return ("INSERT INTO transactions (transaction_id, amount, from_account, to_account, transaction_type, description) "
            f"VALUES ('{name}', {amount}, '{debtor}', '{creditor}', 'TRANSFER', 'a test');")  # fmt: skip


def inserts(name, count, amount, debtor, creditor):
    return ("INSERT INTO transactions (transaction_id, amount, from_account, to_account, transaction_type, description) "
            f"SELECT '{name}' || n, {amount}, '{debtor}', '{creditor}', 'TRANSFER', 'a test' FROM generate_series(1, {count}) n;")  # fmt: skip


def statuses(postgres):
    return dict(postgres.rows("SELECT transaction_id, status FROM transactions", **AS_USER))


def settled(postgres, *names):
    until(lambda: all(statuses(postgres).get(name) == "settled" for name in names))


class Session:
    """Somebody at psql."""

    def __init__(self, postgres, address=None):
        self.process = subprocess.Popen(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", address or postgres.address(**AS_USER)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip

    def say(self, sql):
        """Returns when it is done."""
        self.process.stdin.write(sql + "\n\\echo done\n")
        self.process.stdin.flush()
        while (line := self.process.stdout.readline()) != "done\n":
            assert line, "psql has ended"

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE_S) == 0


@pytest.mark.rows("CLR-09", "CLR-10", "CLR-11", "CLR-38", "CLR-39", "CLR-W10")
def test_an_insert_is_settled_and_seen_in_sql(nostro, postgres):
    program = serve(nostro, postgres)
    client = program.client()
    postgres.psql(insert("TEST001", "1500.00"), **AS_USER)
    settled(postgres, "TEST001")
    shown = postgres.rows("SELECT transaction_id, status, amount FROM transactions ORDER BY created_at DESC LIMIT 10", **AS_USER)
    assert shown == [["TEST001", "settled", "1500.00"]]
    assert dict(postgres.rows("SELECT account_number, balance FROM accounts", **AS_USER)) | {
        "ACC001": "48500.00", "ACC002": "26500.00"} == dict(
        postgres.rows("SELECT account_number, balance FROM accounts", **AS_USER))  # fmt: skip
    audit = "SELECT old_status, new_status, changed_by FROM transaction_audit WHERE transaction_id = 'TEST001' ORDER BY changed_at, id"
    assert postgres.rows(audit, **AS_USER) == [
        ["pending", "cleared", "clearance_system"], ["cleared", "settled", "settlement_system"]]  # fmt: skip
    postgres.psql(insert("POOR", "1000000"), insert("SELF", "1", "ACC001", "ACC001"), **AS_USER)
    until(lambda: statuses(postgres) == {"TEST001": "settled", "POOR": "rejected", "SELF": "rejected"})
    assert postgres.rows(audit.replace("TEST001", "POOR"), **AS_USER) == [["pending", "rejected", "clearance_system"]]
    assert part(client, "rows of clearing")["ready"]


@pytest.mark.rows("CLR-W07")
def test_a_row_that_commits_late_is_taken(nostro, postgres):
    serve(nostro, postgres)
    late, early = Session(postgres), Session(postgres)
    late.say("BEGIN;" + insert("LATE"))
    early.say(insert("EARLY"))
    settled(postgres, "EARLY")
    assert "LATE" not in statuses(postgres)
    early.say("BEGIN;" + insert("TAKEN-BACK") + "ROLLBACK;")
    late.say("COMMIT;")
    settled(postgres, "LATE")
    assert statuses(postgres) == {"EARLY": "settled", "LATE": "settled"}
    late.end()
    early.end()


@pytest.mark.rows("CLR-W02", "CLR-W14")
def test_neither_a_kill_nor_nostros_own_rows_are_taken_twice(nostro, postgres):
    program = serve(nostro, postgres)
    postgres.psql(insert("ONE", "10.00"), **AS_USER)
    answer = program.client().post("/v1/profiles/clearing/messages",
        '{"transaction_id":"TWO","amount":5,"from_account":"ACC001","to_account":"ACC002"}', form="application/x-ndjson")  # fmt: skip
    assert answer.status == 202, answer
    settled(postgres, "ONE", "TWO")
    assert postgres.one("SELECT count(*) FROM nostro.arrivals", database="financial_db") == "1"
    program.kill()
    postgres.psql(insert("WHILE-AWAY", "1.00"), **AS_USER)
    # The program has the rows, and has not heard so: read again, they move nothing.
    postgres.psql("UPDATE transactions SET status = 'pending' WHERE transaction_id = 'ONE'", **AS_USER)
    again = serve(nostro, postgres, data=program.data)
    settled(postgres, "WHILE-AWAY")
    postgres.psql("DELETE FROM transaction_audit WHERE transaction_id = 'ONE'",
                  "DELETE FROM transactions WHERE transaction_id = 'ONE'", insert("ONE", "10.00"), insert("LAST"), **AS_USER)  # fmt: skip
    settled(postgres, "LAST")
    client = again.client()
    assert client.balance("ACC001", tenant="clearing")["posted"] == "49983.00"
    again.stop()
    proved = run("verify", "--data", program.data)
    assert proved.returncode == 0, proved.stderr


@pytest.mark.rows("CLR-02", "CLR-03")
def test_accounts_and_customers_that_appear_are_opened(nostro, postgres):
    program = serve(nostro, postgres)
    postgres.psql("INSERT INTO customers (customer_id, name, email, risk_level) VALUES ('CUST009', 'Mo O''Hara', 'mo@x.example', 'HIGH')",
                  "INSERT INTO accounts (account_number, customer_id, account_type, balance) VALUES ('ACC100', 'CUST009', 'CHECKING', 20000.50)",
                  insert("OUT", "15000.00", "ACC100", "ACC001"), insert("MORE", "5000.51", "ACC100", "ACC001"), **AS_USER)  # fmt: skip
    until(lambda: statuses(postgres) == {"OUT": "settled", "MORE": "rejected"})
    client = program.client()
    projected(client, FEED)
    account = client.get("/v1/accounts/ACC100", tenant="clearing").json
    assert (account["holder"], account["risk_level"]) == ("Mo O'Hara", "high")
    projected(client, FEED)
    assert postgres.rows("SELECT a.balance, a.status, c.name, c.email FROM accounts a JOIN customers c USING (customer_id) "
                         "WHERE account_number = 'ACC100'", **AS_USER) == [["5000.50", "ACTIVE", "Mo O'Hara", "mo@x.example"]]  # fmt: skip
    assert client.get("/v1/dead-letters").json["data"] == []
    assert client.get("/v1/ledger/trial-balance").json["balanced"]


def test_noting_a_row_gives_nobody_more_rights(nostro, postgres):
    """Those who insert need none in the schema nostro, and the tables' owner gets none of whoever migrated."""
    program = serve(nostro, postgres)
    postgres.psql("CREATE ROLE teller LOGIN PASSWORD 'teller'", "GRANT SELECT, INSERT ON transactions TO teller",
                  "GRANT USAGE ON SEQUENCE transactions_id_seq TO teller", database="financial_db")  # fmt: skip
    postgres.psql(insert("TELLERS"), database="financial_db", role="teller", password="teller")
    settled(postgres, "TELLERS")
    owner = "SELECT pg_get_userbyid(proowner), prosecdef FROM pg_proc WHERE proname = 'note_arrivals'"
    assert postgres.rows(owner, database="financial_db") == [["user", "t"]]
    for role, rights in (("user", ["t", "f"]), ("teller", ["f", "f"])):
        asked = f"SELECT has_schema_privilege('{role}', 'nostro', 'USAGE'), has_schema_privilege('{role}', 'nostro', 'CREATE')"
        assert postgres.rows(asked, database="financial_db") == [rights]
    program.stop()
    postgres.psql("DROP OWNED BY teller", "DROP ROLE teller", database="financial_db")


def test_what_nobody_can_take_is_a_dead_letter_and_the_rest_goes_on(nostro, postgres):
    program = serve(nostro, postgres)
    postgres.psql("INSERT INTO accounts (account_number, account_type) VALUES ('NOBODYS', 'CHECKING')",
                  "INSERT INTO transactions (transaction_id, amount, from_account, to_account) VALUES ('NAN', 'NaN', 'ACC001', 'ACC002')",
                  "INSERT INTO transactions (transaction_id, amount, status) VALUES ('OLD', 5, 'settled')",
                  "INSERT INTO transactions (transaction_id, amount) VALUES ('NONE', 5)", insert("GOOD"), **AS_USER)  # fmt: skip
    settled(postgres, "GOOD")
    projected(program.client(), FEED)
    letters = program.client().get("/v1/dead-letters").json["data"]
    assert [letter["source"] for letter in letters] == ["rows:financial_db:0"] * 2 and all(letter["why"] for letter in letters)
    assert statuses(postgres) == {"NAN": "pending", "OLD": "settled", "NONE": "rejected", "GOOD": "settled"}


def test_what_stood_there_before_is_taken_when_nostro_comes(nostro, postgres, tmp_path):
    first = serve(nostro, postgres, data=tmp_path / "first")
    first.stop()
    for database in ("postgres", "financial_db"):  # as if nostro had never been there
        postgres.psql("DROP SCHEMA nostro CASCADE", database=database)
    postgres.psql("DELETE FROM accounts", "DELETE FROM customers",
                  "INSERT INTO customers (customer_id, name) VALUES ('C1', 'Ann'), ('C2', 'Bea')",
                  "INSERT INTO accounts (account_number, customer_id, account_type, balance) VALUES ('A', 'C1', 'CHECKING', 100), ('B', 'C2', 'CHECKING', 0)",
                  insert("WAITS", "60.00", "A", "B"), **AS_USER)  # fmt: skip
    program = serve(nostro, postgres, data=tmp_path / "second")
    settled(postgres, "WAITS")
    projected(program.client(), FEED)
    assert postgres.rows("SELECT account_number, balance FROM accounts WHERE account_number IN ('A', 'B') ORDER BY 1", **AS_USER) == [
        ["A", "40.00"], ["B", "60.00"]]  # fmt: skip


@pytest.mark.rows("CLR-23", "CLR-W08", "G-01", "G-02", "G-03")
def test_rows_of_many_connections_are_each_taken_once(nostro, postgres, kills):
    """16 connections, transactions that commit in any order or are taken back, and a program that is killed.
    NOSTRO_ROWS=1000000 inserts about so many."""
    program = serve(nostro, postgres)
    connections, each = 16, 40
    many = max(1, int(os.environ.get("NOSTRO_ROWS", "1")) // (connections * each * 9 // 10 * 2))  # of a statement
    patience = PATIENCE_S * (1 + many // 50)

    def script(connection):
        for turn in range(each):
            name = f"T{connection:02}-{turn:03}"
            rows = inserts(f"{name}-a", many, "0.01", f"ACC00{connection % 6 + 1}", f"ACC00{(connection + turn) % 5 + 1}") + inserts(
                f"{name}-b", many, "0.02", "ACC005", "ACC006")  # fmt: skip
            end = "ROLLBACK" if turn % 10 == 9 else "COMMIT"
            yield f"BEGIN; {rows} SELECT pg_sleep(random() * 0.02); {end};"

    def work(connection):
        words = ["psql", "-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", postgres.address(**AS_USER)]
        done = subprocess.run(words, input="\n".join(script(connection)), text=True, capture_output=True, timeout=patience)
        failures.extend([done.stderr] if done.returncode else [])

    failures = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for _ in range(max(2, min(kills, 20) // 5)):
        taken = int(postgres.one("SELECT count(*) FROM transactions WHERE status <> 'pending'", **AS_USER))
        until(lambda taken=taken: int(postgres.one("SELECT count(*) FROM transactions WHERE status <> 'pending'", **AS_USER)) > taken
              or not any(thread.is_alive() for thread in threads))  # fmt: skip
        program.kill()
        program = serve(nostro, postgres, wait=False, data=program.data)
    for thread in threads:
        thread.join()
    assert failures == []
    count = connections * each * 9 // 10 * 2 * many
    until(lambda: postgres.one("SELECT count(*) FROM transactions WHERE status <> 'pending'", **AS_USER) == str(count), patience)
    client = program.client()
    projected(client, FEED)
    assert postgres.rows("SELECT status, count(*) FROM transactions GROUP BY status ORDER BY status", **AS_USER)[-1][0] == "settled"
    # Each has its rows of the audit once, and what moved is what was settled.
    assert postgres.rows("SELECT transaction_id FROM transaction_audit GROUP BY transaction_id, new_status HAVING count(*) > 1", **AS_USER) == []
    assert postgres.one("SELECT sum(balance) FROM accounts", **AS_USER) == "295000.00"
    moved = postgres.rows("""SELECT a.account_number, a.balance - coalesce(sum(CASE WHEN t.to_account = a.account_number THEN t.amount
                                                                                   ELSE -t.amount END), 0)
                             FROM accounts a LEFT JOIN transactions t ON t.status = 'settled'
                                  AND a.account_number IN (t.from_account, t.to_account)
                             GROUP BY a.account_number, a.balance ORDER BY 1""", **AS_USER)  # fmt: skip
    assert [balance for _, balance in moved] == ["50000.00", "25000.00", "75000.00", "30000.00", "100000.00", "15000.00"]
    assert client.get("/v1/dead-letters").json["data"] == []
    assert "deadlock" not in postgres.log
    program.stop()
    proved = run("verify", "--data", program.data)
    assert proved.returncode == 0, proved.stderr


@pytest.mark.rows("CLR-W09")
def test_a_server_that_crashes_holds_up_the_rows_and_loses_none(nostro, postgres):
    program = serve(nostro, postgres)
    client = program.client()
    postgres.psql(insert("BEFORE"), **AS_USER)
    settled(postgres, "BEFORE")
    postgres.crash()
    until(lambda: not part(client, "rows of clearing")["ready"])
    assert client.get("/readiness").status == 200
    postgres.start()
    postgres.psql(insert("AFTER"), **AS_USER)
    settled(postgres, "BEFORE", "AFTER")
    until(lambda: part(client, "rows of clearing")["ready"])
