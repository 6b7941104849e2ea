"""A running machine: starts QEMU with every line to it connected, and waits without sleeping.

All lines are socket pairs that QEMU inherits, so there is no port, no name and no race; only the
debug stub has a name, in the machine's private folder, so that a person can attach to it.
"""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from grade.harness.child import end_child, start_child
from grade.harness.console import Console
from grade.harness.control import ControlPort
from grade.harness.disk import copy_image
from grade.harness.failure import (
    GuestDied,
    GuestFailure,
    GuestFlood,
    GuestPanic,
    GuestTimeout,
    HarnessError,
    Report,
)
from grade.harness.limits import Limits
from grade.harness.link import Link
from grade.harness.qemu import (
    PEER,
    MachineConfig,
    QemuError,
    machine_arguments,
    quoted,
    require_qemu,
)
from grade.harness.qmp import Qmp
from grade.harness.stream import Pump, Stream
from grade.harness.symbols import Symbols, describe_harts

EXPECT_SECONDS = 15.0
EXIT_SECONDS = 20.0
AFTERMATH_SECONDS = 3.0  # for a panic to finish its backtrace
MONITOR_SECONDS = 10.0
STREAMS = ("log", "console", "control")


@dataclass
class Lines:
    """Our ends of the socket pairs, and the ends that QEMU inherits."""

    ours: dict[str, socket.socket]
    theirs: dict[str, socket.socket]

    @classmethod
    def make(cls) -> Lines:
        pairs = {name: socket.socketpair() for name in (*STREAMS, "qmp")}
        return cls(
            {name: pair[0] for name, pair in pairs.items()},
            {name: pair[1] for name, pair in pairs.items()},
        )

    def arguments(self, gdb: Path) -> list[str]:
        arguments = []
        for name, end in self.theirs.items():
            arguments += ["-chardev", f"socket,id={name},fd={end.fileno()}"]
        return [
            *arguments,
            "-serial",
            "chardev:log",
            "-device",
            "virtio-serial-device",
            "-device",
            "virtconsole,chardev=console,name=cairn.console",
            "-device",
            "virtserialport,chardev=control,name=cairn.control",
            "-mon",
            "chardev=qmp,mode=control",
            "-chardev",
            f"socket,id=gdb,path={quoted(gdb)},server=on,wait=off",
            "-gdb",
            "chardev:gdb",
        ]


class Machine:
    """One QEMU. Use it as a context manager: leaving the block ends it, whatever happened."""

    def __init__(
        self, config: MachineConfig, limits: Limits | None = None, *, fresh_disks: bool = True
    ) -> None:
        """fresh_disks: run on private copies, so that the images given stay as they are."""
        self.limits = limits or Limits()
        self.folder = Path(tempfile.mkdtemp(prefix="cairn-machine-"))
        self.original = config
        self.hopeless: re.Pattern[bytes] | None = None  # in the log: no use to wait on
        self.links: list[Link] = []  # of the raw links among the interfaces, in order
        self._finished: int | None = None
        self._pump: Pump | None = None
        self._child: subprocess.Popen[bytes] | None = None
        try:
            require_qemu(config.qemu)
            if fresh_disks:
                config = replace(
                    config,
                    disks=tuple(
                        replace(disk, path=copy_image(disk.path, self.folder / f"disk{index}.img"))
                        for index, disk in enumerate(config.disks)
                    ),
                )
            self.config = config
            self._start()
        except QemuError as error:
            self.close()
            raise HarnessError(str(error)) from None
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        lines = Lines.make()
        nets = tuple(self._link() if net == PEER else net for net in self.config.nets)
        config = replace(self.config, nets=nets)
        arguments = [*machine_arguments(config), *lines.arguments(self.folder / "gdb.sock")]
        self.started = time.monotonic()
        try:
            with open(self.folder / "qemu.log", "wb") as errors:
                self._child = start_child(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=errors,
                    stderr=errors,
                    pass_fds=[
                        end.fileno()
                        for end in (*lines.theirs.values(), *(link.theirs for link in self.links))
                    ]
                    + list(self.config.descriptors),
                )
        finally:
            for end in lines.theirs.values():
                end.close()
            for link in self.links:
                link.theirs.close()
        self._connections = list(lines.ours.values())
        streams = {name: Stream(name, lines.ours[name]) for name in STREAMS}
        self.log, console, control = (streams[name] for name in STREAMS)
        self._pump = Pump(streams.values(), self.log)
        self.qmp = Qmp(lines.ours["qmp"], self.limits.seconds(MONITOR_SECONDS))
        self.console = Console(self, self.log if self.config.serial_console else console)
        self.control = ControlPort(self, control)

    def _link(self) -> str:
        self.links.append(Link())
        return self.links[-1].backend()

    def forwarded_port(self, guest_port: int) -> int:
        """The host's port that user networking forwards to this one of the guest
        (hostfwd=tcp:127.0.0.1:0-:PORT lets the host choose)."""
        for line in self.qmp.monitor("info usernet").splitlines():
            words = line.split()
            if words and words[0].endswith("[HOST_FORWARD]") and words[5] == str(guest_port):
                return int(words[3])
        raise HarnessError(f"no port is forwarded to {guest_port}")

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the machine and forget its private files. Harmless when it has ended."""
        if self._child is not None:
            self._finished = end_child(self._child)
            self._child = None
        if self._pump is not None:
            self._pump.stop()
            self._pump = None
            for connection in self._connections:
                connection.close()
        for link in self.links:
            link.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- Waiting ----------------------------------------------------------------------------

    def wait_for(
        self,
        condition: Callable[[], object],
        expected: str,
        timeout: float | None = None,
        stream: Stream | None = None,
    ) -> object:
        """Wait until condition() is true, and return its value. It fails at once when the kernel
        panics, the machine stops, or the stream that is waited on (default: the log) has ended."""
        stream = stream or self.log
        assert self._pump is not None, "the machine is closed"
        seconds = self.limits.seconds(EXPECT_SECONDS if timeout is None else timeout)
        deadline = time.monotonic() + seconds
        with self._pump.changed:
            while True:
                value = condition()
                if value:
                    return value
                if self._pump.panicked:
                    break
                if self._pump.flooded:
                    self._fail(GuestFlood, f"the guest floods the {self._pump.flooded}", expected)
                lost = self.hopeless.search(self.log.data) if self.hopeless else None
                if lost:
                    self._fail(GuestFailure, lost[0].decode(errors="replace"), expected)
                if stream.closed:
                    break
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._pump.changed.wait(left)
        if self._pump.panicked:
            self._await_end(AFTERMATH_SECONDS)
            self._fail(GuestPanic, "the kernel panicked", expected)
        if stream.closed:
            self._fail(GuestDied, self._how_it_ended(), expected)
        self._fail(GuestTimeout, f"the time is up: {seconds:g} s", expected, self.where())

    def expect(self, stream: Stream, pattern: str, timeout: float | None = None) -> re.Match[bytes]:
        """Wait until the pattern is in what the stream brought since the last match."""
        regex = re.compile(pattern.encode(), re.MULTILINE)

        def search() -> re.Match[bytes] | None:
            if not regex.search(stream.data, stream.position):
                return None
            # A match holds on to its buffer, and the stream's must be free to grow.
            return regex.search(bytes(stream.data), stream.position)

        match = self.wait_for(search, f"{pattern!r} on the {stream.name}", timeout, stream)
        assert isinstance(match, re.Match)
        stream.position = match.end()
        return match

    def expect_log(self, pattern: str, timeout: float | None = None) -> re.Match[bytes]:
        return self.expect(self.log, pattern, timeout)

    def wait_exit(self, timeout: float | None = None) -> int:
        """Wait until the machine stops by itself; QEMU's exit status. A panic is a failure."""
        self.wait_for(
            lambda: self.log.closed,
            "the machine stops",
            EXIT_SECONDS if timeout is None else timeout,
        )
        assert self._pump is not None
        if self._pump.panicked:
            self._fail(GuestPanic, "the kernel panicked", "the machine stops")
        return self._reap()

    def power_off(self) -> None:
        """Have the guest end itself in order, so that its disks can be checked."""
        self.console.send("shutdown\n")
        status = self.wait_exit()
        if status:
            self._fail(GuestDied, f"QEMU ended with status {status}", "a clean power-off")

    @property
    def running(self) -> bool:
        return (
            self._child is not None
            and self._child.poll() is None
            and self._pump is not None
            and not self._pump.panicked
        )

    @property
    def panicked(self) -> bool:
        return self._pump is not None and self._pump.panicked

    def _await_end(self, seconds: float) -> None:
        assert self._pump is not None
        with self._pump.changed:
            self._pump.changed.wait_for(lambda: self.log.closed, self.limits.seconds(seconds))

    def _reap(self) -> int:
        assert self._child is not None
        return self._child.wait(self.limits.seconds(EXIT_SECONDS))

    def _how_it_ended(self) -> str:
        self._await_end(AFTERMATH_SECONDS)
        if not self.log.closed:
            return "the line to the guest is closed"
        error = (self.folder / "qemu.log").read_text(errors="replace").strip()
        return f"QEMU ended with status {self._reap()}" + (f": {error}" if error else "")

    # ---- Reports ----------------------------------------------------------------------------

    def where(self) -> str:
        """Where each hart is right now, with names; nothing if the monitor does not answer."""
        try:
            registers = self.qmp.monitor("info registers -a")
        except HarnessError:
            return ""
        return describe_harts(registers, Symbols.of(self.config.kernel))

    def reproduce(self) -> str:
        """The command that starts the same machine under the debugger."""
        config = self.original
        build = config.kernel.parent
        own_archive = config.archive not in (None, build / "boot.cpio")
        words = {
            "BUILD": str(build),
            "KERNEL": "" if config.kernel.name == "kernel.elf" else str(config.kernel),
            "ARCHIVE": str(config.archive) if own_archive else "",
            "SERIAL": "1" if config.serial_console else "",
            "SMP": str(config.smp),
            "MEM": config.memory,
            "NET": " ".join(net for net in config.nets if net != PEER),
            "DISK": " ".join(str(disk.path) for disk in config.disks),
            "APPEND": config.append,
        }
        return "make qemu-gdb " + " ".join(f"{k}={shlex.quote(v)}" for k, v in words.items() if v)

    def report(self, what: str, expected: str, where: str = "") -> Report:
        shared = self.console.stream is self.log
        console = "" if shared else self.console.stream.text()
        return Report(what, expected, self.log.text(), console, self.reproduce(), where)

    def _fail(
        self, kind: type[GuestFailure], what: str, expected: str, where: str = ""
    ) -> NoReturn:
        raise kind(str(self.report(what, expected, where)))
