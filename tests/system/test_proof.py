"""Proofs: what a client saves today can be checked later, without the service, by nostro and by nothing but Python."""

import base64
import json
import shutil
import subprocess
import sys
import time

import pytest
from client import unique
from program import PATIENCE_S, ROOT, run

CHECK_PROOF = ROOT / "docs" / "formats" / "check_proof.py"


def python(program, *arguments, flags=()):
    return subprocess.run([sys.executable, *flags, program, *arguments], capture_output=True, text=True, timeout=60)


def check(path, key, *more, flags=()):
    return python(CHECK_PROOF, path, key, *more, flags=flags)


def test_a_proof_is_checked_offline_by_two_programs(nostro, tmp_path):
    key_file = tmp_path / "sign.key"
    made = run("keys", "new", key_file)
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert run("keys", "show", key_file).stdout.strip() == key
    assert run("keys", "new", key_file).returncode != 0, "a key is never overwritten"

    program = nostro(sets={"proof.key_file": str(key_file)})
    assert key in program.stderr
    api = program.client()
    debtor, creditor = api.pair()
    settled = api.pay(debtor, creditor, "12.34", key=unique()).json["payment_id"]
    held = api.pay(debtor, creditor, "5.00", key=unique(), capture="manual").json["payment_id"]
    assert api.post(f"/v1/payments/{held}/capture", {"amount": "4.00"}).status == 202
    for number, (payment, outcomes) in enumerate(((settled, 1), (held, 2))):
        answer = api.get(f"/v1/payments/{payment}/proof")
        assert answer.status == 200 and len(answer.json["outcomes"]) == outcomes, answer
        path = tmp_path / f"proof-{number}.json"
        path.write_text(json.dumps(answer.json))

        proved = run("verify", "--proof", path, "--key", key, "--json")
        assert proved.returncode == 0, proved.stderr
        assert [each["status"] for each in json.loads(proved.stdout)["outcomes"]][-1] == "settled"
        frames = tmp_path / f"frames-{number}"
        other = check(path, key, frames)
        assert other.returncode == 0 and payment in other.stdout, other.stderr
        # What it proved is what an independent reader of frames reads.
        read = python(ROOT / "tools" / "read_frame.py", frames, "--all")
        assert read.returncode == 0, read.stderr
        told = [json.loads(line)["outcomes"][part["index"]] for line, part in zip(read.stdout.splitlines(), answer.json["outcomes"])]
        assert [each["payment"] for each in told] == [payment] * outcomes and told[-1]["status"] == "settled", told

        # Another key is not trusted, and one changed byte is noticed by both.
        assert run("verify", "--proof", path, "--key", "00" * 32).returncode == 1
        assert check(path, "00" * 32).returncode != 0
        spoilt = json.loads(path.read_text())
        spoilt["outcomes"][0]["checkpoint"]["time"] = "2020-01-01T00:00:00.000000Z"
        path.write_text(json.dumps(spoilt))
        refused = run("verify", "--proof", path, "--key", key)
        assert refused.returncode == 1 and "signature" in refused.stderr, refused
        assert check(path, key).returncode != 0


def flipped(member, at):
    """Flips a bit of that byte of a member of the first outcome."""

    def forge(proof):
        data = bytearray(base64.b64decode(proof["outcomes"][0][member]))
        data[at] ^= 1
        proof["outcomes"][0][member] = base64.b64encode(data).decode()

    return forge


BOOKS = {"books": {"as_of": {"seq": 1}, "currencies": [], "balanced": True}, "verified": None}
FORGERIES = {
    "a later signature": lambda proof: proof["outcomes"][0]["checkpoint"].update(time="2020-01-01T00:00:00.000000Z"),
    "a checkpoint of another frame": lambda proof: proof["outcomes"][0]["checkpoint"].update(seq=1),
    "a byte of a header behind": flipped("headers", 40),
    "the link in a header behind": flipped("headers", 60),
    "a byte of the frame's header": flipped("frame", 32),
    "a byte of the frame's body": flipped("frame", 200),
    "the last byte of the frame": flipped("frame", -1),
    "a frame that is no base64": lambda proof: proof["outcomes"][0].update(frame="?"),
    "headers cut off": lambda proof: proof["outcomes"][0].update(headers=""),
    "another payment": lambda proof: proof.update(payment_id="0123456789abcdef" * 2),
    "another frame's number": lambda proof: proof["outcomes"][0].update(seq=1),
    "outcomes in another order": lambda proof: proof["outcomes"].reverse(),
    "an outcome told twice": lambda proof: proof["outcomes"].append(proof["outcomes"][-1]),
    "no outcomes": lambda proof: proof.update(outcomes=[]),
    "genuine books in place of outcomes": lambda proof: proof.update({**proof["outcomes"][0], "outcomes": [], **BOOKS}),
    "outcomes left out": lambda proof: proof.pop("outcomes"),
    "an outcome without checkpoint": lambda proof: proof["outcomes"][0].pop("checkpoint"),
    "an outcome without index": lambda proof: proof["outcomes"][0].pop("index"),
    "no version": lambda proof: proof.pop("version"),
    "another version": lambda proof: proof.update(version=2),
}  # fmt: skip


@pytest.fixture(scope="module")
def captured(shared):
    """The proof of a payment that was held, then captured; and the key that signed it."""
    api = shared.client()
    debtor, creditor = api.pair()
    payment = api.pay(debtor, creditor, "5.00", key=unique(), capture="manual").json["payment_id"]
    assert api.post(f"/v1/payments/{payment}/capture", {"amount": "4.00"}).status == 202
    proof = api.get(f"/v1/payments/{payment}/proof").json
    assert len(proof["outcomes"]) == 2 and proof["outcomes"][0]["headers"]
    return proof, proof["outcomes"][0]["checkpoint"]["key"]


def refused_by_both(path, key):
    """By Python with its assertions switched off too: exit code 1, and one line that says why."""
    for refused in (check(path, key), check(path, key, flags=["-O"]), run("verify", "--proof", path, "--key", key)):
        assert refused.returncode == 1 and not refused.stdout, refused
        assert len(refused.stderr.splitlines()) == 1 and "no proof: " in refused.stderr, refused


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_refused_in_one_line_by_two_programs(captured, tmp_path, forgery):
    proof, key = captured
    forged = json.loads(json.dumps(proof))
    FORGERIES[forgery](forged)
    path = tmp_path / "forged.json"
    path.write_text(json.dumps(forged))
    refused_by_both(path, key)


@pytest.mark.parametrize("text", ["", "no proof", "[]", "{}", "7", '{"version":1,"payment_id":7,"outcomes":[7]}'])
def test_what_is_no_proof_at_all_is_refused_in_one_line(captured, tmp_path, text):
    path = tmp_path / "none.json"
    path.write_text(text)
    refused_by_both(path, captured[1])


def test_another_key_is_not_trusted(captured, tmp_path):
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(captured[0]))
    refused_by_both(path, "00" * 32)


def test_a_proof_says_of_which_frame_it_is(captured, tmp_path):
    proof, key = captured
    path = tmp_path / "proof.json"
    first, last = (each["seq"] for each in proof["outcomes"])
    path.write_text(json.dumps(proof))
    assert f"As of frame {last}: the payment has ended" in run("verify", "--proof", path, "--key", key).stdout

    # Without the capture it is true still, only older; without the first it is none.
    path.write_text(json.dumps({**proof, "outcomes": proof["outcomes"][:1]}))
    assert f"As of frame {first}: the payment was open" in run("verify", "--proof", path, "--key", key).stdout
    told = json.loads(run("verify", "--proof", path, "--key", key, "--json").stdout)
    assert told["as_of"] == first and told["ended"] is False, told
    assert "cannot be seen from it" in check(path, key).stdout
    path.write_text(json.dumps({**proof, "outcomes": proof["outcomes"][1:]}))
    refused = run("verify", "--proof", path, "--key", key)
    assert refused.returncode == 1 and "an earlier one is left out" in refused.stderr, refused


def test_the_python_program_is_short_and_needs_nothing_beside_it(captured, tmp_path):
    assert len(CHECK_PROOF.read_text().splitlines()) <= 70
    alone = shutil.copy(CHECK_PROOF, tmp_path)
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(captured[0]))
    checked = python(alone, path, captured[1], flags=["-I"])
    assert checked.returncode == 0 and captured[0]["payment_id"] in checked.stdout, checked


def test_the_books_proof_tells_of_the_last_verification(nostro):
    program = nostro()
    api = program.client()
    api.pair()
    before = api.get("/v1/ledger/proof")
    assert before.status == 200 and before.json["verified"] is None and before.json["books"]["balanced"], before
    proved = run("verify", "--data", program.data)
    assert proved.returncode == 0, proved.stderr
    after = api.get("/v1/ledger/proof").json
    assert after["version"] == 1
    assert after["verified"]["last"] == before.json["checkpoint"]["seq"]
    assert after["verified"]["digest"] == before.json["checkpoint"]["digest"]


LEDGER_FORGERIES = {
    "a later signature": lambda proof: proof["checkpoint"].update(time="2020-01-01T00:00:00.000000Z"),
    "another digest": lambda proof: proof["checkpoint"].update(digest="0f" * 32),
    "books of another frame": lambda proof: proof["books"]["as_of"].update(seq=1),
    "money out of nothing": lambda proof: proof["books"]["currencies"][0]["kinds"][0].update(posted="123456.78"),
    "another sum": lambda proof: proof["books"]["currencies"][0].update(sum="0.01"),
    "another journal verified": lambda proof: proof["verified"].update(digest="0f" * 32),
    "no sums": lambda proof: proof["books"].pop("currencies"),
    "a payment beside them": lambda proof: proof.update(payment_id="0123456789abcdef" * 2),
    "outcomes beside them": lambda proof: proof.update(outcomes=[]),
    "no checkpoint": lambda proof: proof.pop("checkpoint"),
    "no version": lambda proof: proof.pop("version"),
    "another version": lambda proof: proof.update(version=2),
}


def test_the_books_proof_is_checked_offline_by_two_programs(nostro, tmp_path):
    program = nostro()
    api = program.client()
    api.paid(*api.pair())
    assert run("verify", "--data", program.data).returncode == 0
    proof = api.get("/v1/ledger/proof").json
    seq, key = proof["checkpoint"]["seq"], proof["checkpoint"]["key"]
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(proof))

    checked = run("verify", "--proof", path, "--key", key)
    assert checked.returncode == 0 and f"the checkpoint of frame {seq} is genuine" in checked.stdout, checked
    assert "Not proved: that the sums are those of the journal" in checked.stdout, checked
    told = json.loads(run("verify", "--proof", path, "--key", key, "--json").stdout)
    assert told["genuine"] and told["balanced"] and not told["sums_proved"] and told["verified"]["last"] == seq, told
    assert told["currencies"] == [each["currency"] for each in proof["books"]["currencies"]] != [], told
    other = check(path, key)
    assert other.returncode == 0 and "no signature covers them" in other.stdout, other

    # Whoever has the journal too sees whether it is the one that was signed.
    logged = json.loads(run("log", "--data", program.data, "--from", seq, "--to", seq, "--json").stdout)
    assert logged["digest"] == proof["checkpoint"]["digest"], logged

    refused_by_both(path, "00" * 32)
    for forge in LEDGER_FORGERIES.values():
        forged = json.loads(json.dumps(proof))
        forge(forged)
        path.write_text(json.dumps(forged))
        refused_by_both(path, key)
    path.write_text(json.dumps({name: value for name, value in proof.items() if name != "version"}))
    assert "no proof: it has no version" in run("verify", "--proof", path, "--key", key).stderr


def test_the_index_is_proved_with_the_books(nostro):
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair()
    api.paid(debtor, creditor)

    def verify():
        done = run("verify", "--data", program.data, "--json")
        return done.returncode, json.loads(done.stdout)

    code, told = verify()  # what a running service has not written yet is left out
    assert code == 0 and told["index_through"] <= told["last"], told
    program.stop()
    code, told = verify()
    assert code == 0 and told["index"] == "compared" and told["index_through"] == told["last"], told
    assert told["index_entries"] > 10 and told["commands_decided"] >= 4 and told["decided_through"] == told["last"]
    files = list((program.data / "index").glob("*.run"))
    files[0].write_bytes(files[0].read_bytes()[:-100])
    code, told = verify()
    assert code == 1 and told["findings"][0]["file"] == "index", told
    assert "nostro rebuild index" in told["findings"][0]["what"], told
    assert run("rebuild", "index", "--data", program.data).returncode == 0
    assert verify()[0] == 0
    shutil.rmtree(program.data / "index")
    code, told = verify()
    assert code == 0 and told["index"] == "missing", told


def test_checkpoints_are_kept_and_outlive_a_kill(nostro, tmp_path):
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair("100000.00")
    first = api.pay(debtor, creditor, "0.01", key=unique()).json["payment_id"]
    for _ in range(1000):  # a payment that nobody pays beside is a frame
        api.pay(debtor, creditor, "0.01", key=unique())
    kept = program.data / "checkpoints" / "000000000000.ndjson"
    deadline = time.monotonic() + PATIENCE_S
    # Until one is kept, each proof gets a checkpoint of its own.
    while not kept.exists() or (proof := api.get(f"/v1/payments/{first}/proof").json["outcomes"][0])["checkpoint"]["seq"] != 1000:
        assert time.monotonic() < deadline, "nothing was signed"
    program.kill()
    again = nostro().client()
    after = again.get(f"/v1/payments/{first}/proof").json["outcomes"][0]
    assert after["checkpoint"] == proof["checkpoint"]
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(again.get(f"/v1/payments/{first}/proof").json))
    assert run("verify", "--proof", path).returncode == 0
    assert [json.loads(line) for line in kept.read_text().splitlines()] == [proof["checkpoint"]]

    # The journal is proved from that checkpoint on, also while the service runs on it.
    for wanted in ("latest", 1000):
        done = run("verify", "--data", program.data, "--from", wanted, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert told["from_checkpoint"] == proof["checkpoint"] and told["key_known"] and told["checkpoints"] == 1
        assert told["decided_through"] == told["last"] > 1000 and told["states"]["settled"] == 1001
    assert "from the first frame on" in run("verify", "--data", program.data, "--from", 1000).stdout
    for arguments, words in ((["--from", "999"], "no checkpoint is signed at this frame"),
                             (["--from", "latest", "--key", "00" * 32], "not by the key")):  # fmt: skip
        refused = run("verify", "--data", program.data, *arguments)
        assert refused.returncode == 1 and words in refused.stdout, refused
    spoilt = proof["checkpoint"]["signature"]
    kept.write_text(kept.read_text().replace(spoilt, spoilt[::-1]))
    for arguments in ([], ["--from", "latest"]):
        refused = run("verify", "--data", program.data, *arguments, "--json")
        assert refused.returncode == 1, refused
        finding = json.loads(refused.stdout)["findings"][0]
        assert finding["file"] == "checkpoints" and "line 1: the signature is wrong" in finding["what"], finding


def test_wrong_use_is_told(tmp_path):
    missing = run("verify", "--proof", tmp_path / "none.json")
    assert missing.returncode == 2 and "none.json" in missing.stderr
    assert run("verify", "--key", "00" * 32).returncode == 2
    no_proof = tmp_path / "no.json"
    no_proof.write_text("{}")
    refused = run("verify", "--proof", no_proof)
    assert refused.returncode == 1 and "no proof" in refused.stderr
    assert run("verify", "--proof", no_proof, "--key", "xyz").returncode == 2
    assert run("verify", "--data", tmp_path, "--from", "then").returncode == 2
    assert run("verify", "--data", tmp_path, "--from", "latest", "--key", "xyz").returncode == 2


def test_the_public_key_is_told_at_the_start_whatever_the_log_leaves_out(nostro):
    program = nostro(sets={"log.level": "error"})
    key = run("keys", "show", program.data / "checkpoint.key").stdout.strip()
    assert len(key) == 64 and key not in program.stderr
    assert program.said.splitlines()[1] == f"checkpoints are signed by {key}"


def test_a_key_that_others_may_read_is_refused(tmp_path):
    key_file = tmp_path / "open.key"
    assert run("keys", "new", key_file).returncode == 0
    key_file.chmod(0o644)
    refused = run("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--set", f"proof.key_file={key_file}")
    assert refused.returncode == 2 and "chmod 600" in refused.stderr, refused
