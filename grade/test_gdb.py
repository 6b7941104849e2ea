"""The gdb commands of scripts/gdb, against a running machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from grade.harness.machine import Machine

REPOSITORY = Path(__file__).resolve().parent.parent
GDB = os.environ.get("GDB", "gdb-multiarch")

pytestmark = pytest.mark.skipif(shutil.which(GDB) is None, reason=f"{GDB} is not installed")


def gdb(machine: Machine, *commands: str) -> str:
    """Run commands as `make gdb` would."""
    arguments: list[str | Path] = [
        GDB,
        "-q",
        "-batch",
        "-iex",
        f"add-auto-load-safe-path {REPOSITORY}",
        "-x",
        ".gdbinit",
    ]
    for command in commands:
        arguments += ["-ex", command]
    environment = os.environ | {"CAIRN_GDB": str(machine.folder / "gdb.sock")}
    answer = subprocess.run(
        [*arguments, machine.config.kernel],
        cwd=REPOSITORY,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=machine.limits.seconds(60),
    )
    assert "Traceback" not in answer.stderr and "Error" not in answer.stderr, answer.stderr
    return answer.stdout


def test_kernel_objects_are_shown(machine: Machine) -> None:
    machine.console.check("sleep 1000 &")
    listing = gdb(machine, "cairn ps")
    assert re.search(r"^\s+1 init ", listing, re.MULTILINE)
    assert re.search(r"^\s+\d+ sleep .*receiving", listing, re.MULTILINE)
    handles = gdb(machine, "cairn handles init")
    assert re.search(r"device bus$", handles, re.MULTILINE)
    assert "device virtio,mmio at 0x1000" in handles
    assert re.search(r"init +nsd ", gdb(machine, "cairn channels"))
    assert machine.console.check("echo on it goes") == "on it goes\n"


def test_page_tables_are_walked(machine: Machine) -> None:
    table = gdb(machine, "cairn pagetable sh")
    assert re.search(r"^0x0000000000010000 .* r-xu", table, re.MULTILINE)
    assert not re.search(r"wx", table), "a page is writable and executable"
    kernel = gdb(machine, "cairn pagetable")
    assert "0xffffffc080200000" in kernel
    assert not re.search(r" [r-]wxu?| ...u", kernel), "the kernel half shows a bad permission"


def test_trace_is_switched_and_shown(machine: Machine) -> None:
    gdb(machine, "cairn trace on")
    machine.console.check("cat /etc/motd")
    assert re.search(r"(call|recv) +\S+ -> fsd-root", gdb(machine, "cairn trace 1000"))


def test_user_program_is_debugged_in_user_mode(machine: Machine) -> None:
    """Break in a program, look at the kernel from there, and let it go on."""
    machine.console.start("sleep 1; hello")
    shown = gdb(
        machine,
        "cairn user hello",
        "hbreak main",
        "continue",
        "bt",
        "cairn ps",
        "print $priv",
        "delete",
        "detach",
    )
    assert "main (" in shown
    assert re.search(r" hello .*running on hart", shown)
    assert re.search(r"^\$\d+ = (0|prv:0.*)$", shown, re.MULTILINE)
    assert machine.console.finish("hello").status == 0
