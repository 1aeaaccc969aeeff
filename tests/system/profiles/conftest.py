"""Tests of the profiles name the rows that they show; at the end of a whole run the status page must say the same."""

import sys
from collections import defaultdict
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import rows  # noqa: E402

HERE = Path(__file__).parent


def pytest_collection_finish(session):
    session.config.profile_items = [item for item in session.items if HERE in item.path.parents]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if HERE in item.path.parents and report.when == "call":
        item.profile_passed = report.passed
    return report


def is_whole_run(session):
    """Whether every file of this folder was collected, and nothing was left out by name."""
    config = session.config
    if config.option.keyword or config.option.markexpr or config.option.collectonly:
        return False
    if any("::" in argument for argument in config.args):
        return False
    return {item.path for item in config.profile_items} == set(HERE.glob("test_*.py"))


def pytest_sessionfinish(session):
    if not getattr(session.config, "profile_items", None) or not is_whole_run(session):
        return
    shown = defaultdict(set)
    for item in session.config.profile_items:
        if not getattr(item, "profile_passed", False):
            return  # a test failed, which says enough
        for mark in item.iter_markers("rows"):
            for row in mark.args:
                shown[row].add(f"{item.path.stem}.{item.originalname or item.name}")
    page = rows.page(shown)
    if session.config.option.write_status:
        rows.STATUS.write_text(page)
    elif not rows.STATUS.exists() or rows.STATUS.read_text() != page:
        print("\ndocs/profiles/STATUS.md is not what the tests show; python -m pytest tests/system/profiles --write-status")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
