"""Exercises 6.10 to 6.13: the journal, on the host. What goes into the log is read by the
specification; then the power is cut, and e2fsck or the core itself replays."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grade.harness.write_log import read_write_log
from grade.lab6.cuts import (
    JOURNAL_INODE,
    Cut,
    Recording,
    choose_cuts,
    different,
    mend,
    shorten_journal,
)
from grade.lab6.ext2 import Volume
from grade.lab6.history import Writer, content
from grade.lab6.host import Core, Script
from grade.lab6.images import judge, tool

MAGIC = 0xC03B3998
DESCRIPTOR = 1
ESCAPED, SAME_UUID, LAST = 1, 2, 8
CACHE = 600
STATES = 16
OPERATIONS = 250  # of each of two writers
SIZES = {1024: 4000, 2048: 6000, 4096: 10000}  # KiB of a disk, by block size


def make_disk(path: Path, block_size: int) -> Path:
    """An empty file system with a journal of 1,024 blocks."""
    words = ["mke2fs", "-q", "-F", "-b", str(block_size), "-N", "400", "-O", "^resize_inode"]
    tool(*words, "-J", f"size={block_size // 1024}", str(path), f"{SIZES[block_size]}k")
    return path


# ---- 6.10: what is in the log --------------------------------------------------------------------


@dataclass
class Log:
    """The blocks of the journal, in order, and the UUID in its superblock."""

    blocks: list[bytes]
    uuid: bytes

    @classmethod
    def of(cls, image: Path) -> Log:
        volume = Volume(image)
        found, _ = volume.block_map(volume.inode(JOURNAL_INODE))
        blocks = [volume.block(block) for _, block in sorted(found.items())]
        return cls(blocks, blocks[0][48:64])

    @property
    def sequence(self) -> int:
        """The number of the next transaction."""
        return int.from_bytes(self.blocks[0][24:28], "big")


@dataclass
class Logged:
    """A block that a descriptor names, and how it is in the log."""

    number: int
    escaped: bool
    data: bytes


def read_descriptor(log: Log, at: int, sequence: int) -> tuple[list[Logged], str]:
    """The blocks of the descriptor there; or what is wrong with it."""
    block = log.blocks[at]
    magic, kind, number = struct.unpack_from(">3I", block)
    if (magic, kind, number) != (MAGIC, DESCRIPTOR, sequence):
        return [], f"block {at} of the log is no descriptor of transaction {sequence}"
    logged: list[Logged] = []
    offset, flags = 12, 0
    while not flags & LAST:
        if offset + 8 > len(block):
            return [], f"the descriptor in block {at} has no last tag"
        home, _, flags = struct.unpack_from(">IHH", block, offset)
        offset += 8
        if not flags & SAME_UUID:
            if logged or block[offset : offset + 16] != log.uuid:
                return [], f"tag {len(logged)} in block {at}: the first carries the UUID, no other"
            offset += 16
        place = at + 1 + len(logged)
        logged.append(Logged(home, bool(flags & ESCAPED), log.blocks[place]))
    return logged, ""


def read_transaction(log: Log, sequence: int, count: int) -> tuple[list[Logged], str]:
    logged: list[Logged] = []
    at = 1
    while len(logged) < count:
        more, problem = read_descriptor(log, at, sequence)
        if problem:
            return logged, f"{problem} (behind {len(logged)} of {count} blocks)"
        logged += more
        at += 1 + len(more)
    return logged, ""


def check_log(core: Core, payload: bytes, block_size: int, sequence: int) -> None:
    """The log on the disk against the buffers that the core had."""
    size = 4 + block_size
    wanted = {
        int.from_bytes(payload[at : at + 4], "little"): payload[at + 4 : at + size]
        for at in range(0, len(payload), size)
    }
    logged, problem = read_transaction(Log.of(core.image), sequence, len(wanted))
    if problem:
        core.fail(problem)
    if sorted(entry.number for entry in logged) != sorted(wanted):
        core.fail(f"the log has blocks {sorted(e.number for e in logged)}, not {sorted(wanted)}")
    for entry in logged:
        data = wanted[entry.number]
        escaped = data.startswith(MAGIC.to_bytes(4, "big"))
        if escaped != entry.escaped:
            core.fail(f"block {entry.number}: its tag says escaped: {entry.escaped}")
        if entry.data != (bytes(4) + data[4:] if escaped else data):
            core.fail(f"block {entry.number} has other contents in the log")


@pytest.mark.exercise("6.10")
def test_transaction_in_the_log(core: Core, tmp_path: Path) -> None:
    """Descriptors, tags and copies of a transaction that needs several descriptors, or one."""
    for block_size, directories in ((1024, 112), (4096, 40), (2048, 1)):
        image = make_disk(tmp_path / "disk.img", block_size)
        sequence = Log.of(image).sequence
        script = Script()
        script.add("mount", CACHE, 0)
        for number in range(directories):
            script.add("mkdir", "/", f"d{number}")
        script.add("transaction")
        check_log(core, core.run(image, script)[-1].data, block_size, sequence)


@pytest.mark.exercise("6.10")
def test_blocks_that_look_like_the_journals(core: Core, tmp_path: Path) -> None:
    """A bitmap that begins with the magic number is escaped in the log."""
    words = ["mke2fs", "-q", "-F", "-b", "1024", "-g", "2048", "-N", "64", "-O", "^resize_inode"]
    image = tmp_path / "disk.img"
    tool(*words, "-J", "size=1", str(image), "4096k")
    volume = Volume(image)
    bit = 31  # the magic number's last one; behind the group's own blocks
    bitmap = volume.groups[1].block_bitmap * volume.block_size
    with image.open("r+b") as file:
        file.seek(bitmap)
        file.write(bytes((0xC0, 0x3B, 0x39, 0x98 & ~0x80)))
    script = Script()
    script.add("mount", CACHE, 0)
    script.add("alloc", volume.group_range(1)[0] + bit)
    script.add("transaction")
    replies = core.run(image, script)
    assert replies[1].result == volume.group_range(1)[0] + bit, replies[1].result
    check_log(core, replies[-1].data, 1024, Log.of(image).sequence)


# ---- 6.11 to 6.13: cuts --------------------------------------------------------------------------


def command_of(writer: Writer, index: int, script: Script) -> None:
    """One line of a writer's script, in the driver's words."""
    kind, tag, *words = writer.script[index].split()
    here = f"/{writer.number}"
    if kind == "write":
        offset, length = int(words[1]), int(words[2])
        script.write(f"{here}/{words[0]}", offset, content(int(tag), offset, length))
    elif kind == "truncate" and words[0] not in writer.moments[index]:
        script.add("create", here, words[0])
    elif kind == "truncate":
        script.add("truncate", f"{here}/{words[0]}", words[1])
    elif kind == "rename" and words[1].startswith("../"):
        script.add("rename", here, words[0], "/", words[1].removeprefix("../"))
    elif kind == "rename":
        script.add("rename", here, words[0], here, words[1])
    elif kind == "link":
        script.add("link", f"{here}/{words[0]}", here, words[1])
    elif kind == "unlink":
        script.add("unlink", here, words[0])
    elif kind == "fsync":
        script.add("fsync", f"{here}/{words[0]}")
    elif kind == "sync":
        script.add("sync")


def record(core: Core, image: Path, rng: random.Random, growing: bool) -> Recording:
    """Two writers take turns; all writes of the disk are recorded."""
    block_size = Volume(image).block_size
    shorten_journal(image)
    writers = [Writer(number, random.Random(rng.random()), block_size) for number in range(2)]
    script = Script()
    script.add("record")
    script.add("mount", CACHE, 0)
    for writer in writers:
        script.add("mkdir", "/", writer.number)
        while len(writer.script) < OPERATIONS:
            writer.growing_operation() if growing else writer.any_operation()
    turns = [writer for writer in writers for _ in writer.script]
    rng.shuffle(turns)
    done = [0 for _ in writers]
    asked: dict[int, int] = {}  # by tag: the command that says how long the log is
    for writer in turns:
        index = done[writer.number]
        done[writer.number] += 1
        command_of(writer, index, script)
        if writer.script[index].split()[0] in ("fsync", "sync"):
            asked[int(writer.script[index].split()[1])] = script.add("recorded")
    replies = core.run(image, script)
    for reply in replies:
        if reply.result < 0:
            core.fail(f"{reply}: {reply.result}")
    assert core.last is not None
    requests = read_write_log(core.last / "writes.log")
    acknowledged = {tag: replies[command].result for tag, command in asked.items()}
    return Recording(image, writers, requests, acknowledged)


def replayed_by_e2fsck(core: Core, recording: Recording, cut: Cut, folder: Path) -> str:
    disk, heard = recording.disk(cut, folder / "cut.img")
    mended, problem = mend(disk, folder / "mended.img")
    return problem or recording.wrong(mended, heard)


def replayed_by_the_core(core: Core, recording: Recording, cut: Cut, folder: Path) -> str:
    disk, heard = recording.disk(cut, folder / "cut.img")
    script = Script()
    script.add("mount", CACHE, 0)
    script.add("unmount")
    for reply in core.run(disk, script):
        if reply.result < 0:
            return f"{reply}: {reply.result}"
    volume = Volume(core.image)
    mended, problem = mend(disk, folder / "mended.img")
    problems = (judge(core.image), recording.wrong(volume, heard), problem)
    return next(filter(None, problems), "") or different(volume, mended)


Judge = Callable[[Core, Recording, Cut, Path], str]


def cut_everywhere(
    core: Core, rng: random.Random, folder: Path, growing: bool, judge_cut: Judge
) -> None:
    for block_size in (1024, rng.choice((2048, 4096))):
        image = make_disk(folder / f"disk-{block_size}.img", block_size)
        recording = record(core, image, rng, growing)
        for cut in choose_cuts(recording.requests, STATES, rng):
            problem = judge_cut(core, recording, cut, folder)
            if problem:
                core.fail(f"{problem}\nafter {cut} (of {len(recording.requests)})")


@pytest.mark.exercise("6.11")
def test_commits_survive_cuts(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """What the disk has after a cut, replayed by e2fsck, is what was acknowledged, and whole."""
    cut_everywhere(core, rng, tmp_path, True, replayed_by_e2fsck)


@pytest.mark.exercise("6.12")
def test_replay_after_cuts(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """The same, replayed by mounting it: the same files as e2fsck's, and nothing to mend."""
    cut_everywhere(core, rng, tmp_path, True, replayed_by_the_core)


@pytest.mark.exercise("6.13", points=5)
def test_freed_blocks_after_cuts(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Files are removed, cut and replaced; a table that was logged becomes somebody's data."""
    cut_everywhere(core, rng, tmp_path, False, replayed_by_the_core)
