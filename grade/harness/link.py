"""One end of a raw Ethernet link: a datagram socket, one frame a datagram. QEMU has the other end."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

from grade.harness.failure import HarnessError

FRAME_MAX = 70000
BUFFER_BYTES = 4 << 20  # so that a burst is not lost here; the kernel may allow less


class Link:
    """Sends and receives frames as bytes."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (self.ours, self.theirs):
            for direction in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, direction, BUFFER_BYTES)

    def backend(self) -> str:
        """What QEMU is told; it inherits the descriptor."""
        return f"dgram,local.type=fd,local.str={self.theirs.fileno()}"

    def send(self, frame: bytes) -> None:
        self.ours.send(frame)

    def receive(self, timeout: float) -> bytes | None:
        """The next frame, or None when the time is up."""
        if not select.select([self.ours], [], [], max(timeout, 0))[0]:
            return None
        return self.ours.recv(FRAME_MAX)

    def expect(self, wanted: Callable[[bytes], object], what: str, timeout: float) -> bytes:
        """The first frame that is wanted; others are passed over."""
        deadline = time.monotonic() + timeout
        while (frame := self.receive(deadline - time.monotonic())) is not None:
            if wanted(frame):
                return frame
        raise HarnessError(f"no {what} came within {timeout:g} s")

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()
