#!/usr/bin/env python3
"""How long the b2b profile takes to answer by type and customer, over one connection.

    nostro serve --profile b2b
    nostro generate b2b --count 1000000 --to http
    python3 bench/b2b_queries.py --url http://127.0.0.1:8000

Types and customers are drawn from the first payments of one day that the service has. Measured from the request's first byte
to the first part of the body, which holds some twenty payments or all, and to its end.
"""

import argparse
import http.client
import json
import random
import re
import time
from urllib.parse import urlsplit


def ask(connection, path, body):
    """Seconds to the first part and to the end, and what came."""
    begun = time.perf_counter()
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    first = answer.read1(65536)
    to_first = time.perf_counter() - begun
    whole = first + answer.read()
    assert answer.status == 200, whole
    return to_first, time.perf_counter() - begun, json.loads(whole)


def some_pairs(service, day, count=1000):
    """Types and customers of the first payments of a day; the rest of the answer is not waited for."""
    connection = http.client.HTTPConnection(service)
    connection.request("POST", "/payments/time-range", json.dumps(day), {"Content-Type": "application/json"})
    answer, text = connection.getresponse(), b""
    while (part := answer.read1(65536)) and text.count(b"payment_id") < count:
        text += part
    connection.close()
    return sorted(set(re.findall(r'"payment_type":"(.*?)".*?"originator_id":"(.*?)"', text.decode(errors="replace"))))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", default="http://127.0.0.1:8000")
    options.add_argument("--queries", type=int, default=2000)
    options.add_argument("--day", default="2026-01-01")
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    connection = http.client.HTTPConnection(urlsplit(options.url).netloc)
    pairs = some_pairs(urlsplit(options.url).netloc, {"start_date": options.day, "end_date": options.day})
    draw = random.Random(options.seed)
    firsts, wholes, rows = [], [], 0
    for _ in range(options.queries):
        payment_type, customer = draw.choice(pairs)
        body = {"payment_type": payment_type, "customer_id": customer}
        first, whole, found = ask(connection, "/payments/type-customer", body)
        firsts.append(first)
        wholes.append(whole)
        rows += len(found)
    print(f"{options.queries} queries by type and customer, {rows / options.queries:.0f} payments each")
    for name, values in (("first part", firsts), ("whole", wholes)):
        print(f"  {name:<10} p50 {percentile(values, 0.5):.2f} ms, p99 {percentile(values, 0.99):.2f} ms")


if __name__ == "__main__":
    main()
