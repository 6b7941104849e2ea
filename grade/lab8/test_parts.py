"""Exercises 8.1, 8.2 and 8.8: the parts of TCP that need no connection, by themselves."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from grade.lab8.host import Peer, Stack
from grade.lab8.segment import Options

MAX_SHIFT, MAX_BLOCKS = 14, 4
SECOND_US = 10**6


# ---- 8.1 -----------------------------------------------------------------------------------------

LENGTHS = {2: 2, 3: 1, 4: 0, 8: 8}  # of the values of the kinds that have one length


def some_option(rng: random.Random) -> bytes:
    """One option, perhaps of no use."""
    kind = rng.choice((1, 1, 2, 3, 4, 5, 8, 2, 3, 4, 5, 8, rng.randrange(9, 256)))
    if kind == 1:
        return b"\1"
    length = LENGTHS.get(kind, rng.randrange(9))
    if kind == 5:
        length = 8 * rng.randrange(5)
        left = [rng.randrange(1 << 32) for _ in range(length // 8)]
        spans = [rng.choice((0, -3, 1, 1460, 1 << 20)) for _ in left]
        edges = [e % (1 << 32) for a, n in zip(left, spans, strict=True) for e in (a, a + n)]
        rest = rng.randbytes(rng.choice((0, 0, 0, rng.randrange(8))))
        return struct.pack(f">BB{len(edges)}I", 5, 2 + length + len(rest), *edges) + rest
    if rng.random() < 0.15:
        length = rng.randrange(13)
    value = rng.randbytes(length)
    if kind == 3 and length == 1:
        value = bytes([rng.choice((rng.randrange(15), rng.randrange(15, 256)))])
    return bytes([kind, 2 + length]) + value


def read(data: bytes) -> str:
    """What the list says, as the driver prints it."""
    mss, scale, sack, stamps = 0, -1, 0, ""
    blocks: list[str] = []
    while data and data[0] != 0:
        if data[0] == 1:
            data = data[1:]
            continue
        if len(data) < 2 or data[1] < 2 or data[1] > len(data):
            break
        kind, value, data = data[0], data[2 : data[1]], data[data[1] :]
        if kind == 2 and len(value) == 2:
            mss = struct.unpack(">H", value)[0]
        elif kind == 3 and len(value) == 1:
            scale = min(value[0], MAX_SHIFT)
        elif kind == 4 and not value:
            sack = 1
        elif kind == 8 and len(value) == 8:
            stamps = " ts {} {}".format(*struct.unpack(">II", value))
        elif kind == 5 and len(value) % 8 == 0:
            for left, right in struct.iter_unpack(">II", value):
                if 0 < (right - left) % (1 << 32) < 1 << 31 and len(blocks) < MAX_BLOCKS:
                    blocks.append(f"{left}-{right}")
    return " ".join([f"mss {mss} ws {scale} sack {sack}{stamps}", *blocks])


@pytest.mark.exercise("8.1", points=3)
def test_options_are_read(stack: Stack, rng: random.Random) -> None:
    """Known ones, unknown ones, and lists that end too early."""
    for _ in range(300):
        data = b""
        while len(data) < 40 and rng.random() < 0.85:
            data += some_option(rng)
        data = data[:40]
        if rng.random() < 0.3:
            data = data[: rng.randrange(len(data) + 1)]
        if rng.random() < 0.2:
            at = rng.randrange(len(data) + 1)
            data = (data[:at] + bytes([0]) + data[at:])[:40]
        seen = stack.ask("options", data).said
        stack.check(seen, read(data), f"the options {data.hex(' ') or '(none)'}")
    stack.end()


# ---- 8.2 -----------------------------------------------------------------------------------------


@dataclass
class Timeout:
    """RFC 6298, in ns."""

    srtt: float = 0
    rttvar: float = 0
    rto: float = 1e9

    def sample(self, rtt: float) -> None:
        if not self.srtt:
            self.srtt, self.rttvar = rtt, rtt / 2
        else:
            self.rttvar = 0.75 * self.rttvar + 0.25 * abs(self.srtt - rtt)
            self.srtt = 0.875 * self.srtt + 0.125 * rtt
        self.compute()

    def compute(self) -> None:
        self.rto = min(max(self.srtt + max(1e6, 4 * self.rttvar), 1e9), 60e9)

    def back_off(self) -> None:
        self.rto = min(max(2 * self.rto, 1e9), 60e9)


@pytest.mark.exercise("8.2", points=2)
def test_timeout_follows_the_samples(stack: Stack, rng: random.Random) -> None:
    for turn in range(40):
        model, steps, wanted = Timeout(), [], []
        base = rng.choice((300, 20_000, 400_000, 3 * SECOND_US))  # us
        for _ in range(30):
            kind = rng.choice("ssssbbf") if turn else "s"
            if kind == "s":
                rtt = rng.randrange(1, base) if rng.random() < 0.9 else rng.randrange(10 * base)
                model.sample(rtt * 1000 or 1)
                steps.append(str(rtt))
            elif kind == "b":
                model.back_off()
                steps.append("b")
            else:
                if model.srtt:
                    model.compute()
                steps.append("f")
            wanted.append(model.rto / 1000)
        seen = [int(word) for word in stack.ask("rto", *steps).said.split()]
        for at, (one, other) in enumerate(zip(seen, wanted, strict=True)):
            if abs(one - other) > 3:
                stack.fail(f"RTO after {' '.join(steps[: at + 1])} (samples in us, b: backed off, "
                           f"f: forgiven):\n  expected {other:.0f} us\n  seen     {one} us")
    stack.end()


@pytest.mark.exercise("8.2", points=2)
def test_a_syn_without_answer_is_sent_again(peer: Peer) -> None:
    """After 1, 2, 4, ... seconds."""
    sent = peer.start()
    for seconds in (1, 2, 4, 8, 16, 32):
        peer.expect(sent, "S 0:0", what="the SYN")
        peer.expect(peer.wait(1000 * seconds - 1), what=f"before the {seconds} s are over")
        sent = peer.wait(1)
    peer.expect(sent, "S 0:0", what="the SYN")
    peer.stack.end()


# ---- 8.8 -----------------------------------------------------------------------------------------


@dataclass
class Reno:
    """RFC 5681, in octets."""

    mss: int
    cwnd: int
    ssthresh: int = 1 << 30
    counted: int = 0

    def acked(self, count: int) -> None:
        if self.cwnd < self.ssthresh:
            self.cwnd += min(count, self.mss)
            return
        self.counted += count
        if self.counted >= self.cwnd:
            self.counted -= self.cwnd
            self.cwnd += self.mss

    def lost(self, flight: int) -> None:
        self.ssthresh = self.cwnd = max(flight // 2, 2 * self.mss)
        self.counted = 0

    def timeout(self, flight: int) -> None:
        self.lost(flight)
        self.cwnd = self.mss


@pytest.mark.exercise("8.8", points=5)
def test_congestion_window_of_reno(stack: Stack, rng: random.Random) -> None:
    for _ in range(30):
        mss = rng.choice((100, 536, 1000, 1460, 9000))
        model = Reno(mss, min(10 * mss, max(2 * mss, 14600)))
        steps, wanted = [], []
        for _ in range(120):
            kind = rng.choices("alt", (40, 1, 1))[0]
            if kind == "a":
                count = rng.choice((rng.randrange(1, mss), mss, mss, 2 * mss))
                model.acked(count)
            else:
                count = rng.choice((rng.randrange(4 * mss), model.cwnd))
                (model.lost if kind == "l" else model.timeout)(count)
            steps.append(f"{kind}{count}")
            wanted.append(f"{model.cwnd}/{model.ssthresh}")
        seen = stack.ask("reno", mss, *steps).said.split()
        for at, (one, other) in enumerate(zip(seen, wanted, strict=True)):
            if one != other:
                stack.fail(f"cwnd/ssthresh with an SMSS of {mss}, after {' '.join(steps[: at + 1][-12:])} (aN: "
                           f"N octets acknowledged, lN: a loss with N on their way, tN: a timeout), "
                           f"{at} steps before:\n  expected {other}\n  seen     {one}")
    stack.end()


@pytest.mark.exercise("8.8", points=3)
@pytest.mark.parametrize("delayed", [False, True], ids=["each", "every-second"])
def test_slow_start_on_the_wire(peers: Callable[[], Peer], rng: random.Random, delayed: bool) -> None:
    """What is out is cwnd, and that grows with each ACK by what it acknowledges, at most one SMSS."""
    peer = peers()
    peer.connect(Options(mss=peer.mss, scale=7), window=8000)
    peer.say("A", 1, ack=1, window=8000)  # scaled by now: 1 MB
    _, sent = peer.send_some(100_000)
    cwnd, acked = 10 * peer.mss, 0
    step = peer.mss * (2 if delayed else 1)
    for _ in range(25):
        out = max(s.seq - 1 + len(s.data) for s in sent) - acked
        peer.stack.check(out, cwnd, "octets on their way, which cwnd allows")
        acked += step
        cwnd += peer.mss
        more = peer.say("A", 1, ack=1 + acked, window=8000)
        _, others = peer.send_some(20_000)
        sent += more + others
    peer.stack.check(peer.facts("cwnd"), (cwnd,), "cwnd in slow start")
    peer.stack.end()
