"""What the tests say to nostro over HTTP, and what every answer must look like."""

import http.client
import itertools
import json
import os
import socket
import time
from urllib.parse import urlencode

_numbers = itertools.count()
_run = os.urandom(4).hex()

# Every field of a payment as it is read: null where it does not apply, never absent.
PAYMENT_FIELDS = {
    "payment_id", "status", "reason", "scheme_codes", "reason_class", "debtor_account", "creditor_account", "amount",
    "currency", "rail", "type", "reference", "description", "metadata", "capture", "idempotency_key", "number",
    "accepted_at", "decided_at", "settled_at", "expires_at", "captured_amount", "reversed_amount", "reverses",
    "reversals", "why", "balances", "timeline", "journal",
}  # fmt: skip


def unique(prefix="key"):
    """A name that no other test has used, also not in an earlier run on the same folder."""
    return f"{prefix}-{_run}-{next(_numbers)}"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:2000]!r}>"


class Client:
    """One kept connection."""

    def __init__(self, port, timeout=60):
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def close(self):
        self.connection.close()

    def request(self, method, path, body=None, *, key=None, form="application/json", headers=None, **query):
        if query:
            path += "?" + urlencode(query)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        head = dict(headers or {})
        if body is not None and form is not None:
            head.setdefault("Content-Type", form)
        if key is not None:
            head["Idempotency-Key"] = key
        self.connection.request(method, path, body, head)
        return Answer(self.connection.getresponse())

    def get(self, path, **rest):
        return self.request("GET", path, **rest)

    def post(self, path, body=None, **rest):
        return self.request("POST", path, body, **rest)

    def patch(self, path, body=None, **rest):
        return self.request("PATCH", path, body, **rest)

    def put(self, path, body=None, **rest):
        return self.request("PUT", path, body, **rest)

    # --- what most tests need ---

    def open(self, balance="1000.00", currency="USD", **fields):
        """A fresh account; its name."""
        name = fields.pop("account_id", None) or unique("acc")
        answer = self.post(
            "/v1/accounts", {"account_id": name, "currency": currency, "opening_balance": balance, **fields}
        )
        # It was there already for those alone who ask again what they heard no answer to.
        assert answer.status == 201 or answer.status == 200 and "Idempotent-Replayed" in answer.headers, answer
        return name

    def pair(self, balance="1000.00", currency="USD", **fields):
        return self.open(balance, currency, **fields), self.open("0", currency)

    def pay(self, debtor, creditor, amount="10.00", currency="USD", *, key=None, headers=None, **fields):
        return self.post("/v1/payments", payment(debtor, creditor, amount, currency, **fields),
                         key=key or unique(), headers=headers)  # fmt: skip

    def paid(self, debtor, creditor, amount="10.00", currency="USD", *, status="settled", **rest):
        """The id of a payment that was taken and is in that state."""
        answer = self.pay(debtor, creditor, amount, currency, **rest)
        assert answer.status == 202 and answer.json["status"] == status, answer
        return answer.json["payment_id"]

    def payment(self, payment_id):
        answer = self.get(f"/v1/payments/{payment_id}")
        assert answer.status == 200, answer
        assert answer.json.keys() == PAYMENT_FIELDS
        return answer.json

    def balance(self, account, **query):
        answer = self.get(f"/v1/accounts/{account}/balance", **query)
        assert answer.status == 200, answer
        return answer.json

    def posted(self, account):
        return self.balance(account)["posted"]

    def available(self, account):
        return self.balance(account)["available"]

    def list(self, path, **query):
        """A page of a list, as it is when the list shows all that was decided before. The read waits for that itself, but
        not for an index that is out of its turn for a tenth of a second."""
        seq = self.get("/readiness").json["as_of_seq"]
        deadline = time.monotonic() + 20
        while True:
            answer = self.get(path, **query)
            assert answer.status == 200, answer
            if answer.json["as_of"]["seq"] >= seq or time.monotonic() > deadline:
                return answer

    def readable(self):
        """Lists see everything that was answered before: this read waits for it."""
        self.list("/v1/accounts", limit=1)

    def pages(self, path, **query):
        """All items of a list, page by page."""
        items, cursor = [], None
        while True:
            page = self.list(path, **query, **({"cursor": cursor} if cursor else {})).json
            assert page.keys() == {"data", "next_cursor", "as_of"} and page["as_of"].keys() == {"seq", "at"}
            items += page["data"]
            cursor = page["next_cursor"]
            if not cursor:
                return items


def payment(debtor, creditor, amount="10.00", currency="USD", **fields):
    return {"debtor_account": debtor, "creditor_account": creditor, "amount": amount, "currency": currency, **fields}


def lines(items):
    return "".join(json.dumps(item) + "\n" for item in items)


def check_problem(body, status, code):
    """RFC 9457 with our members."""
    assert (body["status"], body["code"]) == (status, code), body
    assert body["type"] == f"urn:nostro:problem:{code}" and body["title"] and body["detail"], body
    assert isinstance(body["errors"], list)
    for error in body["errors"]:
        assert error.keys() == {"pointer", "code", "detail"} and error["code"] and error["detail"], body
        assert error["pointer"] == "" or error["pointer"].startswith("/"), body


def refused(answer, status, code, *errors):
    """A refusal of that status and code; `errors` are the (pointer, code) pairs it must name, in any order."""
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json", answer
    if status == 503:
        assert int(answer.headers["Retry-After"]) >= 0
    body = answer.json
    check_problem(body, status, code)
    if errors:
        assert sorted((error["pointer"], error["code"]) for error in body["errors"]) == sorted(errors), body
    return body


class Raw:
    """Bytes to a socket, and what comes back until the other side closes."""

    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ended(self):
        """Everything until the end of the connection; a hang is a TimeoutError."""
        data = b""
        try:
            while part := self.socket.recv(65536):
                data += part
        except ConnectionResetError:
            pass
        return data

    def answer(self):
        """One answer; its status, headers, body."""
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        return Answer(response)
