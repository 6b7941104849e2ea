"""Builds the student's ext2 core for the host, under the address and undefined-behaviour
sanitizers, with a driver (core.c) that runs commands on it; and runs them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from grade.harness.disk import copy_image
from grade.harness.host import End, HostProgram, build_host_program
from grade.harness.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
FILE_BYTES_MAX = 96 << 20  # the disk's image among them


def fail(text: str) -> NoReturn:
    """End the test with a message for the student, without Python's traceback."""
    pytest.fail(text, pytrace=False)


def build_core(build: Path, limits: Limits) -> HostProgram:
    folder = ROOT / "servers/fsd/ext2"
    core = sorted(
        str(path.relative_to(ROOT)) for path in folder.rglob("*.c") if "test" not in path.parts
    )
    sources = (*core, "grade/lab6/core.c", "grade/lab6/record.c")
    return build_host_program(ROOT, build, "lab6-core", sources, ("-DEXT2_FRAME_GAP=64",), limits)


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


@dataclass
class Core:
    """Runs scripts, each in a folder of its own, which is kept when the test fails."""

    program: HostProgram
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
                f"\nto repeat it (under gdb, if you like): {shown(self.program.path)} "
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
        end = self.program.execute(str(self.last), bytes_max=FILE_BYTES_MAX)
        raw = (self.last / "replies").read_bytes()
        replies, complete = parse_replies(raw, script.commands)
        self._judge(end, replies, complete, script)
        return replies

    @property
    def image(self) -> Path:
        assert self.last is not None
        return self.last / "disk.img"

    def _judge(self, end: End, replies: list[Reply], complete: bool, script: Script) -> None:
        current = len(replies)
        at = "behind the last command"
        if current < len(script.commands):
            command = script.commands[current].decode(errors="replace")
            at = f"in command {current + 1}, `{command[:120]}`"
        if end.unwritten:
            fail(end.unwritten)
        if end.status is None:
            self.fail(f"the ext2 core did not come back {at}: it loops, or takes far too long")
        if end.problem:
            lines = "\n".join(f"    {line}" for line in [end.problem, *end.details])
            self.fail(f"the ext2 core crashed {at}:\n{lines}")
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
