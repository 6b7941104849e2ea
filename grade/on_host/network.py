"""The network programs on the host, over its loopback.

The same sources run on Cairn; here they meet Linux's sockets, Python's servers, and, where they are
installed, curl and GNU wget. Only loopback addresses are used, and ports that the system chose.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIMIT = 60.0
LOCAL = "127.0.0.1"
ENVIRONMENT = {**os.environ, "LC_ALL": "C", "TZ": "UTC", "ASAN_OPTIONS": "detect_leaks=0"}


def run(
    programs: Path, *words: str, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs one of our programs. A sanitizer's report fails the test."""
    answer = subprocess.run(
        [programs / words[0], *words[1:]], input=stdin, capture_output=True, timeout=LIMIT,
        check=False, cwd=cwd, env=ENVIRONMENT,
    )  # fmt: skip
    assert b"Sanitizer" not in answer.stderr and b"runtime error" not in answer.stderr, (
        answer.stderr.decode(errors="replace")[:3000]
    )
    return answer


@contextmanager
def running(programs: Path, *words: str, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A program that serves; it must still be there, and be clean, at the end."""
    with subprocess.Popen(
        [programs / words[0], *words[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=ENVIRONMENT, **options,
    ) as process:  # fmt: skip
        try:
            yield process
            assert process.poll() in (None, 0)
        finally:
            process.kill()
            _, complaint = process.communicate()
    assert b"Sanitizer" not in complaint and b"runtime error" not in complaint, complaint.decode()


def served_port(process: subprocess.Popen[bytes]) -> int:
    """Out of a line "... 127.0.0.1:PORT" on standard output."""
    assert process.stdout is not None
    return int(process.stdout.readline().rsplit(b":", 1)[1])


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind((LOCAL, 0))
        return one.getsockname()[1]
