"""Exercise 5.7: what a virtio-blk device finds in the queue, and what the driver makes of its
answers, with the device played on the host."""

from __future__ import annotations

import random
import secrets

import pytest

from grade.lab5.conftest import Dice, Programs

READ, WRITE, FLUSH = 0, 1, 2
TYPES = {READ: 0, WRITE: 1, FLUSH: 4}
NAMES = {READ: "read", WRITE: "write", FLUSH: "flush"}
SECTOR = 512
ENOSPC = 28
COMMANDS_MAX = 64
OK, LEFT = 0, 255


class Conversation:
    """Steps for host/command.c, and the lines that must come of them."""

    def __init__(self, dice: random.Random, size: int) -> None:
        self.dice = dice
        self.places = min(size // 3, COMMANDS_MAX)
        serial = secrets.token_hex(6)
        self.lines = [f"open {size} {serial}"]
        self.expected = [f"open 0 serial {serial} places {self.places}"]
        self.flying: list[int] = []
        self.commands: list[str] = []

    def submit(self) -> None:
        kind = self.dice.choice((READ, WRITE, FLUSH))
        sector = 0 if kind == FLUSH else self.dice.getrandbits(self.dice.choice((8, 40, 55)))
        count = 0 if kind == FLUSH else self.dice.choice((1, 2, 128, self.dice.randint(1, 128)))
        physical = self.dice.getrandbits(38) << 9
        number = len(self.commands)
        self.commands.append(f"{NAMES[kind]} of {count} sectors at {sector:#x}")
        self.lines.append(f"submit {number} {kind} {sector:x} {count} {physical:x}")
        if len(self.flying) == self.places:
            self.expected.append(f"submit {-ENOSPC}")
            return
        direction = "in" if kind == READ else "out"
        data = f" {direction}:{physical:x}:{count * SECTOR:x}" if count else ""
        self.expected.append("submit 0")
        self.expected.append(
            f"device type {TYPES[kind]} reserved 0 sector {sector:x} data{data} status"
        )
        self.flying.append(number)

    def done(self, status: int) -> None:
        """The device ends some command and interrupts."""
        if not self.flying:
            return
        place = self.dice.randrange(len(self.flying))
        number = self.flying.pop(place)
        self.lines += [f"done {place} {status}", "interrupt"]
        self.expected.append(f"complete {number} {'ok' if status == OK else 'failed'}")


def check(programs: Programs, conversation: Conversation, dice: Dice) -> None:
    expected = [*conversation.expected, "end"]
    said = programs("command").run("\n".join(conversation.lines) + "\n").splitlines()
    for number, line in enumerate(expected):
        got = said[number] if number < len(said) else "nothing: the program ended"
        if got != line:
            before = "\n".join(f"    {text}" for text in expected[max(0, number - 4) : number])
            raise AssertionError(
                f"a conversation of driver and disk; {dice}\nbefore:\n{before}\n"
                f"expected: {line}\ngot:      {got}\n"
                "(in: the device writes these addresses; out: it reads them)"
            )


@pytest.mark.exercise("5.7", points=6)
def test_device_understands_the_commands(programs: Programs, dice: Dice) -> None:
    """Type, sector, the data's address, length and direction, and a byte for the status; many at a
    time, until the queue is full."""
    for size in (4, 16, 256):
        conversation = Conversation(dice.random, size)
        for _ in range(120):
            conversation.submit()
            if dice.random.random() < 0.35:
                conversation.done(OK)
        check(programs, conversation, dice)


@pytest.mark.exercise("5.7", points=4)
def test_status_decides(programs: Programs, dice: Dice) -> None:
    """Only a command whose status the device wrote as 0 has succeeded; also when its place was used
    before."""
    conversation = Conversation(dice.random, 16)
    for _ in range(200):
        conversation.submit()
        conversation.done(dice.random.choice((OK, OK, 1, 2, LEFT)))
    check(programs, conversation, dice)
