"""Taking one payment, simulating it, reading it."""

import json

import pytest
from client import payment, refused, unique


def test_a_payment_is_taken_durably_and_can_be_read_whole(api):
    debtor, creditor = api.pair("500.00")
    key = unique()
    answer = api.pay(debtor, creditor, "120.5", key=key, type="TRANSFER", reference="INV-7", description="Größe",
                     rail="internal", metadata={"order": "17", "a": "b"})  # fmt: skip
    assert answer.status == 202, answer
    receipt = answer.json
    assert receipt.keys() == {"payment_id", "status", "reason", "reason_class", "accepted_at", "status_url"}
    assert (receipt["status"], receipt["reason"]) == ("settled", None)
    assert receipt["status_url"] == answer.headers["Location"] == f"/v1/payments/{receipt['payment_id']}"
    assert "Idempotent-Replayed" not in answer.headers

    read = api.payment(receipt["payment_id"])
    wanted = {
        "status": "settled", "reason": None, "scheme_codes": None, "reason_class": None, "debtor_account": debtor,
        "creditor_account": creditor, "amount": "120.50", "currency": "USD", "rail": "internal", "type": "TRANSFER",
        "reference": "INV-7", "description": "Größe", "metadata": {"a": "b", "order": "17"}, "capture": "automatic",
        "idempotency_key": key, "accepted_at": receipt["accepted_at"], "settled_at": receipt["accepted_at"],
        "expires_at": None, "captured_amount": None, "reversed_amount": "0.00", "reverses": None, "reversals": [],
        "balances": {"debtor": {"before": "500.00", "after": "379.50"},
                     "creditor": {"before": "0.00", "after": "120.50"}},
    }  # fmt: skip
    assert {name: read[name] for name in wanted} == wanted
    assert [event["event"] for event in read["timeline"]] == ["accepted", "settled"]
    assert read["why"]["advice"] == "clear" and read["why"]["policy"] >= 1
    assert read["journal"].keys() == {"book", "seq", "index"} and read["number"] >= 1
    assert api.posted(debtor) == "379.50" and api.posted(creditor) == "120.50"


# What a payment is refused for by the rules: it is taken, and its id is spent.
DECLINED = [
    ("insufficient_funds", "retry_later", "AM04", {"amount": "1000.01"}),
    ("account_unknown", "fix_and_resend", "AC01", {"creditor_account": "nobody"}),
    ("account_unknown", "fix_and_resend", "AC01", {"debtor_account": "nobody"}),
    ("currency_mismatch", "fix_and_resend", "AM03", {"currency": "EUR"}),
    ("same_account", "fix_and_resend", "AG01", {"creditor_account": None}),
    ("account_frozen", "fix_and_resend", "AC06", {"debtor": {"status": "frozen"}}),
    ("account_frozen", "fix_and_resend", "AC06", {"debtor": {"status": "frozen_debit"}}),
    ("account_frozen", "fix_and_resend", "AC06", {"creditor": {"status": "frozen"}}),
    ("account_closed", "fix_and_resend", "AC04", {"creditor": {"status": "closed"}}),
    ("risk_rejected", "risk_block", "FRAD", {"creditor": {"risk_level": "prohibited"}}),
    ("limit_exceeded", "retry_later", "AM14", {"debtor": {"limits": {"daily_debit_sum": "9.99"}}}),
    ("limit_exceeded", "retry_later", "AM14", {"debtor": {"limits": {"daily_debit_count": 0}}}),
]  # fmt: skip


@pytest.mark.parametrize("reason, of_class, code, change", DECLINED)
def test_a_payment_that_the_rules_decline_is_taken_and_says_why(api, reason, of_class, code, change):
    change = dict(change)
    debtor, creditor = api.pair()
    for account, name in ((debtor, "debtor"), (creditor, "creditor")):
        if name in change:
            assert api.patch(f"/v1/accounts/{account}", change.pop(name)).status == 200
    if "creditor_account" in change and change["creditor_account"] is None:
        change["creditor_account"] = debtor
    body = {**payment(debtor, creditor), **change}
    key = unique()
    answer = api.post("/v1/payments", body, key=key)
    assert answer.status == 202, answer
    receipt = answer.json
    assert (receipt["status"], receipt["reason"], receipt["reason_class"]) == ("rejected", reason, of_class)

    read = api.payment(receipt["payment_id"])
    assert (read["status"], read["reason"], read["reason_class"]) == ("rejected", reason, of_class)
    assert read["scheme_codes"]["iso20022"] == code
    assert read["settled_at"] is None and read["decided_at"] == read["accepted_at"]
    assert [event["event"] for event in read["timeline"]] == ["accepted", "rejected"]
    assert read["timeline"][1]["by"] == "policy"
    if reason == "limit_exceeded":
        assert read["why"]["limits"][0]["limit"] in ("daily_debit_sum", "daily_debit_count")
        assert all(limit.keys() == {"limit", "window", "used", "left", "at_most"} for limit in read["why"]["limits"])
    if reason == "risk_rejected":
        assert "party_prohibited" in {rule["rule"] for rule in read["why"]["rules"]}
    assert api.posted(debtor) == "1000.00" and api.posted(creditor) == "0.00"

    again = api.post("/v1/payments", body, key=key)
    assert (again.status, again.json) == (202, receipt) and again.headers["Idempotent-Replayed"] == "true"


def test_frozen_debit_still_takes_money_in(api):
    debtor, creditor = api.pair()
    assert api.patch(f"/v1/accounts/{creditor}", {"status": "frozen_debit"}).status == 200
    api.paid(debtor, creditor)


# field -> what is wrong with it. None: the field is left out.
BAD_FIELDS = [
    ("amount", None, "missing"), ("amount", "0", "amount_not_positive"), ("amount", "0.00", "amount_not_positive"),
    ("amount", "-1", "amount_not_positive"), ("amount", "1.001", "amount_too_many_decimals"),
    ("amount", "1e3", "amount_syntax"), ("amount", "1,000", "amount_syntax"), ("amount", " 1", "amount_syntax"),
    ("amount", "", "amount_syntax"), ("amount", "NaN", "amount_syntax"), ("amount", "+1", "amount_syntax"),
    ("amount", "1.", "amount_syntax"), ("amount", ".5", "amount_syntax"), ("amount", "01", "amount_syntax"),
    ("amount", "٣", "amount_syntax"), ("amount", "92233720368547758.08", "amount_overflow"),
    ("amount", "9" * 60, "amount_overflow"), ("amount", True, "wrong_type"), ("amount", [], "wrong_type"),
    ("amount", {"value": "1"}, "wrong_type"),
    ("currency", None, "missing"), ("currency", "USDX", "currency_unknown"), ("currency", "usd", "currency_unknown"),
    ("currency", "XXX", "currency_unknown"), ("currency", 840, "wrong_type"),
    ("debtor_account", None, "missing"), ("debtor_account", "", "invalid_account"),
    ("debtor_account", "a b", "invalid_account"), ("debtor_account", "x" * 65, "invalid_account"),
    ("debtor_account", "house:nothing:USD", "invalid_account"), ("debtor_account", 7, "wrong_type"),
    ("creditor_account", None, "missing"), ("creditor_account", "ä", "invalid_account"),
    ("reference", "x" * 141, "too_long"), ("reference", "a\u0000b", "control_character"),
    ("description", "x" * 501, "too_long"), ("type", "x" * 33, "too_long"), ("type", "", "empty"),
    ("rail", "", "empty"), ("rail", "nowhere", "invalid_rail"), ("capture", "later", "unknown_value"),
    ("expires_at", "2030-01-01T00:00:00Z", "only_manual_capture"),
    ("metadata", [], "wrong_type"), ("metadata", {str(n): "x" for n in range(21)}, "too_many_entries"),
    ("idempotency_key", "in-the-body", "unknown_field"), ("ammount", "10.00", "unknown_field"),
]  # fmt: skip


@pytest.mark.parametrize("field, value, code", BAD_FIELDS)
def test_a_bad_field_is_refused_with_its_pointer_and_spends_no_key(api, field, value, code):
    debtor, creditor = api.pair()
    key = unique()
    body = payment(debtor, creditor)
    body.pop(field, None)
    if value is not None:
        body[field] = value
    refused(api.post("/v1/payments", body, key=key), 422, "invalid_fields", (f"/{field}", code))
    assert api.posted(debtor) == "1000.00"
    api.paid(debtor, creditor, key=key)


def test_all_bad_fields_are_named_at_once(api):
    body = {"debtor_account": "a b", "amount": "x", "currency": "USD", "metadata": {"k": None, "l": [1]}, "more": 1}
    refused(
        api.post("/v1/payments", body, key=unique()), 422, "invalid_fields", ("/debtor_account", "invalid_account"),
        ("/amount", "amount_syntax"), ("/metadata/k", "wrong_type"), ("/metadata/l", "wrong_type"),
        ("/more", "unknown_field"), ("/creditor_account", "missing"),
    )  # fmt: skip


@pytest.mark.parametrize("field, value", [
    ("reference", "ü" * 140), ("description", "ü" * 500), ("type", "T" * 32),
    ("metadata", {str(n): "x" * 500 for n in range(20)}), ("metadata", {}),
])  # fmt: skip
def test_a_field_at_its_bound_is_taken(api, field, value):
    debtor, creditor = api.pair()
    assert api.payment(api.paid(debtor, creditor, **{field: value}))[field] == value


@pytest.mark.parametrize("currency, amount, shown", [
    ("USD", 12.5, "12.50"), ("USD", 1000, "1000.00"), ("USD", "12.750", "12.75"), ("JPY", "100", "100"),
    ("JPY", "100.0", "100"), ("KWD", "1.234", "1.234"),
])  # fmt: skip
def test_amounts_are_exact_in_every_currency(api, currency, amount, shown):
    debtor, creditor = api.pair("5000", currency)
    read = api.payment(api.paid(debtor, creditor, amount, currency))
    assert read["amount"] == shown and api.posted(creditor) == shown


@pytest.mark.parametrize("currency, amount", [("JPY", "1.5"), ("KWD", "1.2345")])
def test_more_decimals_than_the_currency_has_are_refused(api, currency, amount):
    debtor, creditor = api.pair("5000", currency)
    refused(api.pay(debtor, creditor, amount, currency), 422, "invalid_fields",
            ("/amount", "amount_too_many_decimals"))  # fmt: skip


BODIES = [
    (b"", 400, "body_missing"), (b"{", 400, "json_invalid"), (b"{}x", 400, "json_invalid"),
    (b"nonsense", 400, "json_invalid"), (b'{"a":"\xff"}', 400, "json_invalid"), (b"\xef\xbb\xbf", 400, None),
    (b"[]", 422, "invalid_fields"), (b'"text"', 422, "invalid_fields"), (b"{}", 422, "invalid_fields"),
    (b'{"amount":"1","amount":"2"}', 422, "invalid_fields"),
    (b'{"description":"' + b"x" * 70_000 + b'"}', 413, "body_too_large"),
]  # fmt: skip


@pytest.mark.parametrize("body, status, code", BODIES, ids=lambda value: str(value)[:24])
def test_a_body_that_is_no_payment_is_refused(api, body, status, code):
    answer = api.post("/v1/payments", body, key=unique())
    refused(answer, status, code or answer.json["code"])


@pytest.mark.parametrize("form", [None, "text/plain", "application/xml", "application/json; charset=latin1"])
def test_only_json_is_taken(api, form):
    answer = api.post("/v1/payments", json.dumps(payment("a", "b")), key=unique(), form=form)
    refused(answer, 415, "content_type_not_supported")


def test_prefer_wait_answers_with_the_payment_as_decided(api):
    debtor, creditor = api.pair()
    key = unique()
    answer = api.pay(debtor, creditor, key=key, headers={"Prefer": "respond-async, wait=5"})
    assert answer.status == 200 and answer.headers["Preference-Applied"] == "wait=5", answer
    assert answer.json == api.payment(answer.json["payment_id"]) and answer.json["status"] == "settled"
    again = api.pay(debtor, creditor, key=key, headers={"Prefer": "wait=30"})
    assert again.status == 200 and again.headers["Idempotent-Replayed"] == "true"
    assert again.json["payment_id"] == answer.json["payment_id"]
    risky = api.open(risk_level="high", balance="20000.00")
    for fields, state in (({"capture": "manual"}, "held"), ({"amount": "12000.00"}, "in_review")):
        waited = api.pay(risky, creditor, headers={"Prefer": "wait=1"}, **fields)
        assert (waited.status, waited.json["status"]) == (200, state), waited


@pytest.mark.parametrize("prefer", ["wait=0", "wait=soon", "return=minimal"])
def test_another_preference_is_overlooked(api, prefer):
    debtor, creditor = api.pair()
    assert api.pay(debtor, creditor, headers={"Prefer": prefer}).status == 202


@pytest.mark.parametrize("payment_id, code", [
    ("00" * 16, "payment_not_found"), ("ff" * 16, "payment_not_found"), ("nonsense", "not_found"),
    ("AB" * 16, "not_found"), ("0" * 31, "not_found"),
])  # fmt: skip
def test_a_payment_that_is_not_there_is_404(api, payment_id, code):
    refused(api.get(f"/v1/payments/{payment_id}"), 404, code)


@pytest.mark.parametrize("amount, status, reason", [("10.00", "settled", None),
                                                    ("1000.01", "rejected", "insufficient_funds")])  # fmt: skip
def test_a_simulation_decides_and_moves_nothing(api, amount, status, reason):
    debtor, creditor = api.pair()
    answer = api.post("/v1/payments/simulate", payment(debtor, creditor, amount))
    assert answer.status == 200, answer
    assert (answer.json["status"], answer.json["reason"]) == (status, reason)
    assert answer.json.keys() >= {"why", "balances", "scheme_codes", "amount", "currency", "rail", "expires_at"}
    assert answer.json["balances"]["debtor"]["before"] == "1000.00"
    assert api.posted(debtor) == "1000.00" and api.balance(debtor)["version"] == 1
    refused(api.post("/v1/payments/simulate", {}), 422, "invalid_fields")


def test_a_simulation_and_a_refusal_tell_what_limits_leave(api):
    windows = None
    while windows is None or len(windows) > 1:  # once more if a day ended meanwhile
        debtor, creditor = api.pair(limits={"daily_debit_sum": "100.00"})
        told = [api.payment(api.paid(debtor, creditor, "30.00")),
                api.post("/v1/payments/simulate", payment(debtor, creditor, "80.00")).json,
                api.payment(api.paid(debtor, creditor, "80.00", status="rejected"))]  # fmt: skip
        limits = [{each["limit"]: each for each in one["why"]["limits"]} for one in told]
        windows = {one["daily_debit_sum"]["window"] for one in limits}
    sums = [one["daily_debit_sum"] for one in limits]
    assert [(each["used"], each["left"], each["at_most"]) for each in sums] == [
        ("0.00", "100.00", "100.00"), ("30.00", "70.00", "100.00"), ("30.00", "70.00", "100.00")]  # fmt: skip
    counts = [one["daily_debit_count"] for one in limits]
    assert [each["used"] for each in counts] == ["0", "1", "1"]
    assert all(int(each["used"]) + int(each["left"]) == int(each["at_most"]) for each in counts)


@pytest.mark.parametrize("method, path, status, code", [
    ("GET", "/v2/payments", 404, "not_found"), ("DELETE", "/v1/payments", 405, "method_not_allowed"),
    ("PUT", "/v1/accounts", 405, "method_not_allowed"), ("GET", "/v1/payments/", 404, "not_found"),
    ("BREW", "/v1/payments", 501, "method_not_known"),
])  # fmt: skip
def test_a_wrong_path_or_method_is_told(api, method, path, status, code):
    answer = api.request(method, path)
    refused(answer, status, code)
    if status == 405:
        assert "GET" in answer.headers["Allow"]


def test_an_unknown_parameter_is_refused_by_name(api):
    body = refused(api.get("/v1/payments", acount="x"), 400, "unknown_parameter")
    assert body["parameter"] == "acount" and "account" in body["detail"]
