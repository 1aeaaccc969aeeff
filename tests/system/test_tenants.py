"""Ledgers of profiles through the native routes: `tenant` names them, and what follows on a payment finds its own."""

import json

import pytest
from client import refused, unique
from program import Program, run

DECIDE = {"reviewer": "r.novak", "reason": "called the customer"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    program = Program(tmp_path_factory.mktemp("tenants") / "data", "--profile", "clearing")
    assert program.url, program.stderr
    yield program
    program.stop()


@pytest.fixture
def api(served):
    return served.client()


def send(api, *rows):
    answer = api.post("/v1/profiles/clearing/messages", "\n".join(map(json.dumps, rows)), form="application/x-ndjson")
    assert answer.status == 202, answer
    return answer.json


def row(amount, debtor="ACC001", creditor="ACC002"):
    return {"transaction_id": unique("t"), "amount": amount, "from_account": debtor, "to_account": creditor}


def opened(api, balance="0", **fields):
    name = unique("acc")
    answer = api.post("/v1/accounts", {"account_id": name, "currency": "USD", "opening_balance": balance, **fields},
                      tenant="clearing")  # fmt: skip
    assert (answer.status, answer.headers["Location"]) == (201, f"/v1/accounts/{name}?tenant=clearing"), answer
    return name


def in_review(api):
    debtor, creditor = opened(api, "200000.00"), opened(api)
    send(api, row("150000.00", debtor, creditor))
    (payment,) = api.pages("/v1/payments", tenant="clearing", account=debtor)
    assert payment["status"] == "in_review"
    return debtor, creditor, payment["payment_id"]


def test_a_list_is_of_one_ledger(api):
    own = api.open()
    debtor, creditor = opened(api, "10.00"), opened(api)
    send(api, row("1.00", debtor, creditor))
    names = {each["account_id"] for each in api.pages("/v1/accounts", tenant="clearing")}
    assert {"ACC001", debtor} <= names and own not in names
    names = {each["account_id"] for each in api.pages("/v1/accounts")}
    assert own in names and debtor not in names
    assert {each["account_id"] for each in api.pages("/v1/accounts", tenant="nostro")} == names
    assert len(api.pages("/v1/payments", tenant="clearing", account=debtor)) == 1
    assert api.pages("/v1/payments", account=debtor) == []


def test_accounts_of_two_ledgers_may_share_a_name(api):
    name = opened(api, "5.00")
    api.open("7.00", account_id=name)
    assert api.balance(name)["posted"] == "7.00" and api.balance(name, tenant="clearing")["posted"] == "5.00"
    assert api.get(f"/v1/accounts/{name}", tenant="clearing").json["balance"]["posted"] == "5.00"
    assert len(api.pages(f"/v1/accounts/{name}/entries", tenant="clearing")) == 1
    statement = api.get(f"/v1/accounts/{name}/statement", tenant="clearing").json
    assert statement["closing_balance"] == "5.00"
    assert api.balance(name, tenant="clearing", as_of=api.balance(name)["as_of"]["at"])["posted"] == "5.00"


def test_an_account_is_changed_in_its_own_ledger(api):
    name = opened(api, "5.00")
    api.open("7.00", account_id=name)
    changed = api.patch(f"/v1/accounts/{name}", {"status": "frozen"}, tenant="clearing")
    assert (changed.status, changed.json["status"]) == (200, "frozen"), changed
    assert api.get(f"/v1/accounts/{name}").json["status"] == "active"


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/reviews", "/v1/payments", "/v1/accounts/a", "/v1/accounts/a/balance",
                                  "/v1/accounts/a/entries", "/v1/accounts/a/statement", "/v1/stream"])  # fmt: skip
def test_a_ledger_that_is_not_is_400(api, path):
    assert refused(api.get(path, tenant="nobody"), 400, "invalid_parameter")["parameter"] == "tenant"


def test_writes_name_a_ledger_that_is(api):
    body = {"account_id": unique("acc"), "currency": "USD"}
    assert refused(api.post("/v1/accounts", body, tenant="nobody"), 400, "invalid_parameter")["parameter"] == "tenant"
    answer = api.patch("/v1/accounts/ACC001", {"status": "frozen"}, tenant="nobody")
    assert refused(answer, 400, "invalid_parameter")["parameter"] == "tenant"


@pytest.mark.parametrize("decision, status, moved", [("approve", "settled", "150000.00"), ("reject", "rejected", "0.00")])
def test_a_review_is_decided_in_its_ledger(api, decision, status, moved):
    debtor, creditor, payment_id = in_review(api)
    assert payment_id in {each["payment_id"] for each in api.pages("/v1/reviews", tenant="clearing")}
    assert payment_id not in {each["payment_id"] for each in api.pages("/v1/reviews")}
    assert api.balance(debtor, tenant="clearing")["held"] == "150000.00"
    for _ in range(2):
        answer = api.post(f"/v1/reviews/{payment_id}/{decision}", DECIDE)
        assert (answer.status, answer.json["status"]) == (202, status), answer
    assert api.balance(creditor, tenant="clearing")["posted"] == moved
    assert api.balance(debtor, tenant="clearing")["held"] == "0.00"


def test_what_follows_on_a_payment_knows_its_ledger(api):
    debtor, creditor, waiting = in_review(api)
    for what in ("void", "capture"):
        assert refused(api.post(f"/v1/payments/{waiting}/{what}"), 409, "not_open")["state"] == "in_review"
    debtor, creditor = opened(api, "10.00"), opened(api)
    send(api, row("4.00", debtor, creditor))
    (payment,) = api.pages("/v1/payments", tenant="clearing", account=debtor)
    answer = api.post(f"/v1/payments/{payment['payment_id']}/reverse", {"amount": "1.00"}, key=unique())
    assert (answer.status, answer.json["status"]) == (202, "settled"), answer
    assert api.balance(debtor, tenant="clearing")["posted"] == "7.00"


def test_the_command_line_names_a_ledger(served, api):
    debtor, creditor, payment_id = in_review(api)
    ask = ("--tenant", "clearing", "--url", served.url)
    assert payment_id in run("reviews", "list", *ask).stdout
    assert payment_id not in run("reviews", "list", "--url", served.url).stdout
    assert payment_id in run("list", "--account", debtor, *ask).stdout
    assert "200000.00" in run("balances", debtor, *ask).stdout
    frame = api.balance(debtor, tenant="clearing")["as_of"]["seq"]
    assert "200000.00" in run("balances", debtor, "--as-of", f"seq:{frame}", *ask).stdout
    assert "account_type" in run("accounts", "show", "ACC001", *ask).stdout
    assert run("accounts", "change", debtor, "--holder", "Ann", *ask).returncode == 0
    assert "Ann" in run("accounts", "show", debtor, *ask).stdout
    name = unique("acc")
    assert run("accounts", "open", name, "--opening-balance", "3.00", *ask).returncode == 0
    assert "3.00" in run("accounts", "entries", name, *ask).stdout
    assert run("accounts", "show", name, "--url", served.url).returncode != 0
    decided = run("reviews", "approve", payment_id, "--by", "r.novak", "--reason", "fine", "--url", served.url)
    assert (decided.returncode, "settled" in decided.stdout) == (0, True), decided.stderr


def test_the_books_are_those_of_all_tenants(served, api):
    assert [each["tenant"] for each in api.get("/v1/tenants").json["data"]] == ["nostro", "clearing"]
    api.open("3.00")
    opened(api, "7.00")
    api.readable()
    done = run("verify", "--url", served.url, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["consistent"] and told["accounts_compared"] and not told["findings"], told
    (usd,) = api.get("/v1/ledger/trial-balance").json["currencies"]
    assert [kind["kind"] for kind in usd["kinds"]] == ["customer", "house"], usd
    there = [len(api.pages("/v1/accounts", tenant=tenant)) for tenant in ("nostro", "clearing")]
    assert all(there) and told["accounts"] == sum(there), (told, there)
