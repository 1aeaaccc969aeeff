"""The live stream: every outcome once, in order, also over a broken connection."""

import pytest
from client import refused
from stream import Stream

EVENT_FIELDS = {"payment_id", "event", "status", "reason", "reason_class", "debtor_account", "creditor_account",
                "amount", "currency", "rail", "type", "reference", "moved_amount", "idempotency_key", "number",
                "reverses", "accepted_at", "at", "journal"}  # fmt: skip


def test_outcomes_arrive_as_they_become_durable(api, shared):
    debtor, creditor = api.pair()
    with Stream(shared.port, account=debtor) as stream:
        settled = api.paid(debtor, creditor, "1.00", reference="S-1")
        rejected = api.paid(debtor, creditor, "5000.00", status="rejected")
        held = api.paid(debtor, creditor, "2.00", status="held", capture="manual")
        assert api.post(f"/v1/payments/{held}/capture", {"amount": "1.50"}).status == 202
        events = stream.take(4)
    assert all(event.keys() == EVENT_FIELDS for event in events)
    assert [(event["payment_id"], event["event"], event["status"]) for event in events] == [
        (settled, "submitted", "settled"), (rejected, "submitted", "rejected"), (held, "submitted", "held"),
        (held, "captured", "settled"),
    ]  # fmt: skip
    assert events[0]["reference"] == "S-1" and events[1]["reason"] == "insufficient_funds"
    assert (events[3]["amount"], events[3]["moved_amount"]) == ("2.00", "1.50")


def test_a_broken_stream_resumes_without_a_gap_or_a_repeat(api, shared):
    debtor, creditor = api.pair()
    first = [api.paid(debtor, creditor, "0.01")]
    place = api.payment(first[0])["journal"]
    with Stream(shared.port, account=debtor, last=f"{place['seq']}.0") as stream:
        first += [api.paid(debtor, creditor, "0.01") for _ in range(5)]
        # Of the first frame everything behind outcome 0 may follow; the rest is what was paid since.
        seen = [event["payment_id"] for event in stream.take(3)]
        last = stream.last
    missed = [api.paid(debtor, creditor, "0.01") for _ in range(20)]
    with Stream(shared.port, account=debtor, last=last) as stream:
        seen += [event["payment_id"] for event in stream.take(22)]
        later = api.paid(debtor, creditor, "0.01")
        seen.append(stream.payment()["payment_id"])
    assert seen == (first[1:] + missed + [later])


def test_a_stream_resumes_over_a_restart(nostro):
    first = nostro()
    api = first.client()
    debtor, creditor = api.pair()
    with Stream(first.port) as stream:
        ids = [api.paid(debtor, creditor, "0.01") for _ in range(3)]
        seen = [stream.payment()["payment_id"]]
        last = stream.last
    first.kill()
    again = nostro()
    ids.append(again.client().paid(debtor, creditor, "0.01"))
    with Stream(again.port, last=last) as stream:
        seen += [event["payment_id"] for event in stream.take(3)]
    assert seen == ids


def test_a_stream_that_resumes_from_the_beginning_tells_everything_in_order(nostro):
    program = nostro()
    api = program.client()
    debtor, creditor = api.pair()
    batch = [{"idempotency_key": f"item-{n:08}", "debtor_account": debtor, "creditor_account": creditor,
              "amount": "0.01", "currency": "USD"} for n in range(3000)]  # fmt: skip
    assert api.post("/v1/payments/batch", {"payments": batch}).status == 202
    with Stream(program.port, last="0.0") as stream:
        events = stream.take(3000)
    assert [event["idempotency_key"] for event in events] == [item["idempotency_key"] for item in batch]
    places = [(event["journal"]["seq"], event["journal"]["index"]) for event in events]
    assert places == sorted(set(places))
    assert [event["number"] for event in events] == list(range(1, 3001))


@pytest.mark.parametrize("filters, wanted", [
    ({"status": "rejected"}, [1]), ({"reference": "B"}, [1, 2]), ({"type": "T2"}, [2]),
    ({"currency": "USD", "min_amount": "2.00"}, [1, 2]), ({"currency": "USD", "max_amount": "2.00"}, [0, 2]),
    ({"currency": "EUR"}, []), ({"rail": "internal", "status": "settled"}, [0, 2]),
])  # fmt: skip
def test_a_stream_filters_as_the_list_does(api, shared, filters, wanted):
    debtor, creditor = api.pair("100.00")
    sent = [("1.00", "A", "T1"), ("500.00", "B", "T1"), ("2.00", "B", "T2")]
    with Stream(shared.port, account=debtor, **filters) as stream, Stream(shared.port, account=debtor) as all_of_it:
        ids = [api.pay(debtor, creditor, amount, reference=reference, type=kind).json["payment_id"]
               for amount, reference, kind in sent]  # fmt: skip
        assert [event["payment_id"] for event in all_of_it.take(3)] == ids
        assert [event["payment_id"] for event in stream.take(len(wanted))] == [ids[n] for n in wanted]


@pytest.mark.parametrize("query, headers, code", [
    ({"account": "a b"}, {}, "invalid_parameter"), ({"status": "gone"}, {}, "invalid_parameter"),
    ({"min_amount": "1"}, {}, "invalid_parameter"), ({"from": "x"}, {}, "unknown_parameter"),
    ({}, {"Last-Event-ID": "x"}, "invalid_parameter"), ({}, {"Last-Event-ID": "1"}, "invalid_parameter"),
    ({}, {"Last-Event-ID": "99999999.0"}, "invalid_parameter"),
])  # fmt: skip
def test_a_bad_filter_or_position_is_refused(api, query, headers, code):
    refused(api.get("/v1/stream", headers=headers, **query), 400, code)


def test_more_streams_than_allowed_are_refused(nostro):
    program = nostro(sets={"stream.subscribers_max": "2"})
    with Stream(program.port), Stream(program.port):
        assert refused(program.client().get("/v1/stream"), 503, "overloaded")


def test_a_stop_ends_streams_and_tells_why(nostro):
    program = nostro()
    with Stream(program.port) as stream:
        program.stop()
        with pytest.raises(EOFError):
            while True:
                name, data = stream.next()
                assert name == "error" and data["status"] == 503
