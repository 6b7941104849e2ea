"""Exercise 1.8: memory objects: pages on first touch, clones, and copies on first write."""

from __future__ import annotations

from random import Random

import pytest

from grade.lab1.judge import run_world
from grade.lab1.sv39 import PAGE, A, D, R, U, V, W
from grade.lab1.trial import Trial
from grade.lab1.world import READ, WRITE, World

SMALL = "64M"


def dirty(world: World, dice: Random) -> None:
    """Every free frame is full of something, as after a day of use."""
    world.hoard(0, dice.getrandbits(64) | 1)
    world.hoard_release()


def word(dice: Random) -> tuple[int, int]:
    """A place in a page and a value for it."""
    return dice.randrange(512), dice.getrandbits(64)


@pytest.mark.exercise("1.8", points=7)
def test_pages_come_on_first_touch(trial: Trial) -> None:
    """Zeroed, charged once, the same at the next touch; contiguous objects have theirs."""
    dice = trial.dice
    world = World()
    world.account(0)
    world.account(1)
    dirty(world, dice)
    sizes = [dice.randrange(20, 200), dice.randrange(1200, 5000), 9]
    world.memory(0, 0, sizes[0])
    world.memory(1, 1, sizes[1])
    world.memory(2, 0, sizes[2], contiguous=True)
    touched: list[tuple[int, int]] = []
    for _ in range(120):
        if touched and dice.random() < 0.4:
            number, index = dice.choice(touched)
        else:
            number = dice.choice([0, 1, 1, 2])
            index = dice.choice([dice.randrange(sizes[number]), sizes[number] - 1, 0])
        world.page(number, index, word(dice) if dice.random() < 0.5 else None)
        touched.append((number, index))
    for number in range(3):
        world.drop(number)
    run_world(world, trial, mem=SMALL)


@pytest.mark.exercise("1.8", points=8)
def test_clones_share_until_a_write(trial: Trial) -> None:
    """Clones of clones, written from all sides, and dropped in any order."""
    dice = trial.dice
    world = World()
    world.account(0)
    world.account(1)
    dirty(world, dice)
    pages = dice.choice([dice.randrange(100, 300), dice.randrange(600, 900)])
    world.memory(0, 0, pages)
    used = dice.sample(range(pages), 80)
    for index in used:
        world.page(0, index, word(dice))
    for new in range(1, 7):
        world.clone(dice.choice(sorted(world.objects)), new, dice.randrange(2))
        for _ in range(40):
            number = dice.choice(sorted(world.objects))
            index = dice.choice(used) if dice.random() < 0.9 else dice.randrange(pages)
            world.page(number, index, word(dice) if dice.random() < 0.6 else None)
        if dice.random() < 0.4:
            world.drop(dice.choice(sorted(world.objects)))
    for number in dice.sample(sorted(world.objects), len(world.objects)):
        for index in dice.sample(used, 10):
            world.page(number, index)
        world.drop(number)
    run_world(world, trial, mem=SMALL)


@pytest.mark.exercise("1.8", points=3)
def test_no_mapping_outlives_its_frame(trial: Trial) -> None:
    """A page that becomes shared may be written no more through an old mapping; a page whose frame
    is replaced must not be seen through one. The pages are in the TLB when that happens."""
    dice = trial.dice
    world = World()
    world.account(0)
    world.space(0, 0, dice.randrange(1, 1 << 16))
    base = dice.randrange(0x10000000, 0x3000000000, PAGE)
    pages = 20
    world.memory(0, 0, pages)
    world.map(0, 0, base, 0, pages * PAGE, READ | WRITE, READ | WRITE)
    world.map(0, 0, base + (pages + 5) * PAGE, 0, pages * PAGE, READ | WRITE, READ | WRITE)
    world.use(0)
    used = dice.sample(range(pages), 8)
    places = [(i, base + i * PAGE) for i in used]
    places += [(i, base + (i + pages + 5) * PAGE) for i in used]
    for index, address in places:
        world.enter(0, 0, index, address, R | W | U | A | D | V)
        world.try_access(0, address + 8 * dice.randrange(512), dice.getrandbits(64), 0)
    for _, address in places:  # each `enter` made the TLB forget: fill it once more
        world.try_access(0, address + 8, dice.getrandbits(64), 0)
    world.clone(0, 1, 0)
    for _, address in places:
        world.try_access(0, address, dice.getrandbits(64), None)
    for index, address in places:
        world.enter(0, 0, index, address, R | U | A | D | V)
    for index, address in places:
        world.try_access(0, address, None, world.objects[0].frames[index].words.get(0, 0))
    for index in used[:4]:
        world.page(0, index, (0, dice.getrandbits(64)))
    for index, address in places:
        value = world.objects[0].frames[index].words.get(0, 0)
        world.try_access(0, address, None, None if index in used[:4] else value)
    world.pause()
    world.use(9)
    world.drop(0)
    world.drop(1)
    world.destroy(0)
    run_world(world, trial, mem=SMALL)


@pytest.mark.exercise("1.8", points=2)
def test_memory_and_quota_run_out(trial: Trial) -> None:
    """Every step can fail, and then nothing has changed: no frame lost, no page charged."""
    dice = trial.dice
    world = World()
    world.account(0)
    quota = dice.randrange(8, 20)
    world.account(1, quota)
    world.memory(0, 0, 300)
    world.memory(1, 1, 300)
    for index in range(5):
        world.page(0, index, word(dice))
    for index in range(quota - 1):  # one page is the object's table
        world.page(1, index, word(dice))
    world.page(1, 250, works=False)
    world.page(1, 3, word(dice))
    world.clone(0, 2, 0)
    world.hoard(0)
    for _ in range(3):
        world.page(0, 100 + dice.randrange(100), works=False)
        world.page(0, dice.randrange(5), (0, 1), works=False)
    world.page(2, 1)
    world.hoard_release()
    world.page(0, 100)
    world.page(0, 1, word(dice))
    world.drop(1)
    world.clone(0, 3, 1, works=quota - 1 >= 6)
    if quota - 1 >= 6:
        world.drop(3)
    for index in range(10, 10 + quota):
        world.page(0, index)
    world.clone(0, 4, 1, works=False)
    world.memory(1, 1, 10)
    world.page(1, 0, word(dice))
    for number in (0, 1, 2):
        world.drop(number)
    run_world(world, trial, mem=SMALL)
