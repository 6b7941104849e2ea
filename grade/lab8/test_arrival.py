"""Exercises 8.3, 8.4 and 8.6: what a segment that arrives leads to (RFC 9293 3.10.7)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from errno import ECONNREFUSED, ECONNRESET

import pytest

from grade.lab8.host import Peer
from grade.lab8.segment import WRAP, Options, Segment

Peers = Callable[[], Peer]
CHALLENGES = 10  # in a second (RFC 5961 7)


def random_options(rng: random.Random, mss: int = 1000) -> Options:
    return Options(
        mss=mss,
        scale=rng.choice((None, rng.randrange(15))),
        sack=rng.random() < 0.5,
        stamps=rng.choice((None, (0, 0))),
    )


# ---- 8.3 -----------------------------------------------------------------------------------------


@pytest.mark.exercise("8.3", points=3)
def test_the_answer_to_a_syn(peers: Peers, rng: random.Random) -> None:
    """It is acknowledged, also with text and all; and it is the first round-trip sample."""
    for _ in range(6):
        peer = peers()
        peer.expect(peer.start(), "S 0:0", what="connect")
        delay = rng.randrange(300, 990)
        peer.expect(peer.wait(delay), what="in the meantime")
        options, text = random_options(rng), rng.randbytes(rng.choice((0, 0, 7, 500)))
        peer.stamps = options.stamps is not None
        window = rng.randrange(65536)
        sent = peer.say("SA", 0, text, ack=1, window=window, options=options if not peer.stamps else
                        Options(options.mss, options.scale, options.sack, (peer.clock, peer.stamp)))
        peer.expect(sent, f"A 1:0 ack {1 + len(text)}", what=f"an answer with {len(text)} octets of text")
        state = peer.state()
        seen = (state["state"], state["error"], state["wnd"])
        peer.stack.check(seen, ("ESTABLISHED", "0", str(window)), "state, error and send window after it")
        wanted = max(delay * 3000, 10**6)
        if abs(int(state["rto"]) - wanted) > 2000:
            peer.stack.fail(f"RTO after an answer that took {delay} ms:\n  expected {wanted} us\n"
                            f"  seen     {state['rto']} us")
        peer.stack.check(peer.receive(), text, "the text that came with the SYN")
        peer.stack.end()


@pytest.mark.exercise("8.3", points=3)
def test_strangers_while_opening(peers: Peers, rng: random.Random) -> None:
    """ACKs of what was not sent, resets from who has not seen our SYN: nothing changes."""
    for refused in (False, True):
        peer = peers()
        peer.expect(peer.start(), "S 0:0", what="connect")
        for _ in range(15):
            seq, ack = rng.randrange(WRAP), rng.choice((0, 2, rng.randrange(2, WRAP)))
            kind = rng.choice(("A", "SA", "RA", "R", "-", "F"))
            flags = kind.replace("-", "")
            sent = peer.say(flags, seq, ack=ack)
            if kind in ("A", "SA"):
                peer.expect(sent, f"R {ack}:0", what=f"{kind} that acknowledges what was not sent")
            else:
                peer.expect(sent, what=f"{kind} (ack {ack})")
            peer.stack.check(peer.state()["state"], "SYN_SENT", f"the state after {kind}")
        peer.expect(peer.say("A", 0, ack=1), what="an ACK without SYN says nothing")
        if refused:
            peer.expect(peer.say("RA", 0, ack=1), what="a reset that acknowledges the SYN")
            state = peer.state()
            peer.stack.check((state["state"], state["error"]), ("CLOSED", str(ECONNREFUSED)),
                             "state and error after a reset that acknowledges the SYN")
        else:
            peer.expect(peer.wait(1000), "S 0:0", what="the SYN again, after a second")
            peer.expect(peer.wait(rng.randrange(100, 900)), what="in the meantime")
            peer.answer(Options(mss=1000))
            peer.stack.check(peer.facts("rto"), (3 * 10**6,),
                             "RTO (us) when the SYN was sent twice, so that there is no sample (RFC 6298 5.7)")
        peer.stack.end()


@pytest.mark.exercise("8.3", points=2)
def test_both_open_at_once(peer: Peer, rng: random.Random) -> None:
    """RFC 9293, figure 7: a SYN that crossed ours is answered with both."""
    peer.expect(peer.start(), "S 0:0", what="connect")
    peer.wait(rng.randrange(500))
    sent = peer.say("S", 0, options=Options(mss=700, sack=True), window=3000)
    peer.expect(sent, "SA 0:0 ack 1", what="a SYN without ACK")
    peer.stack.check(peer.state()["state"], "SYN_RECEIVED", "the state after simultaneous open")
    peer.stack.check(peer.facts("wnd"), (3000,), "the send window then")
    peer.stack.check(sent[0].options.sack, True, "SACK-permitted in answer to it")
    peer.expect(peer.wait(1000), "SA 0:0 ack 1", what="both again, a second later")
    peer.stack.end()


# ---- 8.4: segments without ACK go no further than the fourth step, so nothing else is needed -----


def judge(peer: Peer, sent: list[Segment], acceptable: bool, what: str) -> None:
    peer.expect(sent, *(() if acceptable else ("A 1:0 ack 1",)), what=what)


@pytest.mark.exercise("8.4", points=3)
def test_the_window_decides(peers: Peers, rng: random.Random) -> None:
    """The table of 3.10.7.4: an ACK for what is outside, silence for the rest."""
    for turn in range(3):
        peer = peers()
        if turn == 0:  # numbers wrap in the middle of the window
            peer.iss = WRAP - rng.randrange(1, 2000)
        window = rng.randrange(3000, 60000)
        peer.start(rcvbuf=window)
        sent = peer.say("SA", 0, ack=1, options=Options(mss=1000))
        peer.expect(sent, "A 1:0 ack 1", what="the ACK of our SYN")
        window = sent[0].window
        for _ in range(60):
            length = rng.choice((0, 0, 1, rng.randrange(2, 1400)))
            edge = rng.choice((1 - length, 1, 1 + window, 1 + window - length, rng.randrange(-70000, 140000)))
            seq = edge + rng.choice((-1, 0, 0, 1))
            inside = (0 <= seq - 1 < window, 0 <= seq - 1 + length - 1 < window)
            good = 0 <= seq - 1 <= window if length == 0 else any(inside)
            judge(peer, peer.say("", seq, bytes(length)), good,
                  f"RCV.NXT 1, RCV.WND {window}, a segment {seq}:{length} is "
                  f"{'acceptable' if good else 'not acceptable'}")
            peer.wait(200)
        peer.stack.end()


@pytest.mark.exercise("8.4", points=2)
def test_resets_are_guessed(peers: Peers, rng: random.Random) -> None:
    """Only the exact number ends a connection; the rest of the window is challenged, with a limit."""
    peer = peers()
    peer.connect()
    for _ in range(25):
        inside = rng.random() < 0.5
        seq = rng.choice((2, rng.randrange(2, 60000))) if inside else rng.choice((0, -rng.randrange(WRAP >> 1)))
        flags = rng.choice(("R", "RA"))
        judge(peer, peer.say(flags, seq, ack=rng.randrange(3)), not inside,
              f"a reset {'inside' if inside else 'outside'} of the window")
        peer.wait(150)
        peer.stack.check(peer.state()["state"], "ESTABLISHED", f"the state after a reset with number {seq}")
    peer.wait(1000)
    for flags, seq in (("S", 0), ("S", 5), ("R", 5), ("", 0), ("SA", -90000)):
        answers = sum(len(peer.say(flags, seq, ack=1)) for _ in range(CHALLENGES + 5))
        peer.stack.check(answers, CHALLENGES, f"answers to {CHALLENGES + 5} segments {flags or '-'} {seq}:0 at once")
        peer.wait(1100)
    peer.expect(peer.say("R", 1), what="a reset with the exact number")
    state = peer.state()
    peer.stack.check((state["state"], state["error"]), ("CLOSED", str(ECONNRESET)),
                     "state and error after a reset with the exact number")
    peer.stack.end()


@pytest.mark.exercise("8.4", points=1)
def test_half_open_connections_of_a_listener(peers: Peers, rng: random.Random) -> None:
    for flags, seq in (("R", 1), ("S", rng.randrange(2, 1000))):
        peer = peers()
        peer.listen()
        peer.expect(peer.say("S", 0, options=Options(mss=1000)), "SA 0:0 ack 1", what="a SYN")
        peer.expect(peer.say(flags, seq), what=f"{flags} {seq}:0 in SYN-RECEIVED")
        peer.expect(peer.say("A", 1, ack=1), "R 1:0", what=f"an ACK after {flags}: the connection is no more")
        peer.expect(peer.say("S", 0, options=Options(mss=1000)), "SA 0:0 ack 1",
                    what="another SYN: the listener is still there")
        peer.stack.end()


@pytest.mark.exercise("8.4", points=2)
def test_old_timestamps(peers: Peers, rng: random.Random) -> None:
    """PAWS, and what is echoed."""
    peer = peers()
    peer.clock = WRAP - rng.randrange(1, 1500)  # timestamps wrap, too
    peer.connect(Options(mss=1000, stamps=(0, 0)))
    recent = peer.clock + peer.stack.now
    for _ in range(30):
        kind = rng.choice(("older", "newer", "same", "none", "ahead", "reset"))
        stamp = recent + {"older": -rng.randrange(1, 1 << 31), "newer": rng.randrange(1, 2000)}.get(kind, 0)
        if kind == "none":
            peer.expect(peer.say("", 1, b"x", stamp=-1), what="no timestamp, though they were agreed on")
        elif kind == "reset":
            judge(peer, peer.say("R", 7, stamp=recent - 5), False, "a reset in the window, with an old timestamp")
        elif kind == "ahead":
            peer.expect(peer.say("", 100, b"x", stamp=recent + rng.randrange(1, 100)), what="text ahead of a gap")
        else:
            judge(peer, peer.say("", 1, b"x", stamp=stamp), kind != "older", f"a timestamp that is {kind}")
            recent = max(recent, stamp)
        peer.wait(200)
        sent = peer.say("", -500, b"old", stamp=recent)
        judge(peer, sent, False, "a segment outside of the window")
        echoed = sent[0].options.stamps
        peer.stack.check(echoed and echoed[1], recent % WRAP, f"TSecr after a timestamp that was {kind}")
    peer.stack.leap(25 * 86400 * 1000)
    judge(peer, peer.say("", 1, b"x", stamp=recent - 1), True, "an older timestamp after 25 days of silence")
    peer.stack.end()


# ---- 8.6 -----------------------------------------------------------------------------------------


@pytest.mark.exercise("8.6", points=2)
def test_the_third_segment_of_three(peers: Peers, rng: random.Random) -> None:
    """The ACK of our SYN, in SYN-RECEIVED; from now on windows are scaled."""
    for twice in (False, True, False, True):
        peer = peers()
        options = random_options(rng)
        if twice:
            options = replace(options, stamps=None)  # an echo would be a sample
        peer.stamps = options.stamps is not None
        peer.listen()
        if peer.stamps:
            options = Options(options.mss, options.scale, options.sack, (peer.clock + peer.stack.now, 0))
        peer.expect(peer.say("S", 0, options=options), "SA 0:0 ack 1", what="a SYN")
        if twice:
            peer.expect(peer.wait(1000), "SA 0:0 ack 1", what="both again, after a second")
        delay = rng.randrange(400, 900)
        peer.expect(peer.wait(delay), what="in the meantime")
        wrong = rng.choice((0, 2, rng.randrange(2, WRAP)))
        peer.expect(peer.say("A", 1, ack=wrong), f"R {wrong}:0", what="an ACK of what was not sent")
        window = rng.randrange(65536)
        peer.expect(peer.say("A", 1, ack=1, window=window), what="the ACK of its SYN")
        peer.stack.check(peer.call("accept", 1, 0)[0], 0, "accept")
        state = peer.state()
        peer.stack.check((state["state"], int(state["wnd"])), ("ESTABLISHED", window << (options.scale or 0)),
                         f"state and send window, with a scale of {options.scale}")
        rto = 3 * 10**6 if twice else max(delay * 3000, 10**6)  # Karn; RFC 6298 5.7
        if not peer.stamps and abs(int(state["rto"]) - rto) > 2000:
            peer.stack.fail(f"RTO after an ACK that took {delay} ms, of a SYN sent {1 + twice} times:\n"
                            f"  expected {rto} us\n  seen     {state['rto']} us")
        peer.stack.end()


@pytest.mark.exercise("8.6", points=3)
def test_acknowledgments_and_windows(peers: Peers, rng: random.Random) -> None:
    """Of what is on its way, in any order; old ones change nothing, impossible ones are challenged."""
    for near_wrap in (True, False):
        peer = peers()
        scale = rng.randrange(8)
        options = Options(mss=1000, scale=scale)
        (peer.connect_near_wrap if near_wrap else peer.connect)(options)
        peer.say("A", 1, ack=1)  # the first window that is scaled
        una, newest, window, largest = 1, (1, 1), 65535 << scale, 65535 << scale
        doubts = waits = 0  # since the last progress: what may count as duplicates, and pauses
        for _ in range(70):
            room = min(4000, window) - (len(peer.sent) + 1 - una)
            if room >= 1000:  # whole segments go at once
                wanted = f"A {len(peer.sent) + 1}:1000 ack 1"
                peer.expect(peer.send(1000), wanted, what="a segment that fits")
            nxt = len(peer.sent) + 1
            kind = rng.choice(("forward", "forward", "again", "beyond", "ancient", "ahead", "old", "overtaken"))
            (seq, ack), new = (newest[0], una), rng.randrange(4000 >> scale, 65536)
            if waits > 3:  # before the retransmission timer expires
                kind, ack = "forward", nxt
            elif kind == "forward":
                ack = rng.randrange(una, nxt + 1)
            elif kind == "beyond":
                ack = nxt + rng.choice((1, rng.randrange(1, 1 << 30)))
            elif kind == "ancient":
                ack = una - largest - rng.choice((1, rng.randrange(1, 1 << 30)))
            elif kind == "old":
                ack = una - rng.randrange(1, largest)
            elif kind == "ahead":  # nothing but a number: later than all so far
                seq += rng.randrange(1, 100)
            elif kind == "overtaken" and doubts < 2 and seq > 1:
                seq -= 1
                doubts += 1
            sent = peer.say("A", seq, ack=ack, window=new)
            if kind in ("beyond", "ancient"):
                peer.expect(sent, f"A {nxt}:0 ack 1", what=f"an ACK of {ack}, with {una} to {nxt} on their way")
                peer.wait(150)
                waits += 1
            else:
                if seq > newest[0] or (seq == newest[0] and ack >= newest[1]):
                    newest, window = (seq, ack), new << scale
                    largest = max(largest, window)
                doubts, waits = (0, 0) if ack > una or una == nxt else (doubts, waits)
                una = max(una, ack)
            peer.stack.check(peer.facts("una", "wnd"), (una, window),
                             f"SND.UNA and SND.WND after A {seq}:0 ack {ack} win {new} << {scale} ({kind})")
        peer.say("A", newest[0], ack=len(peer.sent) + 1)
        peer.expect(peer.wait(100_000), what="when all is acknowledged")
        peer.stack.end()


@pytest.mark.exercise("8.6", points=2)
def test_duplicates_without_sack(peers: Peers, rng: random.Random) -> None:
    """Two of them let a new segment go each (RFC 3042); what is none does not."""
    peer = peers()
    peer.connect()
    sent = peer.send(20_000)
    peer.stack.check(len(sent), 10, "segments that the first congestion window allows")
    window, seq, got = 65535, 1, 10
    for kind in rng.sample(("window", "text", "duplicate") * 2, 6):
        text = rng.randbytes(3) if kind == "text" else b""
        window -= kind == "window"
        more = [s for s in peer.say("A", seq, text, ack=1, window=window) if s.data]
        seq += len(text)
        got += kind == "duplicate"
        wanted = [f"A {1000 * got - 999}:1000 ack {seq}"] if kind == "duplicate" else []
        peer.stack.check([str(s) for s in more], wanted, f"what an ACK leads to that is a duplicate ({kind})"
                         if kind == "duplicate" else f"what an ACK leads to that is none ({kind})")
    peer.stack.end()


@pytest.mark.exercise("8.6", points=1)
def test_a_window_that_opens(peer: Peer, rng: random.Random) -> None:
    """Closed by the peer; probes go on as long as it answers; then all goes on."""
    peer.connect()
    peer.expect(peer.say("A", 1, ack=1, window=0), what="an ACK that closes the window")
    peer.expect(peer.send(3000), what="text for a closed window")
    at = 1
    for _ in range(rng.randrange(2, 6)):
        peer.expect(peer.wait(999), what="before the probe's time")
        peer.expect(peer.wait(1), f"A {at}:1 ack 1", what="a probe of one octet")
        at += 1
        peer.expect(peer.say("A", 1, ack=at, window=0), what="its ACK, with a window of 0")
    sent = peer.say("A", 1, ack=at, window=9000)
    seen = sum(len(s.data) for s in sent)
    peer.stack.check(seen, 3000 - (at - 1), "octets that go when the window opens")
    peer.stack.end()
