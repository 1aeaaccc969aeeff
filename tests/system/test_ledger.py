"""The books as a whole."""

import pytest
from client import refused


def balanced(answer):
    assert answer.status == 200, answer
    body = answer.json
    assert body.keys() == {"currencies", "balanced", "as_of"} and body["balanced"] is True
    for currency in body["currencies"]:
        assert currency.keys() == {"currency", "kinds", "sum", "balanced"} and currency["balanced"] is True
        assert not currency["sum"].strip("0.-")
        assert all(kind.keys() == {"kind", "accounts", "posted", "held"} for kind in currency["kinds"])
    return body


def of(body, currency):
    (found,) = [each for each in body["currencies"] if each["currency"] == currency]
    return {kind["kind"]: kind for kind in found["kinds"]}


def test_every_currency_sums_to_zero_at_every_frame(nostro):
    api = nostro().client()
    empty = balanced(api.get("/v1/ledger/trial-balance"))
    debtor = api.open("100.00", "USD")
    creditor = api.open("0", "USD", kind="merchant")
    api.open("5000", "JPY")
    settled = api.payment(api.paid(debtor, creditor, "30.00"))
    api.paid(debtor, creditor, "20.00", status="held", capture="manual")
    now = balanced(api.get("/v1/ledger/trial-balance"))
    assert {each["currency"] for each in now["currencies"]} >= {"USD", "JPY"}
    usd = of(now, "USD")
    assert (usd["customer"]["posted"], usd["customer"]["held"]) == ("70.00", "20.00")
    assert usd["merchant"]["posted"] == "30.00" and usd["house"]["posted"] == "-100.00"
    assert of(now, "JPY")["house"]["posted"] == "-5000" and usd["customer"]["accounts"] == 1

    for seq in range(empty["as_of"]["seq"], now["as_of"]["seq"] + 1):
        assert balanced(api.get("/v1/ledger/trial-balance", as_of=f"seq:{seq}"))["as_of"]["seq"] == seq
    then = of(balanced(api.get("/v1/ledger/trial-balance", as_of=settled["accepted_at"])), "USD")
    assert (then["customer"]["posted"], then["customer"]["held"]) == ("70.00", "0.00")


@pytest.mark.parametrize("as_of", ["now", "seq:x", "2026-11-21", ""])
def test_a_bad_as_of_is_refused(api, as_of):
    problem = refused(api.get("/v1/ledger/trial-balance", as_of=as_of), 400, "invalid_parameter")
    assert problem["parameter"] == "as_of"
