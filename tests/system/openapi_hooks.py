"""What schemathesis must be told: our NDJSON, which 5xx is an answer, and that names of profiles are worth more than others.

NOSTRO_TRIED names the file that gets a line for each operation that has answered. NOSTRO_PROFILES: what is served.
"""

import itertools
import json
import os

import schemathesis

KNOWN = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OF_A_PROFILE = "/v1/profiles/{name}/"
PROFILES = os.environ.get("NOSTRO_PROFILES", "").split()
TRIED = os.environ["NOSTRO_TRIED"]

tried = set()
names = itertools.cycle([*PROFILES, None])


def answers_of(case):
    """The codes that the document names for this operation, beside `default`, which takes any."""
    return case.operation.definition.raw["responses"]


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    return json.dumps(value).encode() + b"\n"


@schemathesis.hook
def before_call(context, case, kwargs):
    """A random name is no profile's: such a request would see no more than the refusal."""
    if case.operation.path.startswith(OF_A_PROFILE) and (name := next(names)):
        case.path_parameters["name"] = name


@schemathesis.check
def no_surprising_server_error(ctx, response, case):
    """503 is an answer where the document names it, 501 one to a method that nobody knows."""
    code = response.status_code
    named = code == 503 and "503" in answers_of(case)
    unknown_method = code == 501 and response.request.method not in KNOWN
    assert code < 500 or named or unknown_method, f"{code} is a fault of the program"


@schemathesis.check
def is_noted(ctx, response, case):
    """Tried is what has been asked with its own method and has said something that is the operation's own: routing
    refuses with answers that the document names of all (default)."""
    operation = case.operation
    if response.request.method != operation.method.upper():
        return
    if str(response.status_code) not in answers_of(case):
        return
    line = operation.label
    if operation.path.startswith(OF_A_PROFILE) and case.path_parameters.get("name") in PROFILES:
        line = line.replace("{name}", case.path_parameters["name"])
    if line not in tried:
        tried.add(line)
        with open(TRIED, "a") as file:
            file.write(f"{line}\n")
