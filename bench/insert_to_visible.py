#!/usr/bin/env python3
"""How long after its INSERT a row of clearing's table is settled for whoever looks into SQL.

    ./dev servers postgres start
    NOSTRO_POSTGRES_URL=... nostro serve --profile clearing
    NOSTRO_POSTGRES_URL=... python3 bench/insert_to_visible.py

One connection inserts a row and waits until the server says that it is there; another one, kept open as well, asks for
its status until that is settled. Measured from before the INSERT, in this process alone. --every sends further rows
meanwhile, at that pace. --bulk inserts so many rows by one statement, and waits until all of them are settled.
"""

import argparse
import ctypes
import ctypes.util
import os
import threading
import time


class Connection:
    """libpq, as far as it is needed here: a statement as text, its first field as an answer."""

    pq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
    pq.PQconnectdb.restype = pq.PQexec.restype = ctypes.c_void_p
    pq.PQerrorMessage.restype = pq.PQgetvalue.restype = ctypes.c_char_p

    def __init__(self, address):
        self.connection = ctypes.c_void_p(self.pq.PQconnectdb(address.encode()))
        assert self.pq.PQstatus(self.connection) == 0, self.pq.PQerrorMessage(self.connection).decode()

    def ask(self, sql):
        result = ctypes.c_void_p(self.pq.PQexec(self.connection, sql.encode()))
        assert self.pq.PQresultStatus(result) in (1, 2), self.pq.PQerrorMessage(self.connection).decode()
        value = self.pq.PQgetvalue(result, 0, 0).decode() if self.pq.PQntuples(result) else None
        self.pq.PQclear(result)
        return value


def insert(names):
    return ("INSERT INTO transactions (transaction_id, amount, from_account, to_account, transaction_type) "
            f"SELECT {names}, 0.01, 'ACC001', 'ACC002', 'TRANSFER'")  # fmt: skip


def insert_one(name):
    return insert(f"'{name}'")


def bulk(address, run, count):
    inserts, looks = Connection(address), Connection(address)
    begun = time.perf_counter()
    inserts.ask(insert(f"'{run}-' || n") + f" FROM generate_series(1, {count}) n")
    inserted = time.perf_counter()
    settled = f"SELECT count(*) FROM transactions WHERE transaction_id LIKE '{run}-%' AND status = 'settled'"
    while (found := int(looks.ask(settled))) < count:
        assert time.perf_counter() - begun < 300, f"{found} of {count} rows are settled"
        time.sleep(0.05)
    ended = time.perf_counter()
    print(f"{count} rows by one INSERT: {inserted - begun:.2f} s until it was committed, {ended - begun:.2f} s until all were "
          f"settled in SQL, {count / (ended - begun):,.0f} rows/s")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--every", type=float, default=0, help="further rows, one in so many seconds")
    parser.add_argument("--bulk", type=int, default=0, metavar="ROWS")
    options = parser.parse_args()
    server = os.environ["NOSTRO_POSTGRES_URL"].rpartition("/")[0]
    address = f"{server}/financial_db"
    run, ended = f"V{time.time_ns():x}", threading.Event()
    if options.bulk:
        return bulk(address, run, options.bulk)
    inserts, looks = Connection(address), Connection(address)

    def load():
        further, number = Connection(address), 0
        while not ended.wait(options.every):
            number += 1
            further.ask(insert_one(f"{run}-L{number}"))

    if options.every:
        threading.Thread(target=load, daemon=True).start()
    times = []
    for number in range(options.count):
        name = f"{run}-{number}"
        begun = time.perf_counter()
        inserts.ask(insert_one(name))
        while looks.ask(f"SELECT status FROM transactions WHERE transaction_id = '{name}'") != "settled":
            assert time.perf_counter() - begun < 30, "it is never settled"
        times.append((time.perf_counter() - begun) * 1e3)
        time.sleep(0.003 * (number % 7))  # so that no polling of ours falls into step
    ended.set()
    times.sort()
    print(f"INSERT to settled in SQL, {len(times)} rows: p50 {times[len(times) // 2]:.1f} ms, "
          f"p99 {times[len(times) * 99 // 100]:.1f} ms, longest {times[-1]:.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
