"""Byte streams from and to the guest, filled by one background thread per machine.

The thread keeps reading whatever the test does, so that a guest that talks never blocks on a
harness that computes, and whoever waits is woken by data, a panic, or the end.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections.abc import Iterable

from grade.harness.failure import PANIC

CHUNK = 65536
STREAM_BYTES_MAX = 64 << 20


class Stream:
    """One connection to the guest. `data` only grows; `position` is where expecting goes on."""

    def __init__(self, name: str, connection: socket.socket) -> None:
        self.name = name
        self.connection = connection
        self.data = bytearray()
        self.position = 0
        self.closed = False

    def text(self, start: int = 0) -> str:
        return bytes(self.data[start:]).decode(errors="replace")

    def send(self, data: bytes) -> None:
        """Send all of it; a guest that is gone is noticed by the next expect."""
        try:
            self.connection.sendall(data)
        except OSError:
            pass


class Pump:
    """Reads all streams of a machine into their buffers until each has ended."""

    def __init__(self, streams: Iterable[Stream], log: Stream) -> None:
        self.changed = threading.Condition()
        self.panicked = False
        self.flooded = ""
        self._log = log
        self._log_scanned = 0
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._open = 0
        for stream in streams:
            self._selector.register(stream.connection, selectors.EVENT_READ, stream)
            self._open += 1
        self._thread = threading.Thread(target=self._run, name="guest-pump", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        os.write(self._wake_write, b"x")
        self._thread.join()
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        while self._open:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                self._receive(key.data)

    def _receive(self, stream: Stream) -> None:
        try:
            chunk = stream.connection.recv(CHUNK)
        except OSError:
            chunk = b""
        with self.changed:
            if not chunk:
                stream.closed = True
                self._selector.unregister(stream.connection)
                self._open -= 1
            elif len(stream.data) + len(chunk) > STREAM_BYTES_MAX:
                self.flooded = stream.name
            else:
                stream.data += chunk
                if stream is self._log:
                    self._look_for_panic()
            self.changed.notify_all()

    def _look_for_panic(self) -> None:
        if not self.panicked and PANIC.search(self._log.data, self._log_scanned):
            self.panicked = True
        # The next search begins at the last line, which may be incomplete.
        self._log_scanned = self._log.data.rfind(b"\n") + 1
