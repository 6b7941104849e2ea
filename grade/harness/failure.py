"""How a conversation with the guest can fail, and the report that a student reads then."""

from __future__ import annotations

import re
from dataclasses import dataclass

LOG_LINES = 40
CONSOLE_LINES = 20
UNWRITTEN = r"exercise \d+\.\d+ is yours to write: \w+"  # what a stub ends with
UNWRITTEN_LOGGED = re.compile(UNWRITTEN.encode())
PANIC = re.compile(rb"^PANIC", re.MULTILINE)
FIRMWARE = re.compile(r"\A.*\nBoot HART MEDELEG[^\n]*\n+(?=\S)", re.DOTALL)


class HarnessError(Exception):
    """The infrastructure is at fault (no QEMU, no disk image), not the system under test."""


class GuestFailure(AssertionError):
    """The system under test did not do what was expected of it."""


class GuestPanic(GuestFailure):
    """The kernel panicked."""


class GuestDied(GuestFailure):
    """The machine stopped while something was expected of it."""


class GuestTimeout(GuestFailure):
    """The time is up: a failure, never a pass."""


class GuestFlood(GuestFailure):
    """The guest wrote more than any test expects."""


def tail(text: str, lines: int) -> str:
    """The last lines, indented, with a note of how many are left out."""
    every = text.replace("\r\n", "\n").rstrip().split("\n")
    kept = every[-lines:]
    note = [f"    ... ({len(every) - len(kept)} lines before)"] if len(every) > len(kept) else []
    return "\n".join([*note, *(f"    {line}" for line in kept)])


@dataclass(frozen=True)
class Report:
    """Everything that a failure shows."""

    what: str
    expected: str
    log: str
    console: str
    reproduce: str
    where: str = ""

    def __str__(self) -> str:
        parts = [self.what, f"expected: {self.expected}"]
        if self.console.strip():
            parts.append(f"last lines of the console:\n{tail(self.console, CONSOLE_LINES)}")
        log = FIRMWARE.sub("", self.log.replace("\r\n", "\n"))
        parts.append(
            f"last lines of the kernel log:\n{tail(log, LOG_LINES)}"
            if log.strip()
            else "the kernel log is empty"
        )
        if self.where:
            parts.append(f"where the harts are:\n{tail(self.where, LOG_LINES)}")
        parts.append(f"to look at it under gdb:\n    {self.reproduce}")
        return "\n".join(parts)
