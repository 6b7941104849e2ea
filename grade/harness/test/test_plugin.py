"""The pytest side: how failures look to whoever is graded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FAILING = """
from grade.harness.failure import GuestPanic

def test_one():
    def inside():
        raise GuestPanic("the kernel panicked\\nexpected: a prompt")
    inside()
"""


def test_failure_of_the_guest_shows_no_python(tmp_path: Path) -> None:
    test = tmp_path / "test_failing.py"
    test.write_text(FAILING)
    words = ["-m", "pytest", "-p", "grade.harness.plugin", "-q", f"--rootdir={tmp_path}", str(test)]
    answer = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "the kernel panicked\nexpected: a prompt\n" in answer.stdout
    assert "raise GuestPanic" not in answer.stdout
