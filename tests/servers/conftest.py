"""Tests against real servers use the program, the client and the fixtures of tests/system, and servers of their own: one
for the tests of a file, each of which finds it empty."""

import importlib.util
import sys
from pathlib import Path

import pytest

SYSTEM = Path(__file__).resolve().parents[1] / "system"
sys.path.insert(0, str(SYSTEM))

_spec = importlib.util.spec_from_file_location("system_conftest", SYSTEM / "conftest.py")
_system = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_system)

pytest_configure = _system.pytest_configure
pytest_runtest_makereport = _system.pytest_runtest_makereport
nostro = _system.nostro
kills = _system.kills

from postgres_server import Postgres  # noqa: E402
from redis_server import Redis  # noqa: E402


@pytest.fixture(scope="module")
def postgres_of_file():
    postgres = Postgres()
    yield postgres
    postgres.end()


@pytest.fixture
def postgres(postgres_of_file):
    postgres_of_file.forget()
    return postgres_of_file


@pytest.fixture(scope="module")
def redis_of_file(tmp_path_factory):
    redis = Redis(tmp_path_factory.mktemp("redis"))
    yield redis
    redis.stop()


@pytest.fixture
def redis(redis_of_file):
    redis_of_file.cli("FLUSHALL")
    return redis_of_file


@pytest.fixture
def own_redis(tmp_path):
    """One that the test may kill."""
    redis = Redis(tmp_path / "redis")
    yield redis
    redis.stop()
