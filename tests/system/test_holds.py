"""Manual capture: held, captured, voided, expired."""

from datetime import datetime, timedelta, timezone

import pytest
from client import check_problem, payment, refused, unique
from stream import Stream


def soon(seconds):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat()


def expiring(api, debtor, creditor, key=None):
    """A hold that expires soon: what was asked, and the answer. Where that was over before it was taken, a later one."""
    for seconds in (1, 5, 20):
        body = payment(debtor, creditor, "40.00", capture="manual", expires_at=soon(seconds))
        answer = api.post("/v1/payments", body, key=key or unique())
        if answer.status == 202:
            break
        refused(answer, 422, "invalid_fields", ("/expires_at", "in_the_past"))
    assert answer.status == 202 and answer.json["status"] == "held", answer
    return body, answer


def held(api, amount="40.00", balance="100.00", **fields):
    debtor, creditor = api.pair(balance)
    return debtor, creditor, api.paid(debtor, creditor, amount, status="held", capture="manual", **fields)


def test_a_held_payment_reserves_and_moves_nothing(api):
    debtor, creditor, payment_id = held(api)
    read = api.payment(payment_id)
    assert read["status"] == "held" and read["capture"] == "manual" and read["expires_at"] > read["accepted_at"]
    balance = api.balance(debtor)
    assert (balance["posted"], balance["held"], balance["available"]) == ("100.00", "40.00", "60.00")
    assert api.posted(creditor) == "0.00"
    answer = api.pay(debtor, creditor, "60.01").json
    assert (answer["status"], answer["reason"]) == ("rejected", "insufficient_funds")


@pytest.mark.parametrize("body, captured, left", [(None, "40.00", "60.00"), ({}, "40.00", "60.00"),
                                                  ({"amount": None}, "40.00", "60.00"),
                                                  ({"amount": "15.50"}, "15.50", "84.50"),
                                                  ({"amount": 40}, "40.00", "60.00")])  # fmt: skip
def test_a_capture_settles_and_releases_the_rest(api, body, captured, left):
    debtor, creditor, payment_id = held(api)
    answer = api.post(f"/v1/payments/{payment_id}/capture", body)
    assert answer.status == 202 and answer.json["status"] == "settled", answer
    assert answer.json["payment_id"] == payment_id
    read = api.payment(payment_id)
    assert (read["status"], read["captured_amount"], read["amount"]) == ("settled", captured, "40.00")
    assert read["expires_at"] is None and read["settled_at"] is not None
    assert [event["event"] for event in read["timeline"]] == ["accepted", "held", "settled"]
    balance = api.balance(debtor)
    assert (balance["posted"], balance["held"], balance["available"]) == (left, "0.00", left)
    assert api.posted(creditor) == captured


def test_a_void_frees_the_funds(api):
    debtor, creditor, payment_id = held(api)
    answer = api.post(f"/v1/payments/{payment_id}/void")
    assert answer.status == 202 and answer.json["status"] == "voided", answer
    assert api.payment(payment_id)["status"] == "voided"
    assert api.available(debtor) == "100.00" and api.posted(creditor) == "0.00"


@pytest.mark.parametrize("first", ["capture", "void"])
def test_what_is_not_open_is_neither_captured_nor_voided(api, first):
    debtor, _, payment_id = held(api)
    assert api.post(f"/v1/payments/{payment_id}/{first}").status == 202
    state = api.payment(payment_id)["status"]
    for second in ("capture", "void"):
        problem = refused(api.post(f"/v1/payments/{payment_id}/{second}"), 409, "not_open")
        assert problem["state"] == state
    assert api.payment(payment_id)["status"] == state


def test_a_settled_or_rejected_payment_is_not_open(api):
    debtor, creditor = api.pair()
    for status, amount in (("settled", "1.00"), ("rejected", "5000.00")):
        payment_id = api.paid(debtor, creditor, amount, status=status)
        assert refused(api.post(f"/v1/payments/{payment_id}/void"), 409, "not_open")["state"] == status


def test_more_than_held_is_not_captured(api):
    debtor, _, payment_id = held(api)
    refused(api.post(f"/v1/payments/{payment_id}/capture", {"amount": "40.01"}), 422, "amount_exceeds_held")
    assert api.payment(payment_id)["status"] == "held" and api.balance(debtor)["held"] == "40.00"
    assert api.post(f"/v1/payments/{payment_id}/capture", {"amount": "40.00"}).status == 202


@pytest.mark.parametrize("body, pointer, code", [
    ({"amount": "0"}, "/amount", "amount_not_positive"), ({"amount": "1.001"}, "/amount", "amount_too_many_decimals"),
    ({"amount": [1]}, "/amount", "wrong_type"), ({"amuont": "1"}, "/amuont", "unknown_field"),
])  # fmt: skip
def test_a_bad_capture_is_refused(api, body, pointer, code):
    _, _, payment_id = held(api)
    refused(api.post(f"/v1/payments/{payment_id}/capture", body), 422, "invalid_fields", (pointer, code))
    assert api.payment(payment_id)["status"] == "held"


@pytest.mark.parametrize("what", ["capture", "void"])
def test_an_unknown_payment_is_neither_captured_nor_voided(api, what):
    answer = api.post(f"/v1/payments/{'0' * 32}/{what}")
    assert answer.status == 404 and answer.json["code"] == "payment_not_found", answer


def test_a_key_makes_a_capture_repeatable(api):
    debtor, creditor, payment_id = held(api)
    key = unique()
    first = api.post(f"/v1/payments/{payment_id}/capture", {"amount": "10.00"}, key=key)
    again = api.post(f"/v1/payments/{payment_id}/capture", {"amount": "10.0"}, key=key)
    assert (first.status, again.status) == (202, 202) and first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first.headers
    refused(api.post(f"/v1/payments/{payment_id}/capture", {"amount": "9.00"}, key=key), 422,
            "idempotency_key_reused")  # fmt: skip
    assert api.posted(creditor) == "10.00" and api.available(debtor) == "90.00"


@pytest.mark.parametrize("who, status, code", [("debtor", "frozen", "account_frozen"),
                                               ("debtor", "frozen_debit", "account_frozen"),
                                               ("creditor", "frozen", "account_frozen"),
                                               ("creditor", "closed", "account_closed")])  # fmt: skip
def test_a_capture_looks_at_the_accounts_again(api, who, status, code):
    debtor, creditor, payment_id = held(api)
    account = debtor if who == "debtor" else creditor
    assert api.patch(f"/v1/accounts/{account}", {"status": status}).status == 200
    refused(api.post(f"/v1/payments/{payment_id}/capture"), 409, code)
    assert api.payment(payment_id)["status"] == "held" and api.balance(debtor)["held"] == "40.00"
    assert api.post(f"/v1/payments/{payment_id}/void").status == 202


def test_a_hold_that_nobody_finishes_expires_and_frees_its_funds(api, shared):
    debtor, creditor = api.pair("100.00")
    with Stream(shared.port, account=debtor) as stream:
        payment_id = expiring(api, debtor, creditor)[1].json["payment_id"]
        assert stream.until(lambda event: event["status"] == "expired")["payment_id"] == payment_id
    read = api.payment(payment_id)
    assert (read["status"], read["reason"], read["reason_class"]) == ("expired", "hold_expired", "final")
    assert read["timeline"][-1]["by"] == "clock"
    assert api.available(debtor) == "100.00" and api.posted(creditor) == "0.00"
    assert refused(api.post(f"/v1/payments/{payment_id}/capture"), 409, "not_open")["state"] == "expired"


def test_a_hold_expires_also_while_the_program_is_down(nostro):
    first = nostro()
    api = first.client()
    debtor, creditor = api.pair("100.00")
    payment_id = expiring(api, debtor, creditor)[1].json["payment_id"]
    first.stop()
    api = nostro().client()
    with Stream(api.port, account=debtor, last="0.0") as stream:
        stream.until(lambda event: event["status"] == "expired")
    assert api.payment(payment_id)["status"] == "expired" and api.available(debtor) == "100.00"


def test_an_expiry_in_the_past_is_refused_and_spends_no_key(api):
    debtor, creditor = api.pair("100.00")
    late = payment(debtor, creditor, capture="manual", expires_at="2020-01-01T00:00:00Z")
    key = unique()
    refused(api.post("/v1/payments", late, key=key), 422, "invalid_fields", ("/expires_at", "in_the_past"))
    refused(api.post("/v1/payments/simulate", late), 422, "invalid_fields", ("/expires_at", "in_the_past"))
    items = [{"idempotency_key": unique(), **each} for each in (payment(debtor, creditor, "1.00"), late)]
    one, other = api.post("/v1/payments/batch", {"payments": items}).json["data"]
    assert one["status"] == "settled"
    check_problem(other["error"], 422, "invalid_fields")
    assert [(each["pointer"], each["code"]) for each in other["error"]["errors"]] == [("/expires_at", "in_the_past")]
    items = [{**each, "idempotency_key": unique()} for each in items]
    answer = api.post("/v1/payments/batch", {"payments": items, "mode": "atomic"}, key=unique())
    refused(answer, 422, "invalid_fields", ("/payments/1/expires_at", "in_the_past"))
    assert api.balance(debtor)["held"] == "0.00" and api.posted(creditor) == "1.00"
    again = api.pay(debtor, creditor, key=key)
    assert again.status == 202 and again.json["status"] == "settled"


def test_what_was_taken_in_time_is_replayed_after_its_end(api, shared):
    debtor, creditor = api.pair("100.00")
    key = unique()
    with Stream(shared.port, account=debtor) as stream:
        body, first = expiring(api, debtor, creditor, key)  # what is refused spends no key
        stream.until(lambda event: event["status"] == "expired")
    again = api.post("/v1/payments", body, key=key)
    assert (again.status, again.json) == (202, first.json) and again.headers["Idempotent-Replayed"] == "true"


def test_an_expiry_that_is_no_time_is_refused(api):
    debtor, creditor = api.pair()
    refused(api.pay(debtor, creditor, capture="manual", expires_at="tomorrow"), 422, "invalid_fields",
            ("/expires_at", "invalid_time"))  # fmt: skip
