#!/usr/bin/env python3
"""Checks a proof (proof.md) with nothing but Python and openssl: check_proof.py PROOF.json PUBLIC_KEY_HEX [FRAMES]

FRAMES: a file to which the proved frames are written, for a reader of frames such as tools/read_frame.py."""
import base64, hashlib, json, pathlib, subprocess, sys, tempfile
from fractions import Fraction

def need(holds, fault):
    if not holds:
        raise ValueError(fault)

def check_checkpoint(mark, key):
    need(mark["key"] == key, "the checkpoint was signed by another key")
    text = f"nostro checkpoint 1\n{mark['seq']:d}\n{mark['digest']}\n{mark['time']}\n".encode()
    der, signature = bytes.fromhex("302a300506032b6570032100" + key), bytes.fromhex(mark["signature"])  # RFC 8410
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("key", der), ("text", text), ("signature", signature)):
            pathlib.Path(folder, name).write_bytes(data)
        verify = "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in text -sigfile signature"
        done = subprocess.run(verify.split(), cwd=folder, capture_output=True)
    need(done.returncode == 0, f"the signature of the checkpoint of frame {mark['seq']} is wrong")

def check_outcome(part, payment, key):
    """The frame, if it is in the journal that the checkpoint stands for and holds the payment's id; and its place."""
    frame, headers = (base64.b64decode(part[name], validate=True) for name in ("frame", "headers"))
    seq, mark, digest = int.from_bytes(frame[16:24], "little"), part["checkpoint"], hashlib.sha256(frame[:128]).digest()
    need(frame[:12] == b"NOSTROFR\1\0\x80\0", "no frame of version 1")
    need(hashlib.sha256(frame[128:]).digest() == frame[88:120], f"the body of frame {seq} is not its header's")
    for at in range(0, len(headers), 128):
        need(headers[at + 56:at + 88] == digest, f"header {at // 128} behind frame {seq} does not continue the chain")
        digest = hashlib.sha256(headers[at:at + 128]).digest()
    need((mark["seq"], mark["digest"]) == (seq + len(headers) / 128, digest.hex()), "the path misses its checkpoint")
    check_checkpoint(mark, key)
    need(part["seq"] == seq and type(part["index"]) is int, f"the outcome is not where the proof says: frame {seq}")
    payment_id = bytes.fromhex(payment)
    need(len(payment_id) == 16 and payment_id in frame[128:], f"frame {seq} does not hold the payment's id")
    return frame + bytes(-len(frame) % 4096), (seq, part["index"])

def check_books(proof, key):
    mark, books, verified = proof["checkpoint"], proof["books"], proof["verified"]
    check_checkpoint(mark, key)
    need(books["as_of"]["seq"] == mark["seq"], f"the books are not those of frame {mark['seq']}, which was signed")
    for each in books["currencies"]:
        posted = sum(Fraction(kind["posted"]) for kind in each["kinds"])
        need(posted == Fraction(each["sum"]) == 0, f"the accounts in {each['currency']} do not sum to zero")
    other = verified and verified["last"] == mark["seq"] and verified["digest"] != mark["digest"]
    need(not other, f"another journal was verified: its frame {mark['seq']} has another digest")
    print(f"the journal was signed up to frame {mark['seq']}; the sums told of it are zero, but no signature covers them")

def main(file, key, frames_file=None):
    proof = json.loads(pathlib.Path(file).read_bytes())
    need(isinstance(proof, dict), "no JSON object")
    need(proof["version"] == 1, "another version")
    if not proof.keys() & {"payment_id", "outcomes"}:  # else a payment's: less is asked of the books
        return check_books(proof, key)
    need(len(proof["outcomes"]) > 0, "no outcomes")
    frames, places = zip(*(check_outcome(part, proof["payment_id"], key) for part in proof["outcomes"]))
    need(all(one < other for one, other in zip(places, places[1:])), "the outcomes are not in the order of the journal")
    if frames_file:
        pathlib.Path(frames_file).write_bytes(b"".join(frames))
    for seq, index in places:
        print(f"frame {seq} is in the journal and holds the id {proof['payment_id']} (outcome {index} was not read)")
    print("what the proof leaves out, or what came later, cannot be seen from it")

if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as fault:  # whatever it is, nothing is proved
        sys.exit(f"no proof: {'it lacks ' * isinstance(fault, KeyError)}{fault}")
