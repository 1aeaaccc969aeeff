"""A journal in Kafka with its mirror in the data folder: keys without end, short starts, and records that are gone."""

import pytest
from client import unique
from spending import FAR, SMALLEST, Spent, imaged, proved
from topics import SERVERS, cut


@pytest.fixture
def topic():
    return unique("journal")


@pytest.fixture
def serve(nostro, topic):
    mine = {"journal.kind": "kafka", "journal.kafka_topic": topic, "journal.kafka_single_broker": "true", **SMALLEST}
    return lambda **rest: nostro(sets=mine, env={"KAFKA_BOOTSTRAP_SERVERS": SERVERS}, **rest)


def test_more_keys_are_taken_than_the_table_holds_and_a_start_reads_only_what_is_new(serve, topic, tmp_path):
    program = serve(data=tmp_path / "data")
    spent = Spent(program)
    program.kill()
    assert proved(tmp_path / "data")["last"] > 0
    program = serve(data=tmp_path / "fresh")
    spent.check(program)
    through = imaged(spent.api)
    program.stop()
    assert proved(tmp_path / "fresh")["payments"] == FAR + 1

    # Records up to the image's frame go; a claim stands before the first frame, so this leaves that frame or more.
    cut(topic, through)
    program = serve(data=tmp_path / "fresh")
    spent.check(program)
    program.stop()
    program = serve(data=tmp_path / "empty")
    assert program.code == 1
    assert f"begins with record {through}" in program.stderr and "has none of them" in program.stderr, program.stderr
