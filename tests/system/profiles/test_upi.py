"""The UPI simulator's promises that need no other server."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import unique
from program import PATIENCE_S, run

USERS = [f"user_{number}" for number in range(1, 6)]


@pytest.fixture
def upi(nostro):
    program = nostro("--profile", "upi")
    assert program.url, program.stderr
    return program


def message(amount, payer="user_1", payee="user_2", tx_id=None):
    return {"tx_id": tx_id or unique("tx"), "payer_id": payer, "payee_id": payee, "amount": amount, "currency": "INR",
            "created_at": None}  # fmt: skip


def send(program, *messages, **query):
    body = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in messages)
    answer = program.client().request("POST", "/v1/profiles/upi/messages", body, form="application/x-ndjson", **query)
    assert answer.status in (202, 422), answer
    return answer.json


def inr(program):
    totals = program.client().get("/v1/ledger/trial-balance").json
    return next(each for each in totals["currencies"] if each["currency"] == "INR")["kinds"]


@pytest.mark.rows("UPI-02", "UPI-03")
def test_bounds_come_from_the_environment(nostro):
    program = nostro("--profile", "upi", env={"MAX_TXN_AMOUNT": "100", "DAILY_TXN_LIMIT": "150"})
    assert send(program, message(101), message(100), message(51))["payments"] == {"settled": 1, "rejected": 2}


@pytest.mark.rows("UPI-05")
def test_reads_the_wire_shape_and_passes_over_the_rest(upi):
    told = send(upi, '{"amount": 5 , "payee_id":"b","extra":[1,{"x":"y"}],"payer_id":"\\u0061","tx_id":"t1","currency":"EUR"}')
    assert told["payments"] == {"settled": 1}


@pytest.mark.rows("UPI-07", "UPI-08", "UPI-09", "UPI-10", "UPI-11", "UPI-12")
def test_rules_at_their_bounds(upi):
    each = [150000, 150001, 150000, 150000, 50001, 50000, 1]
    assert send(upi, *map(message, each))["payments"] == {"settled": 4, "rejected": 3}
    assert send(upi, message(1000, "new", "user_2"), message(1001, "poor", "user_3"))["payments"] == {"settled": 2}
    assert send(upi, message(1, "unpaid", "other"), message(2, "other", "unpaid"))["payments"] == {
        "settled": 1, "rejected": 1}  # fmt: skip


@pytest.mark.rows("UPI-16", "UPI-17", "UPI-W03")
def test_users_open_once_with_what_is_theirs(nostro, tmp_path):
    program = nostro("--profile", "upi")
    send(program, message(250, "somebody", "nobody"))
    kinds = {row["kind"]: row for row in inr(program)}
    # Five sample users and the payer open with a million each, out of equity.
    assert (kinds["customer"]["posted"], kinds["house"]["posted"]) == ("6000000.00", "-6000000.00")
    assert kinds["customer"]["accounts"] == 7
    program.stop()
    again = nostro("--profile", "upi", data=program.data)
    assert again.url, again.stderr
    assert send(again, message(250, "nobody", "somebody"))["payments"] == {"settled": 1}, "the payee has a row"
    assert send(again, message(1, "nobody", "somebody"))["payments"] == {"rejected": 1}


@pytest.mark.rows("UPI-W01", "G-01")
def test_the_same_message_again_moves_nothing(upi):
    first = message(10)
    assert send(upi, first, first, message(20))["payments"] == {"settled": 3}
    told = send(upi, first, message(11, tx_id=first["tx_id"]))
    assert (told["replayed"], told["refused"]) == (1, 1)
    assert told["not_taken"][0]["code"] == "idempotency_key_reused"


@pytest.mark.rows("UPI-W02", "UPI-W08", "UPI-W09", "G-04", "G-05")
def test_bad_amounts_are_on_record_or_dead_letters_and_the_rest_goes_on(upi):
    told = send(upi, message(-500), message(0), message(99.9), "nonsense", {"tx_id": "x"}, message(5, "a", "a"),
                '{"tx_id":"n","payer_id":"a","payee_id":"b","amount":NaN}',
                '{"tx_id":"e","payer_id":"a","payee_id":"b","amount":1e99}', message(7))  # fmt: skip
    assert (told["records"], told["dead_letters"]) == (2, 5)
    assert told["payments"] == {"settled": 1, "rejected": 1}
    letters = upi.client().get("/v1/dead-letters").json["data"]
    assert len(letters) == 5 and all(letter["why"] for letter in letters)
    assert any("whole number of rupees" in letter["why"] for letter in letters)


@pytest.mark.rows("G-02", "UPI-W06", "UPI-W07")
def test_a_kill_loses_nothing_and_moves_nothing_twice(nostro):
    program = nostro("--profile", "upi")
    messages = [message(100) for _ in range(50)]
    send(program, *messages)
    program.process.kill()
    program.process.wait()
    again = nostro("--profile", "upi", data=program.data)
    told = send(again, *messages, message(100))
    assert (told["replayed"], told["payments"]) == (50, {"settled": 51})
    again.stop()
    proved = run("verify", "--data", program.data)
    assert proved.returncode == 0, proved.stderr


@pytest.mark.rows("G-10")
def test_a_file_is_fed_by_one_command_from_any_folder(upi, tmp_path):
    path = tmp_path / "messages.ndjson"
    path.write_text("\n".join(json.dumps(message(number + 1)) for number in range(25)))
    for replayed in (0, 25):
        fed = run("feed", "upi", path, "--url", upi.url, "--json", cwd="/")
        assert fed.returncode == 0, fed.stderr
        told = json.loads(fed.stdout)
        assert (told["messages"], told["replayed"], told["payments"]) == (25, replayed, {"settled": 25})


def metrics(program, processed):
    """As soon as so many payments are counted, which happens a moment after they are answered."""
    deadline = time.monotonic() + PATIENCE_S
    while (seen := metrics_now(program)).get("transactions_total") != str(processed):
        assert time.monotonic() < deadline, seen
    return seen


def metrics_now(program):
    answer = program.client().get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.body.decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.rows("UPI-22", "UPI-23", "UPI-24", "UPI-25", "G-06", "UPI-W10")
def test_both_sets_of_metric_names(upi):
    send(upi, message(100), message(250, "a", "b"), message(150001), message(-5))
    seen = metrics(upi, processed=4)
    wanted = {
        "transactions_total": "4", "transaction_failures_total": "2", 'upi_transactions_total{status="SUCCESS"}': "2",
        'upi_transactions_total{status="FAILED"}': "2", "upi_transactions_amount_total": "350",
        'transaction_amount_bucket{le="100.0"}': "1", 'transaction_amount_bucket{le="500.0"}': "2",
        'transaction_amount_bucket{le="200000.0"}': "3", 'transaction_amount_bucket{le="+Inf"}': "3",
        "transaction_amount_count": "3", "transaction_amount_sum": "150351",
    }  # fmt: skip
    assert {name: seen.get(name) for name in wanted} == wanted
    assert not any("user_id" in name for name in seen), "names of users are many"


@pytest.mark.rows("UPI-W05", "UPI-W12", "G-03")
def test_many_writers_of_one_payer_keep_every_bound(upi):
    bodies = [json.dumps(message(10_000, "rich", f"payee_{n}")) for n in range(80)]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda each: send(upi, each)["payments"], bodies))
    assert sum(each.get("settled", 0) for each in told) == 50, "what a day allows, however many ask at once"
    totals = upi.client().get("/v1/ledger/trial-balance").json
    assert totals["balanced"] is True


@pytest.mark.rows("UPI-02")
def test_a_limit_that_is_tried_and_taken_back_is_in_force_again(nostro):
    data, fates = None, []
    for limit in ("150000", "200000", "150000"):
        program = nostro("--profile", "upi", env={"MAX_TXN_AMOUNT": limit}, **({"data": data} if data else {}))
        data = program.data
        fates.append(send(program, message(150001))["payments"])
        program.stop()
    assert fates == [{"rejected": 1}, {"settled": 1}, {"rejected": 1}]


def test_what_somebody_has_put_in_its_place_stays(nostro):
    program = nostro("--profile", "upi")
    policies = program.client().get("/v1/policies", tenant="upi").json["data"]
    mine = policies[-1]["policy"].replace("150000.00", "7.00")
    put = program.client().request("PUT", "/v1/policies/upi", mine, form="application/toml")
    assert put.status == 202, put
    program.stop()
    again = nostro("--profile", "upi", data=program.data)
    assert send(again, message(8), message(7))["payments"] == {"settled": 1, "rejected": 1}
