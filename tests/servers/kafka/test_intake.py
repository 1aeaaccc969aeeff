"""Programs that only take payments in: what they answered is decided once, by whoever has the Book."""

import itertools
import json
import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from urllib.parse import quote

import pytest
import topics
from client import lines, payment, unique
from cluster import Cluster
from killing import caught_up, killed_under_load
from program import run
from test_kill import all_payments


class Intakes:
    def __init__(self, nostro, folder, servers=topics.SERVERS):
        self.nostro, self.folder = nostro, folder
        self.topic = unique("commands")
        self.servers = servers
        self.numbers = itertools.count()

    def _begin(self, name, profiles=(), sets=None, **rest):
        program = self.nostro(*(word for each in profiles for word in ("--profile", each)), data=self.folder / name, env={"KAFKA_BOOTSTRAP_SERVERS": self.servers},
                              sets={"kafka.commands_topic": self.topic, **(sets or {})}, **rest)  # fmt: skip
        assert program.url, program.stderr
        return program

    def intake(self, *profiles, **rest):
        return self._begin(f"intake{next(self.numbers)}", profiles, words=("worker", "intake"), folder=False, **rest)

    def owner(self, *profiles, **rest):
        return self._begin("book", profiles, **rest)

    def taken(self, profile):
        """Waits until the Book has all that stands in the profile's topic."""
        topic = f"{self.topic}-{profile}"
        topics.until(lambda: topics.committed("nostro-settlement", topic), topics.count(topic))


@pytest.fixture
def intakes(nostro, tmp_path):
    return Intakes(nostro, tmp_path)


def settled(api, *ids):
    for payment_id in ids:
        topics.until(lambda payment_id=payment_id: api.get(f"/v1/payments/{payment_id}").status, 200)
        assert api.payment(payment_id)["status"] == "settled"


def test_what_two_intakes_take_is_decided_once_whoever_is_there_first(intakes):
    owner = intakes.owner()
    rich, poor = owner.client().pair("100.00")
    owner.stop()
    one, other = intakes.intake().client(), intakes.intake().client()
    key = unique()
    first, second = one.pay(rich, poor, "10.00", key=key), other.pay(rich, poor, "10.000", key=key)
    assert (first.status, second.status) == (202, 202) and first.json["status"] == "accepted", (first, second)
    assert first.json["payment_id"] == second.json["payment_id"] and first.headers["Location"] == second.headers["Location"]
    batch = {"payments": [{"idempotency_key": unique(), **payment(rich, poor, amount)} for amount in ("1.00", "-1", "2.00")]}
    answer = other.post("/v1/payments/batch", batch)
    assert (answer.status, answer.json["taken"], answer.json["refused"]) == (202, 2, 1), answer
    assert answer.json["data"][1]["error"]["code"] == "invalid_fields"
    api = intakes.owner().client()
    settled(api, first.json["payment_id"], *[each["payment_id"] for each in answer.json["data"] if each["payment_id"]])
    assert api.posted(rich) == "87.00"
    assert one.pay(rich, poor, "11.00", key=key).status == 202, "who does not know the key cannot refuse it"
    topics.until(lambda: [each["why"] for each in api.get("/v1/dead-letters").json["data"]],
                 ["conflict: its id is known with other content"])  # fmt: skip
    assert api.posted(rich) == "87.00" and api.payment(first.json["payment_id"])["amount"] == "10.00"


def test_what_an_intake_cannot_do_names_who_can(intakes):
    api = intakes.intake().client()
    for answer in (api.get("/v1/payments", account="A"), api.get("/v1/payments/" + "0" * 32), api.post("/v1/accounts", {}),
                   api.post("/v1/payments/batch", {"mode": "atomic", "payments": [{"idempotency_key": unique(), **payment("a", "b")}]},
                            key=unique())):  # fmt: skip
        assert answer.status == 421 and answer.json["code"] == "book_elsewhere" and intakes.topic in answer.json["detail"], answer
    assert api.post("/v1/payments", payment("a", "b")).json["code"] == "idempotency_key_missing"
    assert api.pay("a", "b", "1.001").status == 422
    assert api.pay("a", "b", rail="nonsense").status == 422
    assert api.get("/readiness").json["ready"] and api.get("/health").status == 200
    assert b"nostro_intake_commands_total" in api.get("/metrics").body
    assert set(api.get("/openapi.json").json["paths"]) == {
        "/v1/payments", "/v1/payments/batch", "/health", "/readiness", "/metrics", "/openapi.json"}  # fmt: skip
    assert topics.count(intakes.topic) == 0, "what was refused went nowhere"


def test_an_intake_without_a_topic_does_not_start(intakes):
    told = run("worker", "intake", env={"KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS})
    assert told.returncode == 2 and "kafka.commands_topic" in told.stderr
    for words in (("serve",), ("worker", "intake")):
        told = run(*words, "--set", "kafka.commands_topic=commands")
        assert told.returncode == 2 and "kafka.bootstrap_servers" in told.stderr, told


def test_every_202_of_an_intake_that_was_killed_is_settled_once(intakes):
    owner = intakes.owner()
    api = owner.client()
    opening = Decimal("1000000.00")
    accounts = [api.open(str(opening)) for _ in range(20)]
    program = intakes.intake()
    load = killed_under_load(program, accounts, 2_000, program.kill)
    assert len(load.told) >= 2_000
    again = intakes.intake()
    # What nobody was told: sent again under the same key.
    unsure = [key for key in load.asked if key not in load.told]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda key: again.client().post("/v1/payments", load.asked[key], key=key), unsure))
    assert all(answer.status == 202 for answer in answers)
    for key, answer in zip(unsure, answers, strict=True):
        load.told[key] = answer.json
    known = {each["payment_id"] for each in load.told.values()}
    assert len(known) == len(load.asked)
    topics.until(lambda: sum(api.get(f"/v1/payments/{payment_id}").status == 404 for payment_id in known), 0)
    assert api.get("/v1/dead-letters").json["data"] == []
    found = all_payments(caught_up(owner), accounts)
    assert found.keys() == load.asked.keys()
    posted, held = dict.fromkeys(accounts, opening), dict.fromkeys(accounts, Decimal(0))
    for key, body in load.asked.items():
        (read,) = found[key].values()
        assert read["payment_id"] == load.told[key]["payment_id"] and read["amount"] == body["amount"], (read, body)
        assert read["status"] == ("held" if body.get("capture") == "manual" else "settled"), read
        if read["status"] == "settled":
            posted[body["debtor_account"]] -= Decimal(body["amount"])
            posted[body["creditor_account"]] += Decimal(body["amount"])
        else:
            held[body["debtor_account"]] += Decimal(body["amount"])
    for account in accounts:
        balance = api.balance(account)
        assert Decimal(balance["posted"]) == posted[account], account
        assert Decimal(balance["posted"]) - Decimal(balance["available"]) == held[account], account
    owner.stop()
    proved = run("verify", "--data", owner.data)
    assert proved.returncode == 0, proved.stderr


def test_while_no_broker_is_there_nothing_is_taken_and_the_retry_moves_money_once(nostro, tmp_path):
    cluster = Cluster(tmp_path / "brokers")
    try:
        intakes = Intakes(nostro, tmp_path, cluster.servers)
        owner = intakes.owner().client()
        rich, poor = owner.pair("100.00")
        program = intakes.intake()
        api = program.client()
        assert api.pay(rich, poor, "1.00").status == 202
        cluster.kill(1)
        key = unique()
        first = api.pay(rich, poor, "10.00", key=key)
        assert first.status == 503 and first.json["code"] in ("unavailable", "outcome_unknown") and first.headers["Retry-After"], first
        second = api.pay(rich, poor, "10.00", key=key)
        assert second.status == 503 and second.json["code"] == "unavailable", "told at once, without another wait"
        assert api.get("/readiness").status == 503
        cluster.start()
        topics.until(lambda: api.pay(rich, poor, "10.00", key=key).status, 202)
        topics.until(lambda: owner.posted(rich), "89.00")
        topics.until(lambda: api.get("/readiness").status, 200)
        assert owner.get("/v1/dead-letters").json["data"] == []
    finally:
        cluster.stop()


@pytest.mark.rows("LOG-02", "LOG-14", "LOG-25")
def test_the_log_is_taken_in_without_the_book_and_its_rows_appear_when_that_is_there(intakes):
    api = intakes.intake("logging", "tps").client()
    row = {"sender": "C1", "receiver": "M1", "amount": 9839.64, "currency": "USD"}
    key = unique()
    first, again = api.post("/transaction", row, key=key), api.post("/transaction", row, key=key)
    assert first.status == again.status == 202 and first.json == again.json, (first, again)
    assert first.json["status"] == "Queued" and first.headers["Location"].endswith(first.json["data"]["id"])
    assert api.post("/transaction", {**row, "amount": 1}).status == 202
    assert api.post("/transaction", {**row, "receiver": "C1"}).status == 422
    for answer in (api.get("/reports"), api.get("/transactions/1"), api.get("/v1/profiles/logging/documents/x")):
        assert answer.status == 421 and answer.json["code"] == "book_elsewhere", answer
    assert f"topic {intakes.topic}-logging" in [each["name"] for each in api.get("/readiness").json["parts"]]
    assert topics.count(f"{intakes.topic}-logging") == 3 and topics.count(intakes.topic) == 0
    owner = intakes.owner("logging").client()
    topics.until(lambda: [each["amount"] for each in owner.get("/reports").json], [9839.64, 1.0])
    assert owner.get("/reports").json[0]["status"] == "Completed"
    assert owner.get(first.headers["Location"]).json["status"] == "settled"
    assert owner.get("/v1/dead-letters").json["data"] == []


def test_a_transaction_is_taken_in_without_the_book_under_an_id_that_its_owner_shows(intakes):
    api = intakes.intake("tps").client()
    body, key = {"user_id": "user_11", "amount": 12.75, "currency": "USD"}, unique()
    first, again, other = api.post("/transactions", body, key=key), api.post("/transactions", body, key=key), api.post("/transactions", body)
    assert first.status == 200 and list(first.json) == ["user_id", "amount", "currency", "id", "status", "created_at"], first
    assert {**first.json, **body, "status": "pending"} == first.json and 2**52 <= first.json["id"] < 2**53
    assert again.json["id"] == first.json["id"] != other.json["id"]
    assert api.post("/transactions", {**body, "amount": 0}).status == 422
    owner = intakes.owner("tps").client()
    for answer in (first, other):
        path = f"/transactions/{answer.json['id']}"
        topics.until(lambda path=path: owner.get(path).status, 200)
        shown = owner.get(path).json
        assert shown == {**answer.json, "status": "completed", "created_at": shown["created_at"]}
        assert owner.get(answer.headers["Location"]).json["status"] == "settled"
    intakes.taken("tps")
    replayed = owner.post("/transactions", body, key=key)
    assert replayed.headers["Idempotent-Replayed"] == "true" and replayed.json["id"] in (1, 2), "its number in the ledger"
    assert owner.get(f"/transactions/{first.json['id'] ^ 1}").status == owner.get("/transactions/3").status == 404
    assert owner.balance("user:user_11:USD", tenant="tps")["posted"] == "-25.50"
    assert owner.get("/v1/dead-letters").json["data"] == []


ACCOUNT = {"account_number": "ACC900", "customer_id": "CUST900", "customer_name": "Somebody", "risk_level": "LOW",
           "account_type": "CHECKING", "balance": "500.00"}  # fmt: skip
TRANSFER = {"amount": "1.00", "from_account": "ACC900", "to_account": "ACC002"}
DOCUMENT = {"payment_type": "WIRE", "created_at": "2026-01-05T10:11:12.123456", "amount": {"value": 5.06, "currency": "USD"},
            "originator": {"party_id": "CUST1", "name": "S\u00f6hne"}, "beneficiary": {"party_id": "CUST2", "name": "T\u00f6chter"}}  # fmt: skip
UPI = {"payer_id": "user_1", "payee_id": "user_2"}
# Of each profile: messages, the last of which nobody can read; keys of what they become; an account, and what it has then.
MESSAGES = {
    "upi": ([{**UPI, "tx_id": "u1", "amount": 7}, {**UPI, "tx_id": "u2", "amount": -7}], ["u1", "u2"], "user:user_1"),
    "tps": ([{"user_id": "ann", "amount": 1.5, "currency": "EUR"}] * 2, ["lines 1", "lines 2"], "user:ann:EUR"),
    "logging": ([{"id": "l1", "sender": "C1", "receiver": "M1", "amount": 2}, {"id": "l2", "sender": "C1", "receiver": "M1", "amount": 3, "status": "Historical"}],
                ["id l1", "historical:historical id l2"], "party:C1:USD"),
    "b2b": ([{**DOCUMENT, "payment_id": "p1"}, {**DOCUMENT, "payment_id": "p2", "payment_type": "ACH", "beneficiary": None}], ["p1", "p2"], "party:CUST1:USD"),
    "clearing": ([{"customer_id": "CUST900", "name": "Somebody", "email": "s@x.y"}, ACCOUNT, {**TRANSFER, "transaction_id": "t1"},
                  {**TRANSFER, "transaction_id": "t2", "amount": 0}, {**TRANSFER, "transaction_id": "t3", "amount": "900.00"}], ["t1", "t2", "t3"], "ACC900"),
}  # fmt: skip


def send(api, profile):
    messages = lines(MESSAGES[profile][0]) + "nothing that anybody can read\n"
    answer = api.post(f"/v1/profiles/{profile}/messages", messages, form="application/x-ndjson", source="lines")
    assert answer.status == 202, answer
    return answer.json


def told(api, profile):
    """All that is shown of what came, but for times."""
    _, keys, account = MESSAGES[profile]
    api.readable()
    documents = [api.get(f"/v1/profiles/{profile}/documents/{quote(key)}") for key in keys]
    assert {each.status for each in documents} == {200}, documents
    text = json.dumps([[each.json for each in documents], api.balance(account, tenant=profile)["posted"]])
    return re.sub(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?)?", "TIME", text)


def test_messages_of_every_profile_become_the_same_with_and_without_the_book_beside(intakes, nostro, tmp_path):
    for name in ("upi", "logging", "b2b"):
        topics.profile_file(tmp_path / "profiles", name, topic=unique(name))
    topics.profile_file(tmp_path / "profiles", "clearing", topic=unique("arrived"), outcome_topic=unique("cleared"))
    sets = {"profiles.folder": tmp_path / "profiles"}
    alone = nostro(*(word for name in MESSAGES for word in ("--profile", name)), data=tmp_path / "alone", sets=sets).client()
    intake = intakes.intake(*MESSAGES, sets=sets).client()
    assert {each["name"] for each in intake.get("/v1/profiles").json["data"]} == set(MESSAGES)
    for profile, (messages, _, _) in MESSAGES.items():
        counts, here = send(intake, profile), send(alone, profile)
        assert counts == {**here, "payments": {"accepted": sum(here["payments"].values())}} and here["dead_letters"] == 1, counts
        assert topics.count(f"{intakes.topic}-{profile}") == len(messages) + 1
    refused = intake.post("/v1/profiles/upi/messages", "poison", unreadable="refuse")
    assert refused.status == 422 and refused.json["code"] == "unreadable_message"
    owner = intakes.owner(*MESSAGES, sets=sets).client()
    wanted = {profile: (intakes.taken(profile), told(alone, profile))[1] for profile in MESSAGES}
    assert {profile: told(owner, profile) for profile in MESSAGES} == wanted
    for profile, (messages, _, _) in MESSAGES.items():
        send(intake, profile)
        counts = send(owner, profile)
        assert counts["taken"] == counts["replayed"] == len(messages) + 1, counts
        intakes.taken(profile)
    assert {profile: told(owner, profile) for profile in MESSAGES} == wanted, "nothing happened twice"
    why = lambda api: sorted((each["source"], each["position"], each["why"]) for each in api.pages("/v1/dead-letters"))  # noqa: E731
    assert why(owner) == why(alone) and len(why(owner)) == len(MESSAGES)


def test_a_message_that_no_topic_takes_becomes_a_dead_letter_of_what_fits(intakes):
    intake = intakes.intake("upi").client()
    counts = intake.post("/v1/profiles/upi/messages", '"' + "x" * 1_000_000 + '"').json
    assert counts["dead_letters"] == 1 and "at most 900000" in counts["unreadable"][0]["detail"], counts
    owner = intakes.owner("upi", sets={"profiles.folder": topics.profile_file(intakes.folder / "profiles", "upi", topic=unique("upi"))})
    intakes.taken("upi")
    (letter,) = owner.client().pages("/v1/dead-letters")
    assert "a message of 1000002 bytes" in letter["why"], letter
