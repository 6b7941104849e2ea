"""The log of a disk's writes, and the disks that come of it, on logs made here."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from grade.harness.failure import HarnessError
from grade.harness.write_log import (
    DISCARD,
    FLUSH,
    MAGIC,
    SECTOR,
    Request,
    disk_after_cut,
    read_write_log,
)


def entry(sector: int, data: bytes, flags: int = 0) -> bytes:
    head = struct.pack("<4Q", sector, len(data) // SECTOR, flags, 0)
    return head.ljust(SECTOR, b"\0") + data


def write_log(path: Path, *entries: bytes) -> Path:
    head = struct.pack("<QQQI", MAGIC, 1, 0, SECTOR)
    path.write_bytes(head.ljust(SECTOR, b"\0") + b"".join(entries))
    return path


def test_requests_in_their_order(tmp_path: Path) -> None:
    a, b = b"a" * 1024, b"b" * 512
    log = write_log(tmp_path / "log", entry(2, a), entry(0, b"", FLUSH), entry(7, b))
    assert read_write_log(log) == [
        Request(2048, 1024, a, False),
        Request(2560, 0, b"", True),
        Request(3584, 3584, b, False),
    ]


def test_cut_off_request_does_not_count(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", entry(1, b"a" * 512), entry(2, b"b" * 1024)[:-1])
    assert [request.offset for request in read_write_log(log)] == [512]


def test_log_without_any_flush_has_no_superblock(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(bytes(SECTOR) + entry(1, b"a" * 512))
    assert [request.offset for request in read_write_log(tmp_path / "log")] == [512]


def test_what_is_no_log_or_not_understood(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"something")
    with pytest.raises(HarnessError, match="no log"):
        read_write_log(tmp_path / "other")
    with pytest.raises(HarnessError, match="writes and flushes"):
        read_write_log(write_log(tmp_path / "log", entry(1, b"", DISCARD)))


def test_what_was_flushed_is_kept_and_the_rest_in_whole_sectors(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.write_bytes(b"." * 16 * SECTOR)
    flushed = Request(0, 0, b"f" * 2 * SECTOR, False)
    others = [Request(0, at * SECTOR, b"%x" % at * 4 * SECTOR, False) for at in (2, 4, 8)]
    requests = [flushed, Request(0, 0, b"", True), *others]
    whole = disk_after_cut(base, requests, None, tmp_path / "whole").read_bytes()
    assert whole == b"".join(bytes([c]) * SECTOR for c in b"ff2244448888....")
    seen = set()
    for seed in range(200):
        disk = disk_after_cut(base, requests, random.Random(seed), tmp_path / "cut").read_bytes()
        sectors = [disk[at : at + SECTOR] for at in range(0, len(disk), SECTOR)]
        assert all(len(set(sector)) == 1 for sector in sectors)
        assert sectors[:2] == [b"f" * SECTOR] * 2
        seen.add(bytes(sector[0] for sector in sectors))
    assert whole[::SECTOR] in seen and b"ff.............." in seen
    assert any(state[4:6] == b"22" and state[8:12] == b"8888" for state in seen)  # out of order
    assert any(b"8.8" in state for state in seen)  # torn
