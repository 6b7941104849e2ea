"""A minimal client of QEMU's machine protocol: commands, and physical memory of the guest."""

from __future__ import annotations

import json
import socket
import tempfile
from pathlib import Path
from typing import Any

from grade.harness.failure import HarnessError


class Qmp:
    """Speaks QMP over a connected socket. Events are dropped: the streams tell what happened."""

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self._connection = connection
        self._connection.settimeout(timeout)
        self._buffer = b""
        self._ready = False

    def _receive(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            try:
                chunk = self._connection.recv(65536)
            except OSError as error:
                raise HarnessError(f"QEMU's monitor does not answer: {error}") from None
            if not chunk:
                raise HarnessError("QEMU's monitor is closed")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
        """Run one command; its result. Raises HarnessError if QEMU refuses it."""
        if not self._ready:
            self._receive()  # the greeting
            self._ready = True
            self.command("qmp_capabilities")
        message = {"execute": name, "arguments": arguments or {}}
        try:
            self._connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise HarnessError(f"QEMU's monitor does not answer: {error}") from None
        while True:
            answer = self._receive()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise HarnessError(f"QEMU refuses {name}: {answer['error'].get('desc')}")

    def monitor(self, line: str) -> str:
        """One command of the human monitor."""
        return str(self.command("human-monitor-command", {"command-line": line}))

    def read_physical(self, address: int, length: int) -> bytes:
        """Guest memory as the machine sees it, read behind the guest's back."""
        with tempfile.TemporaryDirectory(prefix="cairn-memory-") as folder:
            path = Path(folder) / "memory"
            self.command("pmemsave", {"val": address, "size": length, "filename": str(path)})
            return path.read_bytes()
