"""Servers that are killed at random moments while they are used: whoever uses them notices nothing."""

from __future__ import annotations

import secrets

import pytest

from grade.harness.console import Console
from grade.harness.machine import Machine

HARTS = [pytest.param(smp, marks=pytest.mark.machine(smp=smp)) for smp in (1, 4)]
SECONDS = 120.0


def seed() -> int:
    return secrets.randbelow(1 << 30)


def under_deaths(console: Console, command: str, deaths: int, *servers: str) -> str:
    """The output of a command beside which servers are killed so often, and what the killing says."""
    killing = f"/test/deaths {deaths} {seed()} {' '.join(servers)} > fs:temp:deaths"
    output = console.check(f"{killing} & {command}; wait", SECONDS)
    said = console.check("cat fs:temp:deaths")
    assert f"deaths: {deaths}, " in said, said
    return output


@pytest.mark.parametrize("smp", HARTS)
def test_pipes_survive_piped(machine: Machine, smp: int) -> None:
    """Every byte once, in order, through pipes of three programs."""
    last = 200000
    output = under_deaths(
        machine.console, f"seq 1 {last} | cat | sha256sum; seq 1 {last} | sha256sum", 40, "piped"
    )
    first, second = (line.split()[0] for line in output.splitlines() if line.endswith("-"))
    assert first == machine.console.check(f"seq 1 {last} > fs:temp:n && sha256sum < fs:temp:n").split()[0]
    assert second == first
