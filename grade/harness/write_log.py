"""What a disk was told, in order: the log that QEMU's blklogwrites driver keeps, and the disks that
a power cut can leave.

Format: the kernel's Documentation/admin-guide/device-mapper/log-writes.rst. One sector with the
superblock, then for each request a sector that describes it, and its data.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grade.harness.disk import copy_image
from grade.harness.failure import HarnessError

MAGIC = 0x6A736677736872
VERSION = 1
SECTOR = 512
FLUSH, FUA, DISCARD = 1, 2, 4


@dataclass(frozen=True)
class Request:
    """A write, or a flush, which has no data."""

    end: int  # where it ends in the log, bytes
    offset: int  # on the disk, bytes
    data: bytes
    flush: bool


def read_write_log(path: Path) -> list[Request]:
    """All requests that are in the log as a whole; the count in its superblock may lag behind."""
    raw = path.read_bytes()
    magic, version, _, sector = struct.unpack_from("<QQQI", raw.ljust(SECTOR, b"\0"))
    if not any(raw[:SECTOR]):
        sector = SECTOR  # QEMU writes the superblock at a flush, and there was none
    elif (magic, version) != (MAGIC, VERSION):
        raise HarnessError(f"{path} is no log of writes")
    requests: list[Request] = []
    at = sector
    while at + sector <= len(raw):
        first, count, flags, _ = struct.unpack_from("<4Q", raw, at)
        at += sector
        size = 0 if flags & DISCARD else count * sector
        if at + size > len(raw) or (not count and not flags):
            break
        data = raw[at : at + size]
        at += size
        if flags & (FUA | DISCARD):
            raise HarnessError("this reader knows writes and flushes only")
        if flags & FLUSH:
            requests.append(Request(at, 0, b"", True))
        if data:
            requests.append(Request(at, first * sector, data, False))
    return requests


def sectors(request: Request) -> Iterator[tuple[int, bytes]]:
    """A write in the pieces that reach the medium whole or not at all."""
    for at in range(0, len(request.data), SECTOR):
        yield request.offset + at, request.data[at : at + SECTOR]


def survivors(requests: list[Request], dice: random.Random) -> Iterator[tuple[int, bytes]]:
    """What may have reached the medium of writes that were not flushed: any, in any order, in any
    pieces. How much, and how torn, is drawn once for all."""
    arrives = dice.choice((0.03, 0.5, 0.97))
    torn = dice.choice((0.03, 0.5))
    for request in dice.sample(requests, len(requests)):
        if dice.random() >= arrives:
            continue
        if dice.random() >= torn:
            yield request.offset, request.data
            continue
        part = dice.random()
        yield from (piece for piece in sectors(request) if dice.random() < part)


def disk_after_cut(
    base: Path, requests: list[Request], dice: random.Random | None, target: Path
) -> Path:
    """The disk when the power was cut behind these requests. dice: what was not flushed is lost,
    mixed up and torn; None: all of it had reached the medium."""
    copy_image(base, target)
    flush = max((i for i, request in enumerate(requests) if request.flush), default=-1) + 1
    pieces = [(request.offset, request.data) for request in requests[:flush]]
    rest = [request for request in requests[flush:] if not request.flush]
    if dice is None:
        pieces += [(request.offset, request.data) for request in rest]
    else:
        pieces += survivors(rest, dice)
    with target.open("r+b") as disk:
        for offset, data in pieces:
            disk.seek(offset)
            disk.write(data)
    return target
