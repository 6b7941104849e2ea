"""Exercise 1.9: page faults: accesses through the MMU that space_fault must make possible, and the
page tables that it leaves."""

from __future__ import annotations

from random import Random

import pytest

from grade.lab1.judge import Judge, run_world
from grade.lab1.sv39 import PAGE, A, D, R, U, V, W, Walker
from grade.lab1.trial import Trial
from grade.lab1.world import EFAULT, ENOMEM, EXEC, READ, WRITE, World, error

SMALL = "64M"
RTC = 0x101000
MAP_BASE = 0x1000000000  # where space_map_device puts the first device
PROTECTIONS = (READ, READ | WRITE, READ | WRITE, READ | WRITE, READ | EXEC, EXEC, 0)


class Life:
    """Random work in two spaces that share some objects."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.world = World()
        self.base = dice.randrange(0x10000000, 0x2000000000, PAGE)
        self.current = 0
        for number in (0, 1):
            self.world.account(number)
        for number in (0, 1):
            self.world.space(number, number, dice.randrange(1, 1 << 16))
        self.world.hoard(0, dice.getrandbits(64) | 1)
        self.world.hoard_release()
        self.world.use(0)
        for _ in range(3):
            self.create()
            self.map()

    def address(self) -> int:
        """Of a word; mostly inside a region of the current space."""
        dice, regions = self.dice, self.world.spaces[self.current].regions
        if regions and dice.random() < 0.93:
            region = dice.choice(regions)
            inside = dice.randrange(region.start, region.end, PAGE)
            page = dice.choice([region.start, region.end - PAGE, inside])
            return page + dice.choice([0, PAGE - 8, dice.randrange(0, PAGE, 8)])
        return self.base + dice.randrange(0, 400 * PAGE, 8)

    def create(self) -> None:
        free = [number for number in range(16) if number not in self.world.objects]
        if free:
            pages = self.dice.choice([1, 3, 30, 700])
            contiguous = self.dice.random() < 0.2 and pages < 700
            self.world.memory(free[0], self.dice.randrange(2), pages, contiguous)

    def map(self) -> None:
        dice, world = self.dice, self.world
        memory = world.objects[dice.choice(sorted(world.objects))]
        pages = dice.randrange(1, min(memory.pages, 40) + 1)
        offset = dice.randrange(memory.pages - pages + 1) * PAGE
        at = self.base + dice.randrange(1200) * PAGE
        prot = dice.choice(PROTECTIONS)
        most = 7 if dice.random() < 0.7 else prot
        world.map(dice.randrange(2), memory.number, at, offset, pages * PAGE, prot, most)

    def clone(self) -> None:
        dice, world = self.dice, self.world
        free = [number for number in range(16) if number not in world.objects]
        sources = [m.number for m in world.objects.values() if not m.contiguous]
        if free and sources:
            world.clone(dice.choice(sources), free[0], dice.randrange(2))
            at = self.base + dice.randrange(1200) * PAGE
            pages = min(world.objects[free[0]].pages, 30)
            prot = READ | WRITE
            world.map(self.current, free[0], at, 0, pages * PAGE, prot, prot)

    def change(self) -> None:
        dice = self.dice
        start = self.address() & ~(PAGE - 1)
        size = dice.choice([1, 1, 2, 10]) * PAGE
        if dice.random() < 0.5:
            self.world.unmap(self.current, start, size)
        else:
            self.world.protect(self.current, start, size, dice.choice(PROTECTIONS))

    def step(self) -> None:
        dice, world = self.dice, self.world
        chance = dice.random()
        if chance < 0.4:
            world.load(self.current, self.address())
        elif chance < 0.78:
            world.store(self.current, self.address(), dice.getrandbits(64))
        elif chance < 0.84:
            self.map()
        elif chance < 0.88:
            self.clone()
        elif chance < 0.93:
            self.change()
        elif chance < 0.95:
            self.create()
        elif chance < 0.97 and len(world.objects) > 2:
            world.drop(dice.choice(sorted(world.objects)))
        elif chance < 0.98:
            self.current = 1 - self.current
            world.use(self.current)

    def end(self) -> World:
        self.world.use(9)
        for space in (0, 1):
            self.world.destroy(space)
        for number in sorted(self.world.objects):
            self.world.drop(number)
        return self.world


@pytest.mark.exercise("1.9", points=5)
def test_loads_and_stores_find_their_pages(trial: Trial) -> None:
    life = Life(trial.dice)
    for _ in range(3):
        for _ in range(250):
            life.step()
        life.world.pause()
    run_world(life.end(), trial, mem=SMALL)


@pytest.mark.exercise("1.9", points=3)
def test_fault_enters_the_right_flags(trial: Trial) -> None:
    """After each fault the page is there, with just the flags that its region and frame allow."""
    dice = trial.dice
    life = Life(dice)
    world = life.world
    for prot in (READ, READ | WRITE, WRITE, READ | EXEC, EXEC):
        at = life.base + (2000 + 50 * prot) * PAGE
        world.memory(14, 0, 12)
        for index in range(0, 12, 2):
            world.page(14, index, (1, 1))
        world.clone(14, 15, 0)
        world.map(0, 14, at, 2 * PAGE, 10 * PAGE, prot, 7)
        shared, alone = (dice.sample(range(parity, 10, 2), 5) for parity in (0, 1))
        for access in (READ, WRITE, EXEC):
            for page in (shared.pop(), alone.pop()):
                world.fault(0, at + page * PAGE + dice.randrange(PAGE), access)
        for page in dice.choices(shared + alone, k=6):
            access = dice.choice([READ, WRITE, EXEC])
            world.fault(0, at + page * PAGE + dice.randrange(PAGE), access)
        world.fault(0, at + 10 * PAGE, READ)
        world.fault(0, at - 1, READ)
        world.must = deduplicated(world.must)
        world.pause()
        world.drop(14)
        world.drop(15)
    run_world(life.end(), trial, mem=SMALL)


def deduplicated(must: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Of several faults at one page, the last counts."""
    last = {(space, page): flags for space, page, flags in must}
    return [(space, page, flags) for (space, page), flags in last.items()]


@pytest.mark.exercise("1.9", points=1)
def test_fault_maps_device_registers(trial: Trial) -> None:
    world = World()
    world.account(0)
    world.space(0, 0, trial.dice.randrange(1, 1 << 16))
    offset = trial.dice.randrange(0, PAGE, 8)
    world.device(0, RTC + offset, 8)
    text = "space_fault in a region of device registers"
    world.spaces[0].enter(MAP_BASE)
    world.add("fault", (0, MAP_BASE + 4, READ), text, expected={0: 0})
    behind = (0, MAP_BASE + PAGE, READ)
    world.add("fault", behind, f"{text}, behind it", expected={0: error(EFAULT)})
    world.add("pause", (), "")
    trial.run("world", world.words())
    judge = Judge(trial)
    judge.steps(world.steps[:-1], trial.pause())
    leaf = Walker(trial.guest.machine).walk(judge.roots[0]).find(MAP_BASE)
    good = leaf is not None and (leaf.physical, leaf.flags) == (RTC, V | R | W | U | A | D)
    trial.require(good, f"{text}: its leaf", f"{RTC:#x}, R and W for users", leaf)
    trial.guest.resume()
    trial.finish()


@pytest.mark.exercise("1.9", points=1)
def test_fault_without_memory(trial: Trial) -> None:
    """-ENOMEM, nothing changed, and the same fault works when there is memory again."""
    dice = trial.dice
    world = World()
    world.account(0)
    quota = dice.randrange(3, 9)
    world.account(1, quota)
    world.space(0, 0, dice.randrange(1, 1 << 16))
    base = dice.randrange(0x10000000, 0x3000000000, PAGE)
    world.memory(0, 0, 40)
    world.memory(1, 1, 40)
    world.map(0, 0, base, 0, 40 * PAGE, READ | WRITE, 7)
    world.map(0, 1, base + 50 * PAGE, 0, 40 * PAGE, READ | WRITE, 7)
    for index in range(quota - 1):
        world.fault(0, base + (50 + index) * PAGE, WRITE)
    world.fault(0, base + 80 * PAGE, READ, error(ENOMEM))
    world.fault(0, base, WRITE)
    world.clone(0, 2, 0)
    world.hoard(0)
    world.fault(0, base + 7 * PAGE, WRITE, error(ENOMEM))
    world.fault(0, base, WRITE, error(ENOMEM))  # the copy
    world.fault(0, base, READ)
    world.hoard_release()
    world.fault(0, base + 7 * PAGE, WRITE)
    world.must.clear()
    world.fault(0, base, WRITE)
    world.pause()
    world.destroy(0)
    for number in range(3):
        world.drop(number)
    run_world(world, trial, mem=SMALL)
