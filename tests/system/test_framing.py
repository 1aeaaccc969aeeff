"""Bytes that no honest client sends: a clear answer or a closed connection, never a hang, nobody else disturbed."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import Raw, payment, refused, unique

POST = b"POST /v1/payments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: %s\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


def get(*headers, line=b"GET /health HTTP/1.1", host=b"Host: localhost"):
    return b"\r\n".join([line, *([host] if host else []), *headers, b"", b""])


def post(*headers, body=b"{}"):
    return POST % unique().encode() + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


CORPUS = {
    "both lengths": (post(b"Content-Length: 2", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED), 400),
    "both, other order": (post(b"Transfer-Encoding: chunked", b"Content-Length: 6", body=b"0\r\n\r\nX"), 400),
    "two equal lengths": (post(b"Content-Length: 2", b"Content-Length: 2"), 400),
    "two lengths": (post(b"Content-Length: 2", b"Content-Length: 40", body=b"{}" + SMUGGLED), 400),
    "a list of lengths": (post(b"Content-Length: 2, 2"), 400),
    "a negative length": (post(b"Content-Length: -2"), 400),
    "a signed length": (post(b"Content-Length: +2"), 400),
    "a hexadecimal length": (post(b"Content-Length: 0x2"), 400),
    "a length with a leading zero": (post(b"Content-Length: 02"), 400),
    "an endless length": (post(b"Content-Length: " + b"9" * 40), 400),
    "an empty length": (post(b"Content-Length:"), 400),
    "another transfer coding": (post(b"Transfer-Encoding: gzip, chunked"), 501),
    "an unknown transfer coding": (post(b"Transfer-Encoding: xchunked"), 501),
    "chunked twice": (post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400),
    "a coding with a tab in front": (post(b"Transfer-Encoding:\x0bchunked"), 400),
    "a space before the colon": (post(b"Content-Length : 2"), 400),
    "a bare LF behind a header": (b"GET /health HTTP/1.1\r\nHost: localhost\n\r\n", 400),
    "bare LF everywhere": (b"GET /health HTTP/1.1\nHost: localhost\n\n", 400),
    "a bare CR": (get(b"X: a\rb"), 400),
    "a folded header": (get(b"X: a\r\n folded"), 400),
    "a header without a colon": (get(b"nonsense"), 400),
    "a header without a name": (get(b": x"), 400),
    "a NUL in a header": (get(b"X: a\x00b"), 400),
    "no host": (get(host=None), 400),
    "two hosts": (get(b"Host: localhost"), 400),
    "a host that is none": (get(host=b"Host: a b"), 400),
    "a target for another host": (get(line=b"GET http://evil.example/health HTTP/1.1"), 400),
    "HTTP/1.0": (get(line=b"GET /health HTTP/1.0"), 505),
    "HTTP/2 by prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "no version": (b"GET /health\r\n\r\n", 400),
    "two spaces": (get(line=b"GET  /health HTTP/1.1"), 400),
    "a method that is none": (get(line=b"G(T /health HTTP/1.1"), 400),
    "a TLS greeting": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), 400),
    "a path with dots": (get(line=b"GET /v1/../health HTTP/1.1"), 400),
    "a path with coded dots": (get(line=b"GET /v1/%2e%2e/health HTTP/1.1"), 400),
    "a path with a coded slash": (get(line=b"GET /v1%2fpolicies HTTP/1.1"), 400),
    "a path with a bad code": (get(line=b"GET /%zz HTTP/1.1"), 400),
    "a path with a coded NUL": (get(line=b"GET /%00 HTTP/1.1"), 400),
    "a path with raw bytes": (get(line=b"GET /\xff HTTP/1.1"), 400),
    "a target without an end": (b"GET /" + b"a" * 70_000, 414),
    "headers without an end": (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000, 431),
    "a thousand headers": (get(*[b"X-%d: x" % n for n in range(1000)]), 431),
    "a body where none is taken": (b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n", 400),
    "a body of 10 GB": (post(b"Content-Length: 10000000000", body=b""), 413),
    "a batch over 16 MiB": (post(b"Content-Length: 16777217", body=b"").replace(b"/payments ", b"/payments/batch "),
                            413),
    "a chunk size that is none": (post(b"Transfer-Encoding: chunked", body=b"x\r\n{}\r\n0\r\n\r\n"), 400),
    "a negative chunk": (post(b"Transfer-Encoding: chunked", body=b"-1\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk size that overflows": (post(b"Transfer-Encoding: chunked", body=b"10000000000000002\r\n{}\r\n"), 400),
    "a chunk longer than its size": (post(b"Transfer-Encoding: chunked", body=b"1\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk line with a bare LF": (post(b"Transfer-Encoding: chunked", body=b"2\n{}\r\n0\r\n\r\n"), 400),
    "a quoted chunk extension": (post(b"Transfer-Encoding: chunked", body=b'2;a="\r\n"\r\n{}\r\n0\r\n\r\n'), 400),
    "a space behind the chunk size": (post(b"Transfer-Encoding: chunked", body=b"2 \r\n{}\r\n0\r\n\r\n"), 400),
    "a chunked body over its bound": (post(b"Transfer-Encoding: chunked", body=b"20000\r\n"), 413),
    "endless trailers": (post(b"Transfer-Encoding: chunked", body=b"0\r\n" + b"X: y\r\n" * 20_000), 400),
    "a header folded with a tab": (get(b"X: a\r\n\tfolded"), 400),
    "a first header that is folded": (b"GET /health HTTP/1.1\r\n X: a\r\nHost: localhost\r\n\r\n", 400),
    "a space in a header's name": (get(b"X Y: a"), 400),
    "brackets in a header's name": (get(b"X[1]: a"), 400),
    "a DEL in a header": (get(b"X: a\x7fb"), 400),
    "a length and a half": (post(b"Content-Length: 2.0"), 400),
    "two lengths in one": (post(b"Content-Length: 2 2"), 400),
    "a length and a comma": (post(b"Content-Length: 2,"), 400),
    "chunked that is not the last coding": (post(b"Transfer-Encoding: chunked, gzip"), 501),
    "no transfer coding": (post(b"Transfer-Encoding:"), 501),
    "a host and a bad port": (get(host=b"Host: localhost:99999999"), 400),
    "an empty host": (get(host=b"Host:"), 400),
    "a target that is a word": (get(line=b"GET health HTTP/1.1"), 400),
    "a fragment in the target": (get(line=b"GET /health#x HTTP/1.1"), 400),
    "a tab in the request line": (get(line=b"GET\t/health HTTP/1.1"), 400),
    "a version in small letters": (get(line=b"GET /health http/1.1"), 400),
    "a bad trailer": (post(b"Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\nno colon\r\n\r\n"), 400),
}  # fmt: skip


@pytest.mark.parametrize("name", CORPUS)
def test_bad_framing_gets_one_clear_answer_and_a_closed_connection(api, shared, name):
    data, status = CORPUS[name]
    with Raw(shared.port) as raw:
        try:
            raw.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered before it heard the end
        answer = raw.answer()
        assert answer.status == status, (name, answer)
        assert answer.headers["Content-Type"] == "application/problem+json" and answer.headers["Connection"] == "close"
        assert answer.json["status"] == status and answer.json["code"] and answer.json["detail"]
        assert raw.ended() == b"", "what follows bad framing is no request"
    assert api.get("/health").status == 200


# What is framed well is refused without a loss: the next request on the connection is served.
UNDERSTOOD = {
    "a host that is not ours": (get(host=b"Host: evil.example"), 421),
    "another Expect": (post(b"Expect: 200-ok", b"Content-Length: 2"), 417),
    "no length at all": (post(body=b""), 411),
    "an empty body": (post(b"Content-Length: 0", body=b""), 400),
    "a chunked empty body": (post(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    "a method that is not known": (get(line=b"BREW /health HTTP/1.1"), 501),
    "a path that is not there": (get(line=b"GET /nothing HTTP/1.1"), 404),
    "a form that is not taken": (post(b"Content-Type: text/plain", b"Content-Length: 2").replace(
        b"Content-Type: application/json\r\n", b""), 415),
}  # fmt: skip


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_a_refusal_that_is_framed_well_keeps_the_connection_in_step(shared, name):
    data, status = UNDERSTOOD[name]
    with Raw(shared.port) as raw:
        raw.send(data + get(b"Connection: close"))
        text = raw.ended()
    first = text[: text.index(b"\r\n\r\n")]
    closes = b"\r\nConnection: close" in first
    assert re.findall(rb"HTTP/1\.1 (\d+) ", text) == [b"%d" % status] + ([] if closes else [b"200"]), text
    assert b"application/problem+json" in first


def test_good_but_unusual_framing_is_understood(api, shared):
    debtor, creditor = api.pair()
    body = json.dumps(payment(debtor, creditor, "1.00")).encode()
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(body[n : n + 7]), body[n : n + 7]) for n in range(0, len(body), 7))
    with Raw(shared.port) as raw:
        for request in (
            b"\r\n" + get(b"X:  y\t", line=b"GET http://LOCALHOST/health HTTP/1.1", host=b"host: LOCALHOST"),
            post(b"Transfer-Encoding: Chunked", body=chunks + b"0\r\nX-Trailer: y\r\n\r\n"),
            post(b"Content-Length: %d" % len(body), body=body),
        ):
            raw.send(request)
            assert raw.answer().status in (200, 202)
        raw.send(POST % unique().encode() + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
        assert raw.socket.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.send(body)
        assert raw.answer().status == 202
        raw.send(get(b"Connection: close"))
        answer = raw.answer()
        assert answer.status == 200 and answer.headers["Connection"] == "close" and raw.ended() == b""
    assert api.posted(creditor) == "3.00"


def test_pipelined_requests_are_answered_in_order(api, shared):
    debtor, creditor = api.pair()
    body = json.dumps(payment(debtor, creditor, "0.01")).encode()
    pay = [post(b"Content-Length: %d" % len(body), body=body) for _ in range(200)]
    with Raw(shared.port) as raw, ThreadPoolExecutor(1) as writer:
        sent = writer.submit(raw.send, b"".join(one + get() for one in pay) + get(b"Connection: close"))
        text = raw.ended()
        sent.result()
    assert re.findall(rb"HTTP/1\.1 (\d+) ", text) == [b"202", b"200"] * 200 + [b"200"]
    assert api.posted(creditor) == "2.00"


def test_a_byte_at_a_time_is_a_request_too(api, shared):
    debtor, creditor = api.pair()
    body = json.dumps(payment(debtor, creditor, "1.00")).encode()
    with Raw(shared.port) as raw:
        for byte in post(b"Content-Length: %d" % len(body), body=body):
            raw.send(bytes([byte]))
        assert raw.answer().status == 202


def test_slow_clients_are_let_go_and_disturb_nobody(nostro):
    # The last one is for those who keep in step, too: between a connection and its first byte a client may be out of turn.
    program = nostro(sets={"server.head_timeout": "300ms", "server.body_timeout": "300ms",
                           "server.idle_timeout": "5s"})  # fmt: skip
    api = program.client()
    debtor, creditor = api.pair()
    for begun, answered in ((b"GET /hea", True), (post(b"Content-Length: 100", body=b"{"), True),
                            (post(b"Transfer-Encoding: chunked", body=b"5\r\n{"), True), (b"", False)):  # fmt: skip
        with Raw(program.port) as raw:
            raw.send(begun)
            if answered:
                assert raw.answer().status == 408
            assert raw.ended() == b""
        program.client().paid(debtor, creditor)


def test_connections_that_end_in_the_middle_leave_nothing_half_done(nostro):
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair()
    body = json.dumps(payment(debtor, creditor, "1.00")).encode()
    whole = post(b"Content-Length: %d" % len(body), body=body)
    for cut in range(0, len(whole), 7):
        with Raw(program.port) as raw:
            raw.send(whole[:cut])
    assert api.posted(creditor) == "0.00"


def test_more_connections_than_allowed_are_told_so(nostro):
    program = nostro(sets={"server.connections_max": "3"})
    held = [Raw(program.port) for _ in range(3)]
    for raw in held:
        raw.send(get())
        assert raw.answer().status == 200
    with Raw(program.port) as raw:
        assert refused(raw.answer(), 503, "overloaded")
        assert raw.ended() == b""
    held[0].send(get())
    assert held[0].answer().status == 200
    for raw in held:
        raw.socket.close()


@pytest.mark.parametrize("origin, status", [("http://evil.example", 403), ("null", 403)])
def test_a_page_of_another_origin_changes_nothing(api, origin, status):
    debtor, creditor = api.pair()
    answer = api.pay(debtor, creditor, headers={"Origin": origin})
    refused(answer, status, "cross_origin")
    assert api.pay(debtor, creditor, headers={"Origin": f"http://127.0.0.1:{api.port}"}).status == 202
    assert api.posted(creditor) == "10.00"
