"""The cluster as its own tools see it: topics are made, filled and read back by a client that is not nostro's."""

import os
import time

import confluent_kafka
from client import unique
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from program import PATIENCE_S, ROOT

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "")
assert SERVERS, (
    "KAFKA_BOOTSTRAP_SERVERS is not set: run ./dev test --only kafka, or start a broker with "
    "./dev servers kafka start and export the line it prints"
)


# What it was asked for ends with it, so it lives as long as the tests.
_admin = AdminClient({"bootstrap.servers": SERVERS})


def make(topic, partitions=1, **settings):
    """A topic of so many partitions; settings with _ for the points in their names."""
    config = {name.replace("_", "."): str(value) for name, value in settings.items()}
    for made in _admin.create_topics([NewTopic(topic, partitions, 1, config=config)]).values():
        made.result(PATIENCE_S)
    return topic


def cut(topic, first):
    """What stands before the record `first` of partition 0 is gone."""
    (gone,) = _admin.delete_records([confluent_kafka.TopicPartition(topic, 0, first)]).values()
    assert gone.result(PATIENCE_S).low_watermark == first


def exists(topic):
    return topic in _admin.list_topics(timeout=PATIENCE_S).topics


def partitions(topic):
    return _admin.list_topics(topic, timeout=PATIENCE_S).topics[topic].partitions


def put(topic, messages, partition=None):
    """Texts, bytes, or (key, value) pairs; returns when the broker has all."""
    failed = []
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": SERVERS, "acks": "all", "linger.ms": 5, "message.max.bytes": 10_000_000,
         "queue.buffering.max.messages": 1_000_000}
    )  # fmt: skip
    where = {} if partition is None else {"partition": partition}
    for message in messages:
        key, value = message if isinstance(message, tuple) else (None, message)
        producer.produce(topic, value, key, on_delivery=lambda error, _: error and failed.append(error), **where)
        producer.poll(0)
    left = producer.flush(PATIENCE_S)
    assert left == 0 and not failed, (left, failed[:3])


def get(topic, count):
    """The first `count` messages of all partitions; fails when there are fewer after a while."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": SERVERS, "group.id": unique("reader"), "auto.offset.reset": "earliest",
         "enable.auto.commit": False}
    )  # fmt: skip
    try:
        until(lambda: bool(partitions(topic)), True)  # what has just been made is not known everywhere yet
        consumer.assign(
            [confluent_kafka.TopicPartition(topic, number, confluent_kafka.OFFSET_BEGINNING)
             for number in partitions(topic)]
        )  # fmt: skip
        found, deadline = [], time.monotonic() + PATIENCE_S
        while len(found) < count and time.monotonic() < deadline:
            for message in consumer.consume(count - len(found), timeout=1):
                assert not message.error(), message.error()
                found.append(message)
        assert len(found) == count, f"{len(found)} messages instead of {count} in {topic}"
        return found
    finally:
        consumer.close()


def ends(topic):
    """The end of each partition."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": SERVERS, "group.id": unique("asker")})
    try:
        return {
            number: consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, number), timeout=PATIENCE_S)[1]
            for number in partitions(topic)
        }
    finally:
        consumer.close()


def count(topic):
    return sum(ends(topic).values())


def committed(group, topic):
    """What the group's commits say, as tools show them."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": SERVERS, "group.id": group})
    try:
        asked = [confluent_kafka.TopicPartition(topic, number) for number in partitions(topic)]
        return sum(max(0, each.offset) for each in consumer.committed(asked, timeout=PATIENCE_S))
    finally:
        consumer.close()


def remove_before(topic, offset, partition=0):
    where = confluent_kafka.TopicPartition(topic, partition, offset)
    for removed in _admin.delete_records([where]).values():
        removed.result(PATIENCE_S)


def grow(topic, count):
    for grown in _admin.create_partitions([NewPartitions(topic, count)]).values():
        grown.result(PATIENCE_S)


def remove(topic):
    for gone in _admin.delete_topics([topic]).values():
        gone.result(PATIENCE_S)
    until(lambda: exists(topic), False)


def headers(message):
    return {name: value.decode() for name, value in message.headers() or []}


def profile_file(folder, name, **settings):
    """A folder with the profile's own file, some of its settings changed; for --set profiles.folder=."""
    lines = (ROOT / "src/nostro/profiles" / f"{name}.toml").read_text().splitlines()
    for key, value in settings.items():
        at = [number for number, line in enumerate(lines) if line.startswith(f"{key} =")]
        assert at, f"{name}.toml has no {key}"
        lines[at[-1]] = f'{key} = "{value}"'
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text("\n".join(lines) + "\n")
    return folder


def until(asked, wanted, patience=PATIENCE_S):
    """Asks until the answer is as wanted; the pause is between two questions, not in place of one."""
    deadline = time.monotonic() + patience
    while True:
        answer = asked()
        if answer == wanted:
            return
        assert time.monotonic() < deadline, f"{answer!r} instead of {wanted!r}"
        time.sleep(0.05)
