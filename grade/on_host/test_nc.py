"""nc on the host."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grade.on_host.build import needs_compiler
from grade.on_host.network import LIMIT, LOCAL, free_port, run, running

pytestmark = needs_compiler


def listening(process: subprocess.Popen[bytes]) -> int:
    """The port of an `nc -v -l 0`, as it says itself."""
    assert process.stderr is not None
    return int(process.stderr.readline().rsplit(b":", 1)[1])


def test_nc_both_ways(programs: Path) -> None:
    data = os.urandom(2_000_000)
    with running(programs, "nc", "-v", "-N", "-l", LOCAL, "0") as server:
        port = listening(server)
        with ThreadPoolExecutor() as pool:
            client = pool.submit(run, programs, "nc", "-N", LOCAL, str(port), stdin=data)
            output, _ = server.communicate(b"answer", timeout=LIMIT)
            assert output == data and server.returncode == 0
            assert client.result().stdout == b"answer" and client.result().returncode == 0


def test_nc_serves_again(programs: Path) -> None:
    with running(programs, "nc", "-v", "-k", "-l", LOCAL, "0") as server:
        port = listening(server)
        for text in (b"one", b"two"):
            answer = run(programs, "nc", "-N", "-w", "1", LOCAL, str(port), stdin=text)
            assert answer.returncode == 0
        assert server.stdout is not None and server.stdout.read(6) == b"onetwo"


def test_nc_datagrams(programs: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((LOCAL, 0))
        peer.settimeout(30)
        port = peer.getsockname()[1]
        with running(programs, "nc", "-u", LOCAL, str(port)) as client:
            assert client.stdin is not None and client.stdout is not None
            client.stdin.write(b"question")
            client.stdin.flush()
            data, address = peer.recvfrom(100)
            assert data == b"question"
            peer.sendto(b"answer", address)
            assert client.stdout.read(6) == b"answer"
    with running(programs, "nc", "-u", "-v", "-l", LOCAL, "0") as server:
        port = listening(server)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"hello", (LOCAL, port))
            assert server.stdout is not None and server.stdout.read(5) == b"hello"


def test_nc_looks_for_listeners(programs: Path) -> None:
    with socket.create_server((LOCAL, 0)) as server:
        port = server.getsockname()[1]
        answer = run(programs, "nc", "-z", "-v", LOCAL, str(port))
        assert answer.returncode == 0 and b"connected to" in answer.stderr
        assert run(programs, "nc", "-z", LOCAL, f"{port}-{port}").returncode == 0
    assert run(programs, "nc", "-z", LOCAL, str(port)).returncode == 1
    answer = run(programs, "nc", LOCAL, str(port))
    assert answer.returncode == 1 and b"refused" in answer.stderr
    closed = free_port(socket.SOCK_DGRAM)
    assert run(programs, "nc", "-u", "-z", LOCAL, str(closed)).returncode == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((LOCAL, 0))
        assert run(programs, "nc", "-u", "-z", LOCAL, str(peer.getsockname()[1])).returncode == 0


def test_nc_gives_up_waiting(programs: Path) -> None:
    with socket.create_server((LOCAL, 0)) as server:
        start = time.monotonic()
        answer = run(programs, "nc", "-w", "0.3", LOCAL, str(server.getsockname()[1]))
        assert answer.returncode == 0 and time.monotonic() - start >= 0.3


def test_nc_source_port(programs: Path) -> None:
    with socket.create_server((LOCAL, 0)) as server:
        port = free_port()
        with running(programs, "nc", "-p", str(port), LOCAL, str(server.getsockname()[1])):
            connection, address = server.accept()
            connection.close()
            assert address[1] == port


@pytest.mark.parametrize("words", [(), ("h",), ("-l",), ("h", "5-3"), ("-w", "x", "h", "1")])
def test_nc_misuse(programs: Path, words: tuple[str, ...]) -> None:
    assert run(programs, "nc", *words).returncode == 1
