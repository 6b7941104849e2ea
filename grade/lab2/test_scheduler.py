"""Exercises 2.3, 2.4 and 2.5: ready queues, the switch, and who runs."""

from __future__ import annotations

import random

import pytest

from grade.lab2.model import (
    PRIORITIES,
    SECONDS,
    KernelTest,
    Lines,
    Story,
    new_random,
    numbers,
)

ABSENT, IDLE, ENDLESS, SLICED = range(4)
HARTS = ("is not there", "idles", "runs a thread without a slice", "runs a thread with a slice")
OP_READY, OP_PRIORITY, OP_SLICE_OVER, OP_BLOCK, OP_WAKE, OP_CUT, OP_EXIT = range(7)
CUT = 1_000_000  # ns that are left of a slice that was cut short
WORD = 2**64


@pytest.mark.exercise("2.3")
def test_make_ready_wakes_the_right_hart(kernel_test: KernelTest) -> None:
    """Every thread is queued behind its equals; one hart that would run it is interrupted."""
    rng, seed = new_random()
    story = Story(seed)
    count = 30
    mine = [rng.choice([4, 9, 17, 25, 0, PRIORITIES - 1]) for _ in range(count)]
    scenes = [[scene(rng, priority, n) for n in range(3)] for priority in mine]
    words = [count, *mine, *(word for three in scenes for pair in three for word in pair)]
    lines = Lines(kernel_test("make_ready", words).finish(SECONDS), story)
    for index, (priority, (real, other, _)) in enumerate(zip(mine, scenes, strict=True)):
        done = f"thread_make_ready(thread {index}, priority {priority}), while " + "; ".join(
            f"hart {name} {HARTS[state]} (priority {runs})"
            for name, (state, runs) in (("A", real), ("B", other))
        )
        ready, mask, queued, interrupted = numbers(lines.take(done))
        expected = sum(1 << p for p in set(mine[: index + 1]))
        story.check(ready == 1, done, "THREAD_READY", "another state")
        story.check(mask == expected, done, f"ready_mask {expected:#x}", f"{mask:#x}")
        story.check(queued == index + 1, done, f"{index + 1} threads ready", queued)
        need = wants(real, priority) and not wants(other, priority)
        story.check(interrupted or not need, done, "an interrupt for hart A", "none")
        useless = real[0] in (ENDLESS, SLICED) and real[1] > priority
        story.check(not (interrupted and useless), done, "no interrupt for hart A", "one")
        story.add(done)
    for index, priority in enumerate(mine):
        later = [i for i in range(index + 1, count) if mine[i] == priority]
        done = f"the queue of priority {priority}, behind thread {index}"
        line = lines.take(done)
        expected = later[0] if later else -1
        story.check(numbers(line) == [expected], done, f"thread {expected}", line)


def scene(rng: random.Random, priority: int, hart: int) -> tuple[int, int]:
    """What a hart does: with priorities on both sides of the thread's, and just its own."""
    state = rng.choice([ENDLESS, ENDLESS, SLICED, SLICED, IDLE] + [ABSENT, ABSENT] * (hart == 1))
    around = [0, max(priority - 1, 0), priority, min(priority + 1, PRIORITIES - 1), PRIORITIES - 1]
    return state, rng.choice(around)


def wants(hart: tuple[int, int], priority: int) -> bool:
    """Must such a hart be interrupted, if it is the only one?"""
    state, runs = hart
    if state not in (ENDLESS, SLICED):
        return False
    return runs < priority or (runs == priority and state == ENDLESS)


@pytest.mark.exercise("2.4")
def test_switch_to_brings_everything_along(kernel_test: KernelTest) -> None:
    """Address space, floating-point registers, time, and what the kernel reads."""
    rng, seed = new_random()
    story = Story(seed)
    steps = []
    for index in range(60):
        before = steps[-1][0] if steps else -1
        thread = rng.choice([n for n in range(8) if n != before])
        steps.append((thread, rng.getrandbits(48) | 1 if index < 8 or rng.random() < 0.6 else 0))
    words = [word for step in steps for word in step]
    lines = Lines(kernel_test("switch", words).finish(SECONDS), story)
    registers = {n: [0] * 33 for n in range(8)}
    last = -1
    for thread, fp in steps:
        done = f"switch_to(thread {thread} of process {thread % 4})"
        current, running, hart, satp, known, *rest = numbers(lines.take(done))
        story.check(current == thread, done, "hart->current is the thread", f"thread {current}")
        story.check(running == 1, done, "its state is THREAD_RUNNING", "another state")
        story.check(hart == 1, done, "thread->hart is the hart", "something else")
        story.check(satp == 1, done, "satp of the thread's process", "another one")
        story.check(known == 1, done, "hart->satp says so, too", "something else")
        charged = [n for n in range(4) if rest[n]]
        expected = [last % 4] if last >= 0 else []
        story.check(charged == expected, done, f"time for process {expected}", f"{charged}")
        if fp:
            sum_ = 0
            for value in registers[thread]:
                sum_ = (sum_ * 31 + value) % WORD
            text = "the thread's own floating-point registers"
            story.check(rest[4] == sum_, done, text, "other values")
            registers[thread] = [*(fp * (2 * i + 1) % WORD for i in range(32)), fp & 0x9F]
        last = thread
        story.add(done + (", which then uses floating point" if fp else ""))


class Queues:
    """The scheduler as a model: who is ready, in order, and who runs."""

    def __init__(self, priorities: list[int]) -> None:
        self.priority = list(priorities)
        self.ready: list[list[int]] = [[] for _ in range(PRIORITIES)]
        self.current: int | None = None
        self.slice_over = False
        self.cut: set[int] = set()  # threads that come back to a rest of their slice

    @property
    def mask(self) -> int:
        return sum(1 << p for p in range(PRIORITIES) if self.ready[p])

    @property
    def count(self) -> int:
        return sum(len(queue) for queue in self.ready)

    def waiting(self) -> list[int]:
        busy = {thread for queue in self.ready for thread in queue} | {self.current}
        return [n for n in range(len(self.priority)) if n not in busy]

    def make_ready(self, thread: int) -> None:
        self.ready[self.priority[thread]].append(thread)

    def set_priority(self, thread: int, priority: int) -> None:
        queue = self.ready[self.priority[thread]]
        self.priority[thread] = priority
        if thread in queue:
            queue.remove(thread)
            self.ready[priority].append(thread)

    def exit(self) -> bool:
        """Choose; True if it changed."""
        over, self.slice_over = self.slice_over, False
        top = self.mask.bit_length() - 1
        if self.current is not None:
            mine = self.priority[self.current]
            rotate = over and bool(self.ready[mine])
            if top <= mine and not rotate:
                return False
            self.ready[mine].insert(len(self.ready[mine]) if rotate else 0, self.current)
            top = max(top, mine)
        self.current = self.ready[top].pop(0)
        return True


def random_script(rng: random.Random, priorities: list[int]) -> list[tuple[int, int, int]]:
    """Operations that make sense, found by playing them."""
    model = Queues(priorities)
    script: list[tuple[int, int, int]] = []
    levels = sorted(set(priorities))
    while len(script) < 700:
        kind = rng.random()
        waiting = model.waiting()
        if kind < 0.35 and waiting:
            thread = rng.choice(waiting)
            script.append((OP_READY, thread, 0))
            model.make_ready(thread)
        elif kind < 0.45:
            thread, level = rng.randrange(len(priorities)), rng.choice(levels)
            script.append((OP_PRIORITY, thread, level))
            model.set_priority(thread, level)
        elif kind < 0.6 and model.current is not None:
            script.append((OP_SLICE_OVER, 0, 0))
            model.slice_over = True
        elif kind < 0.75 and model.current is not None:
            script.append((OP_BLOCK, 0, 0))
            model.current = None
        if model.current is None and not model.count:
            thread = rng.choice(model.waiting())
            script.append((OP_WAKE, thread, rng.randrange(70)))
            model.make_ready(thread)
        script.append((OP_EXIT, 0, 0))
        model.exit()
    return script


@pytest.mark.exercise("2.5", points=10)
def test_scheduler_against_a_model(kernel_test: KernelTest) -> None:
    """Priorities, round robin, preemption, idling: always the thread that the model chooses."""
    rng, seed = new_random()
    story = Story(seed)
    levels = rng.sample(range(PRIORITIES), 4)
    priorities = [rng.choice(levels) for _ in range(12)]
    script = random_script(rng, priorities)
    words = [len(priorities), *priorities, *(word for op in script for word in op)]
    lines = Lines(kernel_test("scheduler", words).finish(SECONDS), story)
    model = Queues(priorities)
    for op, a, b in script:
        if op == OP_EXIT:
            judge_exit(model, lines, story)
            continue
        story.add(apply(model, op, a, b))


def apply(model: Queues, op: int, a: int, b: int) -> str:
    if op in (OP_READY, OP_WAKE):
        model.make_ready(a)
        later = f" after {b} steps of other work" if op == OP_WAKE else ""
        return f"thread {a} (priority {model.priority[a]}) becomes ready{later}"
    if op == OP_PRIORITY:
        model.set_priority(a, b)
        return f"thread {a} gets priority {b}"
    if op == OP_SLICE_OVER:
        model.slice_over = True
        return f"the time slice of thread {model.current} is over"
    thread, model.current = model.current, None
    return f"thread {thread} waits"


def judge_exit(model: Queues, lines: Lines, story: Story) -> list[int]:
    before = model.current
    ran = "nobody" if before is None else f"thread {before} (priority {model.priority[before]})"
    ready = {p: queue[:] for p, queue in enumerate(model.ready) if queue}
    done = f"scheduler_exit(), {ran} running, ready by priority: {ready}"
    seen = numbers(lines.take(done))
    model.exit()
    expected = f"thread {model.current} runs"
    story.check(seen[0] == model.current, done, expected, f"thread {seen[0]} runs")
    story.check(seen[1] == model.mask, done, f"ready_mask {model.mask:#x}", f"{seen[1]:#x}")
    story.check(seen[2] == model.count, done, f"{model.count} threads ready", seen[2])
    story.check(seen[3] == 0, done, "slice_over taken back", "still set")
    story.check(seen[4] == 1, done, "its state is THREAD_RUNNING", "another state")
    sliced = bool(seen[7]) or not model.count
    story.check(sliced, done, "the end of the slice set, as others wait", "slice_end = 0")
    story.add(f"{done}: {expected}")
    return seen


@pytest.mark.exercise("2.5", points=5)
def test_preempted_thread_keeps_its_slice(kernel_test: KernelTest) -> None:
    """Who is interrupted by somebody more urgent again and again gets no new slice each time, or
    an equal would never run; who used up a slice gets a new one."""
    rng, seed = new_random()
    story = Story(seed)
    low, high = sorted(rng.sample(range(PRIORITIES), 2))
    priorities = [low, low, high]
    script: list[tuple[int, int, int]] = [(OP_READY, 0, 0), (OP_READY, 1, 0), (OP_EXIT, 0, 0)]
    script += [(OP_CUT, 0, 0)]
    for _ in range(4):
        script += [(OP_READY, 2, 0), (OP_EXIT, 0, 0), (OP_BLOCK, 0, 0), (OP_EXIT, 0, 0)]
    words = [3, *priorities, *(word for op in script for word in op)]
    lines = Lines(kernel_test("scheduler", words).finish(SECONDS), story)
    model = Queues(priorities)
    cut = False
    for op, a, b in script:
        if op == OP_CUT:
            cut = True
            story.add(f"thread {model.current} has {CUT} ns of its slice left")
            continue
        if op != OP_EXIT:
            story.add(apply(model, op, a, b))
            continue
        rest = judge_exit(model, lines, story)[6]
        if cut and model.current == 0:
            done = "thread 0 runs again after thread 2 has cut its slice short"
            story.check(rest <= CUT, done, f"at most {CUT} ns of its slice", f"{rest} ns")
