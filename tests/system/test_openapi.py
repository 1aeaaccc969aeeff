"""The contract against the program: what the document says is what the routes do, for requests nobody thought of.

NOSTRO_OPENAPI_EXAMPLES: how many random requests an operation gets, beside the examples and edges of its schemas.
"""

import os
import subprocess
import sys
from pathlib import Path

from program import environment

HERE = Path(__file__).parent
CHECKS = ["no_surprising_server_error", "status_code_conformance", "content_type_conformance",
          "response_schema_conformance", "response_headers_conformance", "is_noted"]  # fmt: skip
EXAMPLES = os.environ.get("NOSTRO_OPENAPI_EXAMPLES", "40")
PROFILES = ["upi", "tps", "logging", "b2b", "clearing"]
OF_A_PROFILE = "/v1/profiles/{name}/"

# Operations that are not tried, and why.
LEFT_OUT = {
    "GET /v1/stream": "has no end; test_stream.py reads it",
    "GET /openapi.json": "is what the others are read from; schemathesis leaves it out by itself",
}


def operations(program):
    document = program.client().get("/openapi.json").json
    return {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}


def tried(program, folder, *which, profiles=()):
    """The operations that were tried; all of them did what the document says."""
    file = folder / "tried"
    file.write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{program.url}/openapi.json", *which,
         "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "17",
         "--checks", ",".join(CHECKS), "--warnings", "off", "--no-shrink", "--no-color", "--continue-on-failure",
         "--request-timeout", "20", "--generation-database", "none"],
        env=environment({"SCHEMATHESIS_HOOKS": "openapi_hooks", "NOSTRO_TRIED": str(file),
                         "NOSTRO_PROFILES": " ".join(profiles),
                         "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}),
        cwd=folder, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    return set(file.read_text().splitlines())


def test_the_program_keeps_its_contract(nostro, tmp_path):
    program = nostro()
    client = program.client()
    native = operations(program)
    assert native >= LEFT_OUT.keys()
    done = tried(program, tmp_path, "--exclude-path", "/v1/stream")
    assert done == native - LEFT_OUT.keys()
    assert client.get("/health").status == 200
    assert client.get("/v1/ledger/trial-balance").json["balanced"]


def test_profiles_keep_their_contracts(nostro, tmp_path):
    program = nostro(*(word for name in PROFILES for word in ("--profile", name)))
    # The native ones are tried above. Those under a profile's name do something else under each.
    wanted = {each for each in operations(program) if not each.split(" ")[1].startswith("/v1/")} - LEFT_OUT.keys()
    wanted |= {f"POST {OF_A_PROFILE}messages".replace("{name}", name) for name in PROFILES}
    wanted |= {f"GET {OF_A_PROFILE}documents/{{key}}".replace("{name}", name) for name in PROFILES}
    assert wanted >= {"POST /transaction", "GET /reports", "GET /", "POST /transactions", "POST /payments/time-range"}
    done = tried(program, tmp_path, "--exclude-path-regex", "^/v1/(?!profiles/)", profiles=PROFILES)
    assert wanted <= done, wanted - done
    assert program.client().get("/v1/ledger/trial-balance").json["balanced"]
