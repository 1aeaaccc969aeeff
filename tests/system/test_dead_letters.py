"""What could not be read. HTTP refuses what it cannot read, so a journal that only HTTP has fed has none."""

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
