"""Exercises 7.1 and 7.2: the checksum, and the IPv4 header."""

from __future__ import annotations

import random
import struct
from ipaddress import IPv4Address

import pytest

from grade.lab7.host import Script
from grade.lab7.wire import checksum, ipv4

ROUNDS = 150


def native(value: int) -> int:
    """A sum as the stack keeps it: in memory order, on a little-endian machine."""
    return int(struct.unpack("<H", struct.pack(">H", value))[0])


def folded(sum_: int) -> int:
    while sum_ >> 16:
        sum_ = (sum_ & 0xFFFF) + (sum_ >> 16)
    return sum_


def same(seen: int, wanted: int) -> bool:
    """Ones' complement has two zeros."""
    return seen == wanted or {seen, wanted} == {0, 0xFFFF}


@pytest.mark.exercise("7.1", points=4)
def test_sums(script: Script, rng: random.Random) -> None:
    """Any length and alignment, carries, and sums that are built up piece by piece."""
    cases: list[tuple[int, int, bytes]] = []
    for turn in range(ROUNDS):
        length = turn if turn < 40 else rng.randrange(2000)
        data = rng.choice((rng.randbytes(length), b"\xff" * length, bytes(length)))
        start = rng.choice((0, 0xFFFF, rng.randrange(65536)))
        cases.append((script.add("sum", start, data), start, data))
    odd: list[tuple[int, bytes, bytes]] = []
    for _ in range(20):  # two halves that meet at an odd place
        first, second = rng.randbytes(2 * rng.randrange(50) + 1), rng.randbytes(rng.randrange(99))
        script.add("sum", 0, first)
        value = native(~checksum(first) & 0xFFFF)
        odd.append((script.add("sum-odd", value, second), first, second))
    answers = script.run()
    for index, start, data in cases:
        seen = int(answers[index].said.split()[1])
        wanted = folded(start + native(~checksum(data) & 0xFFFF))
        if not same(seen, wanted):
            script.fail(index, f"the sum of {len(data)} bytes, from {start:#06x}: expected "
                               f"{wanted:#06x}, got {seen:#06x}")
    for index, first, second in odd:
        seen = int(answers[index].said.split()[1])
        wanted = native(~checksum(first + second) & 0xFFFF)
        if not same(seen, wanted):
            script.fail(index, f"{len(first)} and then {len(second)} bytes: expected the sum of "
                               f"the whole, {wanted:#06x}, got {seen:#06x}")


def described(packet: bytes) -> str:
    """What ipv4_parse must say of these bytes, as the driver prints it."""
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return "refused"
    length = (packet[0] & 15) * 4
    tos, total, identification, fragment, hops, protocol = struct.unpack(">xBHHHBB", packet[:10])
    if length < 20 or length > len(packet) or total < length:
        return "refused"
    source, to = IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
    flags = f"{fragment >> 14 & 1} {fragment >> 13 & 1} {(fragment & 0x1FFF) * 8}"
    return (f"header {length} {tos} {total} {identification} {flags} {hops} {protocol} {source} {to} "
            f"at {length}")


@pytest.mark.exercise("7.2", points=8)
def test_header(script: Script, rng: random.Random) -> None:
    """Good headers field by field; short ones, and ones that lie about their lengths."""
    cases: list[tuple[int, bytes]] = []
    for _ in range(ROUNDS):
        packet = ipv4(
            IPv4Address(rng.getrandbits(32)), IPv4Address(rng.getrandbits(32)), rng.randrange(256),
            rng.randbytes(rng.randrange(40)), identification=rng.getrandbits(16),
            fragment=rng.getrandbits(16), hops=rng.randrange(256),
            options=rng.randbytes(4 * rng.randrange(11)),
            total=rng.choice((None, rng.randrange(100), rng.randrange(65536))),
            first=rng.choice((None, None, rng.randrange(256))),
        )
        packet = packet[:1] + rng.randbytes(1) + packet[2:]
        if rng.random() < 0.3:
            packet = packet[: rng.randrange(len(packet) + 1)]
        cases.append((script.add("header", packet), packet))
    answers = script.run()
    for index, packet in cases:
        script.check(index, answers[index].said, described(packet),
                     f"ipv4_parse of the {len(packet)} bytes {packet[:28].hex()}...")
