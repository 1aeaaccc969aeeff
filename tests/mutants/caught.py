#!/usr/bin/env python3
"""Runs a simulation in which the product is broken on purpose. Succeeds if the simulation says so, in the words that are
meant for it. caught.py MUTANT WORDS"""
import os
import re
import subprocess
import sys

SEEDS = "200"


def main():
    mutant, words = sys.argv[1:]
    done = subprocess.run([mutant, "--gtest_filter=EngineSimulation.*", "--gtest_brief=1"], text=True,
                          capture_output=True, env={**os.environ, "NOSTRO_SIM_SEEDS": SEEDS}, timeout=280)
    text = done.stdout + done.stderr
    if done.returncode == 0:
        print(f"{SEEDS} seeds saw nothing: a rule of the product was broken, and no test minds")
        return 1
    # A check of the simulation, or a broken invariant of the product itself: not a crash of any other kind.
    found = re.search(r"seed \d+ fails|broken invariant.*", text)
    if not found:
        print(f"it ended with {done.returncode}, and says not why:\n{text[-2000:]}")
        return 1
    said = text[:found.end()]  # of the first seed that failed
    if words not in said:
        print(f"{found[0]}, but nobody says '{words}':\n{said[-2000:]}")
        return 1
    print(f"caught: {found[0]}: {words}")
    print("\n".join(line for line in text.splitlines() if " feed_" not in line)[:1500])
    return 0


if __name__ == "__main__":
    sys.exit(main())
