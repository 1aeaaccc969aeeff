import os

import program
import pytest
from program import Program


def pytest_addoption(parser):
    parser.addoption("--write-status", action="store_true", help="write docs/profiles/STATUS.md anew")


def pytest_configure(config):
    config.addinivalue_line("markers", "rows(*ids): the promises of published systems that the test shows")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """What the programs of a failed test have logged stands under its report."""
    report = yield
    if report.failed:
        for each in program.started[-3:]:
            if each.log.exists():
                report.sections.append((f"nostro {each.pid}", each.stderr[-6000:]))
    return report


@pytest.fixture
def nostro(tmp_path):
    """nostro(...) starts a program on a folder of the test; all of them end with it, in good order."""
    begun = []

    def start(*arguments, data=None, **rest):
        begun.append(Program(data or tmp_path / "data", *arguments, **rest))
        return begun[-1]

    mark = len(program.started)
    try:
        yield start
        for each in begun:
            if each.running:
                each.stop()
    finally:
        for each in begun:
            if each.running:
                each.process.kill()
                each.process.wait()
        del program.started[mark:]


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One program for all tests that need nothing but its routes."""
    each = Program(tmp_path_factory.mktemp("shared") / "data")
    assert each.url, each.stderr
    yield each
    if each.running:
        each.stop()


@pytest.fixture
def api(shared):
    client = shared.client()
    yield client
    client.close()
    shared.clients.remove(client)


@pytest.fixture
def kills():
    return int(os.environ.get("NOSTRO_KILLS", "20"))
