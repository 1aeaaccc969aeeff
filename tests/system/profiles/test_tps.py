"""The transaction processing system's promises that need no other server."""

import base64
import hashlib
import hmac
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from client import Raw, unique
from program import Program, run

README = {"user_id": "user_11", "amount": 12.75, "currency": "USD"}
MEMBERS = ["user_id", "amount", "currency", "id", "status", "created_at"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(?!000000)\d{6})?")


@pytest.fixture
def tps(nostro):
    program = nostro("--profile", "tps")
    assert program.url, program.stderr
    return program


@pytest.fixture(scope="module")
def common(tmp_path_factory):
    """One program for tests that do not mind the transactions of others."""
    program = Program(tmp_path_factory.mktemp("tps") / "data", "--profile", "tps")
    assert program.url, program.stderr
    yield program
    program.stop()


@pytest.fixture
def api(common):
    client = common.client()
    yield client
    client.close()
    common.clients.remove(client)


def body(amount=10, user="ann", currency="USD"):
    return {"user_id": user, "amount": amount, "currency": currency}


def taken(answer):
    """A transaction as it is answered, with its amount as it stands there."""
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json", answer
    shown = json.loads(answer.body, parse_float=Decimal)
    assert list(shown) == MEMBERS, answer
    assert isinstance(shown["id"], int) and shown["id"] > 0 and TIME.fullmatch(shown["created_at"]), answer
    return shown


def posted(client, *arguments, key=None, **fields):
    shown = taken(client.post("/transactions", body(*arguments, **fields), key=key))
    assert shown["status"] == "pending"
    return shown


def faults(answer):
    assert answer.status == 422 and answer.headers["Content-Type"] == "application/json", answer
    for fault in answer.json["detail"]:
        assert {"type", "loc", "msg", "input"} <= fault.keys() <= {"type", "loc", "msg", "input", "ctx"}, answer
    return [(fault["type"], fault["loc"]) for fault in answer.json["detail"]]


# --- what the README does ---


@pytest.mark.rows("TPS-06", "TPS-28", "TPS-W01")
def test_the_requests_of_the_readme_on_an_empty_store(tps):
    with Raw(tps.port) as raw:
        text = '{"user_id": "user_11", "amount": 12.75, "currency": "USD"}'
        raw.send(f"POST /transactions HTTP/1.1\r\nHost: localhost:8000\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
                 f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())  # fmt: skip
        first = taken(raw.answer())
    assert (first["id"], first["user_id"], first["amount"], first["currency"]) == (1, "user_11", Decimal("12.75"), "USD")
    read = taken(tps.client().get("/transactions/1"))
    assert read == {**first, "status": "completed"}
    metrics = tps.client().get("/metrics")
    assert metrics.status == 200 and metrics.body.startswith(b"# HELP")


@pytest.mark.rows("TPS-01", "TPS-02", "TPS-03", "TPS-04", "ALL-05")
def test_a_transaction_is_taken_and_answered_in_the_shape_that_clients_know(api):
    first = posted(api, 12.75, "user_11")
    odd = api.post("/transactions", '{ "extra": [1,{"a":null}], "currency":"EUR",\n "user_id":"\\u0061nn\\u00e9" , "amount":1.50}')
    second = taken(odd)
    assert (second["user_id"], second["currency"], second["amount"]) == ("anné", "EUR", Decimal("1.5"))
    assert "anné".encode() in odd.body and b" " not in odd.body
    assert second["id"] == first["id"] + 1
    assert abs(time.time() - time.mktime(time.strptime(first["created_at"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 60


@pytest.mark.rows("TPS-05", "ALL-07", "G-04")
@pytest.mark.parametrize("amount, shown", [
    ("12.75", "12.75"), ("12", "12.0"), ("12.50", "12.5"), ("1e3", "1000.0"), ('"12.5"', "12.5"), ("0.01", "0.01"),
    ("4503599627370497.51", "4503599627370497.51"), ("9999999999999999.99", "9999999999999999.99"),
])  # fmt: skip
def test_amounts_come_back_to_the_last_digit(api, amount, shown):
    answer = api.post("/transactions", f'{{"user_id":"{unique()}","amount":{amount},"currency":"USD"}}')
    assert f'"amount":{shown},'.encode() in answer.body, answer
    assert f'"amount":{shown},'.encode() in api.get(f"/transactions/{answer.json['id']}").body


@pytest.mark.rows("TPS-07", "TPS-18", "G-09")
def test_a_transaction_is_found_at_once_and_is_completed(api):
    for _ in range(50):
        first = posted(api)
        assert taken(api.get(f"/transactions/{first['id']}")) == {**first, "status": "completed"}
    assert taken(api.get(f"/transactions/{first['id']}.0"))["id"] == first["id"]
    for unknown in ("0", "-1", "999999", "9223372036854775807", "99999999999999999999999"):
        answer = api.get(f"/transactions/{unknown}")
        assert (answer.status, answer.body) == (404, b'{"detail":"Transaction not found"}')
    for wrong in ("abc", "1.5", "1e3"):
        answer = api.get(f"/transactions/{wrong}")
        assert faults(answer) == [("int_parsing", ["path", "txn_id"])]
        assert answer.json["detail"][0]["input"] == wrong


@pytest.mark.rows("TPS-18", "TPS-W08")
def test_what_cannot_be_booked_has_failed(tps):
    """The tenth takes the clearing account beyond 64 bits."""
    client = tps.client()
    for _ in range(10):
        client.post("/transactions", '{"user_id":"whale","amount":9999999999999999.99,"currency":"USD"}')
    states = [taken(client.get(f"/transactions/{number}"))["status"] for number in range(1, 11)]
    assert states == ["completed"] * 9 + ["failed"]


@pytest.mark.rows("TPS-14", "ALL-04", "ALL-06")
def test_pages_redirects_and_refusals_are_the_originals(api):
    document = api.get("/openapi.json").json
    assert (document["info"]["title"], document["info"]["version"]) == ("Transaction Processing System", "0.1.0")
    assert {"/transactions", "/transactions/{txn_id}"} <= document["paths"].keys()
    for page in ("/docs", "/redoc"):
        assert api.get(page).status == 200
    slash = api.post("/transactions/", README)
    assert slash.status == 307 and slash.headers["Location"].endswith("/transactions")
    missing = api.get("/nothing")
    assert (missing.status, missing.body) == (404, b'{"detail":"Not Found"}')
    wrong = api.request("DELETE", "/transactions")
    assert (wrong.status, wrong.body) == (405, b'{"detail":"Method Not Allowed"}')
    assert "POST" in wrong.headers["Allow"]


# --- what the original lets in ---


@pytest.mark.rows("TPS-W04", "ALL-06", "ALL-07", "ALL-08", "G-04")
@pytest.mark.parametrize("text, kind, field", [
    ('{"user_id":"a","amount":NaN,"currency":"USD"}', "json_invalid", 24),
    ('{"user_id":"a","amount":Infinity,"currency":"USD"}', "json_invalid", 24),
    ('{"user_id":"a","amount":"NaN","currency":"USD"}', "float_parsing", "amount"),
    ('{"user_id":"a","amount":"inf","currency":"USD"}', "float_parsing", "amount"),
    ('{"user_id":"a","amount":"1_000","currency":"USD"}', "float_parsing", "amount"),
    ('{"user_id":"a","amount":true,"currency":"USD"}', "float_type", "amount"),
    ('{"user_id":"a","amount":null,"currency":"USD"}', "float_type", "amount"),
    ('{"user_id":"a","amount":0,"currency":"USD"}', "money_not_positive", "amount"),
    ('{"user_id":"a","amount":-0.01,"currency":"USD"}', "money_not_positive", "amount"),
    ('{"user_id":"a","amount":1e300,"currency":"USD"}', "money_overflow", "amount"),
    ('{"user_id":"a","amount":0.001,"currency":"USD"}', "money_too_many_decimals", "amount"),
    ('{"user_id":"a","amount":1.5,"currency":"JPY"}', "money_too_many_decimals", "amount"),
    ('{"user_id":"","amount":1,"currency":"USD"}', "string_empty", "user_id"),
    ('{"user_id":1,"amount":1,"currency":"USD"}', "string_type", "user_id"),
    ('{"user_id":"a","amount":1,"currency":"dollars"}', "currency_unknown", "currency"),
    ('{"user_id":"a","amount":1}', "missing", "currency"),
    ('[]', "model_attributes_type", None),
])  # fmt: skip
def test_bad_input_is_refused_and_leaves_nothing(api, text, kind, field):
    before = posted(api)["id"]
    assert faults(api.post("/transactions", text)) == [(kind, ["body"] + ([] if field is None else [field]))]
    assert posted(api)["id"] == before + 1


@pytest.mark.rows("ALL-06")
def test_each_fault_has_an_entry_in_the_order_of_the_fields(api):
    answer = api.post("/transactions", '{"currency":"no","amount":"x","user_id":7}')
    assert [loc[1] for _, loc in faults(answer)] == ["user_id", "amount", "currency"]
    assert faults(api.request("POST", "/transactions")) == [("missing", ["body"])]
    assert faults(api.post("/transactions", "a=b", form="text/plain")) == [("model_attributes_type", ["body"])]


@pytest.mark.rows("TPS-W05", "G-01")
def test_a_retry_with_its_key_is_the_same_transaction(api):
    key = unique()
    first = posted(api, 5, "retry", key=key)
    assert posted(api, 5.00, "retry", key=key) == first
    other = api.post("/transactions", body(6, "retry"), key=key)
    assert other.status == 422 and isinstance(other.json["detail"], str), other
    assert posted(api, 5, "retry")["id"] == first["id"] + 1, "nothing was taken in between"
    bad = api.post("/transactions", body(), key="a b")
    assert bad.status == 422 and "Idempotency-Key" in bad.json["detail"], bad


# --- metrics ---


def series(client, name):
    """Of one metric: its labels and value."""
    found = []
    for line in client.get("/metrics").body.decode().splitlines():
        if match := re.fullmatch(re.escape(name) + r"\{(.*)\} (\S+)", line):
            found.append((dict(re.findall(r'(\w+)="([^"]*)"', match[1])), float(match[2])))
    return found


@pytest.mark.rows("TPS-10", "TPS-11", "TPS-12", "TPS-W03", "TPS-W08", "ALL-09", "G-06")
def test_every_answer_is_counted_under_its_template(tps):
    client = tps.client()
    for _ in range(3):
        posted(client)
    for number in (1, 2, 77):
        client.get(f"/transactions/{number}")
    client.get("/transactions/abc")
    client.post("/transactions", {})
    client.request("DELETE", "/transactions")
    client.get("/nothing/7")
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    counts = {(labels["method"], labels["endpoint"], labels["http_status"]): value
              for labels, value in series(client, "http_requests_total")}  # fmt: skip
    assert counts.items() >= {
        ("POST", "/transactions", "200"): 3, ("POST", "/transactions", "422"): 1, ("DELETE", "/transactions", "405"): 1,
        ("GET", "/transactions/{txn_id}", "200"): 2, ("GET", "/transactions/{txn_id}", "404"): 1,
        ("GET", "/transactions/{txn_id}", "422"): 1,
    }.items()  # fmt: skip
    assert not any("7" in endpoint or "nothing" in endpoint for _, endpoint, _ in counts), "no raw path is a label"
    buckets = {labels["le"]: value for labels, value in series(client, "http_request_duration_seconds_bucket")
               if (labels["method"], labels["endpoint"]) == ("POST", "/transactions")}  # fmt: skip
    bounds = [".005", ".01", ".025", ".05", ".075", ".1", ".25", ".5", ".75", "1", "2.5", "5", "7.5", "10"]
    assert [float(le) for le in buckets] == [float(bound) for bound in bounds] + [float("inf")]
    assert buckets["+Inf"] == 4
    for part in ("_sum", "_count"):
        assert series(client, "http_request_duration_seconds" + part)


@pytest.mark.rows("TPS-W03")
def test_probes_find_what_they_ask_for(api):
    health = api.get("/health")
    assert health.status == 200 and health.json["status"] == "healthy"
    assert api.get("/readiness").status == 200


# --- tokens ---

SECRET = b"a secret that has forty bytes, more or less"


def token(claims, secret=SECRET, algorithm="HS256"):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    head = part(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()) + b"." + part(json.dumps(claims).encode())
    return (head + b"." + part(hmac.digest(secret, head, hashlib.sha256))).decode()


@pytest.mark.rows("TPS-19", "TPS-W10")
def test_tokens_are_asked_for_where_a_secret_is_configured(nostro, tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(SECRET + b"\n")
    program = nostro("--profile", "tps", env={"TPS_JWT_SECRET_FILE": str(path)})
    assert program.url, program.stderr
    client = program.client()

    def asked(authorization):
        head = {} if authorization is None else {"Authorization": authorization}
        answers = [client.post("/transactions", README, headers=head), client.get("/transactions/1", headers=head)]
        assert len({(each.status, each.json["detail"] if each.status != 200 else "") for each in answers}) == 1, answers
        return answers[0]

    now = int(time.time())
    assert asked(f"Bearer {token({'sub': 'ann', 'exp': now + 600})}").status == 200
    expired = asked(f"Bearer {token({'exp': now - 1})}")
    assert (expired.status, expired.body) == (401, b'{"detail":"Token expired"}')
    good = token({"exp": now + 600})
    for bad in (token({}, b"x" * 40), token({}, algorithm="none"), good[:-2], good + "x", "nonsense"):
        answer = asked(f"Bearer {bad}")
        assert (answer.status, answer.body) == (401, b'{"detail":"Invalid token"}'), bad
    assert asked(None).status == 401 and asked(None).headers["WWW-Authenticate"] == "Bearer"
    assert SECRET.decode() not in client.get("/v1/policies").body.decode()


def test_a_short_secret_stops_the_start(nostro, tmp_path):
    path = tmp_path / "secret"
    path.write_text("secret")
    program = nostro("--profile", "tps", env={"TPS_JWT_SECRET_FILE": str(path)})
    assert program.url is None and program.code == 2
    assert "jwt_secret_file" in program.stderr and "32 or more" in program.stderr


# --- many, and the worst ---


@pytest.mark.rows("TPS-W02", "G-07")
@pytest.mark.parametrize("connections", [64, 256, 1024])
def test_many_connections_are_all_answered(common, api, connections):
    before = posted(api)["id"]
    done = run("bench", "--plain", f"{common.url}/transactions", "--body",
               '{"user_id":"user_##","amount":1#.##,"currency":"USD"}', "--load", "concurrent",
               "--connections", connections, "--payments", 4096, "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    load = json.loads(done.stdout)["loads"][0]
    assert (load["connections"], load["payments"], load["refused_requests"]) == (connections, 4096, 0), load
    with ThreadPoolExecutor(16) as pool:
        def look(numbers):
            client = common.client()
            states = [taken(client.get(f"/transactions/{number}"))["status"] for number in numbers]
            client.close()
            common.clients.remove(client)
            return states

        numbers = [before + 1 + at for at in range(4096)]
        for states in pool.map(look, [numbers[at::16][:25] for at in range(16)]):
            assert set(states) == {"completed"}
    assert posted(api)["id"] == before + 4097


@pytest.mark.rows("G-02", "G-03", "G-09")
def test_a_kill_loses_nothing_that_was_answered(nostro):
    program = nostro("--profile", "tps")
    client = program.client()
    shown = {key: posted(client, number + 1, key=key) for number, key in enumerate(unique() for _ in range(40))}
    program.kill()
    again = nostro("--profile", "tps", data=program.data)
    client = again.client()
    for number, (key, first) in enumerate(shown.items()):
        assert taken(client.get(f"/transactions/{first['id']}")) == {**first, "status": "completed"}
        assert posted(client, number + 1, key=key) == first
    assert posted(client)["id"] == 41
    totals = client.get("/v1/ledger/trial-balance").json
    assert totals["balanced"], totals
    again.stop()
    proved = run("verify", "--data", program.data)
    assert proved.returncode == 0, proved.stderr


@pytest.mark.rows("G-01", "G-05")
def test_bodies_in_a_file_are_fed_once_and_bad_ones_are_kept(tps, tmp_path):
    path = tmp_path / "transactions.ndjson"
    lines = [json.dumps(body(number + 1)) for number in range(5)] + ["nonsense", json.dumps(body(0))]
    path.write_text("\n".join(lines + [json.dumps(body(9))]))
    for replayed in (0, 8):
        fed = run("feed", "tps", path, "--url", tps.url, "--json", cwd="/")
        told = json.loads(fed.stdout)
        assert (told["messages"], told["replayed"], told["dead_letters"]) == (8, replayed, 2), told
        assert told["payments"] == {"settled": 6}
    assert taken(tps.client().get("/transactions/6"))["amount"] == 9
    assert tps.client().get("/transactions/7").status == 404
    letters = tps.client().get("/v1/dead-letters").json["data"]
    assert {letter["why"] for letter in letters} == {"body: JSON decode error", "amount: Amount should be greater than 0"}
