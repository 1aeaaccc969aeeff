"""What the machine refuses: each time a clear word, nothing half done, and the right exit code."""

import json
import os
import signal
import socket
from pathlib import Path

import pytest
from client import payment, refused, unique
from program import run


def ended(program, code, *words):
    """It did not start: exit code, and what it says on standard error."""
    assert program.url is None and program.code == code, (program.code, program.stderr)
    for word in words:
        assert word in program.stderr, program.stderr
    return program.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_graceful_and_takes_the_books_along(nostro, number):
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair()
    api.paid(debtor, creditor)
    assert program.end(number) == 0
    assert nostro().client().posted(creditor) == "10.00"


def test_of_two_programs_on_one_folder_the_second_refuses_and_names_the_first(nostro):
    first = nostro()
    api = first.client()
    debtor, creditor = api.pair()
    ended(nostro(), 3, "in use", str(first.pid), str(first.data))
    api.paid(debtor, creditor)
    assert first.running
    first.kill()  # the lock goes with its owner
    assert nostro().client().posted(creditor) == "10.00"


def test_a_port_that_is_taken_is_named(nostro, tmp_path):
    first = nostro()
    ended(nostro(data=tmp_path / "other", listen=f"127.0.0.1:{first.port}"), 3, str(first.port), "in use")
    assert first.client().get("/health").status == 200


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_an_address_beyond_this_machine_is_refused_until_told_so(nostro, listen):
    ended(nostro(listen=listen), 2, "insecure")


def test_an_insecure_listen_is_possible_when_named(nostro):
    program = nostro("--insecure-listen", listen="0.0.0.0:0")
    assert program.url, program.stderr
    assert program.client().get("/health").status == 200


BAD_SETTINGS = [
    (["--set", "book.acounts_max=5"], {}, ["book.acounts_max", "did you mean book.accounts_max"]),
    (["--set", "book.accounts_max=5"], {}, ["book.accounts_max", "1000"]),
    (["--set", "journal.segment_bytes=lots"], {}, ["journal.segment_bytes"]),
    (["--set", "journal.kind=paper"], {}, ["journal.kind", "segment, kafka, postgres, memory"]),
    (["--set", "log.level"], {}, ["section.key=value"]),
    (["--set", "server.listen=nowhere"], {}, ["server.listen", "HOST:PORT"]),
    (["--set", "journal.keep_days=5", "--set", "journal.archive=false"], {}, ["journal.keep_days", "journal.archive"]),
    (["--standby"], {}, ["standby.enabled", "segment", "kafka and postgres"]),
    ([], {"NOSTRO_SERVER_IO_THREADS": "many"}, ["NOSTRO_SERVER_IO_THREADS"]),
    ([], {"NOSTRO_SERVER_LISTN": "x"}, ["NOSTRO_SERVER_LISTN", "did you mean NOSTRO_SERVER_LISTEN"]),
    (["--set", "server.listen=0.0.0.0:0"], {}, ["insecure"]),
    (["--config", "/no/such/file.toml"], {}, ["/no/such/file.toml"]),
    (["--profile", "upy"], {}, ["upy", "there are: nostro, upi"]), (["--no-such-flag"], {}, ["--no-such-flag"]),
    (["--set", "policy.file=/no/such/policy.toml"], {}, ["policy.file", "/no/such/policy.toml"]),
]  # fmt: skip


@pytest.mark.parametrize("arguments, env, words", BAD_SETTINGS)
def test_a_bad_setting_stops_the_start_with_key_and_reason(tmp_path, arguments, env, words):
    free = ["--set", "server.listen=127.0.0.1:0"]
    done = run("serve", "--data", tmp_path / "data", *free, *arguments, env=env)
    assert done.returncode == 2 and not done.stdout, done
    assert "policy.file=" in "".join(arguments) or not (tmp_path / "data").exists()
    for word in words:
        assert word in done.stderr, done.stderr


def test_settlement_behind_clearance_needs_its_profile(tmp_path):
    done = run("worker", "settlement", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--profile", "upi")
    assert done.returncode == 2 and not (tmp_path / "data").exists(), done
    assert "--profile clearing" in done.stderr and "nostro worker clearance" in done.stderr


@pytest.mark.parametrize("text, words", [
    ("[server]\nlisten = 8000.5\n", ["server.listen", ":2:"]), ("[book]\nacounts_max = 5\n", ["book.acounts_max", ":2:"]),
    ("listen = 1\n", ["section"]), ("[server\n", [":1:"]), ("[nowhere]\nx = 1\n", ["nowhere.x"]),
])  # fmt: skip
def test_a_bad_file_is_refused_with_its_line(tmp_path, text, words):
    file = tmp_path / "nostro.toml"
    file.write_text(text)
    done = run("serve", "--data", tmp_path / "data", "--config", file)
    assert done.returncode == 2 and not (tmp_path / "data").exists(), done
    for word in [*words, "nostro.toml"]:
        assert word in done.stderr, done.stderr


def unprivileged():
    """How to run as somebody who is not root."""
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] if os.geteuid() == 0 else []


def test_a_folder_without_permission_is_refused_by_name(nostro, tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    for each in (tmp_path, *tmp_path.parents):
        if each.stat().st_uid == os.geteuid() and each != Path("/") and not each.stat().st_mode & 0o001:
            each.chmod(each.stat().st_mode | 0o011)
    ended(nostro(data=folder / "data", prefix=unprivileged()), 3, str(folder), "ermission")


def test_what_one_user_left_another_may_not_take_over(nostro, tmp_path):
    data = tmp_path / "data"
    nostro().stop()
    for each in (tmp_path, *tmp_path.parents):
        if each.stat().st_uid == os.geteuid() and each != Path("/") and not each.stat().st_mode & 0o001:
            each.chmod(each.stat().st_mode | 0o011)
    for each in (data, *data.rglob("*")):
        each.chmod(0o500 if each.is_dir() else 0o400)
    program = nostro(prefix=unprivileged())
    for each in (data, *data.rglob("*")):
        each.chmod(0o700 if each.is_dir() else 0o600)
    ended(program, 3, str(data), "ermission")
    assert nostro().url


def newest_frame(folder):
    """The segment that is written, and where its newest frame begins: one block of 4 KiB, when it is of one payment."""
    for segment in sorted(folder.iterdir()):
        data = segment.read_bytes()
        used = [at for at in range(4096, len(data), 4096) if any(data[at : at + 4096])]
        if used:
            return segment, used[-1]
    raise AssertionError("no segment holds a frame")


def test_a_damaged_segment_is_refused_with_its_name_and_offset(nostro):
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair()
    for _ in range(5):
        api.paid(debtor, creditor)
    program.stop()
    segment, offset = newest_frame(program.data / "segments")
    with open(segment, "r+b") as file:
        file.seek(offset + 100)
        byte = file.read(1)
        file.seek(offset + 100)
        file.write(bytes([byte[0] ^ 0xFF]))
    ended(nostro(), 1, segment.name, str(offset))
    proved = run("verify", "--data", program.data)
    assert proved.returncode == 1 and segment.name in proved.stdout + proved.stderr, proved
    finding = json.loads(run("verify", "--data", program.data, "--json").stdout)["findings"][0]
    assert (finding["file"], finding["offset"]) == (f"segments/{segment.name}", offset) and finding["seq"] > 5, finding
    assert finding["text"].startswith(f"{finding['file']}, byte {offset}: frame {finding['seq']} "), finding
    with open(segment, "r+b") as file:
        file.seek(offset + 100)
        file.write(byte)
    assert nostro().client().posted(creditor) == "50.00"


def test_a_full_table_refuses_and_names_the_key_to_raise(nostro):
    api = nostro(sets={"book.accounts_max": "1000"}).client()
    accounts = [{"account_id": unique("full"), "currency": "USD"} for _ in range(1100)]
    answer = api.post("/v1/accounts/batch", {"accounts": accounts})
    assert answer.status == 201 and answer.json["refused"] > 0, answer
    last = answer.json["data"][-1]["error"]
    assert (last["status"], last["code"]) == (503, "book_full") and "accounts_max" in last["detail"]
    refused(api.post("/v1/accounts", accounts[-1]), 503, "book_full")
    taken = answer.json["data"][0]["account_id"]
    assert api.get(f"/v1/accounts/{taken}").status == 200


def test_more_than_the_inbox_holds_is_told_and_can_be_sent_again(nostro):
    api = nostro(sets={"inbox.commands_max": "1000"}).client()
    debtor, creditor = api.pair("100000.00")
    items = [{"idempotency_key": unique(), **payment(debtor, creditor, "0.01")} for _ in range(5000)]
    answer = api.post("/v1/payments/batch", {"payments": items})
    assert answer.status in (202, 503), answer
    if answer.status == 503:
        refused(answer, 503, "overloaded")
    assert api.post("/v1/payments/batch", {"payments": items[:500]}).json["refused"] == 0


def test_the_port_is_free_again_at_once(nostro):
    first = nostro()
    port = first.port
    first.client().get("/health")
    first.stop()
    assert nostro(listen=f"127.0.0.1:{port}").port == port
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        pass
