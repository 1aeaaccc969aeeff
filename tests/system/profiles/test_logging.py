"""The transaction log's promises that need no other server."""

import http.client
import json
import time

import pytest
from client import unique
from program import PATIENCE_S, run

TRANSACTION = {"sender": "ann", "receiver": "bob", "amount": 12.5, "currency": "EUR"}
HEADER = ("step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,"
          "isFlaggedFraud")  # fmt: skip


@pytest.fixture
def log(nostro):
    program = nostro("--profile", "logging")
    assert program.url, program.stderr
    return program


def reports(program, **query):
    answer = program.client().get("/reports", **query)
    assert answer.status == 200, answer
    return answer.json


def paysim(path, rows, first=0):
    lines = [f"1,PAYMENT,{number + 1}.64,C{1231006815 + number % 997},0,0,M{1979787155 + number % 7},0,0,0,0"
             for number in range(first, first + rows)]  # fmt: skip
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def feed(program, *arguments, cwd=None):
    return run("feed", "logging", *arguments, "--url", program.url, cwd=cwd)


@pytest.mark.rows("LOG-01", "LOG-02", "LOG-03", "LOG-W07", "G-09")
def test_a_post_is_queued_and_found_by_its_id(log):
    client = log.client()
    answer = client.request("POST", "/transaction", TRANSACTION)
    assert answer.status == 202, answer
    body = answer.json
    assert list(body) == ["status", "message", "data"] and body["status"] == "Queued" and body["message"]
    assert list(body["data"]) == ["sender", "receiver", "amount", "currency", "id"]
    assert {name: body["data"][name] for name in TRANSACTION} == TRANSACTION
    payment = client.get(answer.headers["Location"])
    assert (payment.json["status"], payment.json["amount"], payment.json["currency"]) == ("settled", "12.50", "EUR")
    default = client.request("POST", "/transaction", {"sender": "a", "receiver": "b", "amount": "1"})
    assert default.json["data"]["currency"] == "USD"


@pytest.mark.rows("LOG-04", "LOG-W08")
@pytest.mark.parametrize(("wrong", "types"), [
    ({"amount": -1}, ["money_not_positive"]),
    ({"amount": 0}, ["money_not_positive"]),
    ({"amount": "NaN"}, ["float_parsing"]),
    ({"amount": True}, ["float_type"]),
    ({"amount": 1.005}, ["money_too_many_decimals"]),
    ({"sender": ""}, ["string_empty"]),
    ({"sender": 5, "receiver": None}, ["string_type", "string_type"]),
    ({"receiver": "ann"}, ["accounts_equal"]),
    ({"currency": "XYZ"}, ["currency_unknown"]),
])  # fmt: skip
def test_what_is_no_transaction_is_refused_and_nothing_is_on_record(log, wrong, types):
    answer = log.client().request("POST", "/transaction", {**TRANSACTION, **wrong})
    assert answer.status == 422, answer
    assert [each["type"] for each in answer.json["detail"]] == types
    assert reports(log) == []


@pytest.mark.rows("LOG-06", "LOG-07", "LOG-13", "LOG-W03")
def test_the_report_lists_all_in_order(log):
    assert reports(log) == []
    client = log.client()
    for number in range(25):
        client.request("POST", "/transaction", {"sender": f"s{number}", "receiver": "r", "amount": f"{number + 1}.25"})
    rows = reports(log)
    assert [row["id"] for row in rows] == list(range(1, 26))
    assert rows[6] == {"id": 7, "sender": "s6", "receiver": "r", "amount": 7.25, "status": "Completed"}
    assert list(rows[6]) == ["id", "sender", "receiver", "amount", "status"]
    assert reports(log, after=20) == rows[20:] and reports(log, after=3, limit=2) == rows[3:5]
    assert reports(log, after=25) == []
    for query in ({"limit": 0}, {"after": -1}, {"after": "x"}):
        assert client.get("/reports", **query).status >= 400


@pytest.mark.rows("LOG-11", "LOG-W04", "LOG-W06")
def test_messages_become_rows_once_and_bad_ones_dead_letters(log):
    lines = [json.dumps(each) for each in (TRANSACTION, {"sender": "x"}, {**TRANSACTION, "amount": "-3"}, TRANSACTION)]
    for replayed in (0, 4):
        told = log.client().request("POST", "/v1/profiles/logging/messages", "\n".join(lines),
                                    form="application/x-ndjson", source="queue:0", first=10)  # fmt: skip
        assert (told.json["payments"], told.json["dead_letters"], told.json["replayed"]) == ({"settled": 2}, 2, replayed)
    assert [row["status"] for row in reports(log)] == ["Completed"] * 2
    whys = [letter["why"] for letter in log.client().get("/v1/dead-letters").json["data"]]
    assert sorted(whys) == ["amount: is not above zero", "receiver: is missing"]


@pytest.mark.rows("LOG-12")
def test_the_log_tells_what_came_and_what_is_committed(log):
    for _ in range(60):
        log.client().request("POST", "/transaction", TRANSACTION)
    deadline = time.monotonic() + PATIENCE_S
    while log.stderr.count("DB Committed") < 60:  # each, however fast they come
        assert time.monotonic() < deadline, log.stderr
    assert log.stderr.count("Message Received") == 60


@pytest.mark.rows("LOG-14", "LOG-W01", "LOG-W02", "G-02")
def test_what_was_answered_is_there_after_a_kill(nostro):
    program = nostro("--profile", "logging")
    client = program.client()
    taken = [client.request("POST", "/transaction", TRANSACTION).json["data"]["id"] for _ in range(50)]
    program.process.kill()
    program.process.wait()
    again = nostro("--profile", "logging", data=program.data)
    assert again.url, again.stderr
    assert len(reports(again)) == len(taken) == len(set(taken))
    assert all(again.client().get(f"/v1/payments/{each}").json["status"] == "settled" for each in taken)


@pytest.mark.rows("LOG-18", "LOG-19", "LOG-20", "LOG-22", "LOG-23", "LOG-W05")
def test_the_loader_puts_in_a_hundred_rows_and_no_more(log, tmp_path):
    paysim(tmp_path / "paysim_data.csv", 250)
    for _ in range(2):
        fed = feed(log, "--as", "historical", cwd=tmp_path)
        assert fed.returncode == 0, fed.stderr
        rows = reports(log)
        assert len(rows) == 100 and {row["status"] for row in rows} == {"Historical"}
    assert (rows[0]["sender"], rows[0]["receiver"], rows[0]["amount"]) == ("C1231006815", "M1979787155", 1.64)
    totals = log.client().get("/v1/ledger/trial-balance").json
    assert not [each for each in totals["currencies"] if each["currency"] == "USD"], "history moves no money"


@pytest.mark.rows("LOG-18")
def test_the_loader_says_what_is_missing_and_puts_in_nothing(log, tmp_path):
    gone = feed(log, "--as", "historical", cwd=tmp_path)
    assert gone.returncode == 1 and "paysim.csv" in gone.stderr
    (tmp_path / "paysim.csv").write_text("step,type,amount,nameDest\n1,PAYMENT,5.00,M1\n")
    other = feed(log, "--as", "historical", cwd=tmp_path)
    assert other.returncode == 1 and "has no column nameOrig" in other.stderr
    assert reports(log) == []


@pytest.mark.rows("LOG-21")
def test_the_simulation_puts_in_every_row_once(log, tmp_path):
    path = paysim(tmp_path / "some.csv", 3000)
    for _ in range(2):
        fed = feed(log, path, cwd="/")
        assert fed.returncode == 0, fed.stderr
        rows = reports(log)
        assert len(rows) == 3000 and {row["status"] for row in rows} == {"Completed"}


def test_a_full_book_stops_the_feed_and_says_what_to_raise(nostro, tmp_path):
    program = nostro("--profile", "logging", sets={"book.accounts_max": "1024"})
    path = tmp_path / "wide.csv"
    path.write_text(HEADER + "\n" + "".join(f"1,PAYMENT,1.00,C{n},0,0,M{n},0,0,0,0\n" for n in range(2000)))
    fed = feed(program, path)
    assert fed.returncode == 3 and "accounts_max" in fed.stderr and "Start the same feed again" in fed.stderr, fed


@pytest.mark.rows("LOG-18")
def test_one_bad_row_and_nothing_of_the_history_is_put_in(log, tmp_path):
    path = paysim(tmp_path / "paysim.csv", 100)
    path.write_text(path.read_text().replace(",51.64,", ",0,"))
    for arguments in (["--as", "historical"], ["--as", "historical", "--batch", "10"]):
        fed = feed(log, path, *arguments)
        assert fed.returncode == 1 and "line 52: amount: is not above zero" in fed.stderr, fed
        assert reports(log) == [] and log.client().get("/v1/dead-letters").json["data"] == []
    fed = feed(log, path)
    assert fed.returncode == 1 and len(reports(log)) == 99, "as transactions the others are taken"
    assert len(log.client().get("/v1/dead-letters").json["data"]) == 1


def test_keys_of_clients_and_places_of_messages_do_not_meet(log):
    client = log.client()
    client.request("POST", "/transaction", TRANSACTION, headers={"Idempotency-Key": "src-long:7"})
    told = client.request("POST", "/v1/profiles/logging/messages", json.dumps(TRANSACTION),
                          form="application/x-ndjson", source="src-long", first=7)  # fmt: skip
    assert told.json["replayed"] == 0 and len(reports(log)) == 2


@pytest.mark.rows("LOG-W09", "G-07")
def test_a_long_report_holds_up_nobody(log, tmp_path):
    assert feed(log, paysim(tmp_path / "many.csv", 150_000)).returncode == 0
    reader = http.client.HTTPConnection("127.0.0.1", log.port, timeout=60)
    reader.request("GET", "/reports")
    response = reader.getresponse()
    begun = response.read(1000)  # and then nothing for a while: ten megabytes wait for this reader
    client = log.client()
    answers = [client.request("POST", "/transaction", TRANSACTION).status for _ in range(200)]
    assert set(answers) == {202} and len(reports(log, after=150_000)) == 200
    rows = json.loads(begun + response.read())
    assert [row["id"] for row in rows[:150_000]] == list(range(1, 150_001))
    reader.close()


def test_any_text_names_a_party(log):
    odd = "Zoë & Söhne, " + "x" * 80
    log.client().request("POST", "/transaction", {"sender": odd, "receiver": unique("r"), "amount": 1})
    assert reports(log)[0]["sender"] == odd


@pytest.mark.rows("LOG-08", "LOG-09")
def test_the_root_greets_and_the_docs_can_send_a_transaction(log):
    client = log.client()
    root = client.get("/")
    assert root.status == 200 and list(root.json) == ["message"] and root.json["message"]
    page = client.request("GET", "/", headers={"Accept": "text/html,application/xhtml+xml"})
    assert page.headers["Content-Type"].startswith("text/html")
    docs = client.request("GET", "/docs", headers={"Accept": "text/html"})
    assert docs.status == 200 and b"swagger" in docs.body
    contract = client.get("/openapi.json").json
    assert contract["info"]["title"] == "Financial Transaction Log"
    post = contract["paths"]["/transaction"]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    (example,) = contract["components"]["schemas"][schema]["examples"]
    assert client.request("POST", "/transaction", example).status == 202, "what the page offers to send is taken"


@pytest.mark.rows("LOG-21")
def test_generated_rows_go_straight_to_the_service(log):
    for replayed in (0, 500):
        made = run("generate", "paysim", "--count", 500, "--to", "http", "--url", log.url, "--json")
        assert made.returncode == 0, made.stderr
        told = json.loads(made.stdout)
        assert (told["taken"], told["known_before"], told["payments"]) == (500, replayed, {"settled": 500})
    assert len(reports(log)) == 500
