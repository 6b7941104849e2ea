"""A model of address spaces and memory objects. It makes a script of operations for the kernel test
`world`, and knows what each must answer; grade/lab1/judge.py compares."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from grade.lab1.sv39 import GIGAPAGE, MEGAPAGE, PAGE, A, D, R, U, V, W, X, flag_names

OPS = (
    "account", "space", "memory", "map", "device", "change", "enter", "use",
    "access", "fault", "page", "clone", "drop", "destroy", "hoard", "pause",
)  # fmt: skip
READ, WRITE, EXEC = 1, 2, 4
EFAULT, ENOMEM, EACCES, EEXIST, EINVAL = 14, 12, 13, 17, 22
CONTIGUOUS = 1
UNMAP = 16  # in the place of a protection
TABLE_ENTRIES = 512
STEP_PAGES = 64
LOAD_FAULT, STORE_FAULT = 13 + 1, 15 + 1
EVERYTHING = 1 << 31  # pages of an account that no test exhausts
WORD = 2**64


def error(number: int) -> int:
    return -number % WORD


@dataclass(eq=False)
class Frame:
    """What a page holds; several objects share it until one writes."""

    words: dict[int, int] = field(default_factory=dict)
    users: int = 1

    @property
    def digest(self) -> int:
        return sum(value * (2 * index + 1) for index, value in self.words.items()) % WORD


@dataclass(eq=False)
class Memory:
    number: int
    account: int
    pages: int
    contiguous: bool
    frames: dict[int, Frame] = field(default_factory=dict)
    tables: set[int] = field(default_factory=set)
    references: int = 1

    @property
    def table_pages(self) -> int:
        return 0 if self.contiguous else 1 + len(self.tables)

    def touch(self, index: int) -> None:
        if self.pages > TABLE_ENTRIES:
            self.tables.add(index // TABLE_ENTRIES)

    def page(self, index: int, write: bool) -> Frame:
        """The frame of a page, as memory_page must find it."""
        self.touch(index)
        frame = self.frames.get(index)
        if frame is None:
            frame = self.frames[index] = Frame()
        elif write and frame.users > 1:
            frame.users -= 1
            frame = self.frames[index] = Frame(dict(frame.words))
        return frame

    def release(self) -> None:
        self.references -= 1
        if self.references == 0:
            for frame in self.frames.values():
                frame.users -= 1


@dataclass
class Region:
    memory: Memory
    start: int
    end: int
    offset: int
    prot: int
    most: int

    def index(self, address: int) -> int:
        return (self.offset + address - self.start) // PAGE

    def cut(self, address: int) -> Region:
        """Keeps what is below address; the rest."""
        offset = self.offset + address - self.start
        upper = Region(self.memory, address, self.end, offset, self.prot, self.most)
        self.memory.references += 1
        self.end = address
        return upper


@dataclass
class Space:
    account: int
    regions: list[Region] = field(default_factory=list)
    tables: set[tuple[int, int]] = field(default_factory=set)

    def find(self, address: int) -> Region | None:
        return next((r for r in self.regions if r.start <= address < r.end), None)

    def enter(self, address: int) -> None:
        """The tables that a page's translation needs."""
        self.tables |= {(1, address // GIGAPAGE), (0, address // MEGAPAGE)}

    def split(self, address: int) -> None:
        region = self.find(address)
        if region and region.start < address:
            self.regions.append(region.cut(address))

    def inside(self, start: int, end: int) -> list[Region]:
        return sorted(
            (r for r in self.regions if r.start < end and r.end > start), key=lambda r: r.start
        )


# A region, and the frame and its users of each page of its object, as they were at a pause.
View = tuple[Region, dict[int, tuple[Frame, int]]]


@dataclass
class Step:
    """One operation, and what its answer must be: results by position."""

    words: tuple[int, ...]
    text: str
    expected: dict[int, Any] = field(default_factory=dict)
    frame: Frame | None = None  # what result 0 is the address of
    shared: int = 0  # users of that frame
    used: int = 0
    charged: tuple[int, int] = (0, 0)
    most: dict[int, int] = field(default_factory=dict)  # upper limits
    snapshot: dict[int, list[View]] = field(default_factory=dict)
    must: list[tuple[int, int, int]] = field(default_factory=list)  # space, address, flags


class World:
    """Build the script with one method per operation."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.spaces: dict[int, Space] = {}
        self.objects: dict[int, Memory] = {}
        self.every: list[Memory] = []
        self.hoarding = False
        self.must: list[tuple[int, int, int]] = []
        self.kept = [0, 0]  # charged for tables of spaces that are gone: nobody asks any more

    # ---- What the model counts -----------------------------------------------------------------

    def live(self) -> list[Memory]:
        return [memory for memory in self.every if memory.references]

    def frames_used(self) -> int:
        frames = {id(frame) for m in self.live() for frame in m.frames.values()}
        tables = sum(memory.table_pages for memory in self.live())
        return len(frames) + tables + sum(1 + len(space.tables) for space in self.spaces.values())

    def charged(self, account: int) -> int:
        memory = sum(len(m.frames) + m.table_pages for m in self.live() if m.account == account)
        tables = sum(len(s.tables) for s in self.spaces.values() if s.account == account)
        return memory + tables + self.kept[account]

    def add(self, name: str, words: tuple[int, ...], text: str, **more: Any) -> Step:
        code = OPS.index(name)
        step = Step((code, *words, *(0,) * (4 - len(words))), text, **more)
        step.used = self.frames_used()
        step.charged = (self.charged(0), self.charged(1))
        self.steps.append(step)
        return step

    # ---- Operations ----------------------------------------------------------------------------

    def account(self, number: int, pages: int = EVERYTHING) -> None:
        self.add("account", (number, pages), f"account_new with {pages} pages", expected={0: 1})

    def space(self, number: int, account: int, asid: int, works: bool = True) -> None:
        if works:
            self.spaces[number] = Space(account)
        text = f"address_space_init(space {number}, account {account}, {asid})"
        self.add("space", (number, account, asid), text, expected={0: int(works)})

    def memory(self, number: int, account: int, pages: int, contiguous: bool = False) -> Memory:
        memory = Memory(number, account, pages, contiguous)
        if contiguous:
            memory.frames = {index: Frame() for index in range(pages)}
        self.objects[number] = memory
        self.every.append(memory)
        kind = "contiguous " if contiguous else ""
        text = f"memory_new of {pages} {kind}pages as object {number}"
        self.add("memory", (number, account, pages * PAGE, int(contiguous)), text, expected={0: 1})
        return memory

    def map(
        self, space: int, number: int, address: int, offset: int, size: int, prot: int, most: int
    ) -> None:
        where = f"{address:#x}, {offset:#x}, {size:#x}"
        text = f"space_map(space {space}, object {number}, {where}, prot {prot})"
        result = address
        if self.spaces[space].inside(address, address + size):
            result = error(EEXIST)
        else:
            memory = self.objects[number]
            memory.references += 1
            region = Region(memory, address, address + size, offset, prot, most)
            self.spaces[space].regions.append(region)
        words = (space | size << 4, number, address, offset << 8 | prot << 4 | most)
        self.add("map", words, text, expected={0: result})

    def device(self, space: int, physical: int, size: int) -> None:
        text = f"space_map_device(space {space}, {physical:#x}, {size:#x})"
        self.add("device", (space, physical, size), text)

    def unmap(self, space: int, address: int, size: int) -> Step:
        mine = self.spaces[space]
        mine.split(address)
        mine.split(address + size)
        for region in mine.inside(address, address + size):
            mine.regions.remove(region)
            region.memory.release()
        text = f"space_unmap(space {space}, {address:#x}, {size:#x})"
        words = (space, address, size, UNMAP)
        return self.add("change", words, text, expected={0: 0}, most={2: STEP_PAGES})

    def protect(self, space: int, address: int, size: int, prot: int) -> Step:
        mine = self.spaces[space]
        result = self._may_protect(mine, address, size, prot)
        if result == 0:
            mine.split(address)
            mine.split(address + size)
            for region in mine.inside(address, address + size):
                region.prot = prot
        text = f"space_protect(space {space}, {address:#x}, {size:#x}, {prot})"
        words = (space, address, size, prot)
        return self.add("change", words, text, expected={0: result}, most={2: STEP_PAGES})

    @staticmethod
    def _may_protect(space: Space, address: int, size: int, prot: int) -> int:
        if size == 0 or prot & WRITE and prot & EXEC:
            return error(EINVAL)
        at = address
        while at < address + size:
            region = space.find(at)
            if region is None:
                return error(EINVAL)
            if prot & ~region.most:
                return error(EACCES)
            at = region.end
        return 0

    def enter(self, space: int, number: int, index: int, address: int, flags: int) -> None:
        """The test itself enters a translation, as space_fault would."""
        frame = self.objects[number].page(index, bool(flags & W))
        self.spaces[space].enter(address)
        what = f"page {index} of object {number}"
        text = f"(the test maps {what} at {address:#x}, {flag_names(flags)})"
        words = (space | index << 4, number, address, flags)
        self.add("enter", words, text, frame=frame, shared=frame.users)

    def use(self, space: int) -> None:
        self.add("use", (space,), f"space_enter(space {space})")

    def try_access(self, space: int, address: int, store: int | None, wanted: int | None) -> None:
        """An access without help: wanted is the word (any for a store); None: a page fault."""
        verb = "a load from" if store is None else "a store to"
        fault = LOAD_FAULT if store is None else STORE_FAULT
        expected = {0: fault} if wanted is None else {0: 0}
        if store is None and wanted is not None:
            expected[1] = wanted
        if store is not None and wanted is not None:
            self._store(space, address, store)
        words = (space | (store is not None) << 4, address, store or 0, 0)
        self.add("access", words, f"{verb} {address:#x} (result 0: scause + 1)", expected=expected)

    def _store(self, space: int, address: int, value: int) -> None:
        region = self.spaces[space].find(address)
        assert region
        frame = region.memory.page(region.index(address), True)
        frame.words[address % PAGE // 8] = value

    def touch(self, space: int, address: int, write: bool) -> int:
        """What a fault at address must do; 0 or -errno."""
        region = self.spaces[space].find(address)
        if region is None or not region.prot & (WRITE if write else READ):
            return error(EFAULT)
        region.memory.page(region.index(address), write)
        self.spaces[space].enter(address)
        return 0

    def load(self, space: int, address: int) -> None:
        """A load, with space_fault called as the trap handler will call it."""
        text = f"a load from {address:#x} in space {space}, with the help of space_fault"
        wrong = self.touch(space, address, False)
        expected: dict[int, Any] = {0: LOAD_FAULT, 3: wrong}
        if not wrong:
            region = self.spaces[space].find(address)
            assert region
            words = region.memory.frames[region.index(address)].words
            expected = {0: 0, 1: words.get(address % PAGE // 8, 0)}
        self.add("access", (space, address, 0, 1), text, expected=expected, most={2: 1})

    def store(self, space: int, address: int, value: int) -> None:
        text = f"a store to {address:#x} in space {space}, with the help of space_fault"
        wrong = self.touch(space, address, True)
        expected: dict[int, Any] = {0: STORE_FAULT, 3: wrong}
        if not wrong:
            self._store(space, address, value)
            expected = {0: 0}
        words = (space | 16, address, value, 1)
        self.add("access", words, text, expected=expected, most={2: 1})

    def fault(self, space: int, address: int, access: int, result: int | None = None) -> None:
        """space_fault alone. result: what it must return when memory or quota is short."""
        mine = self.spaces[space]
        region = mine.find(address)
        if result is None:
            result = 0 if region and region.prot & access else error(EFAULT)
            if result == 0:
                assert region
                region.memory.page(region.index(address), access == WRITE)
                mine.enter(address)
                self.must.append((space, address & ~(PAGE - 1), self.flags_of(region, address)))
        text = f"space_fault(space {space}, {address:#x}, {access})"
        self.add("fault", (space, address, access), text, expected={0: result})

    @staticmethod
    def flags_of(region: Region, address: int) -> int:
        flags = U | A | D | V
        flags |= R if region.prot & (READ | WRITE) else 0
        flags |= X if region.prot & EXEC else 0
        frame = region.memory.frames[region.index(address)]
        alone = frame.users == 1 or region.memory.contiguous
        return flags | (W if region.prot & WRITE and alone else 0)

    def page(
        self, number: int, index: int, store: tuple[int, int] | None = None, works: bool = True
    ) -> None:
        """memory_page; store: a word that the test then writes, and its value."""
        memory = self.objects[number]
        text = f"memory_page(object {number}, {index}, {'true' if store else 'false'})"
        words = (number, index, (store[0] << 1 | 1) if store else 0, store[1] if store else 0)
        if not works:
            expected = {0: 0, 3: len(memory.frames)}
            self.add("page", words, f"{text} without memory or quota", expected=expected)
            return
        frame = memory.page(index, store is not None)
        expected = {1: frame.digest, 3: len(memory.frames)}
        users = 0 if memory.contiguous else frame.users
        self.add("page", words, text, expected=expected, frame=frame, shared=users)
        if store:
            frame.words[store[0]] = store[1]

    def clone(self, number: int, new: int, account: int, works: bool = True) -> None:
        source = self.objects[number]
        text = f"memory_clone_step(object {number}, object {new}) until it is done"
        steps = len(source.frames) // STEP_PAGES + 2
        expected: dict[int, Any] = {0: 2}
        if works:
            clone = Memory(new, account, source.pages, False, dict(source.frames))
            for index, frame in source.frames.items():
                frame.users += 1
                clone.touch(index)
            self.objects[new] = clone
            self.every.append(clone)
            expected = {0: 1, 3: len(source.frames)}
        most = {1: steps, 2: STEP_PAGES}
        self.add("clone", (number, new, account, 0), text, expected=expected, most=most)

    def drop(self, number: int) -> None:
        self.objects.pop(number).release()
        self.add("drop", (number,), f"the last handle of object {number} is closed")

    def destroy(self, space: int) -> None:
        gone = self.spaces.pop(space)
        self.kept[gone.account] += len(gone.tables)
        for region in gone.regions:
            region.memory.release()
        text = f"address_space_destroy_step(space {space}) until it is done"
        self.add("destroy", (space, STEP_PAGES), text, expected={0: 1})

    def hoard(self, leave: int, pattern: int = 0) -> None:
        self.hoarding = True
        self.add("hoard", (leave, pattern), f"(the test takes all frames but {leave})")

    def hoard_release(self) -> None:
        self.hoarding = False
        self.add("hoard", (0, 0, 1), "(the test gives the frames back)")

    def pause(self) -> None:
        """Here the page tables are looked at; what `fault` entered since the last must be there."""
        for space in self.spaces:
            text = f"space_protect(space {space}, 0x1000, 0, 0), for its count of resident bytes"
            self.add("change", (space, PAGE, 0, 0), text, expected={0: error(EINVAL)})
        snapshot = {
            number: [
                (
                    Region(r.memory, r.start, r.end, r.offset, r.prot, r.most),
                    {i: (frame, frame.users) for i, frame in r.memory.frames.items()},
                )
                for r in space.regions
            ]
            for number, space in self.spaces.items()
        }
        self.add("pause", (), "", snapshot=snapshot, must=self.must)
        self.must = []

    def words(self) -> list[int]:
        return list(itertools.chain.from_iterable(step.words for step in self.steps))
