#!/usr/bin/env python3
"""GET of a transaction of tps that Redis has, beside a native GET of the same payments.

    ./dev servers redis start
    NOSTRO_REDIS_URL=... python3 bench/cached_get.py

It empties that database. A nostro of its own books 20,000 transactions; then 10,000 of them are read in any order, by 1, 64 and 1,024 connections,
through Redis and out of the index in turns. The ratio is that of the rates; each round has its own, and the middle one
counts.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import time
from urllib.parse import urlsplit

from harness import BINARY, Folder, Nostro, note

FIRST, COUNT = 10_000, 10_000
CONNECTIONS = (1, 64, 1024)


def bench(server, *words):
    done = subprocess.run([BINARY, "bench", "--plain", server.url, "--json", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (load,) = json.loads(done.stdout)["loads"]
    assert load["refused_requests"] == 0, load
    return load


def empty(url):
    """The database, of whatever it held."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as redis:
        redis.sendall(f"AUTH {address.password}\r\nFLUSHDB\r\n".encode())
        answer = b""
        while answer.count(b"\r\n") < 2:
            answer += redis.recv(100)
    assert answer == b"+OK\r\n+OK\r\n", answer


def fill(server):
    words = [BINARY, "bench", "--plain", server.url + "/transactions", "--load", "concurrent", "--payments", str(FIRST + COUNT),
             "--body", '{"user_id":"user_###","amount":1#.##,"currency":"USD"}']  # fmt: skip
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    lags = [f'nostro_feed_lag_frames{{projection="{name}"}}' for name in ("index", "redis")]
    while any(server.metrics()[lag] for lag in lags):
        time.sleep(0.05)


def native_ids(server):
    ids, cursor = [], ""
    while len(ids) < COUNT:
        page = json.loads(server.get(f"/v1/payments?tenant=tps&account=tps:clearing:USD&limit=200{cursor}"))
        ids += [each["payment_id"] for each in page["data"]]
        cursor = "&cursor=" + page["next_cursor"]
    return ids[:COUNT]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    empty(os.environ["NOSTRO_REDIS_URL"])
    with Folder() as folder:
        server = Nostro(folder / "data", {"profiles.serve": "tps", "redis.url": os.environ["NOSTRO_REDIS_URL"],
                                          "server.connections_max": "4096"})  # fmt: skip
        try:
            note("books transactions")
            fill(server)
            paths = {"cached": [f"/transactions/{FIRST + number}" for number in range(COUNT)],
                     "native": [f"/v1/payments/{each}" for each in native_ids(server)]}  # fmt: skip
            for name, each in paths.items():
                (folder / name).write_text("\n".join(each))
            for connections in CONNECTIONS:
                measured = {name: [] for name in paths}
                hits = 'nostro_cache_reads_total{result="hit"}'
                for _ in range(options.rounds):
                    for name, loads in measured.items():
                        before = server.metrics()[hits]
                        load = bench(server, "--get", folder / name, "--load", "concurrent", "--connections", connections,
                                     "--seconds", options.seconds, "--warmup", 1)  # fmt: skip
                        load["hits"] = server.metrics()[hits] - before
                        loads.append(load)
                rate = {name: [load["payments_per_second"] for load in loads] for name, loads in measured.items()}
                ratios = sorted(a / b for a, b in zip(rate["cached"], rate["native"], strict=True))
                print(f"{connections} connections: cached {statistics.median(rate['cached']):,.0f}/s, "
                      f"native {statistics.median(rate['native']):,.0f}/s: {statistics.median(ratios):.2f} x "
                      f"({ratios[0]:.2f} to {ratios[-1]:.2f})", flush=True)  # fmt: skip
                for name, loads in measured.items():
                    print(f"  {name}: p50 {statistics.median(load['latency_us']['p50'] for load in loads):,.0f} us, "
                          f"p99 {statistics.median(load['latency_us']['p99'] for load in loads):,.0f} us", flush=True)  # fmt: skip
                assert all(load["hits"] >= load["requests"] for load in measured["cached"]), "some were not read from Redis"
        finally:
            server.process.kill()
            server.process.wait()


if __name__ == "__main__":
    main()
