"""Lab 8's exercises in the booted system: the host is the only other machine on the wire, and
speaks TCP by hand."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from grade.harness.machine import Machine
from grade.lab7.peer import PATIENCE, Peer
from grade.lab7.wire import IPV4, Packet, ethernet, ipv4
from grade.lab8.segment import TCP, Options, Segment
from grade.lab8.test_sending import Receiver

QUIET = 0.25  # s in which nothing came: nothing will, before the retransmission timer expires
ROUNDS = 400
LISTENING = 9


def highest(segments: list[Segment]) -> int:
    """One beyond the highest octet of their text."""
    return max((s.seq + len(s.data) for s in segments), default=1)


@dataclass
class Wire(Peer):
    """Our end of the wire, and the connection that is talked about: numbers count from the ISNs."""

    port: int = 0
    theirs: int = 0
    iss: int = 0
    irs: int = 0
    early: list[Segment] = field(default_factory=list)  # text that came with the ACK of our SYN

    # ---- Segments --------------------------------------------------------------------------------

    def segment(self, wait: float) -> Segment | None:
        """The next segment for the port that we talk from, as it came."""
        deadline = time.monotonic() + wait
        while (raw := self.frame(deadline - time.monotonic())) is not None:
            packet = Packet.of(raw)
            if packet and packet.protocol == TCP and packet.to == self.ip:
                segment = Segment.of(packet)
                if not segment:
                    self.fail("the checksum of a segment is wrong")
                if segment.to == self.port:
                    return segment
        return None

    def next(self, what: str) -> Segment:
        """The next one of our connection, which must come."""
        segment = self.segment(self.machine.limits.seconds(PATIENCE))
        if not segment:
            self.fail(f"no {what} came")
        if "S" in segment.flags:
            self.irs, self.theirs = segment.seq, segment.source
        return segment.relative(self.irs, self.iss)

    def reach(self, end: int) -> list[Segment]:
        """All segments until text up to this number has come, and what else comes with it."""
        found, self.early = self.early, []
        while highest(found) < end:
            found.append(self.next(f"text up to {end}"))
        while segment := self.segment(QUIET):
            found.append(segment.relative(self.irs, self.iss))
        return found

    def expect(self, wanted: str, what: str) -> Segment:
        segment = self.next(what)
        self.check(str(segment), wanted, what)
        return segment

    def say(
        self, flags: str, seq: int, data: bytes = b"", ack: int = 0, window: int = 65535,
        options: Options | None = None,
    ) -> None:
        options = options or Options()
        blocks = tuple((self.irs + a, self.irs + b) for a, b in options.blocks)
        segment = Segment(flags, self.iss + seq, self.irs + ack, data, window,
                          replace(options, blocks=blocks), self.port, self.theirs)
        packet = ipv4(self.ip, self.own, TCP, segment.pack(self.ip, self.own))
        self.send(packet)

    # ---- Connections -----------------------------------------------------------------------------

    def fresh(self) -> None:
        self.port, self.iss = self.rng.randrange(1024, 30000), self.rng.randrange(1 << 32)

    def called(self, command: str) -> None:
        """A program of the guest connects to us: its SYN has come. {} stands for where."""
        self.fresh()
        self.machine.console.check(command.format(f"{self.ip} {self.port}"))
        self.expect("S 0:0", "SYN of a program that connects")

    def connected(self, command: str, options: Options, window: int = 65535) -> None:
        """... and has had its answer."""
        self.called(command)
        self.say("SA", 0, ack=1, window=window, options=options)
        segment = self.next("ACK of our SYN")
        self.check((segment.seq, segment.ack), (1, 1), "numbers of the ACK of our SYN")
        self.early = [segment] if segment.data else []

    def listening(self, command: str) -> None:
        """A program of the guest listens."""
        self.machine.console.check(f"{command} &")
        self.machine.console.check("until grep -q LISTEN net:sockets; do sleep 0.1; done", timeout=60)


@pytest.fixture
def wire(boot: Callable[..., Machine], rng: random.Random, seed: str) -> Wire:
    wire = Wire.on(boot(nets=("peer",)), rng, seed, serves=True)
    wire.meet()
    return wire


@pytest.mark.exercise("8.1", points=2)
def test_options_on_the_wire(wire: Wire, rng: random.Random) -> None:
    """What we offer is what we get, whatever else is in the list."""
    wire.listening(f"nc -l {LISTENING}")
    wire.theirs = LISTENING
    offers = []
    for _ in range(4):  # at once: nobody waits for the retransmission of an answer
        wire.fresh()
        offer = Options(
            mss=rng.choice((None, rng.randrange(88, 1460))), scale=rng.choice((None, rng.randrange(15))),
            sack=rng.random() < 0.5, stamps=rng.choice((None, (rng.randrange(1 << 32), 0))),
        )
        unknown = bytes([rng.randrange(30, 250), 4]) + rng.randbytes(2)
        segment = Segment("S", wire.iss, options=replace(offer, other=unknown), source=wire.port, to=LISTENING)
        packet = ipv4(wire.ip, wire.own, TCP, segment.pack(wire.ip, wire.own))
        offers.append((wire.port, offer, ethernet(wire.guest, wire.mac, IPV4, packet)))
    for _, _, frame in offers:
        wire.link.send(frame)
    for port, offer, _ in offers:
        wire.port = port
        answer = wire.next("answer to a SYN").options
        seen = (answer.scale is not None, answer.sack, answer.stamps[1] if answer.stamps else None)
        wanted = (offer.scale is not None, offer.sack, offer.stamps[0] if offer.stamps else None)
        wire.check(seen, wanted, f"scaling, SACK-permitted and TSecr of the answer to {offer}")


@pytest.mark.exercise("8.2", points=1)
def test_a_silent_peer_on_the_wire(wire: Wire) -> None:
    """The second pause is twice the first."""
    wire.called("nc {} < null: > /tmp/out 2> /tmp/errors &")
    times = [time.monotonic()]
    for _ in range(2):
        wire.expect("S 0:0", "SYN that is sent again")
        times.append(time.monotonic())
    first, second = times[1] - times[0], times[2] - times[1]
    if not 1.4 < second / first < 3:
        wire.fail(f"a SYN was sent again after {first:.2f} s, and then after {second:.2f} s: not twice as long")


@pytest.mark.exercise("8.3", points=2)
def test_opening_on_the_wire(wire: Wire) -> None:
    """One is answered, one refused."""
    wire.connected("sleep 100 | nc {} > /tmp/out &", Options(mss=1000))
    wire.fresh()
    wire.machine.console.start(f"nc {wire.ip} {wire.port} < null:")
    wire.expect("S 0:0", "SYN of nc")
    wire.say("RA", 0, ack=1)
    text = wire.machine.console.finish("nc", 30).output
    wire.check("refused" in text, True, f"whether nc says that it was refused ({text!r})")


@pytest.mark.exercise("8.4", points=2)
def test_a_blind_reset_on_the_wire(wire: Wire, rng: random.Random) -> None:
    wire.connected("sleep 100 | nc {} > /tmp/out 2> /tmp/errors &", Options(mss=1000))
    wire.say("R", rng.randrange(2, 20_000))
    wire.expect("A 1:0 ack 1", "answer to a reset that was guessed")
    wire.machine.console.check("grep ESTABLISHED net:sockets")
    wire.say("R", 1)
    wire.machine.console.check("while grep -q ESTABLISHED net:sockets; do sleep 0.1; done", timeout=30)


@pytest.mark.exercise("8.5", points=2)
def test_a_small_window_on_the_wire(wire: Wire, rng: random.Random) -> None:
    """Whole segments, and no more than there is room for."""
    rest = rng.randrange(100, 1000)
    wire.connected("seq 1 5000 | nc {} > /tmp/out &", Options(mss=1000), window=2000 + rest)
    sent = [str(segment) for segment in wire.reach(2001)]
    wire.check(sent, ["A 1:1000 ack 1", "A 1001:1000 ack 1"], f"what goes into a window of {2000 + rest}")


def numbers(last: int) -> bytes:
    """What `seq 1 last` prints."""
    return b"".join(b"%d\n" % n for n in range(1, last + 1))


@pytest.mark.exercise("8.6", points=2)
def test_a_window_that_moves_on_the_wire(wire: Wire) -> None:
    text, got = numbers(3000), b""
    wire.connected("seq 1 3000 | nc {} > /tmp/out &", Options(mss=1000), window=3000)
    for _ in range(ROUNDS):
        segment = wire.early.pop() if wire.early else wire.next(f"text from {len(got) + 1} on")
        if segment.data:
            wire.check((segment.seq, segment.data), (len(got) + 1, text[len(got) : len(got) + len(segment.data)]),
                       f"number and text of the segment after {len(got)} octets")
            got += segment.data
            wire.say("A", 1, ack=len(got) + 1, window=3000)
        if len(got) == len(text):
            return
    wire.fail(f"{len(got)} of {len(text)} octets came")


@pytest.mark.exercise("8.7", points=3)
def test_shuffled_text_on_the_wire(wire: Wire, rng: random.Random) -> None:
    """Some of it twice, some of it overlapping: each octet is written once."""
    wire.listening(f"nc -l {LISTENING} > /tmp/got")
    wire.fresh()
    wire.theirs = LISTENING
    wire.say("S", 0, options=Options(mss=1000, sack=True))
    wire.expect("SA 0:0 ack 1", "answer to a SYN")
    wire.say("A", 1, ack=1)
    text = numbers(4000)
    cuts = sorted(rng.sample(range(1, len(text)), 30))
    parts = [(a, b) for left, right in zip([0, *cuts], [*cuts, len(text)], strict=True)
             for a in range(left, right, 1000) for b in [min(a + 1000, right)]]
    parts += [(a, min(b + rng.randrange(300), a + 1400, len(text))) for a, b in rng.sample(parts, 12)]
    rng.shuffle(parts)
    for left, right in parts:
        wire.say("A", 1 + left, text[left:right], ack=1)
    deadline = time.monotonic() + wire.machine.limits.seconds(PATIENCE)
    last = 0
    while last != len(text) + 1:
        segment = wire.segment(deadline - time.monotonic())
        if not segment:
            wire.fail(f"{last - 1} octets were acknowledged, not {len(text)}")
        last = segment.relative(wire.irs, wire.iss).ack
    size = f"until test $(stat -c %s /tmp/got) -ge {len(text)}; do sleep 0.1; done; cat /tmp/got"
    wire.check(wire.machine.console.check(size, timeout=60), text.decode(), "what nc has written")


@pytest.mark.exercise("8.8", points=2)
def test_slow_start_on_a_real_wire(wire: Wire) -> None:
    """Ten segments at first; each ACK lets two more go."""
    wire.connected("seq 1 20000 | nc {} > /tmp/out &", Options(mss=1000, scale=5))
    wire.check(highest(wire.reach(10_001)), 10_001, "the end of the first window, without any ACK")
    for n in range(1, 7):
        wire.say("A", 1, ack=1 + 1000 * n, window=8000)
        end = 10_001 + 2000 * n
        wire.check(highest(wire.reach(end)), end, f"the end of what was sent after {n} ACKs")


@pytest.mark.exercise("8.9", points=2)
def test_what_is_out_on_the_wire(wire: Wire, rng: random.Random) -> None:
    """What is SACKed is no longer in the network, and makes room; blocks that lie make none. (Two
    segments are not enough for any to count as lost.)"""
    wire.connected("seq 1 20000 | nc {} > /tmp/out &", Options(mss=1000, scale=5, sack=True))
    while highest(wire.early) < 10_001:
        wire.early.append(wire.next("text of the first window"))
    first = 1 + 1000 * rng.randrange(1, 8)
    never, part = (10_001, 11_001), (first + 1, first + 1000)
    for block in (never, part, (first, first + 1000), (first, first + 2000)):
        wire.say("A", 1, ack=1, window=8000, options=Options(blocks=(block,)))
    wire.check(highest(wire.reach(12_001)), 12_001, "the end of what is sent when two segments are SACKed")


@pytest.mark.exercise("8.10", points=3)
def test_a_lossy_wire(wire: Wire, rng: random.Random) -> None:
    """One segment in twenty is lost, and one ACK in fifty; all arrives."""
    text = numbers(20_000)
    wire.connected("seq 1 20000 | nc {} > /tmp/out &", Options(mss=1000, scale=5, sack=True))
    receiver = Receiver(rng, 0.05, True)
    coming = wire.early or [wire.next("text")]
    deadline = time.monotonic() + wire.machine.limits.seconds(60)
    while True:
        for ack, blocks in receiver.take(coming):
            if rng.random() >= 0.02:
                wire.say("A", 1, ack=ack, window=8000, options=Options(blocks=blocks))
        if len(receiver.got) == len(text):
            break
        segment = wire.segment(deadline - time.monotonic())
        if not segment:
            wire.fail(f"{len(receiver.got)} of {len(text)} octets came in a minute")
        coming = [segment.relative(wire.irs, wire.iss)]
    wire.check(bytes(receiver.got) == text, True, "whether what came is what was sent")


@pytest.mark.exercise("8.11", points=2)
def test_a_page_over_a_lossy_wire(wire: Wire, rng: random.Random) -> None:
    """wget fetches a page: one segment in twenty is lost, either way; at the end both say so."""
    body = "".join(rng.choice("0123456789abcdef\n") for _ in range(rng.randrange(20_000, 40_000))).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    wire.fresh()
    wire.machine.console.start(f"wget -q -O /tmp/page http://{wire.ip}:{wire.port}/page")
    wire.expect("S 0:0", "SYN of wget")
    wire.say("SA", 0, ack=1, options=Options(mss=1000, sack=True))
    request = Receiver(rng, 0.05, True)
    serve(wire, rng, request, head + body)
    wire.machine.console.finish("wget", 60)
    wire.check(wire.machine.console.check("cat /tmp/page", timeout=60), body.decode(), "the page")


def serve(wire: Wire, rng: random.Random, request: Receiver, page: bytes) -> None:
    """Our side of the connection: sends the page when the request is here, a few segments at a time,
    again from where its ACKs stand still, and a FIN behind it; until the guest's FIN is here, too."""
    acked, end, at, over = 1, len(page) + 2, 1, 0
    deadline = time.monotonic() + wire.machine.limits.seconds(60)
    while not over:
        if b"\r\n\r\n" in request.got:
            while at < min(acked + 8000, end):
                data = page[at - 1 : at + 999]
                fin = at + len(data) == end - 1
                if rng.random() >= 0.05:
                    wire.say("FA" if fin else "A", at, data, ack=len(request.got) + 1)
                at += len(data) + fin
        segment = wire.segment(0.2)
        if time.monotonic() > deadline:
            wire.fail(f"{acked - 1} of {end - 1} octets of a page were acknowledged in a minute")
        if not segment:
            at = acked
            continue
        segment = segment.relative(wire.irs, wire.iss)
        if rng.random() < 0.05:
            continue
        acked = max(acked, segment.ack)
        at = max(at, acked)
        for ack, blocks in request.take([segment]):
            wire.say("A", at, ack=ack, options=Options(blocks=blocks))
        if "F" in segment.flags and segment.seq + len(segment.data) == len(request.got) + 1 and acked == end:
            over = segment.seq + len(segment.data) + 1
    wire.say("A", end, ack=over)
