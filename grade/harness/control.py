"""The control port: a second virtio-serial port that carries one message per line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grade.harness.stream import Stream

if TYPE_CHECKING:
    from grade.harness.machine import Machine


class ControlPort:
    """Lines to and from the guest, apart from everything that a user would see."""

    def __init__(self, machine: Machine, stream: Stream) -> None:
        self.machine = machine
        self.stream = stream

    def send(self, line: str) -> None:
        if "\n" in line:
            raise ValueError("a control message is one line")
        self.stream.send(line.encode() + b"\n")

    def receive(self, timeout: float | None = None) -> str:
        """The next line."""
        match = self.machine.expect(self.stream, r"[^\n]*\n", timeout)
        return match[0].decode(errors="replace").rstrip("\n")
