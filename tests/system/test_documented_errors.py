"""The errors that a route documents and no other test comes to: no index, no JSON, no such thing."""

import pytest
from client import payment, refused, unique

NOBODY = "0" * 32
READS = [
    "/v1/payments?account=a", "/v1/accounts",
    "/v1/accounts/{account}", "/v1/accounts/{account}/entries", "/v1/accounts/{account}/statement",
    "/v1/accounts/{account}/balance?as_of=seq:1", "/v1/reviews", "/v1/dead-letters",
    "/v1/ledger/trial-balance?as_of=seq:1",
]  # fmt: skip


def test_without_an_index_payments_settle_and_history_says_why_it_is_not_there(nostro):
    api = nostro(sets={"index.enabled": "false"}).client()
    debtor, creditor = api.pair()
    payment_id = api.paid(debtor, creditor)
    for path in READS:
        refused(api.get(path.format(account=debtor)), 503, "no_index")
    assert api.posted(creditor) == "10.00" and api.get("/v1/ledger/trial-balance").json["balanced"]
    # What is among the newest frames is found all the same; of anything else it cannot say that it never was.
    assert api.payment(payment_id)["status"] == "settled"
    for _ in range(70):
        api.paid(debtor, creditor, "0.01")
    for older in (payment_id, "00" + "f" * 30):
        refused(api.get(f"/v1/payments/{older}"), 503, "no_index")
        refused(api.post(f"/v1/payments/{older}/capture", {"amount": "1"}), 503, "no_index")
        refused(api.post(f"/v1/payments/{older}/reverse", {}), 503, "no_index")
    assert api.get("/readiness").status == 200


@pytest.mark.parametrize("path", [
    "/v1/payments", "/v1/payments/simulate", f"/v1/payments/{NOBODY}/capture", f"/v1/payments/{NOBODY}/reverse",
    "/v1/accounts", f"/v1/reviews/{NOBODY}/approve", f"/v1/reviews/{NOBODY}/reject", "/v1/dead-letters",
])  # fmt: skip
def test_a_body_that_is_no_json_is_400_everywhere(api, path):
    refused(api.post(path, b"{", key=unique()), 400, "json_invalid")


@pytest.mark.parametrize("path", [f"/v1/payments/{NOBODY}/void", f"/v1/payments/{NOBODY}/capture"])
def test_a_key_that_is_malformed_is_400_everywhere(api, path):
    refused(api.post(path, key="short"), 400, "idempotency_key_malformed")


def test_a_key_of_another_request_is_422(api):
    debtor, creditor = api.pair()
    key = unique()
    first, other = (api.paid(debtor, creditor, status="held", capture="manual") for _ in range(2))
    assert api.post(f"/v1/payments/{first}/void", key=key).status == 202
    refused(api.post(f"/v1/payments/{first}/void", key=unique()), 409, "not_open")
    assert api.post(f"/v1/payments/{other}/void", key=key).status == 202, "a key is bound to its path"


@pytest.mark.parametrize("way", ["approve", "reject"])
def test_a_review_of_nothing_is_404_and_of_nobody_422(api, way):
    path = f"/v1/reviews/{NOBODY}/{way}"
    refused(api.post(path, {"reviewer": "r.novak", "reason": "called"}), 404, "payment_not_found")
    refused(api.post(path, {}), 422, "invalid_fields", ("/reviewer", "missing"), ("/reason", "missing"))


def test_bad_parameters_of_an_account_and_a_letter_without_fields(api):
    account = api.open()
    assert refused(api.get(f"/v1/accounts/{account}/entries", limit=0), 400, "invalid_parameter")["parameter"] == "limit"
    answer = api.post("/v1/dead-letters", {})
    assert answer.status == 422 and answer.json["code"] == "invalid_fields", answer
    refused(api.get(f"/v1/payments/{NOBODY}/proof"), 404, "payment_not_found")


def test_a_simulation_and_a_batch_of_what_cannot_be(api):
    debtor, creditor = api.pair()
    refused(api.post("/v1/payments/simulate", payment(debtor, creditor, "0")), 422, "invalid_fields",
            ("/amount", "amount_not_positive"))  # fmt: skip
