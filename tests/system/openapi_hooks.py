"""What schemathesis must be told: our NDJSON, and which 5xx is an answer."""

import json

import schemathesis

KNOWN = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    return json.dumps(value).encode() + b"\n"


@schemathesis.check
def no_surprising_server_error(ctx, response, case):
    """503 is an answer where the document names it (another check looks), 501 one to a method that nobody knows."""
    code = response.status_code
    unknown_method = code == 501 and response.request.method not in KNOWN
    assert code < 500 or code == 503 or unknown_method, f"{code} is a fault of the program"
