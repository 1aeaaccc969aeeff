"""A Redis of the test's own, as an operator starts it and looks into it."""

import os
import signal
import subprocess
import time
from pathlib import Path

from program import PATIENCE_S, ROOT

SCRIPT = ROOT / "tools" / "servers" / "redis.sh"


class Redis:
    def __init__(self, folder, *options):
        self.folder = Path(folder)
        self.options = options
        self.start()

    def start(self):
        command = [SCRIPT, "start", "--dir", self.folder, *self.options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stderr
        self.url = done.stdout.splitlines()[-1].removeprefix("NOSTRO_REDIS_URL=")
        self.port = int((self.folder / "port").read_text())
        self.password = (self.folder / "password").read_text().strip()

    def stop(self):
        subprocess.run([SCRIPT, "stop", "--dir", self.folder], check=True, timeout=PATIENCE_S)

    def kill(self):
        pid = int((self.folder / "pid").read_text())
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}/exe").exists():  # until the port is free again
            time.sleep(0.001)

    def cli(self, *words):
        """redis-cli's answer, one text a line."""
        done = subprocess.run(["redis-cli", "-p", str(self.port), *map(str, words)], capture_output=True, text=True,
                              env={**os.environ, "REDISCLI_AUTH": self.password}, timeout=PATIENCE_S)  # fmt: skip
        assert done.returncode == 0 and not done.stdout.startswith(("ERR", "WRONG", "NO")), done
        return done.stdout.removesuffix("\n")

    def keys(self, pattern="*"):
        return {key for key in self.cli("KEYS", pattern).splitlines() if key and not key.startswith("nostro:")}

    def hash(self, key):
        lines = self.cli("HGETALL", key).split("\n")
        return dict(zip(lines[::2], lines[1::2]))


def metric(program, name):
    client = program.client()
    try:
        for line in client.get("/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.removeprefix(name))
    finally:
        client.close()
        program.clients.remove(client)
    raise AssertionError(f"no {name} in /metrics")


def until(holds, say=lambda: ""):
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, say()
        time.sleep(0.002)  # between two looks


def projected(program):
    """Waits until Redis has been told of all that was answered, and so have the lists of HTTP."""
    lags = [f'nostro_feed_lag_frames{{projection="{name}"}}' for name in ("redis", "index")]
    until(lambda: all(metric(program, lag) == 0 for lag in lags), lambda: program.client().get("/readiness").body)


def part(program, name):
    parts = program.client().get("/readiness").json["parts"]
    return next(each for each in parts if each["name"] == name)
