"""Exercises 8.7 and 8.11: text out of order, and the end of a stream."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from grade.lab8.host import Peer
from grade.lab8.segment import Blocks, Options

Peers = Callable[[], Peer]
TWO_MSL = 60_000  # ms


# ---- 8.7 -----------------------------------------------------------------------------------------


class Model:
    """What a receiver holds, and what it reports (RFC 2018 4)."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.nxt = 1
        self.runs: list[tuple[int, int]] = []  # ahead of the gap, by their numbers
        self.recent: list[tuple[int, int]] = []  # the same, the newest first

    def take(self, left: int, right: int) -> None:
        left = max(left, self.nxt)
        if left >= right:
            return
        if left == self.nxt:
            self.nxt = right
            for run in self.runs:
                if run[0] <= self.nxt:
                    self.nxt = max(self.nxt, run[1])
            self.runs = [run for run in self.runs if run[0] > self.nxt]
            self.recent = [run for run in self.recent if run[0] > self.nxt]
            return
        touching = [run for run in self.runs if run[0] <= right and left <= run[1]]
        whole = min([left, *(r[0] for r in touching)]), max([right, *(r[1] for r in touching)])
        self.runs = sorted([run for run in self.runs if run not in touching] + [whole])
        self.recent = [whole] + [run for run in self.recent if run not in touching]
        del self.recent[4:]  # those that fall out are not reported again

    @property
    def blocks(self) -> Blocks:
        return tuple(self.recent[: self.most])


def same_text(peer: Peer, got: bytes, wanted: bytes) -> None:
    peer.stack.check(len(got), len(wanted), "octets that the program has read")
    wrong = next((n for n in range(len(wanted)) if got[n] != wanted[n]), None)
    peer.stack.check(wrong, None, "the first octet that is wrong")


@pytest.mark.exercise("8.7", points=4)
@pytest.mark.parametrize("kind", ["plain", "sack", "sack-and-timestamps"])
def test_text_in_any_order(peers: Peers, rng: random.Random, kind: str) -> None:
    """Overlapping, repeated, shuffled: each octet is delivered once; ACKs and blocks tell the truth."""
    for _ in range(4):
        peer = peers()
        stamps = (0, 0) if kind == "sack-and-timestamps" else None
        peer.connect(Options(mss=1000, sack=kind != "plain", stamps=stamps))
        total = rng.choice((300, 3000, 30_000))
        text = rng.randbytes(total)
        model = Model({"plain": 0, "sack": 4, "sack-and-timestamps": 3}[kind])
        got = b""
        for _ in range(60):
            left = rng.randrange(max(1, model.nxt - 500), min(model.nxt + total // 3 + 1, total + 1))
            left = rng.choice((left, left, left, model.nxt))
            if left > total:
                break
            right = min(left + rng.randrange(1, min(1000, total // 5)), total + 1)
            gap = bool(model.runs)
            sent = peer.say("A", left, text[left - 1 : right - 1], ack=1)
            before = model.nxt
            model.take(left, right)
            if gap or not left <= before < right:  # else the ACK may be delayed
                wanted = [(model.nxt, model.blocks)]
                seen = [(s.ack, s.options.blocks) for s in sent]
                peer.stack.check(seen, wanted, f"ACK and blocks in answer to {left}:{right - left}")
            if rng.random() < 0.2:
                got += peer.receive()
            peer.wait(50)
        for left in range(model.nxt, total + 1, 900):
            peer.say("A", left, text[left - 1 : left + 899], ack=1)
        got += peer.receive()
        same_text(peer, got, text)
        peer.stack.end()


@pytest.mark.exercise("8.7", points=3)
def test_what_is_held_ahead_is_bounded_by_the_window(peers: Peers, rng: random.Random) -> None:
    """Octets beyond the right edge are not held; and the window does not shrink."""
    for _ in range(3):
        peer = peers()
        window = rng.randrange(4000, 12_000)
        peer.start(rcvbuf=window)
        edge = 1 + peer.say("SA", 0, ack=1, options=Options(mss=1000, sack=True))[0].window
        text = rng.randbytes(edge + 2000)
        starts = [n for n in range(2, edge, 900)]
        rng.shuffle(starts)
        right = 0
        for left in starts:
            for segment in peer.say("A", left, text[left - 1 : left + 899], ack=1):
                right = max([right, *(b for _, b in segment.options.blocks)])
                if segment.ack + segment.window < edge:
                    peer.stack.fail(f"the window shrank from {edge} to {segment.ack + segment.window}")
        peer.stack.check(right, edge, "the highest number that was reported, and the window's right edge")
        peer.say("A", 1, text[:1], ack=1)
        same_text(peer, peer.receive(), text[: edge - 1])
        peer.stack.end()


# ---- 8.11 ----------------------------------------------------------------------------------------


def state(peer: Peer, wanted: str, after: str) -> None:
    peer.stack.check(peer.state()["state"], wanted, f"the state after {after}")


@pytest.mark.exercise("8.11", points=2)
def test_closed_by_us_first(peers: Peers, rng: random.Random) -> None:
    """FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, which answers for a minute; and the shorter ways there."""
    for way in ("one after the other", "FIN and ACK together", "both at once"):
        peer = peers()
        peer.connect()
        count, text = rng.randrange(1, 900), rng.randbytes(rng.randrange(1, 900))
        if rng.random() < 0.5:
            count = 0
        else:
            peer.send(count)
            peer.say("A", 1, ack=1 + count)
        fin, last = 1 + count, 2 + count
        peer.expect(peer.call("shutdown", 0)[1], f"FA {fin}:0 ack 1", what="shutdown")
        state(peer, "FIN_WAIT_1", "shutdown")
        seq = 1
        if way == "one after the other":
            peer.expect(peer.say("A", 1, ack=last), what="the ACK of the FIN")
            state(peer, "FIN_WAIT_2", "the ACK of the FIN")
            peer.say("A", 1, text, ack=last)
            peer.stack.check(peer.receive(), text, "text in FIN-WAIT-2")
            seq += len(text)
        if way == "both at once":
            peer.expect(peer.say("FA", 1, ack=fin), f"A {last}:0 ack 2", what="a FIN that does not acknowledge ours")
            state(peer, "CLOSING", way)
            peer.expect(peer.say("A", 2, ack=last), what="the ACK of our FIN")
        else:
            peer.expect(peer.say("FA", seq, ack=last), f"A {last}:0 ack {seq + 1}", what=f"the peer's FIN ({way})")
        state(peer, "TIME_WAIT", way)
        peer.stack.wait(TWO_MSL // 2)
        peer.expect(peer.say("FA", seq, ack=last), f"A {last}:0 ack {seq + 1}", what="the FIN again, after 30 s")
        peer.stack.wait(TWO_MSL + 2000)
        sent = peer.say("FA", seq, ack=last)
        peer.expect(sent, f"R {last}:0", what="the FIN again, when TIME-WAIT is over")
        peer.stack.end()


@pytest.mark.exercise("8.11", points=1)
def test_closed_by_the_peer_first(peers: Peers, rng: random.Random) -> None:
    """CLOSE-WAIT, in which we may still send; LAST-ACK. A FIN waits for the text in front of it."""
    for gap in (False, True):
        peer = peers()
        peer.connect()
        text = rng.randbytes(rng.randrange(2, 900))
        at, end = len(text) // 2, 1 + len(text)
        if gap:
            peer.expect(peer.say("FA", 1 + at, text[at:], ack=1), "A 1:0 ack 1", what="a FIN behind a gap")
            state(peer, "ESTABLISHED", "a FIN behind a gap")
            sent = peer.say("A", 1, text[:at], ack=1)
        else:
            sent = peer.say("FA", 1, text, ack=1)
        peer.expect(sent, f"A 1:0 ack {end + 1}", what="text and FIN")
        state(peer, "CLOSE_WAIT", "the FIN")
        peer.stack.check(peer.receive(), text, "the text in front of the FIN")
        peer.expect(peer.send(700), f"A 1:700 ack {end + 1}", what="text in CLOSE-WAIT")
        peer.say("A", end + 1, ack=701)
        peer.expect(peer.call("shutdown", 0)[1], f"FA 701:0 ack {end + 1}", what="shutdown in CLOSE-WAIT")
        state(peer, "LAST_ACK", "shutdown in CLOSE-WAIT")
        peer.expect(peer.say("A", end + 1, ack=702), what="the ACK of our FIN")
        state(peer, "CLOSED", "the ACK of our FIN")
        peer.stack.end()
