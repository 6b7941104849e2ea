"""Exercises 5.5 and 5.9 on the whole system: random images, used by programs in the guest and
compared on the host."""

from __future__ import annotations

import os
import random
import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from grade.harness.failure import UNWRITTEN_LOGGED
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory
from grade.lab5.conftest import Dice
from grade.lab5.machines import SERVERS, SERVICES, TOOLS, grade_archive, random_image

Boot = Callable[..., Machine]
SECTOR = 512


@pytest.fixture
def start(boot: Boot, laboratory: Laboratory, tmp_path: Path) -> Callable[..., Machine]:
    """Boots the drivers and a shell, on these disks."""

    def run(**options: object) -> Machine:
        archive = grade_archive(
            laboratory.build, tmp_path, SERVICES, [*SERVERS, "sh", *TOOLS, "blkcopy"]
        )
        machine = boot(ready=False, archive=archive, **options)
        machine.hopeless = UNWRITTEN_LOGGED
        machine.console.wait_ready()
        return machine

    return run


def images(dice: Dice, folder: Path, *sectors: int) -> list[Path]:
    return [
        random_image(folder / f"disk{i}.img", dice.random.randbytes(count * SECTOR))
        for i, count in enumerate(sectors)
    ]


def compare(got: bytes, expected: bytes, what: str, dice: Dice) -> None:
    """The first difference, by sector; a hint where the bytes may come from."""
    assert len(got) == len(expected), f"{what}: {len(got)} bytes, expected {len(expected)}"
    if got == expected:
        return
    wrong = [i for i in range(len(got)) if got[i] != expected[i]]
    sector = wrong[0] // SECTOR
    piece = got[sector * SECTOR : (sector + 1) * SECTOR]
    found = expected.find(piece)
    zeros = "it is all zeros" if not any(piece) else ""
    place = f"it is what belongs at byte {found}" if found >= 0 and not zeros else zeros
    raise AssertionError(
        f"{what}: {len(wrong)} of {len(got)} bytes are wrong, the first is byte {wrong[0]} (sector "
        f"{sector}): {got[wrong[0]]:#04x}, expected {expected[wrong[0]]:#04x}. Of this sector: "
        f"{place or 'nothing like it is on the disk'}; {dice}"
    )


def disk_bytes(machine: Machine, number: int) -> bytes:
    return machine.config.disks[number].path.read_bytes()


@pytest.mark.exercise("5.5", points=3)
def test_console_and_random_numbers(start: Callable[..., Machine], dice: Dice) -> None:
    """Two given drivers on your queues: much text both ways, more requests than a queue has
    entries."""
    machine = start(disks=[])
    letters = string.ascii_letters + string.digits
    for _ in range(3):
        lines = [
            "".join(dice.random.choices(letters, k=dice.random.randint(1, 70))) for _ in range(120)
        ]
        text = "\n".join(lines) + "\n"
        got = machine.console.check("cat", typed=text)
        same = len(os.path.commonprefix([got, text]))
        assert got == text, (
            f"{len(text)} characters typed to `cat` came back as {len(got)}, different from "
            f"character {same} on; {dice}"
        )
    seen = set()
    for _ in range(6):
        dump = machine.console.check("dd if=random: bs=32 count=1 status=none | hexdump")
        numbers = "".join(line[8:] for line in dump.splitlines())
        assert len(re.findall(r"[0-9a-f]{4}", numbers)) == 16, f"random: gave\n{dump}"
        seen.add(numbers)
    assert len(seen) == 6, "random: gave the same numbers twice"


@pytest.mark.exercise("5.9", points=3)
def test_disks_are_copied_byte_for_byte(
    start: Callable[..., Machine], tmp_path: Path, dice: Dice
) -> None:
    """Three disks, whole copies through windows, and ranges that are printed."""
    count = dice.random.randint(1500, 3000)
    disks = images(dice, tmp_path, count, count, count + dice.random.randint(1, 300))
    before = [path.read_bytes() for path in disks]
    machine = start(disks=disks)
    for _ in range(3):
        position = dice.random.randrange((count - 1) * SECTOR)
        dump = machine.console.check(
            f"dd if=block:virtio:1 bs=1 skip={position} count=64 status=none | hexdump"
        )
        words = " ".join(line[8:] for line in dump.splitlines()).split()
        got = b"".join(int(word, 16).to_bytes(2, "little") for word in words)
        expected = before[1][position : position + 64]
        assert got == expected, (
            f"64 bytes of disk 1 at {position}: expected {expected.hex()}, got {got.hex()}; {dice}"
        )
    size = dice.random.choice((512, 4096, 65536, 100_000, dice.random.randint(2000, 200_000)))
    machine.console.check(f"dd if=block:virtio:0 of=block:virtio:2 bs={size} conv=notrunc")
    machine.power_off()
    for number, expected in enumerate(
        (before[0], before[1], before[0] + before[2][len(before[0]) :])
    ):
        what = f"disk {number} after `dd` copied disk 0 to disk 2 in blocks of {size}"
        compare(disk_bytes(machine, number), expected, what, dice)


def pieces(dice: random.Random, total: int, count: int) -> list[tuple[int, int]]:
    """Ranges side by side, none empty."""
    cuts = sorted(dice.sample(range(1, total), count - 1))
    return list(zip([0, *cuts], [*cuts, total], strict=True))


@pytest.mark.exercise("5.9", points=3)
def test_neighbours_write_at_the_same_time(
    start: Callable[..., Machine], tmp_path: Path, dice: Dice
) -> None:
    """Several programs write ranges that share sectors; every byte must be there at the end."""
    disks = images(dice, tmp_path, 256, 256)
    source, target = (bytearray(path.read_bytes()) for path in disks)
    machine = start(disks=disks, smp=2)
    for _ in range(2):
        unit = dice.random.choice((33, 100, 333))
        base = dice.random.randrange(100_000 // unit)
        jobs = []
        for first, end in pieces(dice.random, 4000 // unit, 5):
            skip, count = dice.random.randrange(100_000 // unit), end - first
            jobs.append(
                f"(dd if=block:virtio:0 bs={unit} skip={skip} count={count} status=none | "
                f"dd of=block:virtio:1 bs={unit} seek={base + first} conv=notrunc status=none) &"
            )
            at, start_of = (base + first) * unit, skip * unit
            target[at : at + count * unit] = source[start_of : start_of + count * unit]
        machine.console.check(" ".join([*jobs, "wait"]))
    machine.power_off()
    compare(disk_bytes(machine, 0), bytes(source), "disk 0, which was only read", dice)
    compare(disk_bytes(machine, 1), bytes(target), "disk 1 behind many small writes", dice)


def blkdebug(path: Path, number: int, *options: str) -> tuple[str, ...]:
    """A disk whose requests QEMU's blkdebug driver can stop or fail."""
    drive = ["if=none", f"id=disk{number}", "driver=raw", "file.driver=blkdebug"]
    drive += ["file.image.driver=file", f"file.image.filename={path}", *options]
    return ("-drive", ",".join(drive), "-device", f"virtio-blk-device,drive=disk{number}")


@pytest.mark.exercise("5.9", points=2)
def test_a_slow_request_holds_nobody_up(
    start: Callable[..., Machine], tmp_path: Path, dice: Dice
) -> None:
    """QEMU keeps one write back; reads of the same disk go on meanwhile."""
    fast, slow = images(dice, tmp_path, 64, 300)
    before = slow.read_bytes()
    (tmp_path / "copy.img").write_bytes(bytes(len(before)))
    machine = start(disks=[fast, tmp_path / "copy.img"], extra=blkdebug(slow, 2))
    machine.qmp.monitor('qemu-io disk2 "break write_aio held"')
    place = dice.random.randrange(60)
    console = machine.console
    console.check(
        f"dd if=block:virtio:0 of=block:virtio:2 bs=2048 count=1 seek={place} conv=notrunc "
        "status=none &"
    )
    console.check("dd if=block:virtio:2 of=block:virtio:1 bs=10000 conv=notrunc status=none")
    assert slow.read_bytes() == before, "the write was held back, but the image has changed"
    machine.qmp.monitor('qemu-io disk2 "resume held"')
    console.check("wait")
    machine.power_off()
    compare(disk_bytes(machine, 1), before, "a copy of the disk, made while a write hung", dice)
    at = place * 2048
    written = before[:at] + disk_bytes(machine, 0)[:2048] + before[at + 2048 :]
    compare(slow.read_bytes(), written, "the disk, when the write was let go", dice)


@pytest.mark.exercise("5.9", points=2)
def test_dma_flush_and_bad_sectors(
    start: Callable[..., Machine], tmp_path: Path, dice: Dice
) -> None:
    """Eight threads copy by DMA; a flush reaches the device; a bad sector is an error of its own
    request only, more often than there are buffers."""
    source, target, damaged = images(dice, tmp_path, 2000, 2000, 100)
    bad = dice.random.randrange(1, 99)
    rule = ("event=read_aio", f"sector={bad}", "errno=5", "once=off")
    options = [f"file.inject-error.0.{option}" for option in rule]
    machine = start(disks=[source, target], extra=blkdebug(damaged, 2, *options))
    expected = bytearray(target.read_bytes())
    words, at = [], 0
    while at < 1700:
        count, sector = dice.random.randint(1, 128), dice.random.randrange(1870)
        words.append(f"{sector},{at},{count}")
        expected[at * SECTOR : (at + count) * SECTOR] = source.read_bytes()[
            sector * SECTOR : (sector + count) * SECTOR
        ]
        at += count + dice.random.randrange(20)
    dice.random.shuffle(words)
    flushes = flush_count(machine, "disk1")
    machine.console.check(f"blkcopy 0 1 {' '.join(words)}")
    assert flush_count(machine, "disk1") > flushes, "BLK_FLUSH was answered, QEMU saw no flush"
    read = "dd if=block:virtio:2 of=block:virtio:1 bs=512 count=1 seek=1990 conv=notrunc"
    for _ in range(20):
        result = machine.console.run(f"{read} skip={bad}")
        assert result.status != 0, f"reading bad sector {bad} succeeded; {dice}"
    good = bad - 1
    machine.console.check(f"{read} skip={good}")
    machine.power_off()
    expected[1990 * SECTOR : 1991 * SECTOR] = damaged.read_bytes()[
        good * SECTOR : (good + 1) * SECTOR
    ]
    compare(disk_bytes(machine, 1), bytes(expected), "the target of `blkcopy`", dice)


def flush_count(machine: Machine, device: str) -> int:
    """How many flushes QEMU has done for this disk."""
    for entry in machine.qmp.command("query-blockstats"):
        if entry.get("device") == device:
            return int(entry["stats"]["flush_operations"])
    raise AssertionError(f"QEMU has no disk {device}")
