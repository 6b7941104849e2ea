"""Power cuts in the booted system: QEMU records all writes and flushes while processes work on
files; then the machine boots from disks that a cut could have left."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grade.harness.disk import copy_image, find_tool
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory
from grade.harness.qemu import Disk
from grade.harness.write_log import Request, disk_after_cut, read_write_log
from grade.lab6.ext2 import REGULAR, Volume
from grade.lab6.history import Found, Writer
from grade.lab6.host import fail
from grade.lab6.images import judge, tool

RECORDINGS = 4
STATES = 11  # of each recording
WRITERS = 3
OPERATIONS = 160  # of each writer
LOG_BLOCKS = 512  # of the journal's 1,024: the log begins anew more often
FOLDER = "/home/power"
JOURNAL_INODE = 8

Boot = Callable[..., Machine]


@dataclass
class Recording:
    """What was done to a disk, what it was told meanwhile, and when it was acknowledged."""

    base: Path
    writers: list[Writer]
    requests: list[Request]
    acknowledged: dict[int, int]  # by tag: the length of the log when the host heard of it


def shorten_journal(disk: Path) -> None:
    """Most of the journal is never used. mke2fs makes none that is as short as that."""
    volume = Volume(disk)
    place = volume.inode(JOURNAL_INODE).slots[0] * volume.block_size
    with disk.open("r+b") as file:
        file.seek(place + 16)
        file.write(struct.pack(">I", LOG_BLOCKS))


def prepare(laboratory: Laboratory, folder: Path, dice: random.Random) -> tuple[Path, list[Writer]]:
    """A disk with the program and its scripts."""
    disk = copy_image(laboratory.root_image, folder / "base.img")
    block_size = Volume(disk).block_size
    commands = f"write {laboratory.build}/grade/lab6/powercut /test/powercut\nmkdir {FOLDER}\n"
    writers = []
    for number in range(WRITERS):
        writer = Writer(number, random.Random(dice.random()), block_size)
        while len(writer.script) < OPERATIONS:
            writer.any_operation()
        script = folder / f"{number}.script"
        script.write_text("".join(f"{line}\n" for line in writer.script))
        commands += f"mkdir {FOLDER}/{number}\nwrite {script} {FOLDER}/{number}.script\n"
        writers.append(writer)
    tool("debugfs", "-w", "-f", "-", str(disk), text=commands)
    shorten_journal(disk)
    return disk, writers


def record(boot: Boot, laboratory: Laboratory, folder: Path, dice: random.Random) -> Recording:
    base, writers = prepare(laboratory, folder, dice)
    log = folder / "writes.log"
    machine = boot(disks=[Disk(base, write_log=log)])
    machine.console.send(f"/test/powercut {FOLDER} {WRITERS}\n")
    acknowledged: dict[int, int] = {}
    line = r"(?:synced (\d+)|all (\w+)|powercut: (.*?))\r*\n"
    while True:
        said = machine.expect(machine.console.stream, line, 60)
        if said[3] is not None:
            fail(f"the program that works on files says: {said[3].decode(errors='replace')}")
        if said[1] is None:
            break
        acknowledged[int(said[1])] = log.stat().st_size
    assert said[2] == b"done", machine.console.stream.text()
    machine.close()  # the power is cut
    return Recording(base, writers, read_write_log(log), acknowledged)


def found_in(volume: Volume, tree: dict[str, int], number: int) -> Found:
    prefix = f"{FOLDER}/{number}/"
    names = {p.removeprefix(prefix): i for p, i in tree.items() if p.startswith(prefix)}
    inodes = {i: volume.inode(i) for i in names.values()}
    return Found(names, {i: volume.read(n, 0, n.size) for i, n in inodes.items()})


def wrong_shared(volume: Volume, tree: dict[str, int], writers: list[Writer],
                 acknowledged: set[int]) -> str:  # fmt: skip
    """The file that everybody replaces is complete; and once it is there, it stays."""
    whole = [data for writer in writers for data in writer.shared.values()]
    promised = any(
        min(writer.shared, default=len(writer.script) + 1) <= writer.promises[tag].operations
        for writer in writers
        for tag in acknowledged & writer.promises.keys()
    )
    number = tree.get(f"{FOLDER}/shared")
    if number is None:
        return "the file that is only ever replaced by rename is gone" if promised else ""
    inode = volume.inode(number)
    data = volume.read(inode, 0, inode.size)
    return "" if data in whole else f"a file was replaced by {len(data)} bytes of nobody's"


def mend(disk: Path, target: Path) -> Volume:
    """A copy, replayed by e2fsck, which must find nothing else to do."""
    copy_image(disk, target)
    answer = subprocess.run(
        [find_tool("e2fsck"), "-fy", str(target)], capture_output=True, text=True, check=False
    )
    if answer.returncode > 1 or "? yes" in answer.stdout:
        fail(f"e2fsck -fy on the disk as the cut left it:\n{answer.stdout[-2000:]}")
    return Volume(target)


def different(mine: Volume, other: Volume) -> str:
    """In which file two disks differ."""
    mine_tree, other_tree = mine.tree(), other.tree()
    if mine_tree != other_tree:
        return f"names: {sorted(mine_tree.items() ^ other_tree.items())[:6]}"
    for path, number in mine_tree.items():
        a, b = mine.inode(number), other.inode(number)
        if (a.mode, a.links, a.size) != (b.mode, b.links, b.size):
            return f"{path}: {a.mode:o} {a.links} {a.size}, or {b.mode:o} {b.links} {b.size}"
        if a.type == REGULAR and mine.read(a, 0, a.size) != other.read(b, 0, b.size):
            return f"{path}: other bytes"
    return ""


def choose_cuts(recording: Recording, dice: random.Random) -> list[tuple[int, bool]]:
    """Behind which request, and whether everything has reached the medium. Half of them are right
    before a flush, when most is at stake; one is at the end."""
    requests = recording.requests
    flushes = [index for index, request in enumerate(requests) if request.flush]
    flushes = flushes or [len(requests)]
    cuts = [(len(requests), False)]
    while len(cuts) < STATES:
        at = dice.choice(flushes) if len(cuts) % 2 else dice.randrange(len(requests) + 1)
        cuts.append((at, len(cuts) % 4 == 0))
    return cuts


def judge_cut(boot: Boot, recording: Recording, end: int, whole: bool, seed: int,
              folder: Path) -> str:  # fmt: skip
    """Boot from what this cut leaves; what is wrong with what is found then."""
    requests = recording.requests[:end]
    place = requests[-1].end if requests else 0
    heard = {tag for tag, length in recording.acknowledged.items() if length <= place}
    disk = folder / "cut.img"
    disk_after_cut(recording.base, requests, None if whole else random.Random(seed), disk)
    mended = mend(disk, folder / "mended.img")
    machine = boot(disks=[disk], fresh_disks=False)
    machine.power_off()
    machine.close()
    volume = Volume(disk)
    tree = volume.tree()
    problems = [judge(disk), wrong_shared(volume, tree, recording.writers, heard)]
    problems += [w.wrong(found_in(volume, tree, w.number), heard) for w in recording.writers]
    difference = different(volume, mended)
    problems.append(difference and f"fsd and e2fsck replay differently: {difference}")
    return next(filter(None, problems), "")


@pytest.mark.parametrize("number", range(RECORDINGS))
def test_power_cuts(
    number: int, boot: Boot, laboratory: Laboratory, tmp_path: Path, seed: str,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    """Whatever was acknowledged is there after a cut, and nothing is there by half."""
    dice = random.Random(f"{seed} {number}")
    recording = record(boot, laboratory, tmp_path, dice)
    for end, whole in choose_cuts(recording, dice):
        problem = judge_cut(boot, recording, end, whole, dice.getrandbits(32), tmp_path)
        if problem:
            fail(
                f"{problem}\nafter a power cut behind request {end} of {len(recording.requests)}, "
                f"{'with' if whole else 'without'} what was not flushed; seed {seed} "
                f"(CAIRN_SEED={seed} repeats the test)"
            )
    record_property("counted", ("disks booted after power cuts", STATES))
