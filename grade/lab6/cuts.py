"""Disks after power cuts: how they are made from a recording, and what is compared."""

from __future__ import annotations

import random
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from grade.harness.disk import copy_image, find_tool
from grade.harness.write_log import Request, disk_after_cut
from grade.lab6.ext2 import REGULAR, Volume
from grade.lab6.history import Found, Writer

LOG_BLOCKS = 512  # of the journal's 1,024: the log begins anew more often
JOURNAL_INODE = 8
CONTRAST = "the journal's replay and e2fsck's have different results:"


@dataclass(frozen=True)
class Cut:
    """Behind which request, and whether everything before it has reached the medium."""

    end: int
    whole: bool
    seed: int

    def __str__(self) -> str:
        how = "with" if self.whole else "without"
        return f"a power cut behind request {self.end}, {how} what was not flushed"


@dataclass
class Recording:
    """What was done to a disk, what it was told meanwhile, and when it was acknowledged."""

    base: Path
    writers: list[Writer]
    requests: list[Request]
    acknowledged: dict[int, int]  # by tag: the length of the log when the host heard of it
    folder: str = ""  # where the writers' folders are

    def disk(self, cut: Cut, target: Path) -> tuple[Path, set[int]]:
        """The disk after this cut, and what had been acknowledged before it."""
        requests = self.requests[: cut.end]
        place = requests[-1].end if requests else 0
        heard = {tag for tag, length in self.acknowledged.items() if length <= place}
        dice = None if cut.whole else random.Random(cut.seed)
        return disk_after_cut(self.base, requests, dice, target), heard

    def wrong(self, volume: Volume, heard: set[int]) -> str:
        """What is on this disk that may not be, or is missing."""
        tree = volume.tree()
        problem = self._wrong_shared(volume, tree, heard)
        for writer in self.writers:
            problem = problem or writer.wrong(self._found(volume, tree, writer.number), heard)
        return problem

    def _found(self, volume: Volume, tree: dict[str, int], number: int) -> Found:
        prefix = f"{self.folder}/{number}/"
        names = {p.removeprefix(prefix): i for p, i in tree.items() if p.startswith(prefix)}
        inodes = {i: volume.inode(i) for i in names.values()}
        return Found(names, {i: volume.read(n, 0, n.size) for i, n in inodes.items()})

    def _wrong_shared(self, volume: Volume, tree: dict[str, int], heard: set[int]) -> str:
        """The file that everybody replaces is complete; and once it is there, it stays."""
        whole = [data for writer in self.writers for data in writer.shared.values()]
        promised = any(
            min(writer.shared, default=len(writer.script) + 1) <= writer.promises[tag].operations
            for writer in self.writers
            for tag in heard & writer.promises.keys()
        )
        number = tree.get(f"{self.folder}/shared")
        if number is None:
            return "the file that is only ever replaced by rename is gone" if promised else ""
        inode = volume.inode(number)
        data = volume.read(inode, 0, inode.size)
        return "" if data in whole else f"a file was replaced by {len(data)} bytes of nobody's"


def shorten_journal(disk: Path) -> None:
    """Most of the journal is never used. mke2fs makes none that is as short as that."""
    volume = Volume(disk)
    place = volume.inode(JOURNAL_INODE).slots[0] * volume.block_size
    with disk.open("r+b") as file:
        file.seek(place + 16)
        file.write(struct.pack(">I", LOG_BLOCKS))


def mend(disk: Path, target: Path) -> tuple[Volume, str]:
    """A copy, replayed by e2fsck; and what it complains about, which should be nothing."""
    copy_image(disk, target)
    answer = subprocess.run(
        [find_tool("e2fsck"), "-fy", str(target)], capture_output=True, text=True, check=False
    )
    wrong = answer.returncode > 1 or "? yes" in answer.stdout
    problem = f"e2fsck -fy on the disk as the cut left it:\n{answer.stdout[:1500]}"
    return Volume(target), problem if wrong else ""


def different(mine: Volume, other: Volume) -> str:
    """In which file two disks differ."""
    mine_tree, other_tree = mine.tree(), other.tree()
    if mine_tree != other_tree:
        return f"{CONTRAST} names: {sorted(mine_tree.items() ^ other_tree.items())[:6]}"
    for path, number in mine_tree.items():
        a, b = mine.inode(number), other.inode(number)
        if (a.mode, a.links, a.size) != (b.mode, b.links, b.size):
            what = f"{a.mode:o} {a.links} {a.size}, or {b.mode:o} {b.links} {b.size}"
            return f"{CONTRAST} {path}: {what}"
        if a.type == REGULAR and mine.read(a, 0, a.size) != other.read(b, 0, b.size):
            return f"{CONTRAST} {path}: other bytes"
    return ""


def choose_cuts(requests: list[Request], count: int, dice: random.Random) -> list[Cut]:
    """Half of them are right before a flush, when most is at stake; one is at the end."""
    flushes = [index for index, request in enumerate(requests) if request.flush]
    flushes = flushes or [len(requests)]
    cuts = [Cut(len(requests), False, dice.getrandbits(32))]
    while len(cuts) < count:
        at = dice.choice(flushes) if len(cuts) % 2 else dice.randrange(len(requests) + 1)
        cuts.append(Cut(at, len(cuts) % 4 == 0, dice.getrandbits(32)))
    return cuts
