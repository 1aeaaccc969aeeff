#!/usr/bin/env python3
"""The model agrees with the Book on journals of weeks, with the commands that no route sends. replay_test.py BINARY

NOSTRO_MODEL_SEEDS: how many journals.
"""
import copy
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]
sys.dont_write_bytecode = True
import model  # noqa: E402
import read_frame  # noqa: E402

SEEDS, FRAMES = int(os.environ.get("NOSTRO_MODEL_SEEDS", "4")), 250
EVERY_TIME = ("balance_adjusted", "record_kept", "dead_letter_resolved", "expired expired hold_expired",
              "expired expired review_expired", "captured", "voided", "approved settled", "approved held", "refused",
              "submitted settled", "submitted rejected limit_exceeded", "submitted rejected too_late_to_reverse",
              "submitted rejected reversal_exceeds_original", "submitted rejected reversal_of_reversal",
              "submitted rejected not_settled", "submitted rejected group_refused", "submitted rejected not_immediate",
              "submitted rejected insufficient_funds", "submitted rejected risk_rejected")


def frames_of(seed):
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([BINARY, str(seed), str(FRAMES), file.name], check=True)
        data, at, frames = file.read(), 0, []
    while at < len(data):
        frame, size = read_frame.read_frame(data[at:])
        frames.append(frame)
        at += size
    return frames


class ReplayTest(unittest.TestCase):
    def test_the_model_agrees_on_every_outcome_and_balance(self):
        seen, kinds = set(), set()
        for seed in range(1, SEEDS + 1):
            with self.subTest(seed=seed):
                frames = frames_of(seed)
                seen |= set(model.replay(frames).seen)
                kinds |= {command["kind"] for frame in frames for command in frame["commands"]}
        self.assertEqual(kinds, set(read_frame.COMMANDS[1:]))
        for kind in EVERY_TIME:
            self.assertTrue(any(each.startswith(kind) for each in seen), (kind, sorted(seen)))

    def test_a_lie_is_found(self):
        frames = frames_of(1)
        for kind, lie in (("outcomes", lambda outcome: self.add_one(outcome["balances"]["debtor"], 1)),
                          ("counters", lambda counter: self.add_one(counter, "value")),
                          ("counters", lambda counter: self.add_one(counter, "bucket"))):
            last = max(i for i, frame in enumerate(frames) if frame[kind])
            spoilt = copy.deepcopy(frames)
            lie(spoilt[last][kind][0])
            with self.subTest(kind=kind), self.assertRaises(model.Differs):
                model.replay(spoilt)

    def add_one(self, where, what):
        where[what] += 1

    def test_each_number_of_a_limit_means_one_limit(self):
        means = model.replay(frames_of(1)).limit_keys
        self.assertGreaterEqual(len(means), 3)
        self.assertTrue(all(len(keys) == 1 for keys in means.values()), means)
        self.assertEqual(len({next(iter(keys)) for keys in means.values()}), len(means))


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main()
