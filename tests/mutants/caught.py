#!/usr/bin/env python3
"""Runs a simulation in which the product is broken on purpose. Succeeds if the simulation says so, by name."""
import os
import re
import subprocess
import sys

SEEDS = "200"


def main():
    done = subprocess.run([sys.argv[1], "--gtest_filter=EngineSimulation.*", "--gtest_brief=1"], text=True,
                          capture_output=True, env={**os.environ, "NOSTRO_SIM_SEEDS": SEEDS}, timeout=280)
    text = done.stdout + done.stderr
    if done.returncode == 0:
        print(f"{SEEDS} seeds saw nothing: a rule of the product was broken, and no test minds")
        return 1
    # A check of the simulation, or a broken invariant of the product itself: not a crash of any other kind.
    found = re.search(r"seed \d+ fails|broken invariant", text)
    if not found:
        print(f"it ended with {done.returncode}, and says not why:\n{text[-2000:]}")
        return 1
    print(f"caught: {found[0]}")
    print("\n".join(line for line in text.splitlines() if " feed_" not in line)[:1500])
    return 0


if __name__ == "__main__":
    sys.exit(main())
