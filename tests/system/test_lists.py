"""GET /v1/payments: filters, bounds, cursors that are stable while new payments come."""

from datetime import datetime, timedelta, timezone

import pytest
from client import refused, unique

DAY = timedelta(days=1)


def time(offset=timedelta()):
    return (datetime.now(timezone.utc) + offset).strftime("%Y-%m-%dT%H:%M:%SZ")


def ids(payments):
    return [each["payment_id"] for each in payments]


@pytest.fixture(scope="module")
def some(shared):
    """Twelve payments of one account: amounts 1..12, three kinds, every fourth rejected, one held, one reversed."""
    api = shared.client()
    account, other = api.pair("60.00", "EUR")
    reference = unique("REF")
    sent = []
    for n in range(1, 13):
        amount = "1000.00" if n % 4 == 0 else f"{n}.00"
        answer = api.pay(account, other, amount, "EUR", type=f"T{n % 3}", reference=f"{reference}-{n % 2}",
                         capture="manual" if n == 11 else "automatic")  # fmt: skip
        assert answer.status == 202
        sent.append(answer.json)
    api.readable()
    return {"account": account, "other": other, "reference": reference, "sent": sent[::-1]}


FILTERS = [
    ({}, lambda n: True), ({"status": "rejected"}, lambda n: n % 4 == 0), ({"status": "held"}, lambda n: n == 11),
    ({"status": "settled"}, lambda n: n % 4 and n != 11), ({"type": "T2"}, lambda n: n % 3 == 2),
    ({"currency": "USD"}, lambda n: False), ({"currency": "EUR"}, lambda n: True),
    ({"currency": "EUR", "min_amount": "6.00"}, lambda n: n % 4 == 0 or n >= 6),
    ({"currency": "EUR", "min_amount": "3", "max_amount": "6.00"}, lambda n: 3 <= n <= 6 and n % 4),
    ({"rail": "internal", "status": "rejected"}, lambda n: n % 4 == 0), ({"status": "voided"}, lambda n: False),
    ({"from": time(-DAY), "to": time(DAY)}, lambda n: True), ({"to": time(-DAY)}, lambda n: False),
    ({"from": time(DAY), "to": time(2 * DAY)}, lambda n: False),
]  # fmt: skip


@pytest.mark.parametrize("filters, wanted", FILTERS, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_filters_narrow_the_list_newest_first(api, some, filters, wanted):
    listed = api.pages("/v1/payments", account=some["account"], limit=5, **filters)
    assert ids(listed) == [receipt["payment_id"] for n, receipt in zip(range(12, 0, -1), some["sent"]) if wanted(n)]


def test_the_other_side_and_the_reference_find_the_same_payments(api, some):
    assert ids(api.pages("/v1/payments", account=some["other"])) == ids(some["sent"])
    odd = ids(api.pages("/v1/payments", reference=f"{some['reference']}-1"))
    assert odd == [receipt["payment_id"] for n, receipt in zip(range(12, 0, -1), some["sent"]) if n % 2]
    assert api.pages("/v1/payments", reference=some["reference"]) == []


def test_a_listed_payment_is_the_payment_as_read(api, some):
    for listed in api.pages("/v1/payments", account=some["account"]):
        assert listed == api.payment(listed["payment_id"])


def test_from_is_inclusive_and_to_exclusive(api):
    account, other = api.pair()
    first = api.payment(api.paid(account, other))
    second = api.payment(api.paid(account, other))
    api.readable()
    assert first["accepted_at"] < second["accepted_at"]
    span = {"from": first["accepted_at"], "to": second["accepted_at"]}
    assert ids(api.pages("/v1/payments", account=account, **span)) == [first["payment_id"]]
    assert ids(api.pages("/v1/payments", account=account, **{"from": second["accepted_at"]})) == [
        second["payment_id"]]  # fmt: skip


@pytest.mark.parametrize("limit", [1, 4, 1000])
def test_pages_join_without_a_gap_while_new_payments_come(api, limit):
    account, other = api.pair()
    before = [api.paid(account, other, "0.01") for _ in range(11)]
    api.readable()
    seen, cursor = [], None
    while True:
        page = api.get("/v1/payments", account=account, limit=limit, **({"cursor": cursor} if cursor else {})).json
        assert len(page["data"]) <= limit and page["as_of"]["seq"] > 0
        seen += ids(page["data"])
        cursor = page["next_cursor"]
        if not cursor:
            break
        api.paid(account, other, "0.01")
    assert seen == before[::-1]


@pytest.mark.parametrize("query", [
    {}, {"status": "settled"}, {"rail": "internal"}, {"currency": "USD"}, {"type": "TRANSFER"},
    {"from": "2026-01-01T00:00:00Z", "to": "2026-02-02T00:00:01Z"}, {"to": "2026-01-01T00:00:00Z"},
    {"from": "2020-01-01T00:00:00Z"}, {"currency": "USD", "min_amount": "5"},
])  # fmt: skip
def test_a_search_that_nothing_bounds_is_refused(api, query):
    assert "account" in refused(api.get("/v1/payments", **query), 422, "search_not_bounded")["detail"]


@pytest.mark.parametrize("query", [
    {"account": "no-such-account"}, {"reference": "none-such"}, {"rail": "internal", "status": "quarantined"},
    {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"},
])  # fmt: skip
def test_each_bound_alone_is_enough(api, query):
    page = api.get("/v1/payments", **query)
    assert page.status == 200 and page.json["data"] == [] and page.json["next_cursor"] is None, page


@pytest.mark.parametrize("query, parameter", [
    ({"account": "a b"}, "account"), ({"status": "gone"}, "status"), ({"rail": "nowhere"}, "rail"),
    ({"currency": "usd"}, "currency"), ({"currency": "ZZZ"}, "currency"), ({"min_amount": "5"}, "min_amount"),
    ({"currency": "USD", "min_amount": "5.001"}, "min_amount"), ({"max_amount": "x"}, "max_amount"),
    ({"from": "yesterday"}, "from"), ({"to": "2026-13-01T00:00:00Z"}, "to"), ({"limit": "0"}, "limit"),
    ({"limit": "1001"}, "limit"), ({"limit": "ten"}, "limit"), ({"cursor": "no-such-cursor"}, "cursor"),
    ({"reference": ""}, "reference"), ({"reference": "x" * 141}, "reference"),
    ({"from": "2026-02-02T00:00:00Z", "to": "2026-02-01T00:00:00Z"}, "to"),
    ({"currency": "USD", "min_amount": "5", "max_amount": "4.99"}, "max_amount"),
])  # fmt: skip
def test_a_bad_filter_is_refused_by_its_name(api, query, parameter):
    answer = api.get("/v1/payments", **{"account": "nobody", **query})
    assert refused(answer, 400, "invalid_parameter")["parameter"] == parameter


@pytest.mark.parametrize("what", ["entries", "statement"])
def test_a_period_that_ends_before_it_begins_is_refused(api, what):
    account = api.open()
    span = {"from": "2026-02-02T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
    answer = api.get(f"/v1/accounts/{account}/{what}", **span)
    assert refused(answer, 400, "invalid_parameter")["parameter"] == "to"
    span["to"] = span["from"]
    assert api.get(f"/v1/accounts/{account}/{what}", **span).status == 200


def test_a_filter_sent_twice_is_refused(api):
    assert refused(api.get("/v1/payments?account=a&account=b"), 400, "duplicate_parameter")["parameter"] == "account"


def test_a_cursor_belongs_to_its_search(api, some):
    page = api.get("/v1/payments", account=some["account"], limit=2).json
    answer = api.get("/v1/payments", account=some["other"], limit=2, cursor=page["next_cursor"])
    refused(answer, 400, "invalid_parameter")
