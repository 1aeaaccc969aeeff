"""Brokers of a test's own, which it may kill."""

import logging
import os
import subprocess
import time
from pathlib import Path
from signal import SIGKILL

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from program import PATIENCE_S, ROOT

quiet = logging.Logger("brokers that were killed", logging.CRITICAL)
SCRIPT = ROOT / "tools" / "servers" / "kafka.sh"


class Cluster:
    def __init__(self, folder, *options):
        self.folder, self.options = Path(folder), options
        self.start()

    def _script(self, *words):
        # Not through a pipe: a broker would keep it open.
        with open(self.folder.with_suffix(".out"), "w+") as out:
            subprocess.run([SCRIPT, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=PATIENCE_S)
            out.seek(0)
            return out.read()

    def start(self):
        """Starts what does not run; ends when all take connections."""
        said = self._script("start", "--dir", str(self.folder), *self.options)
        name, _, self.servers = said.strip().rpartition("\n")[2].partition("=")
        assert name == "KAFKA_BOOTSTRAP_SERVERS", said

    def stop(self):
        self._script("stop", "--dir", str(self.folder))

    def pid(self, number):
        return int((self.folder / str(number) / "pid").read_text())

    def signal(self, number, which):
        os.kill(self.pid(number), which)

    def kill(self, number, which=SIGKILL):
        """Ends when its port is free again."""
        pid = self.pid(number)
        os.kill(pid, which)
        subprocess.run(["tail", f"--pid={pid}", "-f", "/dev/null"], timeout=PATIENCE_S, check=True)

    def security(self):
        return dict(line.split("=", 1) for line in (self.folder / "security.env").read_text().split())

    def leader(self, topic):
        """Of its first partition, as soon as the brokers have one."""
        admin = AdminClient({"bootstrap.servers": self.servers, "logger": quiet})
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                partition = admin.list_topics(topic, timeout=5).topics[topic].partitions.get(0)
                if partition and partition.leader > 0:
                    return partition.leader
            except KafkaException:
                pass  # who was asked has just died
            assert time.monotonic() < deadline, f"{topic} has no leader"
