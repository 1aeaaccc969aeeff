"""The clearing pipeline's promises that need no other server."""

import itertools
import json
import threading

import pytest
from client import unique
from program import ROOT, Program, run

ACCOUNTS = {  # of the sample data: customer, name, risk, type, balance
    "ACC001": ("CUST001", "John Doe", "low", "CHECKING", "50000.00"),
    "ACC002": ("CUST002", "Jane Smith", "medium", "SAVINGS", "25000.00"),
    "ACC003": ("CUST003", "Bob Johnson", "high", "CHECKING", "75000.00"),
    "ACC004": ("CUST004", "Alice Brown", "low", "SAVINGS", "30000.00"),
    "ACC005": ("CUST001", "John Doe", "low", "SAVINGS", "100000.00"),
    "ACC006": ("CUST002", "Jane Smith", "medium", "CHECKING", "15000.00"),
}
RICH = {"LOW": "R001", "LOW2": "R002", "MEDIUM": "R003", "HIGH": "R004", "HIGH2": "R005"}
CLEAR, CONDITIONS, REVIEW = "clear", "clear_with_conditions", "review"


class Clearing:
    def __init__(self, program):
        assert program.url, program.stderr
        self.program = program
        self.client = program.client()

    def send(self, *rows, client=None):
        body = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in rows)
        answer = (client or self.client).post("/v1/profiles/clearing/messages", body, form="application/x-ndjson")
        assert answer.status in (202, 422), answer
        return answer.json

    def decided(self, amount, debtor="ACC001", creditor="ACC002", **fields):
        """What became of one transaction."""
        sent = transaction(amount, debtor, creditor, **fields)
        self.send(sent)
        return self.payment(sent)

    def payment(self, sent):
        found = [each for each in self.client.pages("/v1/payments", tenant="clearing", account=sent["from_account"])
                 if each["idempotency_key"] == sent["transaction_id"]]  # fmt: skip
        assert len(found) == 1, found
        return found[0]

    def balance(self, account):
        return self.client.balance(account, tenant="clearing")

    def posted(self, *accounts):
        return [self.balance(account)["posted"] for account in accounts]

    def open(self, account, balance, risk="LOW", **fields):
        told = self.send({"account_number": account, "customer_id": unique("c"), "customer_name": "Somebody",
                          "risk_level": risk, "account_type": "CHECKING", "balance": balance, **fields})  # fmt: skip
        assert told["accounts"] == 1, told
        return account

    def rich(self):
        for name, account in RICH.items():
            self.open(account, "1000000.00", name.rstrip("2"))

    def set_status(self, account, status):
        answer = self.client.patch(f"/v1/accounts/{account}", {"status": status}, tenant="clearing")
        assert answer.status == 200, answer

    def sum(self):
        totals = self.client.get("/v1/ledger/trial-balance").json
        assert totals["balanced"], totals
        return {each["kind"]: each["posted"] for each in
                next(each for each in totals["currencies"] if each["currency"] == "USD")["kinds"]}  # fmt: skip


def transaction(amount, debtor="ACC001", creditor="ACC002", **fields):
    return {"transaction_id": unique("t"), "amount": amount, "from_account": debtor, "to_account": creditor,
            "transaction_type": "TRANSFER", "description": None, **fields}  # fmt: skip


@pytest.fixture
def clearing(nostro):
    return Clearing(nostro("--profile", "clearing"))


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """One program whose payers never run dry, for tests of the rules alone."""
    program = Program(tmp_path_factory.mktemp("clearing") / "data", "--profile", "clearing")
    each = Clearing(program)
    each.rich()
    yield each
    program.stop()


def seen(payment):
    return payment["status"], payment["why"]["score"], payment["why"]["advice"]


@pytest.mark.rows("CLR-06", "CLR-07")
def test_sample_customers_and_accounts_are_there_from_the_start(clearing):
    there = {each["account_id"]: each for each in clearing.client.pages("/v1/accounts", tenant="clearing")
             if each["kind"] != "house"}  # fmt: skip
    assert there.keys() == ACCOUNTS.keys()
    for name, (customer, holder, risk, kind, balance) in ACCOUNTS.items():
        each = there[name]
        assert (each["holder"], each["risk_level"], each["balance"]["posted"]) == (holder, risk, balance)
        assert each["metadata"] == {"account_type": kind, "customer_id": customer}
        assert each["floor"] == "0.00"
    assert clearing.sum()["customer"] == "295000.00"


@pytest.mark.rows("CLR-08", "CLR-10", "CLR-W04")
def test_the_sample_run_ends_with_its_balances(clearing, tmp_path):
    path = tmp_path / "rows.ndjson"
    path.write_text("".join(run("generate", "clearing", "--rows", rows).stdout for rows in ("customers", "accounts", "transactions")))
    fed = run("feed", "clearing", path, "--url", clearing.program.url, "--json", cwd="/")
    assert fed.returncode == 0, fed.stderr
    told = json.loads(fed.stdout)
    assert (told["records"], told["accounts"], told["replayed"]) == (4, 6, 6), "its accounts are there from the start"
    assert (told["payments"], told["refused"]) == ({"settled": 3}, 0)
    got = [seen(clearing.payment({"transaction_id": f"TXN00{number}", "from_account": f"ACC00{payer}"}))
           for number, payer in ((1, 1), (2, 3), (3, 5))]  # fmt: skip
    assert got == [("settled", 20, CLEAR), ("settled", 40, CONDITIONS), ("settled", 20, CLEAR)]
    assert clearing.posted(*ACCOUNTS) == ["49000.00", "26000.00", "72499.50", "32500.50", "99249.75", "15750.25"]
    assert clearing.decided(1500.00, transaction_id="TEST001")["status"] == "settled"
    assert clearing.posted("ACC001", "ACC002") == ["47500.00", "27500.00"]
    assert clearing.sum()["customer"] == "295000.00"


@pytest.mark.rows("CLR-30", "CLR-32", "CLR-33")
@pytest.mark.parametrize("amount, debtor, creditor, score, advice", [
    ("5000.00", "LOW", "LOW2", 0, CLEAR), ("5000.01", "LOW", "LOW2", 15, CLEAR),
    ("10000.00", "LOW", "LOW2", 15, CLEAR), ("10000.01", "LOW", "LOW2", 30, CLEAR),
    ("100000.00", "LOW", "LOW2", 30, CLEAR), ("100000.01", "LOW", "LOW2", 30, REVIEW),
    ("5000.00", "MEDIUM", "LOW", 20, CLEAR), ("5000.01", "LOW", "MEDIUM", 35, CLEAR),
    ("10000.01", "MEDIUM", "LOW", 50, CONDITIONS), ("0.01", "HIGH", "LOW", 40, CONDITIONS),
    ("0.01", "LOW", "HIGH", 40, CONDITIONS), ("5000.01", "LOW", "HIGH", 55, CONDITIONS),
    ("10000.01", "HIGH", "LOW", 70, CONDITIONS), ("0.01", "HIGH", "MEDIUM", 40, CONDITIONS),
    ("0.01", "HIGH", "HIGH2", 40, CONDITIONS),
])  # fmt: skip
def test_scores_and_bands_at_their_bounds(rich, amount, debtor, creditor, score, advice):
    status = "in_review" if advice == REVIEW else "settled"
    assert seen(rich.decided(amount, RICH[debtor], RICH[creditor])) == (status, score, advice)


@pytest.mark.rows("CLR-31")
def test_the_scores_that_can_be_reached(rich):
    scores = {rich.decided(amount, RICH["LOW"], RICH[creditor])["why"]["score"]
              for amount, creditor in itertools.product(("1", "5000.01", "10000.01"), ("LOW2", "MEDIUM", "HIGH"))}  # fmt: skip
    assert scores == {0, 15, 20, 30, 35, 40, 50, 55, 70}


def served_with(nostro, tmp_path, *changes):
    """A program with its own profiles/clearing.toml."""
    text = (ROOT / "src/nostro/profiles/clearing.toml").read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "clearing.toml").write_text(text)
    each = Clearing(nostro("--profile", "clearing", sets={"profiles.folder": folder}))
    each.rich()
    return each


@pytest.mark.rows("CLR-30", "CLR-32", "CLR-35")
@pytest.mark.parametrize("points, advice, status", [(39, CLEAR, "settled"), (40, CONDITIONS, "settled"),
                                                    (70, CONDITIONS, "settled"), (71, REVIEW, "in_review")])  # fmt: skip
def test_weights_are_configuration_and_scores_have_bounds(nostro, tmp_path, points, advice, status):
    clearing = served_with(nostro, tmp_path, ("points = 15", f"points = {points}"))
    assert seen(clearing.decided("5000.01", RICH["LOW"], RICH["LOW2"])) == (status, points, advice)


@pytest.mark.rows("CLR-35", "CLR-62")
def test_bands_the_limit_and_further_rules_are_configuration(nostro, tmp_path):
    rule = '[[rule]]\nname = "wire"\nkind = "match"\ntypes = ["WIRE"]\npoints = 3\n\n[profile]'
    clearing = served_with(nostro, tmp_path, ('USD = "5000.00"', 'USD = "50.00"'), ('"100000.00"', '"500.00"'),
                           ("[profile]", rule))  # fmt: skip
    assert seen(clearing.decided("50.00", RICH["LOW"], RICH["LOW2"])) == ("settled", 0, CLEAR)
    assert seen(clearing.decided("50.01", RICH["LOW"], RICH["LOW2"])) == ("settled", 15, CLEAR)
    assert seen(clearing.decided("500.01", RICH["LOW"], RICH["LOW2"])) == ("in_review", 15, REVIEW)
    assert seen(clearing.decided("1", RICH["LOW"], RICH["LOW2"], transaction_type="WIRE")) == ("settled", 3, CLEAR)


@pytest.mark.rows("CLR-34", "CLR-W06", "CLR-W12")
def test_checks_are_made_in_their_order(clearing):
    poor = clearing.open("POOR", "100.00", "HIGH")
    clearing.open("FROZEN", "100.00")
    clearing.open("CLOSED", "0.00")
    clearing.open("BIG", "100000.01")
    clearing.set_status("FROZEN", "frozen")
    clearing.set_status("CLOSED", "closed")
    for amount, debtor, creditor, reason in [
        ("999999", "NOBODY", "NEITHER", "account_unknown"), ("999999", poor, "NOBODY", "account_unknown"),
        ("999999", poor, poor, "same_account"), ("1", poor, poor, "same_account"),
        ("999999", "FROZEN", poor, "account_frozen"), ("999999", poor, "FROZEN", "account_frozen"),
        ("999999", poor, "CLOSED", "account_closed"), ("1", "CLOSED", poor, "account_closed"),
        ("100000.01", poor, "BIG", "insufficient_funds"), ("100.01", poor, "BIG", "insufficient_funds"),
    ]:  # fmt: skip
        each = clearing.decided(amount, debtor, creditor)
        assert (each["status"], each["reason"]) == ("rejected", reason), (amount, debtor, creditor)
    assert clearing.posted(poor, "FROZEN", "CLOSED", "BIG") == ["100.00", "100.00", "0.00", "100000.01"]
    assert clearing.decided("100000.01", "BIG", poor)["status"] == "in_review", "the limit comes before the score"
    assert clearing.decided("100.00", poor, "BIG")["status"] == "settled", "all of a balance may go"
    assert clearing.posted(poor) == ["0.00"]


@pytest.mark.rows("G-04", "G-05")
def test_what_is_no_amount_or_account_is_on_record_or_a_dead_letter(clearing):
    bad = [transaction(amount) for amount in ("1.005", "1e3", "ten", True, None, "99999999999999.99")]
    told = clearing.send(transaction(0), transaction("-1000.00"), transaction(5, None), *bad, "nonsense",
                         '{"transaction_id":"n","amount":NaN,"from_account":"ACC001","to_account":"ACC002"}',
                         transaction(5))  # fmt: skip
    assert (told["records"], told["dead_letters"], told["payments"]) == (3, len(bad) + 2, {"settled": 1})
    letters = clearing.client.get("/v1/dead-letters").json["data"]
    assert len(letters) == len(bad) + 2 and all(letter["why"] for letter in letters)
    assert clearing.posted("ACC001", "ACC002") == ["49995.00", "25005.00"]


@pytest.mark.rows("CLR-40", "CLR-W11")
@pytest.mark.parametrize("decision, moved", [("approve", "100000.01"), ("reject", "0.00")])
@pytest.mark.parametrize("way", ["api", "command"])
def test_a_review_holds_the_funds_until_somebody_decides(clearing, decision, moved, way):
    payer, payee = clearing.open("PAYER", "150000.00"), clearing.open("PAYEE", "0.00")
    waiting = clearing.decided("100000.01", payer, payee)
    assert waiting["status"] == "in_review" and clearing.posted(payer, payee) == ["150000.00", "0.00"]
    assert clearing.balance(payer)["available"] == "49999.99"
    assert clearing.decided("50000.00", payer, payee)["reason"] == "insufficient_funds"
    (queued,) = clearing.client.pages("/v1/reviews", tenant="clearing")
    assert queued["payment_id"] == waiting["payment_id"]
    if way == "api":
        answer = clearing.client.post(f"/v1/reviews/{waiting['payment_id']}/{decision}",
                                      {"reviewer": "r.novak", "reason": "called"})  # fmt: skip
        assert answer.status == 202, answer
    else:
        done = run("reviews", decision, waiting["payment_id"], "--by", "r.novak", "--reason", "called", "--url",
                   clearing.program.url)  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert clearing.posted(payee) == [moved] and clearing.balance(payer)["held"] == "0.00"
    last = clearing.client.payment(waiting["payment_id"])["timeline"][-1]
    assert (last["by"], last["note"]) == ("r.novak", "called")
    assert clearing.client.pages("/v1/reviews", tenant="clearing") == []


@pytest.mark.rows("CLR-W01", "G-03")
def test_many_senders_settle_exactly_what_there_is_money_for(clearing):
    payer = clearing.open("PAYER", "47510.00")
    results = []

    def send(rows):
        results.append(clearing.send(*rows, client=clearing.program.client())["payments"])

    threads = [threading.Thread(target=send, args=([transaction(1000, payer) for _ in range(15)],)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.get("settled", 0) for each in results) == 47
    assert sum(each.get("rejected", 0) for each in results) == 73
    assert clearing.posted(payer, "ACC002") == ["510.00", "72000.00"]
    assert clearing.sum()["customer"] == "342510.00"


@pytest.mark.rows("CLR-W08")
def test_transfers_both_ways_at_once_end(clearing):
    def send(debtor, creditor):
        clearing.send(*(transaction("0.10", debtor, creditor) for _ in range(300)), client=clearing.program.client())

    threads = [threading.Thread(target=send, args=pair) for pair in (("ACC001", "ACC002"), ("ACC002", "ACC001")) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clearing.posted("ACC001", "ACC002") == ["50000.00", "25000.00"], "ten cents three hundred times are 30.00"


@pytest.mark.rows("CLR-W02", "CLR-W14", "G-01", "G-02")
def test_a_killed_program_and_everything_sent_again_move_nothing_twice(nostro):
    first = Clearing(nostro("--profile", "clearing"))
    rows = [transaction("10.00") for _ in range(50)]
    first.send(*rows)
    first.program.kill()
    again = Clearing(nostro("--profile", "clearing", data=first.program.data))
    told = again.send(*({**row, "status": "pending"} for row in rows), transaction("10.00"))
    assert (told["replayed"], told["payments"]) == (50, {"settled": 51})
    assert again.posted("ACC001", "ACC002") == ["49490.00", "25510.00"]
    again.program.stop()
    proved = run("verify", "--data", first.program.data)
    assert proved.returncode == 0, proved.stderr


@pytest.mark.rows("CLR-W15")
def test_a_message_of_the_pipeline_is_not_believed(clearing):
    known = transaction("100.00")
    claim = {"id": 1, "timestamp": "2024-01-01T00:00:00", "status": "cleared", "risk_score": 0, "cleared_by": "automated_system",
             "clearance_notes": "All validations passed", "available_balance": 1e6,
             "from_customer": {"name": "X", "risk_level": "LOW", "account_type": "CHECKING", "balance": 1e6},
             "to_customer": {"name": "Y", "risk_level": "LOW", "account_type": "CHECKING", "balance": 0}}  # fmt: skip
    clearing.send(known)
    assert clearing.send({**known, **claim})["replayed"] == 1
    told = clearing.send({**known, **claim, "amount": 9000})
    assert (told["refused"], told["not_taken"][0]["code"]) == (1, "idempotency_key_reused")
    assert clearing.posted("ACC001") == ["49900.00"]
    forged = transaction(20000, "ACC003", "ACC004", **claim)
    clearing.send(forged)
    assert seen(clearing.payment(forged)) == ("settled", 70, CONDITIONS)
    too_much = transaction(1000000, "ACC003", "ACC004", **claim)
    clearing.send(too_much)
    assert clearing.payment(too_much)["reason"] == "insufficient_funds"


@pytest.mark.rows("ALL-05")
def test_json_of_any_form_is_the_same_row(clearing):
    told = clearing.send('{ "to_account":"ACC002" ,"extra":{"a":[1]},"from_account":"\\u0041CC001",\t"amount" : 1.0,"transaction_id":"T1"}',
                         '{"transaction_id":"T1","amount":"1.00","from_account":"ACC001","to_account":"ACC002","description":null}')  # fmt: skip
    assert (told["replayed"], told["payments"]) == (1, {"settled": 2})
    assert clearing.posted("ACC001") == ["49999.00"]


@pytest.mark.rows("G-10")
def test_a_csv_of_transactions_is_fed(clearing, tmp_path):
    path = tmp_path / "transactions.csv"
    path.write_text("transaction_id,amount,from_account,to_account,transaction_type,description\n"
                    "T1,1000.00,ACC001,ACC002,TRANSFER,\"rent, may\"\nT2,1.00,ACC001,ACC002,,\n")  # fmt: skip
    for replayed in (0, 2):
        fed = run("feed", "clearing", path, "--url", clearing.program.url, "--json", cwd="/")
        told = json.loads(fed.stdout)
        assert (told["payments"], told["replayed"]) == ({"settled": 2}, replayed), fed.stderr
    assert clearing.posted("ACC001") == ["48999.00"]


@pytest.mark.rows("G-10")
def test_rows_of_all_tables_are_fed_from_one_file(clearing, tmp_path):
    path = tmp_path / "rows.ndjson"
    path.write_text("\n".join(json.dumps(row) for row in [
        {"table": "customers", "customer_id": "CUST005", "name": "Mo", "email": "mo@example.org", "risk_level": "MEDIUM"},
        {"table": "accounts", "account_number": "ACC007", "customer_id": "CUST005", "customer_name": "Mo", "risk_level": "MEDIUM",
         "account_type": "SAVINGS", "balance": "12.50"},
        {"table": "accounts", "account_number": "ACC008", "customer_id": "CUST001", "account_type": "SAVINGS"},
        {"table": "transactions", **transaction("2.50", "ACC007", "ACC008", transaction_id="T1")},
        {"table": "accounts", "account_number": "ACC009", "customer_id": "CUST999", "account_type": "SAVINGS"},
    ]))  # fmt: skip
    for replayed in (0, 5):
        fed = run("feed", "clearing", path, "--url", clearing.program.url, "--json", cwd="/")
        told = json.loads(fed.stdout)
        assert (told["accounts"], told["records"], told["dead_letters"], told["replayed"]) == (2, 1, 1, replayed)
    assert clearing.posted("ACC007", "ACC008") == ["10.00", "2.50"]
    assert clearing.client.get("/v1/accounts/ACC007", tenant="clearing").json["risk_level"] == "medium"
    assert clearing.client.get("/v1/accounts/ACC008", tenant="clearing").json["holder"] == "John Doe"
