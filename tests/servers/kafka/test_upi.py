"""Payments that arrive on the topic of the UPI simulator."""

import json
import re
import signal

import pytest
import topics
from client import unique
from program import PATIENCE_S, run


def message(amount, payer="user_1", payee="user_2", tx_id=None):
    return json.dumps({"tx_id": tx_id or unique("tx"), "payer_id": payer, "payee_id": payee, "amount": amount,
                       "currency": "INR", "created_at": None})  # fmt: skip


@pytest.fixture
def topic():
    return unique("upi_transactions")


@pytest.fixture
def upi(nostro, topic):
    """upi(...): nostro as whoever follows the original's README starts it, on a topic of the test's own."""

    def start(servers=topics.SERVERS, **rest):
        env = {"KAFKA_BOOTSTRAP_SERVERS": servers, "KAFKA_TOPIC": topic, **rest.pop("env", {})}
        return nostro("--profile", "upi", env=env, **rest)

    return start


def metric(program, name):
    text = program.client().get("/metrics").body.decode()
    found = re.search(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def done(program):
    return metric(program, "transactions_total")


def proved(program):
    """What the books say when the program has ended."""
    told = run("verify", "--data", program.data, "--json")
    assert told.returncode == 0, told.stdout + told.stderr
    return json.loads(told.stdout)


def letters(topic, count):
    return topics.get(f"{topic}.dead-letters", count)


@pytest.mark.rows("UPI-04", "UPI-27", "UPI-28")
def test_the_generator_fills_the_topic(topic):
    told = run("generate", "upi", "--to", "kafka", "-n", "800", env={
        "KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS, "KAFKA_TOPIC": topic})  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert f"delivered 800 to topic {topic}" in told.stdout
    messages = topics.get(topic, 800)
    assert topics.count(topic) == 800
    assert len({json.loads(each.value())["tx_id"] for each in messages}) == 800
    for each in messages:
        assert each.key() is None and each.headers() is None
        assert list(json.loads(each.value())) == ["tx_id", "payer_id", "payee_id", "amount", "currency", "created_at"]


@pytest.mark.rows("UPI-06", "UPI-W07", "G-08")
def test_what_was_sent_before_the_first_start_is_settled_and_the_group_shows_how_far(upi, topic):
    topics.make(topic, 3)
    topics.put(topic, [message(1, tx_id=f"{topic}-{number}") for number in range(500)])
    program = upi()
    topics.until(lambda: done(program), 500)
    topics.until(lambda: topics.committed("upi_group", topic), 500)
    topics.put(topic, [message(1)])
    topics.until(lambda: topics.committed("upi_group", topic), 501)
    topics.until(lambda: done(program), 501)
    program.stop()
    assert proved(program)["states"]["settled"] == 501


@pytest.mark.rows("UPI-W01", "G-01")
def test_the_whole_topic_again_moves_nothing(upi, topic):
    topics.make(topic)
    each = [message(10, tx_id=f"{topic}-{number}") for number in range(300)]
    topics.put(topic, each)
    program = upi()
    topics.until(lambda: done(program), 300)
    topics.put(topic, [*each, message(7)])
    topics.until(lambda: topics.committed("upi_group", topic), 601)
    topics.until(lambda: done(program), 301)
    program.stop()
    assert proved(program)["payments"] == 301


@pytest.mark.rows("UPI-W06", "UPI-W07", "G-02", "G-09")
def test_kills_in_the_middle_of_a_filled_topic_count_each_message_once(upi, topic):
    filled = known = kills = 0
    while kills < 3:
        if known == filled:  # of a program that was at the end before it was killed, and in the beginning
            assert filled < 1_500_000, "no kill comes before the end"
            told = run("generate", "upi", "--to", "kafka", "-n", 150_000, "--batch", "10000", "--seed", filled + 1, env={
                "KAFKA_BOOTSTRAP_SERVERS": topics.SERVERS, "KAFKA_TOPIC": topic})  # fmt: skip
            assert told.returncode == 0, told.stderr
            filled += 150_000
        program = upi()
        topics.until(lambda: (done(program) or 0) > 0, True)
        program.kill()
        known = proved(program)["payments"]
        kills += known < filled
    program = upi()
    topics.until(lambda: topics.committed("upi_group", topic), filled)
    program.stop()
    books = proved(program)
    assert books["payments"] == filled and books["proved"]
    assert not books["findings"]


@pytest.mark.rows("UPI-W08", "G-05")
def test_poison_goes_to_the_dead_letters_and_the_stream_goes_on(upi, topic):
    topics.make(topic, max_message_bytes=5_000_000)
    known = message(5)
    other = json.dumps({**json.loads(known), "amount": 6})
    topics.put(topic, [
        known, "no JSON", None, '{"tx_id": "a"}', message("9.9"), "x" * 2_000_000, other, "\x00\xff", message(7),
    ])  # fmt: skip
    program = upi()
    topics.until(lambda: done(program), 2)
    found = letters(topic, 7)
    said = [topics.headers(each) for each in found]
    assert [each["nostro-offset"] for each in said] == ["1", "2", "3", "4", "5", "6", "7"]
    assert {(each["nostro-topic"], each["nostro-partition"]) for each in said} == {(topic, "0")}
    assert said[2]["nostro-reason"].startswith("payer_id: ")
    assert said[3]["nostro-reason"] == "amount: 9.90 is no whole number of rupees"
    assert said[4]["nostro-reason"] == "a message of 2000000 bytes; at most 1048576"
    assert said[4]["nostro-kept-bytes"] == "1048576"
    assert said[5]["nostro-reason"] == "conflict: its id is known with other content"
    assert [found[0].value(), found[5].value()] == [b"no JSON", other.encode()]
    assert len(found[4].value()) == 900_000
    assert len(program.client().pages("/v1/dead-letters")) == 7
    program.stop()
    # What was told is not told again.
    program = upi()
    topics.put(topic, [message(8), "poison"])
    assert letters(topic, 8)[7].value() == b"poison"
    assert topics.count(f"{topic}.dead-letters") == 8
    program.stop()
    assert proved(program)["states"]["settled"] == 3


def test_messages_of_many_partitions_are_counted_once_and_new_partitions_are_found(upi, topic):
    topics.make(topic, 4)
    topics.put(topic, [(f"k{number}", message(1)) for number in range(400)])
    program = upi()
    topics.until(lambda: done(program), 400)
    topics.grow(topic, 6)
    topics.put(topic, [message(1) for _ in range(10)], partition=5)
    topics.until(lambda: done(program), 410)
    line = f'nostro_topic_lag_messages{{topic="{topic}",partition="5"}} 0\n'
    topics.until(lambda: line in program.client().get("/metrics").body.decode(), True)
    program.stop()


def test_readiness_and_metrics_tell_the_lag(upi, topic):
    topics.make(topic)
    program = upi()
    assert metric(program, "nostro_topic_lag_messages") in (None, 0)
    part = next(each for each in program.client().get("/readiness").json["parts"] if each["name"] == f"topic {topic}")
    assert part == {"name": f"topic {topic}", "ready": True, "needed": False, "reason": None}
    topics.put(topic, [message(1)])
    topics.until(lambda: done(program), 1)
    topics.until(lambda: metric(program, "nostro_topic_lag_messages"), 0)
    program.stop()


def test_messages_that_are_gone_end_the_program_with_both_positions(upi, topic):
    topics.make(topic)
    topics.put(topic, [message(1) for _ in range(10)])
    program = upi()
    topics.until(lambda: done(program), 10)
    program.stop()
    topics.put(topic, [message(1) for _ in range(10)])
    topics.remove_before(topic, 15)
    program = upi()
    assert program.process.wait(PATIENCE_S) == 3
    assert f"topic {topic}, partition 0: message 10 is to be read next, but its first is 15 and its end 20" in program.stderr
    program = upi(sets={"kafka.skip_gaps": "true"})
    topics.until(lambda: done(program), 5)
    program.stop()
    assert proved(program)["payments"] == 15


@pytest.mark.parametrize("count", (1, 15), ids=("shorter", "longer"))
def test_a_topic_of_the_same_name_that_was_made_anew_is_noticed(upi, topic, count):
    topics.make(topic)
    topics.put(topic, [message(1) for _ in range(10)])
    program = upi()
    topics.until(lambda: done(program), 10)
    program.stop()
    topics.remove(topic)
    topics.make(topic)
    topics.put(topic, [message(1) for _ in range(count)])
    program = upi()
    assert program.process.wait(PATIENCE_S) == 3
    assert f"topic {topic}, partition 0: message 10 is to be read next, but the topic was made anew" in program.stderr
    assert f"its first is 0 and its end {count}" in program.stderr


def gone(program, topic):
    """Of a program that has ended for it: the message that was to be read next, and what the topic holds."""
    assert program.process.wait(PATIENCE_S) == 3, program.stderr
    said = re.search(rf"topic {topic}, partition 0: message (\d+) is to be read next, but (.*)", program.stderr)
    assert said, program.stderr
    return int(said[1]), said[2]


def test_a_head_that_is_removed_under_a_program_that_is_behind_ends_it(upi, topic):
    topics.make(topic)
    topics.put(topic, [message(1) for _ in range(10)])
    program = upi()
    topics.until(lambda: done(program), 10)
    program.process.send_signal(signal.SIGSTOP)
    # A question that is with the broker is answered with the first; what is asked next is gone.
    topics.put(topic, [message(1)])
    topics.put(topic, [message(1) for _ in range(10)])
    topics.remove_before(topic, 18)
    program.process.send_signal(signal.SIGCONT)
    asked, said = gone(program, topic)
    assert asked in (10, 11) and said.startswith("its first is 18 and its end 21"), program.stderr
    assert "--set kafka.skip_gaps=true" in said
    again = upi()
    assert gone(again, topic)[0] == asked, "nothing was passed over"
    again = upi(sets={"kafka.skip_gaps": "true"})
    topics.until(lambda: topics.committed("upi_group", topic), 21)
    again.stop()
    assert proved(again)["payments"] == asked + 3


@pytest.mark.parametrize("count", (1, 15), ids=("shorter", "longer"))
def test_a_topic_that_is_made_anew_under_a_program_ends_it(upi, topic, count):
    topics.make(topic)
    topics.put(topic, [message(1) for _ in range(10)])
    program = upi()
    topics.until(lambda: done(program), 10)
    topics.remove(topic)
    topics.make(topic)
    topics.put(topic, [message(1) for _ in range(count)])
    asked, said = gone(program, topic)
    # Until it is noticed, which takes two seconds at most, messages of the new one may be read that stand behind the old.
    assert 10 <= asked <= max(10, count) and "the topic was made anew" in said, program.stderr
    held = re.search(r"its first is 0 and its end (\d+)", said)
    assert held and int(held[1]) <= count, said  # it may be noticed before it is filled
    again = upi()
    assert gone(again, topic)[0] == asked
    again = upi(sets={"kafka.skip_gaps": "true"})
    posted = lambda: again.client().get("/v1/accounts/user:user_1/balance", tenant="upi").json["posted"]  # noqa: E731
    topics.until(posted, f"{1_000_000 - 10 - count}.00")
    again.stop()
    assert proved(again)["payments"] == 10 + count, "each message of either counts once"


@pytest.mark.rows("UPI-03")
def test_the_topic_and_its_dead_letters_are_made_where_they_are_not(upi, topic):
    program = upi()
    assert len(topics.partitions(topic)) == 1 and topics.exists(f"{topic}.dead-letters")
    program.stop()
    other = unique("missing")
    program = upi(env={"KAFKA_TOPIC": other}, data=program.data.with_name("other"), sets={"kafka.create_topics": "false"})
    assert program.code == 3
    assert f"there is no topic {other}" in program.stderr


def test_without_a_broker_the_start_gives_up_after_its_time(upi):
    program = upi("127.0.0.1:1", sets={"kafka.start_timeout": "2s"})
    assert program.code == 3
    assert "no broker of 127.0.0.1:1 answers" in program.stderr
