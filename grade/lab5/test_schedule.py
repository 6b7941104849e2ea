"""Exercises 5.8 and 5.9: the scheduler of one disk, with device and clients played on the host."""

from __future__ import annotations

import random

import pytest

from grade.lab5.conftest import Dice, Programs
from grade.lab5.schedule import (
    BOUNCES,
    DIRECT,
    EFAULT,
    EIO,
    INLINE,
    SECTOR,
    WINDOW,
    Request,
    Session,
)

ROUNDS = 12


def small_request(session: Session, sectors: int) -> Request:
    """One command's worth, anywhere on the disk."""
    dice = session.dice
    kind = dice.choice("rrwwwf")
    if kind == "f":
        return session.request("f", WINDOW, 0, 0)
    mode = dice.choice((WINDOW, WINDOW, DIRECT, INLINE if kind == "w" else WINDOW))
    sector = dice.randrange(sectors - 8)
    if mode == DIRECT or dice.random() < 0.3:
        count = dice.randint(1, 8) if mode != INLINE else 0
        mode = mode if count else WINDOW
        return session.request(kind, mode, sector * SECTOR, max(count, 1) * SECTOR)
    skip = dice.randrange(SECTOR - 1)
    length = dice.randint(1, min(SECTOR - skip, 200) if kind == "w" else 3 * SECTOR)
    return session.request(kind, mode, sector * SECTOR + skip, length)


def startable(session: Session, request: Request, room: int) -> str:
    """Why a waiting request could start now; empty if it must wait."""
    active = [r for r in session.requests.values() if r.active]
    bounces = sum(r.mode != DIRECT and r.kind != "f" for r in active)
    if any(request.conflicts(other) for other in active) or len(active) >= room:
        return ""
    if request.mode != DIRECT and request.kind != "f" and bounces >= BOUNCES:
        return ""
    return f"the device has room ({len(active)} of {room}), {bounces} of {BOUNCES} buffers are used"


def check_pumped(session: Session, waiting: list[Request], room: int, line: str) -> None:
    """Nothing waits that could start, and nothing runs that should wait."""
    active = [r for r in session.requests.values() if r.active]
    for i, one in enumerate(active):
        for other in active[:i]:
            assert not one.conflicts(other), (
                "a sector is read, changed and written back by one and written by the other, and "
                f"both run:\n{other}\n{one}\n{session.seed}"
            )
    for request in waiting:
        why = startable(session, request, room)
        assert not why, f"after `{line[:40]}`\n{request}\nwaits, but {why}; {session.seed}"


@pytest.mark.exercise("5.8", points=6)
def test_what_can_start_starts(programs: Programs, dice: Dice) -> None:
    """With much and little room, few buffers, conflicts; the device finishes nothing."""
    for _ in range(ROUNDS):
        room = dice.random.choice((1, 3, 20, 200))
        session = Session(dice.random, str(dice), dice.random.choice((16, 200)), room)
        rooms = [room, room]
        for _ in range(dice.random.randint(5, 50)):
            small_request(session, len(session.medium) // SECTOR)
            rooms.append(room)
            if dice.random.random() < 0.1:
                room += dice.random.randint(1, 20)
                session.step(f"room {room}")
                session.step("pump")
                rooms += [room, room]
        session.run(programs("schedule"))
        started: list[Request] = []
        for line, events, room in zip(session.lines, session.steps, rooms, strict=True):
            session.follow(events)
            session.check_doorbell(line, events)
            if line.startswith("start"):
                started.append(session.requests[int(line.split()[1])])
            if line.startswith(("start", "pump")):
                waiting = [r for r in started if not r.active and not r.finished]
                check_pumped(session, waiting, room, line)
                assert not any(r.finished for r in started), f"nothing can be over yet; {dice}"


@pytest.mark.exercise("5.8", points=4)
def test_request_that_fails_to_start_is_answered(programs: Programs, dice: Dice) -> None:
    """With its error, once; it gives back what it held, and holds nobody up."""
    for _ in range(ROUNDS):
        session = Session(dice.random, str(dice), 400, 0)
        doomed: dict[int, int] = {}
        for number in range(40):
            mode = DIRECT if number % 3 == 0 else WINDOW
            request = session.request("w", mode, number * 10 * SECTOR, 2 * SECTOR)
            if dice.random.random() < 0.6:
                spoil = mode == WINDOW and dice.random.random() < 0.5
                error = EFAULT if spoil else EIO
                # The step stands before the start, which must find it.
                word = "spoil" if spoil else "refuse"
                session.lines.insert(-1, f"{word} {request.client} {-error}")
                doomed[request.client] = error
        session.step("room 200")
        session.step("pump")
        session.run(programs("schedule"))
        for line, events in zip(session.lines, session.steps, strict=True):
            session.follow(events)
            session.check_doorbell(line, events)
        for request in session.requests.values():
            error = doomed.get(request.client)
            if error is None:
                assert not request.finished, f"{request}\nwas finished without being done; {dice}"
                continue
            got = [result for result, _ in request.finished]
            assert got == [-error], (
                f"{request}\ncannot start (error {-error}), expected that it is finished with "
                f"{-error}, got {got or 'nothing: it was never finished'}; {dice}"
            )
        waiting = [r for r in session.requests.values() if not r.active and not r.finished]
        check_pumped(session, waiting, 200, "pump")


def shares(dice: random.Random, start: int, end: int, most: int) -> list[tuple[int, int]]:
    """Cut a range of bytes into pieces that lie side by side, in any order."""
    pieces, at = [], start
    while at < end:
        length = min(end - at, dice.choice((dice.randint(1, 40), dice.randint(1, most), SECTOR)))
        if dice.random() < 0.3 and at % SECTOR == 0:
            length = min(end - at, SECTOR * dice.randint(1, 4))
        pieces.append((at, length))
        at += length
    dice.shuffle(pieces)
    return pieces


def check_results(session: Session) -> None:
    """Every request was answered in full, and reads brought what was there."""
    for request in session.requests.values():
        results = [result for result, _ in request.finished]
        assert results == [request.length], (
            f"{request}\nexpected to be finished with {request.length}, got "
            f"{results or 'nothing: it was never finished'}; {session.seed}"
        )
        if request.kind == "r":
            got = request.finished[0][1]
            if got != request.data:
                at = next(i for i in range(len(got)) if got[i] != request.data[i])
                raise AssertionError(
                    f"{request}\nbyte {at} of what it read is {got[at]:#04x}, expected "
                    f"{request.data[at]:#04x}; {session.seed}"
                )


def busy_round(session: Session, start: int, end: int) -> int:
    """Requests side by side, which share sectors but no byte; the number of commands at most."""
    commands = 0
    for position, length in shares(session.dice, start, end, 700):
        kind = session.dice.choice("rww")
        aligned = position % SECTOR == 0 and length % SECTOR == 0
        mode = DIRECT if aligned and session.dice.random() < 0.7 else WINDOW
        if kind == "w" and not aligned and length <= 200 and session.dice.random() < 0.5:
            mode = INLINE
        request = session.request(kind, mode, position, length)
        if kind == "w":
            session.apply(request)
        else:
            request.data = bytes(session.medium[position : position + length])
        commands += 8
        if session.dice.random() < 0.4:
            session.step(f"done {session.dice.randrange(256)} 1")
    return commands


def follow_all(session: Session) -> None:
    for events in session.steps:
        session.follow(events)


@pytest.mark.exercise("5.9", points=5)
def test_every_byte_arrives(programs: Programs, dice: Dice) -> None:
    """Reads and writes of all sizes side by side, finished in any order: no byte of a neighbour is
    lost, no request is forgotten, nothing is left over."""
    for room in (1, 4, 60):
        session = Session(dice.random, str(dice), 64, room)
        for _ in range(3):
            start = dice.random.randrange(0, 30 * SECTOR)
            session.drain(busy_round(session, start, start + 12 * SECTOR))
        session.request("f", WINDOW, 0, 0)
        session.drain(2)
        session.step("dump")
        session.run(programs("schedule"))
        follow_all(session)
        check_results(session)
        session.check_medium()
        session.check_left()


@pytest.mark.exercise("5.9", points=2)
def test_long_transfers_take_turns(programs: Programs, dice: Dice) -> None:
    """Transfers of many commands each, which begin and end anywhere."""
    session = Session(dice.random, str(dice), 1200, 30)
    for number in range(3):
        position = number * 400 * SECTOR + dice.random.randrange(SECTOR)
        length = dice.random.randint(70_000, 199_000)
        for kind, at in (("w", position), ("r", position + length)):
            request = session.request(kind, WINDOW, at, length if kind == "w" else 3000)
            if kind == "w":
                session.apply(request)
            else:
                request.data = bytes(session.medium[at : at + 3000])
    session.drain(60)
    session.step("dump")
    session.run(programs("schedule"))
    follow_all(session)
    check_results(session)
    session.check_medium()
    session.check_left()


@pytest.mark.exercise("5.9", points=3)
def test_errors_give_everything_back(programs: Programs, dice: Dice) -> None:
    """Commands that the device fails and clients whose memory is gone, more of them than there are
    buffers; then the disk works as before."""
    session = Session(dice.random, str(dice), 256, 60)
    expected: dict[int, int] = {}
    for number in range(3 * BOUNCES):
        at, kind = (number % 64) * 2 * SECTOR, dice.random.choice("rw")
        partial = dice.random.random() < 0.6
        request = session.request(kind, WINDOW, at + 7 * partial, 100 if partial else SECTOR)
        if kind == "r" and dice.random.random() < 0.4:
            session.lines.insert(-1, f"spoil {request.client} {-EFAULT}")
            session.step("done 0 1")
            expected[request.client] = -EFAULT
        else:
            if kind == "w" and partial and dice.random.random() < 0.5:
                session.step("done 0 1")  # the sector is read; writing it back fails
            session.step("done 0 0")
            expected[request.client] = -EIO
        session.step("pump")
    session.drain(2)
    for number in range(2 * BOUNCES):
        request = session.request("w", WINDOW, number * 2 * SECTOR + 5, 300)
        session.apply(request)
    session.drain(6 * BOUNCES)
    session.step("dump")
    session.run(programs("schedule"))
    follow_all(session)
    for client, error in expected.items():
        request = session.requests.pop(client)
        got = [result for result, _ in request.finished]
        why = "its memory is gone" if error == -EFAULT else "the device failed its command"
        assert got == [error], f"{request}\n{why}: expected {error}, got {got}; {dice}"
    check_results(session)
    session.check_medium()
    session.check_left()
