"""Exercises 7.6 and 7.8 in the booted system: the host is the only other machine on the wire."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

import pytest

from grade.harness.failure import UNWRITTEN_LOGGED
from grade.harness.link import Link
from grade.harness.machine import Machine
from grade.lab7.test_ip import ECHO, REPLY, cut
from grade.lab7.wire import ARP, BROADCAST, ICMP, IPV4, MORE, Arp, Packet, arp, checksum, ethernet, icmp, ipv4, random_mac

GUEST = IPv4Address("10.0.2.15")  # what netd takes when no DHCP server answers
PATIENCE = 15.0


@dataclass
class Peer:
    """Our end of the wire. It answers ARP requests for its own address, and asks for the guest's."""

    machine: Machine
    link: Link
    mac: bytes
    ip: IPv4Address
    seed: str
    guest: bytes = BROADCAST

    def send(self, packet: bytes) -> None:
        self.link.send(ethernet(self.guest, self.mac, IPV4, packet))

    def receive(self, wanted: Callable[[bytes], bool], what: str) -> bytes:
        """The next frame that is wanted."""
        deadline = time.monotonic() + self.machine.limits.seconds(PATIENCE)
        while (frame := self.link.receive(min(1.0, deadline - time.monotonic()))) is not None or (
            time.monotonic() < deadline
        ):
            if frame is None:  # nobody knows whether the guest was up when we asked
                self.ask()
                continue
            message = Arp.of(frame)
            if message and message.operation == 1 and message.target == self.ip:
                answer = arp(2, self.mac, self.ip, message.mac, message.ip)
                self.link.send(ethernet(message.mac, self.mac, ARP, answer))
            elif wanted(frame):
                return frame
        self.fail(f"no {what} came")

    def ask(self) -> None:
        self.link.send(ethernet(BROADCAST, self.mac, ARP, arp(1, self.mac, self.ip, bytes(6), GUEST)))

    def fail(self, text: str) -> None:
        stub = UNWRITTEN_LOGGED.search(self.machine.log.data)
        said = stub[0].decode() if stub else f"{text}\n{self.machine.reproduce()}"
        pytest.fail(f"{said}\nCAIRN_SEED={self.seed} repeats the test", pytrace=False)


@pytest.fixture
def peer(boot: Callable[..., Machine], rng: random.Random, seed: str) -> Iterator[Peer]:
    machine = boot(nets=("peer",), ready=False)
    ip = IPv4Address(f"10.0.2.{rng.randrange(30, 250)}")
    peer = Peer(machine, machine.links[0], random_mac(rng), ip, seed)
    peer.ask()
    frame = peer.receive(
        lambda raw: (found := Arp.of(raw)) is not None and found.operation == 2 and found.ip == GUEST,
        f"answer to a request for {GUEST}",
    )
    peer.guest = frame[6:12]
    yield peer


@pytest.mark.exercise("7.6", points=2)
def test_ping_on_the_wire(peer: Peer, rng: random.Random) -> None:
    for _ in range(5):
        rest, data = rng.randbytes(4), rng.randbytes(rng.randrange(1400))
        peer.send(ipv4(peer.ip, GUEST, ICMP, icmp(ECHO, 0, rest, data)))
        raw = peer.receive(
            lambda raw: (p := Packet.of(raw)) is not None and p.protocol == ICMP and p.source == GUEST,
            "answer to a ping",
        )
        packet = Packet.of(raw)
        assert packet is not None
        seen = (packet.to, packet.payload[:1], packet.payload[4:], checksum(packet.payload))
        if seen != (peer.ip, bytes([REPLY]), rest + data, 0):
            peer.fail(f"the answer to a ping of {len(data)} bytes is another: {raw.hex()}")


@pytest.mark.exercise("7.8", points=3)
def test_large_ping_on_the_wire(peer: Peer, rng: random.Random) -> None:
    """Both ways in fragments; ours are shuffled."""
    for turn in range(3):
        message = icmp(ECHO, 0, rng.randbytes(4), rng.randbytes(rng.randrange(4000, 9000)))
        parts = cut(rng, message)
        packets = []
        for place, (offset, part) in enumerate(parts):
            flags = offset // 8 | (MORE if place < len(parts) - 1 else 0)
            packets.append(ipv4(peer.ip, GUEST, ICMP, part, identification=turn + 1, fragment=flags))
        rng.shuffle(packets)
        for packet in packets:
            peer.send(packet)
        pieces: dict[int, bytes] = {}
        total = None
        while total is None or sum(map(len, pieces.values())) < total:
            raw = peer.receive(
                lambda raw: (p := Packet.of(raw)) is not None and p.protocol == ICMP and p.source == GUEST,
                f"whole answer to a ping of {len(message)} bytes in {len(parts)} fragments",
            )
            packet = Packet.of(raw)
            assert packet is not None
            at = (packet.fragment & 0x1FFF) * 8
            pieces[at] = packet.payload
            if not packet.fragment & MORE:
                total = at + len(packet.payload)
        answer = b"".join(pieces[at] for at in sorted(pieces))
        if answer[4:] != message[4:] or checksum(answer):
            peer.fail("the answer to a large ping is another")
