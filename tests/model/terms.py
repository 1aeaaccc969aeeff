"""What a policy says, after docs/policy.md: for model.py."""
import bisect
import datetime
import hashlib
import re
import tomllib
import zoneinfo

S = 1_000_000_000  # an instant is nanoseconds since 1970
DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "TND": 3}  # others: 2
ADVICES = ("clear", "clear_with_conditions", "review", "reject")
RISKS = ("unrated", "low", "medium", "high", "prohibited")
KINDS = ("customer", "merchant", "bank", "external", "house")
CHECKS = ("accounts", "status", "same_account", "amount", "risk", "limits", "funds")
LEAST, MOST = -(2**31), 2**31 - 1
NO_FLOOR = -(2**63)


def minor(text, currency):
    """An amount as whole minor units; no float comes near it."""
    sign, whole, part = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?", text).groups()
    digits = DIGITS.get(currency, 2)
    part = (part or "").ljust(digits, "0")
    assert len(part) == digits, f"{text} {currency}"
    return int(sign + whole + part)


def seconds(text):
    units = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([dhms])", text))


def hash32(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


class Days:
    """The days of a zone as the journal keeps them with the policy; compared with what this machine knows of it."""

    def __init__(self, table):
        self.first, begin = table["first_day"], table["first_begin"]
        self.begins = [begin]
        for count, length in table["runs"]:
            for _ in range(count):
                begin += length
                self.begins.append(begin)
        zone = zoneinfo.ZoneInfo(table["zone"])
        for number in (1, 2, 50, 100, 200, 300):
            at = datetime.datetime.fromtimestamp(self.begins[number], zone)
            before = datetime.datetime.fromtimestamp(self.begins[number] - 1, zone)
            date = datetime.date(1970, 1, 1) + datetime.timedelta(days=self.first + number)
            assert at.date() == date and before.date() < date, f"{table['zone']}: day {date} begins at {at}"

    def at(self, now):
        second = now // S
        if second < self.begins[0]:
            return self.first - (self.begins[0] - second + 86_399) // 86_400
        place = bisect.bisect_right(self.begins, second) - 1
        behind = (second - self.begins[-1]) // 86_400 if place == len(self.begins) - 1 else 0
        return self.first + place + behind


class Rule:
    def __init__(self, number, terms, policy):
        self.number, self.terms, self.kind, self.name = number, terms, terms["kind"], terms["name"]
        self.points, self.advice = terms.get("points", 0), terms.get("advice", "clear")
        self.rails = None if "rails" not in terms else {policy.rail_numbers[name] for name in terms["rails"]}
        self.types, self.currencies = terms.get("types"), terms.get("currencies")

    def takes(self, payment):
        if self.rails is not None and payment["rail"] not in self.rails:
            return False
        if self.types is not None and payment["type"] not in self.types:
            return False
        return self.currencies is None or payment["amount"]["currency"] in self.currencies

    def band(self, currency):
        terms = {key: self.terms[key][currency] for key in ("above", "at_least", "below", "at_most")
                 if currency in self.terms.get(key, {})}
        if not terms:
            return None
        least, most = 0, 2**63 - 1
        if "above" in terms:
            least = minor(terms["above"], currency) + 1
        if "at_least" in terms:
            least = minor(terms["at_least"], currency)
        if "below" in terms:
            most = minor(terms["below"], currency) - 1
        if "at_most" in terms:
            most = minor(terms["at_most"], currency)
        return least, most

    def fires(self, payment, debtor, creditor, now):
        """What it saw; None: it does not fire. What is seen of a match or a list is not compared."""
        if not self.takes(payment):
            return None
        party = self.terms.get("party", "either")
        sides = [side for side in ("debtor", "creditor") if party in (side, "either")]
        if self.kind == "amount_band":
            band, amount = self.band(payment["amount"]["currency"]), payment["amount"]["minor"]
            return amount if band and band[0] <= amount <= band[1] else None
        if self.kind == "match":
            return True
        if self.kind in ("deny", "allow"):
            listed = [side for side in sides if payment[f"{side}_name"] in self.terms["accounts"]]
            return {"debtor": 0, "creditor": 1}[listed[0]] if listed else None
        accounts = [account for side, account in (("debtor", debtor), ("creditor", creditor)) if side in sides]
        if self.kind == "account_kind":
            kinds = [account.kind for account in accounts if account.kind in self.terms["kinds"]]
            return KINDS.index(kinds[0]) if kinds else None
        accounts = [account for account in accounts if account.kind != "house"]
        if not accounts:
            return None
        if self.kind == "party_risk":
            risk = max(RISKS.index(account.risk) for account in accounts)
            return risk if RISKS[risk] in self.terms["levels"] else None
        age = min(max(0, now - account.opened_at) // S for account in accounts)
        return age if age < seconds(self.terms["younger_than"]) else None


class Limit:
    def __init__(self, number, terms, policy):
        self.number, self.is_sum = number, terms["measure"] == "sum"
        self.side = {"debit": "debtor", "credit": "creditor"}[terms["side"]]
        self.currency = terms.get("currency")
        self.at_most = minor(terms["at_most"], self.currency) if self.is_sum else terms["at_most"]
        self.when_exceeded = terms.get("when_exceeded", "reject")
        self.rails = None if "rails" not in terms else {policy.rail_numbers[name] for name in terms["rails"]}
        self.name_key = hash32(terms["name"])
        window = terms["window"]
        if "rolling" in window:
            buckets = window.get("buckets", 24)
            self.bucket_s, self.ring, self.days = seconds(window["rolling"]) // buckets, buckets + 1, None
            shape = (self.bucket_s, buckets)
        else:
            self.days, self.ring = policy.days[window["zone"]], window.get("days", 1)
            shape = (window["zone"], self.ring)
        # It counts on under a later policy that changes no more than its bound, or what happens beyond it.
        self.key = (terms["name"], self.side, self.is_sum, shape, self.currency,
                    self.rails if self.rails is None else tuple(sorted(self.rails)))

    def concerns(self, currency):
        return self.currency is None or self.currency == currency

    def bucket(self, now):
        return self.days.at(now) if self.days else now // S // self.bucket_s


class Policy:
    def __init__(self, recorded):
        self.version = recorded["version"]
        terms = tomllib.loads(recorded["text"])
        self.tenant, self.terms = terms["tenant"], terms
        self.order = ["amount_check" if check == "amount" else check for check in terms.get("order", CHECKS)]
        self.opens = terms.get("unknown_accounts", "refuse") == "open"
        self.hold_ttl = seconds(terms.get("hold_ttl", "7d")) * S
        self.review_ttl = seconds(terms.get("review_ttl", "24h")) * S
        self.reversal_days = terms.get("reversal_days", 400)
        self.days = {table["zone"]: Days(table) for table in recorded["zones"]}
        rails = terms.get("rail", [])
        self.rails = {rail["number"]: rail for rail in rails}
        self.rail_numbers = {"internal": 0} | {rail["name"]: rail["number"] for rail in rails}
        self.rules = [Rule(i + 1, rule, self) for i, rule in enumerate(terms.get("rule", []))]
        self.limits = [Limit(len(self.rules) + i + 1, limit, self) for i, limit in enumerate(terms.get("limit", []))]
        self.bound_numbers = {}
        number = len(self.rules) + len(self.limits)
        # `internal` comes first, whether it is written or not.
        for rail in sorted(rails, key=lambda rail: rail["number"] != 0):
            for bound in ("currencies", "min_amount", "max_amount"):
                if bound in rail:
                    number += 1
                    self.bound_numbers[rail["number"], bound] = number

    def opened_floor(self, currency):
        floor = self.terms.get("opened_floor", "0")
        if isinstance(floor, dict):
            return minor(floor[currency], currency) if currency in floor else 0
        return NO_FLOOR if floor == "none" else 0

    def limits_of(self, rail):
        return [limit for limit in self.limits if limit.rails is None or rail in limit.rails]

    def rail_refusal(self, payment):
        rail, currency, amount = self.rails.get(payment["rail"]), payment["amount"]["currency"], payment["amount"]["minor"]
        if rail is None:
            return None

        def hit(bound, at_most):
            return {"rule": self.bound_numbers[payment["rail"], bound], "points": 0, "input": amount,
                    "at_most": at_most, "bucket": 0}
        if rail.get("currencies") and currency not in rail["currencies"]:
            return "currency_mismatch", hit("currencies", 0)
        least, most = rail.get("min_amount", {}).get(currency), rail.get("max_amount", {}).get(currency)
        if least is not None and amount < minor(least, currency):
            return "amount_out_of_range", hit("min_amount", minor(least, currency))
        if most is not None and amount > minor(most, currency):
            return "amount_out_of_range", hit("max_amount", minor(most, currency))
        return None

    def assess(self, payment, debtor, creditor, now):
        """Hits in the policy's order, score, advice. Rules about accounts stay silent where one is not known."""
        of_accounts = ("party_risk", "account_kind", "account_age")
        fired = {}
        for rule in self.rules:
            if rule.kind in of_accounts and (debtor is None or creditor is None):
                continue
            seen = rule.fires(payment, debtor, creditor, now)
            if seen is not None:
                fired[rule.name] = (rule, seen)
        silent = {name for rule, _ in fired.values() if rule.kind == "allow" for name in rule.terms.get("skips", [])}
        hits = [{"rule": rule.number, "points": rule.points, "input": self.input(rule, seen, payment), "at_most": 0,
                 "bucket": 0} for rule, seen in fired.values() if rule.name not in silent]
        score = sum(hit["points"] for hit in hits)
        advice = max([ADVICES.index(rule.advice) for rule, _ in fired.values() if rule.name not in silent] +
                     [self.by_score(score, payment["rail"])])
        return hits, min(max(score, LEAST), MOST), ADVICES[advice]

    def input(self, rule, seen, payment):
        """Of a match: the place of the type, else of the rail, that was matched."""
        if rule.kind != "match":
            return seen
        if rule.types is not None:
            types = list(dict.fromkeys(name for each in self.rules for name in each.types or []))
            return types.index(payment["type"])
        if rule.rails is not None:
            rails = [0] + [number for number in self.rails if number != 0]
            return rails.index(payment["rail"])
        return 0

    def by_score(self, score, rail):
        thresholds = self.terms.get("thresholds", {}) | self.rails.get(rail, {}).get("thresholds", {})
        return max([i for i, advice in enumerate(ADVICES) if advice != "clear" and advice in thresholds and
                    score >= thresholds[advice]], default=0)
