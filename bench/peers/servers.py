"""The peers, from Debian's packages: each with a folder and a port of its own, never as a service of the system."""

import csv
import io
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ACCOUNTS = 10_000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended instead of listening")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"{process.args[0]} does not listen on {port}")


class Process:
    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for(self.port, self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)


class Nginx(Process):
    """Answers every request by an empty 202, as one who does nothing else could."""

    def __init__(self, folder, workers=2):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1/payments"
        config = folder / "nginx.conf"
        config.write_text(f"""
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{self.port};
        location / {{ return 202; }}
    }}
}}
""")
        super().__init__("nginx", "-c", str(config), "-e", str(folder / "nginx.log"))


class Redis(Process):
    """Every SET is in the append-only file, and that on disk, before it is answered."""

    def __init__(self, folder):
        self.port = free_port()
        super().__init__("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder),
                         "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no",
                         "--loglevel", "warning")  # fmt: skip

    def sets_per_second(self, seconds, connections=16, pipeline=16, value_bytes=200):
        def run(count):
            done = subprocess.run(
                ["redis-benchmark", "-p", str(self.port), "-t", "set", "-c", str(connections), "-P", str(pipeline),
                 "-d", str(value_bytes), "-r", "100000000", "-n", str(count), "--csv"],
                check=True, capture_output=True, text=True)  # fmt: skip
            row = list(csv.DictReader(io.StringIO(done.stdout)))[0]
            return float(row["rps"])

        # It knows counts only: a short run tells how many fill the time.
        return run(int(max(20_000, run(20_000) * seconds)))


class Postgres:
    """A stored procedure settles one payment a call: unique key, two entries, balances, audit row, one commit."""

    def __init__(self, folder):
        self.folder = folder / "postgres"
        self.folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.user = []
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        self._program("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "--auth=trust", "--no-sync")
        with open(self.folder / "data" / "postgresql.conf", "a") as file:
            file.write(f"""
listen_addresses = ''
port = {self.port}
unix_socket_directories = '{self.folder}'
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
shared_buffers = 512MB
max_wal_size = 4GB
""")
        self._control("start")
        self._program("psql", *self._where(), "-q", "-v", "ON_ERROR_STOP=1", "-v", f"accounts={ACCOUNTS}",
                      "-f", str(HERE / "settle.sql"))  # fmt: skip
        self._control("stop")

    def __enter__(self):
        self._control("start")
        return self

    def __exit__(self, *_):
        self._control("stop")

    def settled_per_second(self, seconds, clients=8):
        done = self._program("pgbench", *self._where(), "-n", "-M", "prepared", "-c", str(clients), "-j", "1",
                             "-T", str(seconds), "-D", f"accounts={ACCOUNTS}", "-f", str(HERE / "settle.pgbench"))  # fmt: skip
        if re.search(r"number of failed transactions: [1-9]", done):
            raise RuntimeError(done)
        return float(re.search(r"tps = ([0-9.]+)", done)[1])

    def _where(self):
        return ["-h", str(self.folder), "-p", str(self.port), "-U", "postgres"]

    def _control(self, what):
        self._program("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m" if what == "stop" else "-l",
                      "fast" if what == "stop" else str(self.folder / "log"), what)  # fmt: skip

    def _program(self, name, *arguments):
        path = self.programs / name
        # Not into pipes: a server that pg_ctl has started would hold them open.
        with open(self.folder.parent / f"{name}.out", "w+") as output:
            done = subprocess.run([*self.user, str(path), *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                                  stdout=output, stderr=subprocess.STDOUT)  # fmt: skip
            output.seek(0)
            text = output.read()
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {text[-2000:]}")
        return text
