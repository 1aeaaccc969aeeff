"""A journal in PostgreSQL with its mirror in the data folder: keys without end, short starts, and what is gone."""

import shutil

import pytest
from client import unique
from postgres_server import SOON, until
from program import run, settings
from spending import FAR, SMALLEST, Spent, imaged, proved


@pytest.fixture
def sets(postgres):
    return {"journal.kind": "postgres", "journal.postgres_url": postgres.url, **SMALLEST,
            "journal.postgres_schema": unique("journal").replace("-", "_"), **SOON}  # fmt: skip


@pytest.fixture
def serve(nostro, sets):
    return lambda more=None, **rest: nostro(sets={**sets, **(more or {})}, **rest)


def test_more_keys_are_taken_than_the_table_holds_and_an_empty_folder_learns_them_all(serve, sets, postgres, tmp_path):
    program = serve(data=tmp_path / "data")
    spent = Spent(program)
    program.kill()
    assert proved(tmp_path / "data")["last"] > 0  # what the mirror has of it
    program = serve(data=tmp_path / "data")
    spent.check(program)
    program.stop()
    program = serve(data=tmp_path / "fresh")
    spent.check(program)
    through = imaged(spent.api)
    program.stop()
    report = proved(tmp_path / "fresh")
    assert report["payments"] == FAR + 1 and report["ids_through"] >= through
    pulled = tmp_path / "pulled"
    for _ in range(2):  # the second time there is nothing new
        done = run("pull", pulled, *settings(sets))
        assert done.returncode == 0, done
    assert proved(pulled)["digest"] == report["digest"]

    # What an image stands for may go.
    schema = sets["journal.postgres_schema"]
    postgres.psql(f"DELETE FROM {schema}.frames WHERE seq <= {through}")
    program = serve(data=tmp_path / "fresh")
    spent.check(program)
    program.stop()
    program = serve(data=tmp_path / "empty")
    assert program.code == 1
    assert "reaches to frame 0" in program.stderr and f"begins with frame {through + 1}" in program.stderr
    done = run("pull", tmp_path / "late", *settings(sets))
    assert done.returncode != 0 and f"begins with frame {through + 1}" in done.stderr, done

    # A journal that was set back is not gone on with.
    last = int(postgres.one(f"SELECT seq FROM {schema}.books"))
    assert last > through + 1
    postgres.psql(f"DELETE FROM {schema}.frames WHERE seq = {last}",
                  f"UPDATE {schema}.books SET seq = {last - 1}, digest = (SELECT sha256(substr(frame, 1, 128)) "
                  f"FROM {schema}.frames WHERE seq = {last - 1})")  # fmt: skip
    program = serve(data=tmp_path / "fresh")
    assert program.code == 1
    assert f"has seen frame {last}" in program.stderr and "acknowledged frames are missing" in program.stderr


def test_a_mirror_that_is_damaged_is_made_again(serve, tmp_path):
    data = tmp_path / "data"
    program = serve(data=data)
    spent = Spent(program, 60_000)
    imaged(spent.api)
    program.stop()
    for file in (data / "image").iterdir():
        with open(file, "r+b") as opened:
            opened.seek(20)
            opened.write(b"not what was written there")
    program = serve(data=data)
    spent.check(program)
    until(lambda: "mirror_made_again" in program.stderr)
    program.stop()
    assert proved(data)["payments"] == 60_001
    shutil.rmtree(data / "segments")
    program = serve(data=data)
    spent.check(program)
    until(lambda: "mirror_made_again" in program.stderr)
    program.stop()
    assert proved(data)["payments"] == 60_001


def test_a_folder_is_used_for_what_it_was_made_for(nostro, serve, tmp_path):
    serve(data=tmp_path / "mirror").stop()
    program = nostro(data=tmp_path / "mirror", sets=SMALLEST)
    assert program.code == 2 and "mirrors a journal on a server" in program.stderr, program.stderr
    nostro(data=tmp_path / "own", sets=SMALLEST).stop()
    program = serve(data=tmp_path / "own")
    assert program.code == 2 and "holds a journal of its own" in program.stderr, program.stderr
