"""Measure Cairn and show the numbers beside the targets; nothing here passes or fails.

    python -m grade.bench --build build

The guest program /test/bench prints lines `bench NAME VALUE UNIT`. It runs twice: under -icount,
where a nanosecond of guest time is one instruction and counts repeat exactly, and at full speed
for wall-clock times, which are noisy. BUILD/bench.json keeps both.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from grade.bench_network import measure_network
from grade.harness.disk import copy_image, find_tool
from grade.harness.failure import GuestFailure, HarnessError
from grade.harness.limits import Limits, calibrate
from grade.harness.machine import Machine
from grade.harness.qemu import Disk, MachineConfig, QemuError, qemu_version

BENCH_SECONDS = 240.0
LINE = re.compile(r"^bench (\S+) ([-+.\deE]+) (\S+)\s*$", re.MULTILINE)
BOOTS = 5
JOURNAL_RUNS = 3


@dataclass(frozen=True)
class Target:
    """What architecture.md wants of a number; empty where it says nothing."""

    counted: str = ""  # of the run under -icount
    wall: str = ""  # of the run at full speed


TARGETS = {
    "ipc_round_trip": Target("<= 400 instructions", "<= 10000 ns"),
    "null_syscall": Target("<= 80 instructions", "<= 500 ns"),
    "spawn_wait": Target("", "<= 500000 ns"),
    "file_read_cold": Target("", ">= 100 MB/s"),
    "file_read_cached": Target("", ">= 300 MB/s"),
    "file_write_fsync": Target("", ">= 50 MB/s"),
    "large_write_ratio": Target("", "<= 1.5"),
    "fsyncs_per_commit": Target("", "> 1"),
    "block_read_4k": Target("", "< 150000 ns"),
    "file_stat": Target("", "< 80000 ns"),
    "name_lookup": Target("", "< 120000 ns"),
    "small_send": Target("", "< 100000 ns"),
    "tcp_out_user": Target("", ">= 50 MB/s"),
    "tcp_in_user": Target("", ">= 95 MB/s"),
    "tcp_round_trip_user": Target("", "Linux 163-203 us"),
    "tcp_connections_user": Target("", "Linux 1100-1400 /s"),
    "tcp_out_tap": Target("", "Linux 259-281 MB/s"),
    "tcp_in_tap": Target("", "Linux 340-420 MB/s"),
    "tcp_round_trip_tap": Target("", "Linux 163 us"),
    "tcp_connections_tap": Target("", "Linux 2100 /s"),
    "tcp_out_tap_plain": Target("", "Linux 60-74 MB/s"),
    "tcp_in_tap_plain": Target("", "Linux 121-125 MB/s"),
    "tcp_round_trip_tap_plain": Target("", "Linux 185 us"),
    "tcp_connections_tap_plain": Target("", "Linux 1700 /s"),
    "tcp_idle_connections": Target("", ">= 5000 held"),
    "tcp_idle_memory": Target("", "<= 2048 bytes"),
    "boot_to_shell": Target("", "<= 200 ms"),
    "kernel_lines": Target("<= 6000 lines", ""),
}


@dataclass(frozen=True)
class Measure:
    value: float
    unit: str

    def __str__(self) -> str:
        return (
            f"{self.value:g} {self.unit}" if self.value < 1e6 else f"{self.value:.0f} {self.unit}"
        )


def parse(output: str) -> dict[str, Measure]:
    """The measures that the guest program printed."""
    return {name: Measure(float(value), unit) for name, value, unit in LINE.findall(output)}


def run_guest(
    config: MachineConfig, limits: Limits, command: str = "/test/bench"
) -> dict[str, Measure]:
    with Machine(config, limits) as machine:
        machine.console.wait_ready(60)
        return parse(machine.console.check(command, BENCH_SECONDS))


def copies(image: Path, folder: Path) -> tuple[Disk, Disk]:
    """Two copies of a disk in one place: as it is, and without its journal."""
    journaled = copy_image(image, folder / "journaled.img")
    plain = copy_image(image, folder / "plain.img")
    command = [find_tool("tune2fs"), "-O", "^has_journal", str(plain)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Disk(journaled), Disk(plain)


def journal_costs(config: MachineConfig, limits: Limits) -> dict[str, Measure]:
    """Large writes and many small fsyncs, with the journal and without, by turns."""
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as name:
        folder = Path(name)
        configs = [replace(config, disks=(disk,)) for disk in copies(config.disks[0].path, folder)]
        runs = [
            [run_guest(each, limits, "/test/bench write") for each in configs]
            for _ in range(JOURNAL_RUNS)
        ]
    result = runs[0][0]
    for name in ("large_write", "small_fsync"):
        journaled, plain = (min(run[i][name].value for run in runs) for i in (0, 1))
        result[name] = Measure(journaled, "ns")
        result[f"{name}_ratio"] = Measure(round(journaled / plain, 3), "x unjournaled")
    return result


def boot_time(config: MachineConfig, limits: Limits) -> Measure:
    """QEMU's start to the shell's first answer, the best of a few."""
    best = float("inf")
    for _ in range(BOOTS):
        with Machine(config, limits) as machine:
            machine.console.wait_ready()
            best = min(best, time.monotonic() - machine.started)
    return Measure(round(best * 1000), "ms")


def code_lines(text: str) -> int:
    """Lines that hold something besides blanks and comments."""
    text = re.sub(
        r'("(?:\\.|[^"\\])*")|/\*.*?\*/|//[^\n]*',
        lambda m: m[1] or re.sub(r"[^\n]", "", m[0]),
        text,
        flags=re.DOTALL,
    )
    return sum(bool(line.strip()) for line in text.splitlines())


def kernel_lines(folder: Path) -> Measure:
    """The kernel's size: C and assembly without its tests and what only stubs use."""
    sources = [
        path
        for pattern in ("*.c", "*.h", "*.S")
        for path in folder.rglob(pattern)
        if "test" not in path.parts and path.name != "exercise.h"
    ]
    return Measure(sum(code_lines(path.read_text()) for path in sources), "lines")


def table(counted: dict[str, Measure], wall: dict[str, Measure]) -> str:
    """Aligned columns: name, counted, its target, wall, its target."""
    rows = [("what", "counted", "target", "wall clock", "target")]
    for name in dict.fromkeys([*TARGETS, *counted, *wall]):
        target = TARGETS.get(name, Target())
        rows.append(
            (
                name,
                str(counted.get(name, "-")),
                target.counted,
                str(wall.get(name, "-")),
                target.wall,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def as_instructions(measures: dict[str, Measure]) -> dict[str, Measure]:
    """Under icount a nanosecond is an instruction."""
    return {
        name: Measure(m.value, "instructions") if m.unit == "ns" else m
        for name, m in measures.items()
    }


def measure(build: Path, qemu: str) -> tuple[dict[str, Measure], dict[str, Measure]]:
    limits = calibrate(qemu, 1)

    def config(icount: bool) -> MachineConfig:
        return MachineConfig(
            kernel=build / "kernel.elf",
            archive=build / "boot.cpio",
            append="plain",
            disks=(Disk(build / "root.img"),),
            icount=icount,
            qemu=qemu,
        )

    print("counting instructions ...", file=sys.stderr)
    counted = as_instructions(run_guest(config(icount=True), limits))
    print("measuring wall-clock times ...", file=sys.stderr)
    wall = run_guest(config(icount=False), limits)
    wall |= journal_costs(config(icount=False), limits)
    print("measuring the network ...", file=sys.stderr)
    for name, (value, unit) in measure_network(config(icount=False), limits).items():
        wall[name] = Measure(float(f"{value:.4g}"), unit)
    wall["boot_to_shell"] = boot_time(config(icount=False), limits)
    counted["kernel_lines"] = kernel_lines(Path("kernel"))
    return counted, wall


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--qemu", default="qemu-system-riscv64")
    options = parser.parse_args()
    try:
        counted, wall = measure(options.build.resolve(), options.qemu)
    except (GuestFailure, HarnessError, QemuError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(table(counted, wall))
    document = {
        "version": 1,
        "qemu": ".".join(map(str, qemu_version(options.qemu))),
        "host": platform.machine(),
        "counted": {name: vars(m) for name, m in counted.items()},
        "wall": {name: vars(m) for name, m in wall.items()},
    }
    path = options.build / "bench.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\nalso in {path}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
