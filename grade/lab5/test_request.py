"""Exercise 5.6: requests with numbers of all kinds, against the same check with numbers that
cannot overflow."""

from __future__ import annotations

import random
from dataclasses import astuple, dataclass

import pytest

from grade.lab5.conftest import Dice, Programs

SECTOR, SECTORS_MAX, WINDOW = 512, 128, 1
EINVAL = 22
REQUESTS = 3000
SECTORS_OF_A_DISK_MAX = (1 << 54) - 1  # its bytes fit into 63 bits; blkd sees to that


@dataclass(frozen=True)
class Request:
    """What a client asks for, and what there is."""

    sector: int
    count: int
    flags: int
    offset: int
    sectors: int
    object_size: int
    window_size: int

    @property
    def size(self) -> int:
        return self.window_size if self.flags & WINDOW else self.object_size

    def wrong(self) -> str:
        """Why it must be refused; empty if it is good."""
        if self.flags & ~WINDOW:
            return "a flag that does not exist"
        if not 1 <= self.count <= SECTORS_MAX:
            return f"{self.count} sectors at a time"
        if self.sector + self.count > self.sectors:
            return "beyond the end of the disk"
        if self.offset % SECTOR:
            return "the offset is no multiple of 512"
        if self.offset + self.count * SECTOR > self.size:
            return "beyond the end of the client's memory"
        return ""


def around(dice: random.Random, value: int, bits: int) -> int:
    """Near a value that matters, wrapped to what the field can hold."""
    return (value + dice.randint(-2, 2)) % (1 << bits)


def random_request(dice: random.Random) -> Request:
    """Mostly good, with one or two numbers at or beyond an edge."""
    sectors = dice.choice((0, 1, 2, 128, 2048, dice.randrange(1 << 32), SECTORS_OF_A_DISK_MAX))
    size = dice.choice((0, 1, 512, 1000, 65536, dice.randrange(1 << 20), 1 << 40))
    flags = dice.choice((0, WINDOW))
    count = dice.choice((1, 2, 127, 128, dice.randint(1, 128)))
    sector = dice.randrange(max(1, sectors - count + 1))
    offset = SECTOR * dice.randrange(max(1, (size - count * SECTOR) // SECTOR + 1))
    edge = dice.randrange(8)
    if edge == 0:
        sector = around(dice, sectors - count, 64)
    elif edge == 1:
        sector = around(dice, dice.choice((0, 1 << 63, -count, -1)), 64)
    elif edge == 2:
        count = dice.choice((0, 129, 255, 256, 1 << 23, 0x80000000, 0xFFFFFFFF))
    elif edge == 3:
        offset = (SECTOR * around(dice, (size - count * SECTOR) // SECTOR, 55)) % (1 << 64)
    elif edge == 4:
        offset = (1 << 64) - SECTOR * dice.randint(1, 129)
    elif edge == 5:
        offset = around(dice, offset, 64)
    elif edge == 6:
        flags |= dice.choice((2, 4, 0x80000000))
    other = dice.choice((0, size, size * 2))
    sizes = (other, size) if flags & WINDOW else (size, other)
    return Request(sector, count, flags, offset, sectors, *sizes)


@pytest.mark.exercise("5.6")
def test_only_possible_requests_pass(programs: Programs, dice: Dice) -> None:
    requests = [random_request(dice.random) for _ in range(REQUESTS)]
    text = "".join(" ".join(f"{x:x}" for x in astuple(r)) + "\n" for r in requests)
    lines = programs("check").run(text).splitlines()
    assert len(lines) == len(requests), f"the program ended before the last request; {dice}"
    for request, line in zip(requests, lines, strict=True):
        result, position, length, offset, window = line.split()
        what = f"{request}\n{dice}\n"
        if request.wrong():
            assert result == str(-EINVAL), (
                f"{what}expected -EINVAL ({request.wrong()}), got {result}"
            )
            continue
        assert result == "0", f"{what}expected 0: all of it is in range; got {result}"
        got = (int(position, 16), int(length, 16), int(offset, 16), int(window))
        expected = (
            request.sector * SECTOR,
            request.count * SECTOR,
            request.offset,
            request.flags & WINDOW,
        )
        assert got == expected, (
            f"{what}expected position, length, offset, window {expected}, got {got}"
        )
