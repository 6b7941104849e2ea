"""Exercise 2.1: the handle table against a model."""

from __future__ import annotations

import random

import pytest

from grade.lab2.model import (
    EACCES,
    EBADF,
    EMFILE,
    ENOMEM,
    HANDLE_FIRST_FREE,
    HANDLE_PAGE_ENTRIES,
    HANDLES_MAX,
    SECONDS,
    KernelTest,
    Lines,
    Story,
    new_random,
    numbers,
)

NEW, INSERT, FIND, FIND_VALUE, CLOSE, PAGES = range(6)
REFERENCES = 1_000_000  # of each object, before and after: handle_insert takes none of its own
Operation = tuple[int, int, int]


class Table:
    """The host's idea of one process's handle table."""

    def __init__(self, limit: int, references: dict[int, int], story: Story) -> None:
        self.limit = limit
        self.references = references  # of the objects, which all tables share
        self.story = story
        self.open: dict[int, tuple[int, int]] = {}  # value: object, rights
        self.given: list[int] = []  # by serial number of the insertion
        self.ever: set[int] = set()

    def inserted(self, done: str, line: str, thing: int, rights: int, error: int) -> None:
        """error: the error that must come, 0 if the insertion must work."""
        value, references, used = numbers(line)
        check = self.story.check
        self.given.append(value)
        if error:
            check(value == -error, done, f"-{error}", value)
        else:
            check(value > 0, done, "a handle", value)
            index = value % HANDLES_MAX
            check(index >= HANDLE_FIRST_FREE, done, "a place that is not reserved", index)
            places = {other % HANDLES_MAX for other in self.open}
            check(index not in places, done, "a place that is free", f"place {index} again")
            check(value not in self.ever, done, "a value that was never given", value)
            self.open[value] = thing, rights
            self.ever.add(value)
        expected = self.references.get(thing, REFERENCES)
        check(references == expected, done, f"{expected} references to the object", references)
        check(used == len(self.open), done, f"{len(self.open)} handles in use", used)

    def found(self, done: str, line: str, value: int, rights: int) -> None:
        if value not in self.open:
            expected = f"error -{EBADF}"
        elif self.open[value][1] & rights != rights:
            expected = f"error -{EACCES}"
        else:
            expected = "found {} {}".format(*self.open[value])
        self.story.check(line == expected, done, expected, line)

    def closed(self, done: str, line: str, value: int) -> None:
        expected = f"closed {0 if value in self.open else -EBADF}"
        thing, _ = self.open.pop(value, (0, 0))
        if expected == "closed 0":
            self.references[thing] = self.references.get(thing, REFERENCES) - 1
        self.story.check(line == expected, done, expected, line)


def play(operations: list[Operation], lines: Lines, story: Story, refused: int = -1) -> None:
    """Judge what the kernel printed. refused: the operation that gets no table page."""
    references: dict[int, int] = {}
    table = Table(0, references, story)
    for index, (op, a, b) in enumerate(operations):
        if op == NEW:
            table = Table(a, references, story)
            story.add(f"a new process: at most {a} handles, hint {b}")
            continue
        if op == PAGES:
            story.add(f"the process may have {a} more pages")
            continue
        done = describe(op, a, b, table)
        line = lines.take(done)
        if op == INSERT:
            error = EMFILE if len(table.open) >= table.limit else ENOMEM * (index == refused)
            table.inserted(done, line, a, b, error)
        elif op == CLOSE:
            table.closed(done, line, table.given[a])
        else:
            table.found(done, line, value_of(op, a, table), b)
        story.add(f"{done}: {line}")


def value_of(op: int, a: int, table: Table) -> int:
    value = a if op == FIND_VALUE else table.given[a & 0xFFFF] ^ (a >> 16)
    value &= 2**32 - 1
    return value - 2**32 if value >> 31 else value


def describe(op: int, a: int, b: int, table: Table) -> str:
    if op == INSERT:
        return f"handle_insert(object {a}, rights {b:#x})"
    if op == CLOSE:
        return f"handle_drop({table.given[a]:#x})"
    value = value_of(op, a, table)
    kind = "open" if value in table.open else "closed" if value in table.ever else "never given"
    return f"handle_find({value:#x}, rights {b:#x}), a handle that is {kind}"


def random_operations(rng: random.Random, hint: int) -> list[Operation]:
    """Insertions, closings and look-ups, of what is open, closed, nearly right, and nonsense."""
    limit = rng.randrange(20, 40)
    operations: list[Operation] = [(NEW, limit, hint)]
    inserted = 0
    for _ in range(400):
        kind = rng.random()
        if kind < 0.35 or not inserted:
            operations.append((INSERT, rng.randrange(16), rng.getrandbits(10)))
            inserted += 1
        elif kind < 0.55:
            operations.append((CLOSE, rng.randrange(inserted), 0))
        elif kind < 0.75:
            operations.append((FIND, rng.randrange(inserted), rng.getrandbits(10)))
        elif kind < 0.9:
            bit = 1 << rng.randrange(32)
            operations.append((FIND, rng.randrange(inserted) | bit << 16, 0))
        else:
            operations.append((FIND_VALUE, rng.choice([0, 1, 4, 5, rng.getrandbits(32)]), 0))
    return operations


@pytest.mark.exercise("2.1", points=6)
def test_handles_against_a_model(kernel_test: KernelTest) -> None:
    rng, seed = new_random()
    story = Story(seed)
    operations = random_operations(rng, HANDLE_FIRST_FREE)
    operations += random_operations(rng, HANDLES_MAX - rng.randrange(1, 6))
    lines = kernel_test("handles", [word for op in operations for word in op]).finish(SECONDS)
    play(operations, Lines(lines, story), story)


@pytest.mark.exercise("2.1", points=4)
def test_handle_table_grows_and_fills_up(kernel_test: KernelTest) -> None:
    """Without memory for a second table page: -ENOMEM; with it, every place up to the limit."""
    rng, seed = new_random()
    story = Story(seed)
    first_page = HANDLE_PAGE_ENTRIES - HANDLE_FIRST_FREE
    limit = rng.randrange(first_page + 100, first_page + HANDLE_PAGE_ENTRIES + 1)
    operations: list[Operation] = [(NEW, limit, HANDLE_FIRST_FREE), (PAGES, 1, 0)]
    operations += [(INSERT, i % 16, 1) for i in range(first_page)]
    refused = len(operations)
    operations += [(INSERT, 3, 1), (PAGES, 1, 0)]
    operations += [(INSERT, i % 16, 1) for i in range(first_page, limit)]
    operations += [(INSERT, 3, 1), (CLOSE, rng.randrange(first_page), 0), (INSERT, 4, 2)]
    # Every place will do, wherever the search begins.
    many = rng.randrange(200, 400)
    operations += [(NEW, many, HANDLES_MAX - rng.randrange(50, 150))]
    operations += [(INSERT, 5, 7)] * (many + 1)
    run = kernel_test("handles", [word for op in operations for word in op])
    play(operations, Lines(run.finish(SECONDS), story), story, refused)
