"""What holds of all profiles together: one port, one set of documents, refusals in one shape."""

import json
import re

import pytest
from program import Program

WITH_HTTP = {"upi": "/metrics", "tps": "/transactions", "logging": "/transaction", "b2b": "/payments/time-range"}
GOOD = {"user_id": "user_11", "amount": 12.75, "currency": "USD"}


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """Of the profiles in this program."""
    refused = Program(tmp_path_factory.mktemp("names"), "--profile", "no-such")
    assert not refused.url
    return [name for name in re.search(r"there are: (.*)", refused.stderr)[1].split(", ") if name != "nostro"]


@pytest.fixture(scope="module")
def tps(tmp_path_factory):
    program = Program(tmp_path_factory.mktemp("tps") / "data", "--profile", "tps")
    assert program.url, program.stderr
    yield program.client()
    program.stop()


def post(client, body, **rest):
    return client.post("/transactions", body if isinstance(body, (str, bytes)) else json.dumps(body), **rest)


def entries(answer):
    assert answer.status == 422 and answer.headers["Content-Type"] == "application/json", answer
    assert list(answer.json) == ["detail"]
    for entry in answer.json["detail"]:
        assert list(entry)[:4] == ["type", "loc", "msg", "input"] and "url" not in entry
    return answer.json["detail"]


@pytest.mark.rows("ALL-01")
def test_one_port_serves_all(nostro, names):
    program = nostro(*(argument for name in names for argument in ("--profile", name)))
    assert program.url, program.stderr
    client = program.client()
    assert {each["name"] for each in client.get("/v1/profiles").json["data"]} == set(names)
    for name, path in WITH_HTTP.items():
        if name in names:
            assert client.request("OPTIONS", path).status == 204, path
    assert client.get("/health").json == {"status": "healthy"}
    assert client.get("/nowhere").json == {"detail": "Not Found"}
    assert client.get("/v1/nowhere").headers["Content-Type"] == "application/problem+json"


@pytest.mark.rows("ALL-04")
def test_documents_and_their_pages_answer(nostro, names, tmp_path):
    for profile in [name for name in names if name in WITH_HTTP]:
        program = nostro("--profile", profile, data=tmp_path / profile)
        client = program.client()
        for path, type in (("/docs", "text/html"), ("/redoc", "text/html"), ("/openapi.json", "application/json")):
            answer = client.get(path)
            assert answer.status == 200 and answer.headers["Content-Type"].startswith(type), answer
            if type == "text/html":
                for link in re.findall(r'(?:href|src|data-document)="(/[^"]+)"', answer.body.decode()):
                    assert client.get(link).status == 200, (profile, path, link)
        program.stop()


@pytest.mark.rows("ALL-05")
@pytest.mark.parametrize("body", [
    '{ "currency" : "USD" , "amount" : 12.75 , "user_id" : "user_11" }',
    '{"user_id":"\\u0075ser_11","amount":12.75,"currency":"\\u0055SD"}',
    '{"x":[{"amount":null}],"user_id":"user_11","amount":12.75,"currency":"USD","y":"\\ud83d\\ude00"}',
    '{"user_id":"a","amount":1,"currency":"EUR","user_id":"user_11","amount":12.75,"currency":"USD"}',
    '\r\n{"user_id":\t"user_11",\n"amount":12.75,"currency":"USD"}\n',
])  # fmt: skip
def test_bodies_of_peers_are_read_leniently(tps, body):
    answer = post(tps, body)
    assert answer.status == 200, answer
    assert (answer.json["user_id"], answer.json["amount"], answer.json["currency"]) == ("user_11", 12.75, "USD")


@pytest.mark.rows("ALL-05")
def test_what_is_written_is_compact_utf8(tps):
    answer = post(tps, '{"user_id":"\\u00fc \\"q\\"","amount":1,"currency":"USD"}')
    assert answer.body.startswith('{"user_id":"ü \\"q\\"","amount":1.0,'.encode())


@pytest.mark.rows("ALL-05", "G-04")
@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
def test_literals_that_are_no_numbers_are_refused(tps, literal):
    body = '{"user_id":"a","currency":"USD","amount":%s}' % literal
    (entry,) = entries(post(tps, body))
    assert entry["type"] == "json_invalid" and entry["loc"] == ["body", body.index(literal)]
    assert entry["ctx"] == {"error": "Expecting value"} and entry["input"] == {}


REFUSED = [  # body, form, the entries' type, loc and input
    ("{}", "application/json", [("missing", ["body", "user_id"], {}), ("missing", ["body", "amount"], {}),
                                ("missing", ["body", "currency"], {})]),
    ('{"user_id": "a"}', "application/json", [("missing", ["body", "amount"], {"user_id": "a"}),
                                              ("missing", ["body", "currency"], {"user_id": "a"})]),
    (None, None, [("missing", ["body"], None)]),
    ("null", "application/json", [("missing", ["body"], None)]),
    ("[1, 2]", "application/json", [("model_attributes_type", ["body"], [1, 2])]),
    ("a=b", "application/x-www-form-urlencoded", [("model_attributes_type", ["body"], "a=b")]),
    ('{"a":', "application/json", [("json_invalid", ["body", 5], {})]),
    ({**GOOD, "amount": "x"}, "application/json", [("float_parsing", ["body", "amount"], "x")]),
    ({**GOOD, "amount": None}, "application/json", [("float_type", ["body", "amount"], None)]),
    ({**GOOD, "amount": {"a": 1}}, "application/json", [("float_type", ["body", "amount"], {"a": 1})]),
    ({**GOOD, "user_id": 7}, "application/json", [("string_type", ["body", "user_id"], 7)]),
    ({**GOOD, "user_id": None, "amount": []}, "application/json", [("string_type", ["body", "user_id"], None),
                                                                  ("float_type", ["body", "amount"], [])]),
]  # fmt: skip
MESSAGES = {
    "missing": "Field required",
    "model_attributes_type": "Input should be a valid dictionary or object to extract fields from",
    "json_invalid": "JSON decode error",
    "float_parsing": "Input should be a valid number, unable to parse string as a number",
    "float_type": "Input should be a valid number",
    "string_type": "Input should be a valid string",
    "int_parsing": "Input should be a valid integer, unable to parse string as an integer",
}


@pytest.mark.rows("ALL-06")
@pytest.mark.parametrize("body, form, wanted", REFUSED)
def test_validation_errors_are_those_of_the_framework(tps, body, form, wanted):
    answer = tps.request("POST", "/transactions", body, form=form)
    told = [(entry["type"], entry["loc"], entry["input"]) for entry in entries(answer)]
    assert told == wanted
    for entry in entries(answer):
        assert entry["msg"] == MESSAGES[entry["type"]]
        assert ("ctx" in entry) == (entry["type"] == "json_invalid")


@pytest.mark.rows("ALL-06")
def test_paths_and_methods_are_refused_as_by_the_framework(tps):
    unknown = tps.get("/nowhere")
    assert unknown.status == 404 and unknown.json == {"detail": "Not Found"}
    wrong = tps.request("DELETE", "/transactions")
    assert wrong.status == 405 and wrong.json == {"detail": "Method Not Allowed"} and "POST" in wrong.headers["Allow"]
    for number in ("abc", "1.5"):
        (entry,) = entries(tps.get(f"/transactions/{number}"))
        assert (entry["type"], entry["loc"], entry["input"]) == ("int_parsing", ["path", "txn_id"], number)
        assert entry["msg"] == MESSAGES["int_parsing"]


@pytest.mark.rows("ALL-06")
def test_dates_are_refused_with_their_cause(nostro):
    client = nostro("--profile", "b2b").client()
    told = entries(client.post("/payments/time-range", {"start_date": "2024/01/01", "end_date": "2024-02-30"}))
    causes = ["invalid date separator, expected `-`", "day value is outside expected range"]
    assert [entry["ctx"]["error"] for entry in told] == causes
    for entry, cause, field in zip(told, causes, ("start_date", "end_date"), strict=True):
        assert entry["type"] == "date_from_datetime_parsing" and entry["loc"] == ["body", field]
        assert entry["msg"] == f"Input should be a valid date or datetime, {cause}"


@pytest.mark.rows("ALL-07", "G-04")
@pytest.mark.parametrize("amount, type", [
    ("12.5", None), ("0.01", None), ("1e3", "float_parsing"), ("1_000", "float_parsing"), ("NaN", "float_parsing"),
    ("inf", "float_parsing"), ("", "float_parsing"), (" 1", "float_parsing"), (True, "float_type"), (False, "float_type"),
])  # fmt: skip
def test_amounts_may_be_plain_decimal_texts(tps, amount, type):
    answer = post(tps, {**GOOD, "amount": amount})
    if type is None:
        assert answer.status == 200 and answer.json["amount"] == float(amount), answer
    else:
        assert [entry["type"] for entry in entries(answer)] == [type]


@pytest.mark.rows("ALL-08", "G-04")
@pytest.mark.parametrize("change, type", [
    ({"amount": 0}, "money_not_positive"), ({"amount": -0.01}, "money_not_positive"),
    ({"amount": 0.001}, "money_too_many_decimals"), ({"amount": 0.5, "currency": "JPY"}, "money_too_many_decimals"),
    ({"amount": 1e300}, "money_overflow"), ({"amount": 10**30}, "money_overflow"),
    ({"currency": "EURO"}, "currency_unknown"), ({"currency": ""}, "currency_unknown"), ({"user_id": ""}, "string_empty"),
])  # fmt: skip
def test_own_refusals_have_the_same_shape(tps, change, type):
    (entry,) = entries(post(tps, {**GOOD, **change}))
    assert entry["type"] == type and entry["msg"]
    field = "user_id" if type == "string_empty" else "currency" if type == "currency_unknown" else "amount"
    assert entry["loc"] == ["body", field] and entry["input"] == change[field]


@pytest.mark.rows("ALL-09")
def test_metrics_are_prometheus_text(tps):
    answer = tps.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.body.decode()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    samples = set(re.findall(r"^([a-z][a-z0-9_]*)(?:\{.*\})? \S+$", text, re.M))
    assert {"counter", "gauge", "histogram"} == set(types.values())
    for name, type in types.items():
        if type == "counter":
            assert name.endswith("_total") and name in samples
        if type == "histogram":
            assert {f"{name}_bucket", f"{name}_sum", f"{name}_count"} <= samples
            assert re.search(rf'^{name}_bucket\{{.*le="\+Inf"\}} \d+$', text, re.M)


@pytest.mark.rows("G-06")
def test_labels_of_metrics_are_bounded(tps):
    for number in range(20):
        tps.get(f"/nowhere/{number}")
        tps.get(f"/transactions/{1_000_000 + number}")
        post(tps, {**GOOD, "user_id": f"guest-{number}"})
    text = tps.get("/metrics").body.decode()
    assert "nowhere/" not in text and "1000001" not in text and "guest-1" not in text


def without_doubles(pairs):
    members = dict(pairs)
    assert len(members) == len(pairs), sorted(name for name, _ in pairs)
    return members


def test_no_document_names_anything_twice(nostro, names):
    client = nostro(*(argument for name in names for argument in ("--profile", name))).client()
    for path in ["/openapi.json", *(f"/openapi/{name}.json" for name in ("tps", "logging", "b2b"))]:
        document = json.loads(client.get(path).body, object_pairs_hook=without_doubles)
        ids = [each["operationId"] for methods in document["paths"].values()
               for each in methods.values() if isinstance(each, dict) and "operationId" in each]  # fmt: skip
        assert ids and len(ids) == len(set(ids)), (path, sorted(each for each in ids if ids.count(each) > 1))
        named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
        assert named <= set(document["components"]["schemas"]), path
