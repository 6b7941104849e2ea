"""Machines that start from an archive of the grader's own: its services, its programs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from grade.harness.failure import HarnessError

ROOT = Path(__file__).resolve().parents[2]
UNWRITTEN = re.compile(rb"exercise \d+\.\d+ is yours to write: \w+")

# Everything up to the drivers; no file system, so that each disk is just its bytes.
SERVICES = """
service nsd
    run nsd
    namespace
    give sys:console sys:facts sys:stats sys:clock sys:process sys: proc: time: boot:
    priority 26
service piped
    run piped
    serves pipe:
    priority 22
service randd
    run randd
    device rng maybe
    serves random:
    priority 22
service blkd
    run blkd
    device block
    optional
    serves block:virtio
    endpoint block
    priority 24
service consoled
    run consoled
    device console maybe
    serves console:
    priority 23
shell sh
    run sh
    env STDIO=console:
    cwd /
"""
SERVERS = ("nsd", "piped", "randd", "blkd", "consoled")
TOOLS = ("cat", "dd", "echo", "hexdump", "sleep", "shutdown", "ps")


def make_archive(build: Path, folder: Path, services: str, programs: Iterable[str]) -> Path:
    """A boot archive with init, these programs, and this services file."""
    configuration = folder / "services.conf"
    configuration.write_text(services)
    files = [configuration]
    for name in ("init", *programs):
        places = [build / part / name for part in ("boot", "bin", "grade/lab5")]
        found = next((place for place in places if place.exists()), None)
        if found is None:
            raise HarnessError(f"{name} is not built; run make")
        files.append(found)
    archive = folder / "grade.cpio"
    words = [sys.executable, str(ROOT / "scripts/make-archive"), "-o", str(archive)]
    words += ["--strip", os.environ.get("CROSS", "riscv64-unknown-elf-") + "strip"]
    answer = subprocess.run(
        [*words, *map(str, files)], capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise HarnessError(f"the archive cannot be made: {answer.stderr.strip()}")
    return archive


def random_image(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
