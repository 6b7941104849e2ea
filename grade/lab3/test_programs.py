"""Lab 3 as a whole: programs in separate address spaces, with data that the host has made."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from errno import ESTALE

import pytest

from grade.harness.guest import GuestRun, pack_words

IN_WINDOW, IN_OBJECT = 1, 2
EXIT_NORMAL = 1
DATA_SIZE = 100_000
SECONDS = 20.0
WORD = 2**64

Program = Callable[..., GuestRun]


def fnv(value: int, data: bytes) -> int:
    """hash() of programs/hashes.c."""
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % WORD
    return value


def numbers(lines: list[str], name: str) -> list[tuple[int, ...]]:
    """What follows this name on the lines that begin with it."""
    found = [line[len(name) :] for line in lines if line.startswith(name + " ")]
    return [tuple(int(n, 0) for n in re.findall(r"-?(?:0x[0-9a-f]+|\d+)", line)) for line in found]


def more(left: Counter[tuple[int, ...]], right: Counter[tuple[int, ...]]) -> str:
    return ", ".join(" ".join(f"{n:#x}" for n in item) for item in left - right) or "none"


@pytest.mark.exercise("3.9")
@pytest.mark.parametrize("smp", [1, 4])
def test_programs(bare_program: Program, chance_seed: int, smp: int) -> None:
    """Clients have their data hashed; the server is killed while it holds calls, and replaced."""
    chance = random.Random(chance_seed)
    data = chance.randbytes(DATA_SIZE)
    hold = chance.randrange(2, 5)
    badges = [chance.getrandbits(63) + 1 for _ in range(chance.randrange(6, 11))]
    words: list[int] = []
    expected: Counter[tuple[int, ...]] = Counter()
    total = 0
    for badge in badges:
        count = chance.randrange(4, 10)
        total += count
        words += [badge, count]
        for _ in range(count):
            size = chance.choice([1, 8, 999, 1000, 1001, 4096, 6000])
            place, start = chance.randrange(DATA_SIZE - size), chance.getrandbits(64)
            words += [chance.choice([IN_WINDOW, IN_OBJECT]), place, size, start]
            expected[start, fnv(start, data[place : place + size]), 0, badge] += 1
    stop_after = chance.randrange(hold + 1, total // 2)
    files = {"workload": pack_words([hold, stop_after, len(badges), *words]), "data": data}
    lines = bare_program("lab3/hashes", files, smp=smp).finish()

    def check(good: bool, what: str) -> None:
        story = (
            f"{len(badges)} clients on {smp} hart(s) make {total} calls; the server answers "
            f"{hold} at a time, last come first, and is killed when it has received {stop_after}"
        )
        again = f"CAIRN_SEED={chance_seed} repeats the test; BUILD/grade has the log"
        assert good, f"{story}:\n{what}\n({again})"

    ended = numbers(lines, "client ended:") + numbers(lines, "server ended:")
    good = [(EXIT_NORMAL, 0)] * (len(badges) + 1)
    check(ended == good, f"all end with (reason, status) = {good[0]}; seen, server last: {ended}")
    seen = Counter(numbers(lines, "hash"))
    check(
        seen == expected,
        "start value, hash, error, badge of an answer:\n"
        f"  expected, and not seen: {more(expected, seen)}\n"
        f"  seen, and not expected: {more(seen, expected)}",
    )
    [(received, left, resent, _)] = numbers(lines, "first")
    check(
        (received, resent) == (stop_after, 0),
        f"the first server received {received} calls, {resent} of them marked as sent again",
    )
    [(received, _, resent, stale)] = numbers(lines, "second")
    check(
        received == total - stop_after + left,
        f"{left} calls were received and not answered, so the second server must receive "
        f"{total - stop_after + left}; it received {received}",
    )
    check(resent == left, f"{left} calls were sent again, and {resent} marked so")
    check(stale == -ESTALE, f"the second server answers with the first one's token: {stale}")
    closed = sorted(badge for (badge,) in numbers(lines, "closed"))
    check(
        closed == sorted(badges),
        f"sessions of clients that have ended: {sorted(badges)}; servers heard of {closed}",
    )


# ---- The first process of this lab's tree ---------------------------------------------------


def test_first_process_shows_what_the_lab_is_about(bare_program: Program) -> None:
    """Two clients, and a server that another one takes over from."""
    run = bare_program("../first/lab3/init")
    status = run.machine.wait_exit(SECONDS)
    log = run.machine.log.text()
    assert status == 0, log
    for client in 1, 2:
        last = f'client {client}: "good bye", and server 2 made it "GOOD BYE"'
        assert last in log, log
    assert "the last server with status 0" in log, log
