"""A Book whose tables hold less than a client sends: keys leave memory for the sealed runs, and nothing is noticed."""

import time

from client import payment, refused, unique
from program import PATIENCE_S, run

SMALLEST = {"book.known_max": "100000"}  # four generations of 25,000 keys
BATCH = 10_000


def items(prefix, first, count, debtor, creditor):
    return [{"idempotency_key": f"{prefix}-{number:07}", **payment(debtor, creditor, "0.01")}
            for number in range(first, first + count)]  # fmt: skip


def take_all(api, batch):
    """Sends what was not taken again, as a client does that is told 503 or book_full; all answers, in order."""
    deadline = time.monotonic() + PATIENCE_S
    taken = [None] * len(batch)
    while missing := [at for at, answer in enumerate(taken) if answer is None]:
        assert time.monotonic() < deadline, f"{len(missing)} payments are still not taken: {api.get('/readiness').json}"
        answer = api.post("/v1/payments/batch", {"payments": [batch[at] for at in missing]})
        assert answer.status in (202, 422, 503), answer
        if "data" not in answer.json:
            continue
        for at, each in zip(missing, answer.json["data"], strict=True):
            if each["error"]:
                assert each["error"]["code"] == "book_full", each
            else:
                taken[at] = each
    return taken


def spend_keys(api, count):
    debtor, creditor = api.pair("100000.00", limits={"daily_debit_count": count})
    prefix = unique("small")
    for first in range(0, count, BATCH):
        answers = take_all(api, items(prefix, first, BATCH, debtor, creditor))
        assert all(answer["status"] == "settled" for answer in answers)
    assert api.posted(creditor) == f"{count / 100:.2f}"


def test_more_keys_than_the_table_holds_before_a_segment_is_full(nostro):
    program = nostro(sets={**SMALLEST, "journal.segment_bytes": "256MiB"})  # room for 800,000 such payments
    api = program.client()
    key = unique()
    debtor, creditor = api.pair()
    first = api.pay(debtor, creditor, key=key)
    spend_keys(api, 130_000)
    again = api.pay(debtor, creditor, key=key)
    assert again.json == first.json and again.headers["Idempotent-Replayed"] == "true", again
    refused(api.pay(debtor, creditor, "10.01", key=key), 422, "idempotency_key_reused")
    assert api.posted(creditor) == "10.00"


def test_a_restart_finds_room_for_what_there_was_room_for(nostro, tmp_path):
    """Killed with all generations in use: what the journal holds fits again, and the rest is taken."""
    sets = {**SMALLEST, "journal.segment_bytes": "256MiB"}
    program = nostro(sets=sets)
    spend_keys(program.client(), 90_000)
    program.kill()
    program = nostro(sets=sets)
    assert program.url, program.stderr
    spend_keys(program.client(), 40_000)
    program.stop()
    proved = run("verify", "--data", tmp_path / "data")
    assert proved.returncode == 0, proved


def test_what_became_of_a_payment_is_told_when_its_key_has_left_memory(nostro):
    api = nostro(sets=SMALLEST).client()
    reviewer = {"reviewer": "r.novak", "reason": "called the customer"}
    debtor, creditor = api.pair("90000.00", risk_level="high")
    ids = [api.paid(debtor, creditor, "12000.00", status="in_review", capture=capture)
           for capture in ("automatic", "automatic", "manual")]  # fmt: skip
    decided = [("approve", "reject", "settled"), ("reject", "approve", "rejected"), ("approve", "reject", "voided")]
    first = [api.post(f"/v1/reviews/{id}/{way}", reviewer) for id, (way, _, _) in zip(ids, decided, strict=True)]
    assert [answer.json["status"] for answer in first] == ["settled", "rejected", "held"]
    assert api.post(f"/v1/payments/{ids[2]}/void").status == 202
    settled = api.paid(debtor, creditor)
    spend_keys(api, 130_000)
    for id, (way, other, state), answer in zip(ids, decided, first, strict=True):
        again = api.post(f"/v1/reviews/{id}/{way}", reviewer)
        assert (again.status, again.json) == (202, answer.json), again
        assert again.headers["Idempotent-Replayed"] == "true"
        assert refused(api.post(f"/v1/reviews/{id}/{other}", reviewer), 409, "already_decided")["state"] == state
    assert refused(api.post(f"/v1/reviews/{settled}/approve", reviewer), 409, "not_open")["state"] == "settled"
    assert refused(api.post(f"/v1/payments/{settled}/capture"), 409, "not_open")["state"] == "settled"
    assert refused(api.post(f"/v1/payments/{ids[2]}/void"), 409, "not_open")["state"] == "voided"
