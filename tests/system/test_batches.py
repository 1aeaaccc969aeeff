"""Many payments in one request: each for itself, or all or none."""

import json

import pytest
from client import check_problem, lines, payment, refused, unique

ITEM_FIELDS = {"index", "idempotency_key", "payment_id", "status", "reason", "reason_class", "accepted_at",
               "status_url", "replayed", "error"}  # fmt: skip


def item(debtor, creditor, amount="10.00", key=None, **fields):
    return {"idempotency_key": key or unique("item"), **payment(debtor, creditor, amount, **fields)}


def send(api, items, form="json", mode=None, key=None):
    if form == "json":
        return api.post("/v1/payments/batch", {"payments": items, **({"mode": mode} if mode else {})}, key=key)
    return api.post("/v1/payments/batch", lines(items), form="application/x-ndjson", key=key,
                    **({"mode": mode} if mode else {}))  # fmt: skip


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_each_item_has_its_result_in_its_place(api, form):
    debtor, creditor = api.pair("100.00")
    items = [
        item(debtor, creditor, "30.00"), item(debtor, creditor, "80.00"), item(debtor, creditor, "1.001"),
        {"amount": "1"}, item(debtor, creditor, "70.00"), item(debtor, creditor, "1.00", rail="nowhere"),
        item(debtor, creditor, "1.00", key="short"),
    ]  # fmt: skip
    answer = send(api, items, form)
    assert answer.status == 202, answer
    body = answer.json
    assert (body["mode"], body["taken"], body["refused"]) == ("independent", 3, 4)
    assert all(each.keys() == ITEM_FIELDS for each in body["data"])
    assert [each["index"] for each in body["data"]] == list(range(7))
    assert [each["status"] for each in body["data"]] == ["settled", "rejected", None, None, "settled", None, None]
    assert body["data"][0]["idempotency_key"] == items[0]["idempotency_key"]
    wrong = {}
    for n in (2, 3, 5, 6):
        check_problem(body["data"][n]["error"], 422, "invalid_fields")
        wrong[n] = {(error["pointer"], error["code"]) for error in body["data"][n]["error"]["errors"]}
        assert body["data"][n]["payment_id"] is None
    assert wrong[2] == {("/amount", "amount_too_many_decimals")}
    assert {("/debtor_account", "missing"), ("/idempotency_key", "idempotency_key_missing")} <= wrong[3]
    assert wrong[5] == {("/rail", "invalid_rail")} and wrong[6] == {("/idempotency_key", "idempotency_key_malformed")}
    assert api.posted(debtor) == "0.00" and api.posted(creditor) == "100.00"
    assert api.payment(body["data"][1]["payment_id"])["reason"] == "insufficient_funds"

    again = send(api, items, form).json
    assert [each["replayed"] for each in again["data"]] == [True, True, False, False, True, False, False]
    assert [each["payment_id"] for each in again["data"]] == [each["payment_id"] for each in body["data"]]
    assert api.posted(creditor) == "100.00"


def test_a_line_that_is_no_json_disturbs_no_other(api):
    debtor, creditor = api.pair()
    text = json.dumps(item(debtor, creditor)) + "\n{nonsense\n\n[1]\r\n" + json.dumps(item(debtor, creditor))
    body = api.post("/v1/payments/batch", text, form="application/x-ndjson").json
    assert (body["taken"], body["refused"]) == (2, 2)
    assert [each["error"] and each["error"]["code"] for each in body["data"]] == [
        None, "json_invalid", "invalid_fields", None]  # fmt: skip
    assert body["data"][1]["error"]["status"] == 400


def test_items_of_one_batch_may_have_one_key_only_once(api):
    debtor, creditor = api.pair()
    key = unique()
    body = send(api, [item(debtor, creditor, "1.00", key), item(debtor, creditor, "1.00", key),
                      item(debtor, creditor, "2.00", key)]).json  # fmt: skip
    assert [each["replayed"] for each in body["data"]] == [False, True, False]
    check_problem(body["data"][2]["error"], 422, "idempotency_key_reused")
    assert api.posted(creditor) == "1.00"


def test_if_none_was_taken_it_is_422(api):
    answer = send(api, [{"amount": "1"}, {"amount": "2"}])
    assert answer.status == 422 and (answer.json["taken"], answer.json["refused"]) == (0, 2), answer


WHOLE = [
    ({"payments": []}, 422, "invalid_fields", ("/payments", "no_items")), ({}, 422, "invalid_fields", None),
    ({"payments": {}}, 422, "invalid_fields", ("/payments", "wrong_type")), (b"[]", 422, "invalid_fields", None),
    ({"payments": [{}], "mode": "some"}, 422, "invalid_fields", ("/mode", "unknown_value")),
    ({"payments": [{}], "more": 1}, 422, "invalid_fields", ("/more", "unknown_field")),
    (b'{"payments":[{}', 400, "json_invalid", None),
    ({"payments": [{}] * 10_001}, 422, "invalid_fields", ("/payments", "too_many_items")),
]  # fmt: skip


@pytest.mark.parametrize("body, status, code, error", WHOLE, ids=lambda value: str(value)[:32])
def test_a_bad_batch_is_refused_whole(api, body, status, code, error):
    refused(api.post("/v1/payments/batch", body), status, code, *([error] if error else []))


def test_bad_lines_as_a_whole(api):
    for text, code in (("\n\n", "no_items"), ("{}\n" * 10_001, "too_many_items")):
        refused(api.post("/v1/payments/batch", text, form="application/x-ndjson"), 422, "invalid_fields", ("", code))
    refused(api.post("/v1/payments/batch", "{}", form="application/x-ndjson", mode="some"), 400, "invalid_parameter")
    refused(api.post("/v1/payments/batch", {"payments": [{}]}, mode="atomic"), 400, "invalid_parameter")
    refused(api.post("/v1/payments/batch", "a,b", form="text/csv"), 415, "content_type_not_supported")


def test_the_largest_batch_is_taken(nostro):
    api = nostro().client()
    debtor, creditor = api.pair("100000.00")
    body = send(api, [item(debtor, creditor, "0.01") for _ in range(10_000)], "ndjson").json
    assert (body["taken"], body["refused"]) == (10_000, 0)
    assert api.posted(creditor) == "100.00"


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_an_atomic_batch_settles_as_one_and_sees_its_own_effects(api, form):
    first, second = api.pair("100.00")
    third = api.open("0")
    key = unique("group")
    items = [item(first, second, "100.00"), item(second, third, "100.00"), item(third, first, "60.00")]
    answer = send(api, items, form, "atomic", key)
    assert answer.status == 202, answer
    body = answer.json
    assert (body["mode"], body["taken"], body["refused"], body["failed_item"]) == ("atomic", 3, 0, None)
    assert [each["status"] for each in body["data"]] == ["settled"] * 3
    assert len({api.payment(each["payment_id"])["journal"]["seq"] for each in body["data"]}) == 1
    assert [api.posted(account) for account in (first, second, third)] == ["60.00", "0.00", "40.00"]

    again = send(api, items, form, "atomic", key)
    assert again.status == 202 and again.headers["Idempotent-Replayed"] == "true"
    assert [each["payment_id"] for each in again.json["data"]] == [each["payment_id"] for each in body["data"]]
    refused(send(api, items[:2], form, "atomic", key), 422, "idempotency_key_reused")
    assert api.posted(third) == "40.00"


CULPRITS = [
    ("insufficient_funds", {"amount": "1000.00"}), ("account_unknown", {"creditor_account": "nobody"}),
    ("not_immediate", {"capture": "manual"}),
]  # fmt: skip


@pytest.mark.parametrize("reason, change", CULPRITS)
def test_one_item_that_cannot_settle_rejects_all_and_is_named(api, reason, change):
    debtor, creditor = api.pair("100.00")
    items = [item(debtor, creditor), {**item(debtor, creditor), **change}, item(debtor, creditor)]
    answer = send(api, items, mode="atomic", key=unique("group"))
    assert answer.status == 202 and answer.json["failed_item"] == 1, answer
    data = answer.json["data"]
    assert [each["status"] for each in data] == ["rejected"] * 3
    assert [each["reason"] for each in data] == ["group_refused", reason, "group_refused"]
    assert api.posted(debtor) == "100.00" and api.posted(creditor) == "0.00"
    refused(api.post("/v1/payments", {**payment(debtor, creditor, "5.00")}, key=items[0]["idempotency_key"]), 422,
            "idempotency_key_reused")  # fmt: skip


def test_an_item_that_a_person_must_see_rejects_the_group(api):
    debtor, creditor = api.pair("50000.00", risk_level="high")
    items = [item(debtor, creditor), item(debtor, creditor, "12000.00")]
    answer = send(api, items, mode="atomic", key=unique("group"))
    assert [each["reason"] for each in answer.json["data"]] == ["group_refused", "not_immediate"], answer
    assert answer.json["failed_item"] == 1 and api.balance(debtor)["held"] == "0.00"


def test_an_item_key_that_is_known_refuses_the_group_and_spends_nothing(api):
    debtor, creditor = api.pair("100.00")
    known = unique()
    api.paid(debtor, creditor, "1.00", key=known)
    items = [item(debtor, creditor), item(debtor, creditor, "1.00", known)]
    group = unique("group")
    answer = send(api, items, mode="atomic", key=group)
    assert answer.status == 422 and answer.headers["Content-Type"] == "application/problem+json", answer
    assert answer.json["errors"] == [{"pointer": "/payments/1/idempotency_key", "code": "key_known",
                                      "detail": answer.json["detail"].split(": ", 1)[1]}], answer  # fmt: skip
    assert "known already" in answer.json["detail"] and answer.json["code"] == "group_refused", answer
    assert api.posted(creditor) == "1.00"
    assert send(api, items[:1], mode="atomic", key=group).status == 202


def test_a_group_has_bounds_and_needs_its_key(api):
    debtor, creditor = api.pair("100.00")
    refused(send(api, [item(debtor, creditor, "0.01") for _ in range(1001)], mode="atomic", key=unique()), 422,
            "group_too_large")  # fmt: skip
    wide = [item(debtor, creditor, "0.01", description="x" * 500, metadata={"a": "x" * 500}) for _ in range(300)]
    refused(send(api, wide, "ndjson", "atomic", unique()), 422, "group_too_large")
    refused(send(api, [item(debtor, creditor)], mode="atomic"), 400, "idempotency_key_missing")
    problem = refused(send(api, [item(debtor, creditor), {"amount": "1"}], mode="atomic", key=unique()), 422,
                      "invalid_fields")  # fmt: skip
    assert all(error["pointer"].startswith("/payments/1/") for error in problem["errors"])
    assert api.posted(creditor) == "0.00"
    answer = send(api, [item(debtor, creditor, "0.01") for _ in range(1000)], mode="atomic", key=unique())
    assert answer.status == 202 and answer.json["taken"] == 1000 and api.posted(creditor) == "10.00"
