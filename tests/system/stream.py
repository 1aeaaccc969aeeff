"""Server-sent events of /v1/stream, read one by one."""

import http.client
import json
from urllib.parse import urlencode


class Stream:
    """Waits for events by reading; `last` is the Last-Event-ID to go on behind."""

    def __init__(self, port, last=None, timeout=60, **filters):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        query = "?" + urlencode(filters) if filters else ""
        self.connection.request("GET", "/v1/stream" + query, headers={"Last-Event-ID": last} if last else {})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"
        self.last = last
        assert b"retry:" in self._block()  # it listens from here on

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def _block(self):
        block = b""
        while True:
            line = self.response.readline()
            if not line:
                raise EOFError("the stream has ended")
            if line == b"\n" and block:
                return block
            block += line

    def next(self):
        """The next event: its name and its data."""
        while True:
            fields = dict(
                line.split(": ", 1) for line in self._block().decode().splitlines() if not line.startswith(":")
            )
            if "data" in fields:
                self.last = fields.get("id", self.last)
                return fields.get("event"), json.loads(fields["data"])

    def payment(self):
        name, data = self.next()
        assert name == "payment", (name, data)
        place = data["journal"]
        assert self.last == f"{place['seq']}.{place['index']}"
        return data

    def take(self, count):
        return [self.payment() for _ in range(count)]

    def until(self, matches):
        while True:
            event = self.payment()
            if matches(event):
                return event
