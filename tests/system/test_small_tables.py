"""A Book whose tables hold less than a client sends: keys leave memory for the sealed runs, and nothing is noticed."""

import time

import pytest
from client import payment, refused, unique
from program import PATIENCE_S, Program, run

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


DECISIONS = [("approve", "reject", "settled", "automatic"), ("reject", "approve", "rejected", "automatic"),
             ("approve", "reject", "voided", "manual")]  # fmt: skip
REVIEWER = {"reviewer": "r.novak", "reason": "called the customer"}


class Spent:
    """What was paid and decided before, then a kill with all generations in use, then more keys than there is room for."""

    def __init__(self, folder):
        sets = {**SMALLEST, "journal.segment_bytes": "256MiB"}  # room for 800,000 such payments
        program = Program(folder / "data", sets=sets)
        api = program.client()
        self.key = unique()
        self.pair = api.pair()
        self.first = api.pay(*self.pair, key=self.key)
        debtor, creditor = api.pair("90000.00", risk_level="high")
        self.reviews = [api.paid(debtor, creditor, "12000.00", status="in_review", capture=capture)
                        for _, _, _, capture in DECISIONS]  # fmt: skip
        self.decided = [api.post(f"/v1/reviews/{id}/{way}", REVIEWER)
                        for id, (way, *_) in zip(self.reviews, DECISIONS, strict=True)]  # fmt: skip
        assert api.post(f"/v1/payments/{self.reviews[2]}/void").status == 202
        spend_keys(api, 90_000)
        program.kill()
        self.program = Program(folder / "data", sets=sets)
        assert self.program.url, self.program.stderr
        self.api = self.program.client()
        spend_keys(self.api, 40_000)


@pytest.fixture(scope="module")
def spent(tmp_path_factory):
    all_of_it = Spent(tmp_path_factory.mktemp("spent"))
    yield all_of_it
    all_of_it.program.stop()
    proved = run("verify", "--data", all_of_it.program.data)
    assert proved.returncode == 0, proved


def test_more_keys_are_taken_than_the_table_holds_and_none_is_forgotten(spent):
    again = spent.api.pay(*spent.pair, key=spent.key)
    assert again.json == spent.first.json and again.headers["Idempotent-Replayed"] == "true", again
    refused(spent.api.pay(*spent.pair, "10.01", key=spent.key), 422, "idempotency_key_reused")
    assert spent.api.posted(spent.pair[1]) == "10.00"


def test_what_became_of_a_payment_is_told_when_its_key_has_left_memory(spent):
    api = spent.api
    for id, (way, other, state, _), answer in zip(spent.reviews, DECISIONS, spent.decided, strict=True):
        again = api.post(f"/v1/reviews/{id}/{way}", REVIEWER)
        assert (again.status, again.json) == (202, answer.json), again
        assert again.headers["Idempotent-Replayed"] == "true"
        assert refused(api.post(f"/v1/reviews/{id}/{other}", REVIEWER), 409, "already_decided")["state"] == state
    settled = spent.first.json["payment_id"]
    assert refused(api.post(f"/v1/reviews/{settled}/approve", REVIEWER), 409, "not_open")["state"] == "settled"
    assert refused(api.post(f"/v1/payments/{settled}/capture"), 409, "not_open")["state"] == "settled"
    assert refused(api.post(f"/v1/payments/{spent.reviews[2]}/void"), 409, "not_open")["state"] == "voided"


def part(api, name):
    answer = api.get("/readiness")
    return answer.status, next(each for each in answer.json["parts"] if each["name"] == name)


def until(api, name, ready):
    deadline = time.monotonic() + PATIENCE_S
    while (state := part(api, name))[1]["ready"] != ready:
        assert time.monotonic() < deadline, state
    return state


def test_a_fold_that_cannot_write_says_so_and_goes_on_when_it_can(nostro, tmp_path):
    """Payments do without it, so it may be not ready while the program is."""
    api = nostro(sets=SMALLEST).client()
    assert part(api, "fold") == (200, {"name": "fold", "ready": True, "needed": False, "reason": None})
    folder, away = tmp_path / "data" / "ids", tmp_path / "ids"
    if folder.exists():
        folder.rename(away)
    folder.write_text("in its place")
    debtor, creditor = api.pair("1000.00")
    wide = {"description": "x" * 500, "metadata": {str(n): "y" * 250 for n in range(8)}}
    for number in range(24):  # more than a segment of 16 MiB
        wanted = [{**each, **wide} for each in items(unique("wide"), 0, 400, debtor, creditor)]
        assert api.post("/v1/payments/batch", {"payments": wanted}).json["taken"] == 400, number
    status, fold = until(api, "fold", False)
    assert status == 200 and "ids" in fold["reason"] and "no id leaves memory" in fold["reason"], fold
    assert api.paid(debtor, creditor)
    folder.unlink()
    if away.exists():
        away.rename(folder)
    assert until(api, "fold", True)[0] == 200
    assert api.paid(debtor, creditor)
