"""The machine that Cairn runs on, as QEMU command-line arguments: the one place that knows it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

OLDEST_QEMU = (7, 2)
HARTS_MAX = 8
VIRTIO_SLOTS = 8
PEER = "peer"


class QemuError(Exception):
    """QEMU cannot be used as asked; the message says why and what to do."""


@dataclass(frozen=True)
class Disk:
    """A disk image; the n-th of a machine is block:virtio:n."""

    path: Path
    format: str = "raw"
    read_only: bool = False
    write_log: Path | None = None  # where to record all writes and flushes (write_log.py)


@dataclass(frozen=True)
class MachineConfig:
    """Everything about a machine that its user may choose."""

    kernel: Path
    archive: Path | None = None
    disks: tuple[Disk, ...] = ()
    append: str = ""
    smp: int = 1
    memory: str = "256M"
    icount: bool = False
    qemu: str = "qemu-system-riscv64"
    # The network interfaces, each a back end as -netdev has it ("user,restrict=on"), or PEER: a
    # raw link, whose other end is Machine.links.
    nets: tuple[str, ...] = ()
    descriptors: tuple[int, ...] = ()  # that QEMU inherits, beside those of the harness
    serial_console: bool = False  # the terminal is the UART, beside the kernel log
    extra: tuple[str, ...] = field(default=())  # further arguments, as they are


def quoted(path: Path) -> str:
    """A path inside a QEMU option, where a comma must be doubled."""
    return str(path).replace(",", ",,")


def qemu_version(qemu: str) -> tuple[int, int]:
    """(major, minor); raises QemuError when there is no QEMU or it does not answer."""
    if not shutil.which(qemu):
        raise QemuError(f"{qemu} is not installed; run scripts/setup")
    answer = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"version (\d+)\.(\d+)", answer.stdout)
    if not match:
        raise QemuError(f"{qemu} --version says {answer.stdout.strip() or answer.stderr.strip()!r}")
    return int(match[1]), int(match[2])


def require_qemu(qemu: str) -> None:
    """Raises QemuError unless this QEMU is new enough: an older one would hang without a word."""
    version = qemu_version(qemu)
    if version < OLDEST_QEMU:
        raise QemuError(
            f"{qemu} is version {version[0]}.{version[1]}, but Cairn needs "
            f"{OLDEST_QEMU[0]}.{OLDEST_QEMU[1]} or later; run scripts/doctor"
        )


def disk_arguments(disks: tuple[Disk, ...]) -> list[str]:
    """The disks come first: QEMU fills the virtio slots from 7 down, and init numbers them so."""
    arguments = []
    for index, disk in enumerate(disks):
        read_only = ",read-only=on" if disk.read_only else ""
        if disk.write_log:
            disk.write_log.touch()
            arguments += [
                "-blockdev",
                f"driver=blklogwrites,node-name=disk{index}"
                f",file.driver=file,file.filename={quoted(disk.path)}"
                f",log.driver=file,log.filename={quoted(disk.write_log)}",
            ]
        else:
            arguments += [
                "-drive",
                f"if=none,id=disk{index},format={disk.format},file={quoted(disk.path)}{read_only}",
            ]
        arguments += [
            "-device",
            f"virtio-blk-device,drive=disk{index}",
        ]
    return arguments


def net_arguments(nets: tuple[str, ...]) -> list[str]:
    """The interfaces, in the order in which netd numbers them: eth0, eth1, ..."""
    arguments = []
    for index, backend in enumerate(nets):
        arguments += [
            "-netdev",
            f"{backend},id=net{index}",
            "-device",
            f"virtio-net-device,netdev=net{index},mac=52:54:00:12:34:{0x56 + index:02x}",
        ]
    return arguments


def machine_arguments(config: MachineConfig) -> list[str]:
    """The command that starts this machine, without consoles, log and monitors."""
    if not 1 <= config.smp <= HARTS_MAX:
        raise QemuError(f"SMP={config.smp}: the machine has 1 to {HARTS_MAX} harts")
    for name, path in (
        ("kernel", config.kernel),
        ("boot archive", config.archive),
        *(("disk", disk.path) for disk in config.disks),
    ):
        if path is not None and not path.exists():
            raise QemuError(f"the {name} {path} does not exist; run make")
    arguments = [
        config.qemu,
        "-nodefaults",
        "-M",
        "virt",
        "-cpu",
        "rv64",
        "-smp",
        str(config.smp),
        "-m",
        config.memory,
        "-bios",
        "default",
        "-kernel",
        str(config.kernel),
        "-global",
        "virtio-mmio.force-legacy=false",
        "-display",
        "none",
        "-device",
        "virtio-rng-device",
    ]
    if config.archive is not None:
        arguments += ["-initrd", str(config.archive)]
    if config.append:
        arguments += ["-append", config.append]
    if config.icount:
        arguments += ["-icount", "shift=0,sleep=off"]
    return [
        *arguments,
        *disk_arguments(config.disks),
        *net_arguments(config.nets),
        *config.extra,
    ]
