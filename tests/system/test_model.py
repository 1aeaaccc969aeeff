"""A ledger in plain Python (tests/model) decides again what nostro has decided, and comes to the same.

NOSTRO_MODEL_SEED: another stream. NOSTRO_MODEL_STEPS: a longer one.
"""

import copy
import os
import random
import sys
import time
from pathlib import Path

import pytest
from client import payment, unique
from program import PATIENCE_S, ROOT, run

sys.path[:0] = [str(ROOT / "tests" / "model"), str(ROOT / "tools")]
import model  # noqa: E402
import read_frame  # noqa: E402
import terms  # noqa: E402

SEED = int(os.environ.get("NOSTRO_MODEL_SEED", "1"))
STEPS = int(os.environ.get("NOSTRO_MODEL_STEPS", "1400"))
FIRST_FRAME = 4096
NAMES = [f"a{i}" for i in range(9)]
CURRENCIES = {"a7": "JPY", "a8": "JPY"}  # others: EUR

# Every kind of rule and limit. Versions differ where a later one may.
POLICY = """
tenant = "nostro"
order = [{order}]
unknown_accounts = "{unknown}"
opened_floor = {{ EUR = "-20.00" }}
hold_ttl = "1s"
review_ttl = "2s"
reversal_days = {reversal_days}
[thresholds]
clear_with_conditions = 15
review = 55
reject = 85
[[rail]]
name = "upi"
number = 1
currencies = ["EUR"]
min_amount = {{ EUR = "1.00" }}
max_amount = {{ EUR = "400.00" }}
thresholds = {{ review = 40 }}
[[rail]]
name = "swift"
number = 7
[[rule]]
name = "large"
kind = "amount_band"
above = {{ EUR = "{large}.00", JPY = "9000" }}
points = 30
[[rule]]
name = "odd_type"
kind = "match"
types = ["GIFT", "LOAN"]
rails = ["internal", "swift"]
points = 25
[[rule]]
name = "blocked"
kind = "deny"
party = "either"
accounts = ["a6", "stranger.3"]
advice = "reject"
[[rule]]
name = "trusted"
kind = "allow"
party = "debtor"
accounts = ["a0"]
skips = ["large", "risky"]
points = -5
[[rule]]
name = "risky"
kind = "party_risk"
party = "either"
levels = ["high", "medium"]
points = 35
[[rule]]
name = "outside"
kind = "account_kind"
party = "debtor"
kinds = ["external", "house"]
rails = ["swift"]
points = 10
[[rule]]
name = "new"
kind = "account_age"
party = "creditor"
younger_than = "1s"
currencies = ["EUR"]
points = 20
[[limit]]
name = "often"
side = "debit"
measure = "count"
at_most = {often}
window = {{ rolling = "2s", buckets = 2 }}
rails = ["internal", "upi"]
when_exceeded = "review"
[[limit]]
name = "much_in"
side = "credit"
measure = "sum"
currency = "EUR"
at_most = "{much}.00"
window = {{ rolling = "3s", buckets = 3 }}
rails = ["upi"]
[[limit]]
name = "day_out"
side = "debit"
measure = "sum"
currency = "EUR"
at_most = "900.00"
window = {{ days = 3, zone = "Asia/Kolkata" }}
rails = ["swift"]
[[limit]]
name = "day_in"
side = "credit"
measure = "count"
currency = "JPY"
at_most = 12
window = {{ days = 1, zone = "America/New_York" }}
"""
ORDERS = ("accounts status same_account amount risk limits funds", "same_account amount accounts limits funds status risk")


def frames_of(data):
    """Every frame of the one segment that so small a journal has."""
    segment = sorted((Path(data) / "segments").glob("*.seg"))[0].read_bytes()
    at, frames = FIRST_FRAME, []
    while segment[at : at + 8] == b"NOSTROFR":
        frame, size = read_frame.read_frame(segment[at:])
        frames.append(frame)
        at += size
    return frames


class Stream:
    """What clients of a bank may send under a seed, sensible or not. Answers are only read for the ids in them."""

    def __init__(self, api, seed):
        self.api, self.random, self.payments = api, random.Random(seed), {"held": [], "settled": []}

    def currency(self, name):
        return CURRENCIES.get(name, "EUR")

    def amount(self, currency, most=11_000):
        number = self.random.randint(1, most)
        return str(number) if currency == "JPY" else f"{number // 100}.{number % 100:02}"

    def name(self):
        if self.random.random() < 0.06:
            return self.random.choice(["house:cash:EUR", "house:fees:EUR", f"stranger.{self.random.randint(1, 6)}"])
        return self.random.choice(NAMES)

    def wish(self, **more):
        debtor, creditor = self.name(), self.name()
        currency = self.currency(debtor if debtor in NAMES else creditor)
        while self.currency(creditor) != currency and self.random.random() < 0.9:
            creditor = self.name()
        wish = payment(debtor, creditor, self.amount(currency), currency, **more)
        if self.random.random() < 0.4:
            wish["rail"] = self.random.choice(["upi", "swift", "internal"])
        if self.random.random() < 0.3:
            wish["type"] = self.random.choice(["GIFT", "LOAN", "TRANSFER"])
        return wish

    def put_policy(self):
        text = POLICY.format(
            order=", ".join(f'"{check}"' for check in self.random.choice(ORDERS).split()),
            unknown=self.random.choice(["open", "refuse", "open"]), reversal_days=self.random.choice([0, 1, 400]),
            large=self.random.randint(60, 190), often=self.random.randint(8, 40), much=self.random.randint(50, 400),
        )  # fmt: skip
        answer = self.api.put("/v1/policies/nostro", text, form="application/toml")
        assert answer.status == 202, answer

    def pay(self):
        wish = self.wish()
        if self.random.random() < 0.35:
            wish["capture"] = "manual"
        key = unique()
        answer = self.api.post("/v1/payments", wish, key=key)
        if answer.status == 202:
            self.learn(answer.json)
            # Holds last a second, which may be short where much else goes on.
            if answer.json["status"] == "held" and self.random.random() < 0.5:
                self.random.choice([self.capture, self.void])(answer.json["payment_id"])
            if self.random.random() < 0.1:
                assert self.api.post("/v1/payments", wish, key=key).headers["Idempotent-Replayed"] == "true"
                wish["amount"] = "7"
                assert self.api.post("/v1/payments", wish, key=key).status in (202, 422)

    def group(self):
        items = [{"idempotency_key": unique(), **self.wish()} for _ in range(self.random.randint(1, 4))]
        for item in items:
            if self.random.random() < 0.8:  # else it would hardly ever pass
                item["amount"] = self.amount(item["currency"], 300)
                item.pop("type", None)
        mode = self.random.choice(["atomic", "atomic", "independent"])
        self.api.post("/v1/payments/batch", {"mode": mode, "payments": items},
                      key=unique() if mode == "atomic" else None)  # fmt: skip

    def open(self, name):
        body = {"account_id": name, "currency": self.currency(name), "kind": self.random.choice(["customer", "external"])}
        body["opening_balance"] = self.amount(body["currency"], 900_000)
        if self.random.random() < 0.5:
            body |= {"floor": self.random.choice([None, "-50"]), "risk_level": self.random.choice(["low", "low", "medium"])}
        self.api.post("/v1/accounts", body, key=unique())

    def change(self):
        name, chance = self.random.choice(NAMES), self.random.random()
        if chance < 0.5:
            status = self.random.choice(["active", "active", "frozen", "frozen_debit", "closed"])
            self.api.patch(f"/v1/accounts/{name}", {"status": status})
            if status != "closed":
                self.api.patch(f"/v1/accounts/{name}", {"status": "active"} if self.random.random() < 0.8 else {})
        elif chance < 0.7:
            self.api.patch(f"/v1/accounts/{name}", {"risk_level": self.random.choice(["low", "low", "medium", "high"])})
        elif chance < 0.85:
            self.api.patch(f"/v1/accounts/{name}", {"limits": {"often": self.random.choice([1, 9, None])}})
        else:
            self.api.patch(f"/v1/accounts/{name}", {"floor": self.random.choice(["-30", "0"])}, key=unique())

    def learn(self, answer):
        self.payments.setdefault(answer["status"], []).append(answer["payment_id"])

    def some_payment(self, status):
        if self.random.random() < 0.1:
            status = self.random.choice(sorted(self.payments))
        return self.random.choice(self.payments[status][-8:] or ["0" * 32])

    def capture(self, payment_id=None):
        body = None if self.random.random() < 0.5 else {"amount": self.random.choice(["1", "20", "150"])}
        self.api.post(f"/v1/payments/{payment_id or self.some_payment('held')}/capture", body, key=unique())

    def void(self, payment_id=None):
        self.api.post(f"/v1/payments/{payment_id or self.some_payment('held')}/void")

    def reverse(self):
        body = None if self.random.random() < 0.4 else {"amount": self.random.choice(["1", "30", "150"])}
        answer = self.api.post(f"/v1/payments/{self.some_payment('settled')}/reverse", body, key=unique())
        if answer.status == 202:
            self.learn(answer.json)

    def review(self):
        open_ones = self.api.get("/v1/reviews").json["data"]
        if not open_ones:
            return
        number = self.random.choice(open_ones)["payment_id"]
        word = self.random.choice(["approve", "approve", "reject"])
        self.api.post(f"/v1/reviews/{number}/{word}", {"reviewer": "rita", "reason": "looked at"})

    def letter(self):
        answer = self.api.post("/v1/dead-letters", {"source": "queue", "position": unique(), "format": "json",
                                                    "why": "cannot be read", "text": "{"}, key=unique())  # fmt: skip
        assert answer.status == 201, answer
        number = answer.json["dead_letter_id"]
        word, body = self.random.choice([("discard", {"by": "ada"}), ("redrive", {"payment": self.wish()})])
        self.api.post(f"/v1/dead-letters/{number}/{word}", body)

    def see_one_expire(self, status):
        while True:
            known = len(self.payments.setdefault(status, []))
            while len(self.payments[status]) == known:
                self.pay()
            number = self.payments[status][-1]
            deadline = time.monotonic() + PATIENCE_S
            while (now := self.api.payment(number)["status"]) == status:
                assert time.monotonic() < deadline, f"{number} is still {status}"
            if now == "expired":
                return

    def step(self):
        acts = [(self.pay, 46), (self.group, 9), (self.change, 7), (self.capture, 9), (self.void, 5), (self.reverse, 8),
                (self.review, 7), (self.letter, 1), (self.put_policy, 1),
                (lambda: self.open(self.random.choice(NAMES)), 6)]  # fmt: skip
        self.random.choices([act for act, _ in acts], [weight for _, weight in acts])[0]()


def test_an_independent_model_agrees_on_every_outcome_and_balance(nostro, tmp_path):
    program = nostro()
    # Accounts that open with the balances of a file.
    csv = tmp_path / "paysim.csv"
    assert run("generate", "paysim", "--count", 200, "--to", csv).returncode == 0
    assert run("replay", csv, "--put-policy", "--url", program.url).returncode == 0
    stream = Stream(program.client(), SEED)
    stream.put_policy()
    for name in NAMES:
        stream.open(name)
    for _ in range(STEPS // 2):
        stream.step()
    program.kill()
    program = nostro()
    stream.api = program.client()
    for _ in range(STEPS - STEPS // 2):
        stream.step()
    for status in ("held", "in_review"):
        stream.see_one_expire(status)
    told = {name: stream.api.balance(name) for name in [*NAMES, "house:equity:EUR", "house:cash:EUR"]}
    program.stop()

    frames = frames_of(program.data)
    ledger = model.replay(frames)
    kinds = {command["kind"] for frame in frames for command in frame["commands"]}
    wanted = set(read_frame.COMMANDS[1:]) - {"adjust_balance", "keep_record"}  # no route sends these
    assert kinds == wanted, wanted - kinds
    for kind in EVERY_SEED:
        assert any(each.startswith(kind) for each in ledger.seen), (kind, sorted(ledger.seen))
    for name, balance in told.items():
        account = ledger.accounts[model.account_id("nostro", name)]
        # What is held may have expired since; the frames' own images of it are compared with every frame.
        assert terms.minor(balance["posted"], balance["currency"]) == account.balance, name
    for kind, event, spoil in (("outcomes", "captured", lambda o: o.update(status="voided")),
                               ("outcomes", "captured", lambda o: o["balances"]["debtor"].__setitem__(1, 7)),
                               ("counters", None, lambda counter: counter.update(value=counter["value"] + 1))):  # fmt: skip
        spoilt = copy.deepcopy(frames)
        spoil(next(each for frame in spoilt for each in frame[kind] if each.get("event") == event))
        with pytest.raises(model.Differs):
            model.replay(spoilt)
    proved = run("verify", "--data", program.data)
    assert proved.returncode == 0, proved.stdout


# What a stream of this length comes to under any seed.
EVERY_SEED = (
    "submitted settled", "submitted held", "submitted in_review", "submitted rejected insufficient_funds",
    "submitted rejected limit_exceeded", "submitted rejected risk_rejected",
    "submitted rejected same_account", "submitted rejected group_refused", "captured settled", "voided voided",
    "approved settled", "refused rejected", "expired expired", "account_opened", "account_changed", "policy_changed",
    "dead_letter_kept", "dead_letter_resolved",
)  # fmt: skip
