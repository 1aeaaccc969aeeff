"""Standbys of a journal in Kafka take over whole, topics among it."""

import json

import topics
from client import unique
from test_clearing import message
from test_journal import journal  # noqa: F401
from whole import Work, fleet, taken_over_and_given_away


class WorkWithTopics(Work):
    """Transactions arrive on a topic too, and what clearance says of each goes to another."""

    def __init__(self, postgres, redis, arriving, cleared):
        super().__init__(postgres, redis, ledger=False)
        self.arriving, self.cleared, self.sent = arriving, cleared, set()

    def goes_on(self, owner):
        self.sent.add(unique("TXN"))
        topics.put(self.arriving, [message("1.00", tx=tx) for tx in self.sent])  # known ones move nothing
        super().goes_on(owner)
        topics.until(lambda: len(self.told()) == 2 * self.rounds, True)
        assert self.sent <= set(self.told().values())

    def settled(self):
        return 2 * self.rounds

    def told(self):
        """Which transactions were told of, by outcome: a new owner may tell the last ones once more."""
        said = topics.get(self.cleared, topics.count(self.cleared)) if topics.exists(self.cleared) else []
        by_id = {}
        for each in said:
            tx = json.loads(each.value())["transaction_id"]
            assert by_id.setdefault(topics.headers(each)["nostro-id"], tx) == tx
        return by_id


def test_whoever_takes_over_does_all_that_the_owner_did(nostro, postgres, redis, journal, tmp_path):  # noqa: F811
    arriving, cleared = unique("financial-transactions"), unique("cleared-transactions")
    folder = topics.profile_file(tmp_path / "profiles", "clearing", topic=arriving, outcome_topic=cleared,
                                 group=unique("clearance-group"))  # fmt: skip
    topics.make(arriving, 2)
    standbys = fleet(nostro, postgres, redis, tmp_path, {**journal, "profiles.folder": folder},
                     {"KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS})  # fmt: skip
    taken_over_and_given_away(standbys, WorkWithTopics(postgres, redis, arriving, cleared), tables=postgres)
