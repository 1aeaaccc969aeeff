"""Many clients at once, over raw sockets that do not wait for one answer before the next question."""

import json
import os
import random
import re
import select
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

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


@contextmanager
def paused(program):
    """No thread of it runs meanwhile."""
    program.process.send_signal(signal.SIGSTOP)
    try:
        seen = os.waitid(os.P_PID, program.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert seen.si_code == os.CLD_STOPPED, program.stderr
        yield
    finally:
        program.process.send_signal(signal.SIGCONT)


class Crowd:
    """Connections that all send before any of them reads."""

    SENDERS = 5

    def __init__(self, program, size):
        self.program = program
        self.raws = [Raw(program.port) for _ in range(size)]
        self.senders = ThreadPoolExecutor(self.SENDERS)
        self.random = random.Random(17)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.senders.shutdown()
        for raw in self.raws:
            raw.socket.close()

    def send_at_once(self, requests):
        """All is under way before the program begins with any of it."""
        turns = list(zip(self.raws, requests, strict=True))
        self.random.shuffle(turns)
        with paused(self.program):
            for raw, wanted in turns:
                raw.send(b"".join(wanted))
            answered, _, _ = select.select([raw.socket for raw in self.raws], [], [], 0)
            assert not answered, "one was answered before all had asked"

    def send_in_a_race(self, requests):
        """Several threads send, a request at a time, while the program decides and writes what others have sent."""
        turns = list(zip(self.raws, requests, strict=True))
        self.random.shuffle(turns)

        def send(number):
            mine = turns[number :: self.SENDERS]
            for each in range(len(requests[0])):
                for raw, wanted in mine:
                    raw.send(wanted[each])

        list(self.senders.map(send, range(self.SENDERS)))

    def ask(self, requests, send=None):
        """requests[n] is what connection n sends; the answers of each, in order."""
        (send or self.send_at_once)(requests)
        return [answers(raw, len(wanted)) for raw, wanted in zip(self.raws, requests, strict=True)]


def test_10000_keys_by_50_equal_requests_at_once_are_10000_payments(nostro):
    """Of every second step nobody is answered before all 50 have asked; in the others retries meet what is half done."""
    keys, writers, step = 10_000, 50, 16  # more answers at once than the program keeps in waiting would be 503
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair("10000.00", limits={"daily_debit_count": keys})
    names = [unique("race") for _ in range(keys)]
    requests = [request(name, payment(debtor, creditor, "1.00")) for name in names]
    ids, first_of, shared = set(), Counter(), 0
    with Crowd(program, writers) as crowd:
        for number, first in enumerate(range(0, keys, step)):
            # Each begins with another key, so that equal ones meet in every order.
            asked = requests[first : first + step]
            turned = [asked[writer % step :] + asked[: writer % step] for writer in range(writers)]
            told = crowd.ask(turned, crowd.send_at_once if number % 2 == 0 else crowd.send_in_a_race)
            makers = set()
            for key in range(len(asked)):
                of_key = [each[(key - writer) % step] for writer, each in enumerate(told)]
                assert {status for status, _, _ in of_key} == {202}
                made = [writer for writer, (_, replayed, _) in enumerate(of_key) if not replayed]
                assert len(made) == 1, "more than one request made the payment"
                makers.add(made[0])
                bodies = {body for _, _, body in of_key}
                assert len(bodies) == 1, "one key has two answers"
                answer = json.loads(bodies.pop())
                assert answer["status"] == "settled"
                ids.add(answer["payment_id"])
            first_of.update(makers)
            shared += len(makers) > 1
    assert len(ids) == keys
    assert len(first_of) == writers, "some connections never came first, so theirs were no race"
    assert shared > 30, "one connection made all payments of a step, in nearly every step: none met another half way"
    assert (api.posted(debtor), api.posted(creditor)) == ("0.00", "10000.00")
    later = api.paid(debtor, creditor, "1.00", status="rejected")
    assert api.payment(later)["number"] == keys + 1, "there are more payments than keys"


def test_64_writers_spend_one_account_once(nostro):
    """6,400 payments and holds of 1.00 race for 1,000.00; nothing goes below zero at any moment."""
    writers, each, rounds = 64, 20, 5
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair("1000.00")
    told = Counter()
    with Crowd(program, writers) as crowd:
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
