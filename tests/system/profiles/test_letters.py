"""Dead letters of a profile go back to that profile, and nowhere else."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from client import refused, unique
from program import run


def send(program, profile, *messages, **query):
    body = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in messages)
    answer = program.client().post(f"/v1/profiles/{profile}/messages", body, form="application/x-ndjson", **query)
    assert answer.status == 202, answer
    return answer.json


def letter_of(program):
    """The newest."""
    letter = program.client().get("/v1/dead-letters").json["data"][0]
    return letter, f"/v1/dead-letters/{letter['dead_letter_id']}"


def upi(amount, tx_id=None, **fields):
    return {"tx_id": tx_id or unique("tx"), "payer_id": "user_1", "payee_id": "user_2", "amount": amount, **fields}


def posted(program, tenant, currency):
    """What customers hold, by account."""
    there = program.client().pages("/v1/accounts", tenant=tenant)
    return {each["account_id"]: each["balance"]["posted"] for each in there
            if each["kind"] != "house" and each["currency"] == currency}  # fmt: skip


def payments(program, tenant):
    since = (datetime.now(timezone.utc) - timedelta(days=15)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = program.client().pages("/v1/payments", tenant=tenant, **{"from": since})
    return [(each["payment_id"], each["idempotency_key"], each["status"]) for each in found]


@pytest.fixture
def served(nostro):
    program = nostro("--profile", "upi")
    assert program.url, program.stderr
    return program


def test_a_mended_message_is_paid_once_in_its_own_ledger(served):
    api = served.client()
    sent = upi(99.5)
    assert send(served, "upi", sent, source="topic:0")["dead_letters"] == 1
    letter, path = letter_of(served)
    assert "whole number of rupees" in refused(api.post(f"{path}/redrive"), 422, "still_unreadable")["detail"]
    for wrong in ({"tx_id": "x"}, {**sent, "amount": "much"},
                  {"debtor_account": "A", "creditor_account": "B", "amount": "5.00", "currency": "INR"}):  # fmt: skip
        refused(api.post(f"{path}/redrive", {"payment": wrong}), 422, "still_unreadable")
    assert letter_of(served)[0]["state"] == "open"

    mended = {"by": "ada", "payment": {**sent, "amount": 99}}
    first, again = (api.post(f"{path}/redrive", mended) for _ in range(2))
    for answer in (first, again):
        assert answer.status == 200 and answer.json["state"] == "redriven", answer
        assert answer.headers["Location"] == f"/v1/payments/{first.json['payment_id']}"
    assert again.json == first.json and again.headers["Idempotent-Replayed"] == "true"
    assert payments(served, "upi") == [(first.json["payment_id"], sent["tx_id"], "settled")]
    assert payments(served, "nostro") == []
    accounts = posted(served, "upi", "INR")
    assert (accounts["user:user_1"], accounts["user:user_2"]) == ("999901.00", "1000099.00")
    assert posted(served, "nostro", "INR") == {}

    # Another message for the same letter, and the old one delivered again: nothing moves.
    refused(api.post(f"{path}/redrive", {"payment": upi(7)}), 409, "already_decided")
    refused(api.post(f"{path}/redrive", {"payment": {**sent, "amount": 98}}), 422, "idempotency_key_reused")
    refused(api.post(f"{path}/discard"), 409, "already_decided")
    assert send(served, "upi", sent, source="topic:0")["replayed"] == 1
    assert send(served, "upi", mended["payment"])["replayed"] == 1
    assert posted(served, "upi", "INR") == accounts
    served.stop()
    proved = run("verify", "--data", served.data)
    assert proved.returncode == 0, proved.stderr


def test_what_is_refused_does_not_use_its_letter_up(served):
    api = served.client()
    known = upi(10)
    assert send(served, "upi", known, upi(0.5))["payments"] == {"settled": 1}
    _, path = letter_of(served)
    refused(api.post(f"{path}/redrive", {"payment": {**known, "amount": 11}}), 422, "idempotency_key_reused")
    assert letter_of(served)[0]["state"] == "open"
    assert api.post(f"{path}/redrive", {"payment": upi(11)}).status == 200
    assert letter_of(served)[0]["state"] == "redriven"


def test_a_letter_waits_for_its_profile(nostro, served):
    sent = upi(0.5)
    send(served, "upi", sent)
    served.stop()
    bare = nostro(data=served.data)
    _, path = letter_of(bare)
    for body in ({}, {"payment": {**sent, "amount": 5}}):
        problem = refused(bare.client().post(f"{path}/redrive", body), 409, "profile_not_served")
        assert "--profile upi" in problem["detail"]
    assert letter_of(bare)[0]["state"] == "open"
    bare.stop()
    again = nostro("--profile", "upi", data=served.data)
    told = again.client().post(f"{path}/redrive", {"payment": {**sent, "amount": 5}})
    assert told.status == 200, told
    assert payments(again, "upi") == [(told.json["payment_id"], sent["tx_id"], "settled")]


def test_a_letter_of_a_profile_can_be_discarded_without_it(nostro, served):
    send(served, "upi", "nonsense")
    served.stop()
    bare = nostro(data=served.data)
    _, path = letter_of(bare)
    for _ in range(2):
        assert bare.client().post(f"{path}/discard", {"by": "ada"}).json["state"] == "discarded"
    refused(bare.client().post(f"{path}/redrive"), 409, "already_decided")


def test_an_account_row_is_taken_once_it_brings_its_customer(nostro):
    program = nostro("--profile", "clearing")
    api = program.client()
    row = {"account_number": "ACC900", "customer_id": "CUST900", "account_type": "SAVINGS", "balance": 12.50}
    assert send(program, "clearing", row)["dead_letters"] == 1
    _, path = letter_of(program)
    refused(api.post(f"{path}/redrive"), 422, "still_unreadable")
    customer = {"customer_id": "CUST900", "name": "Mo", "email": None, "risk_level": "MEDIUM"}
    assert send(program, "clearing", customer)["records"] == 1
    refused(api.post(f"{path}/redrive"), 422, "still_unreadable")
    for _ in range(2):
        answer = api.post(f"{path}/redrive", {"payment": {**row, "customer_name": "Mo", "risk_level": "MEDIUM"}})
        assert answer.status == 200, answer
        assert (answer.json["state"], answer.json["payment_id"]) == ("redriven", None)
    opened = api.get("/v1/accounts/ACC900", tenant="clearing").json
    assert (opened["holder"], opened["risk_level"], opened["balance"]["posted"]) == ("Mo", "medium", "12.50")
    assert api.get("/v1/accounts/ACC900").status == 404, "not in nostro's ledger"


def test_native_letters_stay_native(served):
    api = served.client()
    for name, opening in (("L-A", "50.00"), ("L-B", "0.00")):
        assert api.post("/v1/accounts", {"account_id": name, "currency": "USD", "opening_balance": opening}).status < 300
    text = json.dumps({"debtor_account": "L-A", "creditor_account": "L-B", "amount": "2.00", "currency": "USD"})
    kept = api.post("/v1/dead-letters", {"source": "s", "position": "1", "format": "upi message", "why": "w", "text": text})
    for _ in range(2):
        answer = api.post(f"/v1/dead-letters/{kept.json['dead_letter_id']}/redrive")
        assert answer.status == 200, answer
        assert api.payment(answer.json["payment_id"])["status"] == "settled"
    assert letter_of(served)[0]["payment_id"] == answer.json["payment_id"]
    assert api.posted("L-B") == "2.00"


def test_a_message_without_an_id_keeps_its_place(nostro):
    program = nostro("--profile", "tps")
    api = program.client()
    mended = {"user_id": "ann", "amount": 5, "currency": "USD"}
    where = {"source": "file:1", "first": 7}
    assert send(program, "tps", {**mended, "amount": 0}, **where)["dead_letters"] == 1
    _, path = letter_of(program)
    first, again = (api.post(f"{path}/redrive", {"payment": mended}) for _ in range(2))
    assert first.status == 200, first
    assert again.json == first.json
    [(payment_id, _, status)] = payments(program, "tps")
    assert (payment_id, status) == (first.json["payment_id"], "settled")
    # Mended a second time otherwise, or where it stood: it is the same payment.
    refused(api.post(f"{path}/redrive", {"payment": {**mended, "amount": 6}}), 422, "idempotency_key_reused")
    told = send(program, "tps", mended, **where)
    assert (told["replayed"], told["payments"]) == (1, {"settled": 1})
    assert len(payments(program, "tps")) == 1


def test_of_two_who_resolve_a_letter_at_once_one_does(served):
    send(served, "upi", *[upi(0.5) for _ in range(30)])
    before = Decimal(posted(served, "upi", "INR")["user:user_1"])
    letters = [each["dead_letter_id"] for each in served.client().pages("/v1/dead-letters")]
    assert len(letters) == 30

    def resolve(letter, way, body):
        return served.client().post(f"/v1/dead-letters/{letter}/{way}", body)

    with ThreadPoolExecutor(3) as pool:
        redriven = 0
        for letter in letters:
            ways = [("redrive", {"payment": upi(1)}), ("redrive", {"payment": upi(1)}), ("discard", {})]
            asked = [pool.submit(resolve, letter, *way) for way in ways]
            answers = [each.result() for each in asked]
            assert sorted(each.status for each in answers) == [200, 409, 409], answers
            redriven += answers[2].status == 409
    assert before - Decimal(posted(served, "upi", "INR")["user:user_1"]) == redriven
