#!/usr/bin/env python3
"""Every test that docs/RELIABILITY.md names as `file::name` exists."""
import pathlib
import re
import sys

PAGE = "docs/RELIABILITY.md"
REFERENCE = re.compile(r"`([\w./-]+)::(\w+)`")


def defines(text, name):
    return re.search(rf"\bdef {name}\(|^(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\(\s*\w+,\s*{name}\b", text, re.M)


def findings(root):
    in_promises = False
    for number, line in enumerate((root / PAGE).read_text().splitlines(), 1):
        if line.startswith("| Promise "):
            in_promises = True
        elif not line.startswith("|"):
            in_promises = False
        elif in_promises and not line.startswith("| ---") and not REFERENCE.search(line):
            yield f"{PAGE}:{number}: a promise that no test holds"
        for path, name in REFERENCE.findall(line):
            file = root / path
            if not file.is_file():
                yield f"{PAGE}:{number}: {path} does not exist"
            elif not defines(file.read_text(), name):
                yield f"{PAGE}:{number}: {path} has no test {name}"


def main():
    found = list(findings(pathlib.Path(__file__).resolve().parent.parent))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
