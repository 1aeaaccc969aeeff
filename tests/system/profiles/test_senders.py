"""Files and generators against services that are late, lost or asked for something else."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from program import BINARY, ROOT, environment, run


@pytest.fixture
def upi(nostro):
    program = nostro("--profile", "upi")
    assert program.url, program.stderr
    return program


def message(number, **fields):
    return {"tx_id": f"tx{number}", "payer_id": "user_1", "payee_id": "user_2", "amount": 1, **fields}


def ndjson(path, messages):
    path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in messages) + "\n")
    return path


def free_port(nostro, tmp_path):
    """A port on which somebody listened a moment ago."""
    before = nostro("--profile", "upi", data=tmp_path / "before")
    before.stop()
    return before.port


@pytest.mark.rows("G-10")
@pytest.mark.parametrize("sender", ["feed", "generate"])
def test_a_sender_that_starts_first_waits_for_the_service(nostro, tmp_path, sender):
    port = free_port(nostro, tmp_path)
    file = ndjson(tmp_path / "messages.ndjson", [message(1)])
    to = ["--url", f"http://127.0.0.1:{port}", "--json"]
    arguments = ["feed", "upi", file, *to] if sender == "feed" else ["generate", "upi", "-n", "1", "--to", "http", *to]
    process = subprocess.Popen([BINARY, *map(str, arguments)], env=environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert f"127.0.0.1:{port} does not listen yet; trying for 30s" in process.stderr.readline()
    late = nostro("--profile", "upi", listen=f"127.0.0.1:{port}")
    assert late.url, late.stderr
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["taken"] == 1


@pytest.mark.parametrize("wait", ["0s", "300ms"])
def test_a_service_that_never_comes_is_3(nostro, tmp_path, wait):
    port = free_port(nostro, tmp_path)
    file = ndjson(tmp_path / "messages.ndjson", [message(1)])
    told = run("feed", "upi", file, "--url", f"http://127.0.0.1:{port}", "--wait", wait)
    assert told.returncode == 3 and f"127.0.0.1:{port}" in told.stderr, told


class Breaks(BaseHTTPRequestHandler):
    """Takes two requests and is gone."""

    protocol_version = "HTTP/1.1"
    taken = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Breaks.taken += 1
        if Breaks.taken > 2:
            self.close_connection = True
            return
        body = json.dumps({"messages": 100, "taken": 100, "replayed": 7, "payments": {"settled": 100}}).encode()
        self.send_response(202)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.rows("G-10")
@pytest.mark.parametrize("sender", ["feed", "generate"])
def test_a_connection_that_breaks_is_told_with_what_was_taken(tmp_path, sender):
    Breaks.taken = 0
    file = ndjson(tmp_path / "messages.ndjson", [message(number) for number in range(500)])
    with HTTPServer(("127.0.0.1", 0), Breaks) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = ["--url", f"http://127.0.0.1:{server.server_port}", "--batch", "100"]
        told = (run("feed", "upi", file, *url) if sender == "feed"
                else run("generate", "upi", "-n", "500", "--to", "http", *url))  # fmt: skip
        server.shutdown()
        thread.join()
    assert told.returncode == 3
    assert "200 messages were taken, 14 of them known before" in told.stderr and "nothing happens twice" in told.stderr


def test_dead_letters_of_a_file_are_told_with_their_lines(upi, tmp_path):
    bad = [message(number, amount="x") for number in range(8)]
    file = ndjson(tmp_path / "messages.ndjson", [message(100), "", *bad])
    told = run("feed", "upi", file, "--url", upi.url)
    assert told.returncode == 1
    lines = [line.strip() for line in told.stdout.splitlines()]
    shown = [line for line in lines if line.startswith("line ")]
    assert [line.split(": ")[:2] for line in shown] == [[f"line {number}", "amount"] for number in range(3, 8)], lines
    assert "and 3 more" in lines
    csv = tmp_path / "messages.csv"
    csv.write_text('tx_id,payer_id,payee_id,amount,note\na1,user_1,user_2,1,"two\nlines"\na2,user_1,user_2,nothing,\n')
    told = run("feed", "upi", csv, "--url", upi.url)
    assert "    line 4: amount:" in told.stdout, "a line of the file, with its header"


def test_a_file_of_another_profile_is_refused_before_anything_is_kept(upi, tmp_path):
    file = ndjson(tmp_path / "other.ndjson", [{"transaction_id": f"T{number}", "amount": 1} for number in range(150)])
    told = run("feed", "upi", file, "--url", upi.url, "--batch", "10")
    assert told.returncode == 1 and "is no file of upi: line 1: tx_id: is missing" in told.stderr, told
    assert upi.client().get("/v1/dead-letters").json["data"] == []
    told = run("feed", "upi", file, "--url", upi.url, "--force")
    assert told.returncode == 1 and "and 145 more" in told.stdout
    # One that can be read among the first is enough.
    mixed = ndjson(tmp_path / "mixed.ndjson", [{"x": number} for number in range(60)] + [message(1)])
    assert "dead letters" in run("feed", "upi", mixed, "--url", upi.url).stdout


def test_what_is_no_list_of_transactions_is_named(nostro, tmp_path):
    program = nostro("--profile", "b2b")
    file = tmp_path / "transactions.json"
    file.write_text('{"payments": []}')
    told = run("feed", "b2b", file, "--url", program.url)
    assert told.returncode == 1 and '"transactions"' in told.stderr and str(file) in told.stderr


def test_a_file_is_named_or_comes_on_standard_input(upi):
    told = run("feed", "upi", "--url", upi.url)
    assert told.returncode == 2 and "file" in told.stderr
    fed = run("feed", "upi", "-", "--url", upi.url, "--json", input=json.dumps(message(1)) + "\n")
    assert fed.returncode == 0 and json.loads(fed.stdout)["taken"] == 1, fed
    assert "tps" in run("feed", "--help").stdout


# --- what a start refuses, and what it reads


@pytest.mark.parametrize("variable, value", [("MAX_TXN_AMOUNT", "banana"), ("DAILY_TXN_LIMIT", "-1"), ("UPI_DAY_ZONE", "Mars"),
                                             ("PROMETHEUS_PORT", "99999")])  # fmt: skip
def test_a_variable_that_cannot_be_is_named(nostro, variable, value):
    program = nostro("--profile", "upi", env={variable: value})
    assert program.url is None and program.process.returncode == 2
    assert variable in program.stderr


def test_a_folder_that_is_not_there_is_refused(nostro, tmp_path):
    program = nostro("--profile", "upi", sets={"profiles.folder": tmp_path / "nowhere"})
    assert program.url is None and program.process.returncode == 2
    assert "profiles.folder" in program.stderr and "nowhere" in program.stderr


def test_config_check_reads_the_profiles_that_would_be_served(tmp_path):
    assert run("config", "check", "--profile", "upi").returncode == 0
    told = run("config", "check", "--profile", "upi", env={"MAX_TXN_AMOUNT": "banana"})
    assert told.returncode == 2 and "MAX_TXN_AMOUNT" in told.stderr
    (tmp_path / "clearing.toml").write_text("tenant = 3\n")
    (tmp_path / "clearin.toml").write_text("")
    told = run("config", "check", "--set", f"profiles.folder={tmp_path}")
    assert told.returncode == 2 and "clearing.toml" in told.stderr
    assert "clearin.toml: no profile has this name" in told.stdout


@pytest.mark.rows("UPI-02", "UPI-03")
def test_variables_come_from_the_file_of_the_folder_and_the_environment_wins(tmp_path):
    (tmp_path / ".env").write_text('# limits\nMAX_TXN_AMOUNT="banana"\nexport DAILY_TXN_LIMIT=5 # a day\nNOISE\n')
    told = run("config", "check", "--profile", "upi", cwd=tmp_path)
    assert told.returncode == 2 and "MAX_TXN_AMOUNT" in told.stderr
    assert run("config", "check", "--profile", "upi", cwd=tmp_path, env={"MAX_TXN_AMOUNT": "100"}).returncode == 0


@pytest.mark.rows("UPI-03", "UPI-W10")
def test_the_port_of_the_metrics_is_where_it_listens_if_nothing_else_says_so(nostro, tmp_path):
    by_variable = nostro("--profile", "upi", listen=None, env={"PROMETHEUS_PORT": "0"})
    assert by_variable.url and by_variable.port != 8000, by_variable.stderr
    assert by_variable.client().get("/metrics").status == 200
    told = nostro("--profile", "upi", data=tmp_path / "told", listen="127.0.0.1:0",
                  env={"PROMETHEUS_PORT": str(by_variable.port)})  # fmt: skip
    assert told.url and told.port != by_variable.port, "what is said to nostro itself wins"
    assert (ROOT / "docs").is_dir()


# --- answers


def test_a_body_in_an_encoding_is_refused(upi):
    for path in ("/v1/payments", "/v1/profiles/upi/messages"):
        answer = upi.client().post(path, "{}", headers={"Content-Encoding": "gzip"}, key="some-key-1")
        assert (answer.status, answer.json["code"]) == (415, "content_encoding_not_supported")
    answer = upi.client().post("/v1/profiles/upi/messages", json.dumps(message(1)), headers={"Content-Encoding": "identity"})
    assert answer.status == 202


@pytest.mark.parametrize("value, kind", [("abc", "int_parsing"), ("0", "greater_than_equal"), ("9000000000", "less_than_equal")])
def test_parameters_of_a_profile_are_refused_in_its_shape(nostro, value, kind):
    program = nostro("--profile", "logging")
    answer = program.client().get("/reports", limit=value)
    assert answer.status == 422
    (entry,) = answer.json["detail"]
    assert (entry["type"], entry["loc"], entry["input"]) == (kind, ["query", "limit"], value)


def test_a_replay_of_logging_says_so(nostro):
    program = nostro("--profile", "logging")
    sent = {"sender": "C1", "receiver": "M1", "amount": 1}
    first, again = (program.client().post("/transaction", sent, key="the-same-1") for _ in range(2))
    assert first.headers["Idempotent-Replayed"] is None and again.headers["Idempotent-Replayed"] == "true"


def test_dead_letters_are_looked_through_sent_again_and_given_up(upi):
    where = ("--url", upi.url)
    upi.client().post("/v1/profiles/upi/messages", '{"tx_id":"a"}\n{"tx_id":"b"}\n', form="application/x-ndjson")
    rows = [json.loads(line) for line in run("dead-letters", "list", "--json", *where).stdout.splitlines()]
    assert len(rows) == 2 and "payer_id" in run("dead-letters", "list", *where).stdout
    first, second = (each["dead_letter_id"] for each in rows)
    assert json.loads(run("dead-letters", "show", first, "--json", *where).stdout) == rows[0]
    assert '{"tx_id":"b"}' in run("dead-letters", "show", first, *where).stdout
    done = run("dead-letters", "redrive", first, "--by", "ann", "--message", json.dumps(message(1)), "--json", *where)
    assert done.returncode == 0 and json.loads(done.stdout)["state"] == "redriven", done
    done = run("dead-letters", "discard", second, "--by", "ann", "--note", "a test", "--json", *where)
    assert json.loads(done.stdout)["state"] == "discarded", done
    assert run("dead-letters", "show", "9999.1", *where).returncode == 1
