#!/usr/bin/env python3
"""How long payments wait when the Book changes hands: at a planned hand-over, and after the owner's kill -9.

    ./dev servers postgres start
    python3 bench/takeover.py --set journal.kind=postgres --set journal.postgres_url=postgresql://...
    export $(./dev servers kafka start | tail -n 1)
    python3 bench/takeover.py --set journal.kind=kafka --set journal.kafka_single_broker=true

Each run has a journal of its own. `--session`: how long a member of the owners' group may say nothing, as the brokers
have it (`./dev servers kafka` says 3 s); a journal in PostgreSQL notices a dead owner at once.

Connections pay all the while, each asking again with the same key until it is answered 202. The pause is the longest time
between two 202s of all of them together. Every 202 is asked for again at the end: each key has one payment.
"""

import argparse
import http.client
import json
import signal
import subprocess
import threading
import time

from harness import BINARY, Folder, Nostro, note, quantile

PLANNED_GOAL_S, NOTICED_GOAL_S = 0.5, 2


def role(nostro):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", nostro.port, timeout=1)
        connection.request("GET", "/readiness")
        return json.loads(connection.getresponse().read())["role"]
    except OSError:
        return None


class Payer(threading.Thread):
    """Asks whoever answers; notes when it was told 202, and for which payment."""

    def __init__(self, number, ports):
        super().__init__(daemon=True)
        self.number, self.ports, self.at, self.told, self.ended = number, ports, [], {}, False

    def run(self):
        count, turn, connection = 0, 0, None
        while not self.ended:
            key = f"takeover-{self.number}-{count}-{id(self)}"
            body = json.dumps({"debtor_account": "a", "creditor_account": "b", "amount": "0.01", "currency": "USD"})
            while not self.ended:
                ports = list(self.ports)
                try:
                    connection = connection or http.client.HTTPConnection(
                        "127.0.0.1", ports[turn % len(ports)], timeout=1)
                    connection.request("POST", "/v1/payments", body,
                                       {"Content-Type": "application/json", "Idempotency-Key": key})
                    answer = connection.getresponse()
                    text = answer.read()
                    if answer.status == 202:
                        self.at.append(time.monotonic())
                        self.told[key] = json.loads(text)["payment_id"]
                        break
                except (OSError, http.client.HTTPException):
                    pass
                connection, turn = None, turn + 1
                time.sleep(0.002)  # as many in vain would only take the cores away
            count += 1


def pause_of(payers, since):
    times = sorted(at for payer in payers for at in payer.at if at >= since - 0.5)
    return max(later - earlier for earlier, later in zip(times, times[1:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--set", action="append", default=[], help="of nostro; journal.kind among them")
    parser.add_argument("--session", type=float, default=3, help="seconds; of a journal in Kafka")
    options = parser.parse_args()
    own = f"takeover_{time.time_ns()}"
    sets = {"journal.kafka_topic": own, "journal.postgres_schema": own} | dict(each.split("=", 1) for each in options.set)
    in_kafka = sets.get("journal.kind") == "kafka"
    goals = {"planned": PLANNED_GOAL_S, "kill -9": NOTICED_GOAL_S + (options.session if in_kafka else 0)}
    sets |= {"standby.enabled": "true", "book.accounts_max": "10000", "book.counters_max": "20000",
             "book.known_max": "1000000"}  # fmt: skip
    pauses = {"planned": [], "kill -9": []}
    with Folder() as folder:
        serve = (Nostro(folder / f"data-{number}", sets) for number in range(10_000))
        owner = next(serve)
        while role(owner) != "owner":
            time.sleep(0.05)
        for name in "ab":
            connection = http.client.HTTPConnection("127.0.0.1", owner.port)
            connection.request("POST", "/v1/accounts", json.dumps(
                {"account_id": name, "currency": "USD", "opening_balance": "1000000.00"}), {"Content-Type": "application/json"})
            assert connection.getresponse().status in (200, 201)
        ports = [owner.port]
        payers = [Payer(number, ports) for number in range(options.connections)]
        for payer in payers:
            payer.start()
        for turn in range(2 * options.rounds):
            standby = next(serve)
            ports[:] = [owner.port, standby.port]
            time.sleep(2)  # the group knows it
            kind = "kill -9" if turn % 2 else "planned"
            began = time.monotonic()
            if kind == "planned":
                subprocess.run([BINARY, "take-over", "--url", standby.url, "--from", owner.url], check=True,
                               stdout=subprocess.DEVNULL)
            else:
                owner.process.send_signal(signal.SIGKILL)
            while role(standby) != "owner":
                time.sleep(0.01)
            owner.process.wait()
            time.sleep(1)
            pauses[kind].append(pause_of(payers, began))
            note(f"{kind}: {pauses[kind][-1] * 1000:.0f} ms")
            owner, ports[:] = standby, [standby.port]
        for payer in payers:
            payer.ended = True
        for payer in payers:
            payer.join()
        connection, asked = http.client.HTTPConnection("127.0.0.1", owner.port), 0
        for payer in payers:
            for key, payment in payer.told.items():
                while True:  # the index of the newest owner may still be reading: then it is 503
                    connection.request("GET", f"/v1/payments/{payment}")
                    answer = connection.getresponse()
                    found = json.loads(answer.read())
                    if answer.status != 503:
                        break
                    time.sleep(0.1)
                assert answer.status == 200 and found["idempotency_key"] == key, (key, found)
                asked += 1
        for kind, each in pauses.items():
            ms = sorted(1000 * pause for pause in each)
            p99, goal = quantile(ms, 0.99), 1000 * goals[kind]
            print(f"{kind:8} {len(ms)} rounds: median {quantile(ms, 0.5):.0f} ms, p99 {p99:.0f} ms, longest {ms[-1]:.0f} ms; "
                  f"goal: p99 {goal:.0f} ms, {'reached' if p99 <= goal else 'NOT reached'}")
        print(f"{asked} payments were told 202, and each is there")
        owner.process.send_signal(signal.SIGTERM)
        owner.process.wait()


if __name__ == "__main__":
    main()
