"""Lab 7's exercises in the booted system: the host is the only other machine on the wire."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from grade.harness.machine import Machine
from grade.lab7.peer import PATIENCE, PREFIX, Peer
from grade.lab7.test_ip import ECHO, REPLY, cut
from grade.lab7.test_udp import flat, pointer
from grade.lab7.wire import ARP, BROADCAST, ICMP, MORE, UDP, Arp, Packet, arp, checksum, ethernet, icmp, ipv4
from grade.lab7.wire import random_mac, udp

UNREACHABLE, PROTOCOL, PORT = 3, 2, 3  # ICMP's type, and codes of it
NOBODYS = 253  # a protocol that nobody speaks (RFC 3692)
EVERYBODY = IPv4Address("255.255.255.255")
WAITING = 4  # packets that wait for one neighbour
SOLICITATIONS = 3
CNAME, PTR = 5, 12


@pytest.fixture
def peer(boot: Callable[..., Machine], rng: random.Random, seed: str) -> Peer:
    """The guest has its address from a command: DHCP needs exercises that come later."""
    peer = Peer.on(boot(nets=("peer",)), rng, seed)
    first = peer.raw(peer.machine.limits.seconds(PATIENCE))
    if first is None:
        peer.fail("nothing came from the guest")
    peer.guest = first[6:12]
    peer.shell(f"net address add eth0 {peer.own}/{PREFIX}")
    return peer


@pytest.fixture
def server(boot: Callable[..., Machine], rng: random.Random, seed: str) -> Peer:
    """The guest has its address from us, by DHCP."""
    peer = Peer.on(boot(nets=("peer",)), rng, seed, serves=True)
    peer.meet()
    return peer


def sent_by(peer: Peer, protocol: int) -> Callable[[bytes], bool]:
    """Is a frame a sound packet of the guest's?"""

    def is_sent(raw: bytes) -> bool:
        packet = Packet.of(raw)
        return packet is not None and packet.good and (packet.source, packet.protocol) == (peer.own, protocol)

    return is_sent


def receive(peer: Peer, protocol: int, what: str) -> Packet:
    packet = Packet.of(peer.expect(sent_by(peer, protocol), what))
    assert packet is not None
    return packet


def datagram_sum(packet: Packet) -> int:
    """0 if the checksum of a UDP datagram is right."""
    pseudo = packet.source.packed + packet.to.packed + bytes([0, UDP]) + packet.payload[4:6]
    return checksum(pseudo + packet.payload)


def counters(peer: Peer) -> dict[str, int]:
    """net:counters."""
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)", peer.shell("cat net:counters"), re.M)}


def letters(rng: random.Random, most: int) -> bytes:
    return bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=rng.randint(1, most)))


@pytest.mark.exercise("7.1", points=1)
def test_sums_on_the_wire(peer: Peer, rng: random.Random) -> None:
    """Datagrams of odd and even lengths, to a group: nobody has to be asked where that is."""
    peer.shell("net route add 224.0.0.0/4 dev eth0")
    group = IPv4Address(rng.randrange(225 << 24, 239 << 24))
    texts = [letters(rng, 120) for _ in range(6)]
    for text in [*texts, texts[0] + b"x"]:
        peer.shell(f"printf %s {text.decode()} | nc -u {group} {rng.randrange(1, 65536)}")
        packet = receive(peer, UDP, f"datagram of {len(text)} octets with a sound header")
        seen = (packet.to, packet.payload[8:], datagram_sum(packet))
        peer.check(seen, (group, text, 0), "group, text and the sum over a datagram with its checksum")


@pytest.mark.exercise("7.2", points=2)
def test_headers_on_the_wire(peer: Peer, rng: random.Random) -> None:
    """What cannot be is counted and dropped; what can comes as far as the question whom it is for."""
    elsewhere = IPv4Address(rng.randrange(130 << 24, 190 << 24))

    def packet(options: bytes = b"", total: int | None = None, first: int | None = None) -> bytes:
        data = rng.randbytes(rng.randrange(20))
        return ipv4(peer.ip, elsewhere, NOBODYS, data, options=options, total=total, first=first)

    lies = [packet(first=0x40 | n) for n in (0, rng.randrange(1, 5), 15)]
    lies += [packet(first=n << 4 | 5) for n in (6, rng.randrange(4))]
    lies += [packet(total=n) for n in (0, rng.randrange(1, 20))]
    lies += [packet()[:n] for n in (1, 19, rng.randrange(2, 19))]
    truths = [packet(bytes([1]) * 4 * words) for words in (0, 10, rng.randrange(1, 10))]
    rng.shuffle(lies)

    def told(since: dict[str, int], number: int) -> tuple[int, ...]:
        """Header errors and address errors, once so many more packets have been taken in."""
        deadline = time.monotonic() + peer.machine.limits.seconds(PATIENCE)
        while (now := counters(peer))["ip_in"] < since["ip_in"] + number:
            if time.monotonic() > deadline:
                peer.fail(f"{now['ip_in'] - since['ip_in']} of {number} packets were taken in")
        return tuple(now[name] - since[name] for name in ("ip_in_header_errors", "ip_in_address_errors"))

    before = counters(peer)
    for lie in lies:
        peer.send(lie)
    peer.check(told(before, len(lies)), (len(lies), 0), f"what became of {len(lies)} impossible headers")
    before = counters(peer)
    peer.machine.hopeless = None  # the end of netd in 7.5's stub answers the question, too
    for truth in truths:
        peer.send(truth)
    deadline = time.monotonic() + peer.machine.limits.seconds(PATIENCE)
    while time.monotonic() < deadline:
        if b"exercise 7.5 is yours to write" in peer.machine.log.data:
            return
        result = peer.machine.console.run("grep ip_in_address_errors net:counters")
        if result.status == 0 and int(result.output.split()[1]) == before["ip_in_address_errors"] + len(truths):
            return
    peer.fail(f"{len(truths)} good headers were not passed on")


@pytest.mark.exercise("7.3", points=2)
def test_arp_on_the_wire(peer: Peer, rng: random.Random) -> None:
    """Who may enter the neighbour cache, and who may not."""
    others = [n for n in peer.network.hosts() if n not in (peer.ip, peer.own)]
    asker, liar, talker, third = rng.sample(others, 4)
    known = {peer.ip: peer.mac, asker: random_mac(rng)}
    messages = [
        arp(2, random_mac(rng), liar, peer.guest, peer.own),
        arp(1, random_mac(rng), talker, bytes(6), third),
        arp(1, random_mac(rng), peer.network.network_address - 2, bytes(6), peer.own),
        arp(1, known[asker], asker, bytes(6), peer.own),
    ]
    rng.shuffle(messages)
    for message in messages:
        peer.link.send(ethernet(BROADCAST, message[8:14], ARP, message))
    peer.ask()
    answered = set()
    while peer.ip not in answered:
        raw = peer.raw(peer.machine.limits.seconds(PATIENCE))
        if raw is None:
            peer.fail("our request was not answered")
        answer = Arp.of(raw)
        if not answer or answer.operation != 2:
            continue
        wanted = (peer.guest, peer.guest, peer.own)
        peer.check((raw[6:12], answer.mac, answer.ip), wanted, "who an answer is from, and what it says")
        if answer.target in known:
            seen = (raw[:6], answer.target_mac)
            peer.check(seen, (known[answer.target],) * 2, f"whom the answer to {answer.target} goes to")
            answered.add(answer.target)
        elif answer.target in others:
            peer.fail(f"{answer.target} had an answer: it did not ask, or for {third}")
    table = peer.shell("cat net:neighbours")
    cache = {IPv4Address(ip): bytes.fromhex(mac.replace(":", ""))
             for ip, mac in re.findall(r"^([\d.]+) at (\S+)", table, re.M)}
    peer.check((answered, cache), (set(known), known), "who was answered, and who is in the neighbour cache")


@pytest.mark.exercise("7.4", points=2)
def test_a_neighbour_on_the_wire(peer: Peer, rng: random.Random) -> None:
    """Packets wait for the answer, the newest of them; who does not answer is asked three times."""
    silent = rng.choice([n for n in peer.network.hosts() if n not in (peer.ip, peer.own)])
    count, size = WAITING + 2, rng.randrange(100, 1000)
    # Not datagrams: an error about them would be for a socket, and which is for exercise 7.7 to say.
    ping = "ping -c {} -i 0.01 -s {} -W 1 {} > null: 2>&1 &"
    peer.shell(ping.format(1, size, silent))
    peer.shell(ping.format(count, size, peer.ip))
    asked = dict.fromkeys((silent, peer.ip), 0)
    came: list[tuple[int, int]] = []
    until = time.monotonic() + peer.machine.limits.seconds(SOLICITATIONS + 1.5)
    while (raw := peer.raw(until - time.monotonic())) is not None:
        request, packet = Arp.of(raw), Packet.of(raw)
        if request and request.operation == 1 and request.target in asked:
            asked[request.target] += 1
            peer.check(request.ip, peer.own, "who asks for a neighbour")
            if request.target == peer.ip and asked[peer.ip] == 2:  # a second later, when all are waiting
                peer.answer(request)
        elif packet and packet.to == peer.ip and packet.protocol == ICMP:
            peer.check(raw[:6], peer.mac, "the hardware address that a packet goes to")
            came.append((int.from_bytes(packet.payload[6:8], "big"), len(packet.payload) - 8))
        elif packet and packet.to == silent:
            peer.fail(f"a packet went to {silent}, whom nobody knows")
    waited = [(n + 1, size) for n in range(count)][-WAITING:]
    peer.check(came, waited, "icmp_seq and size of what waited for an answer")
    peer.check(asked, {silent: SOLICITATIONS, peer.ip: 2}, "how often they were asked for")
    peer.shell(ping.format(1, size, peer.ip))
    raw = peer.raw(peer.machine.limits.seconds(PATIENCE))
    while raw is not None and not sent_by(peer, ICMP)(raw):
        request = Arp.of(raw)
        if request and request.target == peer.ip:
            peer.fail("it is asked again for a neighbour that has just answered")
        raw = peer.raw(peer.machine.limits.seconds(PATIENCE))
    peer.check(raw and raw[:6], peer.mac, "where the next packet goes")


@pytest.mark.exercise("7.5", points=2)
def test_whom_a_packet_on_the_wire_is_for(peer: Peer, rng: random.Random) -> None:
    """What is for us and for us alone is answered: nobody speaks that protocol here."""
    other = rng.choice([n for n in peer.network.hosts() if n not in (peer.ip, peer.own)])
    group = bytes.fromhex("01005e000001")
    everyone = peer.network.broadcast_address
    answered = [(peer.ip, peer.own, b"")] * 2
    heard = [
        (peer.ip, EVERYBODY, BROADCAST), (peer.ip, everyone, BROADCAST), (peer.ip, IPv4Address("224.0.0.1"), group),
    ]
    refused = [
        (peer.ip, other, b""), (peer.ip, peer.own, BROADCAST), (peer.ip, IPv4Address("232.1.2.3"), group),
        (peer.own, peer.own, b""), (everyone, peer.own, b""), (EVERYBODY, peer.own, b""),
    ]
    refused += [(IPv4Address(text), peer.own, b"") for text in ("127.0.0.1", "0.0.0.0", "224.0.0.1", "240.1.1.1")]
    peer.meet()
    before = counters(peer)
    cases = [*answered, *heard, *refused]
    rng.shuffle(cases)
    wanted = {number for number, case in enumerate(cases) if case in answered}
    for number, (source, to, mac) in enumerate(cases):
        peer.send(ipv4(source, to, NOBODYS, rng.randbytes(20), identification=number), mac)
    peer.send(ipv4(peer.ip, peer.own, NOBODYS, b"the last", identification=len(cases)))
    seen = set()
    while len(cases) not in seen:
        packet = receive(peer, ICMP, "word that nobody speaks a protocol")
        if packet.payload[:2] == bytes([UNREACHABLE, PROTOCOL]):
            seen.add(int.from_bytes(packet.payload[12:14], "big"))
    wrong = [" to ".join(map(str, cases[n][:2])) for n in sorted(seen - {len(cases)} ^ wanted)]
    peer.check(wrong, [], "answers, or none, against the rules: from whom to whom")
    now = counters(peer)
    told = {name: now[name] - before[name] for name in ("ip_in_address_errors", "ip_in_unknown_protocol")}
    peer.check(tuple(told.values()), (len(refused), len(answered) + len(heard) + 1), f"counted as {', '.join(told)}")


@pytest.mark.exercise("7.6", points=2)
def test_ping_on_the_wire(peer: Peer, rng: random.Random) -> None:
    peer.meet()
    for _ in range(5):
        rest, data = rng.randbytes(4), rng.randbytes(rng.randrange(1400))
        peer.send(ipv4(peer.ip, peer.own, ICMP, icmp(ECHO, 0, rest, data)))
        packet = receive(peer, ICMP, "answer to a ping")
        seen = (packet.to, packet.payload[:1], packet.payload[4:], checksum(packet.payload))
        peer.check(seen, (peer.ip, bytes([REPLY]), rest + data, 0), "whom an answer goes to, type, data and sum")


@pytest.mark.exercise("7.7", points=2)
def test_sockets_on_the_wire(server: Peer, rng: random.Random) -> None:
    """Two that listen: each writes what is sent to its port, by whom it has heard first."""
    ports = rng.sample(range(1024, 30000), 2)
    ours, closed, strange = rng.sample(range(30000, 65536), 3)
    for port in ports:
        server.shell(f"nc -u -l {port} > /tmp/{port} &")
    server.shell(f"until grep -q :{ports[0]} net:sockets && grep -q :{ports[1]} net:sockets; do sleep 0.1; done")
    texts = {port: [letters(rng, 40) for _ in range(4)] for port in ports}

    def say(port: int, to: int, text: bytes) -> None:
        server.send(ipv4(server.ip, server.own, UDP, udp(server.ip, port, server.own, to, text)))

    for turn in range(4):
        for port in rng.sample(ports, 2):
            say(ours, port, texts[port][turn])
    whole = {port: b"".join(texts[port]) for port in ports}
    for port in ports:
        server.shell(f"until test $(stat -c %s /tmp/{port}) -ge {len(whole[port])}; do sleep 0.1; done")
    say(ours, closed, b"nobody")
    say(strange, ports[0], b"not yours")
    refused = {}
    while len(refused) < 2:
        packet = receive(server, ICMP, "word that a port is closed")
        if packet.payload[:2] == bytes([UNREACHABLE, PORT]):
            came, to = (int.from_bytes(packet.payload[at : at + 2], "big") for at in (28, 30))
            refused[came] = to
    server.check(refused, {ours: closed, strange: ports[0]}, "who was told that a port is closed, and which")
    for port in ports:
        server.check(server.shell(f"cat /tmp/{port}"), whole[port].decode(), f"what came to port {port}")


@pytest.mark.exercise("7.8", points=3)
def test_large_ping_on_the_wire(peer: Peer, rng: random.Random) -> None:
    """Both ways in fragments; ours are shuffled."""
    peer.meet()
    for turn in range(3):
        message = icmp(ECHO, 0, rng.randbytes(4), rng.randbytes(rng.randrange(4000, 9000)))
        parts = cut(rng, message)
        packets = []
        for place, (offset, part) in enumerate(parts):
            flags = offset // 8 | (MORE if place < len(parts) - 1 else 0)
            packets.append(ipv4(peer.ip, peer.own, ICMP, part, identification=turn + 1, fragment=flags))
        rng.shuffle(packets)
        for packet in packets:
            peer.send(packet)
        pieces: dict[int, bytes] = {}
        total = None
        while total is None or sum(map(len, pieces.values())) < total:
            what = f"whole answer to a ping of {len(message)} bytes in {len(parts)} fragments"
            packet = receive(peer, ICMP, what)
            at = (packet.fragment & 0x1FFF) * 8
            pieces[at] = packet.payload
            if not packet.fragment & MORE:
                total = at + len(packet.payload)
        answer = b"".join(pieces[at] for at in sorted(pieces))
        if answer[4:] != message[4:] or checksum(answer):
            peer.fail("the answer to a large ping is another")


@pytest.mark.exercise("7.9", points=2)
def test_names_on_the_wire(server: Peer, rng: random.Random) -> None:
    """We are the name server. An answer with a circle in it comes first; then two that use pointers
    as servers do."""

    def answer(address: IPv4Address, records: Callable[[bytes], bytes]) -> None:
        """Two records behind the question, which is for this address."""
        name = flat([*(b"%d" % n for n in reversed(address.packed)), b"in-addr", b"arpa"])
        raw = server.expect(lambda raw: sent_by(server, UDP)(raw) and name in raw, f"question for {address}")
        packet = Packet.of(raw)
        assert packet is not None
        port, asked = int.from_bytes(packet.payload[:2], "big"), packet.payload[8:]
        message = asked[:2] + bytes([0x81, 0x80, 0, 1, 0, 2]) + bytes(4) + asked[12:] + records(asked)
        server.send(ipv4(server.ip, server.own, UDP, udp(server.ip, 53, server.own, port, message)))

    def record(owner: bytes, kind: int, data: bytes) -> bytes:
        return owner + bytes([0, kind, 0, 1, 0, 0, 1, 0]) + len(data).to_bytes(2, "big") + data

    def circle(asked: bytes) -> bytes:
        return record(pointer(12), PTR, b"\1a" + pointer(len(asked) + 12)) * 2

    server.shell("host 192.0.2.1 > /tmp/circle 2>&1 &")
    answer(IPv4Address("192.0.2.1"), circle)
    for _ in range(2):
        address = IPv4Address(rng.randrange(130 << 24, 190 << 24))
        alias, own = ([letters(rng, 20) for _ in range(rng.randint(2, 4))] for _ in range(2))
        tail = rng.randrange(1, len(alias))

        def chain(asked: bytes) -> bytes:
            """The question's name stands for another, which ends in its last labels; and the name that
            was looked for ends in the last labels of that one."""
            arpa = 12 + asked[12:].index(b"\7in-addr")
            at = len(asked) + 12  # of the first record's data
            first = record(pointer(12), CNAME, flat(alias) + pointer(arpa))
            inside = at + len(flat(alias[:tail]))
            return first + record(pointer(at), PTR, flat(own) + pointer(inside))

        name = b".".join([*own, *alias[tail:], b"in-addr", b"arpa"]).decode()
        server.machine.console.start(f"host {address}")
        answer(address, chain)
        said = server.machine.console.finish("host", server.machine.limits.seconds(PATIENCE)).output
        server.check(said, f"{address} has name {name}\n", "what host says")
    if "has name" in server.shell("cat /tmp/circle"):
        server.fail("a name that goes round in a circle was believed")
