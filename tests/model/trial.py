"""Weighing one payment against accounts and policy: for model.py."""
import hashlib
import re

NO_FLOOR = -(2**63)
HOUSES = ("equity", "cash", "suspense", "fees")


def narrow(number):
    return -(2**63) <= number < 2**63


def account_id(tenant, name):
    parts = b"".join(bytes([len(text)]) + text for text in (tenant.encode(), name.encode()))
    return hashlib.sha256(parts).hexdigest()[:32]


class Account:
    def __init__(self, tenant, currency, now, kind="customer", risk="unrated", floor=0):
        self.tenant, self.currency, self.opened_at, self.kind, self.risk = tenant, currency, now, kind, risk
        self.floor, self.status, self.balance, self.held, self.version = floor, "active", 0, 0, 0

    def facts(self):
        return {"kind": self.kind, "status": self.status, "risk_level": self.risk, "currency": self.currency,
                "floor": self.floor, "balance": self.balance, "held": self.held, "opened_at": self.opened_at,
                "tenant": self.tenant, "version": self.version}


def refusal_by_status(debtor, creditor):
    if debtor and debtor.status != "active":
        return "account_closed" if debtor.status == "closed" else "account_frozen"
    if creditor and creditor.status in ("frozen", "closed"):
        return "account_closed" if creditor.status == "closed" else "account_frozen"
    return None


class Trial:
    """One payment against policy and accounts; nothing changes before open_accounts()."""

    def __init__(self, ledger, policy, payment):
        self.ledger, self.policy, self.payment = ledger, policy, payment
        self.amount, self.currency = payment["amount"]["minor"], payment["amount"]["currency"]
        self.tenant, self.now = payment["tenant"], ledger.now
        self.opening = {"debtor": 0, "creditor": 0}
        self.is_fresh = {"debtor": False, "creditor": False}
        self.debtor, self.creditor = self.party("debtor"), self.party("creditor")
        self.is_review, self.score, self.advice = False, 0, "clear"
        self.rule_hits, self.limit_hits, self.bound_hit, self.counting = [], [], None, []
        self.balances = {side: self.after_openings(side) for side in ("debtor", "creditor")}

    def party(self, side):
        account = self.ledger.accounts.get(self.payment[side])
        if account is not None:
            return account if account.tenant == self.tenant else None
        name = self.payment[f"{side}_name"]
        if name.startswith("house:"):
            house = re.fullmatch(r"house:(\w+):([A-Z]{3})", name)
            if not house or house[1] not in HOUSES:
                return None
            self.is_fresh[side] = True
            return Account(self.tenant, house[2], self.now, "house", floor=NO_FLOOR)
        if not self.policy.opens:
            return None
        self.is_fresh[side] = True
        self.opening[side] = self.payment[f"{side}_opening"]
        return Account(self.tenant, self.currency, self.now, floor=self.policy.opened_floor(self.currency))

    def after_openings(self, side):
        """What the party has before the payment, once both sides have opened."""
        account = getattr(self, side)
        if account is None:
            return 0
        equity = account_id(self.policy.tenant, f"house:equity:{self.currency}")
        taken = sum(self.opening.values()) if self.payment[side] == equity else 0
        return account.balance + self.opening[side] - taken

    # --- the checks; each gives a reason, or None

    def weigh(self):
        for check in self.policy.order:
            if reason := getattr(self, check)():
                return reason
        return self.possible()

    def possible(self):
        return self.accounts() or self.same_account() or self.range()

    def accounts(self):
        if self.debtor is None or self.creditor is None:
            return "account_unknown"
        if self.debtor.currency != self.currency or self.creditor.currency != self.currency:
            return "currency_mismatch"
        return None

    def status(self):
        return refusal_by_status(self.debtor, self.creditor)

    def same_account(self):
        return "same_account" if self.payment["debtor"] == self.payment["creditor"] else None

    def range(self):
        fits = self.amount > 0
        if self.debtor:
            held = self.debtor.held
            fits = fits and narrow(self.balances["debtor"] - held - self.amount) and narrow(held + self.amount)
        if self.creditor:
            fits = fits and narrow(self.balances["creditor"] + self.amount)
        return None if fits else "amount_out_of_range"

    def amount_check(self):
        if reason := self.range():
            return reason
        refusal = self.policy.rail_refusal(self.payment)
        if refusal is None:
            return None
        reason, self.bound_hit = refusal
        return reason

    def risk(self):
        self.rule_hits, self.score, self.advice = self.policy.assess(
            self.payment, self.debtor, self.creditor, self.now)
        if self.advice == "reject":
            return "risk_rejected"
        self.is_review = self.is_review or self.advice == "review"
        return None

    def limits(self):
        reason = None
        for limit in self.policy.limits_of(self.payment["rail"]):
            account = getattr(self, limit.side)
            if not limit.concerns(self.currency) or account is None or account.kind == "house":
                continue
            owner = self.payment[limit.side]
            bucket = limit.bucket(self.now)
            used = sum(value for place in range(limit.ring)
                       for at, value in [self.ledger.counters.get((owner, limit.key, place), (-limit.ring, 0))]
                       if at + limit.ring > bucket)
            at_most = self.ledger.bounds.get((owner, limit.name_key), limit.at_most)
            self.limit_hits.append({"rule": limit.number, "points": 0, "input": min(used, 2**63 - 1),
                                    "at_most": at_most, "bucket": bucket})
            self.counting.append((limit, owner, bucket))
            wanted = used + (self.amount if limit.is_sum else 1)
            if not narrow(wanted):
                reason = reason or "amount_out_of_range"
            elif wanted > at_most:
                if limit.when_exceeded == "reject":
                    reason = reason or "limit_exceeded"
                else:
                    self.is_review = True
        return reason

    def funds(self):
        if self.debtor is None:
            return None
        left = self.balances["debtor"] - self.debtor.held - self.amount
        return "insufficient_funds" if left < self.debtor.floor else None

    # --- carrying it out

    def open_accounts(self):
        for side in ("debtor", "creditor"):
            account = self.payment[side]
            if self.is_fresh[side] and account not in self.ledger.accounts:
                self.ledger.open(account, getattr(self, side), self.opening[side])

    def count(self):
        counted = []
        for limit, owner, bucket in self.counting:
            key = (owner, limit.key, bucket % limit.ring)
            at, value = self.ledger.counters.get(key, (-1, 0))
            if at < bucket:
                at, value = bucket, 0
            self.ledger.counters[key] = (at, value + (self.amount if limit.is_sum else 1))
            self.ledger.recounted.add(key)
            counted.append((key, at, limit.is_sum))
        return counted

    def shown(self):
        """Balances of an outcome that moves nothing: 0 of an account that is not this tenant's, or not there."""
        def of(side):
            known = self.payment[side] in self.ledger.accounts and getattr(self, side) is not None
            return [self.ledger.balance(self.payment[side]) if known else 0] * 2
        return {"debtor_balance": of("debtor"), "creditor_balance": of("creditor")}

    def why(self):
        hits = self.rule_hits + self.limit_hits + ([self.bound_hit] if self.bound_hit else [])
        return {"policy": self.policy.version, "advice": self.advice, "score": self.score, "hits": hits}
