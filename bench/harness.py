"""What the measuring scripts share: a nostro of one's own, its load generator, quantiles and tables."""

import http.client
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BINARY = os.environ.get("NOSTRO_BIN", str(ROOT / "build" / "release" / "nostro"))
PATIENCE_S = 600


def on_two_cores():
    """What is measured, whoever drives it and every peer run on the same two processors from now on: the goals are for
    two."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def note(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


class Folder:
    """A folder on the disk that is measured (the current one's), gone at the end."""

    def __init__(self, under=None):
        self.path = Path(tempfile.mkdtemp(prefix="nostro-measure-", dir=under or os.getcwd()))
        self.path.chmod(0o755)  # PostgreSQL runs as a user of its own below it

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


class Nostro:
    """nostro serve on a free port."""

    def __init__(self, data, sets=None):
        self.data = Path(data)
        words = [word for key, value in {"log.level": "warn", **(sets or {})}.items()
                 for word in ("--set", f"{key}={value}")]  # fmt: skip
        self.began = time.monotonic()
        self.process = subprocess.Popen([BINARY, "serve", "--data", str(data), "--listen", "127.0.0.1:0", *words],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)  # fmt: skip
        line = self._line()
        self.start_s = time.monotonic() - self.began  # until it listens
        self.url = line.removeprefix("nostro listens on ").strip()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.connection = None

    def _line(self):
        text = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not text.endswith(b"\n"):
                if not selector.select(PATIENCE_S):
                    raise TimeoutError("nostro neither listens nor ends")
                part = os.read(self.process.stdout.fileno(), 4096)
                if not part:
                    raise RuntimeError("nostro ended instead of listening; its own words stand above")
                text += part
        return text.decode().splitlines()[0]

    def ask(self, method, target, body=None, headers=None):
        """Status and body as bytes, on a connection that is kept."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        self.connection.request(method, target, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def get(self, target):
        status, body = self.ask("GET", target)
        if status != 200:
            raise RuntimeError(f"GET {target}: {status} {body[:300]}")
        return body

    def metrics(self):
        samples = {}
        for line in self.get("/metrics").decode().splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def cpu_s(self):
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self, of="VmRSS"):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(of + ":"):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"no {of}")

    def index_lag(self):
        """Frames that are durable and not in the index yet."""
        samples = self.metrics()
        return samples["nostro_journal_accepted_seq"] - samples['nostro_feed_frames_total{projection="index"}']

    def end(self, number=signal.SIGTERM):
        if self.connection is not None:
            self.connection.close()
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_S)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def bench(*arguments, folder=None):
    """nostro bench with these options: its report. Raw writes are measured in `folder`."""
    done = subprocess.run([BINARY, "bench", "--json", *map(str, arguments)], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"nostro bench {' '.join(map(str, arguments))}: {done.stderr.strip()[-1000:]}")
    return json.loads(done.stdout)


def load_of(report, name):
    return next(load for load in report["loads"] if load["load"] == name)


def quantile(values, q):
    """The smallest value that at least the share `q` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(len(ordered) * q * 1000) // 1000) - 1))]


def table(rows, titles):
    """Left the texts, right the numbers."""
    cells = [titles, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(titles))]
    numbers = [all(row[i][:1] in "0123456789-" for row in cells[1:] if row[i]) for i in range(len(titles))]
    lines = []
    for row in cells:
        parts = [cell.rjust(width) if number else cell.ljust(width)
                 for cell, width, number in zip(row, widths, numbers, strict=True)]  # fmt: skip
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def machine_text(machine):
    raw = machine["raw_write_us"]
    return (f"{machine['cores']} cores {machine['processor']}, {machine['memory_bytes'] / 2**30:.1f} GiB, "
            f"{machine['file_system']}, Linux {machine['kernel']}; raw 4 KiB {raw['way']} write "
            f"p50 {raw['p50']} us, p99 {raw['p99']} us; load average {os.getloadavg()[0]:.1f}")  # fmt: skip
