"""Opening, reading and changing accounts, and what moved on them."""

import csv
import io

import pytest
from client import lines, refused, unique

ACCOUNT_FIELDS = {
    "account_id", "currency", "holder", "kind", "status", "risk_level", "floor", "limits", "metadata", "opened_at",
    "balance", "journal",
}  # fmt: skip


def test_an_account_is_opened_once_and_can_be_read(api):
    name = unique("acc")
    body = {"account_id": name, "currency": "USD", "holder": "Ada Example", "kind": "merchant", "risk_level": "low",
            "floor": "-50.00", "limits": {"daily_debit_sum": "700.00", "daily_debit_count": 3},
            "opening_balance": "12.50", "metadata": {"branch": "7"}}  # fmt: skip
    answer = api.post("/v1/accounts", body)
    assert answer.status == 201 and answer.headers["Location"] == f"/v1/accounts/{name}", answer
    account = answer.json
    assert account.keys() == ACCOUNT_FIELDS
    assert account["status"] == "active" and account["floor"] == "-50.00" and account["holder"] == "Ada Example"
    assert account["balance"] == {"posted": "12.50", "held": "0.00", "available": "12.50", "version": 1}
    assert account["limits"] == {"daily_debit_sum": "700.00", "daily_debit_count": "3"}
    assert api.get(f"/v1/accounts/{name}").json == account

    again = api.post("/v1/accounts", body)
    assert (again.status, again.json) == (200, account), again
    refused(api.post("/v1/accounts", {**body, "holder": "Bob"}), 409, "account_exists")
    assert api.get(f"/v1/accounts/{name}").json == account


@pytest.mark.parametrize("field, value, code", [
    ("account_id", None, "missing"), ("account_id", "a b", "invalid_account"), ("currency", None, "missing"),
    ("currency", "ZZZ", "currency_unknown"), ("kind", "piggy_bank", "unknown_value"),
    ("risk_level", "extreme", "unknown_value"), ("floor", "x", "amount_syntax"), ("holder", "x" * 141, "too_long"),
    ("opening_balance", "1.001", "amount_too_many_decimals"), ("status", "active", "unknown_field"),
])  # fmt: skip
def test_a_bad_field_of_an_account_is_refused_with_its_pointer(api, field, value, code):
    body = {"account_id": unique("acc"), "currency": "USD"}
    body.pop(field, None)
    if value is not None:
        body[field] = value
    refused(api.post("/v1/accounts", body), 422, "invalid_fields", (f"/{field}", code))


@pytest.mark.parametrize("limits, pointer, code", [
    ({"weekly": "1"}, "/limits/weekly", "unknown_limit"), ([], "/limits", "wrong_type"),
    ({"daily_debit_sum": "-1"}, "/limits/daily_debit_sum", "out_of_range"),
    ({"daily_debit_count": "1.5"}, "/limits/daily_debit_count", "out_of_range"),
])  # fmt: skip
def test_a_bad_limit_is_refused_with_its_name(api, limits, pointer, code):
    body = {"account_id": unique("acc"), "currency": "USD", "limits": limits}
    refused(api.post("/v1/accounts", body), 422, "invalid_fields", (pointer, code))


@pytest.mark.parametrize("body", [{"account_id": "house:fees:USD"}, {"kind": "house"}])
def test_house_accounts_are_there_by_themselves(api, body):
    refused(api.post("/v1/accounts", {"account_id": unique("acc"), "currency": "USD", **body}), 422, "house_account")


def test_an_account_that_is_not_there_is_404(api):
    name = unique("never")
    for path in ("", "/balance", "/entries", "/statement"):
        refused(api.get(f"/v1/accounts/{name}{path}"), 404, "account_not_found")
    refused(api.patch(f"/v1/accounts/{name}", {"status": "frozen"}), 404, "account_not_found")
    refused(api.get("/v1/accounts/a%20b"), 404, "not_found")


def test_a_change_names_what_changes_and_leaves_the_rest(api):
    name = api.open("5.00", holder="Ada", metadata={"a": "1"}, limits={"daily_debit_sum": "9.00"})
    for change, field, wanted in [
        ({"status": "frozen"}, "status", "frozen"), ({"status": "active"}, "status", "active"),
        ({"floor": "-1.00"}, "floor", "-1.00"), ({"floor": None}, "floor", None),
        ({"risk_level": "medium"}, "risk_level", "medium"), ({"holder": None}, "holder", None),
        ({"metadata": {"b": "2"}}, "metadata", {"b": "2"}), ({"metadata": None}, "metadata", {}),
        ({"limits": {"daily_debit_count": 2}}, "limits", {"daily_debit_sum": "9.00", "daily_debit_count": "2"}),
        ({"limits": {"daily_debit_sum": None}}, "limits", {"daily_debit_count": "2"}),
    ]:  # fmt: skip
        before = api.get(f"/v1/accounts/{name}").json
        answer = api.patch(f"/v1/accounts/{name}", change)
        assert answer.status == 200 and answer.json[field] == wanted, answer
        after = api.get(f"/v1/accounts/{name}").json
        assert after == answer.json
        same = ACCOUNT_FIELDS - {field, "balance", "journal"}
        assert {each: after[each] for each in same} == {each: before[each] for each in same}
        assert after["balance"]["posted"] == "5.00"


@pytest.mark.parametrize("change, pointer, code", [
    ({}, "", "no_change"), ({"status": "gone"}, "/status", "unknown_value"),
    ({"currency": "EUR"}, "/currency", "unknown_field"), ({"limits": {"x": 1}}, "/limits/x", "unknown_limit"),
    ({"floor": "1.001"}, "/floor", "amount_too_many_decimals"), ({"status": None}, "", "no_change"),
])  # fmt: skip
def test_a_bad_change_is_refused(api, change, pointer, code):
    refused(api.patch(f"/v1/accounts/{api.open()}", change), 422, "invalid_fields", (pointer, code))


def test_an_account_closes_only_empty_and_for_ever(api):
    debtor, creditor = api.pair("10.00")
    refused(api.patch(f"/v1/accounts/{debtor}", {"status": "closed"}), 409, "balance_not_zero")
    held = api.paid(debtor, creditor, "4.00", status="held", capture="manual")
    api.paid(debtor, creditor, "6.00")
    refused(api.patch(f"/v1/accounts/{debtor}", {"status": "closed"}), 409, "balance_not_zero")
    assert api.post(f"/v1/payments/{held}/capture").status == 202
    assert api.patch(f"/v1/accounts/{debtor}", {"status": "closed"}).json["status"] == "closed"
    refused(api.patch(f"/v1/accounts/{debtor}", {"status": "active"}), 409, "account_closed")


def test_an_account_with_holds_does_not_close(api):
    debtor, creditor = api.open("0", floor="-100.00"), api.open("0")
    held = api.paid(debtor, creditor, "40.00", status="held", capture="manual")
    refused(api.patch(f"/v1/accounts/{debtor}", {"status": "closed"}), 409, "holds_open")
    assert api.post(f"/v1/payments/{held}/void").status == 202
    assert api.patch(f"/v1/accounts/{debtor}", {"status": "closed"}).status == 200


def test_keys_of_accounts_are_bound_to_their_path(api):
    name, other = api.open(), api.open()
    key = unique()
    first = api.patch(f"/v1/accounts/{name}", {"status": "frozen"}, key=key)
    assert first.status == 200 and "Idempotent-Replayed" not in first.headers
    again = api.patch(f"/v1/accounts/{name}", {"status": "frozen"}, key=key)
    assert again.status == 200 and again.headers["Idempotent-Replayed"] == "true"
    refused(api.patch(f"/v1/accounts/{name}", {"status": "active"}, key=key), 422, "idempotency_key_reused")
    assert "Idempotent-Replayed" not in api.patch(f"/v1/accounts/{other}", {"status": "frozen"}, key=key).headers
    body = {"account_id": unique("acc"), "currency": "USD"}
    assert api.post("/v1/accounts", body, key=key).status == 201
    again = api.post("/v1/accounts", body, key=key)
    assert again.status == 200 and again.headers["Idempotent-Replayed"] == "true"
    refused(api.post("/v1/accounts", {**body, "account_id": unique("acc")}, key=key), 422, "idempotency_key_reused")
    refused(api.patch(f"/v1/accounts/{name}", {"status": "active"}, key="short"), 400, "idempotency_key_malformed")


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_a_batch_opens_what_can_be_opened(api, form):
    there = {"account_id": api.open("0"), "currency": "USD", "opening_balance": "0"}
    items = [
        {"account_id": unique("acc"), "currency": "USD", "opening_balance": "5"}, there,
        {"account_id": "a b", "currency": "USD"}, {**there, "holder": "other"}, {"account_id": unique("acc")},
        {"account_id": unique("acc"), "currency": "EUR"},
    ]  # fmt: skip

    def send(list_of):
        if form == "json":
            return api.post("/v1/accounts/batch", {"accounts": list_of})
        return api.post("/v1/accounts/batch", lines(list_of), form="application/x-ndjson")

    answer = send(items)
    assert answer.status == 201, answer
    body = answer.json
    assert (body["opened"], body["existed"], body["refused"]) == (2, 1, 3)
    assert [item["index"] for item in body["data"]] == list(range(6))
    assert [item["result"] for item in body["data"]] == ["opened", "existed", None, None, None, "opened"]
    codes = [item["error"] and item["error"]["code"] for item in body["data"]]
    assert codes == [None, None, "invalid_fields", "account_exists", "invalid_fields", None]
    assert api.posted(items[0]["account_id"]) == "5.00"
    assert send([items[0], items[1]]).status == 200
    assert send([items[2]]).status == 422


@pytest.mark.parametrize("body, status, code", [
    ({"accounts": []}, 422, "invalid_fields"), ({}, 422, "invalid_fields"), (b"{", 400, "json_invalid"),
    ({"accounts": [{"account_id": "x", "currency": "USD"}] * 10_001}, 422, "invalid_fields"),
])  # fmt: skip
def test_a_bad_account_batch_is_refused_whole(api, body, status, code):
    refused(api.post("/v1/accounts/batch", body), status, code)


def test_the_list_of_accounts_pages_through_all(nostro):
    api = nostro().client()
    names = [api.open() for _ in range(7)]
    for limit in (1, 3, 1000):
        listed = [each["account_id"] for each in api.pages("/v1/accounts", limit=limit)]
        assert [name for name in listed if not name.startswith("house:")] == sorted(names)
        assert "house:equity:USD" in listed
    for bad in ("0", "1001", "x", ""):
        assert refused(api.get("/v1/accounts", limit=bad), 400, "invalid_parameter")["parameter"] == "limit"
    given = api.get("/v1/accounts", limit=2).json["next_cursor"]
    for bad in ("no-such-cursor", names[0], given[1:], given + "x", given[:16]):
        assert refused(api.get("/v1/accounts", cursor=bad), 400, "invalid_parameter")["parameter"] == "cursor"


def test_a_balance_now_and_then(api):
    debtor, creditor = api.pair("100.00")
    opened = api.balance(debtor)
    assert opened.keys() == {"account_id", "currency", "posted", "held", "available", "version", "as_of"}
    api.paid(debtor, creditor, "10.00")
    first = api.payment(api.paid(debtor, creditor, "20.00"))
    api.paid(debtor, creditor, "5.00", status="held", capture="manual")
    now = api.balance(debtor)
    assert (now["posted"], now["held"], now["available"]) == ("70.00", "5.00", "65.00")
    seq, at = first["journal"]["seq"], first["accepted_at"]
    for as_of in (f"seq:{seq}", at):
        then = api.balance(debtor, as_of=as_of)
        assert (then["posted"], then["held"], then["version"]) == ("70.00", "0.00", 3), as_of
        assert then["as_of"]["seq"] == seq
    assert api.balance(debtor, as_of=f"seq:{seq - 1}")["posted"] == "90.00"
    refused(api.get(f"/v1/accounts/{debtor}/balance", as_of="seq:1"), 404, "account_not_found")
    for bad in ("yesterday", "seq:", "seq:-1", "2026-01-01"):
        problem = refused(api.get(f"/v1/accounts/{debtor}/balance", as_of=bad), 400, "invalid_parameter")
        assert problem["parameter"] == "as_of"


def test_entries_run_with_their_balances(api):
    account, other = api.pair("100.00")
    ids = [api.paid(account, other, amount) for amount in ("1.00", "2.00", "3.00")]
    ids.append(api.paid(other, account, "4.00"))
    oldest = api.pages(f"/v1/accounts/{account}/entries", order="oldest_first", limit=2)
    assert [entry["payment_id"] for entry in oldest if entry["payment_id"]] == ids
    assert [entry["direction"] for entry in oldest][-4:] == ["debit", "debit", "debit", "credit"]
    assert [entry["balance_after"] for entry in oldest][-4:] == ["99.00", "97.00", "94.00", "98.00"]
    for one, two in zip(oldest, oldest[1:]):
        assert one["balance_after"] == two["balance_before"]
    assert oldest[-1]["counterparty"] == other and oldest[-1]["amount"] == "4.00"
    newest = api.pages(f"/v1/accounts/{account}/entries", limit=3)
    assert newest == oldest[::-1]
    span = api.pages(f"/v1/accounts/{account}/entries", **{"from": oldest[-2]["at"], "to": oldest[-1]["at"]})
    assert ids[3] not in {entry["payment_id"] for entry in span} and ids[2] in {e["payment_id"] for e in span}


def test_a_statement_adds_up_in_both_forms(api):
    account, other = api.pair("100.00")
    for amount in ("1.00", "2.50"):
        api.paid(account, other, amount)
    api.paid(other, account, "3.00")
    statement = api.get(f"/v1/accounts/{account}/statement").json
    assert statement["opening_balance"] == "0.00" and statement["closing_balance"] == "99.50"
    assert (statement["total_debits"], statement["total_credits"]) == ("3.50", "103.00")
    assert statement["count"] == len(statement["entries"]) == 4
    since = statement["entries"][1]["at"]
    later = api.get(f"/v1/accounts/{account}/statement", **{"from": since}).json
    assert (later["opening_balance"], later["closing_balance"], later["count"]) == ("100.00", "99.50", 3)

    answer = api.get(f"/v1/accounts/{account}/statement", format="csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert rows[0]["event"] == "opening_balance" and rows[-1]["event"] == "closing_balance"
    assert rows[-1]["balance"] == "99.50" and len(rows) == 6
    assert refused(api.get(f"/v1/accounts/{account}/statement", format="pdf"), 400, "invalid_parameter")
    assert refused(api.get(f"/v1/accounts/{account}/statement", **{"from": "x"}), 400, "invalid_parameter")


def test_an_account_that_comes_overdrawn_receives_and_then_sends(api):
    debtor = api.open("1000.00")
    overdrawn = api.open("-50.00")
    assert api.balance(overdrawn)["posted"] == "-50.00"
    assert api.paid(overdrawn, debtor, "0.01", status="rejected")
    api.paid(debtor, overdrawn, "50.00")
    assert api.paid(overdrawn, debtor, "0.01", status="rejected")
    api.paid(debtor, overdrawn, "0.01")
    api.paid(overdrawn, debtor, "0.01")
    assert api.posted(overdrawn) == "0.00"
