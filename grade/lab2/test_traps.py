"""Exercises 2.7 and 2.8: the way into the kernel and back, and faults of user code."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import pytest

from grade.harness.failure import GuestPanic
from grade.lab2.model import SECONDS, KernelTest, Lines, Story, new_random, numbers

CODE, WRITABLE, READABLE = 0x40000, 0x1000000, 0x2000000
THREADS = 4
ECALL = CODE + 4 * 31
WORD = 2**64
NAMES = (
    "pc zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 "
    "t3 t4 t5 t6"
).split()
NAMES.remove("zero")


def random_registers(rng: random.Random) -> list[int]:
    """pc and x1 to x31."""
    return [CODE, *(rng.getrandbits(64) for _ in range(31))]


@pytest.mark.exercise("2.7", points=7)
def test_registers_survive_traps(kernel_test: KernelTest) -> None:
    """All 31 registers and the pc, over system calls, interrupts, and other threads in between."""
    rng, seed = new_random()
    story = Story(seed)
    registers = [random_registers(rng) for _ in range(THREADS)]
    steps = [(rng.randrange(THREADS), int(rng.random() < 0.4)) for _ in range(60)]
    words = [word for thread in registers for word in thread[1:]]
    words += [word for step in steps for word in step]
    lines = Lines(kernel_test("trap", words).finish(SECONDS), story)
    current = 0
    run_once(registers[current])
    for thread, interrupted in steps:
        how = "an interrupt comes at once" if interrupted else "no interrupt comes"
        done = f"thread {current} makes an ecall, thread {thread} goes on, {how}"
        if thread != current:
            seen = numbers(lines.take(done))
            compare(registers[thread], seen[1:], f"{done}: the registers of thread {thread}", story)
        current = thread
        run_once(registers[current])
        story.add(done)
    done = f"{sum(i for _, i in steps)} interrupts of a program"
    (interrupts,) = numbers(lines.take(done))
    # One of the kernel's own may come at the same time as one of ours, and one trap serve both.
    story.check(interrupts >= sum(i for _, i in steps), done, "all of them came", interrupts)


def run_once(registers: list[int]) -> None:
    """What the program does between two ecalls; the kernel steps over the ecall."""
    for n in range(1, 32):
        registers[n] = (registers[n] + n) % WORD
    registers[0] = ECALL + 4


def compare(expected: list[int], seen: list[int], done: str, story: Story) -> None:
    wrong = [n for n in range(32) if expected[n] != seen[n]]
    shown = ", ".join(f"{NAMES[n]} = {expected[n]:#x}" for n in wrong[:6])
    instead = ", ".join(f"{NAMES[n]} = {seen[n]:#x}" for n in wrong[:6])
    story.check(not wrong, done, shown, f"{instead} ({len(wrong)} are wrong)")


@pytest.mark.exercise("2.7", points=3)
def test_trap_inside_the_kernel_is_told(kernel_test: KernelTest) -> None:
    """A trap of the kernel's own is none of a program's: it ends in a panic that says where."""
    rng, seed = new_random()
    story = Story(seed)
    address = WORD - (1 << 36) + rng.randrange(1 << 30) * 8  # nothing is mapped there
    registers = [word for _ in range(THREADS) for word in random_registers(rng)[1:]]
    run = kernel_test("kernel_trap", [*registers, address])
    with pytest.raises(GuestPanic):
        run.finish(SECONDS)
    log = run.machine.log.text()
    done = f"the kernel reads from {address:#x}, after a trap from user mode"
    told = next((line for line in log.split("\n") if "sscratch" in line), "")
    story.check(told.strip().endswith("sscratch 0"), done, "sscratch 0 in the kernel", told)
    expected = f"trap inside the kernel: scause 13, stval {address:#x}"
    story.check(expected in log, done, expected, log[-500:])
    hart = re.search(r"^PANIC on hart (\d+)\b", log, re.MULTILINE)
    there = hart is not None and int(hart[1]) < run.machine.config.smp
    story.check(there, done, "PANIC on one of the harts", log[-500:])


PASS, LOAD, STORE, LOAD_BYTE, STORE_BYTE, JUMP, ILLEGAL, EBREAK = range(8)
READ_CSR, WRITE_SATP, SFENCE, FLOAT, FLOAT_THEN_ILLEGAL, ATOMIC = range(8, 14)
WHAT = (
    "ecall", "ld", "sd", "lbu", "sb", "jr", "an illegal instruction", "ebreak", "csrr sstatus",
    "csrw satp", "sfence.vma", "a floating-point instruction", "floating point, then .word 0",
    "amoadd.w",
)  # fmt: skip
CAUSE_ILLEGAL, CAUSE_BREAKPOINT, FETCH, LOAD_PAGE, STORE_PAGE = 2, 3, 12, 13, 15
MISALIGNED = (4, 6)  # QEMU reports that of an atomic instruction as a load's
EXIT_FAULT = 3
SIZE = 64 * 4096


@dataclass
class Case:
    """One instruction with an address, and what must come of it."""

    what: int
    address: int
    value: int

    @property
    def where(self) -> str:
        return region_of(self.address)

    @property
    def causes(self) -> tuple[int, ...]:
        """scause of the fault that ends the process; () if it must come through."""
        if self.what in (ILLEGAL, READ_CSR, WRITE_SATP, SFENCE, FLOAT_THEN_ILLEGAL):
            return (CAUSE_ILLEGAL,)
        if self.what == EBREAK:
            return (CAUSE_BREAKPOINT,)
        if self.what in (LOAD, LOAD_BYTE):
            return () if self.where != "nothing" else (LOAD_PAGE,)
        if self.what in (STORE, STORE_BYTE):
            return () if self.where == "writable pages" else (STORE_PAGE,)
        if self.what == JUMP:
            return () if self.where == "code" else (FETCH,)
        return MISALIGNED if self.what == ATOMIC else ()

    @property
    def pc(self) -> int:
        """Of the instruction that faults."""
        if self.what == JUMP:
            return self.address
        return CODE + 16 * self.what + 4 * (self.what == FLOAT_THEN_ILLEGAL)

    @property
    def text(self) -> str:
        at = ""
        if self.what in (LOAD, STORE, LOAD_BYTE, STORE_BYTE, JUMP, ATOMIC):
            at = f" at {self.address:#x}, where {region_name(self.where)}"
        return f"a program's {WHAT[self.what]}{at}"


def region_of(address: int) -> str:
    for start, size, name in (
        (CODE, 4096, "code"),
        (WRITABLE, SIZE, "writable pages"),
        (READABLE, SIZE, "read-only pages"),
    ):
        if start <= address < start + size:
            return name
    return "nothing"


def region_name(name: str) -> str:
    return f"{name} {'is' if name in ('code', 'nothing') else 'are'} mapped"


def random_cases(rng: random.Random) -> list[Case]:
    def somewhere(kind: str) -> int:
        if kind == "code":
            return CODE
        if kind == "writable":
            return WRITABLE + rng.randrange(SIZE // 8) * 8
        if kind == "readable":
            return READABLE + rng.randrange(SIZE // 8) * 8
        return rng.choice([
            0, WRITABLE - 8, WRITABLE + SIZE, READABLE + SIZE, 0x3FFFFFF000, 1 << 40,
            0xFFFFFFC080200000, WORD - 8, rng.getrandbits(20) * 8 + 0x5000000,
        ])  # fmt: skip

    cases = [
        Case(what, somewhere(kind), rng.getrandbits(63))
        for what in (LOAD, STORE, LOAD_BYTE, STORE_BYTE, JUMP)
        for kind in ("code", "writable", "readable", "nothing", "nothing")
    ]
    for what in (ILLEGAL, EBREAK, READ_CSR, WRITE_SATP, SFENCE, FLOAT_THEN_ILLEGAL):
        cases.append(Case(what, 0, rng.getrandbits(63)))
    cases += [Case(FLOAT, 0, rng.getrandbits(63)) for _ in range(3)]
    cases.append(Case(ATOMIC, somewhere("writable") + 2, 1))
    rng.shuffle(cases)
    return cases


@pytest.mark.exercise("2.8")
def test_faults_end_one_process_or_none(kernel_test: KernelTest) -> None:
    """What the address space allows goes on; anything else ends the process, with its reason."""
    rng, seed = new_random()
    story = Story(seed)
    cases = random_cases(rng)
    words = [word for case in cases for word in (case.what, case.address, case.value)]
    run = kernel_test("faults", words)
    lines = [line for line in run.finish(SECONDS) if not line.startswith("process ")]
    taken = Lines(lines, story)
    for case in cases:
        judge_case(case, taken, story)
        story.add(case.text)


def judge_case(case: Case, lines: Lines, story: Story) -> None:
    done, check = case.text, story.check
    reason, cause, pc, address, gone, dead = numbers(lines.take(done))
    other_dead, other_reason, counted = numbers(lines.take(done))
    came = lines.take(done)
    check(not other_dead and not other_reason, done, "the other process lives", "it ended")
    check(counted == 1, done, "the faults counted, for the process and in all", "not so")
    if not case.causes:
        check(came.startswith("through"), done, "the instruction works", f"ended: cause {cause}")
        _, register, word = numbers(came)
        check(dead == 0, done, "the process lives", "it ended")
        if case.what == FLOAT:
            check(register == case.value, done, f"f5 = {case.value:#x}", f"{register:#x}")
        if case.what in (STORE, STORE_BYTE):
            expected = case.value if case.what == STORE else case.value & 0xFF
            check(word == expected, done, f"{expected:#x} in memory", f"{word:#x}")
        return
    names = " or ".join(map(str, case.causes))
    check(came.startswith("bystander 1"), done, "the process ends, others run", came)
    check(dead == 1 and gone == 1, done, "the process is dead, its thread is gone", (dead, gone))
    check(reason == EXIT_FAULT, done, f"reason EXIT_FAULT ({EXIT_FAULT})", reason)
    check(cause in case.causes, done, f"value {names} (scause)", cause)
    check(pc == case.pc, done, f"status.pc {case.pc:#x}", f"{pc:#x}")
    if case.causes not in ((CAUSE_ILLEGAL,), (CAUSE_BREAKPOINT,)):  # where stval may be anything
        check(address == case.address, done, f"status.address {case.address:#x}", f"{address:#x}")
