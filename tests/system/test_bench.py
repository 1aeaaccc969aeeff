"""nostro bench: against a running program, with one of its own, and against a server that is no nostro."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from program import BINARY, PATIENCE_S, ROOT, SMALL, environment, run, settings

QUANTILES = ["p50", "p90", "p99", "p99_9", "p100"]
SMALL_BENCH = ["--accounts", 100, "--json"]


def loads(done):
    assert done.returncode == 0, done
    report = json.loads(done.stdout)
    assert report["machine"]["cores"] > 0 and report["machine"]["raw_write_us"]["p50"] > 0, report
    return {load["load"]: load for load in report["loads"]}


def check(load, payments):
    """What holds of every load against a nostro, whatever the machine."""
    assert load["payments"] == payments and load["settled"] == payments and load["settled_ratio"] == 1, load
    assert load["requests"] == payments // load["batch"] and load["refused_requests"] == load["not_taken"] == 0, load
    assert load["first_refusal"] == "" and load["payments_per_second"] > 0 and load["bytes_sent"] > 100 * payments < load["bytes_received"], load
    times = [load["latency_us"][name] for name in QUANTILES]
    assert times == sorted(times) and times[0] > 0, load
    stages = {stage["stage"]: stage for stage in load["stages"]}
    assert {"request", "decide", "journal"} <= set(stages), load
    assert stages["request"]["count"] == load["requests"] and stages["decide"]["count"] == load["frames"], load
    for stage in stages.values():
        assert 0 < stage["p50_us"] <= stage["p90_us"] <= stage["p99_us"] <= stage["p100_at_most_us"], stage
    assert load["journal_bytes_each"] > 50 and load["server_memory_bytes"] > 1 << 20, load
    assert load["client_cpu_us_each"] > 0 and load["server_cpu_us_each"] is not None, load


def test_each_load_against_a_running_program(nostro):
    program = nostro()
    found = loads(run("bench", "--url", program.url, "--payments", 3000, "--batch", 1, *SMALL_BENCH))
    assert {name: (load["connections"], load["pipeline"]) for name, load in found.items()} == {
        "single": (1, 1), "concurrent": (64, 1), "pipelined": (16, 16), "bulk": (8, 1)}  # fmt: skip
    for load in found.values():
        check(load, 3000)
        assert load["loop"] == "closed", load
    bulk = loads(run("bench", "--url", program.url, "--payments", 3000, "--load", "bulk", "--batch", 500,
                     "--connections", 2, *SMALL_BENCH))["bulk"]  # fmt: skip
    check(bulk, 3000)
    program.stop()
    proved = run("verify", "--data", program.data, "--json")
    assert proved.returncode == 0, proved
    report = json.loads(proved.stdout)
    assert report["proved"] and report["payments"] == 5 * 3000, report


def test_an_open_loop_sends_what_is_due_and_tells_how_late_it_was(shared):
    done = run("bench", "--url", shared.url, "--load", "concurrent", "--rate", 1000, "--seconds", 1, *SMALL_BENCH)
    load = loads(done)["concurrent"]
    assert load["loop"] == "open" and load["rate"] == 1000, load
    # What found no free connection until the end is told, not forgotten.
    assert load["requests"] + load["unsent"] == 1000, load
    check(load, load["requests"])
    late = [load["lateness_us"][name] for name in QUANTILES]
    assert late == sorted(late), load
    # A latency counts from when the request was due, so none is less than its own lateness.
    assert load["latency_us"]["p100"] >= load["lateness_us"]["p100"], load
    # Of its lateness, what no busy connection was the reason for; and what the machine does to a thread that only sleeps.
    own, machine, writes = ([load[each][name] for name in QUANTILES]
                            for each in ("own_lateness_us", "machine_late_us", "machine_write_us"))  # fmt: skip
    assert own == sorted(own) and own[-1] <= late[-1], load
    assert machine == sorted(machine) and writes == sorted(writes) and machine[-1] > 0 < writes[-1], load
    assert load["machine_late_at_real_time_priority"] in (True, False), load


def test_people_are_told_whose_lateness_it_was(shared):
    done = run("bench", "--url", shared.url, "--load", "concurrent", "--rate", 1000, "--seconds", 1, "--accounts", 100)
    assert done.returncode == 0, done
    assert "while a connection was free" in done.stdout and "a thread that only sleeps" in done.stdout, done
    assert "raw 4 KiB writes meanwhile" in done.stdout, done


@pytest.mark.parametrize("journal", ["segment", "memory"])
def test_a_program_of_its_own_whose_books_are_proved(tmp_path, journal):
    prove = ["--prove"] if journal == "segment" else []
    done = run("bench", "--load", "bulk", "--payments", 20_000, "--hot", 50, "--journal", journal, *prove, *SMALL_BENCH,
               *settings(SMALL), cwd=tmp_path)  # fmt: skip
    check(loads(done)["bulk"], 20_000)
    assert json.loads(done.stdout)["books_proved"] is (True if prove else None)
    assert not list(tmp_path.iterdir()), "its folder is left behind"


def test_people_see_the_books_proved_and_a_bar(tmp_path):
    done = run("bench", "--load", "pipelined", "--payments", 500, "--accounts", 100, "--prove", *settings(SMALL),
               cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done
    assert "books proved: 500 payments" in done.stdout and "################" in done.stdout, done
    assert "100.00 %" in done.stdout and "raw 4 KiB" in done.stdout, done


class Empty(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    paths = set()
    amounts = []

    def do_POST(self):
        self.paths.add(self.path)
        self.amounts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["amount"])
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.paths.add(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def test_any_http_server_can_be_measured_by_the_same_client():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    Empty.paths.clear()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/empty"
        load = loads(run("bench", "--plain", url, "--load", "single", "--payments", 50, "--json"))["single"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert load["payments"] == 50 and load["settled"] is None and load["stages"] == [], load
    assert Empty.paths == {"/empty"} and all(Empty.amounts)


def test_a_body_of_ones_own_is_sent_with_new_digits():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    Empty.paths.clear()
    Empty.amounts.clear()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        found = loads(run("bench", "--plain", f"http://127.0.0.1:{server.server_port}/own", "--body", '{"amount":"1##.##"}',
                          "--load", "single", "--payments", 50, "--json"))  # fmt: skip
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert found["single"]["payments"] == 50 and found["single"]["refused_requests"] == 0, found
    assert len(set(Empty.amounts)) > 40 and all(100 <= float(each) < 200 for each in Empty.amounts)


def test_paths_of_a_file_are_read_in_any_order(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    Empty.paths.clear()
    paths = tmp_path / "paths"
    paths.write_text("".join(f"/at/{number:02}\n" for number in range(20)))
    words = ["bench", "--plain", f"http://127.0.0.1:{server.server_port}", "--get", paths, "--load", "single", "--json"]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        found = loads(run(*words, "--payments", 150))
        paths.write_text("/at/1\n/at/10\n")
        uneven = run(*words)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert found["single"]["payments"] == 150 and found["single"]["refused_requests"] == 0, found
    assert Empty.paths == {f"/at/{number:02}" for number in range(20)}
    assert uneven.returncode == 2 and "line 2" in uneven.stderr, uneven


@pytest.mark.parametrize("arguments, word", [
    (["--url", "http://127.0.0.1:1", "--plain", "http://127.0.0.1:1"], "exclude each other"),
    (["--url", "http://127.0.0.1:1", "--journal", "memory"], "server of its own"),
    (["--journal", "memory", "--prove"], "nothing to prove"),
    (["--body", "{}"], "--plain names"),
    (["--get", "/no/such/file", "--plain", "http://127.0.0.1:1"], "cannot be read"),
    (["--body", "{}", "--plain", "http://127.0.0.1:1", "--load", "bulk"], "one request each"),
])  # fmt: skip
def test_what_does_not_go_together_is_told(arguments, word):
    done = run("bench", *arguments)
    assert done.returncode == 2 and word in done.stderr, done


def test_nobody_who_listens_is_told():
    done = run("bench", "--plain", "http://127.0.0.1:1/x", "--seconds", 1)
    assert done.returncode == 3 and "127.0.0.1:1" in done.stderr, done


def test_the_programs_that_measure_the_goals_run():
    """At a size that says nothing of speed: they must not rot between the days on which somebody measures."""
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "goals", "bytes", "queries", "--payments", "20000", "--queries", "20", "--json",
         "-"], env=environment({"NOSTRO_BIN": BINARY}), capture_output=True, text=True, timeout=4 * PATIENCE_S)  # fmt: skip
    assert done.returncode == 0, done
    rows = json.loads(done.stdout)["rows"]
    assert [each["goal"] for each in rows] == ["8"] * 6 + ["10b"] * 3, rows
    assert all(each["value"] > 0 and isinstance(each["reached"], bool) for each in rows), rows
    assert rows[6]["found_each"] == 1 and rows[8]["found_each"] > 1, rows
