"""From power-on to power-off: every way to start and stop the machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grade.harness.child import start_child
from grade.harness.disk import check_file_system, copy_image
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory
from grade.harness.qemu import machine_arguments

REPOSITORY = Path(__file__).resolve().parent.parent
RUN_QEMU = REPOSITORY / "scripts" / "run-qemu"
Boot = Callable[..., Machine]


@pytest.mark.fast
def test_boots_to_a_shell_and_powers_off(machine: Machine) -> None:
    assert machine.console.check("echo up") == "up\n"
    assert machine.console.check("cat /etc/motd") == (REPOSITORY / "root/etc/motd").read_text()


def test_last_line_reaches_a_slow_reader(laboratory: Laboratory, tmp_path: Path) -> None:
    """What was printed just before power-off must have left the UART."""
    workload = tmp_path / "workload"
    workload.write_bytes(bytes(4))
    append = "test=handles token=last-words"
    config = laboratory.config(
        kernel="kernel-test.elf", archive=workload, append=append, plain=False, disks=[]
    )
    for _ in range(3):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the smallest there is
            log = f"socket,id=log,fd={theirs.fileno()}"
            arguments = [*machine_arguments(config), "-chardev", log, "-serial", "chardev:log"]
            child = start_child(arguments, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
            theirs.close()
            ours.settimeout(laboratory.limits.seconds(20))
            text = b""
            while byte := ours.recv(1 if b"TEST" in text else 64):
                text += byte
                time.sleep(0.002 if b"TEST" in text else 0)
            assert child.wait() == 0
        assert text.endswith(b"END last-words\r\n"), text[-40:]


@pytest.mark.parametrize("smp", [2, 4, 8])
def test_boots_on_several_harts(boot: Boot, smp: int) -> None:
    machine = boot(smp=smp)
    assert machine.console.check("echo up") == "up\n"
    machine.power_off()


@pytest.mark.parametrize("mem", ["64M", "1G", "2G"])
def test_boots_with_little_and_much_memory(boot: Boot, mem: str) -> None:
    machine = boot(mem=mem)
    assert machine.console.check("echo up") == "up\n"
    machine.power_off()


def test_boots_without_a_disk(boot: Boot) -> None:
    """The shell is in the boot archive, so that a missing disk can be looked into."""
    machine = boot(disks=[])
    assert machine.console.check("echo up") == "up\n"
    assert machine.console.run("cat /etc/motd").status != 0
    machine.console.send("exit\n")


def test_shell_without_a_disk_does_not_wait_for_one(boot: Boot) -> None:
    """By the guest's clock, which counts instructions here: the wait would be 10 s of it."""
    clock = ("-rtc", "base=2026-01-01T00:00:00,clock=vm")
    machine = boot(disks=[], icount=True, extra=clock)
    now = machine.console.check("read now < time:; echo $now")
    assert now.startswith("2026-01-01T00:00:0"), f"the first answer came at {now}"
    machine.console.send("exit\n")


def test_second_disk_is_the_second_block_device(
    boot: Boot, laboratory: Laboratory, tmp_path: Path
) -> None:
    disk = tmp_path / "second.img"
    content = os.urandom(512).hex().encode() * 4
    disk.write_bytes(content)
    machine = boot(disks=[laboratory.root_image, disk])
    assert machine.console.check("head -c 1024 block:virtio:1") == content[:1024].decode()
    machine.power_off()


def test_reboot_keeps_files(machine: Machine) -> None:
    word = os.urandom(8).hex()
    machine.console.check(f"echo {word} > /home/kept")
    machine.console.send("reboot\n")
    machine.expect_log(r"OpenSBI v[\s\S]*OpenSBI v")
    machine.console.wait_ready()
    assert machine.console.check("cat /home/kept") == f"{word}\n"


def test_random_numbers_differ_between_boots(boot: Boot) -> None:
    seen = {boot().console.check("head -c 16 random: | hexdump") for _ in range(2)}
    assert len(seen) == 2


def test_services_are_up(machine: Machine) -> None:
    listing = machine.console.check("cat proc:list:")
    for name in ("init", "nsd", "piped", "randd", "blkd", "fsd", "consoled", "sh"):
        assert name in listing, f"{name} is not in proc:list:"


class TestRunQemu:
    """scripts/run-qemu, which `make qemu` runs, with input that is no terminal."""

    def run(
        self, laboratory: Laboratory, tmp_path: Path, typed: str | None
    ) -> subprocess.CompletedProcess[str]:
        for name in ("kernel.elf", "boot.cpio"):
            (tmp_path / name).symlink_to(laboratory.build / name)
        disk = copy_image(laboratory.root_image, tmp_path / "disk.img")
        environment = os.environ | {
            "BUILD": str(tmp_path),
            "DISK": str(disk),
            "QEMU": laboratory.qemu,
        }
        return subprocess.run(
            [sys.executable, RUN_QEMU],
            input=typed,
            stdin=subprocess.DEVNULL if typed is None else None,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
            timeout=laboratory.limits.seconds(60),
        )

    @pytest.mark.fast
    def test_piped_script(self, laboratory: Laboratory, tmp_path: Path) -> None:
        """All of the input is run, nothing else is printed, and its end ends the machine."""
        word = os.urandom(8).hex()
        lines = [f"echo {word[:8]}''{word[8:]}", "cat", "typed to cat"]
        answer = self.run(laboratory, tmp_path, "\n".join(lines) + "\n")
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.replace("\r", "") == f"{word}\ntyped to cat\n"
        assert check_file_system(tmp_path / "disk.img").clean

    def test_script_that_powers_off(self, laboratory: Laboratory, tmp_path: Path) -> None:
        answer = self.run(laboratory, tmp_path, "echo before\nshutdown\necho behind''it\n")
        assert answer.returncode == 0, answer.stderr
        assert "behindit" not in answer.stdout

    def test_no_input_at_all(self, laboratory: Laboratory, tmp_path: Path) -> None:
        answer = self.run(laboratory, tmp_path, None)
        assert answer.returncode == 0, answer.stderr
