"""What the tests of lab 8 start from."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from grade.harness.host import HostProgram
from grade.harness.plugin import Laboratory
from grade.lab8.host import Peer, Stack, build_tcp


@pytest.fixture(scope="session")
def tcp_program(laboratory: Laboratory) -> HostProgram:
    return build_tcp(laboratory.build, laboratory.limits)


@pytest.fixture
def stacks(tcp_program: HostProgram, seed: str, rng: random.Random) -> Iterator[Callable[[], Stack]]:
    """Stacks, each in a program of its own; at the end of the test they must have lost nothing."""
    made: list[Stack] = []

    def start() -> Stack:
        made.append(Stack(tcp_program, seed, rng))
        return made[-1]

    yield start
    for stack in made:
        stack.session.close()


@pytest.fixture
def stack(stacks: Callable[[], Stack]) -> Stack:
    return stacks()


@pytest.fixture
def peer(stack: Stack) -> Peer:
    return Peer(stack)


@pytest.fixture
def peers(stacks: Callable[[], Stack]) -> Callable[[], Peer]:
    """One in a stack of its own each."""
    return lambda: Peer(stacks())
