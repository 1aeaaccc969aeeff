"""Texts that try to be SQL, COPY, Redis or JSON, through every text field of every profile: each stands where it belongs,
to the letter, and nothing else has changed."""

import json
from urllib.parse import quote

import pytest
from client import unique
from postgres_server import SOON, projected, until
from program import ROOT, run
from redis_server import Redis
from test_postgres import same_as_journal

TEXTS = [
    "'; DROP TABLE transactions; --", "x' OR 'a'='a", "\\'; DELETE FROM accounts; --", "E'\\047", "$$; SELECT 1/0; $$",
    "\\N", "\\.", "a\\tb \"q\" $1 %s {} :x", "NULL", "'); COMMIT; --", "\u00e9\u20ac\U0001f600 \u02bc", "*3 $3 DEL *",
    "]] return 'x' --[[", '{"a": "b"}', "/**/ -- #",
]  # fmt: skip
# A field of one line refuses these; where lines may stand, they stay as they are.
LINES = ["tab\there", "*1\r\n$8\r\nFLUSHALL\r\n", "\\.\n\\q\n"]


def literal(text):
    """As a careful program writes it."""
    return "'" + text.replace("'", "''") + "'"


class Served:
    """All stores beside one profile, and what stands in them before the texts come."""

    def __init__(self, nostro, postgres, redis, name, **sets):
        env = {"NOSTRO_POSTGRES_URL": postgres.url, "NOSTRO_REDIS_URL": redis.url}
        sets = {**SOON, "journal.kind": "postgres", "inbox.kind": "postgres", **sets}
        self.name, self.postgres, self.redis = name, postgres, redis
        self.program = nostro("--profile", name, env=env, sets=sets)
        assert self.program.url, self.program.stderr
        self.api = self.program.client()
        self.relations = self._relations()

    def _relations(self):
        """Every table, index, function and role that anybody could have made or dropped."""
        all_of = []
        for (database,) in self.postgres.rows("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1"):
            all_of += self.postgres.rows(
                f"SELECT '{database}', n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname !~ '^pg_' UNION ALL SELECT 'role', rolname, '' FROM pg_roles ORDER BY 1, 2, 3",
                database=database)  # fmt: skip
        return all_of

    def send(self, *messages):
        """As the original's topic carries them; what became of them."""
        body = "\n".join(map(json.dumps, messages))
        answer = self.api.post(f"/v1/profiles/{self.name}/messages", body, form="application/x-ndjson")
        assert answer.status in (202, 422), answer
        return answer.json

    def told(self, *feeds):
        for feed in (*feeds, "redis"):
            projected(self.api, feed)

    def unharmed(self):
        """Nothing was made or dropped, all stores say what the journal says, and the server met no wrong statement."""
        assert self._relations() == self.relations
        same_as_journal(self.api, self.postgres, self.name)
        done = run("reconcile", "--url", self.program.url)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "syntax error" not in self.postgres.log
        assert self.api.get("/readiness").status == 200
        self.program.stop()
        assert run("verify", "--data", self.program.data).returncode == 0


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path / "redis")
    yield server
    server.stop()


def test_texts_of_tps(nostro, postgres, redis):
    tps = Served(nostro, postgres, redis, "tps")
    numbers = {}
    for text in TEXTS:
        made = tps.api.post("/transactions", {"user_id": text, "amount": 10, "currency": "USD"})
        assert made.status == 200 and made.json["user_id"] == text, made
        numbers[text] = made.json["id"]
        assert tps.api.get(f"/transactions/{quote(text, safe='')}").status in (400, 422)
        assert tps.api.post("/transactions", {"user_id": "u", "amount": 10, "currency": text}).status == 422
        assert tps.api.post("/transactions", {"user_id": "u", "amount": text, "currency": "USD"}).status == 422
    for text in LINES:
        assert tps.api.post("/transactions", {"user_id": text, "amount": 10, "currency": "USD"}).status == 422
    tps.told("postgres_tps")
    rows = postgres.rows("SELECT user_id, id FROM transactions", database="tps")
    assert {user: int(number) for user, number in rows} == numbers and len(rows) == len(TEXTS)
    for text, number in numbers.items():
        assert json.loads(redis.cli("GET", f"txn:{number}"))["user_id"] == text
        assert tps.api.get(f"/transactions/{number}").json["user_id"] == text
    tps.unharmed()


def test_texts_of_logging(nostro, postgres, redis, tmp_path):
    logging = Served(nostro, postgres, redis, "logging")
    wanted = []
    for text in TEXTS:
        told = logging.api.post("/transaction", {"sender": text, "receiver": "to " + text, "amount": 5})
        assert told.status == 202, told
        wanted.append([text, "to " + text, "Completed"])
    told = logging.send(*({"sender": "by message " + text, "receiver": text, "amount": 5} for text in TEXTS))
    assert told["payments"] == {"settled": len(TEXTS)}
    wanted += [["by message " + text, text, "Completed"] for text in TEXTS]
    csv = tmp_path / "paysim.csv"
    quoted = ['"' + text.replace('"', '""') + '"' for text in TEXTS]
    csv.write_text("step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,"
                   "isFlaggedFraud\n" + "".join(f"1,PAYMENT,5.00,{text},0,0,M,0,0,0,0\n" for text in quoted))  # fmt: skip
    fed = run("feed", "logging", csv, "--as", "historical", "--url", logging.program.url)
    assert fed.returncode == 0, fed
    wanted += [[text, "M", "Historical"] for text in TEXTS]
    for text in LINES:
        assert logging.api.post("/transaction", {"sender": text, "receiver": "r", "amount": 5}).status == 422
        assert logging.send({"sender": "s", "receiver": text, "amount": 5})["dead_letters"] == 1
    projected(logging.api, "postgres_logging")
    assert postgres.rows("SELECT sender, receiver, status FROM transactions ORDER BY id", database="financedb") == wanted
    assert [[row["sender"], row["receiver"], row["status"]] for row in logging.api.get("/reports").json] == wanted
    logging.unharmed()


def test_texts_of_upi(nostro, postgres, redis):
    upi = Served(nostro, postgres, redis, "upi")

    def message(tx, payer, payee, **fields):
        return {"tx_id": tx, "payer_id": payer, "payee_id": payee, "amount": 7, "currency": "INR", "created_at": None, **fields}

    messages = [message(text, "payer " + text, "payee " + text, currency=text, created_at=text, note=text) for text in TEXTS]
    aliases = [{"tx_id": "2 " + text, "user_from": text, "user_to": "to " + text, "amount": 7} for text in TEXTS]
    told = upi.send(*messages, *aliases)
    assert told["payments"] == {"settled": 2 * len(TEXTS)}, told
    assert upi.send(*messages)["replayed"] == len(TEXTS)
    for text in LINES:
        for field in ("tx_id", "payer_id", "payee_id"):
            assert upi.send(message(unique(), "a", "b") | {field: text})["dead_letters"] == 1
    upi.told("postgres_upi")
    wanted = {(text, "payer " + text, "payee " + text) for text in TEXTS} | {
        ("2 " + text, text, "to " + text) for text in TEXTS}  # fmt: skip
    rows = postgres.rows("SELECT tx_id, payer_id, payee_id, status FROM transactions", database="upi_db")
    assert {tuple(row[:3]) for row in rows} == wanted and {row[3] for row in rows} == {"SUCCESS"}
    users = dict(postgres.rows("SELECT id, balance FROM users WHERE id = name", database="upi_db"))
    parties = {payer for _, payer, _ in wanted}, {payee for _, _, payee in wanted}
    assert {users[payer] for payer in parties[0]} == {"999993"} and {users[payee] for payee in parties[1]} == {"7"}
    for payer in parties[0]:
        assert redis.cli("GET", f"balance:{payer}") == "999993"
    upi.unharmed()


def test_texts_of_clearing(nostro, postgres, redis):
    clearing = Served(nostro, postgres, redis, "clearing")
    where = {"database": "financial_db", "role": "user", "password": "pass"}
    customers, accounts, transactions = {}, {}, {}
    statements, messages = [], []
    for text in TEXTS:
        name, kind = text[:46], text[:18]
        customers[name] = [text, text[:90] + "@"]
        statements.append("INSERT INTO customers (customer_id, name, email, risk_level) VALUES "
                          f"({literal(name)}, {literal(text)}, {literal(text[:90] + '@')}, 'LOW')")  # fmt: skip
        accounts["r" + name] = [name, kind]
        statements.append("INSERT INTO accounts (account_number, customer_id, account_type, balance) VALUES "
                          f"({literal('r' + name)}, {literal(name)}, {literal(kind)}, 50)")  # fmt: skip
        accounts["m" + name] = [name, kind]
        messages.append({"account_number": "m" + name, "customer_id": name, "customer_name": text, "risk_level": "LOW",
                         "account_type": kind, "balance": "50.00"})  # fmt: skip
    postgres.psql(*statements, **where)
    clearing.send(*messages)
    feed = "SELECT count(*) FROM accounts WHERE account_number ~ '^[rm]'"
    until(lambda: postgres.one(feed, **where) == str(2 * len(TEXTS)))
    until(lambda: len(clearing.api.pages("/v1/accounts", tenant="clearing", limit=200)) >= 2 * len(TEXTS) + 6)
    statements = []
    for text in (*TEXTS, *LINES):
        name = text[:46] if text in TEXTS else unique()  # an id is of one line, a description may have several
        payer, kind = ("r" + name, text[:18]) if text in TEXTS else ("ACC001", "TRANSFER")
        transactions["r" + name] = [text, payer, kind]
        statements.append("INSERT INTO transactions (transaction_id, amount, from_account, to_account, transaction_type, "
                          f"description) VALUES ({literal('r' + name)}, 1, {literal(payer)}, 'ACC002', {literal(kind)}, "
                          f"{literal(text)})")  # fmt: skip
        transactions["m" + name] = [text, payer, kind]
        clearing.send({"transaction_id": "m" + name, "amount": 1, "from_account": payer, "to_account": "ACC002",
                       "transaction_type": kind, "description": text})  # fmt: skip
    postgres.psql(*statements, **where)
    count = "SELECT count(*) FROM transactions WHERE status = 'settled'"
    until(lambda: postgres.one(count, **where) == str(len(transactions)))
    clearing.told("postgres_clearing")
    # Python's pipes make one character of \r\n.
    rows = postgres.rows("SELECT transaction_id, replace(description, chr(13), '<CR>'), from_account, transaction_type "
                         "FROM transactions", **where)  # fmt: skip
    assert {name: [text.replace("<CR>", "\r"), *rest] for name, text, *rest in rows} == transactions
    rows = postgres.rows("SELECT account_number, customer_id, account_type FROM accounts WHERE account_number ~ '^[rm]'", **where)
    assert {row[0]: row[1:] for row in rows} == accounts
    rows = postgres.rows("SELECT customer_id, name, email FROM customers WHERE customer_id !~ '^CUST'", **where)
    assert {row[0]: row[1:] for row in rows} == customers
    for name, (text, payer, _) in transactions.items():
        document = redis.cli("HMGET", f"settlement:{name}", "status", "from_account", "description")
        assert document == f"settled\n{payer}\n{text}".replace("\r\n", "\n"), name
    # Who decides a review stands in the audit.
    clearing.send({"account_number": "RICH", "customer_id": "C9", "customer_name": "Rich", "risk_level": "LOW",
                   "account_type": "CHECKING", "balance": "9000000.00"},
                  *({"transaction_id": f"REVIEW{at}", "amount": "100000.01", "from_account": "RICH", "to_account": "ACC002"}
                    for at in range(len(TEXTS))))  # fmt: skip
    clearing.told("postgres_clearing")
    reviews = clearing.api.pages("/v1/reviews", tenant="clearing")
    assert len(reviews) == len(TEXTS)
    for review, text in zip(reviews, TEXTS, strict=True):
        by = {"reviewer": text, "reason": text}
        assert clearing.api.post(f"/v1/reviews/{review['payment_id']}/reject", by, key=unique()).status == 202
    clearing.told("postgres_clearing")
    audit = "SELECT changed_by FROM transaction_audit WHERE transaction_id ~ '^REVIEW' AND new_status = 'rejected'"
    assert {by for (by,) in postgres.rows(audit, **where)} == set(TEXTS)
    reasons = {redis.cli("HGET", f"rejected:REVIEW{at}", "rejection_reason") for at in range(len(TEXTS))}
    assert reasons == {"Rejected in review: " + text for text in TEXTS}
    clearing.unharmed()


def test_texts_of_b2b(nostro, postgres, redis):
    b2b = Served(nostro, postgres, redis, "b2b")

    def document(text, **fields):
        return {"payment_id": text, "payment_type": text, "version": text, "created_at": "2026-01-05T10:11:12", "status": text,
                "amount": {"value": 100.0, "currency": "USD", "exchange_info": text}, "references": {text: text},
                "originator": {"party_type": text, "party_id": text, "name": "name " + text, "account_info": text},
                "beneficiary": {"party_type": text, "party_id": "to " + text, "name": text}, **fields}  # fmt: skip

    for text in TEXTS:
        assert b2b.send(document(text))["payments"] == {"settled": 1}
        found = b2b.api.post("/payments/type-customer", {"payment_type": text, "customer_id": text})
        assert found.status == 200 and [each["payment_id"] for each in found.json] == [text], found
        assert found.json[0]["originator_name"] == "name " + text
    for text in LINES:
        assert b2b.send(document("a", payment_id=text))["dead_letters"] == 1
    projected(b2b.api)
    keys = postgres.rows("SELECT idempotency_key FROM nostro.payments WHERE tenant = 'b2b'")
    assert sorted(key for (key,) in keys) == sorted(TEXTS)
    b2b.unharmed()


def test_names_of_a_profiles_home_are_never_sql(nostro, postgres, redis, tmp_path):
    """Database, role and password are an operator's words; they are quoted all the same."""
    home = {"postgres_database": 'fin"; DROP ROLE x; --', "postgres_role": "us'er \"r\"", "postgres_password": "p'; \\ \"w"}
    policy = (ROOT / "src/nostro/profiles/tps.toml").read_text()
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in home.items()]
    kept = "".join(line for line in policy.splitlines(True) if not line.startswith("postgres_"))
    (tmp_path / "tps.toml").write_text(kept.replace("[profile]\n", "[profile]\n" + "".join(lines)))
    tps = Served(nostro, postgres, redis, "tps", **{"profiles.folder": tmp_path})
    assert tps.api.post("/transactions", {"user_id": "u", "amount": 10, "currency": "USD"}).status == 200
    tps.told("postgres_tps")
    where = {"database": quote(home["postgres_database"], safe=""), "role": home["postgres_role"],
             "password": home["postgres_password"]}  # fmt: skip
    assert postgres.rows("SELECT user_id FROM transactions", **where) == [["u"]]
    tps.program.stop()
