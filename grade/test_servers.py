"""Servers that are killed: each comes back, and whoever did not use it notices nothing."""

from __future__ import annotations

import os
import re

import pytest

from grade.harness.console import Console
from grade.harness.machine import Machine

ATTEMPTS = 100

# Under what the servers can be found; the prompt waits for the first of these only.
NAMES = ("fs:root:", "fs:temp:", "block:virtio", "console:", "pipe:", "null:", "random:")

# What each server does for others, as a command that needs it.
SERVICES = {
    "randd": "head -c 8 random: | wc -c",
    "piped": "echo through | cat",
    "blkd": "head -c 512 block:virtio:0 | wc -c",
    "fsd-root": "cat /etc/motd",
    "fsd-temp": "echo temporary > fs:temp:file && cat fs:temp:file",
    "netd": "head -1 net:status",
    "nsd": "cat /etc/motd && cat time: | wc -l",
    "consoled": "echo on the terminal",
}


def pid_of(console: Console, name: str) -> int:
    """From proc:list:, whose last column is the name."""
    found = re.search(
        rf"^ *(\d+) .* {re.escape(name)}$", console.check("cat proc:list:"), re.MULTILINE
    )
    assert found, f"{name} does not run"
    return int(found[1])


def kill(machine: Machine, name: str) -> None:
    """Kill a server and wait until init has started another."""
    console = machine.console
    pid = pid_of(console, name)
    console.start(f"kill -9 {pid}")
    machine.expect_log(
        rf"{re.escape(name)} \(pid {pid}\) was killed[\s\S]*"
        rf"{re.escape(name)} \(pid \d+\) started"
    )


@pytest.mark.parametrize("name", SERVICES)
def test_killed_server_is_back_in_service(machine: Machine, name: str) -> None:
    console = machine.console
    expected = console.check(SERVICES[name])
    kill(machine, name)
    console.finish(f"kill of {name}")
    assert console.check(SERVICES[name]) == expected


@pytest.mark.machine(smp=4)
@pytest.mark.parametrize("name", SERVICES)
def test_names_come_back(machine: Machine, name: str) -> None:
    """All of them, whoever registered them, and what they lead to works."""
    console = machine.console
    for _ in range(ATTEMPTS):
        names = console.check("ls -1 ns:")
        if all(f"{known}\n" in names for known in NAMES):
            break
    else:
        pytest.fail(f"not all of {NAMES} are registered:\n{names}")
    kill(machine, name)
    console.finish(f"kill of {name}")
    for _ in range(ATTEMPTS):
        seen = console.check("ls -1 ns:")
        if seen == names:
            break
    assert seen == names
    for command in SERVICES.values():
        assert console.run(command).status == 0, command
    assert console.check("echo lost > /dev/null; wc -c < null:").strip() == "0"


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in ("blkd", "fsd-root")])
def test_files_outlive_other_servers(machine: Machine, name: str) -> None:
    """What was written is there and can be added to, whoever else died in between."""
    console = machine.console
    word = os.urandom(8).hex()
    console.check(f"echo {word} > /home/kept")
    kill(machine, name)
    console.finish(f"kill of {name}")
    output = console.check("echo more >> /home/kept; cat /home/kept")
    assert output.endswith(f"{word}\nmore\n")


@pytest.mark.parametrize("name", ["fsd-root", "blkd"])
def test_synced_files_outlive_the_disk_servers(machine: Machine, name: str) -> None:
    console = machine.console
    word = os.urandom(8).hex()
    console.check(f"echo {word} > /home/kept && sync")
    kill(machine, name)
    console.finish(f"kill of {name}")
    assert console.check("cat /home/kept") == f"{word}\n"


def test_server_that_is_killed_again_and_again(machine: Machine) -> None:
    """Within the limit of services.conf it always comes back."""
    for _ in range(3):
        kill(machine, "piped")
        machine.console.finish("kill of piped")
        assert machine.console.check("echo again | cat") == "again\n"
