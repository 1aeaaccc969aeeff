"""Standbys of a journal in PostgreSQL: the owner's lock notices who is gone."""

import pytest
from standbys import *  # noqa: F403  the tests themselves
from test_postgres_journal import serve  # noqa: F401


@pytest.fixture
def proves(serve, postgres):  # noqa: F811
    """Every frame is there once, each behind the one before; a start checks digests and sums."""

    def prove():
        count = postgres.psql(f"SELECT count(*) = max(seq) AND min(seq) = 1 FROM {serve.schema}.frames")
        assert "t" in count, count

    return prove
