"""A PostgreSQL of the tests' own, as an operator starts it and looks into it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

from program import PATIENCE_S, ROOT

SCRIPT = ROOT / "tools" / "servers" / "postgres.sh"
SOON = {"postgres.connect_tries": "2", "postgres.connect_pause": "10ms"}  # a server that is away is told at once


class Postgres:
    def __init__(self, enter=()):
        """`enter`: what its commands begin with."""
        self.enter = enter
        # Not below pytest's folders: the server's user may not enter those of root. In memory where ./dev test has found
        # room there: making and dropping a database waits for the disk most of all.
        self.folder = Path(tempfile.mkdtemp(prefix="nostro-postgres-", dir=os.environ.get("NOSTRO_MEMORY")))
        self.start()

    def start(self):
        done = self._script("start")
        assert done.returncode == 0, done.stderr
        self.url = done.stdout.splitlines()[-1].removeprefix("NOSTRO_POSTGRES_URL=")
        self.port = urlsplit(self.url).port

    def stop(self, *options):
        done = self._script("stop", *options)
        assert done.returncode == 0, done.stderr

    def crash(self):
        self.stop("--immediate")

    def kill(self):
        """Ends when no process of the server is left: until then its memory is taken."""
        first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(first, signal.SIGSTOP)  # nobody who connects meanwhile gets a process that is not in the list
        group = [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]
        os.kill(first, signal.SIGKILL)
        for pid in group:
            subprocess.run(["tail", f"--pid={pid}", "-f", "/dev/null"], timeout=PATIENCE_S, check=True)

    def _script(self, *words):
        return subprocess.run(
            [*self.enter, SCRIPT, words[0], "--dir", self.folder, *words[1:]], capture_output=True, text=True, timeout=PATIENCE_S
        )

    def end(self):
        self.stop("--immediate")
        shutil.rmtree(self.folder)

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def address(self, database="postgres", role=None, password=None):
        mine = urlsplit(self.url)
        role, password = role or mine.username, password or mine.password
        return f"postgresql://{quote(role)}:{quote(password)}@127.0.0.1:{self.port}/{database}"

    def psql(self, *commands, **where):
        """What psql prints, as a person would see it."""
        words = [word for each in commands for word in ("-c", each)]
        done = subprocess.run(["psql", "-X", self.address(**where), "-v", "ON_ERROR_STOP=1", "-P", "pager=off", *words],
                              capture_output=True, text=True, timeout=PATIENCE_S)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, query, **where):
        """Lists of texts; NULL is None."""
        done = subprocess.run(["psql", "-X", self.address(**where), "-v", "ON_ERROR_STOP=1", "-At", "-F", "\x1f", "-R",
                               "\x1e", "-P", "null=\x1d", "-c", query], capture_output=True, text=True,
                              timeout=PATIENCE_S)  # fmt: skip
        assert done.returncode == 0, done.stderr
        lines = done.stdout.removesuffix("\n").split("\x1e") if done.stdout.strip("\n") else []
        return [[None if cell == "\x1d" else cell for cell in line.split("\x1f")] for line in lines]

    def one(self, query, **where):
        return self.rows(query, **where)[0][0]

    def forget(self):
        """As it was when it was made."""
        self.psql("DROP SCHEMA IF EXISTS nostro, nostro_journal CASCADE")
        for (name,) in self.rows("SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"):
            self.psql(f'DROP DATABASE "{name}" WITH (FORCE)')
        for (name,) in self.rows("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"):
            self.psql(f'DROP OWNED BY "{name}"', f'DROP ROLE "{name}"')  # rights on settings hold it, too


def until(what, seconds=PATIENCE_S):
    """Asks until the answer is true, and gives it."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.005)
    return answer


def part(client, name):
    """Of /readiness."""
    return next(each for each in client.get("/readiness").json["parts"] if each["name"] == name)


def lag(client, projection="postgres"):
    """Frames that it has not taken, by /metrics."""
    for line in client.get("/metrics").body.decode().splitlines():
        if line.startswith(f'nostro_feed_lag_frames{{projection="{projection}"}}'):
            return int(line.split()[-1])
    raise AssertionError(f"there is no lag of {projection}")


def projected(client, projection="postgres"):
    """Waits until SQL has all that was answered so far, and so have the lists of HTTP."""
    until(lambda: lag(client, projection) == 0 and lag(client, "index") == 0)
