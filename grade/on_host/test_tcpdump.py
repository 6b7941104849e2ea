"""tcpdump on the host: what it says of frames, its filters, bad files."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from grade.on_host.build import needs_compiler
from grade.on_host.network import run

pytestmark = needs_compiler

MAC_A, MAC_B = bytes.fromhex("525400123456"), bytes.fromhex("52550a000202")


def ethernet(kind: int, payload: bytes, to: bytes = MAC_B) -> bytes:
    return to + MAC_A + struct.pack(">H", kind) + payload


def ipv4(protocol: int, payload: bytes, offset: int = 0) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, offset, 64, protocol, 0)
    return ethernet(0x800, head + bytes([10, 0, 2, 15, 10, 0, 2, 2]) + payload)


def ipv6(protocol: int, payload: bytes) -> bytes:
    head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 255)
    addresses = socket.inet_pton(socket.AF_INET6, "fe80::1") + socket.inet_pton(
        socket.AF_INET6, "ff02::1"
    )
    return ethernet(0x86DD, head + addresses + payload)


def tcp(flags: int, options: bytes = b"", data: bytes = b"") -> bytes:
    size = (20 + len(options)) << 10 & 0xF000
    head = struct.pack(">HHIIHHHH", 4321, 80, 1000, 2000, size | flags, 65535, 0, 0)
    return head + options + data


SYN_OPTIONS = bytes([2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7])
ARP_REQUEST = bytes.fromhex("0001080006040001") + MAC_A + bytes([10, 0, 2, 15]) + bytes(6) + bytes(
    [10, 0, 2, 2]
)
ARP_REPLY = bytes.fromhex("0001080006040002") + MAC_B + bytes([10, 0, 2, 2]) + MAC_A + bytes(
    [10, 0, 2, 15]
)
FRAMES = [
    (ethernet(0x806, ARP_REQUEST, b"\xff" * 6), "ARP, Request who-has 10.0.2.2 tell 10.0.2.15"),
    (ethernet(0x806, ARP_REPLY), "ARP, Reply 10.0.2.2 is-at 52:55:0a:00:02:02"),
    (ipv4(1, bytes([8, 0, 0, 0, 0, 5, 0, 1]) + bytes(56)),
     "IP 10.0.2.15 > 10.0.2.2: ICMP echo request, id 5, seq 1, length 64"),
    (ipv4(6, tcp(2, SYN_OPTIONS)),
     "IP 10.0.2.15.4321 > 10.0.2.2.80: Flags [S], seq 1000, win 65535, options [mss 1460,sackOK,"
     "TS val 7 ecr 0,nop,wscale 7], length 0"),
    (ipv4(6, tcp(0x18, b"", b"hello")),
     "IP 10.0.2.15.4321 > 10.0.2.2.80: Flags [P.], seq 1000:1005, ack 2000, win 65535, length 5"),
    (ipv4(17, struct.pack(">HHHH", 68, 67, 308, 0) + bytes(300)),
     "IP 10.0.2.15.68 > 10.0.2.2.67: UDP, length 300"),
    (ipv4(17, bytes(100), 0x2000 | 10),
     "IP 10.0.2.15 > 10.0.2.2: frag, length 100, more fragments"),
    (ipv6(58, bytes([134, 0, 0, 0]) + bytes(12)),
     "IP6 fe80::1 > ff02::1: ICMP6, router advertisement, length 16"),
    (ipv6(17, struct.pack(">HHHH", 5353, 5353, 8, 0)),
     "IP6 fe80::1.5353 > ff02::1.5353: UDP, length 0"),
    (ipv4(6, tcp(2, SYN_OPTIONS))[:40],
     "IP 10.0.2.15.4321 > 10.0.2.2.80: tcp, truncated or bad header"),
    (ipv4(6, b"")[:20], "IP truncated or bad header"),
    (MAC_A, "truncated frame"),
    (ethernet(0x88CC, b"x"), "ethertype 0x88cc"),
]  # fmt: skip


def pcap(frames: list[bytes], order: str = "<", magic: int = 0xA1B2C3D4) -> bytes:
    out = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, 1)
    for i, frame in enumerate(frames):
        out += struct.pack(order + "IIII", 3600 + i, 250_000, len(frame), len(frame)) + frame
    return out


ALL = [frame for frame, _ in FRAMES]


@pytest.mark.parametrize("order", ["<", ">"])
def test_tcpdump_reads_and_describes(programs: Path, order: str) -> None:
    answer = run(programs, "tcpdump", "-r", "-", stdin=pcap(ALL, order))
    lines = answer.stdout.decode().splitlines()
    assert answer.returncode == 0
    for i, (line, (_, text)) in enumerate(zip(lines, FRAMES, strict=True)):
        assert line == f"01:00:{i:02}.250000 {text}"


def test_tcpdump_options(programs: Path) -> None:
    answer = run(programs, "tcpdump", "-c", "1", "-e", "-x", "-r", "-",
                 stdin=pcap(ALL, magic=0xA1B23C4D))  # fmt: skip
    lines = answer.stdout.decode().splitlines()
    assert lines[0].startswith(
        "01:00:00.000250 52:54:00:12:34:56 > ff:ff:ff:ff:ff:ff, length 42: ARP, "
    )
    assert lines[1] == "\t0x0000:  ffff ffff ffff 5254 0012 3456 0806 0001" and len(lines) == 4


@pytest.mark.parametrize(
    "expression, wanted",
    [
        ("arp", [0, 1]),
        ("icmp or icmp6", [2, 7]),
        ("tcp and port 80", [3, 4, 9]),
        ("dst port 67", [5]),
        ("src port 67", []),
        ("port 67 or port 5353", [5, 8]),
        ("host 10.0.2.2 and not tcp and not udp", [0, 1, 2]),
        ("src host 10.0.2.2", [1]),
        ("dst fe80::1", []),
        ("src host fe80::1", [7, 8]),
        ("broadcast", [0]),
        ("not ( ip or arp )", [7, 8, 11, 12]),
        ("udp and ( port 68 or host ff02::1 )", [5, 8]),
        ("ip6", [7, 8]),
        ("! ip && ! ip6", [0, 1, 11, 12]),
    ],
)
def test_tcpdump_filters(programs: Path, expression: str, wanted: list[int]) -> None:
    words = expression.split()
    answer = run(programs, "tcpdump", "-r", "-", "-w", "-", *words, stdin=pcap(ALL))
    again = run(programs, "tcpdump", "-r", "-", stdin=answer.stdout)
    seconds = [int(line[6:8]) for line in again.stdout.decode().splitlines()]
    assert answer.returncode == 0 and seconds == wanted


@pytest.mark.parametrize(
    "expression",
    ["host", "host x", "port", "port x", "port 70000", "and", "not", "( arp", "arp )", "arp arp",
     "arp and", "src", "src port", "nonsense", "( " * 40 + "arp", "arp" + " or arp" * 40],
)  # fmt: skip
def test_tcpdump_refuses_expressions(programs: Path, expression: str) -> None:
    answer = run(programs, "tcpdump", "-r", "-", *expression.split(), stdin=pcap(ALL))
    assert answer.returncode == 2 and answer.stderr and not answer.stdout


def test_tcpdump_and_bad_files(programs: Path, tmp_path: Path) -> None:
    whole = pcap(ALL[:2])
    for bad in (b"", b"hello", whole[:10], whole[:30], whole[:-1], pcap([], magic=1),
                whole[:32] + b"\xff" * 4 + whole[36:]):  # fmt: skip
        answer = run(programs, "tcpdump", "-r", "-", stdin=bad)
        assert answer.returncode == 1 and answer.stderr
    assert run(programs, "tcpdump", "-r", str(tmp_path / "none")).returncode == 1
    assert run(programs, "tcpdump", "-r", "-", stdin=whole[:24]).returncode == 0
