"""Standbys of a journal in Kafka: the group of its owners notices who is gone."""

import pytest
from standbys import *  # noqa: F403  the tests themselves
from test_journal import journal, pulled, serve  # noqa: F401


@pytest.fixture
def proves(journal, tmp_path):  # noqa: F811
    return lambda: pulled(tmp_path / "pulled", journal)
