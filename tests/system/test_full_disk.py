"""A disk that is full: 503, reads go on, and back to work when there is space."""

import os
import subprocess
import time
from decimal import Decimal
from pathlib import Path

import pytest
from client import payment, refused, unique
from program import environment


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 160 MiB, and the prefix of a command that sees it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", folder], capture_output=True)
    if mounted.returncode == 0:
        try:
            yield folder, [], folder
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
        return
    # Who may not mount for all may mount in a namespace of their own; its files are reached through a process in it.
    holder = subprocess.Popen(
        ["unshare", "-Urm", "sh", "-c", 'mount -t tmpfs -o size=160m tmpfs "$0" && echo ready && exec cat', folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    try:
        assert holder.stdout.readline() == b"ready\n", "neither root nor a user namespace may mount a tmpfs here"
        enter = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(holder.pid), "--"]
        yield folder, enter, Path(f"/proc/{holder.pid}/root") / folder.relative_to("/")
    finally:
        holder.communicate()


LETTER = {"source": "bank.csv", "position": "row 7", "format": "csv", "why": "no amount", "text": "x"}


def every_write(debtor, creditor, held, review, letter, policy):
    by = {"reviewer": "r.novak", "reason": "called the customer"}
    return [
        ("POST", "/v1/payments/batch", {"payments": [
            {"idempotency_key": unique(), **payment(debtor, creditor, "0.01")}]}),
        ("POST", f"/v1/payments/{held}/capture", {}), ("POST", f"/v1/payments/{held}/void", None),
        ("POST", f"/v1/reviews/{review}/approve", by), ("POST", f"/v1/reviews/{review}/reject", by),
        ("POST", "/v1/accounts", {"account_id": unique("acc"), "currency": "USD"}),
        ("POST", "/v1/accounts/batch", {"accounts": [{"account_id": unique("acc"), "currency": "USD"}]}),
        ("PATCH", f"/v1/accounts/{debtor}", {"holder": "someone"}), ("PUT", "/v1/policies/nostro", policy),
        ("POST", "/v1/dead-letters", LETTER), ("POST", f"/v1/dead-letters/{letter}/discard", {"by": "ada"}),
        ("POST", f"/v1/dead-letters/{letter}/redrive", {"by": "ada", "payment": payment(debtor, creditor, "0.01")}),
    ]  # fmt: skip


def test_a_full_disk_answers_503_keeps_reading_and_recovers(nostro, small_disk):
    folder, prefix, seen = small_disk
    program = nostro(data=folder / "data", prefix=prefix)
    api = program.client()
    debtor, creditor = api.pair("1000000.00")
    first = api.paid(debtor, creditor, "1.00")
    held = api.paid(debtor, creditor, "1.00", status="held", capture="manual")
    risky, _ = api.pair("50000.00", risk_level="high")
    review = api.paid(risky, creditor, "12000.00", status="in_review")
    letter = api.post("/v1/dead-letters", LETTER).json["dead_letter_id"]
    policy = api.get("/v1/policies").json["data"][0]["policy"]
    with open(seen / "filler", "wb") as filler, pytest.raises(OSError):
        while True:
            filler.write(bytes(1 << 20))
            filler.flush()
    wide = {"description": "x" * 500, "metadata": {str(n): os.urandom(250).hex() for n in range(20)}}
    taken = 1
    for _ in range(40):
        items = [{"idempotency_key": unique(), **payment(debtor, creditor, "0.01", **wide)} for _ in range(300)]
        answer = api.post("/v1/payments/batch", {"payments": items})
        if answer.status == 503:
            break
        assert answer.status == 202, answer
        taken += answer.json["taken"]
    key = unique()
    refused(api.pay(debtor, creditor, key=key), 503, "no_space")
    for method, path, body in every_write(debtor, creditor, held, review, letter, policy):
        answer = api.request(method, path, body, key=None if "policies" in path or "batch" in path else unique(),
                             form="application/toml" if "policies" in path else "application/json")  # fmt: skip
        refused(answer, 503, "no_space")
    ready = api.get("/readiness")
    assert ready.status == 503 and any("space" in (part["reason"] or "") for part in ready.json["parts"]), ready
    assert api.get("/health").status == 200
    assert api.payment(first)["status"] == "settled"
    posted = api.posted(creditor)
    assert api.get("/v1/ledger/trial-balance").json["balanced"]
    assert program.running

    (seen / "filler").unlink()
    deadline = time.monotonic() + 60
    while (answer := api.pay(debtor, creditor, "5.00", key=key)).status == 503:  # it tries again each second
        refused(answer, 503, "no_space")
        assert time.monotonic() < deadline, "it does not recover"
    assert answer.status == 202 and "Idempotent-Replayed" not in answer.headers, answer
    assert api.get("/readiness").status == 200
    assert Decimal(api.posted(creditor)) == Decimal(posted) + 5
    program.stop()
