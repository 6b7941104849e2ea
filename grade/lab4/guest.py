"""Programs of this lab's tests in the guest, with a workload of the host's."""

from __future__ import annotations

import struct
from pathlib import Path

PAYLOAD_MARK = struct.pack("<2Q", 0x6461706E72696163, 0x2164616F6C796170)
PAYLOAD_MAX = 0x40000
BOOT_SECONDS = 6.0  # a boot takes a fraction of one, and what a program then does another


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
