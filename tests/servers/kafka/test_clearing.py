"""Transactions that arrive on a topic, and what clearance says of each on another."""

import json

import pytest
import topics
from client import unique
from program import run



def message(amount, source="ACC001", target="ACC002", tx=None, **more):
    """As the original's producer enriches a row; what it claims of customers and risk is not believed."""
    customer = {"name": "Somebody", "risk_level": "LOW", "account_type": "CHECKING", "balance": 1e9}
    return json.dumps({
        "id": 1, "transaction_id": tx or unique("TXN"), "amount": amount, "from_account": source, "to_account": target,
        "transaction_type": "TRANSFER", "description": None, "timestamp": "2026-01-05T10:11:12", "status": "pending",
        "from_customer": customer, "to_customer": customer, "risk_score": 0, **more,
    })  # fmt: skip


class Clearing:
    def __init__(self, start, folder):
        self.start = start
        self.input, self.cleared = unique("financial-transactions"), unique("cleared-transactions")
        self.group = unique("clearance-group")
        self.folder = topics.profile_file(folder, "clearing", topic=self.input, outcome_topic=self.cleared,
                                          group=self.group)  # fmt: skip

    def run(self, **rest):
        program = self.start("--profile", "clearing", env={"KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS},
                             sets={"profiles.folder": self.folder}, **rest)  # fmt: skip
        assert program.url, program.stderr
        return program

    def told(self, count):
        """What was said of each transaction, by its id."""
        said = [json.loads(each.value(), parse_float=str) for each in topics.get(self.cleared, count)]
        assert topics.count(self.cleared) == count, "nothing is said twice"
        return {each["transaction_id"]: each for each in said}


@pytest.fixture
def clearing(nostro, tmp_path):
    return Clearing(nostro, tmp_path / "profiles")


def posted(program, account):
    answer = program.client().get(f"/v1/accounts/{account}/balance", tenant="clearing")
    assert answer.status == 200, answer
    return answer.json["posted"]


@pytest.mark.rows("CLR-21", "CLR-36", "CLR-W03", "CLR-W13", "G-08")
def test_every_transaction_that_was_sent_before_the_start_is_cleared_and_told(clearing):
    topics.make(clearing.input)
    topics.put(clearing.input, [
        message("1000.00", tx="TXN001"), message("2500.50", "ACC003", "ACC004", tx="TXN002"),
        message("750.25", "ACC005", "ACC006", tx="TXN003"), message("1.00", "NOBODY", tx="unknown"),
        message("0.00", tx="invalid"), message("49000.01", tx="funds"),
        json.dumps({"account_number": "RICH", "customer_id": "C9", "customer_name": "Rich", "risk_level": "LOW",
                    "account_type": "CHECKING", "balance": "500000.00"}),
        message("100000.01", "RICH", "ACC004", tx="review"),
    ])  # fmt: skip
    program = clearing.run()
    said = clearing.told(7)
    first = said["TXN001"]
    assert list(first) == [
        "id", "transaction_id", "amount", "from_account", "to_account", "transaction_type", "description", "timestamp",
        "status", "from_customer", "to_customer", "risk_score", "clearance_notes", "clearance_time", "cleared_by",
        "available_balance",
    ]  # fmt: skip
    assert first["from_customer"] == {
        "name": "John Doe", "risk_level": "LOW", "account_type": "CHECKING", "balance": "50000.00"}  # fmt: skip
    assert (first["cleared_by"], first["available_balance"]) == ("automated_system", "50000.00")
    assert {tx: (each["status"], each["clearance_notes"], each["risk_score"]) for tx, each in said.items()} == {
        "TXN001": ("cleared", "All validations passed", 20),
        "TXN002": ("cleared_with_conditions", "Medium risk - additional monitoring", 40),
        "TXN003": ("cleared", "All validations passed", 20),
        "unknown": ("rejected", "From account not found", 20),
        "invalid": ("rejected", "Invalid amount", 20),
        "funds": ("rejected", "Insufficient funds. Available: 49000.00, Required: 49000.01", 50),
        "review": ("requires_manual_review", "Amount exceeds daily limit", 30),
    }
    assert [posted(program, f"ACC00{number}") for number in range(1, 7)] == [
        "49000.00", "26000.00", "72499.50", "32500.50", "99249.75", "15750.25"]  # fmt: skip
    program.stop()


@pytest.mark.rows("CLR-23", "CLR-W15", "G-01")
def test_many_partitions_and_copies_settle_once(clearing):
    topics.make(clearing.input, 3)
    known = [message("100.00", tx=f"T{number}") for number in range(20)]
    for partition in range(3):
        topics.put(clearing.input, known, partition)
    forged = message("90000.00", tx="T7", status="cleared")
    topics.put(clearing.input, [forged, message("1.00", tx="last")], 0)
    program = clearing.run()
    topics.until(lambda: topics.committed(clearing.group, clearing.input), 62)
    said = clearing.told(21)
    assert {each["status"] for each in said.values()} == {"cleared"} and said["T7"]["amount"] == "100.00"
    assert posted(program, "ACC001") == "47999.00"
    letter = topics.get(f"{clearing.input}.dead-letters", 1)[0]
    assert letter.value() == forged.encode()
    assert topics.headers(letter)["nostro-reason"] == "conflict: its id is known with other content"
    program.stop()


@pytest.mark.rows("CLR-W02", "G-02")
def test_a_restart_tells_nothing_twice_and_a_kill_leaves_ids_to_know_it_by(clearing):
    topics.make(clearing.input)
    topics.put(clearing.input, [message("1.00", tx=f"T{number}") for number in range(500)])
    program = clearing.run()
    clearing.told(500)
    program.stop()
    topics.put(clearing.input, [message("1.00", tx=f"T{number}") for number in range(500, 1000)])
    program = clearing.run()
    clearing.told(1000)
    topics.put(clearing.input, [message("1.00", tx=f"T{number}") for number in range(1000, 3000)])
    topics.until(lambda: topics.count(clearing.cleared) > 1000, True)
    program.kill()
    program = clearing.run()
    topics.until(lambda: topics.committed(clearing.group, clearing.input), 3000)
    topics.until(lambda: len(ids_and_transactions(clearing.cleared)[1]) == 3000, True)
    program.stop()
    ids, transactions = ids_and_transactions(clearing.cleared)
    assert len(ids) == len(transactions) == 3000, "one id for each, at every delivery"
    told = run("verify", "--data", program.data, "--json")
    assert told.returncode == 0 and json.loads(told.stdout)["states"]["settled"] == 3000


def ids_and_transactions(topic):
    """Of all that stands in the topic now."""
    said = topics.get(topic, topics.count(topic))
    return ({topics.headers(each)["nostro-id"] for each in said},
            {json.loads(each.value())["transaction_id"] for each in said})  # fmt: skip


def test_the_generator_fills_the_topic(clearing):
    told = run("generate", "clearing", "--to", "kafka", "--topic", clearing.input, "-n", "200", env={
        "KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS})  # fmt: skip
    assert told.returncode == 0, told.stderr
    program = clearing.run()
    clearing.told(200)
    program.stop()
