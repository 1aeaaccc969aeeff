"""Health, readiness, metrics, the contract, and the pages."""

import re
import subprocess
import time

import pytest
from client import refused
from program import PATIENCE_S


def test_health_says_that_the_program_runs(api):
    answer = api.get("/health")
    assert answer.status == 200 and answer.json == {"status": "healthy"}, answer


def test_readiness_has_a_reason_a_part(api):
    answer = api.get("/readiness")
    assert answer.status == 200 and answer.json["ready"] is True and answer.json["version"], answer
    parts = answer.json["parts"]
    assert len(parts) >= 2 and len({part["name"] for part in parts}) == len(parts)
    for part in parts:
        assert part.keys() == {"name", "ready", "needed", "reason"}
        assert part["ready"] or part["reason"], part


def metrics(api):
    answer = api.get("/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer
    return answer.body.decode()


def test_prometheus_takes_the_metrics(api):
    debtor, creditor = api.pair()
    api.paid(debtor, creditor)
    api.paid(debtor, creditor, "5000.00", status="rejected")
    text = metrics(api)
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert all(line.startswith(("nostro_", "process_")) for line in text.splitlines() if line[:1] not in ("#", ""))


def test_what_is_paid_is_counted(nostro):
    api = nostro().client()
    debtor, creditor = api.pair()

    def sum_of(name):
        found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+]+)$", metrics(api), re.M)
        assert found, f"{name} is missing"
        return sum(map(float, found))

    names = [name for name in re.findall(r"^# TYPE (\S+) counter", metrics(api), re.M) if "payment" in name]
    assert names, "no counter of payments"
    before = {name: sum_of(name) for name in names}
    for _ in range(3):
        api.paid(debtor, creditor)
    deadline = time.monotonic() + PATIENCE_S
    while not any(sum_of(name) == before[name] + 3 for name in names):  # a moment after they are answered
        assert time.monotonic() < deadline, (names, before)


def test_the_contract_names_every_route_and_no_other(api):
    answer = api.get("/openapi.json")
    assert answer.status == 200 and answer.json["openapi"].startswith("3.1"), answer
    wanted = """
        POST /v1/payments; GET /v1/payments; POST /v1/payments/batch; POST /v1/payments/simulate; GET /v1/payments/{id}
        POST /v1/payments/{id}/capture; POST /v1/payments/{id}/void; POST /v1/payments/{id}/reverse
        POST /v1/accounts; GET /v1/accounts; POST /v1/accounts/batch; GET /v1/accounts/{id}; PATCH /v1/accounts/{id}
        GET /v1/accounts/{id}/balance; GET /v1/accounts/{id}/entries; GET /v1/accounts/{id}/statement
        GET /v1/reviews; POST /v1/reviews/{id}/approve; POST /v1/reviews/{id}/reject
        GET /v1/policies; PUT /v1/policies/{tenant}; GET /v1/ledger/trial-balance; GET /v1/tenants; GET /v1/ledger/proof; GET /v1/payments/{id}/proof; GET /v1/stream
        GET /v1/dead-letters; POST /v1/dead-letters; GET /v1/dead-letters/{id}; POST /v1/dead-letters/{id}/redrive; POST /v1/dead-letters/{id}/discard
        GET /v1/profiles; POST /v1/profiles/{name}/messages; GET /v1/profiles/{name}/documents/{key}
        POST /v1/reconciliations; GET /v1/reconciliations; GET /v1/reconciliations/{run}
        POST /v1/admin/take-over; POST /v1/admin/hand-over
        GET /health; GET /readiness; GET /metrics; GET /openapi.json
    """
    wanted = {route.strip() for line in wanted.splitlines() for route in line.split(";") if route.strip()}
    there = {f"{method.upper()} {path}" for path, item in answer.json["paths"].items()
             for method in item if method in ("get", "post", "put", "patch", "delete")}  # fmt: skip
    assert there == wanted


def test_every_path_of_the_contract_knows_its_methods(api):
    for path, item in api.get("/openapi.json").json["paths"].items():
        given = {"{id}": "1.0" if "dead" in path else "0" * 32, "{tenant}": "nostro", "{name}": "upi", "{key}": "k", "{run}": "1"}
        for name, value in given.items():
            path = path.replace(name, value)
        answer = api.request("OPTIONS", path)
        assert answer.status == 204, (path, answer)
        allowed = {method.strip() for method in answer.headers["Allow"].split(",")}
        assert {method.upper() for method in item if method != "parameters"} <= allowed
        if "get" in item:
            assert "HEAD" in allowed
        missing = next(method for method in ("DELETE", "PATCH", "PUT") if method not in allowed)
        refused(api.request(missing, path), 405, "method_not_allowed")


@pytest.mark.parametrize("path, type", [
    ("/", "text/html"), ("/docs", "text/html"), ("/docs/", "text/html"), ("/docs/docs.js", "text/javascript"),
    ("/start.css", "text/css"), ("/redoc", "text/html"), ("/redoc/redoc.standalone.js", "text/javascript"),
    ("/docs/swagger-ui.css", "text/css"), ("/docs/swagger-ui-bundle.js", "text/javascript"),
    ("/favicon.ico", "image/png"),
])  # fmt: skip
def test_pages_come_out_of_the_program_itself(api, path, type):
    answer = api.get(path)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith(type), (path, answer.status)
    assert answer.body and "default-src 'self'" in answer.headers["Content-Security-Policy"]
    head = api.request("HEAD", path)
    assert head.status == 200 and head.body == b""
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]


@pytest.mark.parametrize("page", ["/", "/docs", "/redoc"])
def test_every_link_of_a_page_leads_somewhere(api, page):
    text = api.get(page).body.decode()
    links = {link for link in re.findall(r'(?:href|src)="(/[^"#]*)"', text) if link != "/v1/stream"}
    assert links
    for link in links:
        assert api.get(link).status in (200, 422), link
    hosts = re.findall(r'(?:href|src)="(https?://[^"]+)"', text)
    assert not hosts, hosts


def test_answers_carry_what_a_cautious_client_wants(api):
    answer = api.get("/v1/policies")
    assert answer.headers["Date"] and answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"].startswith("application/json")


def test_pages_of_other_origins_come_in_where_that_is_set(nostro):
    origin = {"Origin": "https://shop.example"}
    ask = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key"}
    client = nostro("--set", "server.cors_origin=https://shop.example").client()
    asked = client.request("OPTIONS", "/v1/payments", headers=ask)
    assert asked.status == 204 and asked.headers["Access-Control-Allow-Origin"] == "https://shop.example", asked
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert asked.headers["Access-Control-Allow-Headers"] == "idempotency-key"
    answer = client.post("/v1/accounts", {"account_id": "A", "currency": "USD"}, headers=origin)
    assert answer.status == 201 and answer.headers["Access-Control-Allow-Origin"] == "https://shop.example", answer
    other = client.post("/v1/accounts", {"account_id": "B", "currency": "USD"}, headers={"Origin": "https://x.example"})
    refused(other, 403, "cross_origin")
