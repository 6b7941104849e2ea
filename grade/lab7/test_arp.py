"""Exercises 7.3 and 7.4: ARP answers and what is learned from it; and the way to a neighbour."""

from __future__ import annotations

import random
from collections.abc import Callable
from errno import EHOSTUNREACH

import pytest

from grade.lab7.host import MS, SECOND, Answer
from grade.lab7.wire import ARP, BROADCAST, UDP, Arp, Frame, Net, Packet, arp, ethernet, random_mac

QUEUE = 4  # packets that wait for one address (NEIGHBOUR_QUEUE)
DATAGRAM, RAW = 2, 3  # types of sockets
PROBE = 253  # a protocol that nobody has (RFC 3692)


def requests(answer: Answer) -> list[tuple[Frame, Arp]]:
    found = [(Frame.of(frame), Arp.of(frame)) for frame in answer.frames]
    return [(frame, message) for frame, message in found if message and message.operation == 1]


def datagrams(answer: Answer) -> list[tuple[bytes, bytes]]:
    """Link-layer destination and data of each UDP datagram that was sent."""
    found = [(Frame.of(frame), Packet.of(frame)) for frame in answer.frames]
    return [(f.to, p.payload[8:]) for f, p in found if p and p.protocol == UDP]


@pytest.mark.exercise("7.3", points=7)
def test_requests_are_answered(net: Net, rng: random.Random) -> None:
    """For our address, with our address, to who asked; nothing else is answered."""
    cases = []
    for _ in range(40):
        mac, ip = random_mac(rng), net.neighbour()
        kind = rng.choice(("ours", "ours", "other", "reply", "cut", "wrong"))
        target = net.own if kind != "other" else net.neighbour()
        message = arp(2 if kind == "reply" else 1, mac, ip, bytes(6), target)
        if kind == "cut":
            message = message[: rng.randrange(28)]
        if kind == "wrong":  # another hardware or protocol, or other sizes
            at = rng.choice((0, 2, 4, 5))
            message = message[:at] + bytes([message[at] ^ 0x40]) + message[at + 1 :]
        frame = ethernet(rng.choice((BROADCAST, net.mac)), mac, ARP, message)
        cases.append((net.hear(frame), kind, mac, ip))
    answers = net.script.run()
    for index, kind, mac, ip in cases:
        frames = answers[index].frames
        if kind != "ours":
            net.script.check(index, frames, [], f"nothing is to be sent ({kind})")
            continue
        seen = [(Frame.of(frame).to, Frame.of(frame).source, Arp.of(frame)) for frame in frames]
        wanted = [(mac, net.mac, Arp(2, net.mac, net.own, mac, ip))]
        net.script.check(index, seen, wanted, "the answer to a request for our address")


@pytest.mark.exercise("7.3", points=6)
def test_what_is_learned(net: Net, rng: random.Random) -> None:
    """From whoever asks us, and from nothing that nobody asked for."""
    script = net.script
    cases, known = [], {}
    for _ in range(20):
        kind = rng.choice(("asks-us", "asks-another", "unasked-reply", "off-link"))
        mac, ip = random_mac(rng), net.stranger() if kind == "off-link" else net.neighbour()
        if kind == "asks-us":
            known[ip] = mac
        if kind in ("asks-us", "off-link"):
            net.say(mac, ip)
        else:  # only an entry that is there may be told something: this one is nobody's
            code = 1 if kind == "asks-another" else 2
            net.hear(ethernet(BROADCAST, mac, ARP, arp(code, mac, ip, bytes(6), net.neighbour())))
        wanted = sorted(f"neighbour {ip} {mac.hex()}" for ip, mac in known.items())
        cases.append((script.add("neighbours"), wanted, kind))
    answers = script.run()
    for index, wanted, kind in cases:
        seen = sorted(answers[index].said.splitlines())
        script.check(index, seen, wanted, f"{kind}: who is in the neighbour cache")


@pytest.mark.exercise("7.4", points=3)
def test_a_neighbour_is_not_taken_away(nets: Callable[[], Net], rng: random.Random) -> None:
    """Who asked us is answered without a question; no stranger's word changes where it goes."""
    for moves in (False, True):
        net = nets()
        script = net.script
        mac, other, ip, data = random_mac(rng), random_mac(rng), net.neighbour(), rng.randbytes(9)
        script.add("socket", 0, DATAGRAM, 0)
        net.say(mac, ip)
        if moves:
            script.add("send", 0, ip, 9, b"first")
            net.hear(ethernet(BROADCAST, other, ARP, arp(1, other, ip, bytes(6), net.neighbour())))
        sent = script.add("send", 0, ip, 9, data)
        answers = script.run()
        script.check(sent, datagrams(answers[sent]), [(mac, data)],
                     f"{'moves' if moves else 'asks-us'}: the datagram goes to who is known")


@pytest.mark.exercise("7.4", points=4)
def test_packets_wait_for_the_answer(net: Net, rng: random.Random) -> None:
    """They cause one request, at most four wait, and leave in order when the answer is here."""
    script = net.script
    script.add("socket", 0, DATAGRAM, 0)
    rounds = []
    for _ in range(6):
        mac, ip = random_mac(rng), net.neighbour()
        data = [rng.randbytes(rng.randrange(1, 60)) for _ in range(rng.randrange(1, 8))]
        sends = [script.add("send", 0, ip, rng.randrange(1, 65536), part) for part in data]
        script.add("pass", rng.randrange(100) * MS)
        answer = net.hear(ethernet(net.mac, mac, ARP, arp(2, mac, ip, net.mac, net.own)))
        after = script.add("send", 0, ip, 5, b"then")
        rounds.append((mac, ip, data, sends, answer, after))
    answers = script.run()
    for mac, ip, data, sends, answer, after in rounds:
        asked = [(f.to, m) for index in sends for f, m in requests(answers[index])]
        wanted = Arp(1, net.mac, net.own, bytes(6), ip)
        script.check(sends[-1], asked, [(BROADCAST, wanted)], "one request, to everybody")
        before = [d for index in sends for d in datagrams(answers[index])]
        script.check(sends[-1], before, [], "nothing leaves before the address is known")
        kept = [(mac, part) for part in data[-QUEUE:]]
        script.check(answer, datagrams(answers[answer]), kept,
                     "the answer sends what waited: the newest four, in order")
        script.check(after, datagrams(answers[after]), [(mac, b"then")], "later ones go at once")


@pytest.mark.exercise("7.4", points=3)
def test_nobody_answers(net: Net, rng: random.Random) -> None:
    """Three requests, a second apart; then nobody is asked for a while."""
    script, ip = net.script, net.neighbour()
    script.add("socket", 0, RAW, PROBE)
    script.add("connect", 0, ip, 0)
    times = [script.add("send", 0, "any", 0, b"hello")]
    for _ in range(7):
        times.append(script.add("pass", SECOND // 2))
    quiet = script.add("send", 0, "any", 0, b"again")
    script.add("pass", 2 * SECOND)
    anew = script.add("send", 0, "any", 0, b"once more")
    answers = script.run()
    asked = [len(requests(answers[index])) for index in times]
    script.check(times[-1], sum(asked), 3, "requests in all, when nobody answers")
    gaps = [place for place, count in enumerate(asked) if count]
    script.check(times[-1], gaps, [0, 2, 4], "half seconds after which a request was sent")
    script.check(quiet, (answers[quiet].result, requests(answers[quiet])), (-EHOSTUNREACH, []),
                 "a packet at once after that is refused, and asks nobody (RFC 1122 2.3.2.1)")
    script.check(anew, len(requests(answers[anew])), 1, "a later packet asks again")


@pytest.mark.exercise("7.4", points=3)
def test_an_entry_grows_old(net: Net, rng: random.Random) -> None:
    """It is used while it is checked: by asking its owner alone, then everybody."""
    script, ip, mac, new = net.script, net.neighbour(), random_mac(rng), random_mac(rng)
    script.add("socket", 0, DATAGRAM, 0)
    net.say(mac, ip)
    used = script.add("send", 0, ip, 7, b"one")
    probes = [script.add("pass", SECOND) for _ in range(9)]
    gone = script.add("send", 0, ip, 7, b"two")
    net.hear(ethernet(net.mac, new, ARP, arp(2, new, ip, net.mac, net.own)))
    answers = script.run()
    script.check(used, datagrams(answers[used]), [(mac, b"one")], "a known address is used at once")
    asked = [f.to for index in probes for f, _ in requests(answers[index])]
    script.check(probes[-1], asked, [mac] * 3,
                 "after it was used (5 s) its owner is asked three times, he alone")
    seen = [f.to for f, _ in requests(answers[gone])]
    script.check(gone, (seen, datagrams(answers[gone])), ([BROADCAST], []),
                 "an owner that does not answer is forgotten: everybody is asked")
    arrived = datagrams(answers[gone + 1])
    script.check(gone + 1, arrived, [(new, b"two")], "who answers gets what waited")
