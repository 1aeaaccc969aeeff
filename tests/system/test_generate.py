"""Generators: files, standard output, a service, seeds, the counts at the end, Ctrl-C, what is refused."""

import http.server
import json
import re
import signal
import subprocess
import threading
from collections import Counter
from decimal import Decimal

import pytest
from program import BINARY, PATIENCE_S, environment, run

KINDS = ["upi", "b2b", "clearing"]
B2B_TYPES = ["ACH", "WIRE", "CHECK", "RTP", "SEPA_CREDIT_TRANSFER", "CARD_PAYMENT", "DIRECT_DEBIT", "STANDING_ORDER", "P2P"]  # fmt: skip
UPI_MEMBERS = ["tx_id", "payer_id", "payee_id", "amount", "currency", "created_at"]
ROW_MEMBERS = ["transaction_id", "amount", "from_account", "to_account", "transaction_type", "description"]


def generate(*arguments, code=0, **rest):
    done = run("generate", *arguments, **rest)
    assert done.returncode == code, done
    return done


def lines(text):
    return [json.loads(line, parse_float=Decimal) for line in text.splitlines()]


def documents(path):
    whole = json.loads(path.read_text(), parse_float=Decimal)
    assert list(whole) == ["transactions"]
    return whole["transactions"]


def amount_of(document):
    amount = document["amount"]
    return Decimal(amount["value"] if isinstance(amount, dict) else amount)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_and_its_options_are_the_bytes(kind, tmp_path):
    arguments = [kind, "--count", 500, "--to"]
    for name, more in (("a", []), ("b", ["--tps", 100_000]), ("c", ["--seed", 2]), ("d", ["--realistic"])):
        done = generate(*arguments, tmp_path / name, *more)
        assert "MEAN" in done.stdout and "100 %" in done.stderr, done
    a, b, c, d = ((tmp_path / name).read_bytes() for name in "abcd")
    assert a == b and len({a, c, d}) == 3, "the pace changes nothing, the seed all"
    shape = ["--format", "json"] if kind == "b2b" else []
    assert generate(*arguments, "stdout", *shape).stdout.encode() == generate(*arguments, "-", *shape).stdout.encode() == a


def test_upi_messages_have_the_shape_of_the_topic():
    done = generate("upi")
    messages = lines(done.stdout)
    assert len(messages) == 800 and all(list(each) == UPI_MEMBERS for each in messages)
    assert {each["payer_id"] for each in messages} == {f"user_{n}" for n in range(1, 6)}
    assert all(each["payer_id"] != each["payee_id"] and each["created_at"] is None for each in messages)
    assert all(isinstance(each["amount"], int) and 1 <= each["amount"] <= 200_000 for each in messages)
    assert re.search(r"^UPI +800 +INR ", done.stderr, re.M), "the counts do not stand among the messages"
    wide = lines(generate("upi", "--users", 50, "--count", 2000).stdout)
    assert len({each["payer_id"] for each in wide}) == 50


def test_realistic_upi_messages_say_when_and_how_they_ended():
    messages = lines(generate("upi", "--realistic", "--count", 5000, "--start", "2026-02-03T04:05:06Z").stdout)
    assert all(list(each) == [*UPI_MEMBERS, "rrn", "response_code"] for each in messages)
    assert messages[0]["created_at"] == "2026-02-03T04:05:06.000000Z" and messages[0]["rrn"].startswith("603404")
    assert all(re.fullmatch(r"[\w.-]+@[a-z]+", each["payer_id"], re.A) for each in messages)
    declined = sum(each["response_code"] != "00" for each in messages)
    assert 300 < declined < 700
    now = lines(generate("upi", "--realistic", "--count", 1, "--start", "now").stdout)
    assert now[0]["created_at"] > "2026-02"


def test_b2b_by_default_is_the_file_with_ten_of_each_type(tmp_path):
    done = generate("b2b", cwd=tmp_path)
    made = documents(tmp_path / "data" / "generated_transactions" / "transactions.json")
    assert [each["payment_type"] for each in made] == [name for name in B2B_TYPES for _ in range(10)]
    assert len({each["payment_id"] for each in made}) == 90
    for name in B2B_TYPES:
        amounts = sorted(amount_of(each) for each in made if each["payment_type"] == name)
        mean = (sum(amounts) / 10).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
        assert re.search(rf"^{name} +10 +\w{{3}} +{mean} +{amounts[0]} +{amounts[-1]}$", done.stdout, re.M), name
    for status, count in Counter(each["status"] for each in made).items():
        assert re.search(rf"^{status} +{count}$", done.stdout, re.M), done.stdout
    told = json.loads(generate("b2b", "--json", cwd=tmp_path).stdout)
    assert (told["kind"], told["count"], told["seed"]) == ("b2b", 90, 1)
    assert [each["count"] for each in told["types"]] == [10] * 9 and sum(told["statuses"].values()) == 90
    assert {each["currency"] for each in told["totals"]} == {"USD", "EUR"}


def test_b2b_as_lines_mixes_the_types(tmp_path):
    to = tmp_path / "b2b.ndjson"
    generate("b2b", "--count", 900, "--customers", 30, "--format", "ndjson", "--to", to)
    made = lines(to.read_text())
    assert [each["payment_type"] for each in made] != sorted(each["payment_type"] for each in made)
    assert {each["payment_type"] for each in made} == set(B2B_TYPES)
    assert len({each["originator"]["party_id"] for each in made}) == 30
    whole = documents_of(generate("b2b", "--format", "json", "--to", "stdout", "--count", 13).stdout)
    assert Counter(each["payment_type"] for each in whole) == {name: 2 - (at > 3) for at, name in enumerate(B2B_TYPES)}


def documents_of(text):
    return json.loads(text)["transactions"]


def test_realistic_b2b_sepa_flows_between_ibans(tmp_path):
    to = tmp_path / "b2b.json"
    generate("b2b", "--count", 900, "--realistic", "--to", to)
    for each in documents(to):
        sepa = each["payment_type"] in ("SEPA_CREDIT_TRANSFER", "DIRECT_DEBIT")
        assert each["amount"]["currency"] == ("EUR" if sepa else "USD")
        assert each["originator"]["account_info"]["routing_info"]["type"] == ("IBAN" if sepa else "ABA")


def test_clearing_begins_with_the_samples():
    rows = lines(generate("clearing").stdout)
    assert [(each["transaction_id"], each["amount"]) for each in rows] == [
        ("TXN001", Decimal("1000.00")), ("TXN002", Decimal("2500.50")), ("TXN003", Decimal("750.25"))]  # fmt: skip
    more = lines(generate("clearing", "--count", 1000).stdout)
    assert more[:3] == rows and all(list(each) == ROW_MEMBERS for each in more)
    assert len({each["transaction_id"] for each in more}) == 1000
    accounts = lines(generate("clearing", "--rows", "accounts").stdout)
    customers = lines(generate("clearing", "--rows", "customers").stdout)
    assert sum(each["balance"] for each in accounts) == Decimal("295000.00")
    assert {each["customer_id"] for each in accounts} == {each["customer_id"] for each in customers}
    assert {each["from_account"] for each in more} <= {each["account_number"] for each in accounts}


def test_paysim_counts_fraud_too(tmp_path):
    told = json.loads(generate("paysim", "--count", 20_000, "--to", tmp_path / "x.csv", "--json").stdout)
    fraud = (tmp_path / "x.csv").read_text().count(",1,0\n") + (tmp_path / "x.csv").read_text().count(",1,1\n")
    assert told["count"] == 20_000 and told["statuses"]["fraud"] == fraud > 0
    assert {each["type"] for each in told["types"]} == {"CASH_IN", "CASH_OUT", "DEBIT", "PAYMENT", "TRANSFER"}


@pytest.mark.parametrize("kind", [*KINDS, "paysim"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_endless_generator_ends_well(kind, how):
    more = ["--format", "json"] if kind == "b2b" else []
    to = [] if kind == "paysim" else ["--to", "stdout"]
    command = [BINARY, "generate", kind, "--count", "0", "--tps", "500", *more, *to]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, env=environment()) as made:
        try:
            first = made.stdout.readline() + made.stdout.readline()
            made.send_signal(how)
            rest, told = made.communicate(timeout=PATIENCE_S)
        finally:
            made.kill()
    assert made.returncode == 0, told
    text, told = (first + rest).decode(), told.decode()
    if kind == "b2b":
        count = len(documents_of(text))
    else:
        assert text.endswith("\n")
        count = text.count("\n") - (kind == "paysim")
    assert f"generate  {count:,} " in told and "MEAN" in told, told


class Taker(http.server.BaseHTTPRequestHandler):
    """A service that takes messages as the test wants it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, answer = self.server.answer(self.path, body.splitlines())
        self.server.seen.append((status, self.path, self.headers["Content-Type"], body.splitlines()))
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture
def taker():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    server.seen = []
    server.answer = lambda path, sent: (202, {"taken": len(sent), "dead_letters": 0})
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_service_gets_the_same_messages(kind, taker, tmp_path):
    more = ["--format", "ndjson"] if kind == "b2b" else []
    generate(kind, "--count", 2300, *more, "--to", tmp_path / "file")
    done = generate(kind, "--count", 2300, "--to", "http", "--url", taker.url)
    assert [(path, len(sent)) for _, path, _, sent in taker.seen] == [
        (f"/v1/profiles/{kind}/messages", count) for count in (1000, 1000, 300)]  # fmt: skip
    assert {kind_of for _, _, kind_of, _ in taker.seen} == {"application/x-ndjson"}
    assert [line for *_, sent in taker.seen for line in sent] == (tmp_path / "file").read_text().splitlines()
    assert "taken 2300, known before 0, dead letters 0, refused 0\n" in done.stdout and "2,300 of 2,300" in done.stderr, done
    taker.seen.clear()
    told = json.loads(generate(kind, "--count", 25, "--to", taker.url, "--batch", 10, "--json").stdout)
    assert [len(sent) for *_, sent in taker.seen] == [10, 10, 5] and told["taken"] == 25


def counts(taken, **more):
    return {"taken": taken, "replayed": 0, "dead_letters": 0, "refused": 0, "payments": {}, "not_taken": [], **more}


def test_a_busy_service_is_asked_again(taker):
    busy = {"line": 2, "status": 503, "code": "overloaded", "detail": "not taken; send it again"}
    answers = [(503, {"title": "busy", "detail": "the inbox is full", "code": "overloaded"}),
               (422, counts(0, refused=20, not_taken=[busy] * 20)),
               (202, counts(19, refused=1, not_taken=[busy])),
               (202, counts(20, replayed=19, payments={"settled": 15, "rejected": 5}))]  # fmt: skip
    taker.answer = lambda *_: answers[len(taker.seen)]
    told = json.loads(generate("upi", "--count", 20, "--to", "http", "--url", taker.url, "--json").stdout)
    assert [status for status, *_ in taker.seen] == [status for status, _ in answers]
    assert all(sent == taker.seen[0][3] for *_, sent in taker.seen)
    assert {name: told[name] for name in ("taken", "known_before", "dead_letters", "refused", "payments")} == {
        "taken": 20, "known_before": 0, "dead_letters": 0, "refused": 0, "payments": {"rejected": 5, "settled": 15}}  # fmt: skip


def test_a_message_that_is_not_taken_is_1(taker):
    taker.answer = lambda _path, sent: (202, counts(len(sent), dead_letters=1))
    done = generate("upi", "--count", 20, "--to", "http", "--url", taker.url, code=1)
    assert "taken 20, known before 0, dead letters 1, refused 0" in done.stdout, done
    assert "1 messages could not be read; see /v1/dead-letters" in done.stderr, done
    full = {"line": 1, "status": 422, "code": "book_full", "detail": "no room for accounts"}
    taker.answer = lambda *_: (422, counts(0, refused=20, not_taken=[full] * 20))
    assert "20 messages were refused: no room for accounts" in generate(
        "upi", "--count", 20, "--to", "http", "--url", taker.url, code=1).stderr  # fmt: skip


@pytest.mark.parametrize("kind", ["upi", "clearing"])
def test_a_profile_takes_what_is_generated_once(kind, nostro):
    program = nostro("--profile", kind)
    arguments = [kind, "--count", 1500, "--to", "http", "--url", program.url, "--json"]
    first, again = (json.loads(generate(*arguments).stdout) for _ in range(2))
    assert first["taken"] == again["taken"] == again["known_before"] == 1500 and first["known_before"] == 0
    assert first["payments"] == again["payments"] and sum(first["payments"].values()) == 1500
    assert first["payments"]["settled"] > 10 and first["payments"]["rejected"] > 10
    realistic = json.loads(generate(*arguments, "--realistic").stdout)
    samples = 3 if kind == "clearing" else 0
    assert realistic["known_before"] == samples, "another option, other ids"
    assert realistic["payments"]["settled"] > 700


def test_a_service_that_takes_nothing_is_told(taker):
    taker.answer = lambda *_: (404, {"title": "Not Found", "detail": "there is no such route", "code": "no_route"})
    done = generate("upi", "--to", "http", "--url", taker.url, code=1)
    assert "/v1/profiles/upi/messages: there is no such route" in done.stderr and len(taker.seen) == 1
    taker.answer = lambda *_: (500, {"title": "broken", "detail": "out of order", "code": "x"})
    assert "out of order" in generate("upi", "--to", "http", "--url", taker.url, code=3).stderr
    assert "127.0.0.1:1" in generate("clearing", "--to", "http://127.0.0.1:1", "--wait", "0s", code=3).stderr


@pytest.mark.parametrize("arguments, told", [
    (["b2b", "--to", "postgres"], "--to 'postgres': documents go to stdout, to a file, to http or to kafka"),
    (["upi", "--to", "Kafka"], "--to 'Kafka': messages go to stdout, to a file, to http or to kafka"),
    (["b2b", "--to", "STDOUT"], "--to 'STDOUT': documents go to stdout, to a file, to http or to kafka"),
    (["clearing", "--to", "ftp://x"], "--to 'ftp://x': rows go to stdout, to a file, to http or to kafka"),
    (["clearing", "--rows", "accounts", "--to", "http"], "--to 'http': sample accounts go to stdout or to a file"),
    (["b2b", "--format", "json", "--to", "http"], "--format json: a service or a topic takes ndjson; leave --format out"),
    (["upi", "--to", "http", "--url", "ftp://x"], "--url or NOSTRO_URL: 'ftp://x' is none"),
    (["upi", "--users", "1"], "--users: "), (["b2b", "--customers", "3"], "--customers: "),
    (["b2b", "--format", "xml"], "--format: "), (["clearing", "--rows", "banks"], "--rows: "),
    (["upi", "--start", "yesterday"], "--start: 'yesterday': write now, or a time from 1980 to 2100 like "),
    (["b2b", "--start", "1979-12-31"], "--start: '1979-12-31'"), (["b2b", "--start", "2150-01-01"], "--start: '2150-"),
    (["upi", "--count", "many"], "--count: 'many' is no whole number"), (["upi", "--sed", "4"], "there is no option '--sed'"),
    (["upy"], "there is no command 'upy'; did you mean 'upi'"),
])  # fmt: skip
def test_what_cannot_be_is_told(arguments, told, tmp_path):
    done = generate(*arguments, code=2, cwd=tmp_path)
    assert done.stderr.startswith("nostro: ") and told in done.stderr and not done.stdout, done
    assert done.stderr.count("\n") == 1 and not list(tmp_path.iterdir()), "nothing was made"


def test_a_place_that_cannot_be_written_is_3(tmp_path):
    assert "no/such/file: cannot be written" in generate("upi", "--to", "no/such/file", code=3, cwd=tmp_path).stderr
    (tmp_path / "data").write_text("in the way")
    assert "its folder cannot be made" in generate("b2b", code=3, cwd=tmp_path).stderr
    with open("/dev/full", "w") as full:
        done = subprocess.run([BINARY, "generate", "upi", "--count", "50000"], env=environment(), stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)  # fmt: skip
    assert done.returncode == 3 and "No space left on device" in done.stderr, done
