"""Frames as bytes, built and taken apart by the host, and the network that a test plays."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from grade.lab7.host import Script

BROADCAST = b"\xff" * 6
IPV4, ARP, IPV6 = 0x0800, 0x0806, 0x86DD
ICMP, UDP = 1, 17
DONT_FRAGMENT, MORE = 0x4000, 0x2000


def checksum(data: bytes) -> int:
    """RFC 1071: the field's value."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(to: bytes, source: bytes, kind: int, payload: bytes) -> bytes:
    return to + source + struct.pack(">H", kind) + payload


def arp(operation: int, mac: bytes, ip: IPv4Address, target_mac: bytes, target: IPv4Address) -> bytes:
    head = struct.pack(">HHBBH", 1, IPV4, 6, 4, operation)
    return head + mac + ip.packed + target_mac + target.packed


def ipv4(
    source: IPv4Address,
    to: IPv4Address,
    protocol: int,
    payload: bytes,
    *,
    identification: int = 0,
    fragment: int = 0,
    hops: int = 64,
    options: bytes = b"",
    total: int | None = None,
    first: int | None = None,
    wrong_sum: bool = False,
) -> bytes:
    """A packet; total and first (version and header length) may lie."""
    length = 20 + len(options)
    head = struct.pack(
        ">BBHHHBBH", first if first is not None else 0x40 | length // 4, 0,
        length + len(payload) if total is None else total, identification, fragment, hops, protocol, 0,
    ) + source.packed + to.packed + options
    value = checksum(head) ^ (1 if wrong_sum else 0)
    return head[:10] + struct.pack(">H", value) + head[12:] + payload


def icmp(kind: int, code: int, rest: bytes, data: bytes) -> bytes:
    value = checksum(struct.pack(">BBH", kind, code, 0) + rest + data)
    return struct.pack(">BBH", kind, code, value) + rest + data


def udp(
    source: IPv4Address, port: int, to: IPv4Address, to_port: int, data: bytes, length: int | None = None,
    value: int | None = None,
) -> bytes:
    """A datagram; length and value (the checksum) may lie."""
    said = 8 + len(data) if length is None else length
    head = struct.pack(">HHHH", port, to_port, said, 0)
    if value is None:
        pseudo = source.packed + to.packed + struct.pack(">BBH", 0, UDP, said)
        value = checksum(pseudo + head + data) or 0xFFFF
    return head[:6] + struct.pack(">H", value) + data


@dataclass(frozen=True)
class Frame:
    """An Ethernet frame, taken apart."""

    to: bytes
    source: bytes
    kind: int
    payload: bytes

    @classmethod
    def of(cls, raw: bytes) -> Frame:
        return cls(raw[:6], raw[6:12], struct.unpack(">H", raw[12:14])[0], raw[14:])


@dataclass(frozen=True)
class Arp:
    operation: int
    mac: bytes
    ip: IPv4Address
    target_mac: bytes
    target: IPv4Address

    @classmethod
    def of(cls, raw: bytes) -> Arp | None:
        frame = Frame.of(raw)
        p = frame.payload
        if frame.kind != ARP or len(p) < 28 or p[:6] != bytes.fromhex("000108000604"):
            return None
        return cls(
            struct.unpack(">H", p[6:8])[0], p[8:14], IPv4Address(p[14:18]), p[18:24], IPv4Address(p[24:28])
        )


@dataclass(frozen=True)
class Packet:
    """An IPv4 packet, taken apart; good: its header is sound."""

    source: IPv4Address
    to: IPv4Address
    protocol: int
    identification: int
    fragment: int
    hops: int
    payload: bytes
    good: bool

    @classmethod
    def of(cls, raw: bytes) -> Packet | None:
        frame = Frame.of(raw)
        p = frame.payload
        if frame.kind != IPV4 or len(p) < 20:
            return None
        length = (p[0] & 15) * 4
        total, identification, fragment, hops, protocol = struct.unpack(">HHHBB", p[2:10])
        good = p[0] >> 4 == 4 and length >= 20 and checksum(p[:length]) == 0 and total <= len(p)
        return cls(
            IPv4Address(p[12:16]), IPv4Address(p[16:20]), protocol, identification, fragment, hops,
            p[length:total], good,
        )


def dhcp_answer(raw: bytes, mac: bytes, server: IPv4Address, client: IPv4Address) -> bytes | None:
    """What a DHCP server (RFC 2131) says that has one address to give, to DISCOVER and REQUEST."""
    packet = Packet.of(raw)
    if not packet or packet.protocol != UDP or packet.payload[:4] != struct.pack(">HH", 68, 67):
        return None
    asked = packet.payload[8:]
    kind = asked.find(b"\x35\x01", 240) + 2
    if kind < 242 or asked[kind] not in (1, 3):
        return None
    options = [
        (53, bytes([2 if asked[kind] == 1 else 5])), (54, server.packed), (51, struct.pack(">I", 3600)),
        (1, bytes([255, 255, 255, 0])), (3, server.packed), (6, server.packed),
    ]
    message = bytes([2, 1, 6, 0]) + asked[4:8] + bytes(8) + client.packed + server.packed + bytes(4)
    message += asked[28:44] + bytes(192) + asked[236:240]
    message += b"".join(bytes([code, len(value)]) + value for code, value in options) + b"\xff"
    everybody = IPv4Address("255.255.255.255")
    return ethernet(BROADCAST, mac, IPV4, ipv4(server, everybody, UDP, udp(server, 67, everybody, 68, message)))


def random_mac(rng: random.Random) -> bytes:
    return bytes([rng.randrange(256) & 0xFC | 2]) + rng.randbytes(5)


@dataclass
class Net:
    """The network of a test: our stack has `own` on `network`; everybody else is the test."""

    script: Script
    rng: random.Random
    mac: bytes
    own: IPv4Address
    network: IPv4Network
    gateway: IPv4Address
    mtu: int
    neighbours: list[IPv4Address] = field(default_factory=list)  # those that were given out

    @classmethod
    def random(cls, script: Script, rng: random.Random) -> Net:
        prefix = rng.randint(20, 26)
        base = rng.randrange(11 << 24, 120 << 24) & ~((1 << (32 - prefix)) - 1)
        network = IPv4Network((base, prefix))
        size = network.num_addresses
        own, gateway = (network[n] for n in rng.sample(range(2, size - 2), 2))
        net = cls(script, rng, random_mac(rng), own, network, gateway, rng.choice((576, 1280, 1500)))
        script.add("interface", 1, net.mac, net.mtu)
        script.add("address", 1, own, prefix)
        script.add("route", "0.0.0.0", 0, gateway, 0, 0)
        return net

    def neighbour(self) -> IPv4Address:
        """An address on the link that nobody has yet."""
        taken = {self.own, self.gateway, *self.neighbours}
        while True:
            found = self.network[self.rng.randrange(1, self.network.num_addresses - 1)]
            if found not in taken:
                self.neighbours.append(found)
                return found

    def stranger(self) -> IPv4Address:
        """An address somewhere else."""
        while True:
            found = IPv4Address(self.rng.randrange(11 << 24, 120 << 24))
            if found not in self.network and not str(found).endswith((".0", ".255")):
                return found

    def hear(self, frame: bytes) -> int:
        """A frame arrives; the index of the command."""
        return self.script.add("frame", 1, frame)

    def packet(self, mac: bytes, packet: bytes, to: bytes | None = None) -> int:
        """An IPv4 packet arrives from this machine."""
        return self.hear(ethernet(to or self.mac, mac, IPV4, packet))

    def say(self, mac: bytes, ip: IPv4Address) -> int:
        """Whoever has mac and ip asks for our address: we learn from it, and answer."""
        return self.hear(ethernet(BROADCAST, mac, ARP, arp(1, mac, ip, bytes(6), self.own)))
