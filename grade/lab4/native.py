"""Builds the host programs of this lab's tests around files under test, and runs workloads."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import resource
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from grade.harness.child import death_signal
from grade.harness.failure import HarnessError
from grade.harness.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
RUN_SECONDS = 5.0
OUTPUT_BYTES_MAX = 16 << 20
SHOWN_COMMANDS = 14
SEED_VARIABLE = "CAIRN_SEED"
UNWRITTEN = "is yours to write"

FLAGS = (
    "-std=gnu11 -g -O1 -D_GNU_SOURCE -w -fsanitize=address,undefined -fno-sanitize-recover=all "
    "-fno-omit-frame-pointer -Ikernel -Iservers -Iuser/libcairn/include -Iuser/libcairn/test/host "
    "-Iuser/libfsclient/include -include user/libcairn/include/cairn/exercise.h"
).split()
HEADERS = ("kernel/abi", "kernel/lib", "servers", "user/libcairn")


@dataclass
class Dice:
    """Random numbers that can be had again."""

    seed: str
    random: Random

    @classmethod
    def fresh(cls) -> Dice:
        seed = os.environ.get(SEED_VARIABLE) or secrets.token_hex(4)
        return cls(seed, Random(seed))

    @property
    def again(self) -> str:
        return f"the same once more: {SEED_VARIABLE}={self.seed} make grade LAB=4"


def fingerprint(sources: Sequence[str], flags: Sequence[str]) -> str:
    """Of everything that the program is made from."""
    files = [ROOT / source for source in sources]
    files += [path for folder in HEADERS for path in sorted((ROOT / folder).rglob("*.h"))]
    digest = hashlib.sha256(" ".join(flags).encode())
    for path in files:
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def build(build_folder: Path, name: str, sources: Sequence[str], extra: Sequence[str] = ()) -> Path:
    """The program `name`, made from files of the tree; made once for one state of them."""
    folder = build_folder / "grade/lab4/host"
    folder.mkdir(parents=True, exist_ok=True)
    flags = [*FLAGS, *extra]
    program = folder / f"{name}-{fingerprint(sources, flags)}"
    with open(folder / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program.exists():
            return program
        for old in folder.glob(f"{name}-*"):
            old.unlink()
        compiler = os.environ.get("HOSTCC", "clang")
        try:
            answer = subprocess.run(
                [compiler, *flags, *sources, "-o", f"{program}.new"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise HarnessError(f"cannot run {compiler}: {error}") from None
        if answer.returncode:
            pytest.fail(f"does not compile for the host:\n{answer.stderr.strip()}", pytrace=False)
        os.replace(f"{program}.new", program)
    return program


def shown(text: bytes) -> str:
    """A text as in C, shortened."""
    quoted = repr(text)[2:-1].replace('"', '\\"')
    return f'"{quoted}"' if len(quoted) <= 60 else f'"{quoted[:40]}..." ({len(text)} bytes)'


def readable(result: str) -> str:
    """A result with its texts decoded and its errors named."""
    decoded = re.sub(r"=([0-9a-f]*)", lambda m: shown(bytes.fromhex(m[1])), result)
    return re.sub(
        r"(?<!\S)-(\d+)(?!\S)",
        lambda m: f"-{errno.errorcode.get(int(m[1]), m[1])}",
        decoded,
    )


@dataclass(frozen=True)
class Step:
    """One command, how to tell it to a reader, and what must come of it."""

    command: str
    told: str
    expected: str

    @property
    def begins_case(self) -> bool:
        return self.command == "reset"


@dataclass(frozen=True)
class Outcome:
    """What a program did with a workload."""

    results: list[str]
    ending: str  # "" when it ended as it should
    output: str


def limit_output() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_BYTES_MAX, OUTPUT_BYTES_MAX))
    leash = death_signal()
    if leash is not None:
        leash()


def run(program: Path, workload: str, limits: Limits) -> Outcome:
    """Run it; results that were written before it died or hung are kept."""
    with tempfile.TemporaryDirectory(prefix="cairn-native-") as name:
        folder = Path(name)
        (folder / "workload").write_text(workload)
        seconds = limits.seconds(RUN_SECONDS)
        with open(folder / "workload", "rb") as work, open(folder / "output", "wb") as output:
            child = subprocess.Popen(
                [str(program), str(folder / "results")],
                stdin=work,
                stdout=output,
                stderr=output,
                preexec_fn=limit_output,  # noqa: PLW1509
            )
            try:
                status: int | None = child.wait(seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                status = None
        text = (folder / "output").read_bytes()[-100_000:].decode(errors="replace")
        path = folder / "results"
        data = path.read_bytes()[:OUTPUT_BYTES_MAX] if path.exists() else b""
    complete, _, _ = data.decode(errors="replace").rpartition("\n")
    results = complete.split("\n") if complete else []
    return Outcome(results, how_it_ended(status, seconds, text), text)


def how_it_ended(status: int | None, seconds: float, text: str) -> str:
    if status is None:
        return f"it does not come back (after {seconds:g} s)"
    if status == -signal.SIGXFSZ:
        return "it floods its output"
    for line in text.split("\n"):
        if UNWRITTEN in line:
            return line
        if "ERROR: AddressSanitizer" in line or "runtime error:" in line:
            return line.strip()
    if status < 0:
        return f"it died of {signal.Signals(-status).name}"
    return "" if status == 0 else f"it ended with status {status}"


def story(steps: Sequence[Step], results: Sequence[str], at: int) -> str:
    """What led to step `at`: its case from the beginning, or the last part of it."""
    start = at
    while start > 0 and not steps[start].begins_case:
        start -= 1
    first = max(start, at - SHOWN_COMMANDS)
    lines = [f"    {steps[i].told}  ->  {readable(results[i])}" for i in range(first, at)]
    return "\n".join(([f"    ... ({first - start} before)"] if first > start else []) + lines)


def judge(program: Path, steps: Sequence[Step], limits: Limits, dice: Dice) -> None:
    """Every step must come out as expected; a reader gets the story, not our own source."""
    __tracebackhide__ = True
    outcome = run(program, "".join(f"{step.command}\n" for step in steps), limits)
    problem = first_wrong(steps, outcome, dice)
    if not problem and outcome.ending:
        problem = f"all is right, but then: {outcome.ending}\n{dice.again}"
    if problem:
        pytest.fail(problem, pytrace=False)


def first_wrong(steps: Sequence[Step], outcome: Outcome, dice: Dice) -> str:
    """The first step that did not come out as expected, and what led to it; or nothing."""
    for at, step in enumerate(steps):
        seen = outcome.results[at] if at < len(outcome.results) else None
        if seen == step.expected:
            continue
        if seen is None:
            ending = outcome.ending or "it ended early, with status 0"
            if UNWRITTEN in ending:
                return ending
        tail = outcome.output.strip().split("\n")[:12] if seen is None else []
        parts = [
            f"after this:\n{story(steps, outcome.results, at)}" if at else "",
            f"{step.told}\n  expected: {readable(step.expected)}",
            f"  seen:     {readable(seen) if seen is not None else ending}",
            *(f"    {line}" for line in tail),
            dice.again,
        ]
        return "\n".join(part for part in parts if part)
    return ""
