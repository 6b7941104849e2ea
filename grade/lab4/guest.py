"""Boots for this lab's tests: an archive of the test's own, in any tree, on any tree's kernel."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from grade.harness.guest import make_archive
from grade.harness.plugin import Laboratory
from grade.lab4.native import ROOT

PAYLOAD_MARK = struct.pack("<2Q", 0x6461706E72696163, 0x2164616F6C796170)
PAYLOAD_MAX = 0x40000
BOOT_SECONDS = 6.0  # a boot takes a fraction of one, and what a program then does another


def words(values: Iterable[int]) -> bytes:
    return b"".join(struct.pack("<Q", value & (2**64 - 1)) for value in values)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def with_payload(program: Path, payload: bytes) -> bytes:
    """A program whose payload the host has written."""
    assert len(payload) <= PAYLOAD_MAX
    data = bytearray(program.read_bytes())
    at = data.find(PAYLOAD_MARK)
    assert at >= 0, f"{program.name} has no room for a payload"
    data[at : at + len(payload)] = payload
    return bytes(data)


def write_archive(
    laboratory: Laboratory, path: Path, members: Sequence[tuple[str, bytes | Path]]
) -> Path:
    """A boot archive; a Path is a program below the build folder."""
    files = []
    for name, data in members:
        if isinstance(data, Path):
            program = laboratory.build / data
            if not program.exists():
                pytest.fail(f"{program} was not built; run make", pytrace=False)
            data = program.read_bytes()
        files.append((name, data))
    path.write_bytes(make_archive(ROOT, files))
    return path
