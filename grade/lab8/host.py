"""The student's stack on the host, asked line by line, and the peer that talks to its TCP."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import NoReturn

import pytest

from grade.harness.host import HostProgram, HostSession, build_host_program
from grade.harness.limits import Limits
from grade.lab7.host import DRIVER, PARTS, ROOT, SHOWN, STACK, Answer, short
from grade.lab7.wire import ARP, BROADCAST, IPV4, Arp, Packet, arp, ethernet, ipv4, random_mac
from grade.lab8.segment import TCP, WRAP, Options, Segment

MS = 10**6
SLICE = 250  # ms that may pass before requests for our address are answered
STREAM = 1  # type of sockets
MTU = 1500
TCP_PARTS = ("tcp", "tcp/send", "tcp/receive", "tcp/congestion")
LEVEL_SOCKET, LEVEL_TCP = 1, 6
RCVBUF, NODELAY, CORK = 8, 1, 3


def build_tcp(build: Path, limits: Limits) -> HostProgram:
    files = sorted(path for part in (*PARTS, *TCP_PARTS) for path in (STACK / part).glob("*.c"))
    sources = [str(path.relative_to(ROOT)) for path in files]
    return build_host_program(
        ROOT, build, "lab8-tcp", (*sources, *DRIVER, "grade/lab8/host/tcp.c"), (), limits
    )


class Stack:
    """The stack with one interface, and one other machine on its link: the test."""

    def __init__(self, program: HostProgram, seed: str, rng: random.Random) -> None:
        self.seed, self.rng = seed, rng
        self.session = HostSession(program, str(int(seed, 16)))
        self.log: list[Answer] = []
        self.now = 0  # ms
        self.names: dict[int, tuple[int, int]] = {}  # ISNs, the guest's and ours, by its port
        self.mac, self.peer_mac = random_mac(rng), random_mac(rng)
        base = rng.randrange(11 << 24, 120 << 24) & ~255
        own, peer = rng.sample(range(2, 254), 2)
        self.own, self.peer = IPv4Address(base + own), IPv4Address(base + peer)
        self.ask("interface", 1, self.mac, MTU)
        self.ask("address", 1, self.own, 24)
        self.say_who_we_are()

    def say_who_we_are(self) -> None:
        question = arp(1, self.peer_mac, self.peer, bytes(6), self.own)
        self.ask("frame", 1, ethernet(BROADCAST, self.peer_mac, ARP, question))

    def ask(self, *words: object) -> Answer:
        """One command, and what it led to. Who asks for our hardware address hears it."""
        line = " ".join(w.hex() or "-" if isinstance(w, bytes) else str(w) for w in words)
        answer = Answer(line, self.session.ask(line))
        self.log.append(answer)
        for frame in answer.frames:
            message = Arp.of(frame)
            if message and message.operation == 1 and message.target == self.peer:
                reply = arp(2, self.peer_mac, self.peer, message.mac, message.ip)
                answer.lines.extend(
                    self.ask("frame", 1, ethernet(message.mac, self.peer_mac, ARP, reply)).lines
                )
        return answer

    def segments(self, answer: Answer) -> list[Segment]:
        """The TCP segments that it sent meanwhile. Their checksums must be right."""
        found = []
        for frame in answer.frames:
            packet = Packet.of(frame)
            if packet and packet.protocol == TCP:
                segment = Segment.of(packet)
                if not segment:
                    self.fail("the checksum of a segment is wrong")
                found.append(segment)
        return found

    def hear(self, segment: Segment) -> list[Segment]:
        packet = ipv4(self.peer, self.own, TCP, segment.pack(self.peer, self.own))
        return self.segments(self.ask("frame", 1, ethernet(self.mac, self.peer_mac, IPV4, packet)))

    def wait(self, ms: int) -> list[Segment]:
        """Time passes."""
        sent = []
        while ms > 0:
            part = min(ms, SLICE)
            sent += self.segments(self.ask("pass", part * MS))
            self.now += part
            ms -= part
        return sent

    def leap(self, ms: int) -> None:
        """A lot of it, in which nothing is expected."""
        self.ask("pass", ms * MS)
        self.now += ms
        self.say_who_we_are()

    def end(self) -> None:
        """The stack is destroyed; it must give back every packet."""
        self.ask("destroy")
        held = self.ask("held").said
        if held != "held 0":
            self.fail(f"{held.split()[1]} packets were never released")
        self.session.close()

    def fail(self, text: str) -> NoReturn:
        """End the test with the last commands before the wrong answer, for the student to read."""
        shown = []
        for answer in self.log[-SHOWN:]:
            shown += [f"    {self.explain(answer)}", *(f"        {short(x)}" for x in answer.lines
                                                        if not x.startswith("sent "))]
            shown += [f"        > {segment}" for segment in self.segments_shown(answer)]
        text = f"{text}\nthe last commands, each with what it led to:\n" + "\n".join(shown)
        how = self.session.program.how("\n".join([*self.session.said, ""]))
        pytest.fail(f"{text}\n{how}\nCAIRN_SEED={self.seed} repeats the test", pytrace=False)

    def explain(self, answer: Answer) -> str:
        """A command; a frame with a segment as the segment."""
        words = answer.command.split()
        packet = Packet.of(bytes.fromhex(words[2])) if words[0] == "frame" else None
        segment = Segment.of(packet) if packet else None
        if not segment:
            return short(answer.command)
        iss, irs = self.names.get(segment.to, (0, 0))
        return f"< {segment.relative(irs, iss)}"

    def segments_shown(self, answer: Answer) -> list[Segment]:
        packets = [Packet.of(frame) for frame in answer.frames]
        found = [Segment.of(packet) for packet in packets if packet]
        return [s.relative(*self.names.get(s.source, (0, 0))) for s in found if s]

    def check(self, seen: object, wanted: object, what: str) -> None:
        if seen != wanted:
            self.fail(f"{what}:\n  expected {wanted}\n  seen     {seen}")


@dataclass
class Peer:
    """The other end of one connection. All numbers count from the ISNs: the first octet of text is
    number 1 on either side. Every octet that comes must be the one that the program has sent."""

    stack: Stack
    socket: int = 0
    port: int = 0  # ours
    guest: int = 0  # theirs
    iss: int = 0
    irs: int = 0  # the guest's ISN
    stamps: bool = False
    clock: int = 0  # of our timestamps
    stamp: int = 0  # the guest's last TSval
    mss: int = 1000
    sent: bytearray = field(default_factory=bytearray)  # by the guest's program

    def __post_init__(self) -> None:
        rng = self.stack.rng
        self.port, self.guest = rng.sample(range(1024, 30000), 2)
        self.iss = rng.choice((rng.randrange(WRAP), WRAP - rng.randrange(1, 5000)))
        self.clock = rng.choice((rng.randrange(WRAP), WRAP - rng.randrange(1, 5000)))
        self.text = rng.randbytes(400_000)  # the guest's program sends this

    # ---- Segments --------------------------------------------------------------------------------

    def taken(self, segments: list[Segment]) -> list[Segment]:
        """Those of this connection, in relative numbers; their text is looked at."""
        ours = [s for s in segments if s.to == self.port and s.source == self.guest]
        for segment in ours:
            if "S" in segment.flags:
                self.irs = segment.seq
                self.stack.names[self.guest] = (self.irs, self.iss)
            if segment.options.stamps:
                self.stamp = segment.options.stamps[0]
        found = [segment.relative(self.irs, self.iss) for segment in ours]
        for segment in found:
            at = segment.seq - 1
            if segment.data and segment.data != self.sent[at : at + len(segment.data)]:
                self.stack.fail(f"the text of {segment} is not what the program has sent there")
        return found

    def say(
        self, flags: str, seq: int, data: bytes = b"", ack: int = 0, window: int = 65535,
        options: Options | None = None, stamp: int | None = None,
    ) -> list[Segment]:
        """A segment of ours, and what is sent in return. stamp: TSval, where the clock is not."""
        options = options or Options()
        if self.stamps and options.stamps is None and stamp != -1:
            value = self.clock + self.stack.now if stamp is None else stamp
            options = replace(options, stamps=(value, self.stamp))
        if options.blocks:
            blocks = tuple((self.irs + a, self.irs + b) for a, b in options.blocks)
            options = replace(options, blocks=blocks)
        segment = Segment(flags, self.iss + seq, self.irs + ack if "A" in flags else ack, data,
                          window, options, self.port, self.guest)
        return self.taken(self.stack.hear(segment))

    def wait(self, ms: int) -> list[Segment]:
        return self.taken(self.stack.wait(ms))

    def expect(self, seen: list[Segment], *wanted: str, what: str) -> None:
        self.stack.check([str(segment) for segment in seen], list(wanted), what)

    # ---- The guest's program ---------------------------------------------------------------------

    def call(self, *words: object) -> tuple[int, list[Segment]]:
        answer = self.stack.ask(*words)
        return answer.result, self.taken(self.stack.segments(answer))

    def option(self, level: int, name: int, value: int) -> list[Segment]:
        return self.call("option", self.socket, level, name, value)[1]

    def send(self, count: int) -> list[Segment]:
        """The program sends so many octets, all of which must fit into the buffer."""
        at = len(self.sent)
        self.sent += self.text[at : at + count]
        answer = self.stack.ask("send", self.socket, "any", 0, self.text[at : at + count])
        self.stack.check(answer.result, count, "octets that the program could send")
        return self.taken(self.stack.segments(answer))

    def send_some(self, count: int) -> tuple[int, list[Segment]]:
        """As many of them as there is room for; how many those were."""
        at = len(self.sent)
        self.sent += self.text[at : at + count]
        answer = self.stack.ask("send", self.socket, "any", 0, self.text[at : at + count])
        done = max(answer.result, 0)
        del self.sent[at + done :]
        return done, self.taken(self.stack.segments(answer))

    def receive(self) -> bytes:
        """All that the program can read now."""
        got = bytearray()
        while True:
            said = self.stack.ask("receive", self.socket).said
            if not said.startswith("received "):
                return bytes(got)
            words = said.split()
            if len(words) < 4:
                return bytes(got)  # the end
            got += bytes.fromhex(words[3])

    def state(self) -> dict[str, str]:
        words = self.stack.ask("state", self.socket).said.split()
        return {"state": words[0], **dict(zip(words[1::2], words[2::2], strict=True))}

    def facts(self, *names: str) -> tuple[int, ...]:
        state = self.state()
        return tuple(int(state[name]) for name in names)

    # ---- Openings --------------------------------------------------------------------------------

    def start(self, **settings: int) -> list[Segment]:
        """The program connects: its SYN."""
        self.call("socket", self.socket, STREAM, 0)
        if rcvbuf := settings.get("rcvbuf"):
            self.option(LEVEL_SOCKET, RCVBUF, rcvbuf)
        self.call("bind", self.socket, self.stack.own, self.guest)
        return self.call("connect", self.socket, self.stack.peer, self.port)[1]

    def connect(self, options: Options | None = None, window: int = 65535, **settings: int) -> None:
        """The program connects, and we answer with these options. (8.3)"""
        options = options or Options(mss=self.mss)
        self.expect(self.start(**settings), "S 0:0", what="connect")
        self.answer(options, window)

    def answer(self, options: Options, window: int = 65535) -> None:
        """SYN and ACK of ours."""
        self.stamps = options.stamps is not None
        if options.stamps:
            options = replace(options, stamps=(self.clock + self.stack.now, self.stamp))
        sent = self.say("SA", 0, ack=1, window=window, options=options)
        self.expect(sent, "A 1:0 ack 1", what="the ACK of our SYN")

    def connect_near_wrap(self, options: Options, window: int = 65535) -> None:
        """The same, with an ISN just below 2^32: one that is tried first says how long to wait."""
        self.start()
        self.say("RA", 0, ack=1)
        left = (WRAP - self.irs - self.stack.rng.randrange(1, 3000)) % WRAP
        self.stack.leap(left * 4 // 1000)
        sent = self.call("connect", self.socket, self.stack.peer, self.port)[1]
        self.expect(sent, "S 0:0", what="connect once more")
        self.answer(options, window)

    def listen(self, backlog: int = 5) -> None:
        """The program listens, at socket + 1; the connection will be `socket`."""
        self.call("socket", self.socket + 1, STREAM, 0)
        self.call("bind", self.socket + 1, "any", self.guest)
        self.call("listen", self.socket + 1, backlog)

    def accept(self, options: Options | None = None, window: int = 65535) -> None:
        """We connect, and the program accepts. (8.4, 8.6)"""
        options = options or Options(mss=self.mss)
        self.stamps = options.stamps is not None
        if options.stamps:
            options = replace(options, stamps=(self.clock + self.stack.now, 0))
        self.listen()
        self.expect(self.say("S", 0, window=window, options=options), "SA 0:0 ack 1", what="a SYN")
        self.expect(self.say("A", 1, ack=1, window=window), what="the ACK of its SYN")
        result, _ = self.call("accept", self.socket + 1, self.socket)
        self.stack.check(result, 0, "accept")
