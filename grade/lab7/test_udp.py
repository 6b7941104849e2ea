"""Exercises 7.7 and 7.9: which socket a datagram is for, and names in DNS messages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from ipaddress import IPv4Address

import pytest

from grade.lab7.host import Script
from grade.lab7.wire import BROADCAST, ICMP, UDP, Net, Packet, ipv4, random_mac, udp

DATAGRAM = 2
EAGAIN = 11
ANY = IPv4Address(0)


@dataclass
class Socket:
    """A socket as the host thinks of it."""

    number: int
    address: IPv4Address
    port: int
    peer: tuple[IPv4Address, int] | None = None

    def score(self, to: IPv4Address, port: int, peer: tuple[IPv4Address, int]) -> int:
        """0: not this one; else the more it asks for, the better it fits."""
        if self.port != port or (self.address != ANY and self.address != to):
            return 0
        if self.peer is not None and self.peer != peer:
            return 0
        return 1 + 2 * (self.address != ANY) + 4 * (self.peer is not None)


@pytest.mark.exercise("7.7", points=9)
def test_which_socket(net: Net, rng: random.Random) -> None:
    """The one that asks for most among those that fit; nobody's datagram is complained about."""
    script = net.script
    macs = {net.neighbour(): random_mac(rng) for _ in range(3)}
    for ip, mac in macs.items():
        net.say(mac, ip)
    second = net.neighbour()
    script.add("address", 1, second, net.network.prefixlen)
    ports, peer_ports = rng.sample(range(1000, 60000), 3), rng.sample(range(1000, 60000), 2)
    sockets: list[Socket] = []
    for number in range(12):
        socket = Socket(number, rng.choice((ANY, net.own, second)), rng.choice(ports))
        if rng.random() < 0.4:
            socket.peer = rng.choice(list(macs)), rng.choice(peer_ports)
        twins = [s for s in sockets if (s.address, s.port, s.peer) == (socket.address, socket.port, socket.peer)]
        if twins or (socket.peer and socket.address == ANY):  # a connect would choose its address
            continue
        script.add("socket", number, DATAGRAM, 0)
        script.add("reuse", number)
        script.add("bind", number, socket.address, socket.port)
        if socket.peer:
            script.add("connect", number, *socket.peer)
        sockets.append(socket)
    cases = []
    for _ in range(60):
        peer = rng.choice(list(macs)), rng.choice(peer_ports)
        to, port = rng.choice((net.own, second)), rng.choice((*ports, 999))
        data = rng.randbytes(rng.randrange(1, 40))
        index = net.packet(macs[peer[0]], ipv4(peer[0], to, UDP, udp(*peer, to, port, data)))
        reads = [(s, script.add("receive", s.number)) for s in sockets]
        cases.append((index, peer, to, port, data, reads))
        script.add("pass", 10**8)  # complaints are limited to some a second
    answers = script.run()
    for index, peer, to, port, data, reads in cases:
        best = max(sockets, key=lambda s: s.score(to, port, peer), default=None)
        if best is not None and not best.score(to, port, peer):
            best = None
        what = f"a datagram from {peer[0]} port {peer[1]} to {to} port {port}"
        for socket, read in reads:
            wanted = f"received {peer[0]} {peer[1]} {data.hex()}" if socket is best else f"result {-EAGAIN}"
            script.check(read, answers[read].said, wanted, f"{what}, at {socket}")
        complaints = [p for p in map(Packet.of, answers[index].frames) if p and p.protocol == ICMP]
        kinds = [(p.payload[0], p.payload[1]) for p in complaints]
        script.check(index, kinds, [] if best else [(3, 3)], f"{what}: port unreachable?")


@pytest.mark.exercise("7.7", points=4)
def test_every_socket_hears_a_broadcast(net: Net, rng: random.Random) -> None:
    """All that fit, each once; and no answer to it, whoever is missing."""
    script, mac, peer = net.script, random_mac(rng), net.neighbour()
    net.say(mac, peer)
    port, data = rng.randrange(1000, 60000), rng.randbytes(20)
    for number, (address, own) in enumerate(((ANY, port), (ANY, port), (net.own, port), (ANY, port ^ 1))):
        script.add("socket", number, DATAGRAM, 0)
        script.add("reuse", number)
        script.add("bind", number, address, own)
    to = net.network.broadcast_address
    heard = net.packet(mac, ipv4(peer, to, UDP, udp(peer, 9, to, port, data)), BROADCAST)
    reads = [script.add("receive", number) for number in range(4)]
    silent = net.packet(mac, ipv4(peer, to, UDP, udp(peer, 9, to, 7, data)), BROADCAST)
    answers = script.run()
    got = f"received {peer} 9 {data.hex()}"
    wanted = [got, got, f"result {-EAGAIN}", f"result {-EAGAIN}"]
    for number, read in enumerate(reads):
        script.check(read, answers[read].said, wanted[number], f"socket {number} and a broadcast")
    for index in heard, silent:
        script.check(index, answers[index].frames, [], "no answer to a broadcast")


# ---- Names ----------------------------------------------------------------------------------

LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-"


def labels(rng: random.Random, longest: int = 20) -> list[bytes]:
    return [
        bytes(rng.choices(LETTERS, k=rng.randrange(1, longest))) for _ in range(rng.randrange(1, 6))
    ]


def flat(parts: list[bytes]) -> bytes:
    return b"".join(bytes([len(part)]) + part for part in parts)


def pointer(to: int) -> bytes:
    return bytes([0xC0 | to >> 8, to & 255])


@pytest.mark.exercise("7.9", points=5)
def test_names(script: Script, rng: random.Random) -> None:
    """Labels, pointers, pointers to pointers; what comes behind the name is found."""
    cases = []
    for _ in range(80):
        message = rng.randbytes(12)
        known: list[tuple[int, list[bytes]]] = []
        for _ in range(rng.randrange(1, 7)):
            parts = labels(rng)
            at = len(message)
            if known and rng.random() < 0.7:
                target, rest = rng.choice(known)
                own = parts if rng.random() < 0.8 else []
                message += flat(own) + pointer(target)
                whole = own + rest
            else:
                message += flat(parts) + b"\0"
                whole = parts
            end = len(message)
            if sum(map(len, whole)) + len(whole) > 200:
                break
            known.append((at, whole))
            message += rng.randbytes(rng.randrange(6))
            text = b".".join(whole).decode()
            cases.append((script.add("name", at, message), f"name {end} {text}"))
    upper = flat([b"WWW", b"Example"]) + b"\0"
    cases.append((script.add("name", 0, upper), f"name {len(upper)} www.example"))
    answers = script.run()
    for index, wanted in cases:
        script.check(index, answers[index].said, wanted, "the place behind the name, and the name")


@pytest.mark.exercise("7.9", points=3)
def test_names_that_lie(script: Script, rng: random.Random) -> None:
    """Circles, pointers ahead, labels and names that are too long or not all there."""
    good = flat(labels(rng)) + b"\0"
    longest = flat([b"a" * 63] * 3 + [b"b" * 61]) + b"\0"  # 255 bytes on the wire
    refused = {
        "a pointer to itself": (2, b"xx" + pointer(2)),
        "two that point to each other": (0, pointer(2) + pointer(0)),
        "a circle with a label in it": (0, b"\1a" + pointer(0)),
        "a pointer ahead": (0, pointer(2) + good),
        "a pointer behind the end": (0, pointer(900)),
        "half a pointer": (len(good), good + b"\xc0"),
        "a label of 64": (0, b"\x40" + b"a" * 64 + b"\0"),
        "a label of 128": (0, b"\x80" + b"a" * 128 + b"\0"),
        "a label that is not all there": (0, b"\x09abc"),
        "no end": (0, flat([b"abc"])),
        "nothing": (len(good), good),
        "256 bytes": (0, flat([b"a" * 63] * 3 + [b"b" * 62]) + b"\0"),
        "256 bytes by a pointer": (len(longest), longest + b"\1a" + pointer(0)),
        "a dot in a label": (0, flat([b"a.b"]) + b"\0"),
    }
    cases = [(script.add("name", at, message), what) for what, (at, message) in refused.items()]
    accepted = script.add("name", 0, longest)
    answers = script.run()
    for index, what in cases:
        script.check(index, answers[index].said, "refused", what)
    text = b".".join([b"a" * 63] * 3 + [b"b" * 61]).decode()
    script.check(accepted, answers[accepted].said, f"name 255 {text}", "the longest name there may be")
