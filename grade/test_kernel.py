"""The test programs of grade/programs, each in a machine of its own, on one hart and on four.

A program prints `ok NAME` or `not ok NAME reason` per case, and `DONE n` as its last line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from grade.harness.machine import Machine

PROGRAM_SECONDS = 100.0
HELPERS = {  # of other tests
    "clients", "deaths", "greedy", "hold", "iperf", "socket_messages", "sockets", "stuck",
}  # fmt: skip
PROGRAMS = sorted(
    {path.stem for path in (Path(__file__).parent / "programs").glob("*.c")} - HELPERS
)
NOT_TESTS = {"bench"}
CASE = re.compile(r"^(not ok|ok) (\S+)(?: (.*))?$", re.MULTILINE)
DONE = re.compile(r"^DONE (\d+)\s*\Z", re.MULTILINE)


def judge(output: str, status: int) -> list[str]:
    """What is wrong with a program's report; empty if all is well."""
    cases = CASE.findall(output)
    names = [name for _, name, _ in cases]
    done = DONE.search(output)
    wrong = [f"{name}: {reason}" for verdict, name, reason in cases if verdict == "not ok"]
    wrong += [f"{name} is reported twice" for name in sorted(set(names)) if names.count(name) > 1]
    if not done:
        wrong.append("it did not end with DONE")
    elif int(done[1]) != len(cases):
        wrong.append(f"DONE {done[1]}, but {len(cases)} cases were reported")
    if not cases:
        wrong.append("it tested nothing")
    if status != 0:
        wrong.append(f"status {status}")
    return wrong


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("program", [name for name in PROGRAMS if name not in NOT_TESTS])
def test_program(boot: Callable[..., Machine], program: str, smp: int) -> None:
    machine = boot(smp=smp)
    result = machine.console.run(f"/test/{program}", PROGRAM_SECONDS)
    wrong = judge(result.output, result.status)
    assert not wrong, "\n".join([*wrong, "", result.output, machine.reproduce()])
    word = os.urandom(8).hex()
    assert (
        machine.console.check(f"echo {word}") == f"{word}\n"
    ), "the system is not itself afterwards"


@pytest.mark.parametrize(
    ("output", "status", "complaint"),
    [
        ("ok a\nok b\nDONE 2\n", 0, ""),
        ("ok a\nDONE 1\n", 1, "status 1"),
        ("ok a\nnot ok b too late\nDONE 2\n", 0, "b: too late"),
        ("ok a\nok a\nDONE 2\n", 0, "reported twice"),
        ("ok a\nDONE 2\n", 0, "1 cases"),
        ("ok a\n", 0, "DONE"),
        ("ok a\nDONE 1\nok b\n", 0, "DONE"),
        ("DONE 0\n", 0, "nothing"),
    ],
)
def test_reports_are_judged(output: str, status: int, complaint: str) -> None:
    wrong = judge(output, status)
    assert any(complaint in line for line in wrong) if complaint else not wrong
