#!/usr/bin/env python3
"""What is committed speaks of the product alone: no path of one machine, no registry's host, nothing left undone."""
import pathlib
import re
import subprocess
import sys

# Each pattern is written so that it does not match its own line here.
RULES = {
    "a path of one machine": r"(?<![\w.}])/(?:wor[k]|tm[p]|roo[t]|hom[e]/\w+|User[s]/\w+)/",
    "a package registry's host": r"\b(?:npmj[s]\.(?:org|com)|pyp[i]\.org|pythonhoste[d]\.org|crate[s]\.io|mave[n]\.org/maven2"
                                 r"|repo1?\.mave[n]\.|proxy\.golan[g]\.org|de[b]\.debian\.org)",
    "something left undone": r"\b(?:TOD[O]|FIXM[E]|GTEST_SKI[P]|pytest\.ski[p]|pytest\.mark\.ski[p])\b",
    "a number that only our tracker knows": r"\bissue[s]? #?[0-9]+\b",
}
SKIPPED = re.compile(r"(?:^|/)(?:LICENSE|package-lock\.json|Cargo\.lock|go\.sum)$|^tests/(?:fuzz/corpus|data)/")


def findings(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in RULES.items():
            if match := re.search(pattern, line):
                yield f"{path}:{number}: {what}: {match[0]}"


def main():
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            check=True, capture_output=True, text=True).stdout.split("\0")
    found = []
    for path in sorted(set(listed)):
        if not path or SKIPPED.search(path) or not pathlib.Path(path).is_file():
            continue
        try:
            found += findings(path, pathlib.Path(path).read_text())
        except UnicodeDecodeError:
            continue  # not text
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
