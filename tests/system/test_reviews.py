"""The review queue: what waits for a person, and what the person decides."""

import pytest
from client import refused, unique
from stream import Stream

APPROVE = {"reviewer": "r.novak", "reason": "called the customer"}


def in_review(api, amount="12000.00", balance="50000.00", **fields):
    """30 points for the amount and 40 for the party make it doubtful."""
    debtor, creditor = api.pair(balance, risk_level="high")
    return debtor, creditor, api.paid(debtor, creditor, amount, status="in_review", **fields)


def test_a_doubtful_payment_waits_and_keeps_its_funds(api):
    debtor, creditor, payment_id = in_review(api)
    read = api.payment(payment_id)
    assert read["status"] == "in_review" and read["expires_at"] > read["accepted_at"]
    assert (read["why"]["score"], read["why"]["advice"]) == (70, "review")
    assert {rule["rule"]: rule["points"] for rule in read["why"]["rules"]} == {
        "amount_over_10000": 30, "party_high_risk": 40}  # fmt: skip
    balance = api.balance(debtor)
    assert (balance["posted"], balance["held"]) == ("50000.00", "12000.00")
    queue = api.pages("/v1/reviews")
    assert read in queue and all(each["status"] == "in_review" for each in queue)


def test_the_queue_is_oldest_first_and_pages(nostro):
    api = nostro().client()
    assert api.get("/v1/reviews").json["data"] == []
    ids = [in_review(api)[2] for _ in range(5)]
    for limit in (1, 2, 50):
        assert [each["payment_id"] for each in api.pages("/v1/reviews", limit=limit)] == ids
    assert api.post(f"/v1/reviews/{ids[1]}/approve", APPROVE).status == 202
    assert api.post(f"/v1/reviews/{ids[3]}/reject", APPROVE).status == 202
    assert [each["payment_id"] for each in api.pages("/v1/reviews")] == [ids[0], ids[2], ids[4]]
    refused(api.get("/v1/reviews", cursor="no-such"), 400, "invalid_parameter")


@pytest.mark.parametrize("decision, status, reason, moved", [("approve", "settled", None, "12000.00"),
                                                             ("reject", "rejected", "review_rejected", "0.00")])  # fmt: skip
def test_a_decision_names_who_and_why_and_stays(api, decision, status, reason, moved):
    debtor, creditor, payment_id = in_review(api)
    answer = api.post(f"/v1/reviews/{payment_id}/{decision}", APPROVE)
    assert answer.status == 202, answer
    assert (answer.json["payment_id"], answer.json["status"], answer.json["reason"]) == (payment_id, status, reason)
    read = api.payment(payment_id)
    assert (read["status"], read["reason"]) == (status, reason)
    last = read["timeline"][-1]
    assert (last["event"], last["by"], last["note"]) == (status, "r.novak", "called the customer")
    assert api.posted(creditor) == moved and api.balance(debtor)["held"] == "0.00"

    again = api.post(f"/v1/reviews/{payment_id}/{decision}", APPROVE)
    assert (again.status, again.json) == (202, answer.json), again
    assert again.headers["Idempotent-Replayed"] == "true"
    other = "reject" if decision == "approve" else "approve"
    assert refused(api.post(f"/v1/reviews/{payment_id}/{other}", APPROVE), 409, "already_decided")["state"] == status
    assert api.posted(creditor) == moved


def test_an_approved_manual_capture_is_held(api):
    debtor, creditor, payment_id = in_review(api, capture="manual")
    assert refused(api.post(f"/v1/payments/{payment_id}/capture"), 409, "not_open")["state"] == "in_review"
    assert api.post(f"/v1/reviews/{payment_id}/approve", APPROVE).json["status"] == "held"
    assert api.balance(debtor)["held"] == "12000.00"
    assert api.post(f"/v1/payments/{payment_id}/capture", {"amount": "1.00"}).json["status"] == "settled"
    assert api.posted(creditor) == "1.00" and api.balance(debtor)["held"] == "0.00"
    states = [event["event"] for event in api.payment(payment_id)["timeline"]]
    assert states == ["accepted", "in_review", "held", "settled"]


@pytest.mark.parametrize("body, errors", [
    ({}, [("/reviewer", "missing"), ("/reason", "missing")]), ({"reviewer": "x"}, [("/reason", "missing")]),
    ({**APPROVE, "reviewer": ""}, [("/reviewer", "empty")]), ({**APPROVE, "note": "x"}, [("/note", "unknown_field")]),
    ({**APPROVE, "reason": "x" * 501}, [("/reason", "too_long")]),
])  # fmt: skip
def test_a_decision_without_who_and_why_is_refused(api, body, errors):
    _, _, payment_id = in_review(api)
    refused(api.post(f"/v1/reviews/{payment_id}/approve", body), 422, "invalid_fields", *errors)
    assert api.payment(payment_id)["status"] == "in_review"


def test_only_what_is_in_review_is_decided(api):
    debtor, creditor = api.pair()
    settled = api.paid(debtor, creditor)
    held = api.paid(debtor, creditor, status="held", capture="manual")
    for payment_id, state in ((settled, "settled"), (held, "held")):
        answer = api.post(f"/v1/reviews/{payment_id}/approve", APPROVE)
        assert refused(answer, 409, "not_open")["state"] == state
    answer = api.post(f"/v1/reviews/{'0' * 32}/approve", APPROVE)
    assert answer.status == 404 and answer.json["code"] == "payment_not_found", answer


@pytest.mark.parametrize("who, status", [("debtor", "frozen"), ("creditor", "frozen")])
def test_an_approval_looks_at_the_accounts_again(api, who, status):
    debtor, creditor, payment_id = in_review(api)
    assert api.patch(f"/v1/accounts/{debtor if who == 'debtor' else creditor}", {"status": status}).status == 200
    refused(api.post(f"/v1/reviews/{payment_id}/approve", APPROVE), 409, "account_frozen")
    assert api.payment(payment_id)["status"] == "in_review"
    assert api.post(f"/v1/reviews/{payment_id}/reject", APPROVE).json["status"] == "rejected"


def test_a_key_makes_a_decision_repeatable(api):
    _, _, payment_id = in_review(api)
    key = unique()
    first = api.post(f"/v1/reviews/{payment_id}/approve", APPROVE, key=key)
    again = api.post(f"/v1/reviews/{payment_id}/approve", APPROVE, key=key)
    assert first.status == again.status == 202 and first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_review_that_nobody_decides_expires(nostro):
    program = nostro()
    api = program.client()
    policy = api.get("/v1/policies").json["data"][0]["policy"]
    short = policy.replace('review_ttl = "24h"', 'review_ttl = "1s"')
    assert short != policy
    assert api.put("/v1/policies/nostro", short, form="application/toml").status == 202
    with Stream(program.port) as stream:
        debtor, creditor, payment_id = in_review(api)
        assert stream.until(lambda event: event["status"] == "expired")["payment_id"] == payment_id
    read = api.payment(payment_id)
    assert (read["status"], read["reason"], read["timeline"][-1]["by"]) == ("expired", "review_expired", "clock")
    assert api.available(debtor) == "50000.00"
    refused(api.post(f"/v1/reviews/{payment_id}/approve", APPROVE), 409, "not_open")
    assert api.get("/v1/reviews").json["data"] == []
