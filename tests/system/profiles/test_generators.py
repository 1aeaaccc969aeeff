"""What the generators promise of their documents, told once more in another language than theirs."""

import json
import re
import signal
import subprocess
from collections import Counter
from datetime import date, datetime
from decimal import Decimal

import pytest
from program import BINARY, PATIENCE_S, environment, run

HEX8 = "[0-9A-F]{8}"
TYPES = ["ACH", "WIRE", "CHECK", "RTP", "SEPA_CREDIT_TRANSFER", "CARD_PAYMENT", "DIRECT_DEBIT", "STANDING_ORDER", "P2P"]
STATUSES = {"RECEIVED", "PROCESSING", "COMPLETED", "FAILED", "PENDING", "VALIDATED"}
COMMON = ["payment_id", "payment_type", "version", "created_at", "updated_at", "status", "amount", "originator",
          "beneficiary", "processing", "references", "remittance_info", "type_specific_data", "regulatory", "metadata"]  # fmt: skip

# Prefix of the id, bounds of the amount, members of its own, references, parts of type_specific_data, checks, metadata.
TABLE = {
    "ACH": ("ACH", 100, 1_000_000, "sec_code batch_id addenda", {"end_to_end_id": f"E2E{HEX8}", "transaction_id": f"TXN{HEX8}"},
            "sec_code batch_data addenda", "aml_check", "PAYMENT_SYSTEM/TREASURY"),
    "WIRE": ("WIRE", 10_000, 10_000_000, "wire_type message_type intermediary_bank charges",
             {"sender_reference": f"REF{HEX8}", "beneficiary_reference": f"BREF{HEX8}"}, "message_type charges_instruction",
             "aml_check ofac_check", "WIRE_SYSTEM/TREASURY"),
    "CHECK": ("CHECK", 100, 50_000, "check_number check_type presentation_type memo image_data",
              {"check_number": "[1-9][0-9]{3}", "transaction_id": f"TXN{HEX8}"}, "check_type presentation_type capture_type",
              "aml_check", "CHECK_SYSTEM/TREASURY"),
    "RTP": ("RTP", 100, 100_000, "clearing_system settlement_method confirmation timing",
            {"end_to_end_id": f"E2E{HEX8}", "transaction_id": f"TXN{HEX8}"}, "clearing_system settlement_method processing_mode",
            "aml_check", "RTP_SYSTEM/PAYMENTS"),
    "SEPA_CREDIT_TRANSFER": ("SEPA", 100, 100_000, "scheme instruction_id service_level local_instrument category_purpose",
                             {"end_to_end_id": f"E2E{HEX8}", "instruction_id": f"INST{HEX8}"},
                             "scheme service_level local_instrument", "aml_check", "SEPA_SYSTEM/EUROPEAN_PAYMENTS"),
    "CARD_PAYMENT": ("CARD", 10, 5_000, "card_present entry_mode terminal_id merchant_id pan_last_4 card_type network auth_code",
                     {"transaction_id": f"TXN{HEX8}"}, "card_present entry_mode auth_type", "fraud_check",
                     "CARD_SYSTEM/MERCHANT_SERVICES"),
    "DIRECT_DEBIT": ("DD", 10, 5_000, "scheme_type mandate_id date_of_signature max_amount frequency sequence_type "
                     "collection_date creditor_id", {"mandate_id": f"MNDT{HEX8}", "transaction_id": f"TXN{HEX8}"},
                     "scheme_type recurring_type", "mandate_check", "DD_SYSTEM/COLLECTIONS"),
    "STANDING_ORDER": ("SO", 100, 5_000, "frequency execution_day start_date end_date next_execution previous_execution "
                       "last_execution_status", {"standing_order_id": f"SO{HEX8}", "transaction_id": f"TXN{HEX8}"},
                       "frequency execution_day", "", "SO_SYSTEM/RECURRING_PAYMENTS"),
    "P2P": ("P2P", 10, 1_000, "service_provider service_type purpose message device_id risk_score",
            {"transaction_id": f"TXN{HEX8}"}, "service_provider service_type", "fraud_check", "P2P_SYSTEM/DIGITAL_PAYMENTS"),
}  # fmt: skip


def lines(*arguments):
    done = run("generate", *arguments)
    assert done.returncode == 0, done
    return [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def b2b():
    return lines("b2b", "--count", 4500, "--to", "stdout")


@pytest.fixture(scope="module")
def realistic():
    return lines("b2b", "--count", 4500, "--to", "stdout", "--realistic")


def a_day(text):
    return date.fromisoformat(text)


@pytest.mark.rows("UPI-04", "UPI-28")
def test_a_upi_message_is_as_the_topic_carries_it():
    messages = lines("upi", "--count", 2000)
    uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    for each in messages:
        assert list(each) == ["tx_id", "payer_id", "payee_id", "amount", "currency", "created_at"]
        assert re.fullmatch(uuid, each["tx_id"]) and type(each["amount"]) is int and each["amount"] > 0
        assert (each["currency"], each["created_at"]) == ("INR", None)
    assert len({each["tx_id"] for each in messages}) == 2000
    before = datetime.now().astimezone()
    timed = lines("upi", "--count", 1, "--realistic", "--start", "now")[0]
    assert before <= datetime.fromisoformat(timed["created_at"]) <= datetime.now().astimezone()


@pytest.mark.rows("UPI-27")
def test_upi_payers_and_amounts_are_uniform():
    messages = lines("upi", "--count", 20_000)
    pairs = Counter((each["payer_id"], each["payee_id"]) for each in messages)
    users = [f"user_{n}" for n in range(1, 6)]
    assert set(pairs) == {(a, b) for a in users for b in users if a != b} and min(pairs.values()) > 800
    amounts = [each["amount"] for each in messages]
    assert 1 <= min(amounts) < 100 and 199_900 < max(amounts) <= 200_000
    assert 0.23 < sum(amount > 150_000 for amount in amounts) / len(amounts) < 0.27
    assert len(lines("upi")) == 800, "and then it ends"


@pytest.mark.rows("B2B-01", "B2B-02", "B2B-05")
def test_b2b_documents_have_the_members_of_their_type(b2b, realistic):
    assert {each["payment_type"] for each in b2b} == set(TYPES)
    counts = Counter(each["status"] for each in b2b)
    assert set(counts) == STATUSES and min(counts.values()) > 650
    for each in b2b + realistic:
        prefix, low, high, own, references, specific, checks, metadata = TABLE[each["payment_type"]]
        assert list(each) == COMMON + own.split(), each
        assert re.fullmatch(prefix + "-" + HEX8, each["payment_id"]) and each["version"] == "1.0"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", each["created_at"])
        assert list(each["amount"]) == ["value", "currency", "exchange_info"] and low <= each["amount"]["value"] <= high
        assert each["amount"]["value"].as_tuple().exponent == -2
        assert list(each["references"]) == list(references)
        assert all(re.fullmatch(references[name], text) for name, text in each["references"].items()), each
        assert list(each["type_specific_data"]) == specific.split()
        found = each["regulatory"]["compliance_checks"]
        assert list(found) == ["sanctions_check", *checks.split()] and found["sanctions_check"] == "CLEARED"
        assert "/".join(each["metadata"].values()) == metadata


@pytest.mark.rows("B2B-03", "B2B-06")
def test_b2b_parties_are_customers_drawn_once(b2b):
    sides = {name: [each[name] for each in b2b] for name in ("originator", "beneficiary")}
    known = {}
    for party in [*sides["originator"], *sides["beneficiary"]]:
        assert known.setdefault(party["party_id"], party) == party
        assert re.fullmatch("CUST" + HEX8, party["party_id"]) and party["party_type"] == "CORPORATE"
        account, contact = party["account_info"], party["contact_info"]
        assert re.fullmatch("ACC[0-9]{10}", account["account_id"]) and account["account_type"] in ("CHECKING", "SAVINGS")
        assert account["routing_info"]["type"] == "ABA" and re.fullmatch("[0-9]{9}", account["routing_info"]["value"])
        assert list(contact["address"]) == ["street", "city", "state", "postal_code", "country"]
        assert contact["address"]["country"] == "US" and list(contact["electronic"]) == ["email", "phone"]
    assert 990 <= len(known) <= 1000
    assert all(a["party_id"] != b["party_id"] for a, b in zip(*sides.values(), strict=True))


@pytest.mark.rows("B2B-07")
def test_b2b_payments_are_processed_in_order(b2b, realistic):
    for each in b2b + realistic:
        told = each["processing"]
        assert list(told) == ["priority", "processing_window", "submission_date", "effective_date", "settlement_date",
                              "status_tracking"]  # fmt: skip
        assert told["priority"] in ("HIGH", "NORMAL", "LOW") and told["processing_window"] in ("SAME_DAY", "NEXT_DAY")
        submitted, effective, settled = (a_day(told[f"{name}_date"]) for name in ("submission", "effective", "settlement"))
        assert submitted == a_day(each["created_at"][:10]) and submitted <= effective <= settled
        assert told["status_tracking"] == {"current_status": each["status"], "status_history": []}
    for each in b2b:
        told = each["processing"]
        assert (a_day(told["effective_date"]) - a_day(told["submission_date"])).days <= 2
        assert (a_day(told["settlement_date"]) - a_day(told["effective_date"])).days <= 1


@pytest.mark.rows("B2B-04", "B2B-08")
def test_b2b_by_one_command_is_the_file_with_its_counts(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        done = run("generate", "b2b", cwd=tmp_path / folder)
        assert done.returncode == 0, done
    first, again = (tmp_path / folder / "data/generated_transactions/transactions.json" for folder in ("a", "b"))
    assert first.read_bytes() == again.read_bytes()
    made = json.loads(first.read_text(), parse_float=Decimal)["transactions"]
    assert [each["payment_type"] for each in made] == [name for name in TYPES for _ in range(10)]
    for name in TYPES:
        amounts = [each["amount"]["value"] for each in made if each["payment_type"] == name]
        mean = (sum(amounts) / 10).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
        assert re.search(rf"^{name} +10 +[A-Z]{{3}} +{mean} +{min(amounts)} +{max(amounts)}$", done.stdout, re.M), name
    for status, count in Counter(each["status"] for each in made).items():
        assert re.search(rf"^{status} +{count}$", done.stdout, re.M), status


@pytest.mark.rows("B2B-24")
def test_b2b_goes_on_in_batches_until_it_is_stopped():
    command = [BINARY, "generate", "b2b", "--count", "0", "--to", "stdout", "--tps", "100", "--batch", "5", "--customers", "9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, env=environment()) as made:
        try:
            first = b"".join(made.stdout.readline() for _ in range(6))
            made.send_signal(signal.SIGINT)
            rest, told = made.communicate(timeout=PATIENCE_S)
        finally:
            made.kill()
    documents = [json.loads(line) for line in (first + rest).splitlines()]
    assert made.returncode == 0 and len(documents) % 5 == 0 and len(documents) >= 10
    assert f"generate  {len(documents)} documents" in told.decode()


def is_aba(text):
    digits = [int(digit) for digit in text]
    district = digits[0] * 10 + digits[1]
    return 1 <= district <= 12 and sum(w * d for w, d in zip([3, 7, 1] * 3, digits, strict=True)) % 10 == 0


def passes_97(text):
    moved = text[4:] + text[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


@pytest.mark.rows("B2B-W08")
def test_realistic_b2b_is_valid_and_agrees_with_itself(realistic):
    assert is_aba("021000021") and not is_aba("021000022")
    assert passes_97("DE89370400440532013000") and not passes_97("DE89370400440532013001")
    assert passes_97("RF18539007547034") and not passes_97("RF12345678")
    for each in realistic:
        own, specific = each, each["type_specific_data"]
        for name in ("sec_code", "presentation_type", "entry_mode", "scheme", "scheme_type", "frequency"):
            assert name not in specific or own[name] == specific[name]
        for name in ("mandate_id", "instruction_id", "check_number"):
            assert name not in each["references"] or own[name] == each["references"][name]
        if "charges_instruction" in specific:
            assert specific["charges_instruction"] == own["charges"]["type"]
        if "creditor_reference" in each["remittance_info"]:
            assert passes_97(each["remittance_info"]["creditor_reference"])
        sepa = each["payment_type"] in ("SEPA_CREDIT_TRANSFER", "DIRECT_DEBIT")
        assert each["amount"]["currency"] == ("EUR" if sepa else "USD")
        for side in (each["originator"], each["beneficiary"]):
            routing = side["account_info"]["routing_info"]
            assert {"ABA": is_aba, "IBAN": passes_97}[routing["type"]](routing["value"]), routing
            assert not sepa or routing["type"] == "IBAN"


@pytest.mark.rows("CLR-06", "CLR-08")
def test_clearing_samples_are_there_by_one_command():
    customers = lines("clearing", "--rows", "customers")
    assert [(each["customer_id"], each["name"], each["risk_level"]) for each in customers] == [
        ("CUST001", "John Doe", "LOW"), ("CUST002", "Jane Smith", "MEDIUM"),
        ("CUST003", "Bob Johnson", "HIGH"), ("CUST004", "Alice Brown", "LOW")]  # fmt: skip
    accounts = lines("clearing", "--rows", "accounts")
    assert [(each["account_number"], each["customer_id"], each["account_type"], each["balance"]) for each in accounts] == [
        ("ACC001", "CUST001", "CHECKING", 50000), ("ACC002", "CUST002", "SAVINGS", 25000),
        ("ACC003", "CUST003", "CHECKING", 75000), ("ACC004", "CUST004", "SAVINGS", 30000),
        ("ACC005", "CUST001", "SAVINGS", 100000), ("ACC006", "CUST002", "CHECKING", 15000)]  # fmt: skip
    rows = lines("clearing")
    assert [(each["transaction_id"], each["amount"], each["from_account"], each["to_account"]) for each in rows] == [
        ("TXN001", Decimal("1000.00"), "ACC001", "ACC002"), ("TXN002", Decimal("2500.50"), "ACC003", "ACC004"),
        ("TXN003", Decimal("750.25"), "ACC005", "ACC006")]  # fmt: skip
    assert {each["transaction_type"] for each in rows} == {"TRANSFER"}


@pytest.mark.parametrize("kind, count", [("upi", 3), ("b2b", 3), ("clearing", 6)])
@pytest.mark.parametrize("options", [("--start", "now"), ("--start", "2026-02-03"), ("--seed", 7)])
def test_another_start_or_seed_has_other_ids(kind, count, options):
    member = {"upi": "tx_id", "b2b": "payment_id", "clearing": "transaction_id"}[kind]
    ids = [{row[member] for row in lines(kind, "--count", count, "--to", "stdout", *more)} for more in ((), options)]
    shared = {"TXN001", "TXN002", "TXN003"} if kind == "clearing" else set()
    assert ids[0] & ids[1] == shared, "the samples are always the same, and nothing else"
