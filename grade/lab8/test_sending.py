"""Exercises 8.5, 8.9 and 8.10: what is sent, and what is sent again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from grade.lab8.host import CORK, LEVEL_TCP, NODELAY, Peer
from grade.lab8.segment import Blocks, Options, Segment

Peers = Callable[[], Peer]
DUPLICATES = 3  # DupThresh


# ---- 8.5 -----------------------------------------------------------------------------------------


@dataclass
class Sender:
    """What RFC 9293 3.8.6.2.1 and 3.7.4 let a sender do that hears nothing."""

    mss: int
    window: int
    cwnd: int
    waiting: list[int] = field(default_factory=list)  # octets of each segment that was not sent yet
    nxt: int = 1
    no_delay: bool = False
    corked: bool = False
    fin: bool = False

    def add(self, count: int) -> None:
        while count:
            if not self.waiting or self.waiting[-1] >= self.mss:
                self.waiting.append(0)
            part = min(count, self.mss - self.waiting[-1])
            self.waiting[-1] += part
            count -= part

    def sendable(self) -> int:
        length, left = self.waiting[0], self.window - (self.nxt - 1)
        if length < self.mss and len(self.waiting) == 1 and not self.fin:
            if self.corked or (self.nxt > 1 and not self.no_delay):
                return 0
        if length > left:
            return 0 if left < self.window // 2 else left
        return length

    def sent(self) -> list[str]:
        found = []
        while self.waiting and (length := self.sendable()) and length <= self.cwnd - (self.nxt - 1):
            if length < self.waiting[0]:
                self.waiting[:1] = [length, self.waiting[0] - length]
            fin = self.fin and len(self.waiting) == 1
            found.append(f"{'FA' if fin else 'A'} {self.nxt}:{length} ack 1")
            self.nxt += length
            del self.waiting[0]
        return found


@pytest.mark.exercise("8.5", points=6)
def test_what_a_window_lets_go(peers: Peers, rng: random.Random) -> None:
    """Small and large pieces into windows of all sizes; with and without Nagle, corked, with a FIN."""
    for turn in range(14):
        peer = peers()
        mss = rng.choice((100, 536, 1000, 1460))
        window = rng.choice((rng.randrange(1, 2 * mss), rng.randrange(mss, 12 * mss)))
        kinds = rng.choices(("small", "large", "nodelay", "cork", "fin"), (6, 3, 0.6, 1, 0.15), k=25)
        if turn == 0:  # what Nagle holds goes with a FIN
            window, kinds = 12 * mss, ["small", "small", "fin"]
        if turn == 2:  # and without Nagle nothing is held
            window, kinds = 12 * mss, ["nodelay", "small", "small"]
        options = Options(mss=mss)
        (peer.connect_near_wrap if turn % 3 == 0 else peer.connect)(options, window)
        model = Sender(mss, window, min(10 * mss, max(2 * mss, 14600)))
        if turn % 4 == 1:
            model.corked = True
            peer.expect(peer.option(LEVEL_TCP, CORK, 1), what="TCP_CORK")
        for kind in kinds:
            if kind in ("small", "large"):
                count = rng.randrange(1, mss if kind == "small" else 3 * mss)
                model.add(count)
                sent = peer.send(count)
            elif kind == "nodelay":
                model.no_delay = True
                sent = peer.option(LEVEL_TCP, NODELAY, 1)
            elif kind == "cork":
                model.corked = not model.corked
                sent = peer.option(LEVEL_TCP, CORK, int(model.corked))
            else:
                if not model.waiting:
                    continue  # a FIN alone is another matter
                model.fin = True
                sent = peer.call("shutdown", 0)[1]
            peer.expect(sent, *model.sent(), what=(
                f"mss {mss}, window {window}, nodelay {model.no_delay}, corked {model.corked}: after {kind}"))
            if model.fin:
                break
        peer.stack.end()


@pytest.mark.exercise("8.5", points=2)
def test_a_closed_window_is_probed(peers: Peers, rng: random.Random) -> None:
    peer = peers()
    peer.connect(Options(mss=1000), window=0)
    peer.expect(peer.send(rng.randrange(1, 5000)), what="a window of 0")
    peer.expect(peer.wait(999), what="before the probe's time")
    peer.expect(peer.wait(1), "A 1:1 ack 1", what="a probe of one octet, after an RTO")
    peer.stack.end()


# ---- 8.9 -----------------------------------------------------------------------------------------


@dataclass
class Board:
    """RFC 6675 4, by segments of one length."""

    mss: int  # octets in each of them
    count: int
    una: int
    full: int  # SMSS
    sacked: set[int] = field(default_factory=set)
    lost_below: int = 0

    @property
    def starts(self) -> list[int]:
        return [1 + self.mss * n for n in range(self.count) if 1 + self.mss * n >= self.una]

    @property
    def high_sacked(self) -> int:
        return max((s + self.mss for s in self.sacked), default=self.una)

    def update(self, ack: int, blocks: Blocks) -> bool:
        nxt, news = 1 + self.mss * self.count, False
        for start in self.starts:
            for left, right in blocks:
                if self.una <= left and right <= nxt and left <= start and start + self.mss <= right:
                    if start >= ack and start not in self.sacked:
                        self.sacked.add(start)
                        news = True
        return news

    def find_lost(self) -> None:
        for start in self.starts:
            if start in self.sacked:
                continue
            above = [s for s in self.starts if s > start and s in self.sacked]
            runs = sum(1 for s in above if s - self.mss not in self.sacked)
            if runs >= DUPLICATES or self.mss * len(above) > (DUPLICATES - 1) * self.full:
                self.lost_below = max(self.lost_below, start + self.mss)

    @property
    def lost(self) -> list[int]:
        return [s for s in self.starts if s not in self.sacked and s < self.lost_below]

    def pipe(self, high_rxt: int = 0) -> int:
        left = [s for s in self.starts if s not in self.sacked]
        return self.mss * (sum(s >= self.lost_below for s in left) + sum(s < high_rxt for s in left))


def board_of(peers: Peers, rng: random.Random, waiting: int = 0) -> tuple[Peer, Board]:
    """A connection with twenty segments on their way, and so many that wait; or with small ones."""
    peer = peers()
    mss = peer.mss = rng.choice((100, 500, 1000))
    peer.connect(Options(mss=mss, sack=True))
    if not waiting and rng.random() < 0.5:
        peer.option(LEVEL_TCP, NODELAY, 1)
        small = mss // rng.choice((3, 10))
        sent = [n for _ in range(20) for n in numbers(peer.send(small))]
        peer.stack.check(len(sent), 20, "small segments that were sent with TCP_NODELAY")
        return peer, Board(small, 20, 1, mss)
    sent = numbers(peer.send((30 + waiting) * mss))
    for n in range(10):  # cwnd grows with each ACK
        sent += numbers(peer.say("A", 1, ack=1 + mss * (n + 1)))
    peer.stack.check(len(sent), 30, "segments that were sent while cwnd grew from 10 to 20")
    return peer, Board(mss, 30, 1 + 10 * mss, mss)


def some_blocks(board: Board, rng: random.Random) -> Blocks:
    """As an honest receiver would send them, or another."""
    blocks = []
    end = 1 + board.mss * board.count
    for _ in range(rng.randrange(1, 4)):
        kind = rng.choices(("runs", "below", "above", "part"), (8, 1, 1, 1))[0]
        left = rng.choice(board.starts)
        right = min(end, left + board.mss * rng.choice((1, 1, 2, 3)))
        if kind == "below":
            left = board.una - rng.randrange(1, 3 * board.mss)
        elif kind == "above":
            right = end + rng.randrange(1, 3 * board.mss)
        elif kind == "part":
            left, right = left + rng.randrange(board.mss), right + rng.randrange(board.mss)
            right = min(right, end)
        if left < right:
            blocks.append((left, right))
    return tuple(blocks)


@pytest.mark.exercise("8.9", points=5)
def test_what_is_lost_and_what_is_out(peers: Peers, rng: random.Random) -> None:
    """Update(), IsLost() and SetPipe() over random blocks."""
    for _ in range(8):
        peer, board = board_of(peers, rng)
        for _ in range(8):
            blocks = some_blocks(board, rng)
            news = board.update(board.una, blocks)
            board.find_lost()
            wanted = " ".join([f"news {int(news)} pipe {board.pipe()} lost", *map(str, board.lost)])
            said = " ".join(f"{left}-{right}" for left, right in blocks)
            seen = peer.stack.ask("board", 0, board.una, *said.split()).said.strip()
            peer.stack.check(seen, wanted, (
                f"segments of {board.mss} octets from {board.una} to {1 + board.mss * board.count}; "
                f"after the blocks {said}"))
        peer.stack.end()


@pytest.mark.exercise("8.9", points=3)
def test_what_to_send_next(peers: Peers, rng: random.Random) -> None:
    """NextSeg(), in fast recovery by four rules, and after a timeout by two."""
    for turn in range(9):
        peer, board = board_of(peers, rng, waiting=2 if turn % 3 == 0 else 0)
        said = []
        for _ in range(rng.randrange(1, 5)):
            blocks = some_blocks(board, rng)
            said.append(" ".join(f"{left}-{right}" for left, right in blocks))
            board.update(board.una, blocks)
            board.find_lost()
            peer.stack.ask("board", 0, board.una, *said[-1].split())
        fast = turn % 3 != 1
        wanted = list(board.lost)
        high = max((s + board.mss for s in wanted), default=board.una)
        if turn % 3 == 2:  # in fast recovery, and the program has nothing new: rules 3 and 4
            more = [s for s in board.starts if s not in board.sacked and high <= s < board.high_sacked]
            wanted += more
            high = max([high, *(s + board.mss for s in more)])
            rest = [s for s in board.starts if s not in board.sacked and s >= high]
            wanted += rest[-1:]
        end = "new" if turn % 3 == 0 else "none"
        text = " ".join(["next", *map(str, wanted), f"{end} pipe {board.pipe(high)}"])
        seen = peer.stack.ask("next", 0, "fast" if fast else "timeout").said
        peer.stack.check(seen, text, (
            f"segments of {board.mss} octets from {board.una} to {1 + board.mss * board.count}, blocks "
            f"{'; '.join(said)}: what is sent again {'in fast recovery' if fast else 'after a timeout'}, "
            f"{'and something new waits' if turn % 3 == 0 else 'and nothing new waits'}"))
        peer.stack.end()


# ---- 8.10 ----------------------------------------------------------------------------------------


def numbers(segments: list[Segment]) -> list[int]:
    return [segment.seq for segment in segments if segment.data]


@pytest.mark.exercise("8.10", points=3)
def test_fast_retransmit_without_sack(peers: Peers, rng: random.Random) -> None:
    """RFC 6582: the third duplicate, further ones, partial ACKs, and the end."""
    for _ in range(4):
        peer = peers()
        mss = peer.mss
        peer.connect()
        peer.call("congestion", 0, "reno")
        peer.stack.check(numbers(peer.send(25_000)), [1 + mss * n for n in range(10)], "the first window")
        holes = sorted(rng.sample(range(9), rng.randrange(1, 4)))
        ack = 1 + mss * holes[0]
        for start in range(mss + 1, ack + 1, mss):
            peer.say("A", 1, ack=start)
        for n in range(DUPLICATES):
            flight = highest(peer) - ack
            end = highest(peer)  # of what the recovery is about
            sent = numbers(peer.say("A", 1, ack=ack))
            if n < DUPLICATES - 1:
                peer.stack.check(ack in sent, False, f"whether {ack} is sent again after {n + 1} duplicates")
        peer.stack.check(sent[:1], [ack], "what the third duplicate sends first")
        ssthresh = max(flight // 2, 2 * mss)
        cwnd = ssthresh + DUPLICATES * mss
        peer.stack.check(peer.facts("cwnd", "ssthresh"), (cwnd, ssthresh), (
            f"cwnd and ssthresh when fast recovery begins, with {flight} octets on their way"))
        peer.say("A", 1, ack=ack)
        cwnd += mss
        peer.stack.check(peer.facts("cwnd"), (cwnd,), "cwnd after one more duplicate")
        for hole in holes[1:]:
            partial = 1 + mss * hole
            sent = numbers(peer.say("A", 1, ack=partial))
            peer.stack.check(sent[:1], [partial], f"what a partial ACK of {partial} sends first")
            cwnd = max(cwnd - (partial - ack), 0)
            cwnd += mss if partial - ack >= mss or cwnd < mss else 0
            peer.stack.check(peer.facts("cwnd"), (cwnd,), f"cwnd after a partial ACK of {partial}")
            ack = partial
        after = highest(peer)
        sent = numbers(peer.say("A", 1, ack=end))
        wanted = min(ssthresh, max(after - end, mss) + mss)
        peer.stack.check(peer.facts("cwnd", "ssthresh"), (wanted, ssthresh), "cwnd and ssthresh at the end")
        peer.stack.check([n for n in sent if n < after], [], "what is sent again when all is acknowledged")
        peer.stack.end()


def highest(peer: Peer) -> int:
    """One beyond the highest octet that the guest has sent."""
    found = 1
    for answer in peer.stack.log:
        for segment in peer.stack.segments(answer):
            if segment.source == peer.guest and segment.data:
                relative = segment.relative(peer.irs, peer.iss)
                found = max(found, relative.seq + len(segment.data))
    return found


@pytest.mark.exercise("8.10", points=3)
def test_a_timeout_begins_with_one(peers: Peers, rng: random.Random) -> None:
    """One segment, then slow start; the timer backs off; ssthresh is halved once for one loss. What
    was SACKed may be gone by then, and comes again as well (RFC 2018 8)."""
    for sack in (False, True):
        peer = peers()
        mss = peer.mss
        peer.connect(Options(mss=mss, sack=sack))
        peer.call("congestion", 0, "reno")
        peer.send(10 * mss if sack else 20_000)
        if sack:
            left = 1 + mss * rng.randrange(2, 10)
            peer.expect(peer.say("A", 1, ack=1, options=Options(blocks=((left, left + mss),))),
                        what="a block of one segment")
        wait = 1000
        for _ in range(rng.randrange(2, 5)):
            peer.expect(peer.wait(wait - 1), what=f"before {wait} ms are over")
            peer.expect(peer.wait(1), f"A 1:{mss} ack 1", what="one segment when the timer expires")
            peer.stack.check(peer.facts("cwnd", "ssthresh"), (mss, 5 * mss), "cwnd and ssthresh after a timeout")
            wait *= 2
        ack, cwnd, again = 1, mss, [1]
        while ack < 10 * mss + 1:
            ack += mss
            sent = [n for n in numbers(peer.say("A", 1, ack=ack)) if n < 10 * mss]
            again += sent
            cwnd += mss if cwnd < 5 * mss else 0
            if cwnd < 5 * mss and ack < 4 * mss:
                peer.stack.check(len(sent), 2, f"segments sent again after the ACK of {ack}, in slow start")
        peer.stack.check(again, [1 + mss * n for n in range(10)], "what was sent again")
        peer.stack.check(peer.facts("una"), (10 * mss + 1,), "SND.UNA in the end")
        peer.stack.end()


@dataclass
class Receiver:
    """An honest one, behind a wire that loses."""

    rng: random.Random
    loss: float
    sack: bool
    got: bytearray = field(default_factory=bytearray)
    ahead: dict[int, bytes] = field(default_factory=dict)  # by their numbers
    newest: int = 0
    octets: int = 0  # all that came or was lost
    dropped: int = 0

    def take(self, segments: list[Segment]) -> list[tuple[int, Blocks]]:
        """The ACKs that they cause: number, and blocks."""
        answers = []
        for segment in segments:
            if not segment.data:
                continue
            self.octets += len(segment.data)
            if self.rng.random() < self.loss:
                self.dropped += len(segment.data)
                continue
            self.ahead[segment.seq] = max(segment.data, self.ahead.get(segment.seq, b""), key=len)
            self.newest = segment.seq
            for seq in sorted(self.ahead):
                if seq <= len(self.got) + 1:
                    data = self.ahead.pop(seq)
                    self.got += data[len(self.got) + 1 - seq :]
            answers.append((len(self.got) + 1, self.blocks() if self.sack else ()))
        return answers

    def blocks(self) -> Blocks:
        runs: list[tuple[int, int]] = []
        for seq in sorted(self.ahead):
            end = seq + len(self.ahead[seq])
            if runs and seq <= runs[-1][1]:
                runs[-1] = runs[-1][0], max(end, runs[-1][1])
            else:
                runs.append((seq, end))
        runs.sort(key=lambda run: not run[0] <= self.newest < run[1])
        return tuple(runs[:3])


@pytest.mark.exercise("8.10", points=1)
def test_what_a_closed_window_has_dropped(peer: Peer) -> None:
    """Probes go on for longer than R2, as long as the peer answers; what it had no room for goes again
    as soon as the window opens."""
    peer.connect()
    peer.expect(peer.say("A", 1, ack=1, window=0), what="an ACK that closes the window")
    peer.expect(peer.send(3000), what="text for a closed window")
    wait = 1000
    for _ in range(11):
        peer.expect(peer.wait(wait - 1), what="before the probe's time")
        peer.expect(peer.wait(1), "A 1:1 ack 1", what="a probe of one octet")
        peer.expect(peer.say("A", 1, ack=1, window=0), what="its answer: no room")
        wait = min(2 * wait, 60_000)
    seen = sum(len(s.data) for s in peer.say("A", 1, ack=1, window=9000))
    peer.stack.check(seen, 3000, "octets that go when the window opens")
    peer.stack.end()


@pytest.mark.exercise("8.10", points=3)
@pytest.mark.parametrize("sack", [False, True], ids=["newreno", "sack"])
def test_all_arrives_over_a_lossy_wire(peers: Peers, rng: random.Random, sack: bool) -> None:
    """With a round trip of 20 ms; what was not lost is hardly ever sent again."""
    peer = peers()
    peer.connect(Options(mss=1000, scale=7, sack=sack), window=8000)
    peer.say("A", 1, ack=1, window=8000)
    receiver = Receiver(rng, 0.04, sack)
    total, begun = 150_000, peer.stack.now
    coming: list[Segment] = []
    while len(receiver.got) < total:
        if left := total - len(peer.sent):
            coming += peer.send_some(min(left, 50_000))[1]
        answers = receiver.take(coming)
        coming = peer.wait(20)
        for ack, blocks in answers:
            if rng.random() >= 0.02:  # ACKs are lost, too
                coming += peer.say("A", 1, ack=ack, window=8000, options=Options(blocks=blocks))
        if peer.stack.now - begun > 120_000:
            peer.stack.fail(f"{len(receiver.got)} of {total} octets have arrived after two minutes")
    peer.stack.check(bytes(receiver.got) == bytes(peer.sent), True, "what arrived is what was sent")
    again = receiver.octets - total
    if sack and again > receiver.dropped + 12_000:
        peer.stack.fail(f"{receiver.dropped} octets were lost, but {again} were sent again")
    seconds = (peer.stack.now - begun) / 1000
    if sack and seconds > 20:
        peer.stack.fail(f"it took {seconds} s: losses were repaired by the timer")
    peer.stack.end()


@pytest.mark.exercise("8.10", points=2)
def test_with_sack_only_the_holes_are_filled(peers: Peers, rng: random.Random) -> None:
    """Some of the first ten segments are lost; all come again within a round trip, and nothing else."""
    for _ in range(4):
        peer = peers()
        mss = peer.mss
        peer.connect(Options(mss=mss, sack=True))
        first = numbers(peer.send(10 * mss))
        peer.stack.check(len(first), 10, "segments that the first congestion window allows")
        holes = sorted(rng.sample(first[:7], rng.randrange(1, 4)))
        receiver = Receiver(rng, 0, True)
        again: list[int] = []
        coming = [n for n in first if n not in holes]
        while coming:
            start = coming.pop(0)
            data = bytes(peer.sent[start - 1 : start - 1 + mss])
            for ack, blocks in receiver.take([Segment("A", start, data=data)]):
                sent = numbers(peer.say("A", 1, ack=ack, options=Options(blocks=blocks)))
                again += sent
                coming += sent
        if first[-1] in again:  # once, for the case that it was lost: RFC 6675, rule (4)
            again.remove(first[-1])
        peer.stack.check(again, holes, "what is sent again")
        cwnd, ssthresh = peer.facts("cwnd", "ssthresh")
        peer.stack.check(cwnd >= ssthresh >= 2 * mss, True, "cwnd is back at ssthresh")
        peer.stack.end()
