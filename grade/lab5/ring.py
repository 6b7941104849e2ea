"""What a virtqueue must do, step by step: makes workloads for host/ring.c, with the answers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from grade.harness.host import HostProgram

ENOSPC, EINVAL, EIO = 28, 22, 5
NEXT, WRITE = 1, 2
CONTEXT = 6  # steps shown before one that went wrong


@dataclass(frozen=True)
class Chain:
    """A request in the queue. `seen` is its place in the order in which the device saw it."""

    cookie: int
    out: int
    segments: tuple[tuple[int, int], ...]
    seen: int = -1

    @property
    def writable(self) -> int:
        return sum(length for _, length in self.segments[self.out :])

    @property
    def descriptors(self) -> str:
        """As host/ring.c prints what the device finds."""
        last = len(self.segments) - 1
        return " ".join(
            f"{address:x}:{length:x}:{NEXT * (i < last) | WRITE * (i >= self.out)}"
            for i, (address, length) in enumerate(self.segments)
        )


def random_segments(dice: random.Random, count: int) -> tuple[tuple[int, int], ...]:
    return tuple(
        (dice.getrandbits(48) << 4, dice.choice((1, 16, 512, dice.randrange(1, 1 << 20))))
        for _ in range(count)
    )


@dataclass
class Workload:
    """Steps for one queue, and the line that each must print."""

    dice: random.Random
    size: int
    start: int
    event: int = 0
    steps: list[tuple[str, str | None]] = field(default_factory=list)  # input, output
    free: int = 0
    next_cookie: int = 1
    unseen: list[Chain] = field(default_factory=list)
    flying: list[Chain] = field(default_factory=list)  # the device has them
    done: list[tuple[Chain, int]] = field(default_factory=list)  # finished, not yet taken
    seen: int = 0

    def __post_init__(self) -> None:
        self.free = self.size
        self.steps.append((f"init {self.size} {self.start} {self.event}", "init 0"))

    def links(self) -> None:
        """Shuffle the free list, so that neighbours in it are none in the table."""
        order = list(range(self.size))
        self.dice.shuffle(order)
        self.steps.append(("links " + " ".join(map(str, order)), None))

    @staticmethod
    def words(out: int, in_: int, segments: tuple[tuple[int, int], ...]) -> str:
        parts = [f"{address:x} {length:x}" for address, length in segments]
        return " ".join([f"{out} {in_} {len(parts)}", *parts])

    def add(self, out: int, in_: int) -> None:
        """A good request; it must be refused if it does not fit now."""
        segments = random_segments(self.dice, out + in_)
        chain = Chain(self.next_cookie, out, segments)
        self.next_cookie += 1
        fits = len(segments) <= self.free
        if fits:
            self.free -= len(segments)
            self.unseen.append(chain)
        result = 0 if fits else -ENOSPC
        step = f"add {chain.cookie:x} {self.words(out, in_, segments)}"
        self.steps.append((step, f"add {result} free {self.free}"))

    def add_bad(
        self, out: int, in_: int, *, empty: int = -1, cookie: int = 0xC, error: int
    ) -> None:
        """A request that must be refused, and change nothing."""
        segments = list(random_segments(self.dice, out + in_))
        if empty >= 0:
            segments[empty] = (segments[empty][0], 0)
        step = f"add {cookie:x} {self.words(out, in_, tuple(segments))}"
        self.steps.append((step, f"add {-error} free {self.free}"))

    def see(self) -> None:
        """The device looks at what it was shown."""
        text = "".join(f" | {chain.descriptors}" for chain in self.unseen)
        self.steps.append(("see", f"see {len(self.unseen)}{text}"))
        for chain in self.unseen:
            self.flying.append(Chain(chain.cookie, chain.out, chain.segments, self.seen))
            self.seen += 1
        self.unseen = []

    def finish(self, beside: int = 0) -> Chain:
        """The device has done one of its chains, any of them, and may overstate the length."""
        chain = self.flying.pop(self.dice.randrange(len(self.flying)))
        length = self.dice.choice((0, chain.writable, self.dice.randrange(chain.writable + 1)))
        if self.dice.random() < 0.1:
            length = self.dice.choice((chain.writable + 1, 0xFFFFFFFF))
        self.steps.append((f"done {chain.seen} {beside:x} {length:x}", None))
        self.done.append((chain, length))
        return chain

    def take(self) -> None:
        if not self.done:
            self.steps.append(("take", f"take 0 free {self.free}"))
            return
        chain, length = self.done.pop(0)
        self.free += len(chain.segments)
        expected = f"take 1 {chain.cookie:x} {min(length, chain.writable):x} free {self.free}"
        self.steps.append(("take", expected))

    def take_broken(self) -> None:
        """The device broke the rules: the queue must say so, and stay that way."""
        for step in ("take", "take", f"add 99 {self.words(1, 0, ((4096, 16),))}"):
            self.steps.append((step, f"{step.split()[0]} {-EIO} free {self.free}"))

    def reclaim(self) -> None:
        """All chains come back without the device, by code that is given."""
        count = len(self.flying) + len(self.unseen)
        self.free = self.size
        self.flying, self.unseen = [], []
        self.steps.append(("reclaim", f"reclaim {count} free {self.size}"))

    def step(self, text: str, answer: str | None = None) -> None:
        self.steps.append((text, answer))


def shortened(line: str) -> str:
    return line if len(line) <= 160 else f"{line[:150]}... ({len(line)} characters)"


def check_workloads(program: HostProgram, workloads: list[Workload], seed: str) -> None:
    """Run them one behind the other, and compare line by line."""
    steps = [step for workload in workloads for step in workload.steps]
    said = program.run("".join(f"{step}\n" for step, _ in steps)).splitlines()
    answers = iter([*said, ""])
    for number, (step, expected) in enumerate(steps):
        if expected is None:
            continue
        got = next(answers, "")
        if got != expected:
            before = "\n".join(
                f"    {shortened(text)}" for text, _ in steps[max(0, number - CONTEXT) : number]
            )
            raise AssertionError(
                f"step {number} of a virtqueue workload, {seed}\nsteps before:\n{before}\n"
                f"step:     {shortened(step)}\n"
                f"expected: {shortened(expected)}\n"
                f"got:      {shortened(got) or 'nothing: the program ended'}\n"
                "(a chain is printed as address:length:flags of each descriptor; numbers are "
                "hexadecimal)"
            )
    assert next(answers, "") == "end", f"the program did not come to its end; {seed}"
