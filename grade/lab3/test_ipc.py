"""Lab 3: the kernel's channels do, in every interleaving, what the model says."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from grade.harness.guest import GuestRun
from grade.lab3.picture import Picture
from grade.lab3.play import Player
from grade.lab3.script import Script

SHOWN = 12  # operations before the first difference
TURNS = 2  # scripts in one test: some mistakes need a rare meeting to show

MESSAGES = {"call": 10, "receive": 8, "reply": 6, "reply_receive": 4, "expire": 1, "end": 1}
NOTES = {**MESSAGES, "pulse": 4, "mint": 8, "share": 4, "close": 8}
MOSTLY_NOTES = {"call": 2, "receive": 8, "reply": 2, "pulse": 6, "mint": 8, "close": 8, "expire": 1}
DEATHS = {**NOTES, "reply": 3, "reply_receive": 2, "end": 0, "close_last": 1, "kill": 4}

Start = Callable[..., GuestRun]


def judge(run: GuestRun, script: Script, chance_seed: int) -> None:
    """Compare what the guest says with what the model says, operation by operation."""
    lines = run.finish()
    at = 0
    for number, expected in enumerate(script.expected):
        said = lines[at : at + len(expected)]
        if said == expected:
            at += len(expected)
            continue
        past = "\n".join(script.told[max(0, number - SHOWN) : number + 1])
        differences = "\n".join(
            f"  expected: {want}\n  kernel:   {got}" if want != got else f"            {want}"
            for want, got in zip(expected, [*said, *["(nothing)"] * len(expected)])
        )
        pytest.fail(
            f"after these operations (CAIRN_SEED={chance_seed} repeats the test)\n{past}\n"
            f"the threads are not as they should be:\n{differences}",
            pytrace=False,
        )
    assert not lines[at:], f"the kernel says more than it should: {lines[at:]}"


def play(kernel_test: Start, seed: int, weights: dict[str, int], steps: int = 600) -> None:
    for turn in range(TURNS):
        player = Player(random.Random(f"{seed} {turn}"), weights)
        player.setup()
        script = player.play(steps)
        judge(kernel_test("ipc", script.words), script, seed)


@pytest.mark.exercise("3.1")
def test_check(kernel_test: Start, chance_seed: int) -> None:
    """Messages of all kinds, good and bad, are let through or refused."""
    play(kernel_test, chance_seed, {"check": 1}, 300)


@pytest.mark.exercise("3.2")
def test_deliver(kernel_test: Start, chance_seed: int) -> None:
    """What a receiver finds in its registers, its IPC page and its handle table."""
    play(kernel_test, chance_seed, {"deliver": 1}, 200)


@pytest.mark.exercise("3.3")
def test_donation(kernel_test: Start, chance_seed: int) -> None:
    """Priorities along random chains of callers and servers, and circles in them."""
    for turn in range(TURNS):
        script = Picture(random.Random(f"{chance_seed} {turn}")).script
        judge(kernel_test("ipc", script.words), script, chance_seed)


@pytest.mark.exercise("3.4")
def test_call(kernel_test: Start, chance_seed: int) -> None:
    """Calls that find a receiver, and calls that wait in the queue."""
    play(kernel_test, chance_seed, {"call": 8, "waiting": 8, "expire": 4, "end": 1})


@pytest.mark.exercise("3.5")
def test_receive(kernel_test: Start, chance_seed: int) -> None:
    """Clients and servers that call, receive, reply, wait in vain, and end."""
    play(kernel_test, chance_seed, MESSAGES)


@pytest.mark.exercise("3.6")
def test_windows(kernel_test: Start, chance_seed: int) -> None:
    """Bytes from and into lent windows, and no others."""
    play(kernel_test, chance_seed, {**MESSAGES, "copy": 12})


@pytest.mark.exercise("3.7")
def test_notifications(kernel_test: Start, chance_seed: int) -> None:
    """Pulses, and sessions that are closed, between the calls."""
    play(kernel_test, chance_seed, NOTES)
    play(kernel_test, chance_seed, MOSTLY_NOTES)


@pytest.mark.exercise("3.8")
def test_last_receiver(kernel_test: Start, chance_seed: int) -> None:
    """Channels that lose their last receive handle with callers, receivers and notes on them."""
    play(kernel_test, chance_seed, {**NOTES, "share": 6, "close_last": 6})


@pytest.mark.exercise("3.9")
def test_deaths(kernel_test: Start, chance_seed: int) -> None:
    """Servers and clients that are killed at any moment, and successors that take over."""
    play(kernel_test, chance_seed, DEATHS)
