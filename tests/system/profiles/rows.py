"""The promises of the five published systems, by row, and the page that says which hold.

A test names its rows: @pytest.mark.rows("UPI-07", "UPI-08"). Rows that no test here can show stand in rows_NAME.toml,
each with `later = "needs ..."` or `differs = "..."`. docs/profiles/STATUS.md is made of both after a run of all tests:

    python -m pytest tests/system/profiles --write-status
"""

import tomllib
from pathlib import Path

HERE = Path(__file__).parent
STATUS = HERE.parents[2] / "docs" / "profiles" / "STATUS.md"

# Prefix, its rows, and how many faults of the original it lists.
SYSTEMS = [
    ("UPI", "1-25 27-32", 12), ("TPS", "1-28", 10), ("LOG", "1-25", 10), ("B2B", "1-8 20-49", 10),
    ("CLR", "1-11 20-23 30-40 50-62", 15), ("ALL", "1-10", 0), ("G", "1-10", 0),
]  # fmt: skip

TITLES = {
    "UPI": "upi", "TPS": "tps", "LOG": "logging", "B2B": "b2b", "CLR": "clearing", "ALL": "All profiles",
    "G": "Duties of every profile",
}  # fmt: skip


def ranges(text):
    for part in text.split():
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def all_rows():
    for prefix, numbers, faults in SYSTEMS:
        yield from (f"{prefix}-{number:02}" for number in ranges(numbers))
        yield from (f"{prefix}-W{number:02}" for number in range(1, faults + 1))


def told():
    """What the files say of rows without a test."""
    rows = {}
    for path in sorted(HERE.glob("rows_*.toml")):
        for row, says in tomllib.loads(path.read_text()).items():
            assert row not in rows, f"{path.name}: {row} stands there twice"
            assert list(says) in (["later"], ["differs"]), f"{path.name}: {row} needs `later` or `differs`"
            rows[row] = says
    return rows


def page(shown):
    """`shown`: row -> names of the tests that passed for it."""
    says = told()
    known = set(all_rows())
    strange = (set(shown) | set(says)) - known
    assert not strange, f"there are no such rows: {sorted(strange)}"
    twice = {row for row in set(shown) & set(says) if "differs" not in says[row]}
    assert not twice, f"these have a test and stand in a file as later: {sorted(twice)}"
    lines = [
        "# What holds of the systems that nostro stands in for",
        "",
        "Each row is a promise of one of the five published systems, a duty that all of them have, or (`W`) a fault of",
        "the original that must not happen here. `holds`: a test of that name has just shown it. This page is made of",
        "the test run (`tests/system/profiles`), which fails when it is not up to date.",
        "",
    ]
    count = {"holds": 0, "differs": 0, "later": 0, "open": 0}
    for prefix, _, _ in SYSTEMS:
        lines += [f"## {TITLES[prefix]}", "", "| row | status | shown by |", "|---|---|---|"]
        for row in (row for row in all_rows() if row.split("-")[0] == prefix):
            tests = ", ".join(f"`{name}`" for name in sorted(shown.get(row, ())))
            if "differs" in says.get(row, {}):
                status = f"differs because {says[row]['differs']}"
                count["differs"] += 1
            elif row in shown:
                status = "holds"
                count["holds"] += 1
            elif row in says:
                status = f"later ({says[row]['later']})"
                count["later"] += 1
            else:
                status = "open"
                count["open"] += 1
            lines.append(f"| {row} | {status} | {tests} |")
        lines.append("")
    summary = ", ".join(f"{number} {name}" for name, number in count.items() if number)
    lines.insert(6, f"{sum(count.values())} rows: {summary}.\n")
    return "\n".join(lines)
