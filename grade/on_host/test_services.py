"""services, netbench, ping, traceroute and host on the host; and what all network programs share."""

from __future__ import annotations

import os
import re
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grade.on_host.build import NETWORK, needs_compiler
from grade.on_host.network import LOCAL, run, running, served_port

pytestmark = needs_compiler


@pytest.fixture
def services(programs: Path) -> Iterator[dict[tuple[str, str], int]]:
    """Ports by service and protocol."""
    names = ("echo", "discard", "chargen")
    with running(programs, "services", "-a", LOCAL, *(f"{n}=0" for n in names)) as process:
        assert process.stdout is not None
        ports = {}
        for name in names:
            for protocol in ("tcp", "udp"):
                line = process.stdout.readline().decode()
                assert line.startswith(protocol)
                ports[name, protocol] = int(line.rsplit(":", 1)[1])
        yield ports


def test_echo(services: dict[tuple[str, str], int]) -> None:
    data = os.urandom(1_000_000)
    with socket.create_connection((LOCAL, services["echo", "tcp"]), timeout=30) as connection:
        sender = threading.Thread(target=lambda: connection.sendall(data))
        sender.start()
        assert connection.makefile("rb").read(len(data)) == data
        sender.join()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(30)
        for size in (0, 1, 9000):
            peer.sendto(data[:size], (LOCAL, services["echo", "udp"]))
            assert peer.recv(65536) == data[:size]


def test_echo_to_who_does_not_read_yet(services: dict[tuple[str, str], int]) -> None:
    """Everything on the way is full before the first byte is read; nothing is lost."""
    data, sent, got = os.urandom(32_000_000), 0, bytearray()
    with socket.create_connection((LOCAL, services["echo", "tcp"]), timeout=30) as connection:
        connection.setblocking(False)
        while select.select([], [connection], [], 0.3)[1] and sent < len(data):
            sent += connection.send(data[sent : sent + 65536])
        assert sent < len(data), "the buffers on the way are larger than this test thinks"
        connection.shutdown(socket.SHUT_WR)
        while select.select([connection], [], [], 30)[0] and (part := connection.recv(1 << 20)):
            got += part
    assert got == data[:sent]


def test_discard(services: dict[tuple[str, str], int]) -> None:
    with socket.create_connection((LOCAL, services["discard", "tcp"]), timeout=30) as connection:
        connection.sendall(bytes(1_000_000))
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_chargen(services: dict[tuple[str, str], int]) -> None:
    with socket.create_connection((LOCAL, services["chargen", "tcp"]), timeout=30) as connection:
        lines = connection.makefile("rb").read(74 * 200).split(b"\r\n")
    text = bytes(range(32, 127)) * 2
    for i, line in enumerate(lines[:200]):
        assert line == text[i % 95 : i % 95 + 72]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(30)
        peer.sendto(b"", (LOCAL, services["chargen", "udp"]))
        assert len(peer.recv(65536)) == 512


def test_services_do_not_answer_each_other(services: dict[tuple[str, str], int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        try:
            peer.bind((LOCAL, 7))
        except OSError as error:
            pytest.skip(f"port 7 cannot be had here: {error.strerror}")
        peer.sendto(b"x", (LOCAL, services["echo", "udp"]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.settimeout(30)
            other.sendto(b"y", (LOCAL, services["echo", "udp"]))
            assert other.recv(10) == b"y"  # served behind the first one
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(10)


@pytest.mark.parametrize(
    "mode, pattern",
    [
        ("send", r"send +[\d.]+ MB/s  [\d.]+ MB in [\d.]+ s\n"),
        ("receive", r"receive +[\d.]+ MB/s  [\d.]+ MB in [\d.]+ s\n"),
        ("rtt", r"rtt +[\d.]+ us  minimum [\d.]+, maximum [\d.]+, \d+ round trips of 1 bytes\n"),
        ("connect", r"connect +[\d.]+ /s  \d+ connections in [\d.]+ s\n"),
    ],
)
def test_netbench(programs: Path, mode: str, pattern: str) -> None:
    with running(programs, "netbench", "-s", "-p", "0") as server:
        port = str(served_port(server))
        answer = run(programs, "netbench", "-t", "0.2", "-m", mode, "-p", port, LOCAL)
        assert answer.returncode == 0 and re.fullmatch(pattern, answer.stdout.decode())
        assert mode != "rtt" or float(answer.stdout.split()[1]) > 0


def may_be_raw() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True


needs_raw = pytest.mark.skipif(not may_be_raw(), reason="raw sockets are not permitted here")


@needs_raw
@pytest.mark.parametrize("address", [LOCAL, "::1"])
def test_ping(programs: Path, address: str) -> None:
    answer = run(programs, "ping", "-c", "3", "-i", "0.05", "-s", "100", address)
    lines = answer.stdout.decode().splitlines()
    assert answer.returncode == 0 and lines[0] == f"PING {address} ({address}) 100 bytes of data."
    for i in (1, 2, 3):
        ttl = r" ttl=\d+" if "." in address else ""
        assert re.fullmatch(
            rf"108 bytes from {address}: icmp_seq={i}{ttl} time=[\d.]+ ms", lines[i]
        )
    assert lines[5] == f"--- {address} ping statistics ---"
    assert lines[6] == "3 packets transmitted, 3 received, 0% packet loss"
    assert re.fullmatch(r"rtt min/avg/max/mdev = [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms", lines[7])


@needs_raw
def test_ping_without_answer(programs: Path) -> None:
    answer = run(programs, "ping", "-q", "-c", "2", "-i", "0.05", "-W", "0.2", "127.255.255.255")
    assert answer.returncode == 1 and b"0 received" in answer.stdout
    assert b"100% packet loss" in answer.stdout


@needs_raw
@pytest.mark.parametrize("address", [LOCAL, "::1"])
def test_traceroute(programs: Path, address: str) -> None:
    answer = run(programs, "traceroute", "-n", "-q", "2", address)
    lines = answer.stdout.decode().splitlines()
    assert answer.returncode == 0 and lines[0].startswith(f"traceroute to {address} ({address})")
    assert re.fullmatch(rf" 1  {address}  [\d.]+ ms  [\d.]+ ms", lines[1]) and len(lines) == 2


def test_host(programs: Path) -> None:
    answer = run(programs, "host", "-4", "localhost")
    assert answer.returncode == 0 and b"localhost has address 127.0.0.1\n" in answer.stdout
    answer = run(programs, "host", LOCAL)
    assert answer.returncode == 0 and answer.stdout.startswith(b"127.0.0.1 has name localhost")


@pytest.mark.parametrize("name", NETWORK)
def test_help_and_misuse(programs: Path, name: str) -> None:
    answer = run(programs, name, "--help")
    assert answer.returncode == 0 and answer.stdout.startswith(b"usage: " + name.encode())
    answer = run(programs, name, "-?")
    assert answer.returncode in (1, 2) and b"usage: " in answer.stderr and not answer.stdout
