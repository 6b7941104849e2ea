"""Exercise 4.7: requests that wait for a name, on the host, against a model in Python."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from grade.harness.plugin import Laboratory
from grade.lab4.model import ELOOP, ENOENT
from grade.lab4.native import Dice, Step, build, judge

SOURCES = ("grade/lab4/host/waiters.c", "servers/nsd/waiters.c")
WAITERS_MAX = 128
WAITERS_OF_ONE = 8
EAGAIN, EBADF, ENFILE = -11, -9, -23


@dataclass(frozen=True)
class Waiter:
    token: int
    client: int
    view: int
    uri: str


@dataclass
class Desk:
    """The requests that wait, and what must become of them."""

    laboratory: Laboratory
    dice: Dice = field(default_factory=Dice.fresh)
    steps: list[Step] = field(default_factory=list)
    names: dict[tuple[int, str], int] = field(default_factory=dict)
    waiting: list[Waiter] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    tokens: int = 0

    def _add(self, command: str, told: str, expected: str) -> None:
        self.steps.append(Step(command, told, expected))

    def wait(self, client: int, view: int, uri: str) -> int:
        """A request that cannot be answered yet; its token."""
        self.tokens += 1
        if not self._room(client):
            self.waiting = [w for w in self.waiting if w.token not in self.gone]
        expected = "waits" if self._room(client) else str(EAGAIN)
        if expected == "waits":
            self.waiting.append(Waiter(self.tokens, client, view, uri))
        told = f"request {self.tokens} of client {client} waits for {uri} in view {view}"
        self._add(f"add {self.tokens} {client} {view} {uri}", told, expected)
        return self.tokens

    def _room(self, client: int) -> bool:
        own = sum(waiter.client == client for waiter in self.waiting)
        return len(self.waiting) < WAITERS_MAX and own < WAITERS_OF_ONE

    def name(self, view: int, uri: str, value: int) -> None:
        """From now on the name leads to a handle, gives an error, or is not found (0)."""
        self.names[view, uri] = value
        leads = f"gives error {value}" if value < 0 else f"leads to handle {value}"
        told = f"{uri} in view {view} {leads if value else 'is not found any more'}"
        self._add(f"name {view} {uri} {value}", told, "0")

    def leave(self, token: int) -> None:
        """The caller gives up, or dies; nobody tells nsd."""
        self.gone.add(token)
        self._add(f"gone {token}", f"the caller of request {token} is gone", "0")

    def _answer(self, answered: list[tuple[Waiter, str]], command: str, told: str) -> None:
        done = {waiter.token for waiter, _ in answered}
        self.waiting = [waiter for waiter in self.waiting if waiter.token not in done]
        texts = [
            f"{waiter.token}:{text}"
            for waiter, text in sorted(answered, key=lambda pair: pair[0].token)
            if waiter.token not in self.gone
        ]
        self._add(command, told, " ".join(["answers", *texts]))

    def wake(self) -> None:
        answered = []
        for waiter in self.waiting:
            value = self.names.get((waiter.view, waiter.uri), 0)
            if value not in (0, ENOENT):
                text = f"error{value}" if value < 0 else f"handle-{value}"
                answered.append((waiter, text))
        self._answer(answered, "wake", "something was registered: waiters_wake()")

    def drop(self, view: int) -> None:
        answered = [(waiter, f"error{EBADF}") for waiter in self.waiting if waiter.view == view]
        self._answer(answered, f"drop {view}", f"view {view} closes: waiters_drop()")

    def judge(self) -> None:
        __tracebackhide__ = True
        judge(build(self.laboratory, "waiters", SOURCES), self.steps, self.dice)


@pytest.fixture
def desk(laboratory: Laboratory) -> Desk:
    return Desk(laboratory)


@pytest.mark.exercise("4.7", points=5)
def test_all_are_woken(desk: Desk) -> None:
    """Several who wait for one name, in a row and apart; the others wait on."""
    for client in range(1, 5):
        desk.wait(client, 0, "early:")
        desk.wait(client, 0, "late:")
        desk.wait(client, 0, "late:")
        desk.wait(client, client, "late:")  # a view in which it is not seen
    desk.wake()
    desk.name(0, "late:", 77)
    desk.wake()
    desk.wake()  # nobody is answered twice
    desk.name(0, "early:", 78)
    desk.name(3, "late:", 79)
    desk.wake()
    desk.name(1, "late:", ELOOP)  # an answer, too, though no good one
    desk.name(2, "late:", ENFILE)
    desk.name(4, "late:", ENOENT)  # not this one
    desk.wake()
    desk.judge()


@pytest.mark.exercise("4.7", points=5)
def test_random_waiters(desk: Desk) -> None:
    """Callers that come and go, names that come and go, and full tables."""
    dice = desk.dice.random
    uris = [f"name{i}:" for i in range(12)]
    for round_ in range(12):
        for _ in range(dice.randint(10, 200)):
            desk.wait(dice.randint(1, 24), dice.randint(0, 2), dice.choice(uris))
        for waiter in dice.sample(desk.waiting, len(desk.waiting) // 6):
            desk.leave(waiter.token)
        for _ in range(dice.randint(1, 4)):
            value = dice.choice((dice.randint(1, 999), dice.randint(1, 999), 0, ENFILE))
            desk.name(dice.randint(0, 2), dice.choice(uris), value)
        desk.wake()
        if round_ % 3 == 2:
            desk.drop(dice.randint(1, 2))
    desk.judge()
