"""What bench/goals measures, a function a goal. Sizes are small unless asked for more: figures of small sizes show that
a thing works and roughly what it costs, and only those of full sizes are results."""

import random
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import BINARY, ROOT, Folder, Nostro, bench, load_of, quantile

ACCOUNTS = 10_000


def row(goal, what, value, unit, wanted, reached, **details):
    return {"goal": goal, "what": what, "value": round(value, 3), "unit": unit, "wanted": wanted, "reached": reached,
            **details}  # fmt: skip


def fill(nostro, payments, accounts=ACCOUNTS, load="bulk", more=()):
    """So many payments; the report of that load."""
    report = bench("--url", nostro.url, "--load", load, "--payments", payments, "--accounts", accounts, *more,
                   folder=nostro.data.parent)  # fmt: skip
    found = load_of(report, load)
    if found["settled"] != found["payments"] or found["refused_requests"] + found["not_taken"] > 0:
        raise RuntimeError(f"not all of the load was taken and settled: {found}")
    return found


def fill_unhurried(nostro, payments, accounts):
    """So many payments, with pauses in which what goes on behind catches up: sealing makes room for further keys."""
    while payments > 0:
        payments -= fill(nostro, min(payments, 2_000_000), accounts)["payments"]
        wait_for_index(nostro)


def wait_for_index(nostro):
    """Seconds until the index has read all that is durable."""
    began = time.monotonic()
    while nostro.index_lag() > 0:
        time.sleep(0.1)
    return time.monotonic() - began


def bytes_under(folder):
    """As the disk sees it, without what is allocated ahead."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file()) if folder.exists() else 0


def upkeep(data):
    """What the background has made so far."""
    count = lambda folder, ending: len(list((data / folder).glob(f"*{ending}")))  # noqa: E731
    newest = max((file.name for file in (data / "image").glob("*.image")), default="none")
    return {"segments_archived": count("archive", ".zst"), "sealed_runs": count("ids", ".ids"), "image": newest}


def stalls(size):
    """5: the worst answer at half load while segments roll, are folded and sealed, and the index catches up."""
    # The smallest segments roll every few seconds, and each is folded and its ids sealed at once. Ids leave memory when
    # four generations are full, and one of them is as long as a few segments.
    sets = {"journal.segment_bytes": "16MiB", "book.known_max": 1_200_000}
    with Folder() as folder, Nostro(folder / "data", sets) as nostro:
        shape = ["--url", nostro.url, "--load", "concurrent", "--accounts", ACCOUNTS]
        full = load_of(bench(*shape, "--seconds", max(3, size.seconds // 6), folder=folder), "concurrent")
        # A burst that the index has to catch up with while the measurement runs.
        fill(nostro, size.payments)
        lag = nostro.index_lag()
        before, frames = upkeep(nostro.data), nostro.metrics()["nostro_settlement_frames_total"]
        rate = full["payments_per_second"] // 2
        half = load_of(bench(*shape, "--rate", rate, "--seconds", size.seconds, folder=folder), "concurrent")
        after = upkeep(nostro.data)
        frames = nostro.metrics()["nostro_settlement_frames_total"] - frames
    if half["refused_requests"] > 0:
        raise RuntimeError(f"refused at half load: {half}")
    folded = after["segments_archived"] - before["segments_archived"]
    if size.seconds >= 60 and (lag == 0 or folded == 0 or before["image"] == after["image"]):
        raise RuntimeError(f"nothing went on behind that could hold anybody up: {lag} {before} {after}")
    p50, worst = half["latency_us"]["p50"], half["latency_us"]["p100"]
    details = {"rate": rate, "p50_us": p50, "p99_us": half["latency_us"]["p99"], "p99_9_us": half["latency_us"]["p99_9"],
               "sent_late_p100_us": half["lateness_us"]["p100"],
               "client_late_itself_p100_us": half["own_lateness_us"]["p100"],
               "machine_late_p100_us": half["machine_late_us"]["p100"],
               "raw_write_p100_us": half["machine_write_us"]["p100"], "index_frames_behind": lag, "frames": frames,
               "stages_us": {stage["stage"]: [stage["p50_us"], stage["p99_us"], stage["p100_at_most_us"]]
                             for stage in half["stages"]},
               "upkeep_before": before, "upkeep_after": after}  # fmt: skip
    beside = f"{folded} segments folded and sealed, {lag:,.0f} frames for the index"
    return [row("5", f"worst answer at half load / its p50; {beside}", worst / p50, "x", "<= 50", worst <= 50 * p50,
                **details),
            row("5", "worst answer at half load", worst / 1000, "ms", "<= 50", worst <= 50_000)]  # fmt: skip


def kill_under_load(nostro, payments):
    """Ends it by kill -9 in the middle of a load, when so many payments are durable; its bulk rate."""
    load = subprocess.Popen(
        [BINARY, "bench", "--url", nostro.url, "--load", "bulk", "--seconds", "3600", "--accounts", str(ACCOUNTS)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    settled = 'nostro_payments_total{status="settled"}'
    began, first = None, 0
    while True:
        now = nostro.metrics()[settled]
        if now > 0 and began is None:
            began, first = time.monotonic(), now
        if now >= payments:
            break
        time.sleep(0.2)
    rate = (now - first) / max(0.001, time.monotonic() - began)
    nostro.end(signal.SIGKILL)
    load.wait()
    return rate


def restart(size):
    """6: the start after kill -9, as it is found, and again without the image, so that every frame is installed."""
    sets = {"book.known_max": max(16_000_000, 2 * size.payments)}
    with Folder() as folder:
        data = folder / "data"
        rate = kill_under_load(Nostro(data, sets), size.payments)
        image = upkeep(data)
        with Nostro(data, sets) as nostro:
            start_s = nostro.start_s
            nostro.get("/readiness")
        proved = subprocess.run([BINARY, "verify", "--data", str(data)], stdout=subprocess.DEVNULL).returncode == 0
        shutil.rmtree(data / "image", ignore_errors=True)
        with Folder() as empty, Nostro(empty / "data", sets) as nostro:
            bare_s = nostro.start_s  # tables of this size, nothing to install
        with Nostro(data, sets) as nostro:
            all_s = nostro.start_s
    installing = size.payments / max(0.001, all_s - bare_s)
    return [row("6", f"start after kill -9 with {size.payments:,} payments", start_s, "s", "<= 10 with 10,000,000",
                start_s <= 10, found=image, start_of_an_empty_one_s=round(bare_s, 2), books_proved=proved),
            row("6", "installing rate / live bulk rate", installing / rate, "x", ">= 1.5", installing >= 1.5 * rate,
                installing_per_second=int(installing), live_per_second=int(rate), start_without_image_s=all_s)]  # fmt: skip


def cpu(size):
    """7: the server's processor time a payment in bulk beside simdjson walking the same bytes."""
    done = subprocess.run([ROOT / "build/release/bench/nostro_bench", "--benchmark_filter=walk_bulk_body",
                           "--benchmark_format=csv"], check=True, capture_output=True, text=True)  # fmt: skip
    titles, *_, values = [line.split(",") for line in done.stdout.splitlines() if line.startswith(("name", '"walk'))]
    walk_us = 1e6 / float(dict(zip(titles, values, strict=True))["items_per_second"])
    found = {}
    for index in ("true", "false"):
        with Folder() as folder, Nostro(folder / "data", {"index.enabled": index}) as nostro:
            fill(nostro, size.payments // 10)
            before = nostro.cpu_s()
            fill(nostro, size.payments)
            if index == "true":
                wait_for_index(nostro)
            found[index] = (nostro.cpu_s() - before) * 1e6 / size.payments
    return [row("7", f"CPU a payment in bulk, {name} / simdjson's walk", found[index] / walk_us, "x", "<= 6",
                found[index] <= 6 * walk_us, server_us=round(found[index], 3), walk_us=round(walk_us, 3))
            for index, name in (("true", "with the index"), ("false", "without the index"))]  # fmt: skip


def bytes_each(size):
    """8: journal and index, a payment."""
    rows = []
    with Folder() as folder, Nostro(folder / "data") as nostro:
        loads = {name: fill(nostro, count, load=name)["journal_bytes_each"]
                 for name, count in (("bulk", size.payments), ("pipelined", size.payments // 10),
                                     ("concurrent", size.payments // 20))}  # fmt: skip
        wait_for_index(nostro)
        data = nostro.data
        nostro.end()  # what the index still has in memory goes to its files
        payments = size.payments + size.payments // 10 + size.payments // 20
        index = bytes_under(data / "index") / payments
        archived = bytes_under(data / "archive")
    alone, alone_archived = bytes_alone()
    loads["alone"] = alone
    for name, each in loads.items():
        rows.append(row("8", f"journal bytes a payment, {name}", each, "B", "<= 400", each <= 400))
    both = loads["bulk"] + index
    rows.append(row("8", "journal (bulk) and index bytes a payment", both, "B", "<= 550", both <= 550,
                    index_bytes=round(index), archived_bytes=archived))  # fmt: skip
    rows.append(row("8", "journal bytes a payment, alone, once its segment is archived", alone_archived, "B", "<= 400",
                    alone_archived <= 400))  # fmt: skip
    return rows


def bytes_alone():
    """Of a payment that shares its frame with no other: in the journal, and once the segment is archived."""
    segment, block = 16 << 20, 4096
    with Folder() as folder, Nostro(folder / "data", {"journal.segment_bytes": "16MiB"}) as nostro:
        # Two segments, and a little of the next: the newest that is closed stays as it is.
        each = fill(nostro, 2 * segment // block + 50, load="single")["journal_bytes_each"]
        until = time.monotonic() + 60
        while upkeep(nostro.data)["segments_archived"] == 0:
            if time.monotonic() > until:
                raise RuntimeError("a closed segment was not archived within a minute")
            time.sleep(0.1)
        wait_for_rest(nostro)
        archived = bytes_under(nostro.data / "archive") / upkeep(nostro.data)["segments_archived"]
    return each, archived * each / segment


def wait_for_rest(nostro, quiet_s=5, patience_s=120):
    """Until it has used next to no processor time for so long: what a load left behind is folded, merged, given back."""
    began = since = time.monotonic()
    used = nostro.cpu_s()
    while time.monotonic() - since < quiet_s and time.monotonic() - began < patience_s:
        time.sleep(1)
        now = nostro.cpu_s()
        if now - used > 0.04:
            since = time.monotonic()
        used = now
    return time.monotonic() - began


def memory(size):
    """9: resident memory with many accounts and as many known ids as it is told to remember, at rest behind the load."""
    with Folder() as folder:
        sets = {"book.accounts_max": size.accounts + 1000, "book.counters_max": 2 * size.accounts + 1000,
                "book.known_max": size.payments}  # fmt: skip
        with Nostro(folder / "data", sets) as nostro:
            at_start = nostro.memory_bytes()
            fill_unhurried(nostro, size.payments, size.accounts)
            loaded = nostro.memory_bytes()
            wait_for_index(nostro)
            rest_s = wait_for_rest(nostro)
            now, most, own = nostro.memory_bytes(), nostro.memory_bytes("VmHWM"), nostro.memory_bytes("RssAnon")
    mib = 2**20
    return [row("9", f"resident with {size.accounts:,} accounts, {size.payments:,} known ids", now / mib, "MiB",
                "<= 1024 with 1,000,000 and 16,000,000", now <= 1024 * mib, at_start_mib=at_start // mib,
                after_load_mib=loaded // mib, rest_s=round(rest_s), most_mib=most // mib, without_files_mib=own // mib)]  # fmt: skip


def index(size):
    """10: how far the index falls behind a full bulk load, how soon it has caught up, and its own pace."""
    with Folder() as folder:
        with Nostro(folder / "data") as nostro:
            load = load_of(bench("--url", nostro.url, "--load", "bulk", "--seconds", size.seconds, "--accounts", ACCOUNTS,
                                 folder=folder), "bulk")  # fmt: skip
            lag, frames = nostro.index_lag(), nostro.metrics()["nostro_journal_accepted_seq"]
            behind = int(load["payments"] * lag / frames)
            began = time.monotonic()
            status, body = nostro.ask("GET", "/v1/payments?rail=internal&status=settled&limit=1")
            tells = status == 200 and b'"as_of":{"seq":' in body
            first_read_ms = (time.monotonic() - began) * 1000
            caught_up_s = time.monotonic() - began + wait_for_index(nostro)
        began = time.monotonic()
        subprocess.run([BINARY, "rebuild", "index", "--data", str(folder / "data")], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        pace = load["payments"] / (time.monotonic() - began)
    return [row("10", "index made anew from the journal", pace, "payments/s", ">= 500000", pace >= 500_000,
                payments=load["payments"]),
            row("10", f"caught up after {size.seconds} s of full bulk load", caught_up_s, "s", f"<= {size.seconds}",
                caught_up_s <= size.seconds, payments_behind=behind, bulk_per_second=load["payments_per_second"],
                reads_say_as_of=tells, first_read_ms=round(first_read_ms, 1))]  # fmt: skip


class Asker:
    """Requests on one connection, timed from the first byte out to the last one in, with little of its own."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, target):
        request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        began = time.perf_counter()
        self.socket.sendall(request)
        answer = self.socket.recv(1 << 20)
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(1 << 20)
        head, _, body = answer.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        parts, missing = [body], int(fields[b"content-length"]) - len(body)
        while missing > 0:
            parts.append(self.socket.recv(missing))
            missing -= len(parts[-1])
        taken = time.perf_counter() - began
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{target}: {head[:200]!r} {body[:300]!r}")
        return taken, b"".join(parts)


def time_text(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e6):06}Z"


def queries(size):
    """10b: what a reader waits for among many payments: one by its id, pages of 50 by account and by rail and status."""
    choice = random.Random(1)
    accounts = max(ACCOUNTS, size.payments // 100)
    with Folder() as folder:
        sets = {"book.accounts_max": accounts + 1000, "book.counters_max": 2 * accounts + 1000}
        with Nostro(folder / "data", sets) as nostro:
            oldest = time.time()
            fill_unhurried(nostro, size.payments, accounts)
            newest = time.time()
            wait_for_index(nostro)
            asker = Asker(nostro.port)
            ids = []
            while len(ids) < size.queries:
                body = asker.get(f"/v1/payments?account=bench-{choice.randrange(accounts):07}&limit=100")[1]
                ids += [part.split(b'"', 1)[0].decode() for part in body.split(b'"payment_id":"')[1:]]
            choice.shuffle(ids)
            kinds = {
                "payment by id": (1, lambda: f"/v1/payments/{ids.pop()}"),
                "page of 50 by account": (3, lambda: f"/v1/payments?account=bench-{choice.randrange(accounts):07}&limit=50"),
                "page of 50 by rail, status and time": (3, lambda: "/v1/payments?rail=internal&status=settled&limit=50&to="
                    + time_text(choice.uniform(oldest, newest))),
            }  # fmt: skip
            rows = []
            for what, (goal_ms, target) in kinds.items():
                asked = [asker.get(target()) for _ in range(size.queries)]
                times = [taken * 1000 for taken, _ in asked]
                found = sum(body.count(b'"payment_id"') for _, body in asked) / len(asked)
                p99 = quantile(times, 0.99)
                rows.append(row("10b", f"{what} among {size.payments:,}: p99", p99, "ms", f"<= {goal_ms}", p99 <= goal_ms,
                                p50_ms=round(quantile(times, 0.5), 3), p100_ms=round(max(times), 3),
                                found_each=round(found, 1)))  # fmt: skip
    return rows


def hidden(size):
    """11: of what was accepted under full load, what had settled when the load ended, by load."""
    rows = []
    for load in ("bulk", "pipelined", "concurrent"):
        with Folder() as folder, Nostro(folder / "data") as nostro:
            waiting, ended = [], threading.Event()

            def watch(port=nostro.port, waiting=waiting, ended=ended):
                asker = Asker(port)
                while not ended.wait(0.5):
                    for line in asker.get("/metrics")[1].decode().splitlines():
                        if line.startswith("nostro_inbox_commands "):
                            waiting.append(float(line.split()[1]))

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                report = bench("--url", nostro.url, "--load", load, "--seconds", size.seconds, "--accounts", ACCOUNTS,
                               folder=folder)  # fmt: skip
            finally:
                ended.set()
                watcher.join()
            found = load_of(report, load)
        ratio = found["settled"] / found["payments"]
        rows.append(row("11", f"settled / accepted over {size.seconds} s, {load}", ratio, "", ">= 0.99", ratio >= 0.99,
                        payments=found["payments"], refused=found["refused_requests"] + found["not_taken"],
                        inbox_most=max(waiting, default=0)))  # fmt: skip
    return rows


MEASURES = {"stalls": stalls, "restart": restart, "cpu": cpu, "bytes": bytes_each, "memory": memory, "index": index,
            "queries": queries, "hidden": hidden}  # fmt: skip
