"""More keys than the Book's table holds, on a journal on a server, with the mirror of it in the data folder."""

import json
import time

from client import payment, refused, unique
from program import PATIENCE_S, run
from test_small_tables import SMALLEST, take_all

BATCH = 10_000
FAR = 240_000  # the table of SMALLEST holds 100,000 keys


def items(prefix, first, count, debtor, creditor):
    return [{"idempotency_key": f"{prefix}-{number:07}", **payment(debtor, creditor, "0.01")}
            for number in range(first, first + count)]  # fmt: skip


class Spent:
    """What was paid first, and so many payments behind it that nobody remembers its key."""

    def __init__(self, program, count=FAR):
        self.api = program.client()
        self.key, self.count = unique(), count
        self.pair = self.api.pair()
        self.first = self.api.pay(*self.pair, key=self.key)
        self.debtor, self.creditor = self.api.pair("100000.00", limits={"daily_debit_count": count + 1_000_000})
        self.prefix = unique("spent")
        self.spend(0, count)

    def spend(self, first, count):
        for at in range(first, first + count, BATCH):
            answers = take_all(self.api, items(self.prefix, at, BATCH, self.debtor, self.creditor))
            assert all(answer["status"] == "settled" and not answer["replayed"] for answer in answers)

    def check(self, program):
        """All of it is known to this program: money, the first key, and a batch of keys in the middle."""
        self.api = program.client()
        again = self.api.pay(*self.pair, key=self.key)
        assert again.json == self.first.json and again.headers["Idempotent-Replayed"] == "true", again
        refused(self.api.pay(*self.pair, "10.01", key=self.key), 422, "idempotency_key_reused")
        for at in range(0, self.count, self.count // 4):
            answers = take_all(self.api, items(self.prefix, at, 100, self.debtor, self.creditor))
            assert all(answer["replayed"] for answer in answers)
        assert self.api.posted(self.pair[1]) == "10.00"
        assert self.api.posted(self.creditor) == f"{self.count / 100:.2f}"


def image(api):
    """The frame at which the newest image of the mirror stands."""
    text = api.get("/metrics").body.decode()
    (line,) = [each for each in text.splitlines() if each.startswith("nostro_mirror_image_seq ")]
    return int(float(line.split()[1]))


def imaged(api, behind=0):
    deadline = time.monotonic() + PATIENCE_S
    while (at := image(api)) <= behind:
        assert time.monotonic() < deadline, at
    return at


def proved(folder):
    done = run("verify", "--data", folder, "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


__all__ = ["FAR", "SMALLEST", "Spent", "image", "imaged", "proved"]
