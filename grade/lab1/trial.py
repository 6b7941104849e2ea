"""One run of a kernel test: chance that can be repeated, the guest's answers, and complaints."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any, NoReturn

from grade.harness.guest import GuestRun

SEED_VARIABLE = "CAIRN_SEED"
RUN_SECONDS = 6.0


@dataclass(frozen=True)
class Answer:
    """A line `> NAME hex hex ...` of the guest."""

    name: str
    values: tuple[int, ...]


def parse(lines: Iterable[str]) -> list[Answer]:
    """The answers among what a kernel prints; anything else is the student's own output."""
    answers = []
    for line in lines:
        words = line.split()
        if len(words) < 2 or words[0] != ">":
            continue
        try:
            answers.append(Answer(words[1], tuple(int(word, 16) for word in words[2:])))
        except ValueError:
            continue
    return answers


@dataclass
class Trial:
    """Starts the test, and says everything that helps when something is wrong."""

    start: Callable[..., GuestRun]
    seed: str
    exercise: str
    dice: Random = field(init=False)
    guest: GuestRun = field(init=False)

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)

    @classmethod
    def of(cls, start: Callable[..., GuestRun], exercise: str) -> Trial:
        return cls(start, os.environ.get(SEED_VARIABLE) or secrets.token_hex(4), exercise)

    def run(self, name: str, words: Iterable[int], **options: Any) -> None:
        self.guest = self.start(name, words, **options)

    def pause(self) -> list[Answer]:
        return parse(self.guest.pause(RUN_SECONDS))

    def finish(self) -> list[Answer]:
        return parse(self.guest.finish(RUN_SECONDS))

    def fail(self, what: str, expected: str, seen: str) -> NoReturn:
        __tracebackhide__ = True
        raise AssertionError(
            f"{what}\nexpected: {expected}\nseen:     {seen}\n"
            f"the same once more: {SEED_VARIABLE}={self.seed} make grade EX={self.exercise}\n"
            f"to look at it under gdb:\n    {self.guest.machine.reproduce()}"
        )

    def require(self, good: bool, what: str, expected: object, seen: object) -> None:
        __tracebackhide__ = True
        if not good:
            self.fail(what, *(f"{x:#x}" if type(x) is int else str(x) for x in (expected, seen)))

    def equal(self, what: str, expected: object, seen: object) -> None:
        __tracebackhide__ = True
        self.require(expected == seen, what, expected, seen)
