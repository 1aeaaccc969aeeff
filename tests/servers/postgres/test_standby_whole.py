"""Standbys of a journal in PostgreSQL take over whole, also where the tables are the ledger."""

import pytest
from postgres_server import until
from whole import Work, fleet, reconciled, taken_over_and_given_away


@pytest.mark.parametrize("ledger", [False, True], ids=["tables that follow", "tables that are the ledger"])
def test_whoever_takes_over_does_all_that_the_owner_did(nostro, postgres, redis, tmp_path, ledger):
    standbys = fleet(nostro, postgres, redis, tmp_path,
                     {"journal.kind": "postgres", "journal.sql_is_the_ledger": str(ledger).lower()})  # fmt: skip
    work = Work(postgres, redis, ledger)
    owner = taken_over_and_given_away(standbys, work)
    # What people edit is found, and taken in, by whoever owns the Book now.
    account = work.accounts[1]
    postgres.psql(f"UPDATE nostro.accounts SET balance = balance + 5 WHERE name = '{account}'")
    code, report = reconciled(owner)
    assert code == 1 and [each["found"] for store in report["stores"] for each in store["drifts"]] == ["8.00"], report
    code, report = reconciled(owner, "--adopt", "--by", "ops", "--reason", "a test")
    assert code == 0, report
    assert until(lambda: owner.client().posted(account) == "8.00")


def test_a_standby_finds_out_at_its_start_that_it_could_not_write_the_ledger(nostro, postgres):
    postgres.psql("CREATE DATABASE other")
    program = nostro(env={"NOSTRO_POSTGRES_URL": postgres.url},
                     sets={"journal.kind": "postgres", "journal.sql_is_the_ledger": "true", "standby.enabled": "true",
                           "journal.postgres_url": postgres.address("other")})  # fmt: skip
    assert program.code == 2 and "name the same database" in program.stderr, program.stderr
