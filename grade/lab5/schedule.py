"""The clients and the device of host/schedule.c, as the test sees them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from grade.harness.host import HostProgram

SECTOR = 512
BOUNCES = 16
CHUNK = 65536
ENOSPC, EIO, EFAULT = 28, 5, 14
WINDOW, DIRECT, INLINE = 0, 1, 2


@dataclass
class Request:
    """One request of a client, and what has become of it."""

    client: int
    kind: str  # r, w, f
    mode: int
    position: int
    length: int
    data: bytes = b""
    active: bool = False
    finished: list[tuple[int, bytes]] = field(default_factory=list)
    commands: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def sectors(self) -> range:
        return range(self.position // SECTOR, -(-(self.position + self.length) // SECTOR))

    @property
    def partial(self) -> bool:
        return self.kind == "w" and bool(self.position % SECTOR or self.length % SECTOR)

    def conflicts(self, other: Request) -> bool:
        """One reads, changes and writes back a sector that the other writes. For requests of one
        command."""
        if self.kind != "w" or other.kind != "w" or not (self.partial or other.partial):
            return False
        return bool(set(self.sectors) & set(other.sectors))

    def __str__(self) -> str:
        how = ("through the window", "by DMA", "within the message")[self.mode]
        what = {"r": "read", "w": "write", "f": "flush"}[self.kind]
        return f"client {self.client}: {what} of {self.length} bytes at {self.position}, {how}"


class Session:
    """Writes a script, runs it, and follows what the scheduler did."""

    def __init__(self, dice: random.Random, seed: str, sectors: int, room: int) -> None:
        self.dice, self.seed = dice, seed
        self.medium = bytearray(dice.randbytes(sectors * SECTOR))
        self.requests: dict[int, Request] = {}
        self.lines = [f"medium {self.medium.hex()}", f"room {room}"]
        self.steps: list[list[str]] = []

    def request(self, kind: str, mode: int, position: int, length: int) -> Request:
        """Add a request to the script. A write changes nothing in the model: see apply."""
        data = self.dice.randbytes(length) if kind == "w" else b""
        request = Request(len(self.requests), kind, mode, position, length, data)
        self.requests[request.client] = request
        line = f"start {request.client} {kind} {mode} {position} {length}"
        self.lines.append(f"{line} {data.hex()}" if kind == "w" else line)
        return request

    def apply(self, request: Request) -> None:
        self.medium[request.position : request.position + request.length] = request.data

    def step(self, line: str) -> None:
        self.lines.append(line)

    def drain(self, commands: int) -> None:
        """The device finishes what it has, in any order, and the driver goes on, until so many
        commands were done, which is more than there can be."""
        for _ in range(commands):
            self.step(f"done {self.dice.randrange(256)} 1")
            if self.dice.random() < 0.5:
                self.step("pump")
        for _ in range(commands):
            self.step("pump")
            self.step("done 0 1")
        self.step("pump")

    def run(self, program: HostProgram) -> None:
        output = program.run("\n".join(self.lines) + "\n")
        step: list[str] = []
        for line in output.splitlines():
            if line == ".":
                self.steps.append(step)
                step = []
            else:
                step.append(line)
        assert len(self.steps) == len(self.lines), (
            f"the program ended in step {len(self.steps)} of {len(self.lines)}: "
            f"`{self.lines[len(self.steps)][:80]}`; {self.seed}"
        )

    def follow(self, events: list[str]) -> None:
        """Note what became of the requests in one step."""
        for event in events:
            words = event.split(" ")
            if words[0] == "submit":
                request = self.requests[int(words[1])]
                assert len(words) == 6, f"outside of disk or memory: `{event}`; {self.seed}"
                assert not request.active, (
                    f"{request}\nits next command was given to the device (`{event}`) before the "
                    f"one before was done; {self.seed}"
                )
                request.active = True
                request.commands.append((words[2], int(words[3]), int(words[4])))
            elif words[0] == "done":
                self.requests[int(words[1])].active = False
            elif words[0] == "finish":
                request = self.requests[int(words[1])]
                request.finished.append((int(words[2]), bytes.fromhex(words[3])))
                assert len(request.finished) == 1, f"{request}\nwas finished twice; {self.seed}"

    def check_doorbell(self, line: str, events: list[str]) -> None:
        """Once for what was submitted, and behind it."""
        names = [event.split(" ")[0] for event in events]
        did = ", ".join(event[:60] for event in events) or "nothing"
        what = f"step `{line[:60]}` did: {did}; {self.seed}"
        assert names.count("kick") <= 1, f"the doorbell was rung more than once\n{what}"
        if "submit" in names:
            assert "kick" in names, f"commands were submitted, the doorbell was not rung\n{what}"
            last = len(names) - 1 - names[::-1].index("submit")
            assert names.index("kick") > last, f"the doorbell was rung too early\n{what}"

    def check_left(self) -> None:
        """Nothing is left in the scheduler; needs `dump` as the last step."""
        left = self.steps[-1][1].split()
        assert left[1:] == ["nothing", "0", "0"], (
            "when all requests are over, the scheduler still has requests that are "
            f"{left[1]}, bounce buffers {int(left[2]):#x} in use, {left[3]} updates; {self.seed}"
        )

    def check_medium(self) -> None:
        got = bytes.fromhex(self.steps[-1][0].removeprefix("medium "))
        if got == bytes(self.medium):
            return
        at = next(i for i in range(len(got)) if got[i] != self.medium[i])
        writers = [
            str(r)
            for r in self.requests.values()
            if r.kind == "w" and at // SECTOR in r.sectors
        ]
        near = "\n".join(f"    {text}" for text in writers[-6:])
        raise AssertionError(
            f"the disk's byte {at} (sector {at // SECTOR}) is {got[at]:#04x}, expected "
            f"{self.medium[at]:#04x}; {self.seed}\nwrites to this sector:\n{near or '    none'}"
        )
