"""Exercises 1.6 and 1.7: address spaces, and translations that must be forgotten."""

from __future__ import annotations

from random import Random

import pytest

from grade.lab1.judge import Judge, run_world
from grade.lab1.sv39 import MEGAPAGE, PAGE, A, D, R, U, V, W, Walker
from grade.lab1.trial import Trial
from grade.lab1.world import READ, WRITE, World

KERNEL_INDEX = 256  # entries from here on are the kernel's
SV39 = 8
HARTS_MAX = 8


@pytest.mark.exercise("1.6")
def test_space_shares_the_kernels_half(trial: Trial) -> None:
    dice = trial.dice
    world = World()
    world.account(0)
    world.hoard(0, dice.getrandbits(64) | V)  # so that a new frame is full of something
    world.hoard_release()
    asids = dice.sample(range(1, 1 << 16), 3)
    for number, asid in enumerate(asids):
        world.space(number, 0, asid)
    world.add("pause", (), "")
    for number in (0, 1, 2, 9):  # 9: the kernel's own table
        world.use(number)
    for number in range(3):
        world.destroy(number)
    trial.run("world", world.words(), mem="64M")
    judge = Judge(trial)
    pause = next(i for i, step in enumerate(world.steps) if not step.text)
    judge.steps(world.steps[:pause], trial.pause())
    walker = Walker(trial.guest.machine)
    kernel = walker.words((walker.satp() & (1 << 44) - 1) << 12)
    for number, asid in enumerate(asids):
        where = f"space {number}, ASID {asid:#x}"
        words = walker.words(judge.roots[number])
        satp = SV39 << 60 | asid << 44 | judge.roots[number] >> 12
        trial.equal(f"{where}: satp", satp, judge.satp[number])
        low, high = words[:KERNEL_INDEX], words[KERNEL_INDEX:]
        trial.equal(f"{where}: entries of user space that are not 0", 0, sum(map(bool, low)))
        differ = [i for i in range(KERNEL_INDEX, 512) if words[i] != kernel[i]]
        trial.require(high == kernel[KERNEL_INDEX:], f"{where}: entries of the kernel's half",
                      "the kernel's", f"others at {differ[:4]} ...")  # fmt: skip
        fields = (asid, 0, 0, 0, 0, 1, 1)
        trial.equal(
            f"{where}: asid, region_count, mapped, resident, closing, whether the list of regions "
            "is empty, whether the payer is the one given",
            fields, judge.fields[number],
        )  # fmt: skip
        every = (1 << HARTS_MAX) - 1
        what = f"{where}: stale_harts, since any hart may remember an earlier space of this ASID"
        trial.equal(what, every, judge.stale[number] & every)
    trial.guest.resume()
    judge.steps(world.steps[pause:], trial.finish())


@pytest.mark.exercise("1.6")
def test_space_without_memory(trial: Trial) -> None:
    world = World()
    world.account(0)
    world.hoard(0)
    world.space(0, 0, 7, works=False)
    world.hoard_release()
    world.space(0, 0, 7)
    world.destroy(0)
    run_world(world, trial, mem="64M")


def mapped_world(dice: Random, sizes: list[int], gaps: list[int]) -> tuple[World, list[int]]:
    """Contiguous objects of so many pages, mapped in space 0 with gaps; their addresses."""
    world = World()
    world.account(0)
    world.space(0, 0, dice.randrange(1, 1 << 16))
    at = dice.randrange(0x10000000, 0x3000000000, MEGAPAGE) + dice.randrange(1, 300) * PAGE
    places = []
    for number, pages in enumerate(sizes):
        world.memory(number, 0, pages, contiguous=True)
        world.map(0, number, at, 0, pages * PAGE, READ | WRITE, READ | WRITE)
        places.append(at)
        at += (pages + dice.choice(gaps)) * PAGE
    return world, places


@pytest.mark.exercise("1.7")
def test_unmap_forgets_translations(trial: Trial) -> None:
    """In a space that is in use: pages are touched, so that the TLB knows them, then unmapped or
    protected; they must fault at the next access, whatever the page table says later."""
    dice = trial.dice
    sizes = [1, 12, 5]
    world, places = mapped_world(dice, sizes, [0, 1, 300])
    flags = R | W | U | A | D | V
    world.use(0)
    values = {}
    for number, (pages, base) in enumerate(zip(sizes, places, strict=True)):
        for index in range(pages):
            address = base + index * PAGE + dice.randrange(0, PAGE, 8)
            world.enter(0, number, index, base + index * PAGE, flags)
            values[number, index] = (address, dice.getrandbits(64))
            world.try_access(0, address, values[number, index][1], 0)
    gone: set[tuple[int, int]] = set()

    def look(number: int) -> None:
        """Loads from every page of an object: what the TLB has forgotten, it knows again."""
        for (one, index), (address, value) in values.items():
            if one == number:
                world.try_access(0, address, None, None if (one, index) in gone else value)

    # One page alone, then several at once; neighbours must stay.
    look(0)
    step = world.unmap(0, places[0], PAGE)
    step.expected[1] = 1
    gone.add((0, 0))
    look(0)
    first = dice.randrange(9)
    last = dice.randrange(first + 2, 13)
    look(1)
    world.unmap(0, places[1] + first * PAGE, (last - first) * PAGE)
    gone |= {(1, index) for index in range(first, last)}
    look(1)
    look(2)
    world.protect(0, places[2] + PAGE, 2 * PAGE, READ)
    for index in range(5):
        word = dice.getrandbits(64)
        world.try_access(0, values[2, index][0], word, None if index in (1, 2) else 0)
    world.pause()
    world.use(9)
    world.destroy(0)
    for number in range(3):
        world.drop(number)
    run_world(world, trial)


@pytest.mark.exercise("1.7")
def test_unmap_goes_in_steps(trial: Trial) -> None:
    """Many pages, with holes: at most 64 a call, and every one is found, also behind a table that
    is missing."""
    dice = trial.dice
    sizes = [700, 1500, 64]
    world, places = mapped_world(dice, sizes, [512 * 513])  # no table is shared
    flags = R | W | U | A | D | V
    counts = []
    for number, (pages, base) in enumerate(zip(sizes, places, strict=True)):
        there = sorted({0, pages - 1, *dice.sample(range(pages), min(pages, 150))})
        if number == 1:  # nothing up to a border of 2 MiB: no table there
            border = (-base % MEGAPAGE + MEGAPAGE) // PAGE
            there = sorted({border, border + 1, *(i for i in there if i > border)})
        counts.append(len(there))
        for index in there:
            world.enter(0, number, index, base + index * PAGE, flags)
    world.pause()
    for number in (1, 0, 2):
        step = world.unmap(0, places[number], sizes[number] * PAGE)
        step.expected[3] = PAGE * sum(counts[n] for n in {1: (0, 2), 0: (2,), 2: ()}[number])
        step.most[1] = counts[number] // 64 + 2
        if number == 0:
            world.pause()
    world.destroy(0)
    for number in range(3):
        world.drop(number)
    run_world(world, trial)
