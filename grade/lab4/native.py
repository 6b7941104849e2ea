"""Builds the host programs of this lab's tests around files under test, and runs workloads."""

from __future__ import annotations

import errno
import os
import re
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from grade.harness.failure import UNWRITTEN
from grade.harness.host import HostProgram, build_host_program
from grade.harness.plugin import Laboratory

ROOT = Path(__file__).resolve().parents[2]
RUN_SECONDS = 5.0
SHOWN_COMMANDS = 14
SEED_VARIABLE = "CAIRN_SEED"


@dataclass
class Dice:
    """Random numbers that can be had again."""

    seed: str
    random: Random

    @classmethod
    def fresh(cls) -> Dice:
        seed = os.environ.get(SEED_VARIABLE) or secrets.token_hex(4)
        return cls(seed, Random(seed))

    @property
    def again(self) -> str:
        return f"the same once more: {SEED_VARIABLE}={self.seed} make grade LAB=4"


def build(
    laboratory: Laboratory, name: str, sources: tuple[str, ...], extra: tuple[str, ...] = ()
) -> HostProgram:
    """The program `name`, made from files of the tree."""
    flags = ("-Iuser/libcairn/test/host", *extra)
    name = f"lab4-{name}"
    return build_host_program(ROOT, laboratory.build, name, sources, flags, laboratory.limits)


def shown(text: bytes) -> str:
    """A text as in C, shortened."""
    quoted = repr(text)[2:-1].replace('"', '\\"')
    return f'"{quoted}"' if len(quoted) <= 60 else f'"{quoted[:40]}..." ({len(text)} bytes)'


def readable(result: str) -> str:
    """A result with its texts decoded and its errors named."""
    decoded = re.sub(r"=([0-9a-f]*)", lambda m: shown(bytes.fromhex(m[1])), result)
    return re.sub(
        r"(?<!\S)-(\d+)(?!\S)",
        lambda m: f"-{errno.errorcode.get(int(m[1]), m[1])}",
        decoded,
    )


@dataclass(frozen=True)
class Step:
    """One command, how to tell it to a reader, and what must come of it."""

    command: str
    told: str
    expected: str

    @property
    def begins_case(self) -> bool:
        return self.command == "reset"


@dataclass(frozen=True)
class Outcome:
    """What a program did with a workload."""

    results: list[str]
    ending: str  # "" when it ended as it should
    details: list[str] = field(default_factory=list)


def run(program: HostProgram, workload: str) -> Outcome:
    """Run it; results that were written before it died or hung are kept."""
    with tempfile.TemporaryDirectory(prefix="cairn-native-") as folder:
        path = Path(folder) / "results"
        end = program.execute(str(path), text=workload, seconds=RUN_SECONDS)
        data = path.read_bytes() if path.exists() else b""
    complete, _, _ = data.decode(errors="replace").rpartition("\n")
    return Outcome(complete.split("\n") if complete else [], end.problem, end.details)


def story(steps: Sequence[Step], results: Sequence[str], at: int) -> str:
    """What led to step `at`: its case from the beginning, or the last part of it."""
    start = at
    while start > 0 and not steps[start].begins_case:
        start -= 1
    first = max(start, at - SHOWN_COMMANDS)
    lines = [f"    {steps[i].told}  ->  {readable(results[i])}" for i in range(first, at)]
    return "\n".join(([f"    ... ({first - start} before)"] if first > start else []) + lines)


def judge(program: HostProgram, steps: Sequence[Step], dice: Dice) -> None:
    """Every step must come out as expected; a reader gets the story, not our own source."""
    __tracebackhide__ = True
    outcome = run(program, "".join(f"{step.command}\n" for step in steps))
    problem = first_wrong(steps, outcome, dice)
    if not problem and outcome.ending:
        problem = f"all is right, but then: {outcome.ending}\n{dice.again}"
    if problem:
        pytest.fail(problem, pytrace=False)


def first_wrong(steps: Sequence[Step], outcome: Outcome, dice: Dice) -> str:
    """The first step that did not come out as expected, and what led to it; or nothing."""
    for at, step in enumerate(steps):
        seen = outcome.results[at] if at < len(outcome.results) else None
        if seen == step.expected:
            continue
        if seen is None:
            ending = outcome.ending or "it ended early, with status 0"
            if re.match(UNWRITTEN, ending):
                return ending
        parts = [
            f"after this:\n{story(steps, outcome.results, at)}" if at else "",
            f"{step.told}\n  expected: {readable(step.expected)}",
            f"  seen:     {readable(seen) if seen is not None else ending}",
            *(f"    {line}" for line in outcome.details if seen is None),
            dice.again,
        ]
        return "\n".join(part for part in parts if part)
    return ""
