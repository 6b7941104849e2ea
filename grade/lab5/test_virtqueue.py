"""Exercises 5.2, 5.3 and 5.5: the driver's half of a virtqueue, with the device played on the same
memory, obedient first and then malicious."""

from __future__ import annotations

import pytest

from grade.lab5.conftest import Dice, Programs
from grade.lab5.ring import EINVAL, Workload, check_workloads, random_segments

SIZES = (1, 2, 4, 8, 64, 256)
TURNS = 100


@pytest.mark.exercise("5.2")
def test_descriptors_of_a_chain(programs: Programs, dice: Dice) -> None:
    """Addresses, lengths, flags and links, from a free list in any order; no other descriptor."""
    workloads = []
    for _ in range(TURNS):
        work = Workload(dice.random, dice.random.choice(SIZES), 0)
        work.links()
        count = dice.random.randint(1, work.size)
        out = dice.random.randint(0, count)
        segments = random_segments(dice.random, count)
        expected = "chain"
        for i, (address, length) in enumerate(segments):
            last = i + 1 == count
            flags = (0 if last else 1) | (2 if i >= out else 0)
            expected += f" {address:x}:{length:x}:{flags}:{'last' if last else 'linked'}"
        step = f"chain {work.words(out, count - out, segments)}"
        work.step(step, f"{expected} untouched {work.size - count}")
        workloads.append(work)
    check_workloads(programs("ring"), workloads, str(dice))


def fill(work: Workload, requests: int) -> None:
    """Requests of many shapes, also such that do not fit; the device looks now and then."""
    for _ in range(requests):
        count = work.dice.randint(1, min(work.size, 6))
        out = work.dice.randint(0, count)
        work.add(out, count - out)
        if work.dice.random() < 0.3:
            work.see()
    work.see()


@pytest.mark.exercise("5.3", points=9)
def test_device_finds_each_request(programs: Programs, dice: Dice) -> None:
    """Fills queues, takes all chains back, and fills them again, until the index has wrapped."""
    workloads = []
    for size in SIZES:
        work = Workload(dice.random, size, 65536 - dice.random.randint(1, 3 * size))
        work.links()
        for _ in range(12):
            fill(work, size + 2)
            work.reclaim()
        workloads.append(work)
    check_workloads(programs("ring"), workloads, str(dice))


@pytest.mark.exercise("5.3", points=3)
def test_bad_requests_change_nothing(programs: Programs, dice: Dice) -> None:
    workloads = []
    for size in SIZES[1:]:
        work = Workload(dice.random, size, dice.random.randrange(65536))
        for _ in range(3):
            work.add_bad(0, 0, error=EINVAL)
            work.add_bad(1, 1, empty=dice.random.randrange(2), error=EINVAL)
            work.add_bad(size, 1, error=EINVAL)
            work.add_bad(1, size, error=EINVAL)
            work.add_bad(1, 0, cookie=0, error=EINVAL)
            work.add(1, 0)
            work.see()
            work.reclaim()
        workloads.append(work)
    check_workloads(programs("ring"), workloads, str(dice))


def trace(programs: Programs, what: str, dice: Dice) -> list[tuple[str, list[str]]]:
    """The steps that a call takes in the memory of the queue, for a few requests."""
    lines = []
    for _ in range(8):
        size = dice.random.choice(SIZES[2:])
        out, in_ = dice.random.randint(1, 2), dice.random.randint(1, 2)
        lines.append(f"{what} {out} {in_} {size} {dice.random.randrange(65536)} 0")
    said = programs("order").run("\n".join(lines) + "\n").splitlines()
    assert len(said) == len(lines), f"the program ended before the last request; {dice}"
    answers = []
    for line, answer in zip(lines, said, strict=True):
        steps, _, result = answer.partition(" = ")
        assert result == "0", f"`{line}` failed with {result}; its steps: {steps}; {dice}"
        told = f"{what} did, in this order: {steps.removeprefix(what)}"
        answers.append((told, steps.split()[1:]))
    return answers


@pytest.mark.exercise("5.3", points=3)
def test_index_is_shown_last(programs: Programs, dice: Dice) -> None:
    """Chain and ring entry, then a fence, then the index: seen in each access to memory."""
    for what, steps in trace(programs, "add", dice):
        shown = [i for i, step in enumerate(steps) if step == "write-available-index"]
        assert shown, f"{what}\nexpected: the available index is written"
        before = [
            i
            for i, step in enumerate(steps)
            if step in ("write-descriptor", "write-available-entry")
        ]
        assert before and max(before) < min(shown), (
            f"{what}\nexpected: descriptors and ring entry are complete before the index changes; "
            "the device may look at any moment"
        )
        assert "fence" in steps[max(before) : min(shown)], (
            f"{what}\nexpected: a fence between the ring entry and the index; without it the "
            "writes may reach memory in another order"
        )


def work_through(work: Workload, turns: int) -> None:
    """Driver and device in turns; the device finishes in any order."""
    for _ in range(turns):
        for _ in range(work.dice.randint(0, 4)):
            count = work.dice.randint(1, min(work.size, 5))
            work.add(out := work.dice.randint(0, count), count - out)
        if work.dice.random() < 0.8:
            work.see()
        for _ in range(work.dice.randint(0, len(work.flying))):
            work.finish()
        for _ in range(work.dice.randint(0, len(work.done) + 1)):
            work.take()


def drain(work: Workload) -> None:
    """Everything comes back, and the queue can be filled to the last descriptor again."""
    work.see()
    while work.flying:
        work.finish()
    while work.done:
        work.take()
    work.take()
    for _ in range(work.size):
        work.add(1, 0)
    work.see()


@pytest.mark.exercise("5.5", points=6)
def test_finished_requests_come_back(programs: Programs, dice: Dice) -> None:
    workloads = []
    for size in SIZES:
        work = Workload(dice.random, size, 65536 - dice.random.randint(1, 2 * size), size % 3 & 1)
        work.links()
        work_through(work, TURNS)
        drain(work)
        workloads.append(work)
    check_workloads(programs("ring"), workloads, str(dice))


def lie(work: Workload, kind: str) -> None:
    """One step of a device that breaks the rules; three chains of three descriptors are with it."""
    victim = work.dice.choice(work.flying)
    if kind == "id far outside the table":
        work.step(f"raw {work.dice.choice((0xFFFFFFFF, 0x80000000, 0xFFFF)):x} 0")
    elif kind == "id just outside the table":
        work.step(f"raw {work.size:x} 0")
    elif kind == "id right in its low 16 bits only":
        work.step(f"done {victim.seen} 10000 0")
    elif kind == "id in the middle of a chain":
        work.step(f"middle {victim.seen}")
    elif kind == "same chain twice":
        chain = work.finish()
        work.take()
        work.step(f"done {chain.seen} 0 0")
    elif kind == "more chains than it was given":
        work.step(f"jump {len(work.flying) + work.dice.randint(1, 1000)}")


LIES = (
    "id far outside the table",
    "id just outside the table",
    "id right in its low 16 bits only",
    "id in the middle of a chain",
    "same chain twice",
    "more chains than it was given",
)


@pytest.mark.exercise("5.5", points=4)
def test_device_that_lies_breaks_the_queue(programs: Programs, dice: Dice) -> None:
    """-EIO at once and from then on, and no access outside of anything."""
    for kind in LIES:
        workloads = []
        for size in (16, 64, 256):
            work = Workload(dice.random, size, dice.random.randrange(65536))
            work_through(work, 5)
            while work.done:
                work.take()
            work.see()
            work.reclaim()
            for _ in range(3):
                work.add(1, 2)
            work.see()
            lie(work, kind)
            work.take_broken()
            workloads.append(work)
        check_workloads(programs("ring"), workloads, f"the device tells of: {kind}; {dice}")


@pytest.mark.exercise("5.5", points=2)
def test_entry_is_read_once_behind_the_index(programs: Programs, dice: Dice) -> None:
    """The index, a fence, then id and length, each once: the device can change them at any time."""
    for what, steps in trace(programs, "take", dice):
        reads = [i for i, step in enumerate(steps) if step in ("read-used-id", "read-used-length")]
        assert reads, f"{what}\nexpected: the entry of the used ring is read"
        ahead = [i for i in range(reads[0]) if steps[i] == "read-used-index"]
        assert ahead, f"{what}\nexpected: the index is read before the entry"
        assert "fence" in steps[ahead[-1] : reads[0]], (
            f"{what}\nexpected: a fence between the index and the entry, or the entry may be "
            "older than the index"
        )
        for field in ("id", "length"):
            count = steps.count(f"read-used-{field}")
            assert count == 1, (
                f"{what}\nexpected: the {field} is read once, and that value is checked and used; "
                f"it was read {count} times"
            )
