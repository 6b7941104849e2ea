"""Exercise 2.9, and all of the lab together: programs that run side by side, and die alone."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from grade.harness.guest import GuestRun, pack_words
from grade.lab2.model import (
    EDQUOT,
    EMFILE,
    ENOMEM,
    HANDLE_FIRST_FREE,
    HANDLES_MAX,
    PROCESS_THREADS_MAX,
    SECONDS,
    Lines,
    Story,
    new_random,
    numbers,
)

Program = Callable[..., GuestRun]
WORD = 2**64
EXIT_NORMAL, EXIT_KILLED, EXIT_FAULT = 1, 2, 3


def steps(x: int, rounds: int, a: int, c: int, modulus: int) -> int:
    """So many steps x = a x + c at once."""
    while rounds:
        if rounds & 1:
            x = (a * x + c) % modulus
        a, c, rounds = a * a % modulus, (a * c + c) % modulus, rounds >> 1
    return x


def chain(x: int, rounds: int) -> int:
    """chain() of grade/lab2/programs/lib/work.c."""
    return steps(x, rounds, 6364136223846793005, 1442695040888963407, WORD)


def chain_fp(x: int, rounds: int) -> int:
    return steps(x, rounds, 2442725, 1013905, 1 << 26)


def start(program: Program, name: str, words: list[int], **options: object) -> GuestRun:
    return program(f"lab2/{name}", {"workload": pack_words(words)}, **options)


# ---- Programs that share the processors -----------------------------------------------------

THREADS, PIECE = 3, 100_000


@dataclass
class Sharer:
    """A program with three threads that compute."""

    priority: int
    seed: int
    rounds: int

    def sums(self) -> list[int]:
        """What its threads must come to: an integer and the bits of a double each."""
        result = []
        for number in range(THREADS):
            x = (self.seed + number) % WORD
            f = x % 1000
            for _ in range(0, self.rounds, PIECE):
                x, f = chain(x, PIECE), chain_fp(f, PIECE // 50)
            result += [x, *struct.unpack("<Q", struct.pack("<d", f))]
        return result


@pytest.mark.exercise("2.9", points=5)
@pytest.mark.parametrize("smp", [1, 4])
def test_programs_share_the_processor(bare_program: Program, smp: int) -> None:
    """Each computes what it would alone, floating point too; on one hart, those of the highest
    priority are done first."""
    rng, seed = new_random()
    story = Story(seed)
    levels = rng.sample(range(2, 30), 3)
    programs = [
        Sharer(rng.choice(levels), rng.getrandbits(64), PIECE * rng.randrange(5, 30))
        for _ in range(10)
    ]
    words = [word for one in programs for word in (one.priority, one.seed, one.rounds)]
    lines = start(bare_program, "share", words, smp=smp).finish(SECONDS)
    done = [numbers(line)[0] for line in lines if line.startswith("done")]
    what = f"{len(programs)} programs of three threads each on {smp} hart(s)"
    story.check(sorted(done) == list(range(len(programs))), what, "all of them end", done)
    if smp == 1:
        order = [programs[n].priority for n in done]
        expected = sorted(order, reverse=True)
        what = "programs of these priorities run on one hart and end in this order"
        story.check(order == expected, what, expected, order)
    results = Lines([line for line in lines if line.startswith("child")], story)
    for number, one in enumerate(programs):
        what = f"program {number} (priority {one.priority}, {one.rounds} rounds) on {smp} hart(s)"
        _, reason, status, *sums = numbers(results.take(what))
        ended = (reason, status)
        expected_end = (EXIT_NORMAL, one.seed % 256)
        story.check(ended == expected_end, what, f"(reason, status) = {expected_end}", ended)
        text = f"its sums {[hex(n) for n in one.sums()]}"
        story.check(sums == one.sums(), what, text, [hex(n) for n in sums])


@pytest.mark.exercise("2.9", points=2)
def test_equal_programs_get_equal_time(bare_program: Program) -> None:
    """Under a clock that counts instructions, so that the load of the host does not matter."""
    rng, seed = new_random()
    story = Story(seed)
    count, priority = rng.randrange(3, 6), rng.randrange(3, 29)
    calls = 1 << rng.randrange(count)  # one of them makes system calls all the time
    words = [count, 240, priority, calls]
    lines = Lines(start(bare_program, "fair", words, icount=True).finish(3 * SECONDS), story)
    done = f"{count} programs and init count for 240 ms, all of priority {priority}"
    story.check(lines.take(done) == "own 1", done, "init counts, too", "it does not")
    counts = [numbers(lines.take(done))[0] for _ in range(count)]
    plain = [n for i, n in enumerate(counts) if not calls >> i & 1]
    expected = "every one within a factor of 2"
    story.check(min(counts) > 0 and max(plain) < 2 * min(plain), done, expected, counts)


# ---- System calls ---------------------------------------------------------------------------

VALUE, BUFFER, RESULT, CHANGED, SELF, BEHIND = range(6)
DEBUG_WRITE, CLOCK_NOW, PROCESS_SELF, YIELD, THREAD_CREATE = 0, 1, 2, 3, 6
PROCESS_CREATE, PROCESS_START, PROCESS_KILL, PROCESS_GRANT = 0x10, 0x11, 0x12, 0x13
PROCESS_STATUS, SET_PRIORITY = 0x15, 0x17
CLOSE, DUP, INFO = 0x20, 0x21, 0x23
CREATE, CLONE, MAP, UNMAP, PROTECT, MEMORY_INFO = range(0x40, 0x46)
EBADF, EACCES, EFAULT, EINVAL, ENOSYS = 9, 13, 14, 22, 38
MAP_R, MAP_W, MAP_X, RIGHT_DUP, TRANSFER, MANAGE = 8, 16, 32, 64, 128, 256
MEMORY_RIGHTS = MAP_R | MAP_W | MAP_X | RIGHT_DUP | TRANSFER
NO_CALLS = (
    0x07, 0x0F, 0x18, 0x1F, 0x24, 0x2F, 0x38, 0x3F, 0x46, 0xFF, 0x109, 0xFFF, 0x1000, 1 << 32,
    (1 << 32) + PROCESS_SELF, WORD - 1, WORD - 0xFFF,
)  # fmt: skip
BAD_ADDRESSES = (
    0, 8, 0x3FFFFFF000, 1 << 38, 1 << 40, WORD - 4096, WORD - 8, 0xFFFFFFC080200000,
)  # fmt: skip
Argument = tuple[int, int]


@dataclass
class Calls:
    """A list of system calls, and what each must return: a number, or a test of it."""

    rng: random.Random
    words: list[int] = field(default_factory=list)
    expected: list[tuple[str, str, Callable[[int], bool]]] = field(default_factory=list)
    kinds: dict[int, tuple[str, int]] = field(default_factory=dict)  # open handles, by call
    closed: list[int] = field(default_factory=list)

    def add(
        self, text: str, number: int, *arguments: Argument, returns: int | None = None,
        good: Callable[[int], bool] | None = None, wanted: str = "",
    ) -> int:  # fmt: skip
        """Arguments that are not given are random. Returns the call's serial number."""
        self.words += [self.rng.getrandbits(64), number]
        rest = [(VALUE, self.rng.getrandbits(64)) for _ in range(6 - len(arguments))]
        for kind, value in (*arguments, *rest):
            self.words += [kind, value]
        test = good or (lambda seen: seen == returns)
        self.expected.append((text, wanted or str(returns), test))
        return len(self.expected) - 1

    # Each of these adds one call, and keeps the model of the handles up to date.

    def unknown(self, number: int | None = None) -> None:
        if number is None:
            number = self.rng.choice([
                *NO_CALLS, self.rng.randrange(0x200, 0x1000), self.rng.randrange(0x1200, 0x9000),
                self.rng.getrandbits(64) | 1 << 63,
            ])  # fmt: skip
        self.add(f"system call {number:#x}, which does not exist", number, returns=-ENOSYS)

    def plain(self) -> None:
        kind = self.rng.randrange(3)
        if kind == 0:
            self.add("process_self()", PROCESS_SELF, returns=1)
        elif kind == 1:
            self.add("thread_yield()", YIELD, returns=0)
        else:
            self.add("clock_now()", CLOCK_NOW, good=lambda seen: seen > 0, wanted="a time")

    def write(self) -> None:
        """The program fills its buffer with the letter of the call."""
        length = self.rng.randrange(1, 40)
        self.add(f"debug_write(buffer, {length})", DEBUG_WRITE, (BUFFER, 0), (VALUE, length),
                 returns=length)  # fmt: skip

    def bad_pointer(self) -> None:
        address = self.rng.choice(BAD_ADDRESSES)
        length = self.rng.randrange(1, 200)
        call = self.rng.randrange(3)
        at = f"{address:#x}, {length}"
        if call == 0:
            self.add(f"debug_write({at})", DEBUG_WRITE, (VALUE, address), (VALUE, length),
                     returns=-EFAULT)  # fmt: skip
        elif call == 1:
            self.add(f"process_status(self, {address:#x})", PROCESS_STATUS, (SELF, 0),
                     (VALUE, address), returns=-EFAULT)  # fmt: skip
        else:
            self.add(f"process_create({address:#x}, 5, NULL)", PROCESS_CREATE, (VALUE, address),
                     (VALUE, 5), (VALUE, 0), returns=-EFAULT)  # fmt: skip

    def memory(self) -> None:
        size = self.rng.choice([1, 4096, 4097, 100000])
        serial = self.add(f"memory_create({size})", CREATE, (VALUE, size), (VALUE, 0),
                          good=lambda seen: 0 < seen < 2**31, wanted="a handle")  # fmt: skip
        self.kinds[serial] = "memory", MEMORY_RIGHTS

    def dup(self) -> None:
        source = self.some_handle()
        rights = self.rng.getrandbits(10)
        kind, held = self.kinds.get(source, ("", 0))
        text = f"handle_dup({self.name(source)}, {rights:#x})"
        arguments = (RESULT, source), (VALUE, rights)
        if not kind:
            self.add(text, DUP, *arguments, returns=-EBADF)
        elif not held & RIGHT_DUP:
            self.add(text, DUP, *arguments, returns=-EACCES)
        else:
            serial = self.add(text, DUP, *arguments, good=lambda seen: 0 < seen < 2**31,
                              wanted="a handle")  # fmt: skip
            self.kinds[serial] = kind, held & rights

    def close(self) -> None:
        which = self.some_handle()
        known = which in self.kinds
        self.add(f"handle_close({self.name(which)})", CLOSE, (RESULT, which),
                 returns=0 if known else -EBADF)  # fmt: skip
        if known:
            del self.kinds[which]
            self.closed.append(which)

    def changed(self) -> None:
        """A number near a handle: the same place and another generation, or no handle at all."""
        which, bit = self.rng.choice(list(self.kinds)), self.rng.randrange(12, 32)
        text = f"handle_close({self.name(which)} with bit {bit} changed)"
        self.add(text, CLOSE, (CHANGED, which | (1 << bit) << 16), returns=-EBADF)

    def wrong_type(self) -> None:
        """Process calls on what is no process, no handle, or lacks the right."""
        which = self.some_handle()
        call = self.rng.choice([PROCESS_KILL, SET_PRIORITY, PROCESS_START])
        self.add(f"a process call on {self.name(which)}", call, (RESULT, which), (VALUE, 99),
                 (VALUE, 0), returns=-EBADF)  # fmt: skip

    def map(self) -> None:
        """Within the rights of the handle, or not; the address is left to the kernel."""
        which = self.some_handle()
        prot = self.rng.choice([1, 2, 3, 4, 5])
        kind, held = self.kinds.get(which, ("", 0))
        text = f"memory_map(0, {self.name(which)}, 0, 0, 1, prot {prot})"
        arguments = (VALUE, 0), (RESULT, which), (VALUE, 0), (VALUE, 0), (VALUE, 1), (VALUE, prot)
        need = (MAP_R if prot & 3 else 0) | (MAP_W if prot & 2 else 0) | (MAP_X if prot & 4 else 0)
        if not kind:
            self.add(text, MAP, *arguments, returns=-EBADF)
        elif held & need != need:
            self.add(text, MAP, *arguments, returns=-EACCES)
        else:
            at = self.add(text, MAP, *arguments, good=lambda seen: seen > 0 and seen % 4096 == 0,
                          wanted="an address")  # fmt: skip
            self.add("memory_unmap of it", UNMAP, (VALUE, 0), (RESULT, at), (VALUE, 4096),
                     returns=0)  # fmt: skip

    def invalid(self) -> None:
        choice = self.rng.randrange(4)
        if choice == 0:
            self.add("memory_create(0)", CREATE, (VALUE, 0), (VALUE, 0), returns=-EINVAL)
        elif choice == 1:
            self.add("memory_map with prot 8", MAP, (VALUE, 0), (VALUE, 0), (VALUE, 0), (VALUE, 0),
                     (VALUE, 1), (VALUE, 8), returns=-EINVAL)  # fmt: skip
        elif choice == 2:
            self.add("process_set_priority(self, 32)", SET_PRIORITY, (SELF, 0), (VALUE, 32),
                     returns=-EINVAL)  # fmt: skip
        else:
            self.add("thread_create with priority 31, above its own", THREAD_CREATE, (VALUE, 0),
                     (VALUE, 0), (VALUE, 0), (VALUE, 31), returns=-EINVAL)  # fmt: skip

    def large(self) -> None:
        """So large that the kernel does it in steps: the call is made again, and nobody sees it."""
        pages = self.rng.randrange(100, 140)
        size = pages * 4096
        memory = self.add(f"memory_create({size})", CREATE, (VALUE, size), (VALUE, 0),
                          good=lambda seen: seen > 0, wanted="a handle")  # fmt: skip
        at = self.add("memory_map of it", MAP, (VALUE, 0), (RESULT, memory), (VALUE, 0), (VALUE, 0),
                      (VALUE, size), (VALUE, 3), good=lambda seen: seen > 0,
                      wanted="an address")  # fmt: skip
        for page in range(pages):
            self.add(f"process_status into its page {page}", PROCESS_STATUS, (SELF, 0),
                     (BEHIND, at | page << 28), returns=0)  # fmt: skip
        for _ in range(3):
            copy = self.add("memory_clone of it", CLONE, (RESULT, memory),
                            good=lambda seen: 0 < seen < 2**31, wanted="a handle")  # fmt: skip
            self.add("handle_close of the clone", CLOSE, (RESULT, copy), returns=0)
        self.add(f"memory_unmap of {size} bytes", UNMAP, (VALUE, 0), (RESULT, at), (VALUE, size),
                 returns=0)  # fmt: skip
        self.add("handle_close", CLOSE, (RESULT, memory), returns=0)

    def some_handle(self) -> int:
        """Mostly an open one."""
        if self.closed and self.rng.random() < 0.25:
            return self.rng.choice(self.closed)
        return self.rng.choice(list(self.kinds))

    def name(self, which: int) -> str:
        if which not in self.kinds:
            return f"the closed handle of call {which}"
        kind, rights = self.kinds[which]
        return f"the handle of call {which} ({kind}, rights {rights:#x})"


def random_calls(rng: random.Random) -> Calls:
    calls = Calls(rng)
    for _ in range(4):
        calls.memory()
    calls.large()
    for number in NO_CALLS:
        calls.unknown(number)
    makers = [
        calls.unknown, calls.plain, calls.write, calls.bad_pointer, calls.memory, calls.dup,
        calls.dup, calls.close, calls.changed, calls.wrong_type, calls.map, calls.invalid,
    ]  # fmt: skip
    while len(calls.expected) < 600:
        rng.choice(makers)()
        if len(calls.kinds) < 3:
            calls.memory()
    return calls


@pytest.mark.exercise("2.9", points=6)
def test_system_calls(bare_program: Program) -> None:
    """Good and bad numbers, pointers and handles: the right result, and every register kept."""
    rng, seed = new_random()
    story = Story(seed)
    calls = random_calls(rng)
    log = start(bare_program, "calls", calls.words).finish(SECONDS)
    # What debug_write appended has no end of line: it is in front of the line of its result.
    pairs = [line.rpartition("result ") for line in log if "result " in line]
    lines = Lines([f"result {result}" for _, _, result in pairs], story)
    for index, (text, wanted, good) in enumerate(calls.expected):
        done = f"call {index}: {text}"
        result, changed = numbers(lines.take(done))
        story.check(good(result), done, wanted, result)
        names = [f"x{n}" for n in range(32) if changed >> n & 1]
        story.check(not names, done, "all registers but a0 as before", f"{names} have changed")
        if text.startswith("debug_write(buffer"):
            letters, seen = chr(ord("a") + index % 26) * result, pairs[index][0]
            story.check(seen == letters, done, f"{letters!r} in the log", seen)
        story.add(f"{done}: {result}")


# ---- Programs that end ----------------------------------------------------------------------

(RETURN, EXIT_WITH_THREADS, THREADS_END, BAD_LOAD, BAD_STORE, BAD_JUMP, ILLEGAL, BREAK, KERNEL_LOAD,
 CODE_STORE, THREAD_FAULTS, KILLED, KILLED_THREADS, KILLED_UNSTARTED, KILLED_TWICE,
 COMPUTE) = range(16)  # fmt: skip
NOWHERE, KERNEL = 0x60000000, 0xFFFFFFC080200000
WAYS = (
    "returns", "ends while its other threads run", "ends with its last thread",
    "loads from nowhere", "stores to nowhere", "jumps to nowhere",
    "runs an illegal instruction", "runs into a breakpoint", "reads the kernel's memory",
    "writes into its code", "has a thread that loads from nowhere", "is killed",
    "is killed while its threads run", "is killed before it starts", "is killed twice", "computes",
)  # fmt: skip
CAUSES = {
    BAD_LOAD: 13, THREAD_FAULTS: 13, KERNEL_LOAD: 13, BAD_STORE: 15, CODE_STORE: 15, BAD_JUMP: 12,
    ILLEGAL: 2, BREAK: 3,
}  # fmt: skip


@pytest.mark.exercise("2.9", points=4)
@pytest.mark.parametrize("smp", [1, 4])
def test_bad_programs_die_alone(bare_program: Program, smp: int) -> None:
    """Their parent learns why and where; the others compute what they would without them."""
    rng, seed = new_random()
    story = Story(seed)
    ways = [*range(COMPUTE), *rng.choices(range(COMPUTE), k=8), *[COMPUTE] * 6]
    rng.shuffle(ways)
    programs = [
        (way, rng.randrange(1, 100000), rng.getrandbits(64), rng.randrange(10**6, 10**7))
        for way in ways
    ]
    words = [word for one in programs for word in one]
    log = start(bare_program, "deaths", words, smp=smp).finish(2 * SECONDS)
    lines = Lines([line for line in log if line.startswith(("killed", "ended"))], story)
    for way, *_ in programs:
        for _ in range({KILLED_TWICE: 2}.get(way, 1 if KILLED <= way < COMPUTE else 0)):
            line = lines.take("process_kill")
            story.check(line == "killed 0", "process_kill", "0", line)
    for number, (way, value, first, rounds) in enumerate(programs):
        done = f"on {smp} hart(s), program {number} {WAYS[way]} (value {value})"
        _, reason, status, address, result = numbers(lines.take(done))
        seen = f"reason {reason}, value {status}, address {address:#x}"
        if way in CAUSES:
            good = (reason, status) == (EXIT_FAULT, CAUSES[way])
            story.check(good, done, f"reason {EXIT_FAULT}, value {CAUSES[way]}", seen)
            base = {BAD_LOAD: NOWHERE, BAD_STORE: NOWHERE, BAD_JUMP: NOWHERE, KERNEL_LOAD: KERNEL}
            if way in base:
                where = base[way] + (value & ~7)
                story.check(address == where, done, f"address {where:#x}", seen)
        elif KILLED <= way < COMPUTE:
            good = (reason, status) == (EXIT_KILLED, value)
            story.check(good, done, f"reason {EXIT_KILLED}, value {value}", seen)
        else:
            expected = 0 if way == THREADS_END else value
            good = (reason, status) == (EXIT_NORMAL, expected)
            story.check(good, done, f"reason {EXIT_NORMAL}, value {expected}", seen)
        if way in (COMPUTE, THREADS_END):
            x, count = (first, rounds) if way == COMPUTE else (value, value % 10000)
            text = f"the result {chain(x, count):#x}"
            story.check(result == chain(x, count), done, text, f"{result:#x}")


@pytest.mark.exercise("2.9", points=3)
def test_exhaustion_harms_nobody_else(bare_program: Program) -> None:
    """All handles, threads and processes are taken and given back, twice; a bystander goes on."""
    rng, seed = new_random()
    story = Story(seed)
    first, rounds = rng.getrandbits(64), 2
    words = [first, rounds, *[1] * rounds]
    log = start(bare_program, "exhaust", words).finish(2 * SECONDS)
    found = {key: [numbers(line) for line in log if line.startswith(key)]
             for key in ("handles", "threads", "processes", "poor", "bystander")}  # fmt: skip
    for key, what, most, error in (
        ("handles", "handle_dup until it fails", HANDLES_MAX - HANDLE_FIRST_FREE, EMFILE),
        ("threads", "thread_create until it fails", PROCESS_THREADS_MAX - 1, EDQUOT),
        ("processes", "process_create until it fails", 254, ENOMEM),
    ):
        counts = found[key]
        story.check(len(counts) == rounds, what, f"{rounds} times", counts)
        errors = [n[1] for n in counts]
        story.check(errors == [-error] * rounds, what, f"-{error} in the end", errors)
        many = most - 100 < counts[0][0] <= most
        story.check(many, what, f"about {most} of them", counts[0][0])
        again = "after all were given back, as many again"
        story.check(counts[0][0] == counts[1][0], what, again, [n[0] for n in counts])
    done = "process_start for a process that may have one page only"
    story.check(found["poor"] == [[-ENOMEM]] * rounds, done, f"-{ENOMEM}", found["poor"])
    done = "a bystander computes all the while"
    story.check(len(found["bystander"]) == 1, done, "its result", "none")
    reason, status, count, result = found["bystander"][0]
    ended = (reason, status)
    story.check(ended == (EXIT_NORMAL, 7), done, f"reason, status {(EXIT_NORMAL, 7)}", ended)
    expected = chain(first, 1000 * count)
    story.check(result == expected, done, f"{expected:#x} after {count} steps", f"{result:#x}")


# ---- The first process of this lab's tree ---------------------------------------------------


def test_first_process_shows_what_the_lab_is_about(bare_program: Program) -> None:
    """Ends by itself with status 0, and says how its three programs ended."""
    run = bare_program("../first/lab2/init")
    status = run.machine.wait_exit(SECONDS)
    log = run.machine.log.text()
    assert status == 0, log
    for line in ("one ended: exit status 1", "two ended: exit status 2", "bad ended: fault"):
        assert line in log, log
