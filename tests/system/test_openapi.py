"""The contract against the program: what the document says is what the routes do, for requests nobody thought of."""

import os
import re
import subprocess
import sys
from pathlib import Path

from program import environment

HERE = Path(__file__).parent
CHECKS = ["no_surprising_server_error", "status_code_conformance", "content_type_conformance",
          "response_schema_conformance", "response_headers_conformance"]  # fmt: skip
SECONDS = 40  # the examples of the document and the edges of its schemas take half of it, random requests the rest
PROFILE_SECONDS = 10


def tried(program, seconds, folder, *which):
    """How many operations were tried; all of them did what the document says."""
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{program.url}/openapi.json", *which,
         "--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--seed", "17", "--max-time", str(seconds),
         "--checks", ",".join(CHECKS), "--warnings", "off", "--no-shrink", "--no-color", "--continue-on-failure",
         "--request-timeout", "20", "--generation-database", "none"],
        env=environment({"SCHEMATHESIS_HOOKS": "openapi_hooks",
                         "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}),
        cwd=folder, capture_output=True, text=True, timeout=60 + 3 * seconds,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    return int(re.search(r"Tested: (\d+)", done.stdout)[1])


def all_tried(wanted, program, seconds, *rest):
    """On a machine that comes to fewer in that time, with more of it."""
    longest = 8 * seconds
    while tried(program, seconds, *rest) < wanted:
        assert seconds < longest, "routes were left out"
        seconds *= 2


def test_the_program_keeps_its_contract(nostro, tmp_path):
    program = nostro()
    all_tried(28, program, SECONDS, tmp_path, "--exclude-path", "/v1/stream")  # has no end
    client = program.client()
    assert client.get("/health").status == 200
    assert client.get("/v1/ledger/trial-balance").json["balanced"]


def test_profiles_keep_their_contracts(nostro, tmp_path):
    program = nostro("--profile", "tps", "--profile", "b2b")
    all_tried(8, program, PROFILE_SECONDS, tmp_path, "--exclude-path-regex", "^/v1/")
    assert program.client().get("/v1/ledger/trial-balance").json["balanced"]
