"""Builds the student's ext2 core for the host, under the address and undefined-behaviour
sanitizers, with a driver (core.c) that runs commands on it; and runs them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from grade.harness.child import end_child, start_child
from grade.harness.disk import copy_image
from grade.harness.failure import HarnessError
from grade.harness.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
EXERCISE = "user/libcairn/include/cairn/exercise.h"
FLAGS = (
    "-std=gnu11 -g -O1 -D_GNU_SOURCE -DEXT2_FRAME_GAP=64 -fno-omit-frame-pointer "
    "-fsanitize=address,undefined -fno-sanitize-recover=all -Wno-everything "
    f"-Ikernel -Iservers -include {EXERCISE}"
).split()
RUN_SECONDS = 10.0
STUB_STATUS = 64
OUTPUT_BYTES = 96 << 20  # of any file that the driver writes
SHOWN_LINES = 12


def fail(text: str) -> NoReturn:
    """End the test with a message for the student, without Python's traceback."""
    pytest.fail(text, pytrace=False)


# ---- Building --------------------------------------------------------------------------------


def sources(root: Path = ROOT) -> list[Path]:
    return [*sorted((root / "servers/fsd/ext2").glob("*.c")), root / "grade/lab6/core.c"]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One of the tests' processes at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run_compiler(words: list[str]) -> str:
    """What the compiler complains about; nothing if it is content."""
    try:
        ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        raise HarnessError(f"{words[0]}: {error.strerror}; run scripts/setup") from None
    return ran.stderr if ran.returncode else ""


def build_core(folder: Path) -> Path:
    """The driver, newly built where something has changed since the last time."""
    compiler = os.environ.get("HOSTCC", "clang").split()
    headers = [*ROOT.glob("servers/fsd/ext2/*.h"), *ROOT.glob("kernel/abi/*.h"), ROOT / EXERCISE]
    common = hashlib.sha256(" ".join([*compiler, *FLAGS]).encode())
    for header in sorted(headers):
        common.update(header.read_bytes())
    folder = folder / "host"
    with locked(folder / "lock"):
        objects: dict[Path, Path] = {}
        for source in sources():
            key = hashlib.sha256(common.digest() + str(source).encode() + source.read_bytes())
            objects[source] = folder / f"{source.stem}-{key.hexdigest()[:20]}.o"
        missing = [source for source, target in objects.items() if not target.exists()]

        def compile_one(source: Path) -> str:
            target = objects[source]
            partial = target.with_suffix(".partial")
            words = [*compiler, *FLAGS, "-c", str(source.relative_to(ROOT)), "-o", str(partial)]
            errors = run_compiler(words)
            if not errors:
                partial.rename(target)
            return errors

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            errors = "".join(pool.map(compile_one, missing))
        program = folder / "core"
        if not errors and (missing or not program.exists() or stale(folder, objects)):
            words = [*compiler, *FLAGS[:7], *map(str, objects.values()), "-o", str(program)]
            program.unlink(missing_ok=True)
            errors = run_compiler(words)
            (folder / "linked").write_text("\n".join(map(str, objects.values())))
    if errors:
        lines = errors.strip().split("\n")
        fail("your ext2 core does not compile for the host:\n" + "\n".join(lines[:SHOWN_LINES]))
    return program


def stale(folder: Path, objects: dict[Path, Path]) -> bool:
    linked = folder / "linked"
    return not linked.exists() or linked.read_text() != "\n".join(map(str, objects.values()))


# ---- Running ---------------------------------------------------------------------------------


@dataclass
class Script:
    """Commands for the driver, and the bytes that they write."""

    commands: list[bytes] = field(default_factory=list)
    data: bytearray = field(default_factory=bytearray)

    def add(self, *words: object) -> int:
        """One command; its index."""
        line = b" ".join(w if isinstance(w, bytes) else str(w).encode() for w in words)
        self.commands.append(line)
        return len(self.commands) - 1

    def write(self, file: object, offset: int, data: bytes) -> int:
        start = len(self.data)
        self.data += data
        return self.add("write", file, offset, len(data), start)


@dataclass(frozen=True)
class Reply:
    """What came of one command."""

    number: int  # of the command, from 1
    command: str
    result: int
    buffers: int  # blocks still pinned after it
    states: int  # inodes still got after it
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")

    @property
    def words(self) -> list[int]:
        return [int(word) for word in self.text.split()]

    def __str__(self) -> str:
        shown = self.command if len(self.command) <= 120 else self.command[:120] + "..."
        return f"command {self.number}, `{shown}`"


def parse_replies(raw: bytes, commands: list[bytes]) -> tuple[list[Reply], bool]:
    """All whole replies, and whether the driver came to its end."""
    replies: list[Reply] = []
    at = 0
    while True:
        end = raw.find(b"\n", at)
        words = raw[at:end].split() if end >= 0 else []
        if words == [b"end"]:
            return replies, len(replies) == len(commands)
        if len(words) != 4 or len(replies) >= len(commands):
            return replies, False
        result, buffers, states, length = map(int, words)
        data = raw[end + 1 : end + 1 + length]
        if len(data) < length:
            return replies, False
        command = commands[len(replies)].decode(errors="replace")
        replies.append(Reply(len(replies) + 1, command, result, buffers, states, data))
        at = end + 1 + length


def crash_lines(output: str) -> list[str]:
    """The part of a sanitizer's report that a student wants to see."""
    kept: list[str] = []
    for line in output.split("\n"):
        frame = line.lstrip().startswith("#") and "servers/fsd" in line
        if "runtime error:" in line or "ERROR: AddressSanitizer" in line or frame:
            kept.append(line.strip().replace(f"{ROOT}/", ""))
        if len(kept) > SHOWN_LINES:
            break
    return kept or [line for line in output.strip().split("\n")[-SHOWN_LINES:] if line]


@dataclass
class Core:
    """Runs scripts, each in a folder of its own, which is kept when the test fails."""

    program: Path
    limits: Limits
    folder: Path
    keep: Path
    seed: str
    runs: int = 0
    last: Path | None = None

    def fail(self, text: str) -> NoReturn:
        """Keep the last run as it was before it began, and say how to repeat it."""
        again = ""
        if self.last is not None:
            shutil.rmtree(self.keep, ignore_errors=True)
            self.keep.mkdir(parents=True)
            shutil.copyfile(self.last / "before.img", self.keep / "disk.img")
            for name in ("commands", "data", "before.img"):
                shutil.copyfile(self.last / name, self.keep / name)
            again = (
                f"\nto repeat it (under gdb, if you like): {shown(self.program)} "
                f"{shown(self.keep)}; the image before it: before.img there, the commands: "
                "commands"
            )
        fail(f"{text}\nseed {self.seed} (CAIRN_SEED={self.seed} repeats the test){again}")

    def run(self, image: Path, script: Script) -> list[Reply]:
        """Run commands on a copy of an image; it is in self.image afterwards."""
        self.runs += 1
        self.last = self.folder / f"run{self.runs}"
        self.last.mkdir(parents=True)
        for name in ("before.img", "disk.img"):
            copy_image(image, self.last / name)
        (self.last / "commands").write_bytes(b"".join(c + b"\n" for c in script.commands))
        (self.last / "data").write_bytes(script.data)
        (self.last / "replies").touch()
        status = self._start()
        raw = (self.last / "replies").read_bytes()
        replies, complete = parse_replies(raw, script.commands)
        self._judge(status, replies, complete, script)
        return replies

    @property
    def image(self) -> Path:
        assert self.last is not None
        return self.last / "disk.img"

    def _start(self) -> int | None:
        assert self.last is not None
        with (self.last / "output").open("wb") as output:
            child = start_child(
                [str(self.program), str(self.last)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
            )
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (OUTPUT_BYTES, OUTPUT_BYTES))
            try:
                return child.wait(self.limits.seconds(RUN_SECONDS))
            except subprocess.TimeoutExpired:
                return None
            finally:
                end_child(child)

    def _judge(
        self, status: int | None, replies: list[Reply], complete: bool, script: Script
    ) -> None:
        assert self.last is not None
        with (self.last / "output").open("rb") as file:
            output = file.read(1 << 20).decode(errors="replace")
        current = len(replies)
        at = "behind the last command"
        if current < len(script.commands):
            command = script.commands[current].decode(errors="replace")
            at = f"in command {current + 1}, `{command[:120]}`"
        if status == STUB_STATUS:
            fail(next((x for x in output.split("\n") if "is yours to write" in x), output[:200]))
        if status is None:
            self.fail(f"the ext2 core did not come back {at}: it loops, or takes far too long")
        if status != 0:
            lines = "\n".join(f"    {line}" for line in crash_lines(output))
            self.fail(f"the ext2 core crashed {at} (status {status}):\n{lines}")
        if not complete:
            self.fail(f"the program with the ext2 core ended early, {at}")
        for reply in replies:
            if reply.buffers or reply.states:
                self.fail(
                    f"after {reply} (result {reply.result}): "
                    f"{reply.buffers} blocks are still pinned and {reply.states} inodes not put "
                    "back\nexpected: what an operation pins it releases, also when it fails "
                    "(and nothing twice)"
                )


def shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
