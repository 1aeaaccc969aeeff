"""Clearing as three programs, in any order of starting and killed in the middle, and as one: the outcome is the same."""

import itertools
import json
import subprocess
import threading

import pytest
import topics
from pipeline import AS_USER, Pipeline, hashes, insert
from program import PATIENCE_S, run

# What every rule says something of, and funds that are spent twice.
ACCOUNTS = """INSERT INTO customers (customer_id, name, risk_level) VALUES ('C1', 'Ann', 'LOW'), ('C2', 'Bea', 'MEDIUM'), ('C3', 'Cid', 'HIGH');
INSERT INTO accounts (account_number, customer_id, account_type, balance) VALUES ('A1', 'C1', 'CHECKING', 3000), ('A2', 'C2', 'SAVINGS', 90000),
('A3', 'C3', 'CHECKING', 500000), ('A4', 'C1', 'SAVINGS', 0);"""
ROWS = [
    *(insert(f"SPEND{number}", "1000.00", "A1", "A4") for number in range(5)),
    insert("SMALL", "10.50", "A2", "A4"), insert("CONDITIONS", "10000.01", "A2", "A4"), insert("HIGH", "0.01", "A3", "A4"),
    insert("REVIEW", "100000.01", "A3", "A2"), insert("SELF", "1.00", "A2", "A2"), insert("NOTHING", "0.00", "A2", "A4"),
    insert("FUNDS", "90000.00", "A2", "A3"), insert("BACK", "2000.00", "A4", "A1"),
    "INSERT INTO transactions (transaction_id, amount, from_account) VALUES ('NOBODY', 5, 'A2');",
]  # fmt: skip


@pytest.fixture
def pipelines(nostro, postgres, redis, tmp_path):
    """Makes one on topics of its own."""
    numbers = itertools.count()

    def start(*words, **rest):
        return nostro(*words, data=rest.pop("data", tmp_path / f"data{next(numbers)}"), **rest)

    return lambda: Pipeline(start, postgres, redis, tmp_path / f"profiles{next(numbers)}")


@pytest.fixture
def pipeline(pipelines):
    return pipelines()


@pytest.fixture(scope="module")
def as_one():
    """What the fused form made of the rows; the first test asks it."""
    return {}


def fused(as_one, pipelines, redis):
    if not as_one:
        pipeline = pipelines()
        pipeline.migrate()
        pipeline.postgres.psql(ACCOUNTS, *ROWS, **AS_USER)
        program = pipeline.part("fused")
        pipeline.decided(len(ROWS))
        topics.until(lambda: len(hashes(redis, "settlement:*", "rejected:*", "review:*")), len(ROWS))
        as_one.update(pipeline.outcome(), hashes=hashes(redis, "settlement:*", "rejected:*", "review:*"))
        program.stop()
        pipeline.postgres.forget()
        redis.cli("FLUSHALL")
    return as_one


@pytest.mark.rows("CLR-22", "CLR-37", "CLR-38", "CLR-39", "CLR-W01", "CLR-W03", "CLR-W04")
@pytest.mark.parametrize("order", itertools.permutations(("capture", "clearance", "settlement")), ids="-".join)
def test_three_programs_in_any_order_decide_as_one(pipelines, as_one, redis, order):
    expected = fused(as_one, pipelines, redis)
    pipeline = pipelines()
    settled = {name for name, *_, status in expected["transactions"] if status == "settled"}
    assert {f"SPEND{number}" for number in range(3)} < settled and not {"SPEND3", "SPEND4", "FUNDS"} & settled
    pipeline.migrate()
    pipeline.postgres.psql(ACCOUNTS, *ROWS[:7], **AS_USER)
    parts = {role: pipeline.part(role) for role in order}
    pipeline.postgres.psql(*ROWS[7:], **AS_USER)
    pipeline.decided(len(ROWS))
    topics.until(lambda: len(hashes(redis, "settlement:*", "rejected:*", "review:*")), len(ROWS))
    assert {**pipeline.outcome(), "hashes": hashes(redis, "settlement:*", "rejected:*", "review:*")} == expected
    for part in parts.values():
        part.stop()


@pytest.mark.rows("CLR-20", "CLR-21")
def test_what_stands_in_the_topics_between_them(pipeline):
    pipeline.migrate()
    parts = [pipeline.part(role) for role in ("settlement", "capture", "clearance")]
    topics.until(lambda: pipeline.postgres.one("SELECT count(*) FROM accounts", **AS_USER), "6")
    pipeline.postgres.psql(insert("TXN001", "12000.00"), insert("LATER", "1.00"), **AS_USER)
    pipeline.decided(2)
    message = next(each for each in topics.get(pipeline.captured, topics.count(pipeline.captured)) if b"TXN001" in each.value())
    assert message.key() is None and topics.headers(message)["nostro-origin"].startswith("rows:financial_db:0:")
    sent = json.loads(message.value(), parse_float=str)
    created = sent.pop("timestamp")
    assert sent == {
        "id": 1, "transaction_id": "TXN001", "amount": "12000.00", "from_account": "ACC001", "to_account": "ACC002",
        "transaction_type": "TRANSFER", "description": "a test", "status": "pending",
        "from_customer": {"name": "John Doe", "risk_level": "LOW", "account_type": "CHECKING", "balance": "50000.00"},
        "to_customer": {"name": "Jane Smith", "risk_level": "MEDIUM", "account_type": "SAVINGS", "balance": "25000.00"},
        "risk_score": 50,
    }  # fmt: skip
    cleared = next(each for each in topics.get(pipeline.cleared, topics.count(pipeline.cleared)) if b"TXN001" in each.value())
    assert topics.headers(cleared) == topics.headers(message), "where it came from does not change on the way"
    told = json.loads(cleared.value(), parse_float=str)
    assert told.pop("clearance_time") and told == {
        **sent, "timestamp": created, "status": "cleared_with_conditions", "cleared_by": "automated_system",
        "clearance_notes": "Medium risk - additional monitoring", "available_balance": "50000.00",
    }  # fmt: skip
    for part in parts:
        answer = part.client().get("/readiness")
        assert answer.status == 200 and answer.json["ready"], answer
    metrics = parts[1].client().get("/metrics").body.decode()
    assert "nostro_relay_messages_total" in metrics and "nostro_relay_lag_messages" in metrics
    for part in parts:
        part.stop()


@pytest.mark.rows("CLR-22", "CLR-23", "CLR-W02", "CLR-W13", "CLR-W15", "G-01", "G-02", "G-03")
def test_parts_that_are_killed_under_load_lose_and_repeat_nothing(pipeline):
    """Two captures, two clearances over three partitions, one settlement; each is killed while rows come."""
    topics.make(pipeline.captured, 3)
    topics.make(pipeline.cleared, 3)
    pipeline.migrate()
    parts = {name: pipeline.part(name.rstrip("12")) for name in ("settlement", "capture1", "capture2", "clearance1", "clearance2")}
    topics.until(lambda: pipeline.postgres.one("SELECT count(*) FROM accounts", **AS_USER), "6")
    connections, each, failures = 4, 150, []

    def work(connection):
        script = "".join(insert(f"T{connection}-{turn}", "0.01", f"ACC00{turn % 6 + 1}", f"ACC00{(turn + connection) % 5 + 1}")
                         + "SELECT pg_sleep(0.01);" for turn in range(each))  # fmt: skip
        done = subprocess.run(["psql", "-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", pipeline.postgres.address(**AS_USER)],
                              input=script, text=True, capture_output=True, timeout=PATIENCE_S)  # fmt: skip
        failures.extend([done.stderr] if done.returncode else [])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for name in ("capture1", "settlement", "clearance1", "capture2", "clearance2"):
        before = topics.count(pipeline.cleared)
        topics.until(lambda before=before: topics.count(pipeline.cleared) > before or not any(thread.is_alive() for thread in threads), True)
        parts[name].kill()
        parts[name] = pipeline.part(name.rstrip("12"), data=parts[name].data)
    for thread in threads:
        thread.join()
    assert failures == []
    pipeline.decided(connections * each)
    # Whatever came twice: what is said of it, by somebody else too, moves nothing.
    copies = topics.get(pipeline.cleared, 50)
    topics.put(pipeline.cleared, [message.value() for message in copies], 1)
    forged = json.dumps({"transaction_id": "T0-0", "amount": 9000, "from_account": "ACC001", "to_account": "ACC002", "status": "cleared"})
    topics.put(pipeline.cleared, [forged], 2)
    topics.until(lambda: len(parts["settlement"].client().get("/v1/dead-letters").json["data"]), 1)
    rows = pipeline.postgres.rows
    assert {status for _, status in pipeline.statuses().items()} <= {"settled", "rejected"}
    assert rows("SELECT transaction_id FROM transaction_audit GROUP BY transaction_id, new_status HAVING count(*) > 1", **AS_USER) == []
    assert pipeline.postgres.one("SELECT sum(balance) FROM accounts", **AS_USER) == "295000.00"
    moved = rows("""SELECT a.account_number, a.balance - coalesce(sum(CASE WHEN t.to_account = a.account_number THEN t.amount
                                                                           ELSE -t.amount END), 0)
                    FROM accounts a LEFT JOIN transactions t ON t.status = 'settled'
                         AND a.account_number IN (t.from_account, t.to_account)
                    GROUP BY a.account_number, a.balance ORDER BY 1""", **AS_USER)  # fmt: skip
    assert [balance for _, balance in moved] == ["50000.00", "25000.00", "75000.00", "30000.00", "100000.00", "15000.00"]
    for part in parts.values():
        part.stop()
    proved = run("verify", "--data", parts["settlement"].data)
    assert proved.returncode == 0, proved.stderr
