"""A ledger in plain Python that decides a journal again: from its commands and policies alone, after docs/policy.md.

Nothing of the program is in it, so that the two check each other: replay() takes the frames of a journal, as
tools/read_frame.py reads them, works out every outcome, every balance and every limit itself, and says where the
journal says something else. Written to be read, not to be fast. Standard library only.
"""
from terms import S, Policy
from trial import NO_FLOOR, Account, Trial, account_id, narrow, refusal_by_status

NO_ID = "0" * 32
EXPIRIES_MAX = 1024
REVERSALS_KEPT = 800 * 86_400 * S
OPEN = ("in_review", "held")


class Differs(Exception):
    """Where the journal says something else than the model."""


class Refused(Exception):
    """The command would not have been recorded."""


class Ledger:
    def __init__(self):
        self.accounts, self.holds, self.known, self.payments = {}, {}, {}, {}
        self.counters, self.bounds, self.reversed, self.numbers = {}, {}, {}, {}
        self.limit_keys = {}  # number that the journal has for a limit: the keys it may have here
        self.policies, self.next_policies = {}, {}
        self.letters, self.epoch, self.now = {}, None, 0
        self.seen = {}  # how often each kind of outcome was worked out

    # --- one frame

    def frame(self, frame):
        self.policies |= self.next_policies
        self.next_policies = {}
        if frame["time"] < self.now:
            raise Differs("time went back")
        self.now, self.seq, self.outcomes, self.touched = frame["time"], frame["seq"], [], set()
        self.recounted = set()
        self.command, self.item = None, 0
        takes_over = frame["epoch"] != self.epoch
        self.epoch = frame["epoch"]
        if not takes_over:
            self.expire()
        for self.command, command in enumerate(frame["commands"]):
            self.item = 0
            self.spend(command)
            getattr(self, command["kind"])(command, command["body"])
        for account in self.touched:
            self.accounts[account].version += 1
        self.compare(frame)

    def spend(self, command):
        """No id is spent twice. A group's items spend theirs, too."""
        ids = [command["id"]]
        if command["kind"] == "submit_group":
            ids += [item["id"] for item in command["body"]["payments"]]
        for each in ids:
            if each == NO_ID:
                continue
            if each in self.known:
                raise Differs(f"id {each} is spent twice")
            self.known[each] = self.seq

    def record(self, event, status="accepted", **more):
        outcome = {"event": event, "status": status, "reason": "none", "payment": NO_ID, "debtor": NO_ID,
                   "creditor": NO_ID, "number": 0, "origin": [self.seq, len(self.outcomes)], "accepted_at": self.now,
                   "expires_at": 0, "reverses": NO_ID, "debtor_balance": [0, 0], "creditor_balance": [0, 0],
                   "command": self.command, "item": self.item, "why": None} | more
        self.outcomes.append(outcome)
        return outcome

    def policy(self, command):
        if command["tenant"] not in self.policies:
            raise Refused("no_policy")
        return self.policies[command["tenant"]]

    # --- money

    def touch(self, account):
        self.touched.add(account)
        return self.accounts[account]

    def move(self, debtor, creditor, amount):
        self.touch(debtor).balance -= amount
        self.touch(creditor).balance += amount

    def balance(self, account):
        return self.accounts[account].balance if account in self.accounts else 0

    def equity(self, tenant, currency):
        """The id of the account that opening balances come from; it opens when it is needed first."""
        account = account_id(self.policies[tenant].tenant, f"house:equity:{currency}")
        if account not in self.accounts:
            self.open(account, Account(tenant, currency, self.now, "house", floor=NO_FLOOR), 0)
        return account

    def open(self, account, fresh, opening):
        equity = self.equity(fresh.tenant, fresh.currency) if opening else NO_ID
        before = self.balance(equity)
        self.accounts[account] = fresh
        self.touch(account)
        if opening:
            self.move(equity, account, opening)
        self.record("account_opened", debtor=account, creditor=equity, amount=(opening, fresh.currency),
                    debtor_balance=[0, opening], creditor_balance=[before, self.balance(equity)])

    # --- payments

    def submit_payment(self, command, body):
        self.decide(command, body["payment"])

    def begin(self, payment):
        tenant = payment["tenant"]
        return {"payment": payment["id"], "debtor": payment["debtor"], "creditor": payment["creditor"],
                "amount": (payment["amount"]["minor"], payment["amount"]["currency"]),
                "number": self.numbers.get(tenant, 0) + 1}

    def end(self, payment, outcome):
        """The first outcome of a payment."""
        self.numbers[payment["tenant"]] = outcome["number"]
        recorded = self.record("submitted", **outcome)
        settled = outcome["amount"][0] if outcome["status"] == "settled" else None
        self.payments[payment["id"]] = {
            "first": recorded["origin"], "status": outcome["status"], "settled": settled, "settled_at": self.now,
            "is_reversal": outcome.get("reverses", NO_ID) != NO_ID}
        return recorded

    def decide(self, command, payment):
        policy = self.policy(command)
        trial = Trial(self, policy, payment)
        outcome = self.begin(payment)
        reason = trial.weigh()
        outcome["why"] = trial.why()
        if reason:
            outcome |= trial.shown() | {"status": "rejected", "reason": reason}
            return self.end(payment, outcome)
        trial.open_accounts()
        counted = trial.count()
        if trial.is_review or payment["capture"] == "manual":
            status = "in_review" if trial.is_review else "held"
            ends = self.now + policy.review_ttl if trial.is_review else payment["expires_at"] or self.now + policy.hold_ttl
            self.touch(payment["debtor"]).held += payment["amount"]["minor"]
            outcome |= trial.shown() | {"status": status, "expires_at": ends}
            recorded = self.end(payment, outcome)
            self.holds[payment["id"]] = outcome | {
                "tenant": payment["tenant"], "capture": payment["capture"], "hold_ends": payment["expires_at"],
                "counted": counted, "origin": recorded["origin"], "accepted_at": self.now, "reviewed": False}
            return recorded
        return self.end(payment, outcome | self.settle(payment["debtor"], payment["creditor"], outcome["amount"][0]))

    def settle(self, debtor, creditor, amount):
        before = self.balance(debtor), self.balance(creditor)
        self.move(debtor, creditor, amount)
        return {"status": "settled", "debtor_balance": [before[0], self.balance(debtor)],
                "creditor_balance": [before[1], self.balance(creditor)]}

    def submit_group(self, command, body):
        """All settle, or none: then the one that did not says why, and the others that it was the group."""
        kept = self.copy()
        begin = len(self.outcomes)
        culprit = None
        for self.item, payment in enumerate(body["payments"]):
            outcome = self.decide(command, payment)
            if outcome["status"] != "settled":
                culprit = (self.item, outcome)
                break
        if culprit is None:
            self.openings_first(begin)
            return
        del self.outcomes[begin:]
        self.put_back(kept)
        for self.item, payment in enumerate(body["payments"]):
            outcome = self.begin(payment) | {"status": "rejected", "reason": "group_refused", "why": None}
            if self.item == culprit[0]:
                found = culprit[1]
                outcome["reason"] = found["reason"] if found["status"] == "rejected" else "not_immediate"
                outcome["why"] = found["why"]
            for side in ("debtor", "creditor"):
                outcome[f"{side}_balance"] = [self.balance(payment[side])] * 2
            self.end(payment, outcome)

    def openings_first(self, begin):
        new = self.outcomes[begin:]
        self.outcomes[begin:] = [o for o in new if o["event"] == "account_opened"] + [
            o for o in new if o["event"] != "account_opened"]
        for index in range(begin, len(self.outcomes)):
            outcome = self.outcomes[index]
            outcome["origin"] = [self.seq, index]
            if outcome["event"] == "submitted":
                self.payments[outcome["payment"]]["first"] = outcome["origin"]

    def copy(self):
        accounts = {}
        for key, account in self.accounts.items():
            accounts[key] = Account.__new__(Account)
            accounts[key].__dict__ = dict(account.__dict__)
        return (accounts, dict(self.holds), dict(self.payments), dict(self.counters), dict(self.numbers),
                set(self.touched), set(self.recounted))

    def put_back(self, kept):
        (self.accounts, self.holds, self.payments, self.counters, self.numbers, self.touched, self.recounted) = kept

    def reverse_payment(self, command, body):
        policy = self.policy(command)
        original = self.payments.get(body["original"])
        if original is None:
            raise Refused("not_found")
        # What intake read of the original is what became of it; but it may have looked while the original still waited.
        status, settled = original["status"], original["settled"] or 0
        if body["original_status"] in OPEN and status not in OPEN:
            status, settled = body["original_status"], 0
        claims = (body["original_at"], body["original_status"], body["original_is_reversal"])
        facts = (original["first"], status, original["is_reversal"])
        if claims != facts:
            raise Differs(f"the reversal says of its original {claims}, the model {facts}")
        done = self.reversed.get(body["original"], (0, 0))[0]
        rest = settled - done
        payment = body["payment"]
        if body["whole_rest"]:
            payment = payment | {"amount": payment["amount"] | {"minor": rest}}
        amount = payment["amount"]["minor"]
        outcome = self.begin(payment) | {"reverses": body["original"], "why": None}
        trial = Trial(self, policy, payment)
        reason = None
        if status != "settled":
            reason = "not_settled"
        elif original["is_reversal"]:
            reason = "reversal_of_reversal"
        elif self.now - original["settled_at"] > policy.reversal_days * 86_400 * S:
            reason = "too_late_to_reverse"
        elif rest <= 0 or amount > rest:
            reason = "reversal_exceeds_original"
        elif body["original_minor"] != original["settled"] or body["original_settled_at"] != original["settled_at"]:
            raise Differs("the reversal says another amount or time of its original than the model")
        reason = reason or trial.accounts() or trial.status() or trial.possible() or trial.funds()
        if reason:
            self.end(payment, outcome | trial.shown() | {"status": "rejected", "reason": reason})
            return
        self.end(payment, outcome | self.settle(payment["debtor"], payment["creditor"], amount))
        self.reversed[body["original"]] = (done + amount, original["settled_at"])

    # --- what waits

    def waiting(self, command, payment, status):
        hold = self.holds.get(payment)
        if hold is None or hold["tenant"] != command["tenant"] or hold["status"] != status or (
                hold["expires_at"] <= self.now):
            raise Refused("not_open")
        return hold

    def may_settle(self, hold, amount):
        debtor, creditor = self.accounts[hold["debtor"]], self.accounts[hold["creditor"]]
        if reason := refusal_by_status(debtor, creditor):
            raise Refused(reason)
        if not narrow(debtor.balance - amount) or not narrow(creditor.balance + amount):
            raise Refused("amount_out_of_range")

    def follow_up(self, event, hold, amount, **more):
        keep = {field: hold[field] for field in ("payment", "debtor", "creditor", "number", "origin", "accepted_at")}
        balances = {f"{side}_balance": [self.balance(hold[side])] * 2 for side in ("debtor", "creditor")}
        self.record(event, **(keep | balances | {"amount": (amount, hold["amount"][1])} | more))

    def settle_hold(self, event, hold, amount):
        self.touch(hold["debtor"]).held -= hold["amount"][0]
        moved = self.settle(hold["debtor"], hold["creditor"], amount)
        if rest := hold["amount"][0] - amount:
            self.give_back(hold, rest, False)
        self.follow_up(event, hold, amount, **moved)
        self.close(hold, "settled", amount)

    def free(self, event, hold, status, reason="none"):
        self.touch(hold["debtor"]).held -= hold["amount"][0]
        self.give_back(hold, hold["amount"][0], True)
        self.follow_up(event, hold, hold["amount"][0], status=status, reason=reason)
        self.close(hold, status)

    def close(self, hold, status, settled=None):
        del self.holds[hold["payment"]]
        payment = self.payments[hold["payment"]]
        self.payments[hold["payment"]] = payment | {"status": status, "settled": settled, "settled_at": self.now}

    def give_back(self, hold, amount, counts_too):
        for key, bucket, is_sum in hold["counted"]:
            counted = self.counters.get(key, (None, 0))
            if counted[0] == bucket and (is_sum or counts_too):
                self.counters[key] = (bucket, counted[1] - (amount if is_sum else 1))
                self.recounted.add(key)

    def capture_payment(self, command, body):
        hold = self.waiting(command, body["payment"], "held")
        amount = hold["amount"][0] if body["amount"] is None else body["amount"]
        if not 0 < amount <= hold["amount"][0]:
            raise Refused("amount")
        self.may_settle(hold, amount)
        self.settle_hold("captured", hold, amount)

    def void_payment(self, command, body):
        self.free("voided", self.waiting(command, body["payment"], "held"), "voided")

    def decide_review(self, command, body):
        hold = self.waiting(command, body["payment"], "in_review")
        if not body["approve"]:
            self.free("refused", hold, "rejected", "review_rejected")
            return
        policy = self.policy(command)
        self.may_settle(hold, hold["amount"][0])
        if hold["capture"] == "automatic":
            self.settle_hold("approved", hold, hold["amount"][0])
            return
        ends = hold["hold_ends"] or self.now + policy.hold_ttl
        self.holds[body["payment"]] = hold = hold | {"status": "held", "expires_at": ends}
        self.follow_up("approved", hold, hold["amount"][0], status="held", expires_at=ends)
        self.payments[body["payment"]] = self.payments[body["payment"]] | {"status": "held"}

    def expire(self):
        due = sorted((hold["expires_at"], payment) for payment, hold in self.holds.items()
                     if hold["expires_at"] <= self.now)
        for _, payment in due[:EXPIRIES_MAX]:
            hold = self.holds[payment]
            self.free("expired", hold, "expired", "review_expired" if hold["status"] == "in_review" else "hold_expired")
        late = sorted((at, original) for original, (_, at) in self.reversed.items() if at + REVERSALS_KEPT < self.now)
        for _, original in late[:EXPIRIES_MAX]:
            del self.reversed[original]

    # --- accounts, policies, and what is only kept

    def open_account(self, command, body):
        self.policy(command)
        if body["id"] in self.accounts or body["name"].startswith("house:") or body["kind"] == "house":
            raise Refused("account_exists")
        fresh = Account(command["tenant"], body["currency"], self.now, body["kind"], body["risk_level"], body["floor"])
        self.open(body["id"], fresh, body["opening"])
        self.set_bounds(body["id"], body["bounds"])

    def set_bounds(self, account, bounds):
        for bound in bounds:
            key = (account, bound["name_key"])
            if bound["removed"]:
                self.bounds.pop(key, None)
            else:
                self.bounds[key] = bound["at_most"]

    def change_account(self, command, body):
        account = self.accounts.get(body["id"])
        if account is None or account.tenant != command["tenant"]:
            raise Refused("not_found")
        if account.kind == "house" or account.status == "closed":
            raise Refused("account_closed")
        if body["status"] == "closed" and (account.balance or account.held):
            raise Refused("balance_not_zero")
        self.touch(body["id"])
        account.status = body["status"] or account.status
        account.floor = account.floor if body["floor"] is None else body["floor"]
        account.risk = body["risk_level"] or account.risk
        self.set_bounds(body["id"], body["bounds"])
        self.record("account_changed", debtor=body["id"], amount=(0, account.currency),
                    debtor_balance=[account.balance] * 2)

    def adjust_balance(self, command, body):
        self.policy(command)
        account = self.accounts.get(body["id"])
        if account is None or account.tenant != command["tenant"] or account.status == "closed":
            raise Refused("not_found")
        equity = self.equity(account.tenant, account.currency)
        before = account.balance, self.balance(equity)
        self.move(equity, body["id"], body["delta"])
        self.record("balance_adjusted", debtor=body["id"], creditor=equity, amount=(body["delta"], account.currency),
                    debtor_balance=[before[0], account.balance], creditor_balance=[before[1], self.balance(equity)])

    def change_policy(self, command, body):
        tenant = command["tenant"]
        current = self.next_policies.get(tenant) or self.policies.get(tenant)
        policy = Policy(body["policy"])
        if policy.version != (current.version if current else 0) + 1:
            raise Refused("policy_outdated")
        self.next_policies[tenant] = policy
        self.record("policy_changed", why={"policy": policy.version})

    def keep_record(self, command, body):
        status = {"none": "accepted", "broken": "quarantined"}.get(body["reason"], "rejected")
        tenant = command["tenant"]
        number = 0
        if tenant in self.policies:
            number = self.numbers[tenant] = self.numbers.get(tenant, 0) + 1
        self.record("record_kept", status, payment=body["id"], reason=body["reason"], number=number)

    def keep_dead_letter(self, command, body):
        outcome = self.record("dead_letter_kept")
        self.letters[tuple(outcome["origin"])] = "open"

    def resolve_dead_letter(self, command, body):
        if self.letters.get(tuple(body["letter"])) != "open":
            raise Differs("a dead letter is resolved that is not open")
        self.letters[tuple(body["letter"])] = "redriven" if body["redriven"] else "discarded"
        self.record("dead_letter_resolved", origin=body["letter"])

    # --- what the journal says

    def compare(self, frame):
        said = frame["outcomes"]
        for index, (mine, its) in enumerate(zip(self.outcomes, said)):
            self.compare_outcome(index, mine, its)
        if len(self.outcomes) != len(said):
            raise Differs(f"the model has {len(self.outcomes)} outcomes, the journal {len(said)}")
        images = {image["id"]: image for image in frame["accounts"]}
        if set(images) != self.touched:
            raise Differs(f"accounts that changed: {self.touched} by the model, {set(images)} by the journal")
        for account, image in images.items():
            for field, value in self.accounts[account].facts().items():
                if image[field] != value:
                    raise Differs(f"account {account}: {field} is {value} by the model, {image[field]} by the journal")
        self.compare_counters(frame["counters"])
        for image in frame["holds"]:
            if (image["status"] in OPEN) != (image["payment"] in self.holds):
                raise Differs(f"payment {image['payment']}: open by one, not by the other")
        for image in frame["reversed"]:
            if image["reversed"] != self.reversed.get(image["original"], (0, 0))[0]:
                raise Differs(f"payment {image['original']}: reversed {image['reversed']} by the journal")
        for image in frame["tenants"]:
            if image["last_number"] != self.numbers.get(image["tenant"], 0):
                raise Differs(f"tenant {image['tenant']} has {image['last_number']} payments by the journal")
        for currency in {account.currency for account in self.accounts.values()}:
            if sum(a.balance for a in self.accounts.values() if a.currency == currency):
                raise Differs(f"{currency} does not sum to zero")
        for account in self.touched:
            held = sum(hold["amount"][0] for hold in self.holds.values() if hold["debtor"] == account)
            if held != self.accounts[account].held:
                raise Differs(f"account {account}: {held} is reserved, not {self.accounts[account].held}")

    def compare_outcome(self, index, mine, its):
        kind = f"{mine['event']} {mine['status']} {mine['reason']}"
        self.seen[kind] = self.seen.get(kind, 0) + 1
        said = dict(its)
        said["debtor_balance"], said["creditor_balance"] = its["balances"]["debtor"], its["balances"]["creditor"]
        said["amount"] = (its["amount"]["minor"], its["amount"]["currency"])
        fields = ("event", "status", "reason", "payment", "debtor", "creditor", "number", "origin", "accepted_at",
                  "expires_at", "reverses", "debtor_balance", "creditor_balance", "command", "item")
        for field in fields + (("amount",) if "amount" in mine else ()):
            if mine[field] != said[field]:
                raise Differs(f"outcome {index} ({kind}, payment {mine['payment']}): {field} is {mine[field]} by the "
                              f"model, {said[field]} by the journal")
        if mine["why"] and "hits" in mine["why"]:
            self.compare_why(index, mine["why"], its["why"])

    def compare_counters(self, images):
        """How the journal numbers limits is its own affair. A number may mean any limit here whose counters have been
        what the images with that number said, until one at most is left."""
        if len(images) != len(self.recounted):
            raise Differs(f"{len(self.recounted)} counters changed by the model, {len(images)} by the journal")
        for image in images:
            fits = {key for owner, key, place in self.recounted
                    if (owner, place) == (image["account"], image["place"])
                    and self.counters[owner, key, place] == (image["bucket"], image["value"])}
            left = self.limit_keys.setdefault(image["limit"], fits) & fits
            if not left:
                raise Differs(f"no limit of account {image['account']} counts {image['value']} in bucket "
                              f"{image['bucket']} by the model, as {image['limit']:08x} does by the journal")
            self.limit_keys[image["limit"]] = left

    def compare_why(self, index, mine, its):
        for field in ("policy", "advice", "score", "hits"):
            if mine[field] != its[field]:
                raise Differs(f"outcome {index}: why.{field} is {mine[field]} by the model, {its[field]} by the journal")


def replay(frames):
    """The ledger after all frames; Differs: names the first frame that the model decides differently."""
    ledger = Ledger()
    for frame in frames:
        try:
            ledger.frame(frame)
        except Refused as refused:
            raise Differs(f"frame {frame['seq']}, command {ledger.command}: the model would not take it: {refused}")
        except Differs as differs:
            raise Differs(f"frame {frame['seq']}: {differs}")
    return ledger
