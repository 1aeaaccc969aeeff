"""A load that is ended in the middle by killing what it works with."""

import time
from concurrent.futures import ThreadPoolExecutor

from program import PATIENCE_S
from test_kill import CLIENTS, Load


def killed_under_load(program, accounts, enough, kill):
    """Pays over several connections, kills in the middle, and gives what was asked and told."""
    load = Load(program.port, accounts, enough)
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
