"""Rounds of faults under load: payers note what they asked and what they were told, and all of it is looked at afterwards.

A fault is a function of a world: it breaks something, sees payments go on where they can, and mends it again."""

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from client import Client, payment, unique
from program import PATIENCE_S
from test_kill import ACCOUNTS, GONE, Load, check

PAYERS = 4
ANSWER_S = 5  # whoever was stopped does not answer: then the one that runs is asked


def rounds(faults):
    """Lists of faults: the first four together are every fault once, the rest are drawn; NOSTRO_CHAOS says how many."""
    number = int(os.environ.get("NOSTRO_CHAOS", "4"))
    in_turn = sorted(faults, key=lambda fault: random.Random(fault.__name__).random())
    for index in range(number):
        yield in_turn[index::4] if index < 4 else random.Random(index).choices(in_turn, k=max(len(faults) // 4, 3))


class Fleet:
    """Programs on one journal. The newest is asked; each has a folder of its own. Whoever finds another owner in the
    journal ends, and says `fenced`."""

    def __init__(self, start, fenced):
        self.start, self.fenced, self.numbers = start, fenced, count()
        self.running, self.changed = [], threading.Condition(threading.RLock())

    def begin(self):
        """Another one, which takes over, if nobody else does so meanwhile."""
        program = self.start(next(self.numbers))
        if not program.url:
            assert self.fenced in program.stderr, program.stderr
            return program
        with self.changed:
            self.running.append(program)
            self.changed.notify_all()
        return program

    @property
    def owner(self):
        """While whoever ended is begun again, that is waited for."""
        with self.changed:
            return self.running[-1]

    def leaves(self, program):
        with self.changed:
            self.running.remove(program)

    def kill(self):
        with self.changed:
            owner = self.owner
            self.leaves(owner)
        owner.end(signal.SIGKILL)

    def stop(self, program=None):
        with self.changed:
            program = program or self.owner
            self.leaves(program)
        program.stop()

    def ends_by_itself(self, program):
        """It finds another owner in the journal."""
        assert program.process.wait(PATIENCE_S) == 3, program.stderr
        assert self.fenced in program.stderr, program.stderr
        self.leaves(program)

    def only_one_is_left(self):
        """Of several that took over from each other."""
        deadline = time.monotonic() + PATIENCE_S
        while len([each for each in self.running if each.running]) > 1:
            assert time.monotonic() < deadline, "two programs take themselves for the owner"
            self.pause()
        for each in [each for each in self.running if not each.running]:
            self.ends_by_itself(each)

    def port(self):
        """Of whoever is to be asked. An owner that ended because it did not know what became of a frame is begun again,
        as whatever watches over programs does it."""
        with self.changed:
            while not (alive := [each for each in self.running if each.running]):
                if self.running and self.fenced not in self.owner.stderr:
                    ended = self.running.pop()
                    assert ended.code == 3 and "fatal code=unknown" in ended.stderr, ended.stderr
                    self.begin()
                else:  # whoever fenced it is on its way
                    assert self.changed.wait(PATIENCE_S), "nobody is there to be asked"
            return alive[-1].port

    def pause(self):
        """Until somebody else is there to be asked, or a moment."""
        with self.changed:
            self.changed.wait(0.05)


class Payers(Load):
    """They ask until they are answered, whoever owns the journal: 503 and a broken connection are no answer."""

    def __init__(self, fleet, accounts):
        super().__init__(None, accounts, enough=0)
        self.fleet = fleet
        self.more, self.ended, self.broken = threading.Condition(), threading.Event(), []
        self.threads = [threading.Thread(target=self._pay, args=(number,)) for number in range(PAYERS)]
        for thread in self.threads:
            thread.start()

    def _pay(self, number):
        choice = random.Random(number)
        try:
            while not self.ended.is_set():
                key, body = unique("chaos"), payment(*choice.sample(self.accounts, 2), "0.01")
                self.asked[key] = body
                answer = answered(self.fleet, lambda api: api.post("/v1/payments", body, key=key))
                assert answer.status == 202, answer
                with self.more:
                    self.told[key] = answer.json
                    self.more.notify_all()
        except BaseException as error:  # pytest does not see what a thread raises
            with self.more:
                self.broken.append(error)
                self.more.notify_all()
            raise

    def go_on(self, number=30):
        """So many further payments are told."""
        with self.more:
            enough = len(self.told) + number
            going = self.more.wait_for(lambda: self.broken or len(self.told) >= enough, PATIENCE_S)
            assert going and not self.broken, f"payments do not go on: {self.broken}"

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)
        assert not self.broken, self.broken


kept = threading.local()  # a thread's connection


def answered(fleet, ask):
    """What the owner says in the end; 503 and a lost connection are asked again."""
    while True:
        port = fleet.port()
        if getattr(kept, "port", None) != port:
            kept.api, kept.port = Client(port, ANSWER_S), port
        try:
            answer = ask(kept.api)
            if answer.status != 503:
                return answer
            assert answer.headers["Retry-After"], answer
        except GONE:
            kept.api.close()
            kept.port = None
        fleet.pause()


class Beside:
    """A thread that does the same again and again, beside the payers."""

    def __init__(self, work):
        self.work, self.ended, self.broken = work, threading.Event(), None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            while not self.ended.is_set():
                self.work()
        except BaseException as error:  # pytest does not see what a thread raises
            self.broken = error
            raise

    def end(self):
        self.ended.set()
        self.thread.join(PATIENCE_S)
        assert not self.broken and not self.thread.is_alive(), self.broken


class Patient:
    """A client that asks again while it is told 503."""

    def __init__(self, fleet):
        self.fleet = fleet

    def __getattr__(self, name):
        def ask(*words, **rest):
            return answered(self.fleet, lambda api: getattr(api, name)(*words, **rest))

        return ask if name in ("get", "post", "put") else getattr(Client, name).__get__(self)


class World:
    """What a fault may break; `payers` pay all the while."""

    def __init__(self, fleet):
        self.fleet, self.payers, self.paid = fleet, None, 0

    def readable(self):
        """Until lists show all that was told: a program that begins in an empty folder reads the journal first."""
        api = Patient(self.fleet)
        deadline = time.monotonic() + PATIENCE_S
        while (behind := number(api, 'nostro_feed_lag_frames{projection="index"}')) > 0:
            assert time.monotonic() < deadline, f"the index is {behind} frames behind"
            self.fleet.pause()

    def finds_out(self, program):
        """A program that another has taken over from meets that in the journal, and ends."""
        self.fleet.ends_by_itself(program)

    def only_one_is_left(self):
        """Of several that took over from each other."""
        self.fleet.only_one_is_left()

    def round(self, faults):
        """Runs the faults one after the other, and looks at everything that was told meanwhile."""
        api = Patient(self.fleet)
        accounts = [api.open("50000.00") for _ in range(ACCOUNTS)]
        self.payers = Payers(self.fleet, accounts)
        try:
            self.payers.go_on()
            for fault in faults:
                fault(self)
                self.payers.go_on()
        finally:
            self.payers.end()
        self.readable()
        check(api, self.payers, accounts)
        self.paid += len(self.payers.asked)


def number(api, metric):
    """Of /metrics."""
    for line in api.get("/metrics").body.decode().splitlines():
        if line.startswith(metric + " "):
            return float(line.removeprefix(metric))
    raise AssertionError(f"no {metric} in /metrics")


# --- what may happen to the owner, whatever its journal lies in ---


def the_owner_dies(world):
    world.fleet.kill()
    world.fleet.begin()


def the_owner_ends_in_order(world):
    world.fleet.stop()
    world.fleet.begin()


def an_owner_hangs_and_wakes_as_a_zombie(world):
    zombie = world.fleet.owner
    zombie.process.send_signal(signal.SIGSTOP)
    world.fleet.begin()
    world.payers.go_on()
    zombie.process.send_signal(signal.SIGCONT)
    world.finds_out(zombie)


def two_owners_begin_at_once(world):
    before = list(world.fleet.running)
    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(world.fleet.begin) for _ in range(2)]:
            each.result()
    world.only_one_is_left()
    assert world.fleet.owner not in before


def rules_change_and_programs_are_renewed_in_turn(world):
    """A new version of the policy, decided by whoever owns the journal, old and new."""
    api = Patient(world.fleet)
    before = in_force(api)
    again = before["policy"] + "\n"
    taken = api.put("/v1/policies/nostro", again, form="application/toml")
    assert taken.status == 202, taken
    world.payers.go_on()
    the_owner_ends_in_order(world)
    assert in_force(api)["policy"] == again and in_force(api)["version"] > before["version"]


def in_force(api):
    return next(each for each in api.get("/v1/policies").json["data"] if each["in_force"])
