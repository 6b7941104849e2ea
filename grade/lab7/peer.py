"""The other machine on the guest's wire: the host, which speaks Ethernet by hand."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import NoReturn, Self

import pytest

from grade.harness.failure import UNWRITTEN_LOGGED
from grade.harness.link import Link
from grade.harness.machine import Machine
from grade.lab7.wire import ARP, BROADCAST, IPV4, Arp, arp, dhcp_answer, ethernet, random_mac

PATIENCE = 15.0
LOOK = 0.5  # s after which it is looked whether netd is still there
PREFIX = 24
NETD_GONE = re.compile(UNWRITTEN_LOGGED.pattern + rb"|netd \(pid \d+\) (?!started|serves)[^\r\n]*")


@dataclass
class Peer:
    """Our end of the wire. With `serves` it is a DHCP server, too: the guest is to be `own`."""

    machine: Machine
    link: Link
    rng: random.Random
    seed: str
    mac: bytes
    ip: IPv4Address
    own: IPv4Address
    serves: bool = False
    guest: bytes = BROADCAST  # its hardware address, once it is known

    @classmethod
    def on(cls, machine: Machine, rng: random.Random, seed: str, serves: bool = False) -> Self:
        """At the end of this machine's wire, on a network that we choose."""
        machine.hopeless = NETD_GONE
        network = IPv4Network((rng.randrange(11 << 16, 120 << 16) << 8, PREFIX))
        ip, own = (network[n] for n in rng.sample(range(1, network.num_addresses - 1), 2))
        return cls(machine, machine.links[0], rng, seed, random_mac(rng), ip, own, serves)

    @property
    def network(self) -> IPv4Network:
        return IPv4Network((self.own, PREFIX), strict=False)

    # ---- What a test says ------------------------------------------------------------------------

    def fail(self, text: str) -> NoReturn:
        gone = NETD_GONE.search(self.machine.log.data)
        said = gone[0].decode() if gone else text
        if not gone or not UNWRITTEN_LOGGED.match(gone[0]):
            said += f"\n{self.machine.reproduce()}"
        pytest.fail(f"{said}\nCAIRN_SEED={self.seed} repeats the test", pytrace=False)

    def check(self, seen: object, wanted: object, what: str) -> None:
        if seen != wanted:
            self.fail(f"{what}:\n  expected {wanted}\n  seen     {seen}")

    def shell(self, command: str) -> str:
        """What a command of the guest's shell prints, which must succeed."""
        result = self.machine.console.run(command, self.machine.limits.seconds(PATIENCE))
        if result.status:
            self.fail(f"{command} ends with status {result.status}: {result.output}")
        return result.output

    # ---- Frames ----------------------------------------------------------------------------------

    def raw(self, wait: float) -> bytes | None:
        """The next frame, whatever it is."""
        deadline = time.monotonic() + wait
        while (left := deadline - time.monotonic()) > 0:
            frame = self.link.receive(min(left, LOOK))
            if frame is not None:
                return frame
            if NETD_GONE.search(self.machine.log.data):
                self.fail("")
        return None

    def frame(self, wait: float) -> bytes | None:
        """The next frame; who asks for our hardware address, or for one of its own, is answered."""
        deadline = time.monotonic() + wait
        while (raw := self.raw(deadline - time.monotonic())) is not None:
            offer = dhcp_answer(raw, self.mac, self.ip, self.own) if self.serves else None
            message = Arp.of(raw)
            if offer:
                self.link.send(offer)
            elif not message:
                return raw
            elif message.operation == 1 and message.target == self.ip:
                self.answer(message)
            elif message.operation == 2 and message.ip == self.own:
                self.guest = raw[6:12]
        return None

    def expect(self, wanted: Callable[[bytes], bool], what: str) -> bytes:
        """The next frame that is wanted."""
        deadline = time.monotonic() + self.machine.limits.seconds(PATIENCE)
        while (raw := self.frame(deadline - time.monotonic())) is not None:
            if wanted(raw):
                return raw
        self.fail(f"no {what} came")

    def answer(self, request: Arp) -> None:
        reply = arp(2, self.mac, request.target, request.mac, request.ip)
        self.link.send(ethernet(request.mac, self.mac, ARP, reply))

    def send(self, packet: bytes, to: bytes = b"") -> None:
        """An IPv4 packet, to the guest if nobody else is said."""
        self.link.send(ethernet(to or self.guest, self.mac, IPV4, packet))

    def ask(self) -> None:
        question = arp(1, self.mac, self.ip, bytes(6), self.own)
        self.link.send(ethernet(BROADCAST, self.mac, ARP, question))

    def meet(self) -> None:
        """Until the guest has its address, and answers."""
        deadline = time.monotonic() + self.machine.limits.seconds(PATIENCE)
        self.guest = BROADCAST
        while self.guest == BROADCAST:
            self.ask()
            self.frame(0.5)
            if time.monotonic() > deadline:
                self.fail(f"no answer to an ARP request for {self.own}")
