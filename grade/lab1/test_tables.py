"""Exercises 1.3 to 1.5: page tables that the kernel makes, read from outside and walked here."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from random import Random

import pytest

from grade.harness.failure import HarnessError
from grade.harness.symbols import NM_PROGRAMS
from grade.lab1.arena import Arena
from grade.lab1.sv39 import (
    DIRECT_MAP,
    GIGAPAGE,
    LEAF_SIZES,
    MEGAPAGE,
    PAGE,
    RAM_START,
    A,
    D,
    G,
    Leaf,
    PageTable,
    R,
    U,
    V,
    W,
    Walker,
    X,
    canonical,
    flag_names,
    make_pte,
)
from grade.lab1.trial import Trial

WALK, LEAF = range(2)  # enum walk_op
MAKE, COUNT = 1, 2
SATP_SV39 = 8
UART, PLIC, VIRTIO = 0x10000000, 0xC000000, 0x10008000


def random_leaf(dice: Random, level: int = 0) -> int:
    permissions = dice.choice([R, R | W, R | X, X, R | U, R | W | U])
    physical = dice.randrange(0, 1 << 38, LEAF_SIZES[level])
    return make_pte(physical, V | A | D | permissions)


def some_addresses(dice: Random, n: int) -> list[int]:
    """Addresses that share some tables, and differ in single parts of their bits."""
    addresses: list[int] = []
    while len(addresses) < n:
        near = addresses and dice.random() < 0.75
        base = dice.choice(addresses) if near else dice.getrandbits(39)
        step = dice.choice([PAGE, MEGAPAGE, GIGAPAGE, 1 << 38]) * dice.choice([1, 1, 1, 2, 511])
        addresses.append(canonical(base + step) & ~(PAGE - 1))
    return addresses


# ---- 1.3 ---------------------------------------------------------------------------------------


@dataclass
class WalkModel:
    """Which tables there are, and what was written into which entry."""

    tables: set[tuple[int, int]] = field(default_factory=set)  # (level, address without the rest)
    leaves: dict[int, tuple[int, int]] = field(default_factory=dict)  # larger ones: level, value
    entries: dict[int, int] = field(default_factory=dict)

    def missing(self, address: int) -> list[tuple[int, int]]:
        ways = [(level, address >> (21 + 9 * level)) for level in (1, 0)]
        return [way for way in ways if way not in self.tables]

    def covered(self, address: int) -> bool:
        return any(
            base <= address < base + LEAF_SIZES[level]
            for base, (level, _) in self.leaves.items()
        )

    def add_leaf(self, address: int, level: int, value: int) -> bool:
        """False: there is something else, or a table on the way is missing."""
        base = address & ~(LEAF_SIZES[level] - 1)
        below = (level - 1, base >> (12 + 9 * level))
        above = (level, base >> (21 + 9 * level))
        if self.covered(base) or below in self.tables or (level == 1 and above not in self.tables):
            return False
        self.leaves[base] = (level, value)
        return True


@dataclass
class WalkOp:
    code: int
    address: int
    how: int
    value: int


def walk_ops(dice: Random) -> list[WalkOp]:
    """Walks with and without make, and larger leaves in the way of some of them."""
    model = WalkModel()
    ops: list[WalkOp] = []
    for address in some_addresses(dice, 160):
        how = (dice.random() < 0.6) * MAKE | (dice.random() < 0.7) * COUNT
        offset = dice.randrange(PAGE)
        if dice.random() < 0.2:
            level = dice.choice([1, 1, 2])
            value = random_leaf(dice, level)
            if model.add_leaf(address, level, value):
                ops.append(WalkOp(LEAF, address & ~(LEAF_SIZES[level] - 1), level, value))
                for how in (COUNT, MAKE | COUNT, 0):
                    near = address & ~(MEGAPAGE - 1) | dice.randrange(MEGAPAGE)
                    ops.append(WalkOp(WALK, canonical(near), how, random_leaf(dice)))
                continue
        if how & MAKE and not model.covered(address):
            model.tables.update(model.missing(address))
        ops.append(WalkOp(WALK, address + offset, how, random_leaf(dice)))
    return ops


def check_walk(
    trial: Trial, model: WalkModel, op: WalkOp, values: tuple[int, ...], free: int
) -> tuple[int, int]:
    """One answer of pt_walk; the entry's place, and how many frames are free now."""
    place, old, counted, now = values
    make = "true" if op.how & MAKE else "false"
    what = f"pt_walk(root, {op.address:#x}, {make}, {'&n' if op.how & COUNT else 'NULL'})"
    page = op.address & ~(PAGE - 1)
    missing = model.missing(page)
    if model.covered(page):
        trial.equal(f"{what} under a larger leaf", 0, place)
        missing = []
    elif missing and not op.how & MAKE:
        trial.equal(f"{what} where a table is missing", 0, place)
        missing = []
    else:
        trial.require(place != 0, f"{what} with enough memory", "an entry", "NULL")
        trial.equal(f"{what}: what is in the entry", model.entries.get(page, 0), old)
        model.tables.update(missing)
        if op.how & MAKE:
            model.entries[page] = op.value
    trial.equal(f"{what}: frames taken", len(missing), free - now)
    trial.equal(f"{what}: added to n", len(missing) if op.how & COUNT else 0, counted)
    return place, now


def table_of(trial: Trial, root: int) -> PageTable:
    table = Walker(trial.guest.machine).walk(root)
    trial.require(not table.odd, "the tables, as the hardware reads them", "valid", table.odd[:3])
    return table


def compare(trial: Trial, expected: dict[int, tuple[int, int, int]], table: PageTable) -> None:
    """expected: address -> physical, level, flags."""
    found = table.by_address()
    for address, (physical, level, flags) in sorted(expected.items()):
        wanted = Leaf(address, physical, level, flags, 0)
        leaf = found.get(address)
        trial.require(leaf is not None, f"the leaf for {address:#x}", wanted, "none")
        assert leaf
        same = (leaf.physical, leaf.level, leaf.flags) == (physical, level, flags)
        trial.require(same, f"the leaf for {address:#x}", wanted, leaf)
    more = [leaf for address, leaf in found.items() if address not in expected]
    trial.require(not more, "leaves besides those asked for", "none", "; ".join(map(str, more[:3])))


@pytest.mark.exercise("1.3")
def test_walk_finds_entries_and_makes_tables(trial: Trial) -> None:
    dice = trial.dice
    ops = walk_ops(dice)
    words = [word for op in ops for word in (op.code, op.address, op.how, op.value)]
    trial.run("walk", [*Arena.of(dice, 1500).words(), *words])
    answers = trial.pause()
    root, free = answers[0].values
    places: dict[int, int] = {}
    model = WalkModel()
    replies = iter(answers[1:])
    for op in ops:
        if op.code == LEAF:
            model.add_leaf(op.address, op.how, op.value)
            continue
        place, free = check_walk(trial, model, op, next(replies).values, free)
        if place:
            places[op.address & ~(PAGE - 1)] = place
    table = table_of(trial, root)
    expected = {
        base: (value >> 10 << 12, level, value & 0xFF)
        for base, (level, value) in [*model.leaves.items()]
        + [(page, (0, value)) for page, value in model.entries.items()]
    }
    compare(trial, expected, table)
    reached = "tables that the root leads to, itself included"
    trial.equal(reached, 1 + len(model.tables), len(table.tables))
    for page, leaf in table.by_address().items():
        if page in places:
            trial.equal(f"the place of the entry for {page:#x}", leaf.entry, places[page])
    trial.guest.resume()
    trial.finish()


@pytest.mark.exercise("1.3")
def test_walk_without_memory(trial: Trial) -> None:
    """NULL, every table counted that was made, and none lost."""
    dice = trial.dice
    frames = dice.randrange(6, 14)
    arena = Arena.of(dice, frames + 1)
    arena = Arena(arena.start, arena.frames, arena.start)
    addresses = some_addresses(dice, 60)
    words = [w for address in addresses for w in (WALK, address, MAKE | COUNT, random_leaf(dice))]
    trial.run("walk", [*arena.words(), *words])
    answers = trial.pause()
    root, free = answers[0].values
    model = WalkModel()
    for address, answer in zip(addresses, answers[1:], strict=True):
        place, _, counted, now = answer.values
        missing = model.missing(address)
        what = f"pt_walk(root, {address:#x}, true, &n) with {len(missing)} tables to make"
        wanted = "an entry" if len(missing) <= free else "NULL"
        trial.equal(f"{what} and {free} frames free", wanted, "an entry" if place else "NULL")
        trial.equal(f"{what}: frames taken, as counted in n", free - now, counted)
        model.tables.update(missing[: free - now])
        free = now
    table = table_of(trial, root)
    trial.equal("tables that the root leads to, itself included", frames - free, len(table.tables))
    trial.guest.resume()
    trial.finish()


# ---- 1.4 ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mapping:
    address: int
    physical: int
    size: int
    flags: int
    large: bool

    def words(self) -> tuple[int, ...]:
        return self.address, self.physical, self.size, self.flags, int(self.large)

    def leaves(self) -> dict[int, tuple[int, int, int]]:
        """As large as alignment and the rest of the size allow."""
        leaves, done = {}, 0
        while done < self.size:
            level = 0
            for larger in (1, 2):
                aligned = (self.address + done | self.physical + done) % LEAF_SIZES[larger] == 0
                if self.large and aligned and self.size - done >= LEAF_SIZES[larger]:
                    level = larger
            flags = self.flags | V | A | D
            leaves[canonical(self.address + done)] = (self.physical + done, level, flags)
            done += LEAF_SIZES[level]
        return leaves

    def __str__(self) -> str:
        large = "true" if self.large else "false"
        return (
            f"pt_map_range(root, {self.address:#x}, {self.physical:#x}, {self.size:#x}, "
            f"{flag_names(self.flags)}, {large})"
        )


def random_mapping(dice: Random, slot: int, begin: int = 0) -> Mapping:
    """A range within 8 GiB, whose two addresses agree in alignment to one of the sizes."""
    base = canonical(slot * 8 * GIGAPAGE)
    congruent = dice.choice(LEAF_SIZES)
    near = dice.choice([congruent, MEGAPAGE, PAGE])
    offset = begin or dice.randrange(0, GIGAPAGE, near)
    physical = dice.randrange(0, 1 << 36, congruent) + offset % congruent
    pages = dice.randrange(PAGE, 40 * PAGE, PAGE)
    if congruent == PAGE:
        size = dice.choice([pages, pages + MEGAPAGE, pages + 2 * MEGAPAGE])
    elif congruent == MEGAPAGE:
        size = dice.choice([MEGAPAGE, 2 * MEGAPAGE, dice.randrange(600) * MEGAPAGE + pages])
    else:
        more = GIGAPAGE + dice.randrange(500) * MEGAPAGE + pages
        size = dice.choice([GIGAPAGE, 2 * GIGAPAGE, more])
    large = dice.random() < 0.8
    if not large:
        size = min(size, 2 * MEGAPAGE + pages)
    flags = dice.choice([R, R | W, R | X, R | W | G, R | U, X | G])
    return Mapping(base + offset, physical, size, flags, large)


def random_mappings(dice: Random) -> list[Mapping]:
    """Disjoint; some directly behind another, in the same tables."""
    mappings = []
    for slot in dice.sample(range(64), 10):
        first = random_mapping(dice, slot)
        mappings.append(first)
        if dice.random() < 0.6:
            begin = (first.address + first.size) % (8 * GIGAPAGE)
            mappings.append(random_mapping(dice, slot, begin))
    return mappings


@pytest.mark.exercise("1.4")
def test_map_range_uses_the_largest_leaves(trial: Trial) -> None:
    dice = trial.dice
    mappings = random_mappings(dice)
    arena = Arena.of(dice, 1500)
    trial.run("map_range", [*arena.words(), *(w for m in mappings for w in m.words())])
    answers = trial.pause()
    expected: dict[int, tuple[int, int, int]] = {}
    for mapping, answer in zip(mappings, answers[1:], strict=True):
        trial.equal(f"{mapping} with enough memory", 1, answer.values[0])
        expected |= mapping.leaves()
    table = table_of(trial, answers[0].values[0])
    compare(trial, expected, table)
    free = answers[-1].values[1]
    used = answers[0].values[1] + 1 - free
    trial.equal("frames used, one for each table", len(table.tables), used)
    trial.guest.resume()
    trial.finish()


@pytest.mark.exercise("1.4")
def test_map_range_without_memory(trial: Trial) -> None:
    dice = trial.dice
    frames = dice.randrange(4, 9)
    start = Arena.of(dice, frames + 1).start
    mappings = [
        Mapping(canonical(slot * GIGAPAGE), slot * MEGAPAGE, PAGE, R | W, True)
        for slot in dice.sample(range(512), 6)
    ]
    arena = Arena(start, frames + 1, start)
    trial.run("map_range", [*arena.words(), *(w for m in mappings for w in m.words())])
    answers = trial.pause()
    root, free = answers[0].values
    for mapping, answer in zip(mappings, answers[1:], strict=True):
        what = f"{mapping}, which needs two tables, with {free} frames free"
        trial.equal(what, int(free >= 2), answer.values[0])
        free = answer.values[1]
    table = table_of(trial, root)
    trial.equal("tables that the root leads to, itself included", frames - free, len(table.tables))
    trial.guest.resume()
    trial.finish()


# ---- 1.5 ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Range:
    name: str
    start: int
    end: int
    flags: int


def linker_symbols(trial: Trial) -> dict[str, int]:
    """The names that boot/kernel.ld gives to places; read from the kernel under test."""
    kernel = trial.guest.machine.config.kernel
    for program in NM_PROGRAMS:
        if shutil.which(program):
            command = [program, str(kernel)]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
            words = [line.split() for line in answer.stdout.splitlines()]
            return {w[2]: int(w[0], 16) for w in words if len(w) == 3}
    raise HarnessError("there is no nm; run scripts/doctor")


def kernel_ranges(symbols: dict[str, int], megabytes: int) -> list[Range]:
    ram_end = DIRECT_MAP + RAM_START + (megabytes << 20)
    start, text_end, rodata_end, end = (
        symbols[name] for name in ("kernel_start", "text_end", "rodata_end", "kernel_end")
    )
    return [
        Range("the RAM below the kernel", DIRECT_MAP + RAM_START, start, R | W),
        Range("the text", start, text_end, R | X),
        Range("the constants", text_end, rodata_end, R),
        Range("the data", rodata_end, end, R | W),
        Range("the RAM behind the kernel", end, ram_end, R | W),
    ]


def check_kernel_leaves(trial: Trial, ranges: list[Range], table: PageTable) -> None:
    """W^X, global, not for users, each address its physical one, permissions exact, no hole."""
    for leaf in table.leaves:
        high = leaf.address >= DIRECT_MAP
        trial.require(high, "the kernel's table below DIRECT_MAP", "empty", leaf)
        trial.equal(f"{leaf}: the physical address", leaf.address - DIRECT_MAP, leaf.physical)
        wrong = [
            text
            for bad, text in (
                (leaf.flags & (W | X) == W | X, "not both W and X"),
                (leaf.flags & U, "not U"),
                (not leaf.flags & G, "G: it is the same in every address space"),
                (not leaf.flags & A or not leaf.flags & D, "A and D: nobody sets them later"),
            )
            if bad
        ]
        trial.require(not wrong, "the flags of the kernel's leaves", wrong[:1], leaf)
        for part in ranges:
            if leaf.address < part.end and leaf.address + leaf.size > part.start:
                seen = leaf.flags & (R | W | X)
                what = f"{part.name}, at {leaf.address:#x}: permissions"
                trial.equal(what, flag_names(part.flags), flag_names(seen))
    for part in ranges:
        covered = sum(
            min(leaf.address + leaf.size, part.end) - max(leaf.address, part.start)
            for leaf in table.leaves
            if leaf.address < part.end and leaf.address + leaf.size > part.start
        )
        trial.equal(f"{part.name}: bytes that are mapped", part.end - part.start, covered)
    last = max(leaf.address + leaf.size for leaf in table.leaves)
    trial.equal("where the mapping of RAM ends", ranges[-1].end, last)


@pytest.mark.exercise("1.5")
def test_kernel_runs_on_its_own_table(trial: Trial) -> None:
    dice = trial.dice
    megabytes = dice.randrange(145, 255, 2)
    ram = DIRECT_MAP + RAM_START
    probes = [
        (ram + (megabytes << 20) - 8, 1, "a store to the last word of RAM", 0),
        (ram + (megabytes << 20), 0, "a load behind the end of RAM", 13 + 1),
        (DIRECT_MAP + 0x200000 + RAM_START, 1, "a store to the kernel's text", 15 + 1),
        (dice.randrange(0x1000, 1 << 38, 8), 0, "a load from the lower half", 13 + 1),
    ]
    words = [word for address, store, _, _ in probes for word in (address, store)]
    trial.run("kernel_table", words, mem=f"{megabytes}M")
    answers = trial.pause()
    walker = Walker(trial.guest.machine)
    satp = walker.satp()
    trial.equal("satp's mode (8: Sv39)", SATP_SV39, satp >> 60)
    root = (satp & (1 << 44) - 1) << 12
    trial.equal("the table that satp names: kernel_page_table", answers[0].values[0], root)
    table = table_of(trial, root)
    check_kernel_leaves(trial, kernel_ranges(linker_symbols(trial), megabytes), table)
    for name, device in (("UART", UART), ("interrupt controller", PLIC), ("last virtio", VIRTIO)):
        leaf = table.find(DIRECT_MAP + device)
        good = leaf is not None and leaf.flags & (R | W | X) == R | W
        trial.require(good, f"the {name}'s registers", "mapped R and W", leaf)
    few = 12  # tables: root, devices, RAM, and some around the kernel
    trial.require(
        len(table.tables) <= few,
        "tables, when RAM and devices are mapped with large leaves",
        f"at most {few}",
        len(table.tables),
    )
    trial.guest.resume()
    tried = trial.finish()
    trial.equal("a call into a frame that holds data (scause + 1)", 12 + 1, tried[0].values[0])
    for (_, _, what, expected), answer in zip(probes, tried[1:], strict=True):
        trial.equal(f"{what} (0: done; or scause + 1)", expected, answer.values[0])
