"""What the tests of lab 2 share: numbers that the kernel knows, and how a failure is told."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grade.harness.guest import GuestRun

KernelTest = Callable[..., GuestRun]
SECONDS = 5.0  # one run of a guest, which needs a tenth of it

EBADF, EAGAIN, ENOMEM, EACCES, EFAULT, EBUSY, EINVAL = 9, 11, 12, 13, 14, 16, 22
EMFILE, ENOSYS, EDQUOT = 24, 38, 122
HANDLE_FIRST_FREE, HANDLES_MAX, HANDLE_INDEX_BITS = 5, 4096, 12
HANDLE_PAGE_ENTRIES = 256
PRIORITIES, THREADS_MAX, PROCESS_THREADS_MAX = 32, 1024, 256


def signed(word: int) -> int:
    """A 64-bit word as C's int64_t."""
    word &= 2**64 - 1
    return word - 2**64 if word >> 63 else word


def new_random() -> tuple[random.Random, int]:
    """Random numbers, and the seed to tell in a failure."""
    seed = secrets.randbits(32)
    return random.Random(seed), seed


@dataclass
class Story:
    """What happened so far, for a failure that explains itself."""

    seed: int
    shown: int = 12

    def __post_init__(self) -> None:
        self.steps: list[str] = []

    def add(self, step: str) -> None:
        self.steps.append(step)

    def check(self, good: bool, done: str, expected: object, seen: object) -> None:
        """Fail with everything that a student needs unless it is good."""
        if good:
            return
        before = "\n".join(f"    {step}" for step in self.steps[-self.shown :])
        raise AssertionError(
            (f"before that (the last {self.shown} steps):\n{before}\n" if before else "")
            + f"done:     {done}\nexpected: {expected}\nseen:     {seen}\n(seed {self.seed})"
        )


def numbers(line: str) -> list[int]:
    """The numbers of a line, decimal or 0x..., without its first word."""
    return [int(word, 0) for word in line.split()[1:]]


class Lines:
    """The lines of a run, taken one by one."""

    def __init__(self, lines: Sequence[str], story: Story) -> None:
        self._lines = list(lines)
        self._story = story

    def take(self, done: str) -> str:
        self._story.check(bool(self._lines), done, "a line of the test", "nothing more")
        return self._lines.pop(0)
