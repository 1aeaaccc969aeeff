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


def test_the_program_keeps_its_contract(nostro, tmp_path):
    program = nostro()
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{program.url}/openapi.json",
         "--exclude-path", "/v1/stream",  # has no end
         "--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--seed", "17", "--max-time", str(SECONDS),
         "--checks", ",".join(CHECKS), "--warnings", "off", "--no-shrink", "--no-color", "--continue-on-failure",
         "--request-timeout", "20", "--generation-database", "none"],
        env=environment({"SCHEMATHESIS_HOOKS": "openapi_hooks",
                         "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}),
        cwd=tmp_path, capture_output=True, text=True, timeout=3 * SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    assert int(re.search(r"Tested: (\d+)", done.stdout)[1]) >= 28, "routes were left out"
    client = program.client()
    assert client.get("/health").status == 200
    assert client.get("/v1/ledger/trial-balance").json["balanced"]
