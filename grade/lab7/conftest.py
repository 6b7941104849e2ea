"""What the tests of lab 7 start from."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from grade.harness.host import HostProgram
from grade.harness.plugin import Laboratory
from grade.lab7.host import Script, build_stack
from grade.lab7.wire import Net


@pytest.fixture(scope="session")
def stack_program(laboratory: Laboratory) -> HostProgram:
    return build_stack(laboratory.build, laboratory.limits)


@pytest.fixture
def script(stack_program: HostProgram, seed: str) -> Script:
    return Script(stack_program, seed)


@pytest.fixture
def net(script: Script, rng: random.Random) -> Net:
    """One interface on a random network, with a gateway."""
    return Net.random(script, rng)


@pytest.fixture
def nets(stack_program: HostProgram, seed: str, rng: random.Random) -> Callable[[], Net]:
    """More of them, each in a stack of its own."""
    return lambda: Net.random(Script(stack_program, seed), rng)
