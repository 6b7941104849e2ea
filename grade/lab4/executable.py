"""Executables made by the host: random segments, with a hole for the code that looks at them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from random import Random

PAGE = 4096
CODE_SIZE = 2048
READ, WRITE, EXECUTE = 4, 2, 1  # flags of program headers
ENTRY_OF_TABLE = struct.Struct("<3Q")
HEADER_OF_TABLE = struct.Struct("<6Q")
STACK_KEPT = 2048  # bytes below the spawn block that the probe itself uses
WORD = 2**64 - 1

NOTHING, STORE, JUMP = 0, 1, 2  # what a probe does at its end


def page_up(value: int) -> int:
    return (value + PAGE - 1) & -PAGE


@dataclass
class Segment:
    """One program header and its bytes."""

    flags: int
    address: int
    data: bytearray
    memory_size: int
    offset: int = 0  # in the file

    @property
    def writable(self) -> bool:
        return bool(self.flags & WRITE)

    def memory(self) -> bytearray:
        """What a new process must find there."""
        return self.data + bytes(self.memory_size - len(self.data))


@dataclass
class Executable:
    """A program of random segments. The first one holds the probe and its table."""

    segments: list[Segment]
    nonce: int
    factor: int
    stack_size: int
    action: int = NOTHING
    action_address: int = 0
    runs: int = 2
    refused: bool = False  # it must not be started
    code: int = 0  # offset of the hole in the first segment
    table: int = 0  # of the table
    shuffled: list[Segment] = field(default_factory=list)  # in the order of the headers

    def table_bytes(self) -> bytes:
        """As struct table of loader.c; the segment with the table itself is not summed up."""
        ranges = self.segments[1:]
        head = HEADER_OF_TABLE.pack(
            self.nonce,
            self.factor,
            self.action,
            self.action_address,
            self.stack_size,
            len(ranges),
        )
        entries = [
            ENTRY_OF_TABLE.pack(segment.address, segment.memory_size, segment.writable)
            for segment in ranges
        ]
        return head + b"".join(entries)

    def image(self) -> bytes:
        """The ELF file."""
        first = self.segments[0]
        data = self.table_bytes()
        first.data[self.table : self.table + len(data)] = data
        headers = self.shuffled or self.segments
        file = bytearray(64 + 56 * len(headers))
        file[0:64] = struct.pack(
            "<4s4B8x2HI3QI6H",
            b"\x7fELF",
            2,
            1,
            1,
            0,
            2,
            243,
            1,
            first.address + self.code,
            64,
            0,
            0,
            64,
            56,
            len(headers),
            0,
            0,
            0,
        )
        for index, segment in enumerate(headers):
            struct.pack_into(
                "<2I6Q",
                file,
                64 + 56 * index,
                1,
                segment.flags,
                segment.offset,
                segment.address,
                segment.address,
                len(segment.data),
                segment.memory_size,
                PAGE,
            )
            end = segment.offset + len(segment.data)
            file.extend(bytes(max(0, end - len(file))))
            file[segment.offset : end] = segment.data
        return bytes(file)

    # ---- What the probe must tell ----

    def sum(self, data: bytes) -> int:
        value = 0
        for byte in data:
            value = (value * self.factor + byte + 1) & WORD
        return value

    def expected(self) -> dict[tuple[int, int], int]:
        """(kind, index) -> value: 1 and 2 are the segments before and after all were written to,
        3 and 4 the unused part of the stack."""
        told = {}
        for index, segment in enumerate(self.segments[1:]):
            memory = segment.memory()
            told[1, index] = self.sum(memory)
            if segment.writable:
                memory = bytearray(
                    byte ^ ((n * 7 + index + 1) & 255) for n, byte in enumerate(memory)
                )
            told[2, index] = self.sum(memory)
        unused = self.stack_size - STACK_KEPT
        told[3, 0] = self.sum(bytes(unused))
        told[4, 0] = self.sum(bytes((n + 5) & 255 for n in range(unused)))
        return told

    def told(self) -> str:
        """For a reader: the program headers."""
        lines = ["    offset   address     in file  in memory"]
        for segment in self.shuffled or self.segments:
            letters = "".join(
                letter if segment.flags & flag else "-"
                for letter, flag in (("R", READ), ("W", WRITE), ("X", EXECUTE))
            )
            lines.append(
                f"    {segment.offset:#08x} {segment.address:#011x} {len(segment.data):#08x} "
                f"{segment.memory_size:#08x} {letters}"
            )
        return "\n".join(lines)


def random_executable(dice: Random, kinds: str, runs: int = 2) -> Executable:
    """kinds, a letter per segment behind the code: r constants, R constants with zeros behind
    them, w data, W data with zeros behind them, z zeros only."""
    count = len(kinds)
    table_size = HEADER_OF_TABLE.size + ENTRY_OF_TABLE.size * count
    code = dice.randrange(16, 2000, 4)
    table = (code + CODE_SIZE + dice.randrange(200) + 7) & ~7
    size = table + table_size + dice.randrange(100)
    segments = [Segment(READ | EXECUTE, 0, bytearray(dice.randbytes(size)), size)]
    for kind in kinds:
        data = bytearray(dice.randbytes(0 if kind == "z" else dice.randint(1, 2 * PAGE)))
        more = dice.randint(1, 2 * PAGE) if kind in "RWz" else 0
        flags = READ if kind in "rR" else READ | WRITE
        segments.append(Segment(flags, 0, data, len(data) + more))
    place_segments(dice, segments)
    shuffled = segments[:]
    dice.shuffle(shuffled)
    return Executable(
        segments,
        nonce=dice.getrandbits(63),
        factor=dice.getrandbits(63) | 1,
        stack_size=dice.choice((16, 24, 32)) << 10,
        runs=runs,
        code=code,
        table=table,
        shuffled=shuffled,
    )


def place_segments(dice: Random, segments: list[Segment]) -> None:
    """Random addresses in random order, and offsets in the file that fit them: close together, so
    that one page of the file can hold the end of one segment and the beginning of the next."""
    order = segments[:]
    dice.shuffle(order)
    address = 0x10000 + PAGE * dice.randrange(64)
    for segment in order:
        segment.address = address + dice.randrange(0, PAGE - 16, 8)
        address = page_up(segment.address + segment.memory_size)
        address += PAGE * dice.choice((0, 0, 1, dice.randrange(1 << 16)))
    offset = 64 + 56 * len(segments)
    dice.shuffle(order)
    for segment in order:
        offset += (segment.address - offset) % PAGE
        segment.offset = offset
        offset += len(segment.data)
