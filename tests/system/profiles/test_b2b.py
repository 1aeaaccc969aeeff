"""The promises of the business payments' system that need no other server."""

import json
import shutil
import urllib.request

import pytest
from client import unique
from program import ROOT, run

README_KEY = "{timestamp}_{payment_type}_{originator_id}"
ANSWER = ["payment_id", "payment_type", "amount", "currency", "status", "originator_id", "originator_name",
          "beneficiary_id", "beneficiary_name", "created_at"]  # fmt: skip


@pytest.fixture
def b2b(nostro):
    program = nostro("--profile", "b2b")
    assert program.url, program.stderr
    return program


def document(amount=100.0, *, payment_id=None, payment_type="ACH", originator="CUST1", beneficiary="CUST2",
             created_at="2026-01-05T10:11:12.123456", currency="USD"):  # fmt: skip
    """As the original's generator makes them, faults and all."""
    parties = {}
    for side, party in (("originator", originator), ("beneficiary", beneficiary)):
        parties[side] = {
            "party_type": "CORPORATE", "party_id": party, "name": f"{party} Söhne",
            "account_info": {"account_id": "ACC1234567890", "routing_info": {"type": "ABA", "value": "123456789"}},
        }  # fmt: skip
    return {
        "payment_id": payment_id or unique(payment_type), "payment_type": payment_type, "version": "1.0",
        "created_at": created_at, "updated_at": created_at, "status": "FAILED",
        "amount": {"value": amount, "currency": currency, "exchange_info": None}, **parties,
        "references": {"end_to_end_id": "E2E00000000"}, "type_specific_data": {"sec_code": "CTX", "addenda": []},
        "sec_code": "CCD",
    }  # fmt: skip


def send(program, *messages, **query):
    body = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in messages)
    answer = program.client().request("POST", "/v1/profiles/b2b/messages", body, form="application/x-ndjson", **query)
    assert answer.status in (202, 422), answer
    return answer.json


def query(program, path, **body):
    return program.client().post(f"/payments/{path}", body)


def found(program, path, **body):
    answer = query(program, path, **body)
    assert answer.status == 200, answer
    return answer.json


def of_day(program, first="2026-01-05", last=None):
    return found(program, "time-range", start_date=first, end_date=last or first)


def ids(payments):
    return [each["payment_id"] for each in payments]


def trial_balance(program):
    """currency -> kind -> what is posted."""
    totals = program.client().get("/v1/ledger/trial-balance").json["currencies"]
    return {each["currency"]: {row["kind"]: row["posted"] for row in each["kinds"]} for each in totals}


@pytest.mark.rows("B2B-25", "B2B-34", "B2B-W05", "B2B-W07", "B2B-W08", "ALL-05")
def test_a_document_of_the_original_is_taken_as_it_is(b2b):
    spaced = json.dumps(document(900898.06, payment_id="A1"), indent=1).replace("\n", " ")
    sepa = document(0.1, payment_id="S1", payment_type="SEPA_CREDIT_TRANSFER", currency="EUR")
    told = send(b2b, spaced, sepa, document(5, payment_id="N1", payment_type="WIRE") | {"beneficiary": None})
    assert told["payments"] == {"settled": 3}
    payments = {each["payment_id"]: each for each in of_day(b2b)}
    assert payments["A1"] == {
        "payment_id": "A1", "payment_type": "ACH", "amount": "900898.06", "currency": "USD", "status": "COMPLETED",
        "originator_id": "CUST1", "originator_name": "CUST1 Söhne", "beneficiary_id": "CUST2",
        "beneficiary_name": "CUST2 Söhne", "created_at": "2026-01-05T10:11:12.123456",
    }  # fmt: skip
    assert all(list(each) == ANSWER and set(map(type, each.values())) == {str} for each in payments.values())
    assert payments["S1"]["amount"] == "0.10", "exact, and of no float"
    assert payments["N1"]["beneficiary_id"] == ""
    # Without a beneficiary the money waits in an account of the house.
    assert trial_balance(b2b) == {"EUR": {"customer": "0.00"}, "USD": {"customer": "-5.00", "house": "5.00"}}


@pytest.mark.rows("B2B-22", "B2B-25", "B2B-W03", "B2B-W09", "G-04", "G-05", "ALL-05")
def test_what_does_not_fit_is_named_and_the_stream_goes_on(b2b):
    faults = {
        "payment_id": {"payment_id": ""}, "payment_type": {"payment_type": None}, "created_at": {"created_at": "yesterday"},
        "amount.currency": {"amount": {"value": 5, "currency": ""}}, "amount.value: is missing": {"amount": {"currency": "USD"}},
        "amount.value: 0 is not positive": {"amount": {"value": 0, "currency": "USD"}},
        "amount.value: -5 is not positive": {"amount": {"value": -5, "currency": "USD"}},
        "amount.value: is no number": {"amount": {"value": "5", "currency": "USD"}},
        "originator.party_id": {"originator": {"name": "x"}}, "originator.name": {"originator": {"party_id": "x"}},
    }  # fmt: skip
    bad = [document() | fault for fault in faults.values()]
    told = send(b2b, document(), *bad, "nonsense", json.dumps(document()).replace("100.0", "NaN"), document())
    assert (told["payments"], told["dead_letters"]) == ({"settled": 2}, len(bad) + 2)
    letters = b2b.client().pages("/v1/dead-letters")
    why = [letter["why"] for letter in letters]
    for text in faults:
        assert any(each.startswith(text) for each in why), (text, why)
    assert sum("no JSON" in each for each in why) == 2


@pytest.mark.rows("B2B-48", "G-01", "G-03")
def test_the_same_payment_three_times_is_one_record(b2b):
    each = document(7, payment_id="again") | {"beneficiary": None}
    told = send(b2b, each, each, each, document(1))
    assert (told["replayed"], told["payments"]) == (2, {"settled": 4})
    assert send(b2b, each)["replayed"] == 1
    assert ids(of_day(b2b)).count("again") == 1
    assert trial_balance(b2b) == {"USD": {"customer": "-7.00", "house": "7.00"}}


@pytest.mark.rows("B2B-W02")
def test_a_hundred_payments_of_one_second_are_a_hundred_records(b2b, tmp_path):
    send(b2b, *(document(number + 1, payment_id=f"P{number:03}") for number in range(100)))
    assert ids(of_day(b2b)) == [f"P{number:03}" for number in range(100)]
    assert len(found(b2b, "type-customer", payment_type="ACH", customer_id="CUST1")) == 100
    # The published key collides, and whoever asks for it is told.
    file = (ROOT / "src/nostro/profiles/b2b.toml").read_text()
    (tmp_path / "b2b.toml").write_text(file.replace(README_KEY + "_{payment_id}", README_KEY))
    serves = ["--set", "profiles.serve=b2b"]
    told = run("config", "check", *serves, "--set", f"profiles.folder={tmp_path}")
    assert told.returncode == 0 and "row_key" in told.stdout and "collides" in told.stdout, told
    assert "collides" not in run("config", "check", *serves).stdout


@pytest.fixture
def some(b2b):
    """Payments of three days, two types, three parties."""
    rows = [("2026-01-05T23:59:59.999999", "ACH", "CUST1"), ("2026-01-06T00:00:00", "WIRE", "CUST1"),
            ("2026-01-06T12:00:00+02:00", "ACH", "CUST2"), ("2026-01-06T12:00:00", "ACH", "CUST1"),
            ("2026-01-07T00:00:00", "ACH", "CUST1"), ("2026-01-06T00:30:00+01:00", "ACH", "CUST10")]  # fmt: skip
    send(b2b, *(document(payment_id=f"R{number}", payment_type=kind, originator=who, beneficiary="X", created_at=at)
                for number, (at, kind, who) in enumerate(rows)))  # fmt: skip
    return b2b


@pytest.mark.rows("B2B-35", "B2B-36", "B2B-37", "B2B-W04", "B2B-W05")
def test_queries_answer_in_the_order_of_row_keys(some):
    assert ids(of_day(some, "2026-01-05")) == ["R5", "R0"], "00:30 at +01:00 is the day before"
    assert ids(of_day(some, "2026-01-05", "2026-01-06")) == ["R5", "R0", "R1", "R2", "R3"]
    assert ids(of_day(some, "2026-01-06", "2026-01-07")) == ["R1", "R2", "R3", "R4"]
    who = {"payment_type": "ACH", "customer_id": "CUST1"}
    assert ids(found(some, "type-customer", **who)) == ["R0", "R3", "R4"], "CUST10 is somebody else"
    days = {"start_date": "2026-01-06", "end_date": "2026-01-06"}
    assert ids(found(some, "date-type-customer", **days, **who)) == ["R3"]
    assert found(some, "type-customer", payment_type="ACH", customer_id="X") == [], "customers are originators"


@pytest.mark.rows("B2B-38", "B2B-W04", "ALL-06", "ALL-08")
def test_no_hit_is_empty_and_what_does_not_fit_is_422(some):
    for customer in ("nobody", "x' OR 'a'='a", 'x" OR "a"="a', "x\\'", "CUST1%", "CUST_"):
        assert found(some, "type-customer", payment_type="ACH", customer_id=customer) == []
    assert of_day(some, "1999-01-01", "2001-01-01") == of_day(some, "9999-12-31") == []
    good = {"start_date": "2026-01-06", "end_date": "2026-01-06", "payment_type": "ACH", "customer_id": "CUST1"}
    for change, fault, field in (
        ({"end_date": "2026-01-05"}, "date_before_start", "end_date"),
        ({"payment_type": ""}, "string_empty", "payment_type"),
        ({"customer_id": ""}, "string_empty", "customer_id"),
        ({"customer_id": 7}, "string_type", "customer_id"),
        ({"start_date": None}, "missing", "start_date"),
        ({"start_date": "2024-02-30"}, "date_from_datetime_parsing", "start_date"),
    ):
        body = {name: value for name, value in (good | change).items() if value is not None}
        answer = query(some, "date-type-customer", **body)
        assert answer.status == 422, answer
        assert [(each["type"], each["loc"]) for each in answer.json["detail"]] == [(fault, ["body", field])]
    both = query(some, "time-range")
    assert [each["loc"] for each in both.json["detail"]] == [["body", "start_date"], ["body", "end_date"]]
    assert some.client().get("/payments/time-range").status == 405


@pytest.mark.rows("B2B-38")
def test_without_its_store_a_query_is_503(nostro):
    program = nostro("--profile", "b2b", sets={"index.enabled": "false"})
    assert send(program, document())["payments"] == {"settled": 1}, "money goes on"
    answer = query(program, "time-range", start_date="2026-01-05", end_date="2026-01-05")
    assert (answer.status, answer.json) == (503, {"detail": "Database connection error"})


@pytest.mark.rows("B2B-39")
def test_dates_are_days_midnights_or_unix_seconds(some):
    for start in ("2026-01-06", "2026-01-06T00:00:00", "2026-01-06T00:00:00Z", 1767657600, "1767657600"):
        answer = query(some, "time-range", start_date=start, end_date="2026-01-06")
        assert ids(answer.json) == ["R1", "R2", "R3"], (start, answer)
    for start in ("2026-01-06T00:00:01", 1767657601):
        answer = query(some, "time-range", start_date=start, end_date="2026-01-06")
        assert answer.json["detail"][0]["type"] == "date_from_datetime_inexact", answer
    for start in ("2026/01/06", "2026-1-6", "soon"):
        answer = query(some, "time-range", start_date=start, end_date="2026-01-06")
        assert answer.json["detail"][0]["type"] == "date_from_datetime_parsing", answer


@pytest.mark.rows("B2B-35", "B2B-W06")
def test_long_answers_come_in_parts_and_whole(b2b):
    amounts = [number + 1 for number in range(2000)]
    alike = {"originator": "O" * 40, "created_at": "2026-01-06T01:02:03"}
    send(b2b, *(document(each, payment_id=f"L{each:05}") for each in reversed(amounts)))
    send(b2b, *(document(each, payment_id=f"L{each:05}", **alike) for each in range(2300, 2000, -1)))
    answer = query(b2b, "time-range", start_date="2026-01-05", end_date="2026-01-05")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert ids(answer.json) == [f"L{each:05}" for each in amounts]
    assert ids(of_day(b2b, "2026-01-06")) == [f"L{each:05}" for each in range(2001, 2301)], "alike in the index"
    assert b2b.client().get("/v1/accounts", limit=1).json["as_of"]["seq"] < 100, "one write serves many"


@pytest.mark.rows("B2B-33", "B2B-40")
def test_health_and_the_page_are_the_originals(nostro):
    program = nostro("--profile", "b2b", sets={"server.cors_origin": "*"})
    client = program.client()
    assert client.get("/health").json == {"status": "healthy"}
    info = client.get("/openapi.json").json["info"]
    assert (info["title"], info["version"]) == ("Payment Transaction API", "1.0.0")
    assert client.get("/docs").status == 200
    day = {"start_date": "2026-01-05", "end_date": "2026-01-05"}
    answer = client.post("/payments/time-range", day, headers={"Origin": "https://shop.example"})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")


@pytest.mark.rows("B2B-W01", "B2B-W10", "B2B-23", "B2B-W06", "G-10")
def test_each_step_of_the_readme_is_one_command(b2b, tmp_path):
    assert run("generate", "b2b", cwd=tmp_path).returncode == 0
    file = "data/generated_transactions/transactions.json"
    for replayed in (0, 90):
        fed = run("feed", "b2b", file, "--url", b2b.url, cwd=tmp_path)
        assert fed.returncode == 0 and "90 messages to b2b" in fed.stdout, fed
        assert ("taken before" in fed.stdout) == (replayed == 90)
    made = json.loads((tmp_path / file).read_text())["transactions"]
    first = made[0]
    body = {"payment_type": first["payment_type"], "customer_id": first["originator"]["party_id"]}
    request = urllib.request.Request(f"{b2b.url}/payments/type-customer", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})  # fmt: skip
    with urllib.request.urlopen(request) as answer:
        assert first["payment_id"] in ids(json.load(answer))
    assert len(of_day(b2b, first["created_at"][:10])) == 90
    slowly = run("feed", "b2b", file, "--url", b2b.url, "--pause", "1ms", "--count", "10", "--json", cwd=tmp_path)
    assert json.loads(slowly.stdout)["replayed"] == 10
    missing = run("feed", "b2b", "nothing.json", "--url", b2b.url, cwd=tmp_path)
    assert missing.returncode == 1 and "nothing.json" in missing.stderr
    (tmp_path / "other.json").write_text(json.dumps({"payments": made}, indent=1))
    other = run("feed", "b2b", "other.json", "--url", b2b.url, cwd=tmp_path)
    assert other.returncode == 1 and '"transactions"' in other.stderr


@pytest.mark.rows("B2B-W03", "G-02", "G-09")
def test_a_kill_loses_nothing_and_books_nothing_twice(nostro):
    program = nostro("--profile", "b2b")
    messages = [document(number + 1, payment_id=f"K{number:02}") | {"beneficiary": {}} for number in range(50)]
    send(program, *messages)
    program.kill()
    again = nostro("--profile", "b2b", data=program.data)
    assert ids(of_day(again)) == [f"K{number:02}" for number in range(50)]
    assert send(again, *messages)["replayed"] == 50
    assert trial_balance(again)["USD"]["house"] == "1275.00"
    again.stop()
    proved = run("verify", "--data", program.data)
    assert proved.returncode == 0, proved.stderr


@pytest.mark.rows("B2B-46")
def test_a_backup_comes_back_and_a_cleared_folder_is_an_empty_system(nostro, tmp_path):
    program = nostro("--profile", "b2b")
    send(program, document(payment_id="kept"))
    program.stop()  # a copy of a running one may be some milliseconds behind
    copied = run("backup", program.data, tmp_path / "copy")
    assert copied.returncode == 0, copied.stderr
    shutil.rmtree(program.data)
    empty = nostro("--profile", "b2b", data=program.data)
    assert of_day(empty) == []
    assert send(empty, document())["payments"] == {"settled": 1}
    empty.stop()
    restored = run("restore", tmp_path / "copy", tmp_path / "restored")
    assert restored.returncode == 0, restored.stderr
    back = nostro("--profile", "b2b", data=tmp_path / "restored")
    assert ids(of_day(back)) == ["kept"]


@pytest.mark.rows("B2B-W03", "G-02")
def test_a_folder_whose_first_segment_is_folded_starts_again(nostro):
    program = nostro("--profile", "b2b", "--profile", "tps", "--profile", "logging")
    images = program.data / "image"
    for seed in range(1, 20):  # 16 MiB a segment
        made = run("generate", "b2b", "--count", 4000, "--seed", seed, "--to", "http", "--url", program.url)
        assert made.returncode == 0, made.stderr
        if any(images.glob("*.image")):
            break
    program.stop()
    assert any(images.glob("*.image")), "no segment was folded, so nothing is shown"
    again = nostro("--profile", "b2b", "--profile", "tps", "--profile", "logging", data=program.data)
    assert again.url, again.stderr
    assert len(of_day(again, "2026-01-01")) > 4000
    assert send(again, document())["payments"] == {"settled": 1}
    again.stop()
    proved = run("verify", "--data", program.data)
    assert proved.returncode == 0, proved.stderr
