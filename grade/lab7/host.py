"""The student's stack on the host: scripts of commands for it, and what it does about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from grade.harness.failure import GuestFailure
from grade.harness.host import HostProgram, build_host_program
from grade.harness.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / "servers/netd/stack"
PARTS = (".", "link", "ip", "ip6", "ip6/ndp", "transport", "wire", "dns")
DRIVER = ("grade/lab7/host/driver.c",)
SHOWN = 14
MS = 10**6
SECOND = 10**9


def build_stack(build: Path, limits: Limits) -> HostProgram:
    files = sorted(path for part in PARTS for path in (STACK / part).glob("*.c"))
    sources = [str(path.relative_to(ROOT)) for path in files]
    return build_host_program(
        ROOT, build, "lab7-stack", (*sources, *DRIVER, "grade/lab7/host/stack.c"), (), limits
    )


@dataclass(frozen=True)
class Answer:
    """What one command led to."""

    command: str
    lines: list[str]

    @property
    def frames(self) -> list[bytes]:
        """What was sent meanwhile, on any interface."""
        return [frame for _, frame in self.sent]

    @property
    def sent(self) -> list[tuple[int, bytes]]:
        """The same with the number of the interface."""
        words = [line.split() for line in self.lines if line.startswith("sent ")]
        return [(int(number), bytes.fromhex(data)) for _, number, data in words]

    @property
    def said(self) -> str:
        """What it answered, frames aside."""
        return "\n".join(line for line in self.lines if not line.startswith("sent "))

    @property
    def result(self) -> int:
        return int(self.said.removeprefix("result "))


@dataclass
class Script:
    """Commands, and what to say when an answer is not what it should be."""

    program: HostProgram
    seed: str
    commands: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def add(self, *words: object) -> int:
        """One command; its index."""
        self.commands.append(" ".join(w.hex() or "-" if isinstance(w, bytes) else str(w) for w in words))
        return len(self.commands) - 1

    def run(self) -> list[Answer]:
        """All commands, and then the end of the stack, which must have lost no packet."""
        self.add("stop")
        text = "\n".join([str(int(self.seed, 16)), *self.commands, ""])
        output = self.program.run(text)
        self.answers, lines = [], []
        for line in output.splitlines():
            if line != ".":
                lines.append(line)
                continue
            self.answers.append(Answer(self.commands[len(self.answers)], lines))
            lines = []
        if len(self.answers) != len(self.commands):
            raise GuestFailure("the host program ends before its script does")
        last = self.answers[-1].said
        if last != "lost 0":
            self.fail(len(self.answers) - 1, f"{last.split()[1]} packets were never released")
        return self.answers

    def fail(self, index: int, text: str) -> NoReturn:
        """End the test with the last commands before the wrong answer, for the student to read."""
        shown = []
        for answer in self.answers[max(0, index - SHOWN) : index + 1]:
            shown += [f"    {short(answer.command)}", *(f"        {short(x)}" for x in answer.lines)]
        text = f"{text}\nthe last commands, each with what it led to:\n" + "\n".join(shown)
        pytest.fail(f"{text}\nCAIRN_SEED={self.seed} repeats the test", pytrace=False)

    def check(self, index: int, seen: object, wanted: object, what: str) -> None:
        if seen != wanted:
            self.fail(index, f"{what}:\n  expected {wanted}\n  seen     {seen}")


def short(text: str) -> str:
    return text if len(text) <= 150 else f"{text[:120]}... ({len(text)} characters)"
