#!/usr/bin/env python3
"""Checks the proof of a payment (proof.md) without nostro: check_proof.py PROOF.json PUBLIC_KEY_HEX"""
import base64
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import read_frame  # noqa: E402

# Ed25519, RFC 8032 section 5.1: the field, the curve, its base point, its order.
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)


def point(data):
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        raise ValueError("no point of the curve")
    return (P - x if x % 2 != sign else x, y)


def add(a, b):
    product = D * a[0] * b[0] * a[1] * b[1]
    return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + product, -1, P) % P,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P) % P)


def times(number, a):
    result = (0, 1)
    for bit in bin(number)[2:]:
        result = add(result, result)
        result = add(result, a) if bit == "1" else result
    return result


def is_signed(key, message, signature):
    hashed = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    scalar = int.from_bytes(signature[32:], "little")
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    return scalar < ORDER and times(scalar, base) == add(point(signature[:32]), times(hashed, point(key)))


def check(part, payment, key):
    frame = base64.b64decode(part["frame"], validate=True)
    decoded, _ = read_frame.read_frame(frame + bytes(-len(frame) % read_frame.BLOCK))
    outcome, digest, seq = decoded["outcomes"][part["index"]], decoded["digest"], decoded["seq"]
    assert outcome["payment"] == payment, "the outcome is another payment's"
    headers = base64.b64decode(part["headers"], validate=True)
    for at in range(0, len(headers), read_frame.HEADER):
        header = read_frame.read_header(headers[at:at + read_frame.HEADER])
        assert (header["seq"], header["previous"]) == (seq + 1, digest), f"frame {seq + 1} does not continue the chain"
        seq, digest = header["seq"], header["digest"]
    mark = part["checkpoint"]
    assert (mark["seq"], mark["digest"]) == (seq, digest), "the path does not end at the checkpoint"
    assert mark["key"] == key, "the checkpoint was signed by another key"
    message = f"nostro checkpoint 1\n{seq}\n{digest}\n{mark['time']}\n".encode()
    assert is_signed(bytes.fromhex(key), message, bytes.fromhex(mark["signature"])), "the signature is wrong"
    return f"{outcome['event']}: {outcome['status']}, frame {decoded['seq']}, under the checkpoint of frame {seq}"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        proof = json.load(file)
    for each in proof["outcomes"]:
        print(proof["payment_id"], check(each, proof["payment_id"], sys.argv[2]))
