"""Commands with bounds: nothing of them is left, whatever they do."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grade.overlay.supervise import HEAD, Bounds, supervised

ROOT = Path(__file__).parents[3]
QUICK = Bounds(60)


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def running(mark: str) -> list[int]:
    """Processes with a word in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and mark.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return [process for process in found if process != os.getpid()]


def test_status_output_input_folder(tmp_path: Path) -> None:
    ran = supervised(["sh", "-c", "pwd; cat; exit 3"], tmp_path, QUICK, given=b"input")
    assert (ran.status, ran.output, ran.reason) == (3, f"{tmp_path}\ninput", "")
    assert supervised(["sh", "-c", "kill -9 $$"], tmp_path, QUICK).status == 137
    ran = supervised(["no-such-program"], tmp_path, QUICK)
    assert ran.status == 127 and "no-such-program" in ran.output


def test_what_loops_forever_is_ended(tmp_path: Path) -> None:
    ran = supervised(["sh", "-c", "echo before; while :; do :; done"], tmp_path, Bounds(0.5))
    assert (ran.status, ran.output) == (None, "before\n")
    assert ran.reason == "it ran for more than 0.5 seconds"


def test_what_floods_is_ended_and_both_ends_are_kept(tmp_path: Path) -> None:
    ran = supervised(["sh", "-c", "echo first; yes"], tmp_path, Bounds(60, output=4 << 20))
    assert ran.status is None and ran.reason == "it wrote more than 4194304 bytes"
    assert ran.output.startswith("first\n") and "bytes left out" in ran.output
    ran = supervised(python("print('a' * 2000000 + 'end')"), tmp_path, QUICK)
    assert ran.status == 0 and ran.output.endswith("end\n") and len(ran.output) < 4 * HEAD


@pytest.mark.parametrize("limit", [60.0, 1.0], ids=["command ends", "time is up"])
def test_processes_left_behind_are_ended(tmp_path: Path, limit: float) -> None:
    """Also those that have left the session and whose parents are gone."""
    mark = secrets.token_hex(8)
    daemon = f"import time; mark='{mark}'; print('up', flush=True); time.sleep(600)"
    text = f"""
import os, subprocess, sys, time
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        subprocess.Popen([sys.executable, "-c", {daemon!r}], stdout=write)
    os._exit(0)
os.read(read, 2)
if {limit} < 2: time.sleep(600)
"""
    ran = supervised(python(text), tmp_path, Bounds(limit))
    assert (ran.status is None) == (limit < 2) and ran.seconds < 30
    assert running(mark) == []


def test_nothing_is_left_when_we_are_killed(tmp_path: Path) -> None:
    mark = secrets.token_hex(8)
    text = (
        "from pathlib import Path; from grade.overlay.supervise import *\n"
        f"supervised(['sh', '-c', ': {mark}; touch up; sleep 600; :'], Path({str(tmp_path)!r}),"
        "Bounds(600))"
    )
    ours = subprocess.Popen([sys.executable, "-c", text], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not (tmp_path / "up").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(running(mark)) >= 2
    ours.send_signal(signal.SIGKILL)
    ours.wait()
    while running(mark) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running(mark) == []


def test_memory_and_files_are_bounded(tmp_path: Path) -> None:
    bounds = Bounds(60, memory=256 << 20, file_size=1 << 20)
    ran = supervised(python("x = bytearray(1 << 30)"), tmp_path, bounds)
    assert ran.status == 1 and "MemoryError" in ran.output
    ran = supervised(python("open('f', 'wb').write(bytes(1 << 22))"), tmp_path, bounds)
    assert ran.status == 1 and "File too large" in ran.output
    assert (tmp_path / "f").stat().st_size <= 1 << 20
