"""The query index in PostgreSQL answers what the one in files answers, to the owner of the books and to instances."""

import pytest
from client import unique
from postgres_server import SOON, part, projected, until
from program import run

TABLES = {**SOON, "index.kind": "postgres"}
RULES = """
tenant = "nostro"
[thresholds]
review = 50
[[rule]]
name = "large"
kind = "amount_band"
at_least = { USD = "500.00" }
points = 60
"""


def serve(nostro, postgres, *arguments, sets=None, **rest):
    program = nostro(*arguments, env={"NOSTRO_POSTGRES_URL": postgres.url}, sets={**TABLES, **(sets or {})}, **rest)
    assert program.url, program.stderr
    return program


THREE = {"limit": "3"}


def shown(api, accounts, payments, times):
    """What the routes of history say, all of it but how far they had read."""
    told = {"payments": [api.payment(each) for each in payments], "accounts": api.pages("/v1/accounts", **THREE),
            "reviews": api.pages("/v1/reviews", limit="1"), "dead letters": api.pages("/v1/dead-letters", **THREE)}  # fmt: skip
    told["invoices"] = api.pages("/v1/payments", reference="invoice 7", **THREE)
    told["held"] = api.pages("/v1/payments", rail="internal", status="held", **THREE)
    told["span"] = api.pages("/v1/payments", **{"from": times[0], "to": times[1], **THREE})
    for name in accounts:
        told[name] = {"of": api.pages("/v1/payments", account=name, **THREE), "account": api.get(f"/v1/accounts/{name}").json,
                      "entries": api.pages(f"/v1/accounts/{name}/entries", **THREE),
                      "then": api.balance(name, as_of=times[1])["posted"]}  # fmt: skip
    told["books"] = {name: value for name, value in api.get("/v1/ledger/trial-balance", as_of=times[1]).json.items() if name != "as_of"}
    return told


def offline(postgres, *words):
    return run("reconcile", "--offline", *words, env={"NOSTRO_POSTGRES_URL": postgres.url})


def a_bit_of_everything(api):
    ada, bob = api.pair("10000.00")
    payments = [api.paid(ada, bob, f"{n}.00", reference="invoice 7" if n % 2 else f"invoice {n}") for n in range(1, 8)]
    payments.append(api.paid(ada, bob, "20.00", capture="manual", status="held"))
    payments.append(api.paid(ada, bob, "700.00", status="in_review"))
    payments.append(api.paid(ada, bob, "800.00", status="in_review"))
    decided = api.post(f"/v1/reviews/{payments[-1]}/approve", {"reviewer": "rita", "reason": "fine"})
    assert decided.status == 202, decided
    reversal = api.post(f"/v1/payments/{payments[0]}/reverse", {"amount": "0.25"}, key=unique())
    assert reversal.status == 202, reversal
    renamed = api.patch(f"/v1/accounts/{ada}", {"holder": "Ada"})
    assert renamed.status == 200, renamed
    first, last = api.payment(payments[0]), api.payment(payments[-1])
    return [ada, bob], payments, (first["accepted_at"], last["decided_at"])


def test_it_answers_as_files_do_and_is_compared(nostro, postgres, tmp_path):
    (tmp_path / "rules.toml").write_text(RULES)
    sets = {"policy.file": str(tmp_path / "rules.toml")}
    files = serve(nostro, postgres, data=tmp_path / "data", sets={**sets, "index.kind": "files"})
    asked = a_bit_of_everything(files.client())
    projected(files.client())
    by_files = shown(files.client(), *asked)
    assert len(by_files["reviews"]) == 1 and by_files["held"] and by_files["span"] and len(by_files["invoices"]) == 4
    files.stop()
    # The same journal: the tables are made and filled by the start.
    tables = serve(nostro, postgres, data=tmp_path / "data", sets=sets)
    api = tables.client()
    projected(api)
    assert shown(api, *asked) == by_files
    api.paid(*asked[0], "3.00", reference="invoice 7")
    until(lambda: len(api.pages("/v1/payments", reference="invoice 7")) == 5)
    postgres.psql("UPDATE nostro.index_payments SET status = 3 WHERE status = 1")
    found = run("reconcile", "--url", tables.url)
    assert found.returncode == 1 and "nostro.index_payments" in found.stdout, found
    assert run("reconcile", "--url", tables.url, "--repair", "--by", "ops").returncode == 0
    assert api.pages("/v1/reviews") == by_files["reviews"]


def test_instances_ask_the_tables_that_the_owner_feeds(nostro, postgres, tmp_path):
    sets = {"journal.kind": "postgres", "inbox.kind": "postgres", "standby.session_timeout": "5s"}
    owner = serve(nostro, postgres, data=tmp_path / "one", sets=sets)
    beside = serve(nostro, postgres, "--standby", data=tmp_path / "two", sets=sets)
    assert not (tmp_path / "two" / "index").exists()
    api, other = owner.client(), beside.client()
    ada, bob = api.pair("1000.00")
    paid = [client.paid(ada, bob, "1.00") for client in (api, other) * 3]
    for client in (api, other):
        until(lambda client=client: len(client.pages("/v1/payments", account=ada)) == 6)
        assert [each["payment_id"] for each in client.pages("/v1/payments", account=ada)] == paid[::-1]
        assert [client.payment(each)["status"] for each in paid] == ["settled"] * 6
        assert {ada, bob} <= {each["account_id"] for each in client.pages("/v1/accounts")}
    compared = offline(postgres, "--set", "index.kind=postgres", "--set", "journal.kind=postgres")
    assert compared.returncode == 0 and "index " in compared.stdout, compared
    # It takes over, and feeds them from where they are.
    owner.kill()
    until(lambda: other.get("/readiness").json["role"] == "owner")
    paid.append(other.paid(ada, bob, "1.00"))
    until(lambda: [each["payment_id"] for each in other.pages("/v1/payments", account=ada)] == paid[::-1])
    projected(other)


def test_a_server_that_is_away_stops_lists_and_no_payment(nostro, postgres):
    program = serve(nostro, postgres)
    api = program.client()
    ada, bob = api.pair("1000.00")
    first = api.paid(ada, bob, "1.00")
    projected(api)
    assert len(api.pages("/v1/payments", account=ada)) == 1
    postgres.crash()
    try:
        before = api.paid(ada, bob, "1.00")
        refused = api.get("/v1/payments", account=ada)
        assert refused.status == 503, refused
        assert "PostgreSQL cannot be asked" in refused.json["detail"] and "127.0.0.1" not in refused.json["detail"]
        assert api.balance(ada)["posted"] == "998.00"
        state = until(lambda: not (state := part(api, "index"))["ready"] and state)
        assert not state["needed"] and api.get("/readiness").status == 200
    finally:
        postgres.start()
    until(lambda: (answer := api.get("/v1/payments", account=ada)).status == 200 and
          [each["payment_id"] for each in answer.json["data"]] == [before, first])  # fmt: skip
    until(lambda: part(api, "index")["ready"])


@pytest.mark.parametrize("enabled", ["true", "false"])
def test_it_needs_an_address(nostro, enabled):
    program = nostro(sets={"index.kind": "postgres", "index.enabled": enabled})
    if enabled == "false":
        assert program.url, program.stderr
    else:
        assert program.code == 2 and "index.kind" in program.stderr and "postgres.url" in program.stderr
