"""The command line: every command does its work, says --help, and ends with the right code."""

import http.server
import json
import re
import subprocess
import threading

import pytest
from client import unique
from program import BINARY, environment, run

COMMANDS = [
    "", "serve", "submit", "show", "list", "accounts", "accounts open", "accounts change", "accounts show",
    "accounts entries", "balances", "reviews", "reviews list", "reviews approve", "reviews reject", "generate",
    "generate upi", "generate b2b", "generate clearing", "generate paysim", "replay", "verify", "log", "backup", "restore", "export", "rebuild", "rebuild index", "take-over", "bench",
    "worker", "worker intake", "worker capture", "worker clearance", "worker settlement", "worker projection",
    "keys", "keys new", "keys show", "config", "config check", "config show", "config explain", "completion", "completion bash", "completion zsh",
]  # fmt: skip


def cli(shared, *arguments, code=0, **rest):
    """A command against the shared program; its standard output."""
    done = run(*arguments, env={"NOSTRO_URL": shared.url}, **rest)
    assert done.returncode == code, done
    assert "\x1b" not in done.stdout, "colours belong on a terminal"
    if code:
        assert done.stderr.strip(), "a failure says why"
    return done.stdout if not code else done.stderr


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_level_has_help(command):
    done = run(*command.split(), "--help")
    assert done.returncode == 0 and "Usage" in done.stdout and not done.stderr, done
    names = {each.split(" ")[0] for each in COMMANDS if each}
    if not command:
        assert names <= set(re.findall(r"^  ([\w-]+)", done.stdout, re.M)), done.stdout


@pytest.mark.parametrize("arguments", [
    [], ["nonsense"], ["accounts"], ["submit", "--no-such"], ["show"], ["list", "--count", "many"], ["replay"],
    ["bench", "--load", "gigantic"], ["config"], ["submit"], ["show", "x", "--url", "ftp://x"],
    ["submit", "/no/such/payment.json"], ["replay", "/no/such.csv"], ["verify", "--data", "/no/such/folder"],
    ["rebuild", "index", "--data", "/no/such/folder"], ["config", "explain", "no.key"],
    ["log", "--data", "/no/such/folder"], ["backup", "/no/such/folder", "x"], ["restore", "/no/such/folder", "x"],
    ["log", "--from", "3", "--to", "2"],
])  # fmt: skip
def test_wrong_use_is_2(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and (done.stderr or done.stdout), done


@pytest.mark.parametrize("arguments, told", [
    (["sevre"], "there is no command 'sevre'; did you mean 'serve'? nostro --help lists all"),
    (["sevre", "--data", "x"], "there is no command 'sevre'; did you mean 'serve'? nostro --help lists all"),
    (["frobnicate"], "there is no command 'frobnicate'; nostro --help lists all"),
    (["accounts", "opne"], "there is no command 'opne'; did you mean 'open'? nostro accounts --help lists all"),
    (["submit", "--amuont", "3"], "there is no option '--amuont'; did you mean '--amount'? nostro submit --help"),
    (["submit", "--amuont=3"], "there is no option '--amuont'; did you mean '--amount'? nostro submit --help"),
    (["--hlep"], "there is no option '--hlep'; did you mean '--help'? nostro --help lists all"),
    (["generate", "paysim", "--cuont", "4"], "there is no option '--cuont'; did you mean '--count'?"),
    (["list", "--nothing-like-it"], "there is no option '--nothing-like-it'; nostro list --help lists all"),
    (["show", "a", "b"], "nostro show does not take 'b'; nostro show --help"),
    (["accounts"], "name a command: open, change, "), (["show"], "id is required; nostro show --help"),
])  # fmt: skip
def test_wrong_use_is_told_with_the_nearest_that_there_is(arguments, told):
    done = run(*arguments)
    assert done.returncode == 2 and not done.stdout, done
    assert done.stderr.startswith("nostro: " + told) and done.stderr.count("\n") == 1, done


@pytest.mark.parametrize("arguments, told", [
    (["generate", "paysim", "-n", "-5"], "--count: '-5' is no whole number"),
    (["generate", "paysim", "--seed=-1"], "--seed: '-1' is no whole number"),
    (["generate", "paysim", "--tps", "-2"], "--tps: '-2' is no whole number"),
    (["generate", "paysim", "--count", "99999999999999999999"], "--count: '99999999999999999999' is no whole"),
    (["list", "-n", "-3"], "--count: '-3' is no whole number"), (["list", "-n", "0"], "--count: '0': send 1 or more"),
    (["reviews", "list", "-n", "0"], "--count: '0': send 1 or more"), (["log", "--from", "-1"], "--from: '-1'"),
    (["log", "--to", "-1"], "--to: '-1'"), (["accounts", "entries", "a", "-n", "-1"], "--count: '-1'"),
    (["bench", "--seconds", "-1"], "--seconds: "), (["bench", "--hot", "101"], "--hot: "), (["replay", "x.csv", "--batch", "-1"], "--batch: "),
    (["submit", "--wait", "-1"], "--wait: "), (["submit", "--metadata", "foo"], "--metadata: 'foo': write it as NAME="),
    (["submit", "--metadata", "=foo"], "--metadata: '=foo': write"),
    (["accounts", "open", "a", "--metadata", "foo"], "--metadata: 'foo': write it as NAME=VALUE"),
    (["accounts", "change", "a", "--limit", "daily"], "--limit: 'daily': write it as NAME=VALUE"),
    (["generate", "paysim", "--to", "postgres"], "--to 'p"),
    (["list", "--url", "nowhere/x"], "--url or NOSTRO_URL: 'nowhere/x' is none; expected http://HOST:PORT"),
    (["list", "--url", ""], "--url or NOSTRO_URL: '' is none"),
])  # fmt: skip
def test_a_wrong_value_is_told_with_its_option(arguments, told):
    done = run(*arguments)
    assert done.returncode == 2 and not done.stdout, done
    assert done.stderr.startswith("nostro: " + told) and done.stderr.count("\n") == 1, done


def test_an_option_beats_the_environment(shared):
    elsewhere = {"NOSTRO_URL": "http://127.0.0.1:1"}
    told = run("reviews", "list", "--url", shared.url, env=elsewhere)
    assert told.returncode == 0, told
    told = run("reviews", "list", env={"NOSTRO_URL": "ftp://x"})
    assert told.returncode == 2 and "NOSTRO_URL: 'ftp://x'" in told.stderr, told


def test_output_that_cannot_be_written_is_3(shared):
    for arguments in (["reviews", "list"], ["reviews", "list", "--json"], ["config", "show"], ["completion", "bash"],
                      ["--help"], ["generate", "paysim", "-n", "9"]):  # fmt: skip
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, *arguments], env=environment({"NOSTRO_URL": shared.url}), stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60)  # fmt: skip
        if arguments[-1] == "--json" and done.returncode == 0:
            continue  # nothing waits for review, so nothing is printed
        assert done.returncode == 3 and "No space left on device" in done.stderr, (arguments, done)


def test_rows_of_a_paced_generator_come_as_they_are_made():
    command = [BINARY, "generate", "paysim", "--count", "0", "--tps", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as made:
        try:
            lines = [made.stdout.readline() for _ in range(3)]
        finally:
            made.kill()
    assert lines[0].startswith(b"step,") and all(line.endswith(b"\n") for line in lines)


def test_nobody_listening_is_3(tmp_path):
    for arguments in (["list", "--account", "a"], ["submit", "--debtor", "a", "--creditor", "b", "--amount", "1"],
                      ["balances", "a"], ["verify", "--url", "http://127.0.0.1:1"]):  # fmt: skip
        done = run(*arguments, env={"NOSTRO_URL": "http://127.0.0.1:1"})
        assert done.returncode == 3 and "127.0.0.1:1" in done.stderr, done


def test_the_version_is_that_of_the_service(api):
    done = run("--version")
    assert done.returncode == 0 and done.stdout.strip() == api.get("/readiness").json["version"], done


def test_accounts_payments_and_balances_from_a_terminal(shared, tmp_path):
    debtor, creditor = unique("cli"), unique("cli")
    opened = json.loads(cli(shared, "accounts", "open", debtor, "--opening-balance", "100.00", "--holder", "Ada",
                            "--metadata", "a=b", "--limit", "daily_debit_sum=900.00", "--json"))  # fmt: skip
    assert (opened["holder"], opened["metadata"], opened["balance"]["posted"]) == ("Ada", {"a": "b"}, "100.00")
    assert creditor in cli(shared, "accounts", "open", creditor, "--kind", "merchant")
    pay = ["submit", "--debtor", debtor, "--creditor", creditor]
    key = unique()
    first = json.loads(cli(shared, *pay, "--amount", "30", "--reference", "CLI-1", "--key", key, "--json"))
    assert first["status"] == "settled"
    assert "as answered before" in cli(shared, *pay, "--amount", "30.00", "--reference", "CLI-1", "--key", key)
    assert "insufficient_funds" in cli(shared, *pay, "--amount", "80")
    assert run(*pay, "--amount", "80", "--fail-on-reject", "--url", shared.url).returncode == 1
    assert "settled" in cli(shared, *pay, "--amount", "1", "--simulate")
    assert "held" in cli(shared, *pay, "--amount", "5", "--manual", "--wait", "0")
    assert "idempotency_key_reused" in cli(shared, *pay, "--amount", "31", "--key", key, code=1)
    wrong = cli(shared, *pay, "--amount", "1.001", code=1)
    assert wrong.startswith("nostro: /amount: ") and wrong.count("\n") == wrong.count("amount") == 1, wrong
    two = cli(shared, *pay[:3], "--amount", "1", "--creditor", "a b", "--currency", "y", code=1)
    assert two.startswith("nostro: 2 fields are wrong (invalid_fields)\n  /creditor_account: "), two
    assert two.count("\n") == 3, two
    broken = cli(shared, "submit", "-", input='{"a":1', code=1)
    assert broken == "nostro: this is no JSON: its syntax is wrong and it ends too early, with byte 6 (json_invalid)\n"

    body = {"debtor_account": debtor, "creditor_account": creditor, "amount": "2.00", "currency": "USD"}
    file = tmp_path / "payment.json"
    file.write_text(json.dumps(body))
    assert "settled" in cli(shared, "submit", file)
    assert "settled" in cli(shared, "submit", "-", input=json.dumps(body))

    shown = cli(shared, "show", first["payment_id"])
    assert debtor in shown and "settled" in shown and "30.00 USD" in shown
    assert json.loads(cli(shared, "show", first["payment_id"], "--json"))["payment_id"] == first["payment_id"]
    assert "payment_not_found" in cli(shared, "show", "f" * 32, code=1)
    listed = rows(cli(shared, "list", "--account", debtor, "--status", "settled", "--json"))
    assert [each["amount"] for each in listed] == ["2.00", "2.00", "30.00"]
    table = cli(shared, "list", "--account", debtor, "--count", "2")
    assert "PAYMENT" in table and "--cursor" in table
    assert "search_not_bounded" in cli(shared, "list", code=1)
    balance = json.loads(cli(shared, "balances", debtor, "--json"))
    assert (balance["posted"], balance["held"]) == ("66.00", "5.00")
    assert "66.00" in cli(shared, "balances", debtor, creditor) and "account_not_found" in cli(
        shared, "balances", "nobody-here", code=1)  # fmt: skip
    entries = rows(cli(shared, "accounts", "entries", debtor, "--json"))
    assert re.search(r" -30\.00 .* 70\.00 ", cli(shared, "accounts", "entries", debtor))
    assert re.search(r" 30\.00 .* 30\.00 ", cli(shared, "accounts", "entries", creditor))
    account = cli(shared, "accounts", "show", debtor)
    for name, value in (("posted", "66.00"), ("held", "5.00"), ("available", "61.00"), ("metadata", "a = b"),
                        ("limits", "daily_debit_sum = 900.00")):  # fmt: skip
        assert re.search(f"^{name} +{re.escape(value)}$", account, re.M), account
    assert entries[0]["balance_after"] == "66.00" or entries[1]["balance_after"] == "66.00"
    assert "frozen" in cli(shared, "accounts", "change", debtor, "--status", "frozen")
    assert json.loads(cli(shared, "accounts", "show", debtor, "--json"))["status"] == "frozen"
    assert "account_exists" in cli(shared, "accounts", "open", debtor, "--currency", "EUR", code=1)


def test_reviews_from_a_terminal(shared, api):
    ids = []
    for _ in range(2):
        debtor, creditor = api.pair("50000.00", risk_level="high")
        ids.append(api.paid(debtor, creditor, "12000.00", status="in_review"))
    waiting = {each["payment_id"] for each in rows(cli(shared, "reviews", "list", "--count", "1000", "--json"))}
    assert set(ids) <= waiting and ids[0] in cli(shared, "reviews", "list", "--count", "1000")
    who = ["--by", "r.novak", "--reason", "called"]
    assert "settled" in cli(shared, "reviews", "approve", ids[0], *who)
    assert json.loads(cli(shared, "reviews", "reject", ids[1], *who, "--json"))["status"] == "rejected"
    assert "already_decided" in cli(shared, "reviews", "reject", ids[0], *who, code=1)
    assert run("reviews", "approve", ids[0], "--url", shared.url).returncode == 2


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        assert run("generate", "paysim", "--count", 2000, "--seed", seed, "--to", tmp_path / name).returncode == 0
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b and a != c and a.count(b"\n") == 2001
    assert run("generate", "paysim", "--count", 2000, "--seed", 7).stdout.encode() == a
    assert run("generate", "paysim", "--to", "/no/such/folder/x").returncode == 3


def test_a_file_is_replayed_once_then_proved_copied_exported_and_rebuilt(nostro, tmp_path):
    program = nostro()
    url = ["--url", program.url]
    csv = tmp_path / "paysim.csv"
    assert run("generate", "paysim", "--count", 3000, "--to", csv).returncode == 0
    reports = []
    for arguments in (["--put-policy"], []):
        done = run("replay", csv, "--batch", 500, "--json", *arguments, *url)
        assert done.returncode == 0, done
        reports.append(json.loads(done.stdout))
    first, again = reports
    assert first["rows"] == 3000 and first["taken"] + first["zero_amounts"] == 3000 and first["replayed"] == 0
    assert again["replayed"] == again["taken"] == first["taken"] and again["by_status"] == first["by_status"]
    assert {"double_entry", "detection"} <= first.keys()
    assert run("replay", csv, *url).returncode == 0
    proved = run("verify", "--url", program.url)
    assert proved.returncode == 0 and "USD  sum 0.00" in proved.stdout, proved
    assert "is consistent" in proved.stdout and "nostro verify --data DIR" in proved.stdout
    told = json.loads(run("verify", "--url", program.url, "--json").stdout)
    assert told["consistent"] and told["accounts_compared"] and told["accounts"] > 1000 and not told["findings"]
    assert told["proved"] is False, "only the journal proves"

    data, copy, back = program.data, tmp_path / "copy", tmp_path / "back"
    running = run("verify", "--data", data, "--json")
    assert running.returncode == 0 and json.loads(running.stdout)["proved"], running
    backup = run("backup", data, copy, "--json")  # while the service runs
    assert backup.returncode == 0 and json.loads(backup.stdout)["files"] > 0, backup
    assert run("backup", data, copy).returncode in (1, 2, 3), "a folder that is not empty"
    for command, target in (("backup", data / "copy"), ("backup", data), ("restore", copy / "x")):
        inside = run(command, copy if command == "restore" else data, target)
        assert inside.returncode == 2 and "name another folder" in inside.stderr, inside
        assert not target.exists() or target == data, "nothing was made"
    frames = rows(run("log", "--data", data, "--json", "--outcomes").stdout)
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert sum(frame["counts"].get("settled", 0) for frame in frames) >= first["by_status"]["settled"]
    assert all(sum(frame["counts"].values()) == len(frame["outcomes"]) for frame in frames)
    assert "outcomes" not in rows(run("log", "--data", data, "--json", "--to", "1").stdout)[0]
    beyond = run("log", "--data", data, "--from", 999_999)
    assert beyond.returncode == 1 and "has no frame 999999 yet" in beyond.stderr, beyond
    log = run("log", "--data", data, "--outcomes")
    assert log.returncode == 0 and log.stdout.count("settled") >= first["by_status"]["settled"], log.returncode

    exported = tmp_path / "out.ndjson"
    span = ["--from", "2020-01-01T00:00:00Z"]
    assert run("export", *span, *url).returncode == 1, "more than 31 days"
    day = api_day(program)
    assert run("export", *day, "--out", exported, *url).returncode == 0
    payments = [json.loads(line) for line in exported.read_text().splitlines()]
    assert len(payments) == first["taken"] == len({each["payment_id"] for each in payments})
    table = run("export", *day, "--format", "csv", *url).stdout
    assert table.startswith("payment_id,status,") and table.count("\n") == first["taken"] + 1

    busy = run("rebuild", "index", "--data", data)
    assert busy.returncode == 3 and str(program.pid) in busy.stderr, busy
    program.stop()
    assert run("rebuild", "index", "--data", data).returncode == 0
    assert run("restore", copy, back, "--json").returncode == 0
    assert json.loads(run("verify", "--data", back, "--json").stdout)["payments"] == first["taken"]
    for folder in (data, back):
        api = nostro(data=folder).client()
        assert api.payment(payments[0]["payment_id"]) == payments[0]
        api.close()


def test_a_replay_without_accounts_reproduces_nothing_and_says_what_to_do(nostro, tmp_path):
    program = nostro()
    csv = tmp_path / "paysim.csv"
    assert run("generate", "paysim", "--count", 300, "--to", csv).returncode == 0
    done = run("replay", csv, "--url", program.url)
    assert done.returncode == 0 and "start with --put-policy" in done.stdout, done
    assert re.search(r"^  reproduced +0 ", done.stdout, re.M), done.stdout
    report = json.loads(run("replay", csv, "--json", "--url", program.url).stdout)
    assert report["double_entry"]["reproduced"] == report["by_status"].get("settled", 0) == 0
    assert report["double_entry"]["not_settled"] > 0


class Liar(http.server.BaseHTTPRequestHandler):
    """Answers with what the test wants told."""

    def do_GET(self):
        body = json.dumps(self.server.told(self.path)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def told_by(balance, accounts, **also):
    kinds = [{"kind": "customer", "accounts": 2, "posted": balance, "held": "1.00"},
             {"kind": "house", "accounts": 0, "posted": "0.00", "held": "0.00"}]  # fmt: skip
    sums = [{"currency": "USD", "kinds": kinds, "sum": also.get("sum", "0.00"), "balanced": True}]
    seqs = iter(range(7, 100))

    def told(path):
        as_of = {"seq": next(seqs) if also.get("busy") else 7, "at": "2026-11-21T00:00:00Z"}
        if path == "/v1/ledger/trial-balance":
            return {"currencies": sums, "balanced": True, "as_of": as_of}
        if path == "/v1/tenants":
            return {"data": [{"tenant": "nostro"}]}
        at = 1 if "cursor=next%20one" in path else 0
        data = [{"account_id": "a", "currency": "USD", "kind": kind, "balance": {"posted": posted, "held": held}}
                for kind, posted, held in accounts[at:at + 1]]  # fmt: skip
        return {"data": data, "next_cursor": "next one" if at == 0 else None, "as_of": as_of}

    return told


@pytest.mark.parametrize("told, code, words", [
    (told_by("0.00", [("customer", "5.00", "1.00"), ("customer", "-5.00", "0.00")]), 0, ["all 2 accounts add up"]),
    (told_by("0.00", [("customer", "5.00", "1.00"), ("customer", "-5.01", "0.00")]), 1,
     ["NOT consistent", "2 accounts add up to -0.01, 1.00 held; the trial balance says 2 accounts, 0.00, 1.00 held"]),
    (told_by("0.00", [("customer", "0.00", "1.00"), ("bank", "0.00", "0.00")]), 1,
     ["USD customer: 1 accounts", "USD bank: 1 accounts that the trial balance does not have"]),
    (told_by("0.00", [("customer", "5.00", "1.00"), ("customer", "-5.00", "0.00")], sum="0.10"), 1,
     ["USD sums to 0.10"]),
    (told_by("0.00", [("customer", "9.00", "1.00")], busy=True), 0, ["not checked  that the accounts add up"]),
    (told_by("0.00", [("customer", "x", "1.00")]), 3, ["no amount"]),
])  # fmt: skip
def test_verify_over_http_says_what_it_checked(told, code, words):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar) as server:
        server.told = told
        threading.Thread(target=server.serve_forever).start()
        try:
            done = run("verify", "--url", f"http://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
    assert done.returncode == code and all(word in done.stdout + done.stderr for word in words), done


def api_day(program):
    """A span of at most 31 days around now, by the service's own clock."""
    at = program.client().get("/v1/ledger/trial-balance").json["as_of"]["at"]
    return ["--from", at[:10] + "T00:00:00Z"]


@pytest.mark.parametrize("text, code, word", [
    ("", 2, "empty"), ("a,b,c\n1,2,3\n", 2, "header"),
    ("step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,"
     "isFlaggedFraud\n1,PAYMENT,x,C1,0,0,M1,0,0,0,0\n", 1, "row 1"),
])  # fmt: skip
def test_a_bad_file_is_told_with_its_row(shared, tmp_path, text, code, word):
    file = tmp_path / "bad.csv"
    file.write_text(text)
    done = run("replay", file, "--url", shared.url)
    assert done.returncode == code and word in done.stdout + done.stderr, done


BANK = ["--map", "debtor_account=Von", "--map", "creditor_account=an", "--map", "amount=Betrag", "--map",
        "reference=Zweck", "--map", "metadata.order=Nr", "--set", "currency=EUR", "--set", "type=BOOKING"]  # fmt: skip


def replayed(shared, file, *arguments, code=0):
    done = run("replay", file, "--json", *arguments, "--url", shared.url)
    assert done.returncode == code, done
    return json.loads(done.stdout)


def test_any_csv_is_replayed_by_what_its_columns_are(shared, api, tmp_path):
    debtor, creditor = api.pair("100.00", "EUR")
    file = tmp_path / "bank.csv"
    file.write_text("\ufeffVon,An,Betrag,Zweck,Nr,Rest\r\n"
                    f'{debtor},{creditor},12.50,"Rent, ""May""",77,x\r\n\r\n'
                    f'{debtor},{creditor},90,,78,"two\nlines"\r\n'
                    f"{debtor},{creditor},3.00,Zürich,,\r\n", encoding="utf-8")  # fmt: skip
    first = replayed(shared, file, *BANK)
    assert (first["rows"], first["taken"], first["unreadable"], first["replayed"]) == (3, 3, 0, 0)
    assert first["by_status"] == {"rejected": 1, "settled": 2} and first["not_taken_first"] == []
    assert first["double_entry"] is None and first["detection"] is None, "the file has no balances and no labels"
    again = replayed(shared, file, *BANK, "--batch", 1)
    assert again["replayed"] == 3 and again["by_status"] == first["by_status"]
    api.readable()
    rent, much, last = api.pages("/v1/payments", account=debtor)[::-1]
    assert (rent["reference"], rent["metadata"], rent["type"]) == ('Rent, "May"', {"order": "77"}, "BOOKING")
    assert (much["reason"], much["reference"]) == ("insufficient_funds", None)
    assert (last["reference"], last["metadata"], last["currency"]) == ("Zürich", {}, "EUR")
    assert api.posted(creditor) == "15.50"
    told = run("replay", file, *BANK, "--url", shared.url).stdout
    assert "known before" in told and "fraud" not in told and "double entry" not in told, told


def test_columns_named_like_fields_need_no_map(shared, api, tmp_path):
    debtor, creditor = api.pair("100.00")
    key = unique()
    file = tmp_path / "named.csv"
    file.write_text("amount,debtor_account,creditor_account,idempotency_key,metadata.a,capture\n"
                    f"5,{debtor},{creditor},{key},b,manual\n")  # fmt: skip
    assert replayed(shared, file)["by_status"] == {"held": 1}
    api.readable()
    (payment,) = api.pages("/v1/payments", account=debtor)
    assert (payment["idempotency_key"], payment["metadata"], payment["currency"]) == (key, {"a": "b"}, "USD")
    changed = replayed(shared, file, "--set", "type=OTHER", code=1)
    assert changed["not_taken_by_code"] == {"idempotency_key_reused": 1} and "row 1" in changed["not_taken_first"][0]


def test_rows_that_cannot_be_payments_are_told_and_the_others_are_taken(shared, api, tmp_path):
    debtor, creditor = api.pair("100.00", "EUR")
    file = tmp_path / "bank.csv"
    file.write_bytes(f"""Von,An,Betrag,Zweck,Nr
{debtor},{creditor},zwei,,
{debtor},,1,,
{debtor},{creditor}
{debtor},{creditor},1,"open,
{debtor},{creditor},1,M""".encode() + b"\xfc" + f"""ller,
{debtor},{creditor},1,fine,""".encode())  # fmt: skip
    report = replayed(shared, file, *BANK, code=1)
    assert (report["rows"], report["taken"], report["unreadable"]) == (6, 1, 3)
    assert [each.removeprefix(f"{file}: ") for each in report["not_taken_first"]] == [
        "row 1: column 'Betrag' holds 'zwei': amount: 'zwei' is no decimal number; send one like 12.75",
        "row 2: column 'An' holds '': this field is required"]  # fmt: skip
    for told, row in zip(report["unreadable_first"], ("row 3: 2 columns", "row 4: column 4: a quote is opened",
                                                      "row 5: column 'Zweck' holds 'M\\xfcller'"), strict=True):  # fmt: skip
        assert told.startswith(f"{file}: {row}"), told


@pytest.mark.parametrize("arguments, word", [
    (["--map", "amount"], "FIELD=COLUMN"), (["--map", "amuont=Betrag"], "did you mean 'amount'?"),
    (["--map", "amount=Betrga"], "did you mean 'Betrag'?"), (["--map", "amount=Betrag"], "debtor_account"),
    (["--set", "nothing=x"], "no field 'nothing'"), ([], "--map FIELD=COLUMN"),
])  # fmt: skip
def test_a_wrong_map_is_told_before_anything_is_sent(tmp_path, arguments, word):
    file = tmp_path / "bank.csv"
    file.write_text("Von,An,Betrag\na,b,1\n")
    done = run("replay", file, *arguments, "--url", "http://127.0.0.1:1")
    assert done.returncode == 2 and str(file) in done.stderr and word in done.stderr, done


def test_config_shows_what_it_reads_back(tmp_path):
    shown = run("config", "show", "--set", "book.holds_max=5000")
    assert shown.returncode == 0 and "holds_max = 5000" in shown.stdout, shown
    file = tmp_path / "nostro.toml"
    file.write_text(shown.stdout)
    assert run("config", "check", "--config", file).returncode == 0
    assert run("config", "show", "--config", file).stdout == shown.stdout
    explained = run("config", "explain", "book.holds_max", env={"NOSTRO_BOOK_HOLDS_MAX": "6000"})
    assert "NOSTRO_BOOK_HOLDS_MAX" in explained.stdout and "6000" in explained.stdout, explained
    assert "did you mean" in run("config", "explain", "book.hold_max").stderr
    assert run("config", "check", "--set", "book.holds_max=x").returncode == 2


@pytest.mark.parametrize("words, wanted", [(["acc"], ["accounts"]), (["accounts", "op"], ["open"]),
                                           (["submit", "--credi"], ["--creditor"])])  # fmt: skip
def test_completion_knows_commands_and_options(words, wanted, tmp_path):
    assert "_nostro" in run("completion", "zsh").stdout
    script = tmp_path / "completion"
    script.write_text(run("completion", "bash").stdout)
    asked = f'source "$0"; COMP_WORDS=(nostro {" ".join(words)}); COMP_CWORD={len(words)}; _nostro; ' \
            'echo "${COMPREPLY[@]}"'  # fmt: skip
    found = subprocess.run(["bash", "-c", asked, script], capture_output=True, text=True, env=environment())
    assert found.stdout.split() == wanted, found
