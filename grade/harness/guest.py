"""Tests that run inside the guest: functions of the kernel, and programs without a C library.

The host makes a random workload, the guest works through it and prints what it finds on the
kernel's log, and the host judges. The run counts only up to its end: the line `END token`, whose
token is new each time and reaches the guest on the kernel's command line. Where the guest prints
PAUSE, it waits: its memory can be looked at until resume().
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import secrets
import struct
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from grade.harness.failure import HarnessError
from grade.harness.machine import Machine

ROOT = Path(__file__).resolve().parents[2]
RUN_SECONDS = 20.0


class GuestRun:
    """One machine that runs one test."""

    def __init__(self, machine: Machine, name: str, token: str) -> None:
        self.machine = machine
        self.name = name
        self._token = token
        self._start = 0

    def pause(self, timeout: float = RUN_SECONDS) -> list[str]:
        """Wait until the test pauses; its lines since the last pause."""
        return self._lines_until("PAUSE", timeout)

    def resume(self) -> None:
        self.machine.log.send(b"\n")

    def finish(self, timeout: float = RUN_SECONDS) -> list[str]:
        """Wait for the end of the test; its lines since the last pause."""
        return self._lines_until(f"END {self._token}", timeout)

    def _lines_until(self, last: str, timeout: float) -> list[str]:
        if not self._start:
            self._start = self.machine.expect_log(rf"^TEST {self.name}\r?\n", timeout).end()
        end = self.machine.expect_log(rf"^{last}\r?\n", timeout)
        text = bytes(self.machine.log.data[self._start : end.start()]).decode(errors="replace")
        self._start = end.end()
        return [line for line in text.replace("\r", "").split("\n") if line]


def new_token() -> str:
    return secrets.token_hex(8)


def pack_words(words: Iterable[int]) -> bytes:
    """A workload: 64-bit words, as the guest reads them."""
    return b"".join(struct.pack("<Q", word & (2**64 - 1)) for word in words)


def write_archive(path: Path, members: Iterable[tuple[str, bytes | Path]]) -> Path:
    """A boot archive with these files, by the script that makes the system's own. A Path stands
    for a program that was built."""
    script = str(ROOT / "scripts/make-archive")
    loader = importlib.machinery.SourceFileLoader("make_archive", script)
    spec = importlib.util.spec_from_loader("make_archive", loader)
    assert spec is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    files = [(name, data if isinstance(data, bytes) else built(data)) for name, data in members]
    path.write_bytes(module.pack(files))
    return path


def built(program: Path) -> bytes:
    if not program.exists():
        raise HarnessError(f"{program} is not built; run make")
    return program.read_bytes()
