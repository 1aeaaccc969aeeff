"""What the originals do wrong in PostgreSQL and Redis, tried on the same stores: it does not happen here."""

import json
import random
import threading
from decimal import Decimal

import pytest
from client import unique
from postgres_server import SOON, projected, until
from program import PATIENCE_S, run
from redis_server import Redis
from test_rows import AS_USER, insert, settled

UPI, TPS, LOGGING = {"database": "upi_db"}, {"database": "tps"}, {"database": "financedb"}


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path / "redis")
    yield server
    server.stop()


def serve(nostro, postgres, redis, profile, **rest):
    env = {"NOSTRO_POSTGRES_URL": postgres.url, "NOSTRO_REDIS_URL": redis.url}
    program = nostro("--profile", profile, env=env, sets=SOON, **rest)
    assert program.url, program.stderr
    return program


def send(program, profile, *messages):
    body = "\n".join(map(json.dumps, messages))
    answer = program.client().post(f"/v1/profiles/{profile}/messages", body, form="application/x-ndjson")
    assert answer.status in (202, 422), answer
    return answer.json


def all_told(program, *feeds):
    client = program.client()
    for feed in feeds:
        projected(client, feed)


# --- upi ---


def upi(amount, payer="user_1", payee="user_2", tx=None):
    return {"tx_id": tx or unique("tx"), "payer_id": payer, "payee_id": payee, "amount": amount, "currency": "INR",
            "created_at": None}  # fmt: skip


@pytest.mark.rows("UPI-W01", "UPI-W02", "UPI-W03", "UPI-W09", "UPI-W10", "UPI-W12")
def test_bad_messages_of_upi_move_nothing_in_any_store(nostro, postgres, redis):
    program = serve(nostro, postgres, redis, "upi")
    twice = upi(100, tx="twice")
    send(program, "upi", twice, twice, upi(-500, tx="negative"), upi(0, tx="zero"), upi(5, payee="nobody", tx="unseen"),
         upi(7, payee="user_1", tx="self"), upi(1000001, "user_3", tx="poor"), upi(1, tx="after"))  # fmt: skip
    all_told(program, "postgres_upi", "redis")
    rows = dict(postgres.rows("SELECT tx_id, status FROM transactions", **UPI))
    assert rows == {"twice": "SUCCESS", "negative": "FAILED", "zero": "FAILED", "unseen": "SUCCESS", "self": "FAILED",
                    "poor": "FAILED", "after": "SUCCESS"}  # fmt: skip
    users = dict(postgres.rows("SELECT id, balance FROM users", **UPI))
    assert (users["user_1"], users["user_2"], users["nobody"]) == ("999894", "1000101", "5")
    assert {user: redis.cli("GET", f"balance:{user}") for user in ("user_1", "user_2", "nobody")} == {
        user: users[user] for user in ("user_1", "user_2", "nobody")}  # fmt: skip
    (day,) = redis.keys("daily:*")
    assert redis.cli("GET", day) == "106" and 0 < int(redis.cli("TTL", day)) <= 48 * 3600


@pytest.mark.rows("UPI-W04", "UPI-W06")
def test_stores_of_upi_agree_wherever_something_is_killed(nostro, postgres, redis, kills):
    program = serve(nostro, postgres, redis, "upi")
    messages = [upi(n % 50 + 1, f"user_{n % 5 + 1}", f"user_{n % 4 + 2}") for n in range(600)]
    drawn = random.Random(7)
    for turn in range(max(3, min(kills, 20) // 5)):
        client = program.client()
        ended = threading.Event()

        def feed(client=client, ended=ended):
            try:
                while not ended.is_set():
                    some = drawn.sample(messages, 20)
                    client.post("/v1/profiles/upi/messages", "\n".join(map(json.dumps, some)), form="application/x-ndjson")
            except OSError:
                pass

        thread = threading.Thread(target=feed)
        thread.start()
        seen = int(postgres.one("SELECT count(*) FROM transactions", **UPI))
        until(lambda seen=seen, thread=thread: int(postgres.one("SELECT count(*) FROM transactions", **UPI)) > seen or not
              thread.is_alive() or seen > 500)  # fmt: skip
        if turn % 3 == 0:
            program.process.kill()
            program.process.wait()
        elif turn % 3 == 1:
            redis.kill()
            redis.start()
        else:
            postgres.crash()
            postgres.start()
        ended.set()
        thread.join(PATIENCE_S)
        if turn % 3 == 0:
            program = serve(nostro, postgres, redis, "upi", data=program.data)
    send(program, "upi", *messages)
    all_told(program, "postgres_upi", "redis")
    until(lambda: "nostro_redis_missing_frames 0" in program.client().get("/metrics").body.decode())
    rows = postgres.rows("SELECT tx_id, payer_id, payee_id, amount, status FROM transactions", **UPI)
    assert sorted(row[0] for row in rows) == sorted(each["tx_id"] for each in messages)
    users = {f"user_{n}": 1000000 for n in range(1, 6)}
    spent = dict.fromkeys(users, 0)
    for _, payer, payee, amount, status in rows:
        if status == "SUCCESS":
            users[payer], users[payee] = users[payer] - int(amount), users[payee] + int(amount)
            spent[payer] += int(amount)
    client = program.client()
    for user, balance in users.items():
        assert Decimal(client.balance(f"user:{user}", tenant="upi")["posted"]) == balance
        assert postgres.one(f"SELECT balance FROM users WHERE id = '{user}'", **UPI) == str(balance)
        assert redis.cli("GET", f"balance:{user}") == str(balance)
        assert sum(int(redis.cli("GET", day)) for day in redis.keys(f"daily:{user}:*")) == spent[user]


# --- tps ---


@pytest.mark.rows("TPS-W04", "TPS-W05", "TPS-W08")
def test_a_transaction_of_tps_is_one_row_however_often_it_is_sent(nostro, postgres, redis):
    program = serve(nostro, postgres, redis, "tps")
    client = program.client()
    body = '{"user_id": "u", "amount": 12.75, "currency": "USD"}'
    told = [client.post("/transactions", body, key="retry-0001").json for _ in range(3)]
    assert told[0] == told[1] == told[2]
    for amount in ("NaN", '"inf"', "-1", "0", "1e300"):
        assert client.post("/transactions", body.replace("12.75", amount)).status == 422
    all_told(program, "postgres_tps", "redis")
    assert postgres.rows("SELECT id, amount, status FROM transactions", **TPS) == [[str(told[0]["id"]), "12.7500", "completed"]]
    assert redis.keys() == {f"txn:{told[0]['id']}"}


# --- logging ---


@pytest.mark.rows("LOG-W03", "LOG-W05", "LOG-W07", "LOG-W08")
def test_the_log_is_there_before_anybody_wrote_and_loads_a_hundred_rows_once(nostro, postgres, redis, tmp_path):
    program = serve(nostro, postgres, redis, "logging")
    client = program.client()
    assert client.get("/reports").json == [] and postgres.rows("SELECT * FROM transactions", **LOGGING) == []
    csv = tmp_path / "paysim.csv"
    csv.write_text("step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,"
                   "isFlaggedFraud\n" + "".join(f"1,PAYMENT,{n}.25,C{n},0,0,M{n},0,0,0,0\n" for n in range(1, 121)))  # fmt: skip
    for _ in range(2):
        assert run("feed", "logging", csv, "--as", "historical", "--url", program.url).returncode == 0
    for amount in ("-1", "0", "NaN"):
        assert client.post("/transaction", f'{{"sender": "a", "receiver": "b", "amount": {amount}}}').status == 422
    assert client.post("/transaction", {"sender": "", "receiver": "b", "amount": 1}).status == 422
    told = client.post("/transaction", {"sender": "a", "receiver": "b", "amount": 5, "currency": "EUR"}).json["data"]
    projected(client, "postgres_logging")
    assert postgres.rows("SELECT status, count(*) FROM transactions GROUP BY status ORDER BY 1", **LOGGING) == [
        ["Completed", "1"], ["Historical", "100"]]  # fmt: skip
    found = postgres.rows(f"SELECT sender, currency, created_at IS NOT NULL FROM transactions WHERE payment_id = '{told['id']}'",
                          **LOGGING)  # fmt: skip
    assert found == [["a", "EUR", "t"]]


# --- clearing ---


@pytest.mark.rows("CLR-W04", "CLR-W06", "CLR-W10", "CLR-W12")
def test_whatever_clearing_decides_fits_its_columns_and_says_why(nostro, postgres, redis):
    program = serve(nostro, postgres, redis, "clearing")
    client = program.client()
    projected(client, "postgres_clearing")
    postgres.psql("INSERT INTO customers (customer_id, name, risk_level) VALUES ('C9', 'Rich', 'LOW')",
                  "INSERT INTO accounts (account_number, customer_id, account_type, balance) VALUES ('RICH', 'C9', 'CHECKING', 900000)",
                  "INSERT INTO accounts (account_number, customer_id, account_type) VALUES ('FROZEN', 'C9', 'CHECKING')", **AS_USER)  # fmt: skip
    until(lambda: client.get("/v1/accounts/FROZEN", tenant="clearing").status == 200)
    assert client.patch("/v1/accounts/FROZEN", {"status": "frozen"}, tenant="clearing").status == 200
    postgres.psql(insert("REVIEW", "100000.01", "RICH"), insert("CONDITIONS", "2500.50", "ACC003", "ACC004"),
                  insert("POOR", "60000"), insert("SELF", "1", "ACC001", "ACC001"), insert("TO-FROZEN", "1", "ACC001", "FROZEN"),
                  "INSERT INTO transactions (transaction_id, amount, from_account) VALUES ('NOBODY', 1, 'ACC001')", **AS_USER)  # fmt: skip
    wanted = {"REVIEW": "requires_manual_review", "CONDITIONS": "settled", "POOR": "rejected", "SELF": "rejected",
              "TO-FROZEN": "rejected", "NOBODY": "rejected"}  # fmt: skip
    until(lambda: dict(postgres.rows("SELECT transaction_id, status FROM transactions", **AS_USER)) == wanted)
    all_told(program, "postgres_clearing", "redis")
    steps = {}
    for name, before, after in postgres.rows("SELECT transaction_id, old_status, new_status FROM transaction_audit "
                                             "ORDER BY changed_at, id", **AS_USER):  # fmt: skip
        steps.setdefault(name, []).append((before, after))
    assert steps == {
        "REVIEW": [("pending", "requires_manual_review")],
        "CONDITIONS": [("pending", "cleared_with_conditions"), ("cleared_with_conditions", "settled")],
        **{name: [("pending", "rejected")] for name in ("POOR", "SELF", "TO-FROZEN", "NOBODY")},
    }  # fmt: skip
    balances = dict(postgres.rows("SELECT account_number, balance FROM accounts", **AS_USER))
    assert (balances["ACC001"], balances["RICH"], balances["FROZEN"]) == ("50000.00", "900000.00", "0.00")
    reasons = {name: redis.hash(f"rejected:{name}")["rejection_reason"] for name in ("POOR", "SELF", "TO-FROZEN", "NOBODY")}
    assert len(set(reasons.values())) == 4 and all(reasons.values()), reasons
    assert redis.hash("rejected:POOR")["available_balance"] == "50000.00"
    assert redis.hash("review:REVIEW")["status"] == "requires_manual_review"
    assert redis.hash("settlement:CONDITIONS")["balance_updated"] == "True"


@pytest.mark.rows("CLR-W05", "CLR-W09", "CLR-W14")
def test_hashes_and_rows_of_clearing_say_the_same_wherever_something_is_killed(nostro, postgres, redis):
    program = serve(nostro, postgres, redis, "clearing")
    projected(program.client(), "postgres_clearing")
    names = []

    def more():
        names.extend(unique("K") for _ in range(10))
        postgres.psql(*(insert(name, "1.00" if number % 3 else "99999999")
                        for number, name in enumerate(names, 1) if number > len(names) - 10), **AS_USER)  # fmt: skip

    more()
    redis.kill()
    more()
    program.kill()  # settled, and Redis has not heard
    redis.start()
    program = serve(nostro, postgres, redis, "clearing", data=program.data)
    more()
    postgres.crash()
    postgres.start()
    more()
    redis.cli("FLUSHALL")
    more()
    paid = [name for number, name in enumerate(names, 1) if number % 3]
    settled(postgres, *paid)
    # Back to pending by hand, or put in again: known for ever.
    postgres.psql(f"UPDATE transactions SET status = 'pending' WHERE transaction_id = '{paid[0]}'",
                  f"DELETE FROM transaction_audit WHERE transaction_id = '{paid[1]}'",
                  f"DELETE FROM transactions WHERE transaction_id = '{paid[1]}'", insert(paid[1]), insert("LAST"), **AS_USER)  # fmt: skip
    settled(postgres, "LAST")
    all_told(program, "postgres_clearing", "redis")
    until(lambda: "nostro_redis_missing_frames 0" in program.client().get("/metrics").body.decode())
    until(lambda: len(redis.keys()) == len(names) + 1)
    for name in names:
        kind = "settlement" if name in paid else "rejected"
        assert redis.hash(f"{kind}:{name}")["status"] == {"settlement": "settled", "rejected": "rejected"}[kind]
    moved = program.client().balance("ACC001", tenant="clearing")["posted"]
    assert Decimal(moved) == 50000 - len(paid) - 1
    assert postgres.one("SELECT balance FROM accounts WHERE account_number = 'ACC001'", **AS_USER) == moved
