"""Power cuts in the booted system: QEMU records all writes and flushes while processes work on
files; then the machine boots from disks that a cut could have left."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grade.harness.disk import copy_image
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory
from grade.harness.qemu import Disk
from grade.harness.write_log import read_write_log
from grade.lab6.cuts import Cut, Recording, choose_cuts, different, mend, shorten_journal
from grade.lab6.ext2 import Volume
from grade.lab6.history import Writer
from grade.lab6.host import fail
from grade.lab6.images import judge, tool

RECORDINGS = 4
STATES = 11  # of each recording
WRITERS = 3
OPERATIONS = 200  # of each writer
FOLDER = "/home/power"

Boot = Callable[..., Machine]


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
    return Recording(base, writers, read_write_log(log), acknowledged, FOLDER)


def judge_cut(boot: Boot, recording: Recording, cut: Cut, folder: Path) -> str:
    """Boot from what this cut leaves; what is wrong with what is found then."""
    disk, heard = recording.disk(cut, folder / "cut.img")
    mended, problem = mend(disk, folder / "mended.img")
    if problem:
        return problem
    machine = boot(disks=[disk], fresh_disks=False)
    machine.power_off()
    machine.close()
    volume = Volume(disk)
    problems = [judge(disk), recording.wrong(volume, heard), different(volume, mended)]
    return next(filter(None, problems), "")


@dataclass
class Trial:
    """Records once, then cuts."""

    boot: Boot
    laboratory: Laboratory
    folder: Path
    seed: str
    record_property: Callable[[str, object], None]

    def run(self, number: int, states: int) -> None:
        dice = random.Random(f"{self.seed} {number}")
        recording = record(self.boot, self.laboratory, self.folder, dice)
        for cut in choose_cuts(recording.requests, states, dice):
            problem = judge_cut(self.boot, recording, cut, self.folder)
            if problem:
                fail(
                    f"{problem}\nafter {cut} (of {len(recording.requests)}); seed {self.seed} "
                    f"(CAIRN_SEED={self.seed} repeats the test)"
                )
        self.record_property("counted", ("disks booted after power cuts", states))


@pytest.fixture
def trial(
    boot: Boot, laboratory: Laboratory, tmp_path: Path, seed: str,
    record_property: Callable[[str, object], None],
) -> Trial:  # fmt: skip
    return Trial(boot, laboratory, tmp_path, seed, record_property)


@pytest.mark.exercise("6.13", points=3)
def test_power_cuts_in_the_system(trial: Trial) -> None:
    """Several processes at work, and no power: what was acknowledged is there, nothing by half."""
    trial.run(0, 4)


@pytest.mark.parametrize("number", range(1, RECORDINGS + 1))
def test_many_power_cuts(trial: Trial, number: int) -> None:
    trial.run(number, STATES)
