"""Exercises 7.5, 7.6 and 7.8: whom a packet is for, echoes, and fragments."""

from __future__ import annotations

import random
from collections.abc import Callable
from ipaddress import IPv4Address
from itertools import pairwise

import pytest

from grade.lab7.host import MS, SECOND
from grade.lab7.wire import BROADCAST, ICMP, IPV4, MORE, Net, Packet, checksum, ethernet, icmp, ipv4, random_mac

RAW = 3
PROBE = 253  # a protocol that nobody has (RFC 3692)
ECHO, REPLY = 8, 0
EAGAIN = 11


def multicast_mac(group: IPv4Address) -> bytes:
    return b"\x01\x00\x5e" + bytes([group.packed[1] & 0x7F]) + group.packed[2:]


@pytest.mark.exercise("7.5", points=8)
def test_whom_a_packet_is_for(net: Net, rng: random.Random) -> None:
    """Its destination, its source, and how it came, decide; the second interface has its own."""
    script = net.script
    script.add("interface", 2, random_mac(rng), 1500)
    while True:
        elsewhere = net.stranger()
        if elsewhere.packed[3] % 4 in (1, 2):  # a host's address in its network of four
            break
    script.add("address", 2, elsewhere, 30)
    script.add("socket", 0, RAW, PROBE)
    mac, peer = random_mac(rng), net.neighbour()
    net.say(mac, peer)
    all_ = net.network.broadcast_address
    hosts = IPv4Address("224.0.0.1")
    a = IPv4Address
    sources = {
        "a neighbour": (peer, True), "a stranger": (net.stranger(), True), "0.0.0.0": (a("0.0.0.0"), False),
        "our own address": (net.own, False), "the loopback's": (a("127.0.0.1"), False),
        "a group": (a("239.1.2.3"), False), "everybody": (a("255.255.255.255"), False),
        "our network's broadcast": (all_, False), "class E": (a("250.1.2.3"), False),
        "network 0": (a("0.1.2.3"), False),
    }
    places = {
        "us": (net.own, net.mac, True), "us, by broadcast": (net.own, BROADCAST, False),
        "everybody": (a("255.255.255.255"), BROADCAST, True), "our network": (all_, BROADCAST, True),
        "all hosts": (hosts, multicast_mac(hosts), True),
        "a group that we are not in": (a("239.7.7.7"), multicast_mac(a("239.7.7.7")), False),
        "another": (net.neighbour(), net.mac, False), "our other interface": (elsewhere, net.mac, False),
        "loopback": (a("127.0.0.1"), net.mac, False),
    }
    cases = []
    pairs = [(s, "us") for s in sources] + [("a neighbour", p) for p in places]
    rng.shuffle(pairs)
    for source, place in pairs:
        ip, believed = sources[source]
        to, link, accepted = places[place]
        data = rng.randbytes(12)
        net.packet(mac, ipv4(ip, to, PROBE, data), link)
        first = script.add("receive", 0)
        cases.append((first, source, place, ip, data if believed and accepted else None))
    answers = script.run()
    for index, source, place, ip, data in cases:
        said = answers[index].said
        if data is None:
            wanted = f"result {-EAGAIN}"
            seen = said
        else:  # raw sockets see the header, too
            wanted = f"received {ip} ...{data.hex()}"
            words = said.split()
            seen = f"{words[0]} {words[1]} ...{words[-1][-len(data) * 2:]}" if len(words) > 3 else said
        script.check(index, seen, wanted, f"a packet from {source} to {place}")


@pytest.mark.exercise("7.6", points=2)
def test_echoes(net: Net, rng: random.Random) -> None:
    """The same identifier, number and data come back, to who asked; broadcasts are not answered."""
    script = net.script
    cases = []
    for _ in range(25):
        mac, peer = random_mac(rng), net.neighbour()
        net.say(mac, peer)
        rest, data = rng.randbytes(4), rng.randbytes(rng.randrange(net.mtu - 60))
        kind = rng.choice(("asked", "asked", "asked", "broadcast", "reply", "wrong sum"))
        message = icmp(REPLY if kind == "reply" else ECHO, 0, rest, data)
        if kind == "wrong sum":
            message = message[:2] + bytes([message[2] ^ 1]) + message[3:]
        to = net.network.broadcast_address if kind == "broadcast" else net.own
        packet = ipv4(peer, to, ICMP, message, hops=rng.randrange(1, 256))
        index = net.packet(mac, packet, BROADCAST if kind == "broadcast" else net.mac)
        cases.append((index, kind, mac, peer, rest + data))
    answers = script.run()
    for index, kind, mac, peer, data in cases:
        seen = []
        for raw in answers[index].frames:
            packet = Packet.of(raw)
            if packet:
                good = packet.good and checksum(packet.payload) == 0
                seen.append((raw[:6], packet.source, packet.to, packet.payload[:2], packet.payload[4:], good))
        wanted = [(mac, net.own, peer, bytes([REPLY, 0]), data, True)] if kind == "asked" else []
        script.check(index, seen, wanted, f"what an echo request ({kind}) leads to: link-layer "
                     "destination, source, destination, type and code, the rest, sound checksums")


def cut(rng: random.Random, data: bytes) -> list[tuple[int, bytes]]:
    """Fragments: offset and bytes; each fits into a frame, and all but the last are a multiple of
    eight long."""
    places = [0]
    while places[-1] < len(data):
        places.append(min(places[-1] + 8 * rng.randrange(1, 186), len(data)))
    return [(a, data[a:b]) for a, b in pairwise(places)]


def receive(net: Net) -> int:
    return net.script.add("receive", 0)


@pytest.mark.exercise("7.8", points=7)
def test_fragments(nets: Callable[[], Net], rng: random.Random) -> None:
    """In any order, twice, several datagrams mixed; a raw socket sees each datagram once, whole."""
    net = nets()
    script = net.script
    script.add("socket", 0, RAW, PROBE)
    mac, peers = random_mac(rng), [net.neighbour(), net.neighbour()]
    wanted: list[tuple[IPv4Address, bytes]] = []
    last = 0
    for _ in range(24):
        number = rng.getrandbits(16)  # two senders may use the same
        pieces = []
        for peer in peers:
            data = rng.randbytes(rng.randrange(64, 6000))
            wanted.append((peer, data))
            parts = cut(rng, data)
            for place, (offset, part) in enumerate(parts):
                flags = offset // 8 | (MORE if place < len(parts) - 1 else 0)
                packet = ipv4(peer, net.own, PROBE, part, identification=number, fragment=flags)
                pieces.append(packet)
                if rng.random() < 0.2 and place:
                    pieces.append(packet)
        order = list(dict.fromkeys(pieces))
        rng.shuffle(order)
        repeats = [packet for packet in order if pieces.count(packet) > 1]
        for packet in repeats:  # a second time while its datagram is not whole yet
            order.insert(rng.randrange(order.index(packet) + 1), packet)
        for packet in order:
            net.packet(mac, packet)
        for _ in peers:
            last = receive(net)
    script.add("pass", 70 * SECOND)
    held = script.add("held")
    answers = script.run()
    seen = []
    for answer in answers:
        if answer.command == "receive 0" and answer.said.startswith("received"):
            _, peer, _, data = answer.said.split()
            seen.append((IPv4Address(peer), bytes.fromhex(data)[20:]))
    for place, (peer, data) in enumerate(wanted):
        if (peer, data) not in seen:
            script.fail(last, f"datagram {place} of {len(data)} bytes from {peer} did not arrive whole")
    script.check(last, len(seen), len(wanted), "datagrams in all")
    script.check(held, answers[held].said, "held 0", "packets held a minute later")


@pytest.mark.exercise("7.8", points=5)
def test_fragments_that_lie(nets: Callable[[], Net], rng: random.Random) -> None:
    """What overlaps, ends in two places, or lies behind the end spoils its datagram; what is left
    of it is gone in time, and a good one of another number gets through."""
    for kind in ("overlap", "two ends", "behind the end", "other bytes", "hole", "right number"):
        net = nets()
        script = net.script
        script.add("socket", 0, RAW, PROBE)
        mac, peer, number = random_mac(rng), net.neighbour(), rng.getrandbits(16)
        data = rng.randbytes(8 * rng.randrange(40, 90))
        middle = 8 * rng.randrange(10, 20)
        whole = [(0, data[:middle], True), (middle, data[middle:], False)]
        liar = {
            "overlap": (middle - 8, rng.randbytes(16), True),
            "two ends": (len(data) - 16, rng.randbytes(8), False),
            "behind the end": (len(data), rng.randbytes(8), True),
            "other bytes": (0, rng.randbytes(middle), True),
            "hole": (0, data[:middle], True),
            # As many bytes as there should be, but eight at the front are missing.
            "right number": (len(data), rng.randbytes(8), True),
        }[kind]
        if kind == "hole":
            order = [liar]
        elif kind == "right number":
            order = [(8, data[8:middle], True), liar, whole[1]]
        elif kind in ("two ends", "behind the end"):
            order = [whole[1], liar, whole[0]]
        else:
            order = [whole[0], liar, whole[1]]
        for offset, part, more in order:
            flags = offset // 8 | (MORE if more else 0)
            net.packet(mac, ipv4(peer, net.own, PROBE, part, identification=number, fragment=flags))
        spoilt = receive(net)
        good = rng.randbytes(800)
        for offset, part, more in ((400, good[400:], False), (0, good[:400], True)):
            flags = offset // 8 | (MORE if more else 0)
            net.packet(mac, ipv4(peer, net.own, PROBE, part, identification=number ^ 1, fragment=flags))
        through = receive(net)
        script.add("pass", 70 * SECOND + rng.randrange(1000) * MS)
        held = script.add("held")
        answers = script.run()
        script.check(spoilt, answers[spoilt].said, f"result {-EAGAIN}", f"{kind}: nothing is delivered")
        script.check(through, answers[through].said.split()[-1][40:], good.hex(),
                     f"{kind}: a good datagram meanwhile")
        script.check(held, answers[held].said, "held 0", f"{kind}: packets held a minute later")


@pytest.mark.exercise("7.6", points=1)
def test_hostile_echo(net: Net, rng: random.Random) -> None:
    """Truncated and oversized ones: no answer, or a right one, and nothing is lost."""
    mac, peer = random_mac(rng), net.neighbour()
    net.say(mac, peer)
    for _ in range(20):
        message = icmp(ECHO, 0, rng.randbytes(4), rng.randbytes(rng.randrange(40)))
        net.packet(mac, ipv4(peer, net.own, ICMP, message[: rng.randrange(8)]))
        net.hear(ethernet(net.mac, mac, IPV4, rng.randbytes(rng.randrange(80))))
    large = net.packet(mac, ipv4(peer, net.own, ICMP, icmp(ECHO, 0, b"abcd", rng.randbytes(9000))))
    answers = net.script.run()
    parts = [Packet.of(raw) for raw in answers[large].frames]
    data = {p.fragment & 0x1FFF: p.payload for p in parts if p and p.good}
    size = sum(map(len, data.values()))
    net.script.check(large, size, 9008, "bytes of the answer to an echo of 9,000, in fragments")
    sizes = {len(raw) - 14 <= net.mtu for raw in answers[large].frames}
    net.script.check(large, sizes, {True}, "no fragment is longer than the link takes")


