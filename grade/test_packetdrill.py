"""The stack behind packetdrill's interface: a script in Python drives it through a handshake, a
transfer in both directions, a loss, and the end, packet by packet in virtual time."""

from __future__ import annotations

import ctypes
import socket
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grade.harness.plugin import Laboratory

REPOSITORY = Path(__file__).resolve().parent.parent
LOCAL, REMOTE = "192.168.0.1", "192.0.2.1"
PORT, REMOTE_PORT = 8080, 40000
FIN, SYN, RST, ACK = 1, 2, 4, 16

# The members of the interface behind userdata, in order.
CALLS = (
    "free socket bind listen accept connect read readv recv recvfrom recvmsg write writev send "
    "sendto sendmsg fcntl ioctl close shutdown getsockopt setsockopt poll netdev_send "
    "netdev_receive usleep gettimeofday epoll_create epoll_ctl epoll_wait pipe splice"
).split()


class Interface(ctypes.Structure):
    _fields_ = [("userdata", ctypes.c_void_p), *((name, ctypes.c_void_p) for name in CALLS)]


@dataclass(frozen=True)
class Segment:
    """A TCP segment that left the stack."""

    sequence: int
    acknowledged: int
    flags: int
    data: bytes
    time: int  # us


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Drill:
    """packetdrill's side of the interface."""

    def __init__(self, library: Path) -> None:
        self.interface = Interface()
        init = ctypes.CDLL(str(library)).packetdrill_interface_init
        init(b"local=192.168.0.1/16,gateway=192.168.0.2", ctypes.byref(self.interface))
        assert self.interface.userdata, "the adapter does not start"

    def call(self, name: str, *arguments: object) -> int:
        kind = ctypes.CFUNCTYPE(ctypes.c_long, use_errno=True)
        function = kind(getattr(self.interface, name))
        return ctypes.c_int(function(ctypes.c_void_p(self.interface.userdata), *arguments)).value

    def send(self, sequence: int, acknowledged: int, flags: int, data: bytes = b"") -> None:
        source, target = socket.inet_aton(REMOTE), socket.inet_aton(LOCAL)
        options = struct.pack("!BBH", 2, 4, 1000) if flags & SYN else b""
        offset = (20 + len(options)) // 4 << 4
        head = struct.pack(
            "!HHIIBBHHH", REMOTE_PORT, PORT, sequence, acknowledged, offset, flags, 65535, 0, 0
        )
        segment = head + options + data
        pseudo = source + target + struct.pack("!BBH", 0, 6, len(segment))
        segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0x4000, 64, 6, 0)
        ip += source + target
        packet = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + segment
        assert self.call("netdev_send", packet, ctypes.c_size_t(len(packet))) == 0

    def receive(self) -> Segment:
        buffer, size = ctypes.create_string_buffer(2048), ctypes.c_size_t(2048)
        time = ctypes.c_longlong()
        assert self.call("netdev_receive", buffer, ctypes.byref(size), ctypes.byref(time)) == 0
        assert size.value > 0, "nothing was sent"
        packet = buffer.raw[: size.value]
        assert checksum(packet[:20]) == 0 and packet[16:20] == socket.inet_aton(REMOTE)
        segment = packet[20:]
        pseudo = packet[12:20] + struct.pack("!BBH", 0, 6, len(segment))
        assert checksum(pseudo + segment) == 0
        ports, sequence, acknowledged, offset, flags = struct.unpack("!IIIBB", segment[:14])
        assert ports == PORT << 16 | REMOTE_PORT
        return Segment(sequence, acknowledged, flags, segment[(offset >> 4) * 4 :], time.value)


@pytest.fixture
def tester(laboratory: Laboratory) -> Iterator[Drill]:
    build = laboratory.build
    subprocess.run(
        ["make", "-s", "NO_SETUP=1", f"BUILD={build}", "packetdrill-adapter"],
        cwd=REPOSITORY,
        check=True,
    )
    made = Drill(build / "host" / "libcairn-packetdrill.so")
    yield made
    made.call("free")


def accept(tester: Drill) -> tuple[int, int]:
    """A connection by the three-way handshake: descriptor, and our next sequence number (of the
    stack's)."""
    address = struct.pack("!2s H 4s 8x", struct.pack("=H", socket.AF_INET), PORT, bytes(4))
    listener = tester.call("socket", socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    assert listener >= 0
    assert tester.call("bind", listener, address, len(address)) == 0
    assert tester.call("listen", listener, 1) == 0
    tester.send(1000, 0, SYN)
    answer = tester.receive()
    assert answer.flags == SYN | ACK and answer.acknowledged == 1001
    tester.send(1001, answer.sequence + 1, ACK)
    connection = tester.call("accept", listener, None, None)
    assert connection >= 0
    return connection, answer.sequence + 1


def test_handshake_transfer_and_end(tester: Drill) -> None:
    connection, base = accept(tester)
    tester.send(1001, base, ACK, b"hello")
    buffer = ctypes.create_string_buffer(100)
    assert tester.call("read", connection, buffer, ctypes.c_size_t(100)) == 5
    assert buffer.raw[:5] == b"hello"

    data = bytes(range(250)) * 12  # three segments of the size that the SYN asked for
    assert tester.call("write", connection, data, ctypes.c_size_t(len(data))) == len(data)
    got = b""
    while len(got) < len(data):
        segment = tester.receive()
        if not segment.data:
            continue  # the acknowledgement of hello
        assert segment.sequence == base + len(got) and len(segment.data) <= 1000
        assert segment.acknowledged == 1006
        got += segment.data
        tester.send(1006, base + len(got), ACK)
    assert got == data

    assert tester.call("close", connection) == 0
    end = tester.receive()
    assert end.flags & FIN and end.sequence == base + len(data)
    tester.send(1006, end.sequence + 1, FIN | ACK)
    last = tester.receive()
    assert last.flags == ACK and last.acknowledged == 1007


def test_lost_segment_is_sent_again(tester: Drill) -> None:
    """What is not acknowledged comes again after the retransmission timeout, then after twice as
    long (RFC 6298)."""
    connection, base = accept(tester)
    assert tester.call("write", connection, b"x" * 500, ctypes.c_size_t(500)) == 500
    first, second, third = (tester.receive() for _ in range(3))
    assert {s.sequence for s in (first, second, third)} == {base}
    assert {s.data for s in (first, second, third)} == {b"x" * 500}
    waited, waited_again = second.time - first.time, third.time - second.time
    assert 200_000 <= waited <= 1_500_000
    assert waited_again == pytest.approx(2 * waited, rel=0.1)
    tester.send(1001, base + 500, ACK)


def test_reset_ends_a_connection(tester: Drill) -> None:
    connection, base = accept(tester)
    tester.send(1001, base, RST | ACK)
    ctypes.set_errno(0)
    buffer = ctypes.create_string_buffer(10)
    assert tester.call("read", connection, buffer, ctypes.c_size_t(10)) == -1
    assert ctypes.get_errno() == 104  # ECONNRESET
