"""The tables of the published systems, as their users look into them."""

import json
import re
from datetime import datetime
from decimal import Decimal

import pytest
from client import unique
from postgres_server import SOON, projected
from program import run

TPS = {"database": "tps", "role": "user", "password": "password"}
LOGGING = {"database": "financedb", "role": "user", "password": "password"}
UPI = {"database": "upi_db", "role": "upi_user", "password": "upi_pass"}
CLEARING = {"database": "financial_db", "role": "user", "password": "pass"}


class Served:
    def __init__(self, nostro, postgres, profile, **rest):
        env = {"NOSTRO_POSTGRES_URL": postgres.url, **rest.pop("env", {})}
        self.name, self.postgres = profile, postgres
        self.program = nostro("--profile", profile, env=env, sets=SOON, **rest)
        assert self.program.url, self.program.stderr
        self.client = self.program.client()

    def send(self, *messages):
        body = "\n".join(json.dumps(each) for each in messages)
        answer = self.client.post(f"/v1/profiles/{self.name}/messages", body, form="application/x-ndjson")
        assert answer.status in (202, 422), answer
        projected(self.client, f"postgres_{self.name}")
        return answer.json

    def restart(self, nostro):
        self.program.kill()
        self.__init__(nostro, self.postgres, self.name, data=self.program.data)


def columns(postgres, table, where):
    return [(name, kind) for name, kind in postgres.rows(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
        f"WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum", **where)]  # fmt: skip


# --- tps


@pytest.mark.rows("TPS-15", "TPS-16")
def test_a_transaction_is_a_row_of_tps(nostro, postgres):
    tps = Served(nostro, postgres, "tps")
    told = tps.client.post("/transactions", {"user_id": "user_11", "amount": 12.75, "currency": "USD"})
    assert told.status == 200, told
    projected(tps.client, "postgres_tps")
    assert columns(postgres, "transactions", TPS) == [
        ("id", "integer"), ("user_id", "character varying"), ("amount", "numeric(20,4)"),
        ("currency", "character varying"), ("status", "character varying"),
        ("created_at", "timestamp without time zone")]  # fmt: skip
    [[number, user, amount, currency, status, created]] = postgres.rows("SELECT * FROM transactions", **TPS)
    assert (number, user, amount, currency, status) == ("1", "user_11", "12.7500", "USD", "completed")
    assert datetime.fromisoformat(created) == datetime.fromisoformat(told.json["created_at"])
    described = postgres.psql("\\d transactions", **TPS)
    for words in ("nextval(", "'pending'::character varying", '"transactions_pkey" PRIMARY KEY', '"ix_transactions_id"',
                  '"ix_transactions_user_id"'):  # fmt: skip
        assert words in described
    assert re.search(r"tps +\| user ", postgres.psql("\\l", **TPS))
    assert re.search(r"public +\| transactions +\| table +\| user", postgres.psql("\\dt", **TPS))


@pytest.mark.rows("TPS-W01")
def test_the_first_transaction_of_an_empty_server_finds_its_table(nostro, postgres):
    tps = Served(nostro, postgres, "tps")
    assert tps.client.post("/transactions", {"user_id": "u", "amount": 1, "currency": "USD"}).status == 200
    projected(tps.client, "postgres_tps")
    assert postgres.one("SELECT count(*) FROM transactions", **TPS) == "1"


@pytest.mark.rows("TPS-17")
def test_the_address_of_tps_is_its_own_variable(nostro, postgres):
    postgres.psql("CREATE ROLE somebody LOGIN PASSWORD 'p w''d'", "CREATE DATABASE elsewhere OWNER somebody")
    url = postgres.address("elsewhere", "somebody", "p w'd")
    program = nostro("--profile", "tps", env={"DATABASE_URL": url, "CELERY_BROKER_URL": "pyamqp://guest@rabbitmq//"}, sets=SOON)
    assert program.url, program.stderr
    client = program.client()
    for amount in ("0.01", "1", "90071992547409.93"):  # the last is none that a double has
        assert client.post("/transactions", {"user_id": "u", "amount": amount, "currency": "USD"}).status == 200
    projected(client, "postgres_tps")
    where = {"database": "elsewhere", "role": "somebody", "password": "p w'd"}
    assert postgres.rows("SELECT id, amount FROM transactions ORDER BY id", **where) == [
        ["1", "0.0100"], ["2", "1.0000"], ["3", "90071992547409.9300"]]  # fmt: skip


# --- logging


@pytest.mark.rows("LOG-15", "LOG-16")
def test_logged_transactions_are_rows_of_financedb(nostro, postgres, tmp_path):
    logging = Served(nostro, postgres, "logging")
    csv = tmp_path / "paysim.csv"
    csv.write_text("step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,"
                   "isFlaggedFraud\n" + "".join(f"1,PAYMENT,{n}.25,C{n},0,0,M{n},0,0,0,0\n" for n in range(1, 121)))  # fmt: skip
    assert run("feed", "logging", csv, "--as", "historical", "--url", logging.program.url).returncode == 0
    told = logging.client.post("/transaction", {"sender": "C1", "receiver": "M'1", "amount": 9839.64})
    assert told.status == 202, told
    projected(logging.client, "postgres_logging")
    assert columns(postgres, "transactions", LOGGING)[:5] == [
        ("id", "integer"), ("sender", "character varying"), ("receiver", "character varying"),
        ("amount", "numeric(20,4)"), ("status", "character varying")]  # fmt: skip
    assert '"ix_transactions_id"' in postgres.psql("\\d transactions", **LOGGING)
    rows = postgres.rows("SELECT id, sender, receiver, amount, status FROM transactions ORDER BY id", **LOGGING)
    report = logging.client.get("/reports").json
    assert len(rows) == len(report) == 101
    for row, each in zip(rows, report, strict=True):
        assert row[:3] == [str(each["id"]), each["sender"], each["receiver"]] and row[4] == each["status"]
        assert Decimal(row[3]) == Decimal(str(each["amount"]))
    assert rows[-1] == ["101", "C1", "M'1", "9839.6400", "Completed"]
    # The administrator of the server sees the same.
    assert postgres.one("SELECT count(*) FROM transactions", database="financedb") == "101"


# --- upi


def upi(tx, payer, payee, amount):
    return {"tx_id": tx, "payer_id": payer, "payee_id": payee, "amount": amount, "currency": "INR", "created_at": None}


@pytest.mark.rows("UPI-13", "UPI-14")
def test_upi_users_and_transactions(nostro, postgres):
    served = Served(nostro, postgres, "upi")
    served.send(upi("t1", "user_1", "user_9", 500), upi("t2", "user_1", "user_9", 150_001),
                upi("t3", "new'; --", "user_1", 7), upi("t4", "user_1", "user_1", 5), upi("t5", "user_2", "user_1", -5))  # fmt: skip
    assert columns(postgres, "users", UPI) == [("id", "text"), ("name", "text"), ("balance", "bigint")]
    assert columns(postgres, "transactions", UPI) == [
        ("tx_id", "text"), ("payer_id", "text"), ("payee_id", "text"), ("amount", "bigint"), ("currency", "text"),
        ("status", "text"), ("reason", "text"), ("created_at", "timestamp without time zone")]  # fmt: skip
    rows = postgres.rows("SELECT tx_id, payer_id, payee_id, amount, currency, status, reason FROM transactions ORDER BY 1",
                         **UPI)  # fmt: skip
    assert rows == [
        ["t1", "user_1", "user_9", "500", "INR", "SUCCESS", ""],
        ["t2", "user_1", "user_9", "150001", "INR", "FAILED", "Amount exceeds single transaction limit of 150000"],
        ["t3", "new'; --", "user_1", "7", "INR", "SUCCESS", ""],
        ["t4", "user_1", "user_1", "5", "INR", "FAILED", "Payer and payee are the same"],
        ["t5", "user_2", "user_1", "-5", "INR", "FAILED", "Amount must be positive"],
    ]
    users = {user: balance for user, name, balance in postgres.rows("SELECT * FROM users", **UPI) if user == name}
    assert users == {"user_1": "999507", "user_2": "1000000", "user_3": "1000000", "user_4": "1000000",
                     "user_5": "1000000", "user_9": "500", "new'; --": "999993"}  # fmt: skip
    served.restart(nostro)
    served.send(upi("t1", "user_1", "user_9", 500), upi("t6", "user_9", "user_1", 1))
    assert postgres.one("SELECT count(*) FROM transactions", **UPI) == "6"
    assert postgres.one("SELECT balance FROM users WHERE id = 'user_9'", **UPI) == "499"
    assert postgres.psql("SELECT * FROM transactions LIMIT 10", **UPI).count("SUCCESS") == 3


# --- clearing


def transaction(name, amount, debtor, creditor, **fields):
    return {"transaction_id": name, "amount": amount, "from_account": debtor, "to_account": creditor,
            "transaction_type": "TRANSFER", "description": None, **fields}  # fmt: skip


@pytest.mark.rows("CLR-01", "CLR-02", "CLR-03", "CLR-04", "CLR-05")
def test_tables_of_clearing(nostro, postgres):
    Served(nostro, postgres, "clearing")
    text = "character varying({})".format
    time = "timestamp without time zone"
    assert columns(postgres, "customers", CLEARING) == [
        ("id", "integer"), ("customer_id", text(50)), ("name", text(100)), ("email", text(100)), ("risk_level", text(20)),
        ("created_at", time)]  # fmt: skip
    assert columns(postgres, "accounts", CLEARING) == [
        ("id", "integer"), ("account_number", text(50)), ("customer_id", text(50)), ("account_type", text(20)),
        ("balance", "numeric(15,2)"), ("status", text(20)), ("created_at", time)]  # fmt: skip
    assert columns(postgres, "transactions", CLEARING) == [
        ("id", "integer"), ("transaction_id", text(50)), ("amount", "numeric(15,2)"), ("from_account", text(50)),
        ("to_account", text(50)), ("transaction_type", text(20)), ("description", "text"), ("created_at", time),
        ("status", text(40))]  # fmt: skip
    assert columns(postgres, "transaction_audit", CLEARING) == [
        ("id", "integer"), ("transaction_id", text(50)), ("old_status", text(40)), ("new_status", text(40)),
        ("changed_by", text(50)), ("changed_at", time)]  # fmt: skip
    customers = postgres.rows("SELECT customer_id, name, risk_level FROM customers ORDER BY 1", **CLEARING)
    assert customers == [["CUST001", "John Doe", "LOW"], ["CUST002", "Jane Smith", "MEDIUM"],
                         ["CUST003", "Bob Johnson", "HIGH"], ["CUST004", "Alice Brown", "LOW"]]  # fmt: skip
    accounts = postgres.rows("SELECT account_number, customer_id, account_type, balance, status FROM accounts ORDER BY 1",
                             **CLEARING)  # fmt: skip
    assert accounts[0] == ["ACC001", "CUST001", "CHECKING", "50000.00", "ACTIVE"]
    assert sum(Decimal(row[3]) for row in accounts) == Decimal("295000.00") and len(accounts) == 6
    described = postgres.psql("\\d transactions", **CLEARING)
    for words in ("'pending'::character varying", "'TRANSFER'::character varying", "CURRENT_TIMESTAMP",
                  "FOREIGN KEY (from_account) REFERENCES accounts(account_number)",
                  "FOREIGN KEY (to_account) REFERENCES accounts(account_number)", "UNIQUE CONSTRAINT"):  # fmt: skip
        assert words in described, described


AUDIT = "SELECT old_status, new_status, changed_by FROM transaction_audit WHERE transaction_id = '{}' ORDER BY changed_at, id"


@pytest.mark.rows("CLR-11", "CLR-37", "CLR-38", "CLR-39")
def test_the_sample_run_in_sql(nostro, postgres):
    clearing = Served(nostro, postgres, "clearing")
    clearing.send(transaction("TXN001", "1000.00", "ACC001", "ACC002"), transaction("TXN002", "2500.50", "ACC003", "ACC004"),
                  transaction("TXN003", "750.25", "ACC005", "ACC006"), transaction("BIG", "100000.01", "ACC005", "ACC006"),
                  transaction("NOBODY", "1.00", "ACC001", "NOPE"))  # fmt: skip
    balances = dict(postgres.rows("SELECT account_number, balance FROM accounts", **CLEARING))
    assert balances == {"ACC001": "49000.00", "ACC002": "26000.00", "ACC003": "72499.50", "ACC004": "32500.50",
                        "ACC005": "99249.75", "ACC006": "15750.25"}  # fmt: skip
    newest = postgres.rows("SELECT transaction_id, status, amount, created_at FROM transactions ORDER BY created_at DESC "
                           "LIMIT 10", **CLEARING)  # fmt: skip
    assert {row[0]: row[1:3] for row in newest} == {
        "TXN001": ["settled", "1000.00"], "TXN002": ["settled", "2500.50"], "TXN003": ["settled", "750.25"],
        "BIG": ["rejected", "100000.01"], "NOBODY": ["rejected", "1.00"]}  # fmt: skip
    conditional = postgres.rows(AUDIT.format("TXN002"), **CLEARING)
    assert conditional == [["pending", "cleared_with_conditions", "clearance_system"],
                           ["cleared_with_conditions", "settled", "settlement_system"]]  # fmt: skip
    assert postgres.rows(AUDIT.format("TXN001"), **CLEARING) == [
        ["pending", "cleared", "clearance_system"], ["cleared", "settled", "settlement_system"]]  # fmt: skip
    assert postgres.rows(AUDIT.format("BIG"), **CLEARING) == [["pending", "rejected", "clearance_system"]]
    # An account that is not there is none that a row could refer to.
    named = postgres.rows("SELECT from_account, to_account FROM transactions WHERE transaction_id = 'NOBODY'", **CLEARING)
    assert named == [["ACC001", None]]
    clearing.restart(nostro)
    clearing.send(transaction("TXN001", "1000.00", "ACC001", "ACC002"))
    assert postgres.one("SELECT count(*) FROM transaction_audit", **CLEARING) == "8"
    assert dict(postgres.rows("SELECT account_number, balance FROM accounts", **CLEARING)) == balances


@pytest.mark.parametrize("decision, status, balance", [("approve", "settled", "49999.99"), ("reject", "rejected", "200000.00")])
def test_a_review_ends_in_sql(nostro, postgres, decision, status, balance):
    clearing = Served(nostro, postgres, "clearing")
    clearing.send({"account_number": "RICH", "customer_id": "C9", "customer_name": "Rich", "risk_level": "LOW",
                   "account_type": "CHECKING", "balance": "200000.00"})  # fmt: skip
    name = unique("t")
    clearing.send(transaction(name, "150000.01", "RICH", "ACC001"))
    find = f"SELECT status FROM transactions WHERE transaction_id = '{name}'"
    assert postgres.one(find, **CLEARING) == "requires_manual_review"
    assert postgres.one("SELECT balance FROM accounts WHERE account_number = 'RICH'", **CLEARING) == "200000.00"
    [review] = clearing.client.pages("/v1/reviews", tenant="clearing")
    clearing.restart(nostro)  # the rest comes from another frame, and another program
    answer = clearing.client.post(f"/v1/reviews/{review['payment_id']}/{decision}",
                                  {"reviewer": "rita", "reason": "looked at"}, key=unique())  # fmt: skip
    assert answer.status in (200, 202), answer
    projected(clearing.client, "postgres_clearing")
    assert postgres.one(find, **CLEARING) == status
    assert postgres.rows(AUDIT.format(name), **CLEARING) == [
        ["pending", "requires_manual_review", "clearance_system"], ["requires_manual_review", status, "rita"]]  # fmt: skip
    assert postgres.one("SELECT balance FROM accounts WHERE account_number = 'RICH'", **CLEARING) == balance


def test_frozen_accounts_and_odd_texts_of_clearing(nostro, postgres):
    clearing = Served(nostro, postgres, "clearing")
    odd = "O'Brien\\N; DROP TABLE accounts; --"
    clearing.send({"customer_id": "C'1", "name": odd, "email": "o@b.example", "risk_level": "HIGH"},
                  {"account_number": "A-1", "customer_id": "C'1", "customer_name": odd, "risk_level": "HIGH",
                   "account_type": "SAVINGS", "balance": "9.00"},
                  transaction("T-1", "1.00", "A-1", "ACC001", description=odd))  # fmt: skip
    assert clearing.client.patch("/v1/accounts/A-1", {"status": "frozen"}, tenant="clearing").status == 200
    projected(clearing.client, "postgres_clearing")
    assert postgres.rows("SELECT a.balance, a.status, c.name, c.email, t.description FROM accounts a JOIN customers c USING "
                         "(customer_id) JOIN transactions t ON t.from_account = a.account_number", **CLEARING) == [
        ["8.00", "FROZEN", odd, "o@b.example", odd]]  # fmt: skip


# --- all of them


@pytest.mark.rows("ALL-02")
def test_every_role_sees_its_own_transactions(nostro, postgres):
    postgres.psql("CREATE ROLE \"user\" LOGIN PASSWORD 'password'")
    profiles = [word for name in ("upi", "tps", "logging", "clearing") for word in ("--profile", name)]
    program = nostro(*profiles, env={"NOSTRO_POSTGRES_URL": postgres.url}, sets=SOON)
    assert program.url, program.stderr
    heads = {each["database"]: postgres.psql("SELECT * FROM transactions", **each).splitlines()[0].split(" | ")
             for each in (UPI, TPS, LOGGING, {**CLEARING, "password": "password"})}  # fmt: skip
    assert {database: head[0].strip() for database, head in heads.items()} == {
        "upi_db": "tx_id", "tps": "id", "financedb": "id", "financial_db": "id"}  # fmt: skip
    assert len({tuple(head) for head in heads.values()}) == 4
