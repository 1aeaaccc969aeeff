"""Least rights, and connections that trust the right one."""

import subprocess

from client import unique
from postgres_server import SOON, projected, until
from program import ROOT, run

FINANCIAL = {"database": "financial_db"}


def serve(nostro, postgres, *arguments, env=None, sets=None, **rest):
    return nostro(*arguments, env={"NOSTRO_POSTGRES_URL": postgres.url, **(env or {})}, sets={**SOON, **(sets or {})}, **rest)


# --- rights ---


def sql_of_page(heading):
    """The SQL of a section of docs/operations/postgres.md."""
    page = (ROOT / "docs/operations/postgres.md").read_text()
    section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [block.split("```")[0] for block in section.split("```sql\n")[1:]]


def refused(postgres, role, *statements, database="postgres"):
    for statement in statements:
        done = subprocess.run(["psql", "-X", postgres.address(database, role, "..."), "-v", "ON_ERROR_STOP=1", "-c", statement],
                              capture_output=True, text=True, timeout=60)  # fmt: skip
        assert done.returncode != 0 and ("permission denied" in done.stderr or "must be owner" in done.stderr), (statement, done)


def test_each_role_does_its_part_and_sees_nothing_else(nostro, postgres, tmp_path):
    env = {"NOSTRO_POSTGRES_URL": postgres.url}
    assert run("migrate", "--profile", "clearing", env=env).returncode == 0
    first = serve(nostro, postgres, "--profile", "clearing", data=tmp_path / "data", sets={"journal.kind": "postgres"})
    projected(first.client(), "postgres_clearing")
    first.stop()
    feed, reads, journal, clearing = sql_of_page("Roles")
    postgres.psql(feed, reads, journal)
    postgres.psql(clearing, **FINANCIAL)
    program = serve(nostro, postgres, "--profile", "clearing", data=tmp_path / "data",
                    env={"NOSTRO_POSTGRES_URL": postgres.address(role="nostro_feed", password="...")},
                    sets={"journal.kind": "postgres", "postgres.migrate": "false",
                          "journal.postgres_url": postgres.address(role="nostro_journal", password="...")})  # fmt: skip
    assert program.url, program.stderr
    api = program.client()
    api.paid(*api.pair(), "1.00")
    postgres.psql("INSERT INTO transactions (transaction_id, amount, from_account, to_account) VALUES ('T1', 1.00, "
                  "'ACC001', 'ACC002')", database="financial_db", role="user", password="pass")  # fmt: skip
    until(lambda: postgres.one("SELECT status FROM transactions WHERE transaction_id = 'T1'", **FINANCIAL) == "settled")
    projected(api)
    projected(api, "postgres_clearing")
    done = run("reconcile", "--url", program.url, "--repair")
    assert done.returncode == 0, done
    assert postgres.one("SELECT count(*) FROM nostro.payments", role="nostro_reads", password="...") == "2"
    frames = ["SELECT * FROM nostro_journal.frames", "UPDATE nostro_journal.books SET seq = 0", "CREATE TABLE nostro_journal.x ()"]
    rows = ["SELECT * FROM nostro.payments", "DELETE FROM nostro.cursor", "CREATE TABLE nostro.x ()"]
    refused(postgres, "nostro_feed", *frames, "CREATE TABLE nostro.x ()", "DROP TABLE nostro.payments", "CREATE ROLE x",
            "ALTER TABLE nostro.payments ADD COLUMN x int", "TRUNCATE nostro.payments")  # fmt: skip
    refused(postgres, "nostro_journal", *rows, "DELETE FROM nostro_journal.frames", "UPDATE nostro_journal.frames SET frame = ''",
            "DROP TABLE nostro_journal.frames", "DELETE FROM nostro_journal.books")  # fmt: skip
    refused(postgres, "nostro_reads", *frames, *rows[1:], "UPDATE nostro.accounts SET balance = 0")
    refused(postgres, "nostro_feed", "DROP TABLE accounts", "CREATE TABLE nostro.x ()", "TRUNCATE transactions", **FINANCIAL)
    program.stop()


# --- trust ---


def certificates(folder):
    """An authority, and what it signs for 127.0.0.1."""
    folder.mkdir()
    script = """
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=tests -keyout ca.key -out ca.crt
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server -keyout server.key -out server.csr
    printf 'subjectAltName=IP:127.0.0.1' > names
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt
    """
    done = subprocess.run(["bash", "-ec", script], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return folder


def test_postgres_is_trusted_by_its_certificate_alone(nostro, postgres, tmp_path):
    mine, other = certificates(tmp_path / "mine"), certificates(tmp_path / "other")
    data = postgres.one("SHOW data_directory")
    for name in ("server.crt", "server.key"):
        subprocess.run(["install", "-m", "600", mine / name, f"{data}/{name}"], check=True)
        subprocess.run(["chown", "--reference", data, f"{data}/{name}"], check=True)
    postgres.psql("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
    until(lambda: postgres.one("SHOW ssl") == "on")
    assert postgres.one("SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'postgres'") == "t"
    try:
        trusting = postgres.url + "?sslmode=verify-full&sslrootcert={}"
        for url in (trusting.format(other / "ca.crt"), trusting.format(tmp_path / "none.crt"),
                    trusting.format(mine / "ca.crt").replace("127.0.0.1", "localhost")):  # fmt: skip
            for sets in ({}, {"journal.kind": "postgres"}):
                program = nostro("--profile", "tps", env={"NOSTRO_POSTGRES_URL": url}, sets={**SOON, **sets}, data=tmp_path / unique())
                assert program.url is None and program.code == 2, program.stderr
                assert "certificate" in program.stderr and "tried" not in program.stderr
        url = trusting.format(mine / "ca.crt")
        program = nostro("--profile", "tps", env={"NOSTRO_POSTGRES_URL": url}, sets=SOON, data=tmp_path / "data")
        assert program.url, program.stderr
        api = program.client()
        api.paid(*api.pair(), "1.00")
        projected(api)
        assert postgres.rows("SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'nostro'") == [["t"]]
        assert postgres.one("SELECT count(*) FROM nostro.payments") == "1"
        program.stop()
    finally:
        postgres.psql("ALTER SYSTEM RESET ssl", "SELECT pg_reload_conf()")
    until(lambda: postgres.one("SHOW ssl") == "off")
    plain = nostro(env={"NOSTRO_POSTGRES_URL": postgres.url + "?sslmode=require"}, sets=SOON, data=tmp_path / unique())
    assert plain.code == 2 and "does not support SSL" in plain.stderr
