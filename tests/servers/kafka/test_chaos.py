"""The journal on three brokers, payments all the while: brokers and owners die, hang and come back in any order."""

import signal
import time

import pytest
from chaos import (
    Fleet,
    World,
    an_owner_hangs_and_wakes_as_a_zombie,
    rounds,
    rules_change_and_programs_are_renewed_in_turn,
    the_owner_dies,
    the_owner_ends_in_order,
    two_owners_begin_at_once,
)
from cluster import Cluster
from test_journal import journal, pulled, serve  # noqa: F401

FENCED = "another owner took over"
BROKERS = 3


class KafkaWorld(World):
    def __init__(self, fleet, brokers, topic):
        super().__init__(fleet)
        self.brokers, self.topic = brokers, topic

    def leader(self):
        return self.brokers.leader(self.topic)

    def both(self):
        """The leader, and a follower; of one answer, because the next one may name another leader."""
        leader = self.leader()
        return leader, leader % BROKERS + 1


@pytest.fixture
def brokers(tmp_path):
    cluster = Cluster(tmp_path / "kafka", "--brokers", str(BROKERS))
    yield cluster
    cluster.stop()


# --- brokers ---


def the_leader_dies(world):
    world.brokers.kill(world.leader())
    world.payers.go_on()  # under another one
    world.brokers.start()


def the_leader_is_ended_in_order(world):
    world.brokers.kill(world.leader(), signal.SIGTERM)
    world.payers.go_on()
    world.brokers.start()


def the_leader_hangs_for_a_moment(world):
    leader = world.leader()
    world.brokers.signal(leader, signal.SIGSTOP)
    time.sleep(1)  # shorter than the others wait for it: it stays the leader
    world.brokers.signal(leader, signal.SIGCONT)


def the_leader_hangs_and_wakes(world):
    leader = world.leader()
    world.brokers.signal(leader, signal.SIGSTOP)
    world.payers.go_on()
    world.brokers.signal(leader, signal.SIGCONT)  # it still takes itself for the leader


def a_follower_hangs_and_then_the_leader_dies(world):
    leader, follower = world.both()
    world.brokers.signal(follower, signal.SIGSTOP)
    world.payers.go_on()
    world.brokers.kill(leader)  # one is left, and confirms nothing alone
    world.brokers.signal(follower, signal.SIGCONT)
    world.payers.go_on()
    world.brokers.start()


def two_brokers_hang(world):
    two = world.both()
    for broker in two:
        world.brokers.signal(broker, signal.SIGSTOP)
    time.sleep(4)  # longer than a broker may be silent
    for broker in two:
        world.brokers.signal(broker, signal.SIGCONT)


def all_brokers_die(world):
    for broker in range(1, BROKERS + 1):
        world.brokers.kill(broker)
    world.brokers.start()


# --- owners ---


def the_leader_and_the_owner_hang_and_wake_together(world):
    zombie, leader = world.fleet.owner, world.leader()
    zombie.process.send_signal(signal.SIGSTOP)
    world.brokers.signal(leader, signal.SIGSTOP)
    world.fleet.begin()
    world.payers.go_on()
    world.brokers.signal(leader, signal.SIGCONT)
    zombie.process.send_signal(signal.SIGCONT)
    world.finds_out(zombie)


def everything_dies(world):
    for broker in range(1, BROKERS + 1):
        world.brokers.kill(broker)
    world.fleet.kill()
    world.brokers.start()
    world.fleet.begin()


FAULTS = [
    the_leader_dies,
    the_leader_is_ended_in_order,
    the_leader_hangs_for_a_moment,
    the_leader_hangs_and_wakes,
    a_follower_hangs_and_then_the_leader_dies,
    two_brokers_hang,
    all_brokers_die,
    the_owner_dies,
    the_owner_ends_in_order,
    an_owner_hangs_and_wakes_as_a_zombie,
    two_owners_begin_at_once,
    the_leader_and_the_owner_hang_and_wake_together,
    everything_dies,
    rules_change_and_programs_are_renewed_in_turn,
]


def test_whatever_breaks_nothing_that_was_answered_is_lost_or_moves_twice(serve, journal, brokers, tmp_path):  # noqa: F811
    replicated = {**journal, "journal.kafka_single_broker": "false"}
    fleet = Fleet(lambda n: serve(servers=brokers.servers, sets=replicated, data=tmp_path / f"data-{n}"), FENCED)
    world = KafkaWorld(fleet, brokers, journal["journal.kafka_topic"])
    fleet.begin()
    for faults in rounds(FAULTS):
        world.round(faults)
        proof = pulled(tmp_path / "pulled", replicated, brokers.servers)
        assert proof["payments"] == world.paid
    fleet.stop()
    after, anew = (pulled(tmp_path / reader, replicated, brokers.servers) for reader in ("pulled", "pulled-anew"))
    assert (after["frames"], after["digest"]) == (anew["frames"], anew["digest"]), "two readers see two chains"
