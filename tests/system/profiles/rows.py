"""The promises of the five published systems, by row, and the page that says which hold.

A test names its rows: @pytest.mark.rows("UPI-07", "UPI-08"). So does one in tests/servers/NAME, which runs in a stage of
its own while that server does: its rows are read out of its source. Rows that no test can show stand in rows_NAME.toml,
each with `later = "needs ..."` or `differs = "..."`; of which a test shows the document alone, with `shown = "needs ..."`. docs/profiles/STATUS.md is made of all after a run of all tests here:

    python -m pytest tests/system/profiles --write-status
"""

import ast
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
SERVERS = HERE.parents[1] / "servers"
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
            assert list(says) in (["later"], ["differs"], ["shown"]), f"{path.name}: {row} needs `later`, `differs` or `shown`"
            rows[row] = says
    return rows


def rows_of(test):
    """The rows that the decorators of a test's source name."""
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.rows":
            yield from (argument.value for argument in mark.args)


def shown_by_servers():
    """Row -> names of the tests that show it with a server beside nostro, as kafka/test_upi.test_messages."""
    shown = {}
    for path in sorted(SERVERS.glob("*/test_*.py")):
        for test in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(test, ast.FunctionDef):
                for row in rows_of(test):
                    shown.setdefault(row, set()).add(f"{path.parent.name}/{path.stem}.{test.name}")
    return shown


def page(shown):
    """`shown`: row -> names of the tests that passed for it."""
    says = told()
    shown = {row: set(names) for row, names in shown.items()}
    for row, names in shown_by_servers().items():
        shown.setdefault(row, set()).update(names)
    known = set(all_rows())
    strange = (set(shown) | set(says)) - known
    assert not strange, f"there are no such rows: {sorted(strange)}"
    twice = {row for row in set(shown) & set(says) if "later" in says[row]}
    assert not twice, f"these have a test and stand in a file as later: {sorted(twice)}"
    untested = {row for row, words in says.items() if "shown" in words} - set(shown)
    assert not untested, f"no test shows these: {sorted(untested)}"
    lines = [
        "# What holds of the systems that nostro stands in for",
        "",
        "Each row is a promise of one of the five published systems, a duty that all of them have, or (`W`) a fault of",
        "the original that must not happen here. `holds`: a test of that name has just shown it. `shown`: so has",
        "its document, as `GET /v1/profiles/NAME/documents/KEY` answers it; what carries it is yet to come. This page is made of",
        "the test run (`tests/system/profiles`), which fails when it is not up to date. Tests with a `/` in their name",
        "need that server and run in its stage: `kafka/...` in `./dev test --only kafka`.",
        "",
    ]
    count = {"holds": 0, "shown": 0, "differs": 0, "later": 0, "open": 0}
    for prefix, _, _ in SYSTEMS:
        lines += [f"## {TITLES[prefix]}", "", "| row | status | shown by |", "|---|---|---|"]
        for row in (row for row in all_rows() if row.split("-")[0] == prefix):
            tests = ", ".join(f"`{name}`" for name in sorted(shown.get(row, ())))
            if "differs" in says.get(row, {}):
                status = f"differs because {says[row]['differs']}"
                count["differs"] += 1
            elif "shown" in says.get(row, {}):
                status = f"shown ({says[row]['shown']})"
                count["shown"] += 1
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
    lines.insert(8, f"{sum(count.values())} rows: {summary}.\n")
    return "\n".join(lines)
