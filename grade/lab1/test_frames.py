"""Exercises 1.1 and 1.2: the frame allocator, started anew on a piece of RAM that the host chose,
and judged against a model that knows which blocks are free."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from grade.lab1.arena import Arena
from grade.lab1.buddy import ORDERS, PAGE
from grade.lab1.trial import Answer, Trial

ALLOC, FREE, ALLOC_ALL, FREE_RANGE = range(4)  # enum frames_op
Op = tuple[int, int, int]
WORD = 2**64


def judge(trial: Trial, arena: Arena, ops: list[Op], answers: list[Answer]) -> None:
    """Replay what the guest did; its choices are free, their consequences are not."""
    buddy = arena.buddy()
    start = (arena.frames, buddy.count, buddy.largest)
    trial.equal("frame_init: frames, free ones, largest block", start, answers[0].values)
    replay = Replay(trial, arena, iter(answers[1:]))
    for op in ops:
        replay.step(op)
    trial.require(next(replay.answers, None) is None, "the test's answers", "no more", "more")


class Replay:
    def __init__(self, trial: Trial, arena: Arena, answers: object) -> None:
        self.trial = trial
        self.arena = arena
        self.buddy = arena.buddy()
        self.answers = answers
        self.held: list[tuple[int, int, int] | None] = []  # physical, order, tag
        self.steps = 0

    def step(self, op: Op) -> None:
        code, a, b = op
        if code == ALLOC:
            self.alloc(a, b)
        elif code == ALLOC_ALL:
            while self.alloc(a, b):
                pass
        elif code == FREE_RANGE:
            for number, block in enumerate(self.held):
                if block and block[0] and a <= block[0] < b:
                    self.free(number)
        elif a < len(self.held) and self.held[a] and self.held[a][0]:
            self.free(a)

    def take_answer(self, what: str, name: str) -> tuple[int, ...]:
        self.steps += 1
        answer = next(self.answers, None)
        if answer is None or answer.name != name:
            self.trial.fail(what, "an answer", "the test's lines end here, or are mixed up")
        return answer.values

    def alloc(self, order: int, tag: int) -> bool:
        what = f"step {self.steps}: frame_alloc({order})"
        physical, references, free, largest = self.take_answer(what, "alloc")
        wrong = self.buddy.take(physical, order)
        self.trial.require(not wrong, what, wrong, physical)
        if physical:
            text = f"{what}: references of its {1 << order} frames together"
            self.trial.equal(text, 1 << order, references)
        self.counts(what, free, largest)
        self.held.append((physical, order, tag))
        return physical != 0

    def free(self, number: int) -> None:
        block = self.held[number]
        assert block
        physical, order, tag = block
        what = f"step {self.steps}: frame_free({physical:#x}, {order})"
        address, total, free, largest = self.take_answer(what, "free")
        self.trial.equal(f"{what}: the block", physical, address)
        self.trial.equal(
            f"{what}: the sum of the words that the block's user had left in it "
            "(allocated memory is not the allocator's)",
            (tag * 2 << order) % WORD,
            total,
        )
        self.buddy.release((physical - self.arena.start) // PAGE, order)
        self.counts(what, free, largest)
        self.held[number] = None

    def counts(self, what: str, free: int, largest: int) -> None:
        self.trial.equal(f"{what}, then frames_free()", self.buddy.count, free)
        self.trial.equal(f"{what}, then frames_largest()", self.buddy.largest, largest)


def some_order(dice: Random) -> int:
    """Small blocks more often than large ones."""
    return min(int(dice.expovariate(0.4)), ORDERS - 1)


def run(trial: Trial, arena: Arena, ops: list[Op]) -> None:
    trial.run("frames", [*arena.words(), *(word for op in ops for word in op)])
    judge(trial, arena, ops, trial.finish())


@pytest.mark.exercise("1.1")
def test_alloc_splits_the_smallest_block_that_will_do(trial: Trial) -> None:
    dice = trial.dice
    arena = Arena.of(dice, dice.randrange(8200, 14000), reserved=3)
    ops = [(ALLOC, some_order(dice), dice.getrandbits(64)) for _ in range(150)]
    run(trial, arena, ops)


@pytest.mark.exercise("1.1")
def test_alloc_to_the_last_frame(trial: Trial) -> None:
    dice = trial.dice
    arena = Arena.of(dice, dice.randrange(600, 2000), reserved=1)
    ops = [(ALLOC, some_order(dice), dice.getrandbits(64)) for _ in range(20)]
    for order in (dice.randrange(4, ORDERS), 3, 1, 0):
        ops.append((ALLOC_ALL, order, dice.getrandbits(64)))
    run(trial, arena, ops)


@pytest.mark.exercise("1.2")
def test_free_merges_buddies(trial: Trial) -> None:
    dice = trial.dice
    arena = Arena.of(dice, dice.randrange(8200, 12000), reserved=2)
    ops: list[Op] = []
    live: list[int] = []
    allocations = 0
    for _ in range(400):
        if live and dice.random() < 0.45:
            ops.append((FREE, live.pop(dice.randrange(len(live))), 0))
        else:
            ops.append((ALLOC, some_order(dice), dice.getrandbits(64)))
            live.append(allocations)
            allocations += 1
    dice.shuffle(live)
    ops += [(FREE, number, 0) for number in live]
    ops += [(ALLOC_ALL, order, dice.getrandbits(64)) for order in (12, 11, 10, 9, 7)]
    run(trial, arena, ops)


@pytest.mark.exercise("1.2")
def test_free_at_the_end_of_ram(trial: Trial) -> None:
    """The last block of 512 frames has no buddy, and where its record would be lies a frame that
    looks, read as a record, like a free block of just that size."""
    dice = trial.dice
    arena = Arena.of(dice, 3 * 512)
    looks_free = dice.getrandbits(32) | 9 << 32 | 1 << 40
    arena = replace(arena, first_free=arena.start, pattern=looks_free)
    half = arena.end - 512 * PAGE
    ops: list[Op] = [
        (ALLOC_ALL, 0, looks_free),
        (FREE_RANGE, half, arena.end),
        (ALLOC, 9, looks_free),
        (FREE_RANGE, arena.start, arena.end),
    ]
    ops += [(ALLOC_ALL, order, dice.getrandbits(64)) for order in (11, 10, 9, 8)]
    run(trial, arena, ops)
