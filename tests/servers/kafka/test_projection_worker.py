"""Tables fed from a journal in Kafka by a program of its own."""

import pytest
import topics
from client import unique
from postgres_server import SOON


@pytest.mark.parametrize("first", ("owner", "worker"))
def test_tables_are_fed_from_the_topic_and_a_kill_leaves_nothing_out(nostro, postgres, tmp_path, first):
    sets = {"journal.kind": "kafka", "journal.kafka_topic": unique("journal"), "journal.kafka_single_broker": "true", **SOON}
    env = {"KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS, "NOSTRO_POSTGRES_URL": postgres.url}

    def owner():
        return nostro(data=tmp_path / "owner", sets={**sets, "projections.elsewhere": "true"}, env=env)

    def worker(data):
        return nostro(words=("worker", "projection"), data=tmp_path / data, sets=sets, env=env)

    begun = {role: begin() for role, begin in sorted((("owner", owner), ("worker", lambda: worker("worker"))), key=lambda each: each[0] != first)}
    assert all(program.url for program in begun.values()), [program.stderr for program in begun.values()]
    api = begun["owner"].client()
    ada, bob = api.pair("1000.00")

    told = []

    def fed():
        told.extend(api.paid(ada, bob, "0.01") for _ in range(10))
        rows = "SELECT count(*) FROM nostro.payments WHERE status = 'settled'"
        topics.until(lambda: int(postgres.one(rows)), len(told))
        ids = {name.replace("-", "") for (name,) in postgres.rows("SELECT payment_id FROM nostro.payments")}
        assert ids == set(told)
        balances = dict(postgres.rows("SELECT name, balance FROM nostro.accounts WHERE tenant = 'nostro'"))
        assert (balances[ada], balances[bob]) == (api.posted(ada), api.posted(bob))
        assert postgres.one("SELECT count(*) FROM nostro.entries WHERE account_id = (SELECT account_id FROM nostro.accounts "
                            f"WHERE name = '{bob}')") == str(len(told))  # fmt: skip

    fed()
    begun["worker"].kill()
    worker("worker")
    fed()
    worker("another")
    fed()
