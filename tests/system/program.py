"""A real nostro in a folder of its own, and its command line."""

import os
import selectors
import signal
import subprocess
import time
from pathlib import Path

from client import Client

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("NOSTRO_BIN", str(ROOT / "build" / "release" / "nostro"))
PATIENCE_S = 120  # nothing waits so long unless something is broken

# Tables of a size that is filled with zeros in no time.
SMALL = {
    "book.accounts_max": "10000",
    "book.counters_max": "20000",
    "book.known_max": "1000000",  # more than all tests together spend before a segment is full and its ids leave memory
    "journal.segment_bytes": "16MiB",
    "server.fresh_wait": "10s",  # a thread that gets no processor is behind, and no test is about that
}

started = []  # since the test began; the report of a failure shows what they logged


def environment(more=None):
    """Ours without the settings that somebody has in theirs."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NOSTRO_", "KAFKA_"))}
    return {**clean, **(more or {})}


def settings(sets):
    return [word for key, value in sets.items() for word in ("--set", f"{key}={value}")]


def run(*arguments, env=None, input=None, timeout=PATIENCE_S, cwd=None):
    """The command line; its exit code, stdout and stderr as text."""
    return subprocess.run(
        [BINARY, *map(str, arguments)], env=environment(env), input=input, timeout=timeout, cwd=cwd,
        stdin=subprocess.DEVNULL if input is None else None, capture_output=True, text=True,
    )  # fmt: skip


class Program:
    """nostro serve, or another command that listens. `url` is None when it ended instead.

    A worker that keeps nothing has no folder; `data` names its log alone then.
    """

    def __init__(self, data, *arguments, sets=None, listen="127.0.0.1:0", env=None, prefix=(), words=("serve",), folder=True):
        self.data = Path(data)
        self.log = self.data.with_name(f"{self.data.name}.{len(started)}.stderr")
        command = [*prefix, BINARY, *words, *(["--data", str(data)] if folder else []), *arguments]
        if listen is not None:
            command += ["--listen", listen]
        with open(self.log, "wb") as stderr:
            self.process = subprocess.Popen(
                [*command, *settings({**SMALL, **(sets or {})})], env=environment(env), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=stderr,
            )  # fmt: skip
        started.append(self)
        self.clients = []
        self.said = self._line()
        line = self.said and self.said.splitlines()[0]
        self.url = line.removeprefix("nostro listens on ").strip() if line else None
        self.port = int(self.url.rsplit(":", 1)[1]) if line else None
        if line is None:
            self.process.wait(PATIENCE_S)

    def _line(self):
        deadline = time.monotonic() + PATIENCE_S
        text = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not text.endswith(b"\n"):
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise TimeoutError(f"nostro neither listens nor ends; it says: {self.stderr}")
                part = os.read(self.process.stdout.fileno(), 4096)
                if not part:
                    return None
                text += part
        return text.decode()

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process.poll() is None

    @property
    def code(self):
        return self.process.returncode

    @property
    def stderr(self):
        return self.log.read_text(errors="replace")

    def client(self, timeout=60):
        self.clients.append(Client(self.port, timeout))
        return self.clients[-1]

    def end(self, number=signal.SIGTERM):
        """Sends the signal and waits; the exit code."""
        for client in self.clients:
            client.close()
        if self.running:
            self.process.send_signal(number)
            try:
                self.process.wait(PATIENCE_S)
            finally:
                self.process.kill()
        self.process.stdout.close()
        return self.code

    def kill(self):
        assert self.end(signal.SIGKILL) == -signal.SIGKILL

    def stop(self):
        assert self.end() == 0, f"exit code {self.code}: {self.stderr}"
