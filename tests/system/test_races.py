"""Many clients at once, over raw sockets that do not wait for one answer before the next question."""

import json
import re
from collections import Counter

from client import Raw, payment, unique

ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) .*?\r\n\r\n(\{.*?\})(?=HTTP/1\.1 |$)", re.DOTALL)
REPLAYED = b"Idempotent-Replayed: true"


def request(key, body):
    body = json.dumps(body).encode()
    return (b"POST /v1/payments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Idempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s" % (key.encode(), len(body), body))  # fmt: skip


def answers(raw, count):
    """That many answers of one connection: (status, was it replayed, body)."""
    data = b""
    while data.count(b"HTTP/1.1 ") < count or not data.endswith(b"}"):
        part = raw.socket.recv(1 << 20)
        assert part, f"the connection ended after {data[-500:]!r}"
        data += part
    found = [(int(each[1]), REPLAYED in each[0], each[2]) for each in ANSWER.finditer(data)]
    assert len(found) == count, (len(found), data[:500])
    return found


class Crowd:
    """Connections that all send before any of them reads."""

    def __init__(self, port, size):
        self.raws = [Raw(port) for _ in range(size)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for raw in self.raws:
            raw.socket.close()

    def ask(self, requests):
        """requests[n] is what connection n sends at once; the answers of each, in order."""
        for raw, wanted in zip(self.raws, requests, strict=True):
            raw.send(b"".join(wanted))
        return [answers(raw, len(wanted)) for raw, wanted in zip(self.raws, requests, strict=True)]


def test_10000_keys_by_50_equal_requests_at_once_are_10000_payments(nostro):
    keys, writers, step = 10_000, 50, 16  # more answers at once than the program keeps in waiting would be 503
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair("10000.00", limits={"daily_debit_count": keys})
    names = [unique("race") for _ in range(keys)]
    requests = [request(name, payment(debtor, creditor, "1.00")) for name in names]
    ids = set()
    with Crowd(program.port, writers) as crowd:
        for first in range(0, keys, step):
            for told in zip(*crowd.ask([requests[first : first + step]] * writers), strict=True):
                assert {status for status, _, _ in told} == {202}
                assert sum(not replayed for _, replayed, _ in told) == 1, "more than one request made the payment"
                bodies = {body for _, _, body in told}
                assert len(bodies) == 1, "one key has two answers"
                answer = json.loads(bodies.pop())
                assert answer["status"] == "settled"
                ids.add(answer["payment_id"])
    assert len(ids) == keys
    assert (api.posted(debtor), api.posted(creditor)) == ("0.00", "10000.00")
    assert api.payment(answer["payment_id"])["number"] == keys, "there are more payments than keys"


def test_64_writers_spend_one_account_once(nostro):
    """6,400 payments and holds of 1.00 race for 1,000.00; nothing goes below zero at any moment."""
    writers, each, rounds = 64, 20, 5
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair("1000.00")
    told = Counter()
    with Crowd(program.port, writers) as crowd:
        for number in range(rounds):
            wanted = [[request(unique("spend"), payment(debtor, creditor, "1.00",
                                                        capture="manual" if (writer + n) % 3 == 0 else "automatic"))
                       for n in range(each)] for writer in range(writers)]  # fmt: skip
            for told_to_one in crowd.ask(wanted):
                for status, replayed, body in told_to_one:
                    assert status == 202 and not replayed
                    answer = json.loads(body)
                    told[answer["status"], answer["reason"]] += 1
    assert set(told) == {("settled", None), ("held", None), ("rejected", "insufficient_funds")}, told
    assert told["settled", None] + told["held", None] == 1000 and sum(told.values()) == writers * each * rounds
    balance = api.balance(debtor)
    settled, held = told["settled", None], told["held", None]
    assert (balance["posted"], balance["held"], balance["available"]) == (f"{held}.00", f"{held}.00", "0.00")
    assert api.posted(creditor) == f"{settled}.00"
    api.readable()
    left = [entry["balance_after"] for entry in api.pages(f"/v1/accounts/{debtor}/entries", limit=1000)]
    assert len(left) >= settled and not any(after.startswith("-") for after in left)
