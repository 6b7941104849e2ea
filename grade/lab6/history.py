"""What processes did to their files, and what of it may be found after a power cut.

Each process works through a script in a folder of its own (guest/powercut.c). The rules are those
of the host's test (servers/fsd/ext2/test/powercut/history.h), for each folder:

* Names and sizes are those of one moment between two operations; only a write that was under way
  may have made its file longer already.
* That moment is not older than what an fsync or sync that had returned has promised: before a
  sync, everything; before an fsync, all that concerned the file.
* Each sector of a file holds what it held when it was acknowledged or at some time since then;
  where an operation up to the moment has given it a block, or made the file reach it, since that.

A file that all processes replace by renaming holds one of the complete files.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

SECTOR = 512
TAGS = 100_000  # of each process
DOUBLE = 270_000  # behind this are tables of tables, where blocks are of 1 KiB


def content(tag: int, offset: int, length: int) -> bytes:
    """What the program writes for this tag, at this place of a file."""
    first, last = offset // 4, (offset + length + 3) // 4
    words = bytearray()
    for word in range(first, last):
        mixed = ((tag + 1) * 2654435761 + word * 2246822519) & 0xFFFFFFFF
        words += ((mixed ^ mixed >> 15) | 0x01010101).to_bytes(4, "little")
    return bytes(words[offset % 4 : offset % 4 + length])


@dataclass(frozen=True)
class Version:
    """A file's bytes from some operation on."""

    since: int  # so many operations of the script had been done
    data: bytes
    blocks: frozenset[int]  # those that are no holes
    births: tuple[int, ...]  # of each sector: `since` of the version that made it reachable

    def sector(self, index: int, length: int) -> bytes:
        start = index * SECTOR
        return self.data[start : start + length].ljust(length, b"\0")


@dataclass
class File:
    """A file, from its creation on, whatever it is called."""

    versions: list[Version]
    touched: int = 0  # so many operations, the last one of which concerned it

    def at(self, operations: int) -> Version:
        return next(v for v in reversed(self.versions) if v.since <= operations)

    def since(self, operations: int) -> list[Version]:
        """All that it has held since then."""
        first = self.at(operations)
        return [v for v in self.versions if v.since >= first.since]


@dataclass(frozen=True)
class Promise:
    """What an fsync (of this file) or a sync (None) promises when it has returned."""

    file: int | None
    position: int  # of the operation itself
    operations: int  # all these are on the disk


@dataclass
class Found:
    """A folder as it was found: the inode that each name leads to, and what inodes hold."""

    names: dict[str, int]
    data: dict[int, bytes]


@dataclass
class Writer:
    """One process: its script, and what its folder holds after each operation."""

    number: int
    dice: random.Random
    block_size: int
    script: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    moments: list[dict[str, int]] = field(default_factory=lambda: [{}])
    promises: dict[int, Promise] = field(default_factory=dict)
    shared: dict[int, bytes] = field(default_factory=dict)  # by operations: what went there

    # ---- Making the script ------------------------------------------------------------------

    @property
    def tag(self) -> int:
        return self.number * TAGS + len(self.script)

    @property
    def names(self) -> dict[str, int]:
        return self.moments[-1]

    def _add(self, kind: str, *words: object, names: dict[str, int] | None = None,
             touched: tuple[int, ...] = ()) -> None:  # fmt: skip
        self.script.append(" ".join(map(str, (kind, self.tag, *words))))
        self.moments.append(self.names if names is None else names)
        for file in touched:
            self.files[file].touched = len(self.script)

    def _create(self, name: str) -> None:
        """An operation of its own: a cut can leave the new file empty."""
        self.files.append(File([Version(0, b"", frozenset(), ())]))
        file = len(self.files) - 1
        self._add("truncate", name, 0, names=self.names | {name: file}, touched=(file,))

    def write(self, name: str, offset: int, length: int) -> None:
        if name not in self.names:
            self._create(name)
        tag, now, number = self.tag, len(self.script) + 1, self.names[name]
        old = self.files[number].versions[-1]
        end = offset + length
        data = old.data.ljust(offset, b"\0")
        data = data[:offset] + content(tag, offset, length) + data[end:]
        written = range(offset // self.block_size, -(-end // self.block_size))
        fresh = {block for block in written if block not in old.blocks}
        births = list(old.births) + [now] * (-(-len(data) // SECTOR) - len(old.births))
        if end > len(old.data):  # the sector in which the file ended has new bytes, too
            births[len(old.data) // SECTOR] = now
        for index in range(len(births)):
            if index * SECTOR // self.block_size in fresh:
                births[index] = now
        version = Version(now, data, old.blocks | fresh, tuple(births))
        self.files[number].versions.append(version)
        self._add("write", name, offset, length, touched=(number,))

    def truncate(self, name: str, size: int) -> None:
        now, number = len(self.script) + 1, self.names[name]
        old = self.files[number].versions[-1]
        data = old.data[:size].ljust(size, b"\0")
        sectors = -(-size // SECTOR)
        births = list(old.births[:sectors]) + [now] * (sectors - len(old.births))
        if size > len(old.data):
            births[len(old.data) // SECTOR] = now
        kept = frozenset(b for b in old.blocks if b * self.block_size < size)
        self.files[number].versions.append(Version(now, data, kept, tuple(births)))
        self._add("truncate", name, size, touched=(number,))

    def rename(self, old: str, new: str) -> None:
        names = {name: file for name, file in self.names.items() if name != old}
        touched = {self.names[old], self.names.get(new, self.names[old])}
        if self.names.get(new) == self.names[old]:
            names = self.names  # two names of one file: nothing happens
        else:
            names[new] = self.names[old]
        self._add("rename", old, new, names=names, touched=tuple(touched))

    def publish(self, name: str) -> None:
        """Replace the file that all processes share by one that is on the disk and has no other
        name: nobody will change it."""
        file = self.names[name]
        if list(self.names.values()).count(file) > 1:
            return
        self.fsync(name)
        self.shared[len(self.script) + 1] = self.files[file].versions[-1].data
        names = {other: number for other, number in self.names.items() if other != name}
        self._add("rename", name, "../shared", names=names, touched=(file,))

    def link(self, old: str, new: str) -> None:
        self._add("link", old, new, names=self.names | {new: self.names[old]},
                  touched=(self.names[old],))  # fmt: skip

    def unlink(self, name: str) -> None:
        names = {other: file for other, file in self.names.items() if other != name}
        self._add("unlink", name, names=names, touched=(self.names[name],))

    def hold(self, name: str) -> None:
        self._add("hold", name)

    def fsync(self, name: str) -> None:
        file = self.names[name]
        position = len(self.script)
        self.promises[self.tag] = Promise(file, position + 1, self.files[file].touched)
        self._add("fsync", name)

    def sync(self) -> None:
        position = len(self.script)
        self.promises[self.tag] = Promise(None, position + 1, position)
        self._add("sync")

    def overwrite(self, name: str) -> None:
        """Bytes that change nothing else, so that the fsync has nothing but data to bring home."""
        size = len(self.files[self.names[name]].versions[-1].data)
        self.sync()
        self.write(name, 0, min(max(size, 1), 8000))
        self.fsync(name)

    def growing_operation(self) -> None:
        """One that frees nothing."""
        dice = self.dice
        free = f"{dice.choice('abcdefgh')}{dice.randrange(1000)}"
        there = dice.choice(sorted(self.names)) if self.names else free
        draw = dice.randrange(11)
        if there not in self.names or (draw < 3 and free not in self.names):
            self.write(free, 0, dice.randint(1, 6000))
        elif draw < 6:
            size = len(self.files[self.names[there]].versions[-1].data)
            self.write(there, min(size, 40_000), dice.randint(1, 9000))
        elif draw < 7 and free not in self.names:
            self.rename(there, free)
        elif draw < 9:
            self.fsync(there)
        elif draw < 10:
            self.overwrite(there)
        else:
            self.sync()

    def any_operation(self) -> None:
        """One of all of these."""
        dice = self.dice
        free = f"{dice.choice('abcdefgh')}{dice.randrange(4)}"
        there = dice.choice(sorted(self.names)) if self.names else free
        size = len(self.files[self.names[there]].versions[-1].data) if self.names else 0
        draw = dice.randrange(100)
        if draw < 22 or there not in self.names:
            self.write(free, 0, dice.randint(1, 12000))
        elif draw < 40:
            self.write(there, min(size, 100_000), dice.randint(1, 20000))
        elif draw < 48:
            start = dice.choice((0, 0, DOUBLE))
            self.write(there, start + dice.randrange(90_000), dice.randint(1, 9000))
        elif draw < 56:
            self.truncate(there, dice.choice((0, dice.randrange(size + 1), size + 5000)))
        elif draw < 66:
            self.rename(there, dice.choice((free, dice.choice(sorted(self.names)))))
        elif draw < 72:
            self.unlink(there)
        elif draw < 75 and free not in self.names:
            self.link(there, free)
        elif draw < 78:
            self.hold(there)
        elif draw < 82:
            self.publish(there)
        elif draw < 84:
            self.sync()
        elif draw < 87:
            self.overwrite(there)
        else:
            self.fsync(there)

    # ---- Judging ----------------------------------------------------------------------------

    def wrong(self, found: Found, acknowledged: set[int]) -> str:
        """What is not as it may be, when these tags were acknowledged before the cut."""
        kept = [self.promises[tag] for tag in acknowledged if tag in self.promises]
        floor = max((promise.operations for promise in kept), default=0)
        for operations in range(floor, len(self.moments)):
            partial = self._matches(found, operations)
            if partial is not None:
                return self._wrong_contents(found, operations, partial, kept)
        listed = " ".join(f"{n}:{len(found.data[i])}" for n, i in sorted(found.names.items()))
        first = self.moments[floor]
        sizes = {name: len(self.files[file].at(floor).data) for name, file in first.items()}
        wanted = " ".join(f"{name}:{size}" for name, size in sorted(sizes.items()))
        return (
            f"folder {self.number}: these names and sizes were never there since operation {floor}:"
            f"\n    found {listed}\n    after operation {floor}: {wanted}"
        )

    def _matches(self, found: Found, operations: int) -> bool | None:
        """Is this the moment? True: so much of the next operation, a write, has been done, too."""
        names = self.moments[operations]
        if names.keys() != found.names.keys():
            return None
        pairs = {(names[name], found.names[name]) for name in names}
        if len(pairs) != len({a for a, _ in pairs}) or len(pairs) != len({b for _, b in pairs}):
            return None
        partial = False
        for file, inode in pairs:
            size, least = len(found.data[inode]), len(self.files[file].at(operations).data)
            if size == least:
                continue
            following = self.files[file].at(min(operations + 1, len(self.script)))
            if not least < size <= len(following.data) or self._kind(operations) != "write":
                return None
            partial = True
        return partial

    def _kind(self, operation: int) -> str:
        return self.script[operation].split()[0] if operation < len(self.script) else ""

    def _wrong_contents(
        self, found: Found, operations: int, partial: bool, kept: list[Promise]
    ) -> str:
        for name, inode in found.names.items():
            number = self.moments[operations][name]
            start = max((p.position for p in kept if p.file in (None, number)), default=0)
            bad = self._wrong_sector(self.files[number], found.data[inode], operations, partial,
                                     start)  # fmt: skip
            if bad is not None:
                return (
                    f"folder {self.number}, {name} ({len(found.data[inode])} bytes): sector {bad} "
                    f"holds nothing that was ever there since it was last synced (operation "
                    f"{start}); the names are those after operation {operations}"
                )
        return ""

    def _wrong_sector(
        self, file: File, data: bytes, operations: int, partial: bool, start: int
    ) -> int | None:
        now = file.at(operations + 1 if partial and len(data) > len(file.at(operations).data)
                      else operations)  # fmt: skip
        for index in range(-(-len(data) // SECTOR)):
            sector = data[index * SECTOR : (index + 1) * SECTOR]
            first = max(start, now.births[index])
            versions = file.since(first)
            if not any(version.sector(index, len(sector)) == sector for version in versions):
                return index
        return None
