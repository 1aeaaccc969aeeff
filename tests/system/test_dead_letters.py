"""What could not be read: HTTP itself refuses such input, so letters come from those who say so."""

import pytest
from client import refused


def test_the_list_is_a_list(api):
    assert api.pages("/v1/dead-letters", limit=10) == []
    for query, parameter in (({"limit": "0"}, "limit"), ({"cursor": "no-such"}, "cursor")):
        assert refused(api.get("/v1/dead-letters", **query), 400, "invalid_parameter")["parameter"] == parameter


@pytest.mark.parametrize("what", ["redrive", "discard"])
@pytest.mark.parametrize("letter, code", [("1.0", "dead_letter_not_found"), ("99999999.7", "dead_letter_not_found"),
                                          ("nonsense", "not_found"), ("1", "not_found"), ("-1.0", "not_found")])  # fmt: skip
def test_a_letter_that_is_not_there_is_404(api, what, letter, code):
    refused(api.post(f"/v1/dead-letters/{letter}/{what}"), 404, code)


@pytest.mark.parametrize("what", ["redrive", "discard"])
def test_a_bad_note_is_refused(api, what):
    answer = api.post(f"/v1/dead-letters/1.0/{what}", {"by": "x" * 65, "note": "x" * 501, "why": 1})
    refused(answer, 422, "invalid_fields", ("/by", "too_long"), ("/note", "too_long"), ("/why", "unknown_field"))
    refused(api.post(f"/v1/dead-letters/1.0/{what}", b"{"), 400, "json_invalid")


def test_input_that_http_refuses_leaves_no_letter(api):
    refused(api.post("/v1/payments", b"\x00\xff", key="dead-letter-key"), 400, "json_invalid")
    assert api.pages("/v1/dead-letters") == []


def keep(api, text):
    answer = api.post("/v1/dead-letters",
                      {"source": "bank.csv", "position": "row 7", "format": "csv", "why": "no amount", "text": text})  # fmt: skip
    assert answer.status == 201, answer.text
    return answer.json["dead_letter_id"]


def test_a_letter_is_mended_and_paid_once(api):
    for name, opening in (("LETTER-A", "50.00"), ("LETTER-B", "0.00")):
        api.post("/v1/accounts", {"account_id": name, "currency": "USD", "opening_balance": opening})
    letter = keep(api, "LETTER-A,LETTER-B,x,USD")
    refused(api.post(f"/v1/dead-letters/{letter}/redrive"), 422, "still_unreadable", ("/payment", "json_invalid"))
    payment = {"debtor_account": "LETTER-A", "creditor_account": "LETTER-B", "amount": "12.34", "currency": "USD"}
    for _ in range(2):
        answer = api.post(f"/v1/dead-letters/{letter}/redrive", {"by": "ada", "payment": payment})
        assert answer.status == 200 and answer.json["state"] == "redriven", answer
    assert api.get("/v1/accounts/LETTER-B/balance").json["posted"] == "12.34"
    refused(api.post(f"/v1/dead-letters/{letter}/discard"), 409, "already_decided")
    assert api.get(f"/v1/payments/{answer.json['payment_id']}").json["status"] == "settled"


def test_a_letter_is_discarded_once(api):
    letter = keep(api, "rubbish")
    for _ in range(2):
        assert api.post(f"/v1/dead-letters/{letter}/discard", {"by": "ada"}).json["state"] == "discarded"
    refused(api.post(f"/v1/dead-letters/{letter}/redrive", {"payment": {}}), 409, "already_decided")
