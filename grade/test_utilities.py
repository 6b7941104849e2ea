"""The utilities inside the system: what cannot be seen on the host, in test_host_utilities.py."""

from __future__ import annotations

import re

from grade.harness.console import Console

BUSY = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done"


def times(shell: Console, command: str) -> dict[str, float]:
    """What `time -p` says about a command that prints nothing."""
    lines = shell.check(f"time -p {command} 2>&1").splitlines()
    found = [re.fullmatch(r"(real|user|sys) (\d+\.\d\d)", line) for line in lines]
    assert all(found), lines
    return {match[1]: float(match[2]) for match in found if match}


def test_time_covers_the_command_and_its_children(shell: Console) -> None:
    for command in (f"sh -c '{BUSY}'", f"sh -c \"sh -c '{BUSY}'; true\"".replace("$", "\\$")):
        seen = times(shell, command)
        assert list(seen) == ["real", "user", "sys"], seen
        assert seen["user"] > seen["real"] / 2, f"{command} did nothing but compute: {seen}"
    seen = times(shell, "sleep 0.5")
    assert seen["user"] < seen["real"] / 2, f"sleeping is not computing: {seen}"
