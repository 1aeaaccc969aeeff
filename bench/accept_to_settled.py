#!/usr/bin/env python3
"""How long after a payment was sent to an intake it is settled for whoever asks the owner of the Book.

    ./dev servers kafka start                                       # export what it prints
    nostro serve --set kafka.commands_topic=bench
    nostro worker intake --listen 127.0.0.1:8001 --set kafka.commands_topic=bench
    nostro bench --plain http://127.0.0.1:8001/v1/payments --load concurrent --connections 64 --rate 3000 &   # the load
    python3 bench/accept_to_settled.py --owner 8000 --intake 8001

One connection pays, another one asks for the payment until it is there. Both are told in this process alone, from before
the request is sent.
"""

import argparse
import http.client
import json
import time


class Connection:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask(self, method, path, body=None, key=None):
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        self.connection.request(method, path, json.dumps(body) if body else None, headers if body else {})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--owner", type=int, default=8000)
    parser.add_argument("--intake", type=int, default=8001)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    owner, intake = Connection(options.owner), Connection(options.intake)
    run = f"a2s-{time.time_ns():x}"
    for name, balance in ((f"{run}-a", "1000000.00"), (f"{run}-b", "0")):
        status, told = owner.ask("POST", "/v1/accounts", {"account_id": name, "currency": "USD", "opening_balance": balance})
        assert status == 201, told
    accepted, settled = [], []
    for number in range(options.count):
        payment = {"debtor_account": f"{run}-a", "creditor_account": f"{run}-b", "amount": "0.01", "currency": "USD"}
        begun = time.perf_counter()
        status, told = intake.ask("POST", "/v1/payments", payment, f"{run}-{number}")
        assert status == 202, told
        accepted.append((time.perf_counter() - begun) * 1e3)
        while (answer := owner.ask("GET", f"/v1/payments/{told['payment_id']}"))[0] != 200:
            assert time.perf_counter() - begun < 30, "it is never settled"
        assert answer[1]["status"] == "settled", answer
        settled.append((time.perf_counter() - begun) * 1e3)
        time.sleep(0.003 * (number % 7))  # so that no polling of ours falls into step
    for what, times in (("accepted (202)", sorted(accepted)), ("settled", sorted(settled))):
        print(f"sent to {what}, {len(times)} payments: p50 {times[len(times) // 2]:.1f} ms, "
              f"p99 {times[len(times) * 99 // 100]:.1f} ms, longest {times[-1]:.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
