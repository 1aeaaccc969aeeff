"""Limits and rules as data: every version kept, the newest in force from the next payment on."""

import pytest
from client import refused

TOML = "application/toml"
BASE = 'tenant = "nostro"\n'


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A program of this file's own: policies are shared by all who use one."""
    from program import Program

    program = Program(tmp_path_factory.mktemp("policies") / "data")
    yield program
    program.stop()


@pytest.fixture
def api(own):
    return own.client()


def versions(api):
    answer = api.get("/v1/policies")
    assert answer.status == 200, answer
    assert answer.json["next_cursor"] is None and answer.json["as_of"].keys() == {"seq", "at"}
    return answer.json["data"]


def put(api, text, **rest):
    answer = api.put("/v1/policies/nostro", text, form=TOML, **rest)
    assert answer.status == 202, answer
    assert answer.json.keys() == {"tenant", "version", "in_force", "policy"} and answer.json["in_force"]
    return answer.json


def test_an_empty_journal_begins_with_the_built_in_policy(nostro):
    (only,) = versions(nostro().client())
    assert (only["tenant"], only["version"], only["in_force"]) == ("nostro", 1, True)
    assert "daily_debit_sum" in only["policy"]


def test_a_new_version_decides_the_next_payment_and_the_old_ones_stay_readable(api):
    debtor, creditor = api.pair()
    before = api.payment(api.paid(debtor, creditor, "7.00"))
    text = BASE + ('[[rule]]\nname = "small"\nkind = "amount_band"\nabove = { USD = "5.00" }\npoints = 100\n'
                   "[thresholds]\nreject = 100\n")  # fmt: skip
    taken = put(api, text)
    assert taken["version"] == before["why"]["policy"] + 1 and taken["policy"] == text
    after = api.payment(api.paid(debtor, creditor, "7.00", status="rejected"))
    assert (after["reason"], after["why"]["policy"]) == ("risk_rejected", taken["version"])
    assert after["why"]["rules"] == [{"rule": "small", "points": 100, "input": "7.00"}]
    listed = versions(api)
    assert [each["version"] for each in listed] == list(range(1, taken["version"] + 1))
    assert [each["in_force"] for each in listed] == [False] * (len(listed) - 1) + [True]
    assert api.payment(before["payment_id"]) == before


def test_json_carries_a_policy_too(api):
    answer = api.put("/v1/policies/nostro", {"policy": BASE, "by": "m.rossi"})
    assert answer.status == 202 and answer.json["policy"] == BASE, answer


def test_a_policy_may_open_unknown_accounts(api):
    put(api, BASE + 'unknown_accounts = "open"\nopened_floor = "0"\n')
    fields = {"debtor_account": "opened-by-1", "creditor_account": "opened-by-2", "amount": "40.00", "currency": "USD",
              "opening_balances": {"debtor": "100.00", "creditor": "5.00"}}  # fmt: skip
    answer = api.post("/v1/payments", fields, key="opening-accounts-1")
    assert answer.json["status"] == "settled", answer
    assert (api.posted("opened-by-1"), api.posted("opened-by-2")) == ("60.00", "45.00")
    put(api, BASE + 'unknown_accounts = "refuse"\n')
    answer = api.post("/v1/payments", {**fields, "debtor_account": "opened-by-3"}, key="opening-accounts-2")
    assert answer.json["reason"] == "account_unknown"


def test_counts_and_sums_are_limited_over_their_windows(api):
    put(api, BASE + '[[limit]]\nname = "few"\nside = "debit"\nmeasure = "count"\nat_most = 2\n'
        'window = { days = 1, zone = "UTC" }\nwhen_exceeded = "reject"\n'
        '[[limit]]\nname = "little"\nside = "credit"\nmeasure = "sum"\ncurrency = "USD"\nat_most = "50.00"\n'
        'window = { days = 1, zone = "UTC" }\nwhen_exceeded = "review"\n')  # fmt: skip
    debtor, creditor = api.pair()
    api.paid(debtor, creditor, "30.00")
    waits = api.payment(api.paid(debtor, creditor, "30.00", status="in_review"))
    assert [limit["limit"] for limit in waits["why"]["limits"]][-1] == "little"
    third = api.payment(api.paid(debtor, creditor, "1.00", status="rejected"))
    assert third["reason"] == "limit_exceeded"
    few = [limit for limit in third["why"]["limits"] if limit["limit"] == "few"]
    assert few and few[0]["at_most"] == "2" and few[0]["left"] == "0"
    # What did not settle is given back.
    body = {"reviewer": "r.novak", "reason": "too much"}
    assert api.post(f"/v1/reviews/{waits['payment_id']}/reject", body).status == 202
    api.paid(debtor, creditor, "1.00")


WRONG = [
    "", "tenant = ", 'tenant = "other"\n', BASE + "unknown_key = 1\n", BASE + 'order = ["accounts", "magic"]\n',
    BASE + 'hold_ttl = "soon"\n', BASE + '[[rule]]\nname = "x"\n', BASE + '[[limit]]\nname = "x"\n',
    BASE + '[[rule]]\nname = "x"\nkind = "amount_band"\nabove = { USD = 10.5 }\npoints = 1\n',
    BASE + '[[limit]]\nname = "x"\nside = "debit"\nmeasure = "count"\nat_most = 1\nwhen_exceeded = "reject"\n'
           'window = { days = 1, zone = "Nowhere/City" }\n',
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_bad_policy_is_refused_with_its_reason_and_changes_nothing(api, text):
    before = versions(api)
    answer = api.put("/v1/policies/nostro", text, form=TOML)
    if text:
        refused(answer, 422, "invalid_fields", ("/policy", "invalid_policy"))
    else:
        refused(answer, 400, "body_missing")
    assert versions(api) == before


@pytest.mark.parametrize("body, form, status, code", [
    ({}, None, 422, "invalid_fields"), ({"policy": BASE, "x": 1}, None, 422, "invalid_fields"),
    (b"{", None, 400, "json_invalid"), (BASE, "text/plain", 415, "content_type_not_supported"),
    (BASE + "#" * 300_000, TOML, 413, "body_too_large"),
], ids=lambda value: str(value)[:20])  # fmt: skip
def test_a_body_that_holds_no_policy_is_refused(api, body, form, status, code):
    refused(api.put("/v1/policies/nostro", body, form=form or "application/json"), status, code)


def test_there_is_no_other_tenant(api):
    refused(api.put("/v1/policies/elsewhere", 'tenant = "elsewhere"', form=TOML), 404, "tenant_not_found")


def test_policies_outlive_the_program(nostro):
    program = nostro()
    mine = put(program.client(), BASE + "# mine\n")
    program.kill()
    listed = versions(nostro().client())
    assert listed[-1] == mine and len(listed) == 2
