#!/usr/bin/env python3
"""Reads frames (docs/formats/frame.md) and prints each as one line of JSON.

    tools/read_frame.py FILE [--at OFFSET] [--all]

Written from the page and not from the program, so that the two check each other. Standard library only.
--all goes on with the frame behind, as long as there is one. Ends with 1 at the first thing that is wrong.
"""
import argparse
import hashlib
import json
import struct
import sys

BLOCK, HEADER = 4096, 128
EVENTS = ("submitted captured voided approved refused expired account_opened account_changed balance_adjusted "
          "policy_changed record_kept dead_letter_kept dead_letter_resolved").split()
STATUSES = "accepted in_review held settled rejected expired voided quarantined".split()
REASONS = ("none insufficient_funds limit_exceeded account_unknown account_closed account_frozen same_account "
           "currency_mismatch amount_out_of_range risk_rejected review_rejected review_expired hold_expired not_settled "
           "reversal_exceeds_original reversal_of_reversal too_late_to_reverse group_refused not_immediate unreadable "
           "broken not_found not_open already_decided amount_exceeds_held account_exists balance_not_zero holds_open "
           "opening_out_of_range house_account policy_outdated no_policy book_full").split()
ADVICE = "clear clear_with_conditions review reject".split()
KINDS = "customer merchant bank external house".split()
ACCOUNT_STATUSES = "active frozen_debit frozen closed".split()
RISKS = "unrated low medium high prohibited".split()
SECTIONS = ("- commands outcomes accounts counters holds reversed known bounds tenants policies cursors_first "
            "cursors_last").split()
COMMANDS = ("- submit_payment submit_group capture_payment void_payment reverse_payment decide_review open_account "
            "change_account adjust_balance change_policy keep_record keep_dead_letter resolve_dead_letter").split()
NO_ID, REMEMBERED = "0" * 32, 64


class Damaged(Exception):
    pass


def make_crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = make_crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def wrapped(number):
    return (number + 2**63) % 2**64 - 2**63


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if size > len(self.data) - self.at:
            raise Damaged(f"byte {self.at}: {size} bytes beyond the end")
        self.at += size
        return self.data[self.at - size:self.at]

    def left(self):
        return len(self.data) - self.at

    def fixed(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def u8(self):
        return self.fixed("B")

    def u16(self):
        return self.fixed("H")

    def u32(self):
        return self.fixed("I")

    def u64(self):
        return self.fixed("Q")

    def time(self):
        return self.fixed("q")

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if (byte == 0 and shift) or value >= 2**64:
                    raise Damaged(f"byte {self.at}: not a number")
                return value
            shift += 7

    def zigzag(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def id(self):
        return self.take(16).hex()

    def text(self):
        return self.take(self.varint()).decode("utf-8", "surrogateescape")

    def bool(self):
        return bool(self.word([False, True]))

    def currency(self):
        return self.take(3).decode("ascii")

    def place(self):
        return [self.varint(), self.varint()]

    def word(self, words, number=None):
        number = self.u8() if number is None else number
        if number >= len(words):
            raise Damaged(f"byte {self.at}: {number} is none of {len(words)} words")
        return words[number]

    def amount(self):
        return {"minor": self.zigzag(), "currency": self.currency()}


class Recurring:
    """Values that are written once and then named by their number."""

    def __init__(self, read):
        self.read, self.values = read, []

    def next(self, reader):
        number = reader.varint()
        if number < len(self.values):
            return self.values[number]
        if number > len(self.values):
            raise Damaged(f"byte {reader.at}: a number not given so far")
        value = self.read(reader)
        if len(self.values) < REMEMBERED:
            self.values.append(value)
        return value


def read_header(data):
    if len(data) < HEADER:
        raise Damaged("the header is cut off")
    head = data[:HEADER]
    magic, version, size = struct.unpack_from("<8sHH", head)
    if magic != b"NOSTROFR" or version != 1 or size != HEADER:
        raise Damaged(f"no frame of version 1 begins here: {magic!r} {version} {size}")
    if crc32c(head[:124]) != struct.unpack_from("<I", head, 124)[0]:
        raise Damaged("the header's checksum is wrong")
    epoch, seq, nonce, time, accepted, body, zero = struct.unpack_from("<IQQqQII", head, 12)
    if zero or head[120:124] != bytes(4):
        raise Damaged("reserved bytes are not zero")
    return {"seq": seq, "epoch": epoch, "nonce": nonce, "time": time, "accepted": accepted, "body_bytes": body,
            "previous": head[56:88].hex(), "body_digest": head[88:120].hex(),
            "digest": hashlib.sha256(head).hexdigest()}


def read_policy(data):
    """docs/formats/policy.md. Days are left as runs of [how many, seconds each]."""
    r = Reader(data[:-4])
    if r.take(8) != b"NSTRPOL1" or crc32c(r.data) != struct.unpack("<I", data[-4:])[0]:
        raise Damaged("no policy of version 1, or its checksum is wrong")
    policy = {"version": r.varint(), "text": r.text(), "zones": []}
    for _ in range(r.varint()):
        zone = {"zone": r.text(), "first_day": r.zigzag(), "first_begin": r.zigzag(), "days": r.varint(), "runs": []}
        while sum(run[0] for run in zone["runs"]) < zone["days"]:
            zone["runs"].append([r.varint(), r.varint()])
        policy["zones"].append(zone)
    return policy


def read_payment(r, tenant):
    bits = r.u16()
    if bits >> 13:
        raise Damaged(f"byte {r.at}: a payment with unknown bits")
    p = {"capture": "manual" if bits & 1 else "automatic", "id": r.id(), "meaning": r.u64(), "debtor": r.id(),
         "creditor": r.id(), "amount": r.amount(), "rail": r.varint() if bits & 2 else 0,
         "tenant": r.varint() if bits & 4 else tenant}
    p["expires_at"] = r.time() if bits & 8 else 0
    p["requested_at"] = r.time() if bits & 16 else 0
    p["debtor_opening"] = r.zigzag() if bits & 32 else 0
    p["creditor_opening"] = r.zigzag() if bits & 64 else 0
    p["debtor_name"], p["creditor_name"] = r.text(), r.text()
    for i, field in enumerate("key type reference description metadata attachment".split()):
        p[field] = r.text() if bits & (128 << i) else ""
    return p


def read_bounds(r):
    return [{"name_key": r.u32(), "removed": r.bool(), "at_most": r.zigzag()} for _ in range(r.varint())]


def read_group(r, tenant):
    items = []
    for _ in range(r.varint()):
        item = Reader(r.take(r.varint()))
        items.append(read_payment(item, tenant))
        if item.left():
            raise Damaged("bytes behind an item")
    return items


def read_body(r, kind, tenant):
    if kind == "submit_payment":
        return {"payment": read_payment(r, tenant)}
    if kind == "submit_group":
        return {"payments": read_group(r, tenant)}
    if kind == "capture_payment":
        return {"payment": r.id(), "amount": r.zigzag() if r.bool() else None}
    if kind == "void_payment":
        return {"payment": r.id()}
    if kind == "reverse_payment":
        body = {"payment": read_payment(r, tenant)}
        flags = r.word(range(4))
        return body | {"whole_rest": bool(flags & 1), "original_is_reversal": bool(flags & 2),
                       "original_status": r.word(STATUSES), "original": r.id(), "original_at": r.place(),
                       "original_minor": r.zigzag(), "original_settled_at": r.time()}
    if kind == "decide_review":
        return {"payment": r.id(), "approve": r.bool(), "by": r.text(), "note": r.text()}
    if kind == "open_account":
        return {"id": r.id(), "name": r.text(), "currency": r.currency(), "kind": r.word(KINDS),
                "risk_level": r.word(RISKS), "floor": r.zigzag(), "opening": r.zigzag(), "holder": r.text(),
                "metadata": r.text(), "bounds": read_bounds(r), "meaning": r.u64()}
    if kind == "change_account":
        body, has = {"id": r.id()}, r.word(range(32))
        for bit, field, read in ((1, "status", lambda: r.word(ACCOUNT_STATUSES)), (2, "floor", r.zigzag),
                                 (4, "risk_level", lambda: r.word(RISKS)), (8, "holder", r.text),
                                 (16, "metadata", r.text)):
            body[field] = read() if has & bit else None
        return body | {"bounds": read_bounds(r)}
    if kind == "adjust_balance":
        return {"id": r.id(), "delta": r.zigzag(), "why": r.text()}
    if kind == "change_policy":
        return {"policy": read_policy(r.take(r.varint())), "by": r.text()}
    if kind == "keep_record":
        return {"id": r.id(), "reason": r.word(REASONS), "document": r.text()}
    if kind == "keep_dead_letter":
        return {field: r.text() for field in "source position format why bytes".split()}
    return {"letter": r.place(), "redriven": r.bool(), "by": r.text(), "note": r.text()}


def read_command(data):
    r = Reader(data)
    kind = r.word(COMMANDS)
    flags = r.word(range(32))
    tenant = r.varint() if flags & 16 else 0
    ids, meanings = flags & 3, flags >> 2 & 3
    if kind == "-" or ids == 3 or meanings == 3:
        raise Damaged("a command with unknown flags")
    command = {"kind": kind, "tenant": tenant, "id": r.id() if ids == 2 else None,
               "meaning": r.u64() if meanings == 2 else None}
    body = read_body(r, kind, tenant)
    if r.left():
        raise Damaged("bytes behind a command")
    of_body = (NO_ID, 0)
    if kind in ("submit_payment", "reverse_payment"):
        of_body = (body["payment"]["id"], body["payment"]["meaning"])
    elif kind == "keep_record":
        of_body = (body["id"], 0)
    if command["id"] is None:
        command["id"] = of_body[0] if ids == 0 else NO_ID
    if command["meaning"] is None:
        command["meaning"] = of_body[1] if meanings == 0 else 0
    return command | {"body": body}


def payments_of(command):
    if command["kind"] in ("submit_payment", "reverse_payment"):
        return [command["body"]["payment"]]
    return command["body"].get("payments", []) if command["kind"] == "submit_group" else []


class Frame:
    def __init__(self, header):
        self.header, self.sections = header, {name: [] for name in SECTIONS[1:]}
        self.next_command, self.next_item, self.last_number = 0, 0, 0

    def payment(self, command, item):
        commands = self.sections["commands"]
        payments = payments_of(commands[command]) if command is not None and command < len(commands) else []
        return payments[item] if item < len(payments) else None

    def read_why(self, r, shapes):
        first = r.u8()
        if first & 0x80 or (first >> 2 & 15) > 8:
            raise Damaged("a why with unknown flags")
        why = {"advice": ADVICE[first & 3], "policy": r.varint(), "score": r.zigzag() if first & 64 else 0, "hits": []}
        for _ in range(first >> 2 & 15):
            rule, points, at_most, bucket = shapes.next(r)
            why["hits"].append({"rule": rule, "points": points, "input": r.zigzag(), "at_most": at_most,
                                "bucket": bucket})
        return why

    def read_outcome(self, r, index, shapes):
        first, bits = r.u8(), r.u16()
        o = {"event": r.word(EVENTS, first & 15), "status": r.word(STATUSES, first >> 4)}
        is_first = o["event"] == "submitted"
        o["reason"] = r.word(REASONS) if bits & 1 else "none"
        o["command"] = None if o["event"] == "expired" else self.next_command
        o["item"] = 0 if o["command"] is None else self.next_item
        if bits & 8:
            number = r.varint()
            o["command"], o["item"] = number - 1 if number else None, r.varint()
        commands = self.sections["commands"]
        known = o["command"] is not None and o["command"] < len(commands)
        of = self.payment(o["command"], o["item"]) or {}
        o["tenant"] = r.varint() if bits & 2 else commands[o["command"]]["tenant"] if known else 0
        o["rail"] = r.varint() if bits & 4 else of.get("rail", 0)
        o["payment"] = r.id() if bits & 16 else of.get("id", NO_ID)
        o["debtor"] = r.id() if bits & 32 else of.get("debtor", NO_ID)
        o["creditor"] = r.id() if bits & 64 else of.get("creditor", NO_ID)
        o["amount"] = r.amount() if bits & 128 else of.get("amount", {"minor": 0, "currency": "XXX"})
        o["number"] = r.varint() if bits & 256 else self.last_number + 1 if is_first else 0
        o["origin"] = r.place() if bits & 512 else [self.header["seq"], index] if is_first else [0, 0]
        o["accepted_at"] = r.time() if bits & 1024 else self.header["time"] if is_first else 0
        o["expires_at"] = r.time() if bits & 2048 else 0
        o["reverses"] = r.id() if bits & 4096 else NO_ID
        mode = bits >> 13 & 3
        before = [r.zigzag(), r.zigzag()] if mode else [0, 0]
        moved = o["amount"]["minor"] if mode == 1 else 0
        after = [r.zigzag(), r.zigzag()] if mode == 3 else [wrapped(before[0] - moved), wrapped(before[1] + moved)]
        o["balances"] = {"debtor": [before[0], after[0]], "creditor": [before[1], after[1]]}
        o["why"] = self.read_why(r, shapes) if bits & 0x8000 else None
        self.after(o)
        return o

    def after(self, outcome):
        if outcome["event"] == "submitted":
            self.last_number = outcome["number"]
        command, item = outcome["command"], outcome["item"]
        if command is None:
            return
        commands = self.sections["commands"]
        items = len(payments_of(commands[command])) if command < len(commands) else 0
        more = item + 1 < items
        self.next_command, self.next_item = (command, item + 1) if more else (command + 1, 0)

    def read_accounts(self, r, count):
        outcomes = self.sections["outcomes"]
        parties = [outcome[side] for outcome in outcomes for side in ("debtor", "creditor")]
        shapes = Recurring(lambda x: {"tenant": x.varint(), "kind": x.word(KINDS), "status": x.word(ACCOUNT_STATUSES),
                                      "risk_level": x.word(RISKS), "has_bounds": x.bool(), "currency": x.currency(),
                                      "floor": x.zigzag()})
        times, party = Recurring(lambda x: x.time()), 0
        for _ in range(count):
            flags = r.word(range(16))
            how = flags & 3
            if how == 3:
                raise Damaged("an account with unknown flags")
            if how == 0:
                account = r.id()
            else:
                party += r.varint() if how == 2 else 0
                if party >= len(parties):
                    raise Damaged("an account of no outcome")
                account, party = parties[party], party + 1
            image = {"id": account} | shapes.next(r) | {"opened_at": times.next(r)}
            yield image | {"opened_meaning": r.u32() if flags & 8 else 0, "balance": r.zigzag(),
                           "held": r.zigzag() if flags & 4 else 0, "version": r.varint()}

    def read_counters(self, r, count):
        accounts, last = self.sections["accounts"], 0
        shapes = Recurring(lambda x: {"limit": x.u32(), "bucket": x.varint(), "place": x.u8()})
        for _ in range(count):
            ahead = r.varint()
            if ahead:
                last += ahead - 1
                if last >= len(accounts):
                    raise Damaged("a counter of no account")
            account = accounts[last]["id"] if ahead else r.id()
            yield {"account": account} | shapes.next(r) | {"value": r.zigzag()}

    def read_holds(self, r, count):
        outcomes, last = self.sections["outcomes"], 0
        for _ in range(count):
            flags = r.word(range(8))
            hold = {"capture": "manual" if flags & 2 else "automatic", "approved": bool(flags & 4),
                    "status": r.word(STATUSES)}
            if flags & 1:
                last += r.varint()
                if last >= len(outcomes):
                    raise Damaged("a hold of no outcome")
                hold |= {field: outcomes[last][field] for field in ("payment", "debtor", "creditor")}
            else:
                hold |= {"payment": r.id(), "debtor": r.id(), "creditor": r.id()}
            hold |= {"tenant": r.varint(), "rail": r.varint(), "amount": r.amount(), "expires_at": r.time(),
                     "hold_expires_at": r.time(), "origin": r.place(), "accepted_at": r.time(), "number": r.varint()}
            hold["counted"] = []
            for _ in range(r.word(range(9))):
                limit, bits = r.u32(), r.word(range(4))
                hold["counted"].append({"limit": limit, "credit_side": bool(bits & 1), "is_sum": bool(bits & 2),
                                        "ring": r.u8(), "bucket": r.varint()})
            yield hold

    def read_known(self, r, count):
        outcomes, following = self.sections["outcomes"], 0
        for _ in range(count):
            v = r.varint()
            index = v >> 1 if v & 1 else following + (v >> 1)
            if v & 1:
                yield {"id": r.id(), "index": index, "meaning": r.u64()}
            else:
                outcome = outcomes[index] if index < len(outcomes) else None
                payment = self.payment(outcome["command"], outcome["item"]) if outcome else None
                if payment is None:
                    raise Damaged("a known id of no payment")
                yield {"id": outcome["payment"], "index": index, "meaning": payment["meaning"]}
            following = index + 1

    def read_section(self, name, count, r):
        if name == "commands":
            for _ in range(count):
                yield read_command(r.take(r.varint()))
        elif name == "outcomes":
            shapes = Recurring(lambda x: (x.varint(), x.zigzag(), x.zigzag(), x.varint()))
            for index in range(count):
                yield self.read_outcome(r, index, shapes)
        elif name == "accounts":
            yield from self.read_accounts(r, count)
        elif name == "counters":
            yield from self.read_counters(r, count)
        elif name == "holds":
            yield from self.read_holds(r, count)
        elif name == "known":
            yield from self.read_known(r, count)
        else:
            for _ in range(count):
                if name == "reversed":
                    yield {"original": r.id(), "reversed": r.zigzag(), "settled_at": r.time()}
                elif name == "bounds":
                    yield {"account": r.id(), "name_key": r.u32(), "removed": r.bool(), "at_most": r.zigzag()}
                elif name == "tenants":
                    yield {"tenant": r.varint(), "last_number": r.varint(), "policy": r.varint()}
                elif name == "policies":
                    yield read_policy(r.take(r.varint()))
                else:
                    yield {"source": r.varint(), "part": r.varint(), "next": r.varint()}


def read_frame(data):
    """The frame at the begin of `data` as a dict, and its size with padding. Damaged: it is none."""
    header = read_header(data)
    size = (HEADER + header["body_bytes"] + BLOCK - 1) // BLOCK * BLOCK
    if len(data) < size:
        raise Damaged(f"{len(data)} bytes of {size}")
    body = data[HEADER:HEADER + header["body_bytes"]]
    if hashlib.sha256(body).hexdigest() != header["body_digest"]:
        raise Damaged("the body's digest is not the header's")
    if any(data[HEADER + len(body):size]):
        raise Damaged("padding is not zero")
    frame, at, last = Frame(header), 0, 0
    while at < len(body):
        kind, count, length, crc = struct.unpack_from("<IIII", body, at)
        if not last < kind < len(SECTIONS) or count == 0 or count > length or at + 16 + length > len(body):
            raise Damaged(f"section at byte {at}: kind {kind}, {count} entries in {length} bytes")
        payload = body[at + 16:at + 16 + length]
        if crc32c(body[at:at + 12] + payload) != crc:
            raise Damaged(f"section {SECTIONS[kind]}: the checksum is wrong")
        reader = Reader(payload)
        for entry in frame.read_section(SECTIONS[kind], count, reader):
            frame.sections[SECTIONS[kind]].append(entry)
        if reader.left():
            raise Damaged(f"section {SECTIONS[kind]}: bytes behind the last entry")
        last, at = kind, at + 16 + length
    return header | frame.sections, size


def main():
    parser = argparse.ArgumentParser(description="Prints frames of a journal as JSON, one a line.")
    parser.add_argument("file")
    parser.add_argument("--at", type=int, default=0, help="byte at which the frame begins")
    parser.add_argument("--all", action="store_true", help="go on with the frames behind it")
    arguments = parser.parse_args()
    with open(arguments.file, "rb") as file:
        data = file.read()
    at = arguments.at
    try:
        while True:
            frame, size = read_frame(data[at:])
            print(json.dumps(frame, separators=(",", ":")))
            at += size
            if not arguments.all or data[at:at + 8] != b"NOSTROFR":
                return 0
    except (Damaged, struct.error) as error:
        print(f"byte {at}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
