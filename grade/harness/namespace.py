"""A network namespace of the test's own, with TAP interfaces that QEMU is given: Linux as the peer.

Needs root (or its capabilities) and /dev/net/tun; where these are not, Unavailable says so.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000


class Unavailable(Exception):
    """There can be no namespace here; the message says why."""


def enter(path: Path) -> None:
    """Move this thread into the namespace."""
    with open(path, "rb") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"setns: {os.strerror(error)}")


class Namespace:
    """Use it as a context manager: leaving the block ends what runs in it."""

    def __init__(self) -> None:
        for tool in ("unshare", "nsenter", "ip"):
            if not shutil.which(tool):
                raise Unavailable(f"{tool} is not installed")
        if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
            raise Unavailable("/dev/net/tun cannot be opened")
        self._children: list[subprocess.Popen[bytes]] = []
        # cat lives as long as we hold its input, and keeps the namespace alive; its echo says that
        # it is there.
        self._holder = subprocess.Popen(
            ["unshare", "--net", "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert self._holder.stdin and self._holder.stdout and self._holder.stderr
        try:
            self._holder.stdin.write(b"\n")
        except BrokenPipeError:
            pass
        if self._holder.stdout.read(1) != b"\n":
            reason = self._holder.stderr.read().decode().strip()
            self.close()
            raise Unavailable(f"no network namespace: {reason}")
        self.path = Path(f"/proc/{self._holder.pid}/ns/net")
        self.run("ip", "link", "set", "lo", "up")

    def __enter__(self) -> Namespace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        for child in (*self._children, self._holder):
            child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout, child.stderr):
                if stream:
                    stream.close()

    def command(self, *words: str | Path) -> list[str]:
        return ["nsenter", f"--net={self.path}", *map(str, words)]

    def run(self, *words: str | Path, timeout: float = 30) -> str:
        """Run a command inside to its end, which must be a good one; its output."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self, *words: str | Path) -> subprocess.Popen[bytes]:
        """Start a command inside, which ends with the namespace."""
        child = subprocess.Popen(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._children.append(child)
        return child

    def inside(self, function: Callable[[], T]) -> T:
        """Call a function inside: what sockets it opens stay there."""
        results: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                enter(self.path)
                results.append(function())
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def tap(self, name: str, *addresses: str, offloads: bool = True) -> int:
        """Make a TAP interface with these addresses; the descriptor that QEMU is to inherit."""
        flags = IFF_TAP | IFF_NO_PI | (IFF_VNET_HDR if offloads else 0)

        def make() -> int:
            device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
            return device

        device = self.inside(make)
        for address in addresses:
            self.run("ip", "address", "add", address, "dev", name, *nodad(address))
        self.run("ip", "link", "set", name, "up")
        return device


def nodad(address: str) -> list[str]:
    """IPv6 addresses are to be of use at once."""
    return ["nodad"] if ":" in address else []
