"""Redis beside nostro: what the profiles promise of it, and that nothing rests on it."""

import itertools
import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from client import unique
from program import ROOT, run
from redis_server import Redis, metric, part, projected, until
from test_kill import GONE

HITS, FOREIGN, FAILED = (f'nostro_cache_reads_total{{result="{each}"}}' for each in ("hit", "foreign", "failed"))


PATIENT = {"redis.read_timeout": "5s"}  # by default a Redis that was out of its turn for 50 ms is left alone for a second


def serve(nostro, profile, redis, **rest):
    env = {"NOSTRO_REDIS_URL": redis.url, **rest.pop("env", {})}
    program = nostro("--profile", profile, env=env, sets={**PATIENT, **rest.pop("sets", {})}, **rest)
    assert program.url, program.stderr
    return program


def posted(client, amount="12.75", user="user_11", **rest):
    body = f'{{"user_id": "{user}", "amount": {amount}, "currency": "USD"}}'
    answer = client.post("/transactions", body, **rest)
    assert answer.status == 200, answer
    return answer.json["id"]


def read(client, number):
    answer = client.get(f"/transactions/{number}")
    assert answer.status == 200, answer
    return answer.body


def send(program, profile, *messages):
    body = "\n".join(map(json.dumps, messages))
    client = program.client()
    answer = client.post(f"/v1/profiles/{profile}/messages", body, form="application/x-ndjson")
    client.close()
    program.clients.remove(client)
    assert answer.status in (202, 422), answer
    return answer.json


# --- tps ---


@pytest.mark.rows("TPS-08", "TPS-09")
def test_a_transaction_is_cached_for_an_hour_and_read_from_there(nostro, redis):
    program = serve(nostro, "tps", redis)
    client = program.client()
    number = posted(client)
    projected(program)
    key = f"txn:{number}"
    cached = json.loads(redis.cli("GET", key), parse_float=Decimal)
    assert list(cached) == ["id", "user_id", "amount", "currency", "status", "created_at"]
    assert (cached["id"], cached["user_id"], cached["amount"]) == (number, "user_11", Decimal("12.75"))
    assert cached["status"] == "completed" and 3500 < int(redis.cli("TTL", key)) <= 3600
    hits = metric(program, HITS)
    first = read(client, number)
    assert metric(program, HITS) == hits + 1
    assert {**json.loads(first, parse_float=Decimal)} == cached
    redis.cli("DEL", key)
    assert read(client, number) == first
    until(lambda: redis.keys() == {key})  # written again after a miss, and believed
    assert 3500 < int(redis.cli("TTL", key)) <= 3600
    hits = metric(program, HITS)
    assert read(client, number) == first and metric(program, HITS) == hits + 1


@pytest.mark.rows("TPS-W06", "TPS-W07")
def test_a_wrong_cache_changes_no_answer(nostro, redis, tmp_path):
    other = serve(nostro, "tps", redis, data=tmp_path / "other")
    posted(other.client(), "99.99", "somebody")
    projected(other)
    other.stop()
    foreign = redis.cli("GET", "txn:1"), redis.cli("GET", "nostro:v:txn:1")
    redis.cli("FLUSHALL")

    program = serve(nostro, "tps", redis)
    client = program.client()
    for _ in range(3):
        posted(client)
    projected(program)
    right = {number: read(client, number) for number in (1, 2, 3)}
    value, beside = redis.cli("GET", "txn:1"), redis.cli("GET", "nostro:v:txn:1")
    wrong = [
        (value.replace("12.75", "12.76"), beside),  # edited
        (value.replace("completed", "pending"), beside),
        foreign,  # of another data directory
        (value, "nonsense"),
        ("nonsense", "nonsense"),
        ("", ""),
    ]

    def seen(text, mark):
        before = metric(program, FOREIGN)
        redis.cli("SET", "txn:1", text)
        redis.cli("SET", "nostro:v:txn:1", mark)
        assert read(client, 1) == right[1], text
        return metric(program, FOREIGN) == before + 1

    for text, mark in wrong:
        # What was read before is written again when it was answered, which may be over what is tried here.
        until(lambda text=text, mark=mark: seen(text, mark), lambda text=text: text)
    redis.cli("SET", "txn:2", value)  # one of ours, under another number
    redis.cli("SET", "nostro:v:txn:2", beside)
    redis.cli("DEL", "txn:3")
    redis.cli("RPUSH", "txn:3", "a", "list")
    assert {number: read(client, number) for number in (1, 2, 3)} == right
    assert client.get("/transactions/4").status == 404


@pytest.mark.rows("TPS-W06")
def test_a_cache_that_is_killed_slow_or_flushed_changes_no_answer(nostro, own_redis):
    program = serve(nostro, "tps", own_redis, sets={"redis.read_timeout": "50ms"})
    client = program.client()
    numbers = [posted(client) for _ in range(5)]
    projected(program)
    right = {number: read(client, number) for number in numbers}

    def check():
        numbers.append(posted(client))
        right[numbers[-1]] = read(client, numbers[-1])
        assert {number: read(client, number) for number in numbers} == right
        assert client.get("/readiness").status == 200

    own_redis.kill()
    check()
    until(lambda: part(program, "feed redis")["reason"])
    assert not part(program, "feed redis")["needed"]
    until(lambda: "feed_failed" in program.stderr)
    assert own_redis.password not in program.stderr
    check()
    own_redis.start()  # empty, and where it was
    until(lambda: own_redis.keys() == {f"txn:{number}" for number in numbers})
    until(lambda: part(program, "feed redis")["ready"] and part(program, "redis backfill")["ready"])
    check()
    projected(program)
    server = int((own_redis.folder / "pid").read_text())
    failed = metric(program, FAILED)
    os.kill(server, signal.SIGSTOP)
    try:
        check()
        until(lambda: metric(program, FAILED) > failed or check())
    finally:
        os.kill(server, signal.SIGCONT)
    projected(program)
    own_redis.cli("FLUSHALL")
    check()
    until(lambda: own_redis.keys() == {f"txn:{number}" for number in numbers})


def test_a_wrong_password_is_shown_and_nothing_waits_for_it(nostro, redis):
    program = nostro("--profile", "tps", env={"NOSTRO_REDIS_URL": redis.url.replace(redis.password, "wr0ng")})
    client = program.client()
    assert json.loads(read(client, posted(client)))["status"] == "completed"
    until(lambda: part(program, "feed redis")["reason"])
    shown = part(program, "feed redis")
    assert "password of redis.url" in shown["reason"] and not shown["ready"] and not shown["needed"]
    assert client.get("/readiness").status == 200
    assert "wr0ng" not in program.stderr + json.dumps(shown)


def test_a_configuration_that_cannot_be_understood_stops_the_start(nostro):
    program = nostro("--profile", "tps", env={"NOSTRO_REDIS_URL": "localhost:6379"})
    assert program.url is None and "redis.url" in program.stderr and "redis://:password@host" in program.stderr
    shown = run("config", "show", env={"NOSTRO_REDIS_URL": "redis://ann:s3cret@cache.example:6379/0"})
    assert shown.returncode == 0 and 'url = "redis://ann:***@cache.example:6379/0"' in shown.stdout, shown


def test_the_variables_of_the_originals_name_the_server(nostro, own_redis):
    own_redis.cli("CONFIG", "SET", "requirepass", "")
    own_redis.password = ""
    program = nostro("--profile", "tps", env={"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(own_redis.port)})
    posted(program.client())
    until(lambda: own_redis.keys() == {"txn:1"})


def test_tls_names_whom_it_trusts(nostro, tmp_path):
    redis = Redis(tmp_path / "redis", "--tls")
    try:
        blind = serve(nostro, "tps", redis, data=tmp_path / "blind")
        posted(blind.client())
        until(lambda: part(blind, "feed redis")["reason"])
        assert "certificate is not trusted" in part(blind, "feed redis")["reason"]
        env = {"NOSTRO_REDIS_CA_FILE": str(redis.folder / "tls" / "ca.crt")}
        program = serve(nostro, "tps", redis, env=env)
        number = posted(program.client())
        projected(program)
        hits = metric(program, HITS)
        read(program.client(), number)
        assert metric(program, HITS) == hits + 1
        elsewhere = redis.url.replace("127.0.0.1", "localhost")  # its certificate names the number alone
        other = nostro("--profile", "tps", env={"NOSTRO_REDIS_URL": elsewhere, **env}, data=tmp_path / "other")
        until(lambda: part(other, "feed redis")["reason"])
        assert "certificate is not trusted" in part(other, "feed redis")["reason"]
    finally:
        redis.stop()


def test_what_was_before_redis_came_is_filled_in(nostro, redis):
    alone = nostro("--profile", "tps")
    client = alone.client()
    for _ in range(150):
        posted(client)
    right = {number: read(client, number) for number in range(1, 151)}
    alone.stop()
    program = serve(nostro, "tps", redis, data=alone.data)
    until(lambda: len(redis.keys()) == 150)
    client = program.client()
    assert {number: read(client, number) for number in right} == right
    assert metric(program, HITS) == 150


def test_documents_of_another_journal_are_left_alone(nostro, redis, tmp_path):
    first = serve(nostro, "tps", redis, data=tmp_path / "first")
    posted(first.client())
    projected(first)
    first.stop()
    kept = redis.cli("GET", "txn:1")
    second = serve(nostro, "tps", redis, data=tmp_path / "second")
    posted(second.client(), "1.00", "another")
    until(lambda: part(second, "feed redis")["reason"])
    assert "FLUSHDB" in part(second, "feed redis")["reason"] and redis.cli("GET", "txn:1") == kept
    redis.cli("FLUSHDB")
    until(lambda: redis.keys() == {"txn:1"})
    assert json.loads(redis.cli("GET", "txn:1"))["user_id"] == "another"


def test_kills_of_both_under_load_leave_what_was_answered(nostro, own_redis, kills):
    program = serve(nostro, "tps", own_redis)
    answered = {}
    for turn in range(max(2, min(kills, 20) // 5)):
        ended = threading.Event()

        def load(worker, program=program, turn=turn):
            client = program.client()
            for count in itertools.count():
                key = f"load-{turn}-{worker}-{count}"
                try:
                    number = posted(client, f"{worker + 1}.{count % 100:02}", key=key)
                except GONE:
                    return
                answered[number] = key
                if ended.is_set():
                    return

        with ThreadPoolExecutor(4) as pool:
            loads = [pool.submit(load, worker) for worker in range(4)]
            enough = len(answered) + 200
            until(lambda: len(answered) >= enough or any(each.done() for each in loads))
            own_redis.kill()
            enough += 200
            until(lambda: len(answered) >= enough or any(each.done() for each in loads))
            own_redis.start()
            enough += 200
            until(lambda: len(answered) >= enough or any(each.done() for each in loads))
            if turn % 2 == 0:
                program.process.kill()
                program.process.wait()
            ended.set()
            for each in loads:
                each.result()
        if turn % 2 == 0:
            program = serve(nostro, "tps", own_redis, data=program.data)
    projected(program)
    client = program.client()
    until(lambda: metric(program, "nostro_redis_missing_frames") == 0)
    until(lambda: {f"txn:{number}" for number in answered} <= own_redis.keys())
    misses, hits = metric(program, 'nostro_cache_reads_total{result="miss"}'), metric(program, HITS)
    shown = {number: read(client, number) for number in answered}
    assert metric(program, HITS) == hits + len(answered)
    assert metric(program, 'nostro_cache_reads_total{result="miss"}') == misses
    own_redis.stop()
    assert {number: read(client, number) for number in answered} == shown, "the store says the same"
    program.stop()
    proved = run("verify", "--data", program.data)
    assert proved.returncode == 0, proved.stderr


def test_a_user_needs_no_more_rights_than_the_page_says(nostro, redis):
    page = (ROOT / "docs/operations/redis.md").read_text()
    (rule,) = (line for line in page.splitlines() if line.startswith("ACL SETUSER nostro"))
    redis.cli(*rule.split())
    url = f"redis://nostro:password@127.0.0.1:{redis.port}/0"
    program = serve(nostro, "tps,upi,clearing", redis, env={"NOSTRO_REDIS_URL": url})
    posted(program.client())
    send(program, "upi", upi_message(100))
    send(program, "clearing", transaction("T1", 5), transaction("T2", 0))
    projected(program)
    hits = metric(program, HITS)
    read(program.client(), 1)
    assert metric(program, HITS) == hits + 1
    assert {"txn:1", "balance:user_1", "settlement:T1", "rejected:T2"} <= redis.keys()
    right = redis.cli("GET", "balance:user_1")
    redis.cli("SET", "balance:user_1", "1")
    mended = run("reconcile", "--url", program.url, "--repair")
    assert mended.returncode == 0 and redis.cli("GET", "balance:user_1") == right, mended
    redis.cli("ACL", "DELUSER", "nostro")


# --- upi ---


def upi_message(amount, payer="user_1", payee="user_2"):
    return {"tx_id": unique("tx"), "payer_id": payer, "payee_id": payee, "amount": amount, "currency": "INR",
            "created_at": None}  # fmt: skip


def balances(program, users):
    client = program.client()
    return {user: int(Decimal(client.balance(f"user:{user}", tenant="upi")["posted"])) for user in users}


@pytest.mark.rows("UPI-20", "UPI-21")
def test_balances_and_days_are_where_operators_look(nostro, redis):
    program = serve(nostro, "upi", redis)
    assert redis.cli("GET", "balance:nobody") == ""
    send(program, "upi", upi_message(100, "user_1", "user_5"), upi_message(250, "user_1", "stranger"),
         upi_message(150001, "user_2", "user_3"), upi_message(1, "user_5", "user_5"))  # fmt: skip
    projected(program)
    shown = {key.removeprefix("balance:"): int(redis.cli("GET", key)) for key in redis.keys("balance:*")}
    assert shown == balances(program, shown) and shown["user_5"] == 1000100 and shown["stranger"] == 250
    days = redis.keys("daily:*")
    assert len(days) == 1, "only what succeeded counts"
    (day,) = days
    assert day.startswith("daily:user_1:20") and redis.cli("GET", day) == "350"
    assert 47 * 3600 < int(redis.cli("TTL", day)) <= 48 * 3600
    assert redis.keys() == days | {f"balance:{user}" for user in shown}


def test_a_balance_follows_what_is_no_payment(nostro, redis):
    program = serve(nostro, "upi", redis)
    client = program.client()
    send(program, "upi", upi_message(100))
    projected(program)
    payment = next(each for each in client.pages("/v1/payments", tenant="upi", account="user:user_1"))
    answer = client.post(f"/v1/payments/{payment['payment_id']}/reverse", {}, key=unique())
    assert answer.status == 202, answer
    projected(program)
    assert (redis.cli("GET", "balance:user_1"), redis.cli("GET", "balance:user_2")) == ("1000000", "1000000")


@pytest.mark.rows("UPI-W04", "UPI-W05")
def test_no_decision_asks_the_cache(nostro, redis, tmp_path):
    messages = [upi_message(49_000 + number % 7, f"user_{number % 3 + 1}", f"user_{number % 5 + 1}")
                for number in range(90)]  # fmt: skip
    alone = nostro("--profile", "upi", data=tmp_path / "alone")
    beside = serve(nostro, "upi", redis)
    for start in range(0, len(messages), 30):
        part_of = messages[start : start + 30]
        assert send(beside, "upi", *part_of) == send(alone, "upi", *part_of)
        if start == 0:
            for user in range(1, 6):
                redis.cli("SET", f"balance:user_{user}", "-7")
            for key in redis.keys("daily:*"):
                redis.cli("SET", key, "499999")
        else:
            redis.cli("FLUSHALL")
    projected(beside)
    users = [f"user_{number}" for number in range(1, 6)]
    right = balances(alone, users)
    until(lambda: {user: redis.cli("GET", f"balance:{user}") for user in users} == {u: str(b) for u, b in right.items()})


# --- clearing ---

SETTLED = [
    "transaction_id", "status", "settlement_time", "amount", "from_account", "to_account", "transaction_type",
    "description", "risk_score", "from_customer_name", "from_customer_risk", "from_account_type",
    "from_account_balance", "to_customer_name", "to_customer_risk", "to_account_type", "to_account_balance",
    "balance_updated", "balance_update_notes", "from_balance_before", "from_balance_after", "to_balance_before",
    "to_balance_after",
]  # fmt: skip
REJECTED = [
    "transaction_id", "status", "rejection_time", "rejection_reason", "amount", "from_account", "to_account",
    "transaction_type", "description", "risk_score", "available_balance", "from_customer_name", "from_customer_risk",
]  # fmt: skip
REVIEW = [{"rejection_time": "review_time", "rejection_reason": "review_reason"}.get(each, each) for each in REJECTED]


def transaction(name, amount, debtor="ACC001", creditor="ACC002", **fields):
    return {"transaction_id": name, "amount": amount, "from_account": debtor, "to_account": creditor,
            "transaction_type": "TRANSFER", "description": None, **fields}  # fmt: skip


@pytest.mark.rows("CLR-50", "CLR-51", "CLR-52", "CLR-53", "CLR-55", "CLR-W10")
def test_settlements_and_rejections_are_hashes(nostro, redis):
    program = serve(nostro, "clearing", redis)
    send(program, "clearing", transaction("TXN001", 1000, description="a loan"),
         transaction("TXN002", "2500.50", "ACC003", "ACC004"), transaction("POOR", 1000000),
         transaction("NONE", 5, "ACC001", "ACC999"), transaction("ZERO", 0))  # fmt: skip
    projected(program)
    assert redis.keys("settlement:*") == {"settlement:TXN001", "settlement:TXN002"}
    assert redis.keys("rejected:*") == {"rejected:POOR", "rejected:NONE", "rejected:ZERO"}
    one = redis.hash("settlement:TXN001")
    assert list(one) == SETTLED
    assert (one["status"], one["description"], one["risk_score"]) == ("settled", "a loan", "20")
    assert (one["from_customer_name"], one["to_customer_risk"]) == ("John Doe", "MEDIUM")
    assert one["balance_updated"] == "True"
    for each in map(redis.hash, redis.keys("settlement:*")):
        amount = Decimal(each["amount"])
        assert Decimal(each["from_balance_before"]) - amount == Decimal(each["from_balance_after"])
        assert Decimal(each["to_balance_before"]) + amount == Decimal(each["to_balance_after"])
        client = program.client()
        assert client.balance(each["from_account"], tenant="clearing")["posted"] == each["from_balance_after"]
    poor = redis.hash("rejected:POOR")
    assert list(poor) == REJECTED
    assert poor["rejection_reason"] == "Insufficient funds. Available: 49000.00, Required: 1000000.00"
    assert (poor["status"], poor["available_balance"], poor["description"]) == ("rejected", "49000.00", "")
    assert redis.hash("rejected:ZERO")["rejection_reason"] == "Invalid amount"
    assert {redis.cli("TTL", key) for key in redis.keys()} == {"-1"}


@pytest.mark.rows("CLR-54", "CLR-W05")
@pytest.mark.parametrize("decision, ends", [("approve", "settlement"), ("reject", "rejected")])
def test_a_review_is_a_hash_until_it_is_decided(nostro, own_redis, decision, ends):
    program = serve(nostro, "clearing", own_redis)
    for account, balance in (("PAYER", "150000.00"), ("PAYEE", "0.00")):
        send(program, "clearing", {"account_number": account, "customer_id": "C9", "customer_name": "Mo",
                                   "risk_level": "LOW", "account_type": "CHECKING", "balance": balance})  # fmt: skip
    send(program, "clearing", transaction("BIG", "100000.01", "PAYER", "PAYEE"))
    projected(program)
    assert own_redis.keys() == {"review:BIG"}
    waiting = own_redis.hash("review:BIG")
    assert list(waiting) == REVIEW
    assert (waiting["status"], waiting["review_reason"]) == ("requires_manual_review", "Amount exceeds daily limit")
    assert (waiting["available_balance"], waiting["from_customer_name"]) == ("150000.00", "Mo")
    client = program.client()
    (queued,) = client.pages("/v1/reviews", tenant="clearing")
    own_redis.kill()  # between the decision and what is told of it
    answer = client.post(f"/v1/reviews/{queued['payment_id']}/{decision}", {"reviewer": "r.novak", "reason": "called"})
    assert answer.status == 202, answer
    own_redis.start()
    until(lambda: own_redis.keys() == {f"{ends}:BIG"}, lambda: (own_redis.keys(), client.get("/readiness").body))
    if decision == "reject":
        assert own_redis.hash("rejected:BIG")["rejection_reason"] == "Rejected in review: called"
    else:
        assert own_redis.hash("settlement:BIG")["from_balance_after"] == "49999.99"


@pytest.mark.rows("CLR-54")
def test_a_review_may_stand_where_the_original_had_it(nostro, redis, tmp_path):
    policy = (ROOT / "src/nostro/profiles/clearing.toml").read_text()
    (tmp_path / "clearing.toml").write_text(policy.replace("reviews_under_rejected = false",
                                                           "reviews_under_rejected = true"))  # fmt: skip
    program = serve(nostro, "clearing", redis, sets={"profiles.folder": str(tmp_path)})
    send(program, "clearing", {"account_number": "PAYER", "customer_id": "C9", "customer_name": "Mo",
                               "risk_level": "LOW", "account_type": "CHECKING", "balance": "150000.00"},
         transaction("BIG", "100000.01", "PAYER"))  # fmt: skip
    projected(program)
    assert redis.keys() == {"rejected:BIG"}
    assert redis.hash("rejected:BIG")["status"] == "requires_manual_review"
    client = program.client()
    (queued,) = client.pages("/v1/reviews", tenant="clearing")
    answer = client.post(f"/v1/reviews/{queued['payment_id']}/approve", {"reviewer": "r.novak", "reason": "called"})
    assert answer.status == 202, answer
    projected(program)
    assert redis.keys() == {"settlement:BIG"}
