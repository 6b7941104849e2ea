"""Exercises 4.8 and 4.9: processes that init makes out of random executables, and what they are
given."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grade.harness.failure import UNWRITTEN
from grade.harness.guest import pack_words, write_archive
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory
from grade.lab4.executable import JUMP, NOTHING, PAGE, STORE, Executable, random_executable
from grade.lab4.guest import BOOT_SECONDS, padded, with_payload
from grade.lab4.native import Dice, Step, build, judge

Boot = Callable[..., Machine]
ENOEXEC = -8
EXIT_NORMAL, EXIT_FAULT = 1, 3
STATUS = 7  # of a probe that comes to its end
STORE_FAULT, JUMP_FAULT = 15, 12  # scause
BLOCK_END = 0x3FFFDF0000

ALONE = b"""# No name server, no terminal: one program is all there is.
shell alone
    run alone
"""


def run_alone(
    boot: Boot, laboratory: Laboratory, archive: Path, program: bytes, last: int
) -> str:
    """Boot with one program beside init, until it says that it has finished; the log."""
    init = laboratory.build / "boot/init"
    write_archive(archive, [("init", init), ("services.conf", ALONE), ("alone", program)])
    machine = boot(ready=False, archive=archive, disks=[], plain=False)
    ends = rf"^finished {last}\r*$|{UNWRITTEN}|^init: alone .*(?:error|died|exited)"
    machine.expect_log(ends, BOOT_SECONDS)
    text = machine.log.text()
    missing = re.search(UNWRITTEN, text)
    if missing:
        pytest.fail(missing[0], pytrace=False)
    if f"finished {last}" not in text:
        report = machine.report("the first program beside init did not come to its end", "it does")
        pytest.fail(str(report), pytrace=False)
    machine.wait_exit()
    return text


@dataclass
class Process:
    """What the log says about one process."""

    pid: int
    reason: int = 0
    value: int = 0
    address: int = 0
    told: dict[tuple[int, int], int] = field(default_factory=dict)


def read_log(text: str, images: list[Executable]) -> list[list[Process]]:
    """Per image its processes, in order."""
    found: list[list[Process]] = [[] for _ in images]
    pattern = (
        r"^(?:(spawned) (\d+) (-?\d+)|(ended) (\d+) (\d+) (-?\d+) ([0-9a-f]+)"
        r"|p ([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{16}))\r*$"
    )
    pending: dict[int, dict[tuple[int, int], int]] = {}
    for match in re.finditer(pattern, text, re.MULTILINE):
        if match[1]:
            found[int(match[2])].append(Process(int(match[3])))
        elif match[4]:
            processes = found[int(match[5])]
            if processes:
                last = processes[-1]
                last.reason, last.value = int(match[6]), int(match[7])
                last.address = int(match[8], 16)
                last.told = pending.pop(images[int(match[5])].nonce, {})
        else:
            told = pending.setdefault(int(match[9], 16), {})
            told[int(match[10], 16), int(match[11], 16)] = int(match[12], 16)
    return found


@dataclass
class Loader:
    """Boots with the loader, and judges what its processes tell."""

    boot: Boot
    laboratory: Laboratory
    folder: Path
    dice: Dice = field(default_factory=Dice.fresh)
    images: list[Executable] = field(default_factory=list)

    def add(self, kinds: str, runs: int = 2) -> Executable:
        self.images.append(random_executable(self.dice.random, kinds, runs))
        return self.images[-1]

    def run(self) -> list[list[Process]]:
        last = self.dice.random.getrandbits(60)
        parts = [pack_words([len(self.images)])]
        for image in self.images:
            first, data = image.segments[0], image.image()
            table = first.address + image.table
            code = first.offset + image.code
            parts.append(pack_words([len(data), image.runs, code, table, image.stack_size]))
            parts.append(padded(data))
        parts.append(pack_words([last]))
        program = self.laboratory.build / "grade/lab4/loader"
        program = with_payload(program, b"".join(parts))
        text = run_alone(self.boot, self.laboratory, self.folder / "archive", program, last)
        return read_log(text, self.images)

    def judge(self) -> None:
        __tracebackhide__ = True
        for image, processes in zip(self.images, self.run(), strict=True):
            problem = what_is_wrong(image, processes)
            if problem:
                text = f"a program with these segments:\n{image.told()}\n{problem}"
                pytest.fail(f"{text}\n{self.dice.again}", pytrace=False)


def what_is_wrong(image: Executable, processes: list[Process]) -> str:
    """The first thing that is not as it must be, or nothing."""
    if image.refused:
        seen = processes[0].pid if processes else 0
        return "" if seen == ENOEXEC else f"cannot be (ENOEXEC), and starting it gave {seen}"
    if len(processes) != image.runs:
        return f"was started {len(processes)} times, not {image.runs} times"
    expected = image.expected()
    for turn, process in enumerate(processes, start=1):
        where = f"(start {turn} of {image.runs})"
        if process.pid <= 0:
            return f"cannot be started: error {process.pid} {where}"
        ended = (process.reason, process.value)
        if (0, process.pid) not in process.told:
            return f"did not begin, and ended with reason {ended[0]}, value {ended[1]} {where}"
        for key, value in expected.items():
            if process.told.get(key) != value:
                seen = process.told.get(key)
                return describe(image, key, seen is None) + f" {where}"
        wanted = (EXIT_NORMAL, STATUS)
        if image.action:
            wanted = (EXIT_FAULT, STORE_FAULT if image.action == STORE else JUMP_FAULT)
        if ended != wanted:
            did = {NOTHING: "it ended", STORE: "it wrote to", JUMP: "it jumped to"}[image.action]
            return (
                f"{did} {image.action_address:#x}: expected (reason, value) {wanted}, "
                f"seen {ended} {where}"
            )
    return ""


def describe(image: Executable, key: tuple[int, int], silent: bool) -> str:
    kind, index = key
    if kind in (3, 4):
        what = "the stack is not all zero" if kind == 3 else "what is written to the stack is lost"
        return "it did not get through its stack" if silent else what
    segment = image.segments[1 + index]
    place = f"the segment at {segment.address:#x}"
    if silent:
        return f"it died when it looked at {place}"
    if kind == 1:
        return f"{place} has other bytes than the file says"
    if segment.writable:
        return f"{place} has other bytes than were written to it"
    return f"{place} has changed when the program wrote to its other segments"


@pytest.fixture
def loader(boot: Boot, laboratory: Laboratory, tmp_path: Path) -> Loader:
    return Loader(boot, laboratory, tmp_path)


# ---- 4.8 ----------------------------------------------------------------------------------------


@pytest.mark.exercise("4.8", points=5)
def test_segments_are_mapped(loader: Loader) -> None:
    """Each program is started twice: what the first one wrote, the second one must not see."""
    for kinds in ("r", "w", "rw", "zr", "rWwR", "RwzrWwr"):
        loader.add(kinds)
    loader.judge()


@pytest.mark.exercise("4.8", points=5)
def test_segments_are_protected(loader: Loader) -> None:
    """Constants and code cannot be written, data cannot be run, and no segment is where the stack
    is to be."""
    dice = loader.dice.random
    for action, target in ((STORE, 0), (STORE, 1), (STORE, 3), (JUMP, 2), (JUMP, 1)):
        image = loader.add("rwR", runs=1)
        segment = image.segments[target]
        image.action = action
        image.action_address = segment.address + 8 * dice.randrange(segment.memory_size // 8 or 1)
    for pages in (1, 2, 4):
        image = loader.add("w", runs=1)
        image.segments[1].address = BLOCK_END - pages * PAGE + image.segments[1].address % PAGE
        image.segments[1].memory_size = len(image.segments[1].data)
        image.refused = True
    loader.judge()


# ---- 4.9 ----------------------------------------------------------------------------------------

ENDPOINT = 16  # ids of the well-known endpoints: 17 to 20, for the places 1 to 4
IDS = (1, 2, 3, 4, 0x100, 0x101, 0x102, 0x1FF)
EINVAL, EMFILE, EBUSY = -22, -24, -16
SEND, RECV, MAP_R, MAP_W, DUP, TRANSFER = 1, 2, 8, 16, 64, 128
MEMORY, CHANNEL = 4, 2  # types of objects
GIVEN_MAX = 32


@pytest.mark.exercise("4.9", points=4)
def test_give_fills_the_entries(laboratory: Laboratory) -> None:
    """One entry after the other, on the host; a handle that cannot be granted leaves no trace."""
    dice = Dice.fresh()
    steps: list[Step] = []
    for _ in range(30):
        pick = dice.random
        some = (*IDS, *range(ENDPOINT, ENDPOINT + 7))
        ids = [pick.choice(some) for _ in range(pick.randint(0, 8))]
        process = pick.randint(1, 1 << 20)
        words_of_ids = " ".join(map(str, ids))
        told = f"(a new process {process} whose block wants handles with ids {words_of_ids})"
        steps.append(Step(f"new {process} {words_of_ids}", told, "0"))
        entries = [0] * len(ids)
        given = 0
        for _ in range(len(ids) + 3):
            handle, rights = pick.randint(1, 1 << 20), pick.randint(1, 0x3FF)
            number = pick.randint(5, 1 << 20)
            granted = pick.choice((number, number, EMFILE, EBUSY))
            expected = str(EINVAL)
            if given < len(ids):
                place = ids[given] - ENDPOINT
                place = place if 1 <= place <= 4 else 0
                expected = (
                    f"{min(granted, 0)} process {process} gets {handle} "
                    f"rights {rights:x} index {place}"
                )
                if granted > 0:
                    entries[given] = granted
                    given += 1
            expected += f"; entries{''.join(f' {entry}' for entry in entries)}; given {given}"
            told = f"creation_give(handle {handle}, rights {rights:#x}); granting gives {granted}"
            steps.append(Step(f"give {handle} {rights} {granted}", told, expected))
    # What creation_give does not call may be missing.
    rest = ("-no-pie", "-Wl,--unresolved-symbols=ignore-all")
    sources = ("grade/lab4/host/creation.c", "servers/init/spawn.c")
    judge(build(laboratory, "creation", sources, rest), steps, dice)


@dataclass(frozen=True)
class Gift:
    """A handle that a child is to get. secret: in a memory object; 0: it is a channel."""

    id: int
    rights: int
    secret: int


def random_gifts(dice: Dice, count: int) -> list[Gift]:
    pick = dice.random
    once = [1, *range(ENDPOINT + 1, ENDPOINT + 5), *range(0x100, 0x110)]  # a block has one of each
    pick.shuffle(once)
    gifts = []
    for _ in range(count):
        number = once.pop() if once and pick.random() < 0.6 else pick.choice((2, 3, 4))
        secret = pick.getrandbits(63) | 1 if pick.random() < 0.7 else 0
        more = MAP_W if secret else RECV
        rights = TRANSFER | (MAP_R if secret else SEND)
        rights |= pick.choice((0, more)) | pick.choice((0, DUP))
        gifts.append(Gift(number, rights, secret))
    return gifts


@pytest.mark.exercise("4.9", points=4)
def test_children_get_their_handles(boot: Boot, laboratory: Laboratory, tmp_path: Path) -> None:
    """Real children tell what they got: the objects in the order of the block, with the rights that
    their parent gave, and the endpoints where the kernel looks for them."""
    dice = Dice.fresh()
    cases = [random_gifts(dice, count) for count in (1, 0, 3, 4, 9, GIVEN_MAX)]
    last = dice.random.getrandbits(60)
    taker = (laboratory.build / "grade/lab4/taker").read_bytes()
    taker = taker[: end_of_segments(taker)]
    payload = pack_words([len(taker)]) + padded(taker) + pack_words([len(cases)])
    for gifts in cases:
        payload += pack_words([len(gifts)])
        payload += b"".join(pack_words([gift.id, gift.rights, gift.secret]) for gift in gifts)
    giver = with_payload(laboratory.build / "grade/lab4/giver", payload + pack_words([last]))
    text = run_alone(boot, laboratory, tmp_path / "archive", giver, last)
    for number, gifts in enumerate(cases):
        problem = what_was_not_given(text, number, gifts)
        if problem:
            pytest.fail(f"{problem}\n{dice.again}", pytrace=False)


def what_was_not_given(text: str, number: int, gifts: list[Gift]) -> str:
    started = re.search(rf"^case {number} pid (-?\d+)", text, re.MULTILINE)
    pid = int(started[1]) if started else 0
    wanted = f"a child that is given {len(gifts)} handles"
    if pid <= 0:
        return f"{wanted} cannot be started: error {pid}"
    for index, gift in enumerate(gifts):
        line = re.search(rf"^entry {pid} {index}: (.*?)\r*$", text, re.MULTILINE)
        place = gift.id - ENDPOINT if ENDPOINT < gift.id <= ENDPOINT + 4 else None
        expected = (
            f"id {gift.id} place {'N' if place is None else place} error 0 "
            f"type {MEMORY if gift.secret else CHANNEL} rights {gift.rights:x} "
            f"secret {gift.secret:x}"
        )
        seen = line[1] if line else "nothing"
        if place is None:
            seen = re.sub(r"place (?:[5-9]|\d{2,})\b", "place N", seen)
        if seen != expected:
            return f"{wanted}, entry {index}:\n  expected: {expected}\n  seen:     {seen}"
    return ""


def end_of_segments(elf: bytes) -> int:
    """Where the last byte lies that is loaded; symbols and debug information come behind."""
    start, size, count = (*struct.unpack_from("<Q", elf, 32), *struct.unpack_from("<2H", elf, 54))
    ends = []
    for index in range(count):
        kind, _, offset, _, _, length = struct.unpack_from("<2I4Q", elf, start + index * size)
        ends.append(offset + length if kind == 1 else 0)
    return max(ends)
