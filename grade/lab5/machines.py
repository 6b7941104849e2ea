"""Machines that start from an archive of the grader's own: its services, its programs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from grade.harness.failure import HarnessError
from grade.harness.guest import write_archive

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


def grade_archive(build: Path, folder: Path, services: str, programs: Iterable[str]) -> Path:
    """A boot archive with init, these programs, and this services file."""
    members: list[tuple[str, bytes | Path]] = [("services.conf", services.encode())]
    for name in ("init", *programs):
        places = [build / part / name for part in ("boot", "bin", "grade/lab5")]
        found = next((place for place in places if place.exists()), None)
        if found is None:
            raise HarnessError(f"{name} is not built; run make")
        members.append((name, found))
    return write_archive(folder / "grade.cpio", members)


def random_image(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
