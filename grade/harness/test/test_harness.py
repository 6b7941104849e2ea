"""The harness against a fake guest: what it must notice, and that it does so at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grade.harness.console import Token
from grade.harness.failure import (
    GuestDied,
    GuestPanic,
    GuestTimeout,
    HarnessError,
    tail,
)
from grade.harness.limits import CALIBRATION_PROGRAM, Limits, from_json, to_json
from grade.harness.machine import Machine
from grade.harness.qemu import Disk, MachineConfig, QemuError, disk_arguments, machine_arguments
from grade.harness.symbols import Symbols, describe_harts

FAKE_QEMU = str(Path(__file__).with_name("fake_qemu"))
AT_ONCE = 10.0  # far above what it takes, far below PATIENCE
PATIENCE = 60.0

Start = Callable[..., Machine]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    machines: list[Machine] = []

    def start_machine(append: str = "", **options: Any) -> Machine:
        kernel = tmp_path / "kernel.elf"
        kernel.write_bytes(b"")
        machines.append(
            Machine(MachineConfig(kernel=kernel, append=append, qemu=FAKE_QEMU, **options))
        )
        return machines[-1]

    yield start_machine
    for machine in machines:
        machine.close()


def test_command_gives_output_and_status(start: Start) -> None:
    console = start().console
    console.wait_ready()
    result = console.run("echo hello world")
    assert (result.output, result.status) == ("hello world\n", 0)
    assert console.run("fail 7").status == 7
    assert console.run("fail 0").output == ""


def test_terminal_input_reaches_the_command(start: Start) -> None:
    assert start().console.run("cat", typed="one\ntwo\n").output == "one\ntwo\n"


def test_echoed_input_is_never_the_answer(start: Start) -> None:
    """With a terminal that repeats what is typed, the status still comes from the guest."""
    console = start("echo").console
    console.wait_ready()
    assert console.run("fail 9").status == 9


def test_no_part_of_the_token_line_matches_its_answer() -> None:
    for _ in range(100):
        token = Token.fresh()
        assert token.first + token.second not in token.line
        assert not token.answer.search(token.line.encode() * 2)
        assert token.answer.search(f"{token.first}{token.second} 0\r\n".encode())


def test_hang_with_echo_times_out(start: Start) -> None:
    console = start("echo").console
    console.wait_ready()
    with pytest.raises(GuestTimeout, match="the end of `hang`"):
        console.run("hang", timeout=0.3)


def test_silence_is_a_failure(start: Start) -> None:
    began = time.monotonic()
    with pytest.raises(GuestTimeout, match="(?s)the time is up.*hart 0: pc 0x10"):
        start("silent").console.wait_ready(timeout=0.3)
    assert time.monotonic() - began < AT_ONCE


@pytest.mark.parametrize("command", ["panic", "die 3", "close"])
def test_end_of_the_guest_is_noticed_at_once(start: Start, command: str) -> None:
    console = start().console
    console.wait_ready()
    began = time.monotonic()
    with pytest.raises(GuestPanic if command == "panic" else GuestDied):
        console.run(command, timeout=PATIENCE)
    assert time.monotonic() - began < AT_ONCE


def test_panic_before_the_shell_shows_backtrace_and_command(start: Start) -> None:
    with pytest.raises(GuestPanic) as caught:
        start("early", smp=4).console.wait_ready(timeout=PATIENCE)
    text = str(caught.value)
    assert "it is all over" in text
    assert "kmain+0x10" in text
    assert "make qemu-gdb" in text and "SMP=4" in text and "APPEND=early" in text


def test_the_word_panic_inside_a_line_is_no_panic(start: Start) -> None:
    machine = start()
    machine.console.check("log do not PANIC on hart 0")
    machine.expect_log("do not PANIC")
    assert machine.running


def test_death_shows_qemu_status(start: Start) -> None:
    with pytest.raises(GuestDied, match="QEMU ended with status 3"):
        start("die").console.wait_ready(timeout=PATIENCE)


def test_expect_goes_on_behind_the_last_match(start: Start) -> None:
    machine = start()
    machine.console.send("echo same\n")
    machine.console.expect(r"same\r\n")
    with pytest.raises(GuestTimeout):
        machine.console.expect(r"same\r\n", timeout=0.2)


def test_long_output_is_complete(start: Start) -> None:
    assert start().console.run("long 3000000").output == "x" * 3000000 + "\n"


def test_interrupt(start: Start) -> None:
    console = start().console
    console.start("hang")
    assert console.interrupt("hang").status == 130
    assert console.run("echo next").output == "next\n"


def test_interrupt_asks_again_when_the_program_took_the_question(start: Start) -> None:
    console = start().console
    console.start("dying")
    result = console.interrupt("dying")
    assert (result.output.count("took"), result.status) == (1, 130)
    assert console.run("echo next").output == "next\n"


def test_control_port_carries_lines(start: Start) -> None:
    control = start().control
    control.send("hello")
    control.send("again")
    assert control.receive() == "you said hello"
    assert control.receive() == "you said again"
    with pytest.raises(ValueError, match="one line"):
        control.send("two\nlines")


def test_power_off(start: Start) -> None:
    machine = start()
    machine.power_off()
    assert not machine.running


def test_disks_are_private_copies(start: Start, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"content")
    copy = start(disks=(Disk(image),)).config.disks[0].path
    assert copy != image
    assert copy.read_bytes() == b"content"


def test_closing_ends_qemu_and_removes_the_folder(start: Start) -> None:
    machine = start("silent")
    child = machine._child
    assert child is not None
    machine.close()
    assert child.returncode == -signal.SIGKILL
    assert not machine.folder.exists()
    machine.close()


def test_killed_harness_leaves_no_machine(tmp_path: Path) -> None:
    """Even SIGKILL, which nobody can catch, must not leave a QEMU behind."""
    (tmp_path / "kernel.elf").write_bytes(b"")
    program = (
        "from pathlib import Path; from grade.harness.machine import Machine\n"
        "from grade.harness.qemu import MachineConfig\n"
        f"m = Machine(MachineConfig(kernel=Path({str(tmp_path / 'kernel.elf')!r}),"
        f" append='silent', qemu={FAKE_QEMU!r}))\n"
        "m.expect_log('fake kernel')\n"  # or it would die of having nobody to talk to
        "print(m._child.pid, flush=True); m.wait_exit(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},  # nobody is left to remove its folder
    )
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    fake = os.pidfd_open(pid)
    child.kill()
    child.communicate()
    try:
        assert wait_readable(fake, AT_ONCE), "the machine outlived its harness"
    finally:
        os.close(fake)


def wait_readable(descriptor: int, seconds: float) -> bool:
    import select

    return bool(select.select([descriptor], [], [], seconds)[0])


def test_old_qemu_is_named(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_QEMU_VERSION", "6.2.0")
    with pytest.raises(HarnessError, match=r"6\.2.*needs 7\.2"):
        start()


def test_missing_qemu_and_files_are_named(tmp_path: Path) -> None:
    kernel = tmp_path / "kernel.elf"
    with pytest.raises(HarnessError, match="not installed"):
        Machine(MachineConfig(kernel=kernel, qemu="no-such-qemu"))
    with pytest.raises(QemuError, match="run make"):
        machine_arguments(MachineConfig(kernel=kernel))
    kernel.write_bytes(b"")
    with pytest.raises(QemuError, match="SMP=9"):
        machine_arguments(MachineConfig(kernel=kernel, smp=9))


def test_commas_in_paths_are_doubled() -> None:
    assert "file=a,,b" in " ".join(disk_arguments((Disk(Path("a,b")),)))


def test_writes_are_recorded_where_asked(tmp_path: Path) -> None:
    log = tmp_path / "a,log"
    text = " ".join(disk_arguments((Disk(Path("a,b"), write_log=log),)))
    assert "driver=blklogwrites" in text and "filename=a,,b" in text and "a,,log" in text
    assert log.exists()


def test_limits_scale_and_travel() -> None:
    limits = from_json(to_json(Limits(scale=2.5)))
    assert limits.seconds(2) == 5
    assert len(CALIBRATION_PROGRAM) == 32


def test_tail_says_what_it_leaves_out() -> None:
    assert tail("1\n2\n3\n", 2) == "    ... (1 lines before)\n    2\n    3"


def test_harts_are_described_with_names() -> None:
    symbols = Symbols((0x1000, 0x2000), ("kmain", "idle"))
    text = "CPU#0\n pc       0000000000002004\n satp  8\nCPU#1\n pc       0000000000000010\n"
    assert (
        describe_harts(text, symbols) == "hart 0: in idle+0x4, pc 0x2004, satp 0x8\nhart 1: pc 0x10"
    )
