"""What stores, topics and logs of the originals hold of one payment, read from the running program."""

import json
from decimal import Decimal
from urllib.parse import quote

import pytest
from client import unique
from program import ROOT, run


class Served:
    def __init__(self, program, name):
        assert program.url, program.stderr
        self.program, self.name, self.client = program, name, program.client()

    def send(self, *messages):
        body = "\n".join(json.dumps(each) for each in messages)
        answer = self.client.post(f"/v1/profiles/{self.name}/messages", body, form="application/x-ndjson")
        assert answer.status == 202, answer
        return answer.json

    def answer(self, key):
        return self.client.get(f"/v1/profiles/{self.name}/documents/{quote(key, safe='')}")

    def documents(self, key):
        answer = self.answer(key)
        assert answer.status == 200, answer
        return answer.json["documents"]


@pytest.fixture
def upi(nostro):
    return Served(nostro("--profile", "upi"), "upi")


def upi_message(amount, payer="user_1", payee="user_2"):
    return {"tx_id": unique("tx"), "payer_id": payer, "payee_id": payee, "amount": amount}


@pytest.mark.rows("UPI-07", "UPI-08", "UPI-09", "UPI-10", "UPI-11", "UPI-12", "UPI-14", "UPI-20", "UPI-21", "UPI-W09")
def test_upi_says_why_in_the_words_of_the_original(upi):
    wanted = [
        (150001, "user_1", "FAILED", "Amount exceeds single transaction limit of 150000"),
        (150000, "user_1", "SUCCESS", ""), (150000, "user_1", "SUCCESS", ""), (150000, "user_1", "SUCCESS", ""),
        (50001, "user_1", "FAILED", "Daily limit exceeded: current 450000 + 50001 > 500000"),
        (50000, "user_1", "SUCCESS", ""),
        (1, "user_1", "FAILED", "Daily limit exceeded: current 500000 + 1 > 500000"),
    ]  # fmt: skip
    messages = [upi_message(amount, payer) for amount, payer, _, _ in wanted]
    upi.send(*messages)
    for message, (amount, payer, status, reason) in zip(messages, wanted):
        told = upi.documents(message["tx_id"])
        row = told["row"]
        assert row.pop("created_at").endswith("Z")
        assert row == {"tx_id": message["tx_id"], "payer_id": payer, "payee_id": "user_2", "amount": amount,
                       "currency": "INR", "status": status, "reason": reason}  # fmt: skip
        assert bool(told["cache"]) == bool(told["users"]) == (status == "SUCCESS"), "a failure moves nothing"
    told = upi.documents(messages[5]["tx_id"])
    assert told["users"] == [{"id": "user_1", "balance": 500000}, {"id": "user_2", "balance": 1500000}]
    day = told["row"]["created_at"][:10]
    assert told["cache"] == [
        {"key": "balance:user_1", "value": "500000", "expires_s": 0},
        {"key": "balance:user_2", "value": "1500000", "expires_s": 0},
        {"key": f"daily:user_1:{day}", "value": "500000", "expires_s": 48 * 3600},
    ]  # fmt: skip
    poor = upi_message(2, "user_2", "newcomer"), upi_message(3, "newcomer", "user_2"), upi_message(5, "a", "a")
    upi.send(*poor)
    reasons = [upi.documents(each["tx_id"])["row"]["reason"] for each in poor]
    assert reasons == ["", "Insufficient balance", "Payer and payee are the same"]


@pytest.mark.rows("UPI-W11", "UPI-W02")
def test_the_audit_of_upi_has_reason_and_balances_and_stays(upi):
    paid, refused, negative = upi_message(100), upi_message(150001), upi_message(-500)
    upi.send(paid, refused, negative)
    before = upi.documents(paid["tx_id"])["audit"]
    assert (before["payer_balance"], before["payee_balance"], before["reason"]) == (999900, 1000100, "")
    assert upi.documents(refused["tx_id"])["audit"]["reason"].startswith("Amount exceeds")
    assert upi.documents(negative["tx_id"])["audit"] | {"created_at": ""} == {
        **negative, "currency": "INR", "status": "FAILED", "reason": "Amount must be positive", "created_at": ""}  # fmt: skip
    told = upi.client.post("/v1/profiles/upi/messages", json.dumps({**paid, "amount": 7}))
    assert told.json["refused"] == 1
    assert upi.documents(paid["tx_id"])["audit"] == before


def test_a_document_is_found_by_key_or_payment_id_and_by_nothing_else(upi):
    message = upi_message(100) | {"tx_id": "of a space and an ä"}
    upi.send(message)
    told = upi.answer(message["tx_id"])
    assert told.status == 200 and told.json["profile"] == "upi"
    assert upi.answer(told.json["payment_id"]).json == told.json
    assert upi.answer("nobody sent this").json["code"] == "payment_not_found"
    payer, payee = upi.client.pair()
    assert upi.answer(upi.client.paid(payer, payee)).status == 404, "of another ledger"
    assert upi.client.get("/v1/profiles/tps/documents/1").json["code"] == "profile_not_served"


@pytest.mark.rows("TPS-09", "TPS-15")
def test_tps_row_and_cache_entry(nostro):
    tps = Served(nostro("--profile", "tps"), "tps")
    key = unique()
    posted = tps.client.post("/transactions", {"user_id": "user_11", "amount": 12.75, "currency": "USD"}, key=key).json
    told = tps.documents(key)
    row = told["row"]
    assert list(row) == ["id", "user_id", "amount", "currency", "status", "created_at"]
    assert (row["id"], row["user_id"], row["amount"], row["status"]) == ("1", "user_11", "12.7500", "completed")
    assert told["body"] == {**posted, "status": "completed"}
    (entry,) = told["cache"]
    assert (entry["key"], entry["expires_s"], json.loads(entry["value"])) == ("txn:1", 3600, told["body"])


@pytest.mark.rows("LOG-10")
def test_logging_row_and_message(nostro):
    log = Served(nostro("--profile", "logging"), "logging")
    sent = {"sender": "C1", "receiver": "M1", "amount": 9839.64, "currency": "EUR"}
    posted = log.client.post("/transaction", sent).json["data"]["id"]
    assert log.documents(posted) == {
        "row": {"id": 1, "sender": "C1", "receiver": "M1", "amount": 9839.64, "status": "Completed"}, "message": sent}  # fmt: skip


def b2b_document(**fields):
    return {"payment_id": unique("p"), "payment_type": "WIRE", "created_at": "2026-01-05T10:11:12.123456",
            "amount": {"value": 900898.06, "currency": "USD"}, "originator": {"party_id": "CUST1", "name": "Söhne"},
            "beneficiary": {"party_id": "CUST2", "name": "Töchter"}, **fields}  # fmt: skip


@pytest.mark.rows("B2B-21", "B2B-27", "B2B-28", "B2B-31", "B2B-32")
@pytest.mark.parametrize("strategy, member", [("none", None), ("originator_id", "CUST1"), ("payment_id", "P1"),
                                              ("payment_type", "WIRE")])  # fmt: skip
def test_b2b_keys_and_columns(nostro, tmp_path, strategy, member):
    file = (ROOT / "src/nostro/profiles/b2b.toml").read_text()
    assert 'message_key = "none"' in file
    (tmp_path / "b2b.toml").write_text(file.replace('message_key = "none"', f'message_key = "{strategy}"'))
    b2b = Served(nostro("--profile", "b2b", sets={"profiles.folder": tmp_path}), "b2b")
    sent = b2b_document(payment_id="P1")
    b2b.send(sent, b2b_document(payment_id="P2", beneficiary=None))
    told = b2b.documents("P1")
    assert told["message"] == {"key": member, "value": sent}
    assert told["wide_row"]["key"].startswith("20260105101112_WIRE_CUST1")
    columns = {"payment_id": "P1", "payment_type": "WIRE", "amount_value": "900898.06", "amount_currency": "USD",
               "originator_id": "CUST1", "originator_name": "Söhne", "beneficiary_id": "CUST2",
               "beneficiary_name": "Töchter", "created_at": sent["created_at"], "status": "COMPLETED"}  # fmt: skip
    assert told["row"] == columns
    assert told["wide_row"]["columns"] == {f"cf:{name}": value for name, value in columns.items()}
    assert told["stored"] == {"_id": "P1", **columns, "document": sent}
    without = b2b.documents("P2")
    assert without["row"]["beneficiary_id"] is None and "cf:beneficiary_id" not in without["wide_row"]["columns"]


@pytest.fixture
def clearing(nostro):
    return Served(nostro("--profile", "clearing"), "clearing")


def transfer(amount, debtor="ACC001", creditor="ACC002", **fields):
    return {"transaction_id": unique("t"), "amount": amount, "from_account": debtor, "to_account": creditor, **fields}


def account(number, balance, risk="LOW"):
    return {"account_number": number, "customer_id": unique("c"), "customer_name": "Somebody", "risk_level": risk,
            "account_type": "CHECKING", "balance": balance}  # fmt: skip


@pytest.mark.rows("CLR-36", "CLR-37")
def test_clearing_notes_and_statuses_are_the_originals(clearing):
    clearing.send(account("RICH", "900000.00"), account("POOR", "100.00"))
    reviewed, told_first = transfer("100000.01", "RICH"), []
    for sent, decided, status, notes in [
        (transfer(1000), "cleared", "settled", "All validations passed"),
        (transfer(2500.5, "ACC003", "ACC004"), "cleared_with_conditions", "settled", "Medium risk - additional monitoring"),
        (reviewed, *["requires_manual_review"] * 2, "Amount exceeds daily limit"),
        (transfer("900000", "RICH"), *["rejected"] * 2, "Insufficient funds. Available: 799999.99, Required: 900000.00"),
        (transfer("100.01", "POOR"), *["rejected"] * 2, "Insufficient funds. Available: 100.00, Required: 100.01"),
        (transfer(0), *["rejected"] * 2, "Invalid amount"),
        (transfer(5, "NOBODY"), *["rejected"] * 2, "From account not found"),
    ]:  # fmt: skip
        clearing.send(sent)
        told = clearing.documents(sent["transaction_id"])
        cleared = told["messages"]["cleared-transactions"]
        assert (cleared["status"], told["row"]["status"], cleared["clearance_notes"]) == (decided, status, notes)
        assert told["messages"]["financial-transactions"]["status"] == "pending"
        told_first.append((sent["transaction_id"], told))
    # Said again later, when other amounts are reserved, it is the same.
    clearing.client.post(f"/v1/reviews/{clearing.answer(reviewed['transaction_id']).json['payment_id']}/reject",
                         {"reviewer": "ann", "reason": "no"})  # fmt: skip
    for key, told in told_first:
        assert key == reviewed["transaction_id"] or clearing.documents(key) == told
    # Two of one request: the second finds what the first reserves.
    clearing.send(transfer("800000", "RICH", transaction_id="much"), transfer("900001", "RICH", transaction_id="more"))
    notes = clearing.documents("more")["messages"]["cleared-transactions"]["clearance_notes"]
    assert notes == "Insufficient funds. Available: 100000.00, Required: 900001.00"
    assert clearing.documents("much")["row"]["status"] == "requires_manual_review"


@pytest.mark.rows("CLR-36", "CLR-37")
def test_clearing_says_that_the_risk_is_high(nostro, tmp_path):
    text = (ROOT / "src/nostro/profiles/clearing.toml").read_text()
    assert "points = 15" in text
    (tmp_path / "clearing.toml").write_text(text.replace("points = 15", "points = 71", 1))
    clearing = Served(nostro("--profile", "clearing", sets={"profiles.folder": tmp_path}), "clearing")
    clearing.send(sent := transfer("5000.01"))
    told = clearing.documents(sent["transaction_id"])["messages"]["cleared-transactions"]
    assert (told["status"], told["clearance_notes"]) == ("requires_manual_review", "High risk - manual review required")


def audit(told):
    return [(each["old_status"], each["new_status"], each["changed_by"]) for each in told["audit"]]


@pytest.mark.rows("CLR-39", "CLR-54", "CLR-57", "CLR-W10")
def test_clearing_audit_follows_each_step(clearing):
    clearing.send(account("RICH", "900000.00"))
    plain, risky, refused = transfer(1000), transfer(5, "ACC003", "ACC004"), transfer(999999)
    reviews = {decision: transfer("100000.01", "RICH") for decision in ("approve", "reject")}
    clearing.send(plain, risky, refused, *reviews.values())
    told = clearing.documents(plain["transaction_id"])
    assert audit(told) == [("pending", "cleared", "clearance_system"), ("cleared", "settled", "settlement_system")]
    assert [line.split()[0] for line in told["log"]] == ["Sent", "Clearance", "Settled"]
    assert audit(clearing.documents(risky["transaction_id"]))[0][1] == "cleared_with_conditions"
    told = clearing.documents(refused["transaction_id"])
    assert audit(told) == [("pending", "rejected", "clearance_system")]
    assert told["hash"]["fields"]["available_balance"] == "49000.00", "after what stands before it"
    assert told["log"][-1].endswith("Insufficient funds. Available: 49000.00, Required: 999999.00")
    for decision, sent in reviews.items():
        waiting = clearing.documents(sent["transaction_id"])
        assert waiting["hash"]["key"] == f"review:{sent['transaction_id']}"
        assert waiting["hash"]["fields"]["review_reason"] == "Amount exceeds daily limit"
        assert audit(waiting) == [("pending", "requires_manual_review", "clearance_system")]
        payment = clearing.answer(sent["transaction_id"]).json["payment_id"]
        done = clearing.client.post(f"/v1/reviews/{payment}/{decision}", {"reviewer": "r.novak", "reason": "called"})
        assert done.status == 202, done
        told = clearing.documents(sent["transaction_id"])
        end, folder = ("settled", "settlement") if decision == "approve" else ("rejected", "rejected")
        assert audit(told)[1:] == [("requires_manual_review", end, "r.novak")]
        assert told["hash"]["key"] == f"{folder}:{sent['transaction_id']}"
        assert told["row"]["status"] == end


HASH = ["transaction_id", "status", "settlement_time", "amount", "from_account", "to_account", "transaction_type",
        "description", "risk_score", "from_customer_name", "from_customer_risk", "from_account_type",
        "from_account_balance", "to_customer_name", "to_customer_risk", "to_account_type", "to_account_balance",
        "balance_updated", "balance_update_notes", "from_balance_before", "from_balance_after", "to_balance_before",
        "to_balance_after"]  # fmt: skip


@pytest.mark.rows("CLR-20", "CLR-21", "CLR-50", "CLR-52", "CLR-53")
def test_clearing_hash_and_messages_of_a_settlement(clearing):
    clearing.send(first := transfer(1000, transaction_id="TXN001"), transfer(5, description="rent"))
    told = clearing.documents(first["transaction_id"])
    fields = told["hash"]["fields"]
    assert told["hash"]["key"] == "settlement:TXN001" and list(fields) == HASH
    assert set(map(type, fields.values())) == {str}
    shown = {name: fields[name] for name in HASH[3:9] + HASH[13:15]}
    assert shown == {"amount": "1000.00", "from_account": "ACC001", "to_account": "ACC002", "transaction_type": "TRANSFER",
                     "description": "", "risk_score": "20", "to_customer_name": "Jane Smith", "to_customer_risk": "MEDIUM"}  # fmt: skip
    before_after = [Decimal(fields[name]) for name in HASH[-4:]]
    assert before_after == [50000, 49000, 25000, 26000]
    assert clearing.client.balance("ACC001", tenant="clearing")["posted"] == "48995.00"
    message = told["messages"]["cleared-transactions"]
    assert {**told["messages"]["financial-transactions"], "status": "cleared"}.items() <= message.items()
    assert message["from_customer"] == {"name": "John Doe", "risk_level": "LOW", "account_type": "CHECKING", "balance": 50000.0}
    assert (message["cleared_by"], message["available_balance"]) == ("automated_system", 50000.0)


@pytest.mark.rows("CLR-51", "CLR-52")
def test_clearing_hash_of_a_rejection(clearing):
    clearing.send(sent := transfer("50000.01", description="rent"))
    told = clearing.documents(sent["transaction_id"])["hash"]
    assert told["key"] == f"rejected:{sent['transaction_id']}"
    assert told["fields"].pop("rejection_time").endswith("Z")
    assert told["fields"] == {
        "transaction_id": sent["transaction_id"], "status": "rejected",
        "rejection_reason": "Insufficient funds. Available: 50000.00, Required: 50000.01", "amount": "50000.01",
        "from_account": "ACC001", "to_account": "ACC002", "transaction_type": "TRANSFER", "description": "rent",
        "risk_score": "50", "available_balance": "50000.00", "from_customer_name": "John Doe", "from_customer_risk": "LOW",
    }  # fmt: skip


def test_a_payment_is_found_by_the_id_that_its_message_brought(upi):
    message = upi_message(100) | {"tx_id": "a b/ä"}
    upi.send(message, upi_message(200))
    (found,) = upi.client.get("/v1/payments", tenant="upi", idempotency_key="a b/ä").json["data"]
    assert (found["idempotency_key"], found["amount"]) == ("a b/ä", "100.00")
    assert upi.client.get("/v1/payments", idempotency_key="a b/ä").json["data"] == [], "of another ledger"
    refused = upi.client.get("/v1/payments", tenant="upi", idempotency_key="a b/ä", status="settled")
    assert (refused.status, refused.json["code"]) == (400, "invalid_parameter")
    where = ("--url", upi.program.url)
    for key in ("a b/ä", found["payment_id"]):
        shown = run("show", key, "--tenant", "upi", "--json", *where)
        assert json.loads(shown.stdout) == found, shown.stderr
    listed = run("list", "--tenant", "upi", "--account", "user:user_1", *where).stdout
    assert "KEY" in listed and message["tx_id"] in listed
    told = run("show", "nobody", "--tenant", "upi", *where)
    assert told.returncode == 1 and "has no payment with the key nobody" in told.stderr
    told = run("show", found["payment_id"], "--tenant", "upi", "--documents", *where)
    assert told.returncode == 0 and "SUCCESS" in told.stdout and "balance:user_1" in told.stdout
    told = run("show", found["payment_id"], "--documents", *where)
    assert told.returncode == 2 and "--tenant" in told.stderr


def test_a_native_payment_is_found_by_its_key(api, shared):
    payer, payee = api.pair()
    key = unique("order")
    paid = api.paid(payer, payee, key=key)
    assert [each["payment_id"] for each in api.get("/v1/payments", idempotency_key=key).json["data"]] == [paid]
    assert json.loads(run("show", key, "--json", "--url", shared.url).stdout)["payment_id"] == paid
