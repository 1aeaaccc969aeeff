"""A load that is ended in the middle by killing what it works with."""

import time
from concurrent.futures import ThreadPoolExecutor

from program import PATIENCE_S
from test_kill import CLIENTS, Load


class LoadOnServer(Load):
    """503 is no answer: a server that confirms nothing for two seconds is told of so. It is asked again."""

    def ask(self, api, path, body, **rest):
        deadline = time.monotonic() + PATIENCE_S
        answer = api.post(path, body, **rest)
        assert answer.status == 503 or "Idempotent-Replayed" not in answer.headers, answer
        while answer.status == 503:
            assert answer.headers["Retry-After"] and time.monotonic() < deadline, answer
            time.sleep(0.05)
            answer = api.post(path, body, **rest)
        assert answer.status == 202, answer
        return answer


def killed_under_load(program, accounts, enough, kill):
    """Pays over several connections, kills in the middle, and gives what was asked and told."""
    load = LoadOnServer(program.port, accounts, enough)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load.run, number) for number in range(CLIENTS)]
        assert load.full.wait(PATIENCE_S), "the load does not get on"
        load.killed.set()
        kill()
        for client in clients:
            client.result()
    return load


def index_lag(api):
    """Frames that the query index has not read yet."""
    begins = 'nostro_feed_lag_frames{projection="index"} '
    lines = api.get("/metrics").body.decode().splitlines()
    return float(next(line for line in lines if line.startswith(begins)).removeprefix(begins))


def caught_up(program):
    """A client of it, once the index has read what the journal holds; an empty folder makes it anew."""
    api = program.client()
    deadline = time.monotonic() + PATIENCE_S
    while behind := index_lag(api):
        assert time.monotonic() < deadline, behind
    return api
