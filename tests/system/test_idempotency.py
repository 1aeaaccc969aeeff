"""A key names one payment for ever."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from client import payment, refused, unique

OTHER = [("amount", "10.01"), ("creditor_account", "other"), ("reference", "R-2"), ("type", "OTHER"),
         ("description", "other"), ("capture", "manual"), ("metadata", {"a": "2"})]  # fmt: skip

SAME = [
    {"amount": "10"}, {"amount": 10}, {"amount": "10.000"}, {"metadata": {"b": "2", "a": "1"}}, {"rail": "internal"},
    {"capture": "automatic"},
]  # fmt: skip


def body_of(debtor, creditor, **change):
    return {**payment(debtor, creditor, reference="R-1", metadata={"a": "1", "b": "2"}), **change}


@pytest.mark.parametrize("change", SAME, ids=str)
def test_the_same_meaning_gets_the_first_answer_again(api, change):
    debtor, creditor = api.pair()
    key = unique()
    first = api.post("/v1/payments", body_of(debtor, creditor), key=key)
    again = api.post("/v1/payments", body_of(debtor, creditor, **change), key=key)
    assert (first.status, again.status) == (202, 202) and first.json == again.json
    assert "Idempotent-Replayed" not in first.headers and again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert api.posted(creditor) == "10.00"


@pytest.mark.parametrize("field, value", OTHER)
def test_another_meaning_is_refused_and_changes_nothing(api, field, value):
    debtor, creditor = api.pair()
    key = unique()
    first = api.post("/v1/payments", body_of(debtor, creditor), key=key)
    assert first.status == 202
    for _ in range(2):
        answer = api.post("/v1/payments", body_of(debtor, creditor, **{field: value}), key=key)
        refused(answer, 422, "idempotency_key_reused")
    assert api.posted(creditor) == "10.00"
    assert api.post("/v1/payments", body_of(debtor, creditor), key=key).json == first.json


def test_the_first_answer_stays_the_answer_when_the_payment_has_moved_on(api):
    debtor, creditor = api.pair()
    key = unique()
    first = api.post("/v1/payments", body_of(debtor, creditor, capture="manual"), key=key)
    payment_id = first.json["payment_id"]
    assert api.post(f"/v1/payments/{payment_id}/capture").status == 202
    again = api.post("/v1/payments", body_of(debtor, creditor, capture="manual"), key=key)
    assert again.json == first.json and again.json["status"] == "held"
    assert api.payment(payment_id)["status"] == "settled"


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_keys_are_known_after_a_restart(nostro, end):
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair()
    key, rejected_key = unique(), unique()
    first = api.post("/v1/payments", body_of(debtor, creditor), key=key)
    rejected = api.post("/v1/payments", body_of(debtor, creditor, amount="5000.00"), key=rejected_key)
    getattr(program, end)()
    api = nostro().client()
    assert api.patch(f"/v1/accounts/{debtor}", {"floor": None}).status == 200  # now it could be paid
    for known, change, answer in ((key, {}, first), (rejected_key, {"amount": "5000.00"}, rejected)):
        again = api.post("/v1/payments", body_of(debtor, creditor, **change), key=known)
        assert (again.status, again.json) == (202, answer.json), again
        assert again.headers["Idempotent-Replayed"] == "true"
        refused(api.post("/v1/payments", body_of(debtor, creditor, amount="1.00"), key=known), 422,
                "idempotency_key_reused")  # fmt: skip
    assert api.posted(creditor) == "10.00"


@pytest.mark.parametrize("same", [True, False], ids=["same body", "other bodies"])
def test_32_requests_with_one_key_at_once_move_money_once(api, shared, same):
    debtor, creditor = api.pair()
    key = unique()
    barrier = Barrier(32)

    def send(number):
        client = shared.client()
        barrier.wait()
        amount = "10.00" if same else f"{10 + number}.00"
        answer = client.post("/v1/payments", payment(debtor, creditor, amount), key=key)
        client.close()
        return answer

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(send, range(32)))
    taken = [answer for answer in answers if answer.status == 202]
    assert len({answer.json["payment_id"] for answer in taken}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in taken) == 1
    if same:
        assert len(taken) == 32 and len({answer.body for answer in taken}) == 1
        assert api.posted(creditor) == "10.00"
        return
    assert len(taken) == 1
    for answer in answers:
        if answer.status != 202:
            refused(answer, 422, "idempotency_key_reused")
    assert api.posted(creditor) == api.payment(taken[0].json["payment_id"])["amount"]


@pytest.mark.parametrize("key, code", [
    (None, "missing"), ("", "malformed"), ("1234567", "malformed"), ("x" * 129, "malformed"),
    ("with space", "malformed"), ("semi;colon", "malformed"), ('"unclosed-quote', "malformed"), ('""', "malformed"),
    ("schlüssel".encode().decode("latin-1"), "malformed"), ('"quoted"; a=1', "malformed"),
])  # fmt: skip
def test_a_key_that_is_missing_or_malformed_is_400(api, key, code):
    debtor, creditor = api.pair()
    problem = refused(api.post("/v1/payments", payment(debtor, creditor), key=key), 400, f"idempotency_key_{code}")
    assert problem["parameter"] == "Idempotency-Key"
    assert api.posted(creditor) == "0.00"


@pytest.mark.parametrize("key", ["A" * 128, "az.AZ_09:-"])
def test_a_key_at_its_bounds_and_the_quoted_form_are_taken(api, key):
    debtor, creditor = api.pair()
    key = unique() + key
    key = key[-128:]
    first = api.pay(debtor, creditor, key=f'"{key}"')
    again = api.pay(debtor, creditor, key=key)
    assert first.status == 202 and first.json == again.json and again.headers["Idempotent-Replayed"] == "true"


def test_two_keys_in_one_request_are_refused(api, shared):
    from client import Raw

    debtor, creditor = api.pair()
    body = b'{"debtor_account":"%s","creditor_account":"%s","amount":"1","currency":"USD"}' % (
        debtor.encode(), creditor.encode())  # fmt: skip
    with Raw(shared.port) as raw:
        raw.send(b"POST /v1/payments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 b"Idempotency-Key: first-key\r\nIdempotency-Key: second-key\r\nContent-Length: %d\r\n\r\n%s"
                 % (len(body), body))  # fmt: skip
        answer = raw.answer()
    assert answer.status == 400 and answer.headers["Content-Type"] == "application/problem+json", answer
    assert api.posted(creditor) == "0.00"


def test_what_was_never_taken_spends_no_key(api):
    debtor, creditor = api.pair()
    key = unique()
    refused(api.post("/v1/payments", body_of(debtor, creditor, amount="0"), key=key), 422, "invalid_fields")
    refused(api.post("/v1/payments", b"{", key=key), 400, "json_invalid")
    answer = api.post("/v1/payments", body_of(debtor, creditor), key=key)
    assert answer.status == 202 and "Idempotent-Replayed" not in answer.headers


def test_one_key_serves_payments_and_batch_items_alike(api):
    debtor, creditor = api.pair()
    key = unique()
    first = api.pay(debtor, creditor, key=key)
    item = {"idempotency_key": key, **payment(debtor, creditor)}
    again = api.post("/v1/payments/batch", {"payments": [item]}).json["data"][0]
    assert again["replayed"] and again["payment_id"] == first.json["payment_id"]
    assert api.posted(creditor) == "10.00"
