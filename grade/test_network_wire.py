"""The network seen from a raw wire: what a peer of bad manners sends, and what comes back."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest

from grade.harness.link import Link
from grade.harness.machine import Machine
from grade.test_network import await_line, start_server

scapy = pytest.importorskip("scapy.all", reason="scapy is not installed")

Boot = Callable[..., Machine]
GUEST = "10.0.2.15"  # the fallback, as nobody answers DHCP here
PEER = "10.0.2.2"
PEER_MAC = "02:00:00:00:00:99"


class Peer:
    """Our end of the wire: builds frames, and waits for answers."""

    def __init__(self, machine: Machine, link: Link) -> None:
        self.machine, self.link = machine, link
        self.mac = "ff:ff:ff:ff:ff:ff"
        self.random = random.Random(1)

    def send(self, packet: object, *, mac: str | None = None) -> None:
        frame = scapy.Ether(src=PEER_MAC, dst=mac or self.mac) / packet
        self.link.send(bytes(frame))

    def receive(self, wanted: Callable[[object], object], timeout: float = 10.0) -> object | None:
        """The next frame that is wanted; in between, questions for our address are answered."""
        deadline = time.monotonic() + self.machine.limits.seconds(timeout)
        while (frame := self.link.receive(deadline - time.monotonic())) is not None:
            packet = scapy.Ether(frame)
            if scapy.ARP in packet and packet[scapy.ARP].pdst == PEER and packet.op == 1:
                self.send(
                    scapy.ARP(
                        op=2,
                        hwsrc=PEER_MAC,
                        psrc=PEER,
                        hwdst=packet[scapy.ARP].hwsrc,
                        pdst=packet[scapy.ARP].psrc,
                    ),
                    mac=packet.src,
                )
                continue
            if wanted(packet):
                return packet
        return None

    def expect(self, wanted: Callable[[object], object], what: str) -> object:
        packet = self.receive(wanted)
        assert packet is not None, f"no {what} came"
        return packet

    def drain(self) -> None:
        while self.link.receive(0) is not None:
            pass

    def ping(self, payload: bytes = b"are you there?") -> object:
        """The machine is alive and answers."""
        sequence = self.random.randrange(1, 65536)
        self.send(
            scapy.IP(src=PEER, dst=GUEST) / scapy.ICMP(id=7, seq=sequence) / payload
        )
        return self.expect(
            lambda p: scapy.ICMP in p and p[scapy.ICMP].type == 0 and p[scapy.ICMP].seq == sequence,
            "answer to an echo",
        )


@pytest.fixture
def peer(boot: Boot) -> Iterator[Peer]:
    machine = boot(nets=("peer",))
    await_line(machine, "net:status", f"{GUEST}/24")
    peer = Peer(machine, machine.links[0])
    peer.drain()
    peer.send(scapy.ARP(op=1, hwsrc=PEER_MAC, psrc=PEER, pdst=GUEST))
    answer = peer.expect(
        lambda p: scapy.ARP in p and p[scapy.ARP].op == 2 and p[scapy.ARP].psrc == GUEST,
        "answer to an ARP request",
    )
    peer.mac = answer.src
    yield peer


def test_echo_is_answered_as_it_came(peer: Peer) -> None:
    answer = peer.ping(bytes(range(256)) * 5)
    assert answer[scapy.IP].src == GUEST and answer.src == peer.mac
    assert bytes(answer[scapy.ICMP].payload) == bytes(range(256)) * 5
    del answer[scapy.ICMP].chksum
    assert scapy.Ether(bytes(answer))[scapy.ICMP].chksum is not None


def test_fragments_in_any_order(peer: Peer) -> None:
    payload = bytes(peer.random.randrange(256) for _ in range(9000))
    whole = scapy.IP(src=PEER, dst=GUEST, id=77) / scapy.ICMP(id=9, seq=9) / payload
    fragments = scapy.fragment(whole, fragsize=1000)
    peer.random.shuffle(fragments)
    for fragment in [*fragments[:3], fragments[0], *fragments[3:]]:  # one of them twice
        peer.send(fragment)
    parts: dict[int, bytes] = {}
    more = True
    while more or sum(map(len, parts.values())) < len(payload) + 8:
        part = peer.expect(
            lambda p: scapy.IP in p and p[scapy.IP].proto == 1 and p[scapy.IP].src == GUEST,
            "fragment of the answer",
        )
        parts[part[scapy.IP].frag * 8] = bytes(part[scapy.IP].payload)[
            : part[scapy.IP].len - 20
        ]
        more = more and bool(part[scapy.IP].flags.MF)
    message = b"".join(parts[offset] for offset in sorted(parts))
    assert message[8:] == payload


def test_port_that_nobody_listens_on(peer: Peer) -> None:
    peer.send(scapy.IP(src=PEER, dst=GUEST) / scapy.UDP(sport=5, dport=9999) / b"x")
    answer = peer.expect(lambda p: scapy.ICMP in p, "ICMP error")
    assert (answer[scapy.ICMP].type, answer[scapy.ICMP].code) == (3, 3)
    peer.send(scapy.IP(src=PEER, dst=GUEST) / scapy.TCP(sport=5, dport=9999, seq=100, flags="S"))
    answer = peer.expect(lambda p: scapy.TCP in p, "reset")
    assert answer[scapy.TCP].flags == "RA" and answer[scapy.TCP].ack == 101


def mangled(packet: bytes, source: random.Random) -> bytes:
    """A frame with a few bytes changed, or cut off, or with something behind it."""
    data = bytearray(packet)
    for _ in range(source.randrange(4)):
        data[source.randrange(14, len(data))] = source.randrange(256)
    if source.random() < 0.3:
        del data[source.randrange(14, len(data)) :]
    if source.random() < 0.1:
        data += bytes(source.randrange(256) for _ in range(source.randrange(40)))
    return bytes(data)


def test_survives_what_is_malformed(peer: Peer) -> None:
    """Thousands of frames of which hardly one is right; then it still answers, and lost nothing."""
    start_server(peer.machine, "nc -l 7 > /tmp/got")
    before = counters(peer.machine)
    ether = scapy.Ether(src=PEER_MAC, dst=peer.mac)
    ip = scapy.IP(src=PEER, dst=GUEST)
    six = scapy.IPv6(src="fe80::99", dst="ff02::1")
    templates = [
        ether / scapy.ARP(op=2, psrc=PEER, hwsrc=PEER_MAC, pdst=GUEST),
        ether / ip / scapy.ICMP() / b"payload",
        ether / ip / scapy.UDP(sport=53, dport=68) / bytes(300),
        ether / ip / scapy.TCP(dport=7, flags="S", options=[("MSS", 1460), ("SAckOK", b"")]),
        ether / ip / scapy.TCP(dport=7, flags="A", seq=1, ack=1) / b"data",
        ether / scapy.IP(src=PEER, dst=GUEST, flags="MF", frag=3) / bytes(64),
        ether / scapy.IP(src=PEER, dst=GUEST, options=[scapy.IPOption_RR()]) / scapy.ICMP(),
        ether / six / scapy.ICMPv6ND_NA(tgt="fe80::1") / scapy.ICMPv6NDOptDstLLAddr(),
        ether / six / scapy.ICMPv6ND_RA() / scapy.ICMPv6NDOptPrefixInfo(prefix="fd00::"),
        ether / six / scapy.IPv6ExtHdrFragment(m=1, offset=2) / bytes(64),
        ether / six / scapy.IPv6ExtHdrHopByHop(options=[scapy.PadN(optdata=b"12345")]),
    ]
    frames = [bytes(template) for template in templates]
    for number in range(6000):
        peer.link.send(mangled(peer.random.choice(frames), peer.random))
        if number % 64 == 0:
            peer.drain()
    peer.drain()
    peer.ping()
    assert counters(peer.machine)["packets_in_use"] <= before["packets_in_use"] + 200


def counters(machine: Machine) -> dict[str, int]:
    lines = machine.console.check("cat net:counters").splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines)}


def test_flood_leaves_the_machine_usable(peer: Peer) -> None:
    """SYNs from everywhere, as fast as they go: the shell answers, an old connection goes on, and
    afterwards new ones are made."""
    start_server(peer.machine, "nc -k -l 7 > /tmp/got")
    frame = scapy.Ether(src=PEER_MAC, dst=peer.mac)
    for number in range(3000):
        source = f"10.0.2.{peer.random.randrange(16, 250)}"
        syn = scapy.TCP(sport=peer.random.randrange(1024, 65536), dport=7, seq=number, flags="S")
        peer.link.send(bytes(frame / scapy.IP(src=source, dst=GUEST) / syn))
        if number % 64 == 0:
            peer.drain()
    assert peer.machine.console.check("echo still here", timeout=30) == "still here\n"
    peer.drain()
    peer.ping()
    peer.send(scapy.IP(src=PEER, dst=GUEST) / scapy.TCP(sport=4321, dport=7, seq=1, flags="S"))
    answer = peer.expect(
        lambda p: scapy.TCP in p and p[scapy.TCP].dport == 4321, "answer to a SYN after the flood"
    )
    assert answer[scapy.TCP].flags == "SA"
    assert counters(peer.machine)["tcp_cookies_sent"] > 0


def test_capture_shows_what_passes(peer: Peer) -> None:
    """net:capture:eth0 is a pcap file of what went over the wire."""
    peer.machine.console.check("head -c 400 net:capture:eth0 > /tmp/pcap &")
    deadline = time.monotonic() + peer.machine.limits.seconds(20)
    while peer.machine.console.check("wc -c < /tmp/pcap").strip() != "400":
        assert time.monotonic() < deadline
        peer.ping(b"SEEN" * 20)
    dump = peer.machine.console.check("hexdump -C /tmp/pcap | head -1")
    assert dump.split()[1:5] == ["4d", "3c", "b2", "a1"]
    assert "SEENSEEN" in peer.machine.console.check("grep -a SEEN /tmp/pcap")
