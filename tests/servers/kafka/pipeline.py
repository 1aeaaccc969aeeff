"""Clearing in its parts, each a program of its own, between a PostgreSQL, a Kafka and a Redis."""

import topics
from client import unique
from program import run

AS_USER = {"database": "financial_db", "role": "user", "password": "pass"}
SOON = {"postgres.connect_tries": "2", "postgres.connect_pause": "10ms"}


def insert(name, amount="1.00", debtor="ACC001", creditor="ACC002"):
    return ("INSERT INTO transactions (transaction_id, amount, from_account, to_account, transaction_type, description) "
            f"VALUES ('{name}', {amount}, '{debtor}', '{creditor}', 'TRANSFER', 'a test');")  # fmt: skip


class Pipeline:
    def __init__(self, nostro, postgres, redis, folder):
        self.nostro, self.postgres = nostro, postgres
        self.captured, self.cleared = unique("financial-transactions"), unique("cleared-transactions")
        self.folder = topics.profile_file(folder, "clearing", topic=self.captured, outcome_topic=self.cleared,
                                          group=unique("clearance-group"), settlement_group=unique("settlement-group"))  # fmt: skip
        self.env = {"KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS, "NOSTRO_POSTGRES_URL": postgres.url,
                    "NOSTRO_REDIS_URL": redis.url}  # fmt: skip

    def part(self, role, **rest):
        """role: settlement, clearance, capture; fused: all of them in one."""
        program = self.begin(role, **rest)
        assert program.url, program.stderr
        return program

    def begin(self, role, **rest):
        words = ("serve",) if role == "fused" else ("worker", role)
        arguments = ("--profile", "clearing") if role in ("fused", "settlement") else ()
        return self.nostro(*arguments, words=words, folder=bool(arguments), env=self.env,
                           sets={"profiles.folder": self.folder, **SOON}, **rest)  # fmt: skip

    def statuses(self):
        return dict(self.postgres.rows("SELECT transaction_id, status FROM transactions", **AS_USER))

    def decided(self, count):
        """Waits until so many rows are."""
        pending = "SELECT count(*) FROM transactions WHERE status <> 'pending'"
        topics.until(lambda: int(self.postgres.one(pending, **AS_USER)), count)

    def migrate(self):
        done = run("migrate", "--profile", "clearing", "--set", f"profiles.folder={self.folder}", env=self.env)
        assert done.returncode == 0, done.stderr

    def outcome(self):
        """All that SQL holds of what became of the rows, but for times and numbers."""
        return {
            "transactions": self.postgres.rows("SELECT transaction_id, amount, from_account, to_account, transaction_type, description, status FROM transactions ORDER BY transaction_id", **AS_USER),
            "audit": self.postgres.rows("SELECT transaction_id, old_status, new_status, changed_by FROM transaction_audit ORDER BY transaction_id, changed_at, id", **AS_USER),
            "accounts": self.postgres.rows("SELECT account_number, customer_id, account_type, balance, status FROM accounts ORDER BY account_number", **AS_USER),
        }  # fmt: skip


def hashes(redis, *patterns):
    """What Redis holds, but for times."""
    return {key: {name: value for name, value in redis.hash(key).items() if not name.endswith("_time")}
            for pattern in patterns for key in sorted(redis.keys(pattern))}  # fmt: skip
