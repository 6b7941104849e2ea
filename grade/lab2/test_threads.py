"""Exercises 2.2 and 2.6: making and ending threads."""

from __future__ import annotations

import random

import pytest

from grade.lab2.model import (
    PRIORITIES,
    PROCESS_THREADS_MAX,
    SECONDS,
    THREADS_MAX,
    KernelTest,
    Lines,
    Story,
    new_random,
    numbers,
)

PROCESS, MAKE, FREE, PAGES = range(4)
NEW, READY, WAITING, QUEUED, RUNNING, ELSEWHERE = range(6)
KINDS = (
    "was never started", "is ready", "waits for a deadline", "waits in a queue",
    "runs on this hart", "runs on another hart",
)  # fmt: skip
Operation = tuple[int, int, int]


class Threads:
    """The host's idea of processes and their threads."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.limit: list[int] = []
        self.broke: set[int] = set()  # processes that may have no more pages
        self.live: dict[int, int] = {}  # slot: process
        self.made: list[int] = []  # slot, or -1, by serial number
        self.token: dict[int, int] = {}  # the last one of each slot

    def count(self, process: int) -> int:
        return sum(owner == process for owner in self.live.values())

    def make(self, process: int, priority: int, lines: Lines) -> None:
        check = self.story.check
        done = f"thread_new(process {process}, priority {priority})"
        reason = ""
        if self.count(process) >= self.limit[process]:
            reason = f"the process has all its {self.limit[process]} threads"
        elif len(self.live) == THREADS_MAX:
            reason = "the thread table is full"
        elif process in self.broke:
            reason = "the process may have no further page"
        line = lines.take(done)
        if reason:
            check(line.startswith("none"), done, f"NULL, as {reason}", line)
            check(line == "none 0 0", done, f"nothing taken, as {reason}", f"frames, pages: {line}")
            self.made.append(-1)
        else:
            check(line.startswith("thread"), done, "a thread", line)
            self.made.append(self.judge(done, line, process, priority))
        seen = numbers(lines.take(done))
        n = self.count(process)
        check(seen[0] == n, done, f"threads_used = {n}", seen[0])
        check(seen[1] == n, done, f"{n} threads in the process's list", seen[1])
        check(seen[2] == 2 + n, done, f"{2 + n} references to the process", seen[2])
        self.story.add(f"{done}: {line}")

    def judge(self, done: str, line: str, process: int, priority: int) -> int:
        slot, token, effective, base, owner, table, page = numbers(line)
        check = self.story.check
        check(slot < THREADS_MAX and slot not in self.live, done, "a free slot", slot)
        check(token % THREADS_MAX == slot, done, f"a token that ends in slot {slot}", token)
        check(token > 0, done, "a token that is not 0", token)
        before = self.token.get(slot, 0)
        text = f"a token not below {before}, which the slot's last thread had"
        check(token >= before, done, text, token)
        check((effective, base) == (priority, priority), done, "that priority", (effective, base))
        check(owner == 1, done, "thread->process is the process", "another")
        check(table == 1, done, f"the thread in thread_table[{slot}]", "something else")
        check(page == 1, done, "the IPC page mapped at ipc_address", "no such page")
        self.live[slot] = process
        return slot

    def free(self, which: int, calls: int, lines: Lines) -> None:
        done = f"thread {which} ends after {calls} calls"
        slot, token = numbers(lines.take(done))
        self.token[slot] = token
        del self.live[slot]
        self.story.add(done)


def play(operations: list[Operation], lines: Lines, story: Story) -> None:
    threads = Threads(story)
    for op, a, b in operations:
        if op == PROCESS:
            story.check(lines.take("a new process") == "new 2", "process_new", "2 references", "")
            threads.limit.append(min(b or PROCESS_THREADS_MAX, PROCESS_THREADS_MAX))
        elif op == PAGES:
            (threads.broke.discard if b else threads.broke.add)(a)
            story.add(f"process {a} may have {b} more pages")
        elif op == MAKE:
            threads.make(a, b, lines)
        elif threads.made[a] >= 0:
            threads.free(a, b, lines)


def run(kernel_test: KernelTest, operations: list[Operation], story: Story) -> None:
    guest = kernel_test("thread_new", [word for op in operations for word in op])
    play(operations, Lines(guest.finish(SECONDS), story), story)


def random_operations(rng: random.Random) -> list[Operation]:
    operations: list[Operation] = [(PROCESS, 0, rng.randrange(3, 12)) for _ in range(4)]
    made, alive, broke = 0, [], set()
    threads = [0] * 4
    for _ in range(200):
        process = rng.randrange(4)
        kind = rng.random()
        if kind < 0.6:
            operations.append((MAKE, process, rng.randrange(PRIORITIES)))
            if threads[process] < operations[process][2] and process not in broke:
                alive.append((made, process))
                threads[process] += 1
            made += 1
        elif kind < 0.85 and alive:
            which, owner = alive.pop(rng.randrange(len(alive)))
            operations.append((FREE, which, rng.randrange(4)))
            threads[owner] -= 1
        elif kind > 0.85:
            more = rng.choice([0, 1000])
            operations.append((PAGES, process, more))
            (broke.discard if more else broke.add)(process)
    # What little a failed attempt forgets to give back shows after some of them.
    operations += [(PROCESS, 0, 99), (PAGES, 4, 0), *[(MAKE, 4, 9)] * 12]
    return operations


@pytest.mark.exercise("2.2", points=6)
def test_threads_against_a_model(kernel_test: KernelTest) -> None:
    """Limits of threads and of pages, and what a thread and its process know of each other."""
    rng, seed = new_random()
    run(kernel_test, random_operations(rng), Story(seed))


@pytest.mark.exercise("2.2", points=4)
def test_thread_table_fills_up(kernel_test: KernelTest) -> None:
    """All slots; none for one more process; and a slot that is used again has new tokens."""
    rng, seed = new_random()
    full = THREADS_MAX // PROCESS_THREADS_MAX
    operations: list[Operation] = [(PROCESS, 0, 0)] * (full + 1)
    order = [process for process in range(full) for _ in range(PROCESS_THREADS_MAX)]
    rng.shuffle(order)
    operations += [(MAKE, process, rng.randrange(PRIORITIES)) for process in order]
    operations += [(MAKE, full, 5)] * 2
    for index, which in enumerate(rng.sample(range(THREADS_MAX), 5)):
        operations += [(FREE, which, 3 + index), (MAKE, full, 7), (MAKE, full, 8)]
    run(kernel_test, operations, Story(seed))


@pytest.mark.exercise("2.6")
def test_thread_end_in_every_state(kernel_test: KernelTest) -> None:
    """The thread is gone from all lists, its memory is free; one that another hart runs is left to
    that hart, which is interrupted."""
    rng, seed = new_random()
    story = Story(seed)
    cases = [(kind, rng.randrange(PRIORITIES)) for kind in list(range(6)) * 3]
    rng.shuffle(cases)
    cases = [(NEW, 1), *cases]  # the first may make the kernel take pages for good
    guest = kernel_test("thread_end", [word for case in cases for word in case])
    lines = Lines(guest.finish(SECONDS), story)
    check = story.check
    for index, (kind, priority) in enumerate(cases):
        done = f"thread_end of a thread (priority {priority}) that {KINDS[kind]}"
        gone, neighbours, count, mask, listed, nobody = numbers(lines.take(done))
        elsewhere = lines.take(done)
        ready = 2 if kind == READY else 0
        check(neighbours == 1, done, "its neighbours in its list are neighbours now", "not so")
        check(count == ready, done, f"{ready} ready threads left", count)
        check(mask == (1 << priority if ready else 0), done, "ready_mask of those", f"{mask:#x}")
        check(listed == 2, done, "2 threads left in the process's list", listed)
        if kind == ELSEWHERE:
            check(gone == 0, done, "not freed: the other hart still runs it", "freed")
            check(elsewhere.split()[1] == "1", done, "an interrupt for that hart", "none")
            check(elsewhere.split()[2] == "1", done, "THREAD_DEAD", "another state")
        else:
            check(gone == 1, done, "the thread is freed, its slot is empty", "it is there")
            check(elsewhere == "here 0 0", done, "no interrupt for this hart", elsewhere)
        if kind == RUNNING:
            check(nobody == 1, done, "this hart has no current thread", "it still has one")
        freed, frames, used, references, _ = numbers(lines.take(done))
        check(freed == 1, done, "freed in the end", "still there")
        check(used == 2, done, "threads_used = 2", used)
        check(references == 4, done, "4 references to the process", references)
        check(frames == 0 or index == 0, done, "all its frames are free", f"{frames} are not")
        story.add(done)
