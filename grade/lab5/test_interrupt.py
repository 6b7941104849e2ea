"""Exercise 5.4: interrupts of real devices, raised from outside by changing the size of a disk."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from grade.harness.failure import UNWRITTEN_LOGGED, HarnessError
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory
from grade.lab5.conftest import Dice
from grade.lab5.machines import grade_archive, random_image

Boot = Callable[..., Machine]
SECTOR = 512
ETIMEDOUT = 110


class Probe:
    """The program irqprobe in the guest, and the hand on the disks' sizes."""

    def __init__(
        self, boot: Boot, laboratory: Laboratory, folder: Path, dice: Dice, *steps: str
    ) -> None:
        self.dice = dice
        self.word = "probe-" + secrets.token_hex(4)
        self.size = 0
        run = " ".join(["irqprobe", self.word, *steps])
        services = f"shell irqprobe\n    run {run}\n    device block\n"
        archive = grade_archive(laboratory.build, folder, services, ["irqprobe"])
        disks = [random_image(folder / f"{i}.img", bytes(SECTOR * (i + 1))) for i in range(2)]
        self.machine = boot(ready=False, archive=archive, disks=disks)
        self.machine.hopeless = UNWRITTEN_LOGGED
        assert self.hear("open") == (0, 0), "irqprobe cannot open its disks"

    def hear(self, what: str) -> tuple[int, int]:
        """The next thing that it tells, which must be this."""
        match = self.machine.expect_log(rf"^{self.word} (\w+) (-?\d+) ([0-9a-f]+)\r?\n")
        told = match[1].decode()
        said = match[0].decode().strip()
        assert told == what, f"irqprobe said `{said}`, expected: {what}; {self.dice}"
        return int(match[2]), int(match[3], 16)

    def interrupt(self, disk: int) -> None:
        """Have the disk interrupt: its size changes to a random one."""
        self.hear("ready")
        old = self.size  # the same size again would be no change
        while self.size == old:
            self.size = self.dice.random.randrange(4, 1 << 20)
        # After its last interrupt the guest may be off before QEMU answers; what it tells counts.
        with contextlib.suppress(HarnessError):
            self.machine.qmp.command(
                "block_resize", {"device": f"disk{disk}", "size": self.size * SECTOR}
            )

    def woke(self, after: str) -> None:
        """irq_wait has returned, and the program sees what the interrupt was about."""
        got = self.hear("woke")
        assert got == (0, self.size), (
            f"{after}: expected that irq_wait returns 0 and the disk has {self.size:#x} sectors, "
            f"got {got[0]} and {got[1]:#x}; {self.dice}"
        )

    def end(self) -> None:
        self.hear("end")


@pytest.mark.exercise("5.4", points=5)
def test_waiting_thread_is_woken(
    boot: Boot, laboratory: Laboratory, tmp_path: Path, dice: Dice
) -> None:
    """A thread in irq_wait; twice, with irq_ack in between; and an interrupt that came before."""
    disk = dice.random.randrange(2)
    steps = (f"wait,{disk}", f"early,{1 - disk}", f"timer,{disk}")
    probe = Probe(boot, laboratory, tmp_path, dice, *steps)
    for turn in ("the first interrupt", "the second interrupt, behind irq_ack"):
        probe.interrupt(disk)
        probe.woke(turn)
    probe.interrupt(1 - disk)
    probe.woke("an interrupt that came before irq_wait")
    probe.interrupt(disk)
    probe.woke("an interrupt before the deadline of irq_wait")
    error, long_enough = probe.hear("slept")
    assert error == -ETIMEDOUT and long_enough, (
        "after irq_wait ended by the interrupt, its deadline ended another wait of the thread "
        f"early (result {error}); {dice}"
    )
    probe.end()


@pytest.mark.exercise("5.4", points=5)
def test_interrupt_becomes_a_pulse(
    boot: Boot, laboratory: Laboratory, tmp_path: Path, dice: Dice
) -> None:
    """The bit that the driver chose; once until it acknowledges; of the right device."""
    disk, bit = dice.random.randrange(2), dice.random.randrange(64)
    bits = dice.random.sample(range(64), 2)
    probe = Probe(
        boot, laboratory, tmp_path, dice, f"pulse,{disk},{bit}", f"both,{bits[0]},{bits[1]}"
    )
    for turn in ("first", "second"):
        probe.interrupt(disk)
        got = probe.hear("pulse")
        assert got == (0, 1 << bit), (
            f"{turn} interrupt, registered with bit {bit}: expected pulse bits {1 << bit:#x}, got "
            f"{got[1]:#x} (result {got[0]}); {dice}"
        )
        probe.interrupt(disk)
        got = probe.hear("quiet")
        assert got[0] == -ETIMEDOUT, (
            f"{turn} interrupt, not yet acknowledged: when the device raised once more, a pulse came "
            f"(bits {got[1]:#x}); {dice}"
        )
        assert probe.hear("size") == (0, probe.size), f"the disk's size is wrong; {dice}"
    for turn in range(4):
        chosen = dice.random.randrange(2)
        probe.interrupt(chosen)
        got = probe.hear("pulse")
        assert got == (0, 1 << bits[chosen]), (
            f"disks 0 and 1 pulse with bits {bits[0]} and {bits[1]}, disk {chosen} interrupts "
            f"(turn {turn + 1}): expected {1 << bits[chosen]:#x}, got {got[1]:#x}; {dice}"
        )
    probe.end()
