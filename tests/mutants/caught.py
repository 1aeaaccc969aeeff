#!/usr/bin/env python3
"""Runs a simulation in which the product is broken on purpose. Succeeds if the simulation says so, in words that are meant
for it (a regular expression), and the seed it names says the same again. caught.py MUTANT WORDS"""
import os
import re
import subprocess
import sys

SEEDS = "200"


def run(mutant, tests, **variables):
    done = subprocess.run([mutant, f"--gtest_filter={tests}", "--gtest_brief=1"], text=True, capture_output=True,
                          env={**os.environ, **variables}, timeout=280)
    return done.returncode, done.stdout + done.stderr


def main():
    mutant, words = sys.argv[1:]
    code, text = run(mutant, "EngineSimulation.*", NOSTRO_SIM_SEEDS=SEEDS)
    if code == 0:
        print(f"{SEEDS} seeds saw nothing: a rule of the product was broken, and no test minds")
        return 1
    # A check of the simulation, or a broken invariant of the product itself: not a crash of any other kind.
    found = re.search(r"seed (\d+) fails.*|broken invariant.*", text)
    if not found:
        print(f"it ended with {code}, and says not why:\n{text[-2000:]}")
        return 1
    said = text[:found.end()]  # of the first seed that failed
    if not re.search(words, said):
        print(f"{found[0]}, but nobody says '{words}':\n{said[-2000:]}")
        return 1
    print(f"caught: {found[0]}: {words}")
    if found[1]:
        test = re.search(r"^Again: .* --gtest_filter=(\S+)", text[found.end():], re.M)[1]
        _, again = run(mutant, test, NOSTRO_SIM_SEED=found[1])
        # Its story ends with a digest of all frames.
        if found[0] not in again or not re.search(words, again):
            print(f"looked at again, the seed says something else:\n{again[-2000:]}")
            return 1
    print("\n".join(line for line in text.splitlines() if " feed_" not in line)[:1500])
    return 0


if __name__ == "__main__":
    sys.exit(main())
