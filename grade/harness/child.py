"""Child processes that cannot outlive us, however we end."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

PR_SET_PDEATHSIG = 1


def death_signal() -> Callable[[], None] | None:
    """What a child must run before exec so that the kernel kills it when its parent dies: the
    only thing that also works when the parent is killed with SIGKILL."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def set_death_signal() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return set_death_signal


def start_child(arguments: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Popen with a leash. Call it from a thread that lives on: the leash is that thread's life."""
    return subprocess.Popen(list(arguments), preexec_fn=death_signal(), **options)  # noqa: PLW1509


def end_child(child: subprocess.Popen[bytes]) -> int:
    """Kill the child if it still runs; its exit status."""
    if child.poll() is None:
        child.kill()
    return child.wait()
