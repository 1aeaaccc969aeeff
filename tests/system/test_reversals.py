"""Reversals: a payment of its own that undoes a settled one, wholly or in part."""

import pytest
from client import refused, unique


def settled(api, amount="100.00"):
    debtor, creditor = api.pair("1000.00")
    return debtor, creditor, api.paid(debtor, creditor, amount)


def reverse(api, payment_id, body=None, **rest):
    return api.post(f"/v1/payments/{payment_id}/reverse", body, **rest)


def test_a_whole_reversal_moves_the_money_back_and_is_linked(api):
    debtor, creditor, original = settled(api)
    answer = reverse(api, original, {"reference": "REFUND-7", "description": "damaged"})
    assert answer.status == 202 and answer.json["status"] == "settled", answer
    reversal = answer.json["payment_id"]
    assert reversal != original
    read = api.payment(reversal)
    assert (read["debtor_account"], read["creditor_account"]) == (creditor, debtor)
    assert (read["amount"], read["reverses"], read["reference"]) == ("100.00", original, "REFUND-7")
    assert api.posted(debtor) == "1000.00" and api.posted(creditor) == "0.00"
    of_original = api.payment(original)
    assert (of_original["status"], of_original["reversed_amount"]) == ("settled", "100.00")
    assert of_original["reversals"] == [reversal]


def test_parts_add_up_to_the_original_and_never_to_more(api):
    debtor, creditor, original = settled(api)
    ids = []
    for amount, status, reason in [("30.00", "settled", None), ("70.01", "rejected", "reversal_exceeds_original"),
                                   ("70.00", "settled", None), ("0.01", "rejected", "reversal_exceeds_original")]:  # fmt: skip
        answer = reverse(api, original, {"amount": amount})
        assert answer.status == 202 and (answer.json["status"], answer.json["reason"]) == (status, reason), answer
        if status == "settled":
            ids.append(answer.json["payment_id"])
    read = api.payment(original)
    assert read["reversed_amount"] == "100.00" and read["reversals"] == ids
    assert api.posted(debtor) == "1000.00"
    whole = reverse(api, original)
    assert (whole.json["status"], whole.json["reason"]) == ("rejected", "reversal_exceeds_original")


def test_without_an_amount_the_rest_is_reversed(api):
    debtor, _, original = settled(api)
    assert reverse(api, original, {"amount": "40.00"}).json["status"] == "settled"
    answer = reverse(api, original, {})
    assert answer.json["status"] == "settled", answer
    assert api.payment(answer.json["payment_id"])["amount"] == "60.00"
    assert api.posted(debtor) == "1000.00"


def test_only_a_settled_payment_is_reversed(api):
    debtor, creditor = api.pair("100.00")
    held = api.paid(debtor, creditor, "10.00", status="held", capture="manual")
    rejected = api.paid(debtor, creditor, "500.00", status="rejected")
    for original in (held, rejected):
        answer = reverse(api, original)
        assert answer.status == 202, answer
        assert (answer.json["status"], answer.json["reason"]) == ("rejected", "not_settled")
    assert api.post(f"/v1/payments/{held}/capture", {"amount": "4.00"}).status == 202
    assert reverse(api, held, {"amount": "4.01"}).json["reason"] == "reversal_exceeds_original"
    assert reverse(api, held, {"amount": "4.00"}).json["status"] == "settled"


def test_a_reversal_is_not_reversed(api):
    _, _, original = settled(api)
    reversal = reverse(api, original).json["payment_id"]
    answer = reverse(api, reversal)
    assert (answer.status, answer.json["status"], answer.json["reason"]) == (202, "rejected", "reversal_of_reversal")


def test_a_reversal_checks_funds_and_status(api):
    debtor, creditor, original = settled(api)
    other = api.open("0")
    api.paid(creditor, other, "50.00")
    assert reverse(api, original).json["reason"] == "insufficient_funds"
    assert reverse(api, original, {"amount": "50.00"}).json["status"] == "settled"
    assert api.patch(f"/v1/accounts/{creditor}", {"status": "frozen"}).status == 200
    assert reverse(api, original, {"amount": "1.00"}).json["reason"] == "account_frozen"
    assert api.payment(original)["reversed_amount"] == "50.00"


def test_a_reversal_looks_at_no_limit_and_no_risk(api):
    debtor, creditor, original = settled(api)
    change = {"limits": {"daily_debit_sum": "0.00", "daily_debit_count": 0}, "risk_level": "prohibited"}
    assert api.patch(f"/v1/accounts/{creditor}", change).status == 200
    assert reverse(api, original).json["status"] == "settled"


def test_a_reversal_gives_no_limit_back(api):
    debtor, creditor = api.pair(limits={"daily_debit_sum": "100.00"})
    original = api.paid(debtor, creditor, "100.00")
    assert reverse(api, original).json["status"] == "settled"
    assert api.pay(debtor, creditor, "1.00").json["reason"] == "limit_exceeded"


def test_a_key_makes_a_reversal_repeatable(api):
    debtor, _, original = settled(api)
    key = unique()
    first = reverse(api, original, {"amount": "10.00"}, key=key)
    again = reverse(api, original, {"amount": "10"}, key=key)
    assert first.status == again.status == 202 and first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"
    refused(reverse(api, original, {"amount": "11.00"}, key=key), 422, "idempotency_key_reused")
    assert api.payment(original)["reversed_amount"] == "10.00"


@pytest.mark.parametrize("body, pointer, code", [
    ({"amount": "0"}, "/amount", "amount_not_positive"), ({"amount": "1.001"}, "/amount", "amount_too_many_decimals"),
    ({"reference": "x" * 141}, "/reference", "too_long"), ({"reason": "x"}, "/reason", "unknown_field"),
])  # fmt: skip
def test_a_bad_reversal_is_refused(api, body, pointer, code):
    _, _, original = settled(api)
    refused(reverse(api, original, body), 422, "invalid_fields", (pointer, code))
    assert api.payment(original)["reversed_amount"] == "0.00"


def test_an_unknown_payment_is_not_reversed(api):
    refused(reverse(api, "0" * 32), 404, "payment_not_found")
