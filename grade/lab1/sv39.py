"""Sv39 page tables (Privileged 4.4), read from outside the guest and walked on the host."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from grade.harness.machine import Machine

PAGE, MEGAPAGE, GIGAPAGE = 1 << 12, 1 << 21, 1 << 30
LEAF_SIZES = (PAGE, MEGAPAGE, GIGAPAGE)  # by level
DIRECT_MAP = 0xFFFFFFC000000000
TABLES_MAX = 20000
RAM_START = 0x80000000
PIECE = 1 << 20
V, R, W, X, U, G, A, D = (1 << bit for bit in range(8))
BOOT_HART = re.compile(r"^Boot HART ID\s*: (\d+)", re.MULTILINE)  # as the firmware says
SATP = re.compile(r"^CPU#(\d+).*?\bsatp\s+([0-9a-f]+)", re.MULTILINE | re.DOTALL)


def flag_names(pte: int) -> str:
    return "".join(n if pte >> bit & 1 else "-" for bit, n in reversed(list(enumerate("VRWXUGAD"))))


def make_pte(physical: int, flags: int) -> int:
    return physical >> 12 << 10 | flags


def pte_address(pte: int) -> int:
    return (pte >> 10 & (1 << 44) - 1) << 12


def canonical(address: int) -> int:
    """Bits 63 to 39 are copies of bit 38."""
    address &= (1 << 39) - 1
    return address | (0xFFFFFF8000000000 if address >> 38 else 0)


def index_of(address: int, level: int) -> int:
    return address >> (12 + 9 * level) & 511


@dataclass(frozen=True)
class Leaf:
    """One valid leaf: what it maps, and where its entry lies."""

    address: int
    physical: int
    level: int
    flags: int
    entry: int  # physical address of the entry

    @property
    def size(self) -> int:
        return LEAF_SIZES[self.level]

    def __str__(self) -> str:
        flags = flag_names(self.flags)
        return f"{self.address:#x} -> {self.physical:#x}, {self.size:#x} bytes, {flags}"


@dataclass
class PageTable:
    """Everything that can be reached from a root."""

    root: int
    leaves: list[Leaf] = field(default_factory=list)
    tables: list[int] = field(default_factory=list)  # the root is the first
    odd: list[str] = field(default_factory=list)  # what the hardware may not like

    def find(self, address: int) -> Leaf | None:
        return next((x for x in self.leaves if x.address <= address < x.address + x.size), None)

    def by_address(self) -> dict[int, Leaf]:
        return {leaf.address: leaf for leaf in self.leaves}


class Walker:
    """Reads tables of a machine that pauses, in large pieces; for one pause only."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.ram_end = RAM_START + (int(machine.config.memory.removesuffix("M")) << 20)
        self.pieces: dict[int, bytes] = {}

    def words(self, physical: int) -> tuple[int, ...]:
        if not RAM_START <= physical < self.ram_end:
            raise AssertionError(f"an entry points to a table at {physical:#x}, where no RAM is")
        base = physical & ~(PIECE - 1)
        if base not in self.pieces:
            self.pieces[base] = self.machine.qmp.read_physical(base, PIECE)
        return struct.unpack_from("<512Q", self.pieces[base], physical - base)

    def satp(self) -> int:
        """Of the hart that booted, as the monitor says: the tests run there. Another may not have
        come to the kernel's table yet."""
        boot = BOOT_HART.search(self.machine.log.text())
        found = dict(SATP.findall(self.machine.qmp.monitor("info registers -a")))
        return int(found[boot[1] if boot else "0"], 16)

    def walk(self, root: int) -> PageTable:
        table = PageTable(root)
        self._walk(table, root, 2, 0)
        return table

    def _walk(self, found: PageTable, physical: int, level: int, base: int) -> None:
        found.tables.append(physical)
        if len(found.tables) > TABLES_MAX:
            raise AssertionError(f"the table at {found.root:#x} has no end: is there a loop in it?")
        for index, pte in self._valid(physical):
            address = canonical(base | index << 12 + 9 * level)
            target = pte_address(pte)
            if pte & (R | W | X):
                leaf = Leaf(address, target, level, pte & 0xFF, physical + 8 * index)
                found.leaves.append(leaf)
                if target % leaf.size:
                    found.odd.append(f"{leaf}: a leaf of this size must be aligned to it")
            elif level == 0:
                found.odd.append(f"{address:#x}: valid, but neither R, W nor X in the last level")
            else:
                if pte & (A | D | U):
                    found.odd.append(f"{address:#x}: U, A and D must be 0 in a pointer to a table")
                self._walk(found, target, level - 1, address)
            if pte >> 54:
                found.odd.append(f"{address:#x}: bits 54 to 63 of {pte:#x} are reserved")

    def _valid(self, physical: int) -> Iterator[tuple[int, int]]:
        return ((i, pte) for i, pte in enumerate(self.words(physical)) if pte & V)
