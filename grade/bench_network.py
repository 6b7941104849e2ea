"""The network's part of `make bench`: bytes, connections and round trips through QEMU's user
networking and through a TAP, and what an idle connection costs. The other end is here; in the
guest `netbench -s` does what the first byte of a connection says."""

from __future__ import annotations

import re
import resource
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from grade.harness.limits import Limits
from grade.harness.machine import Machine
from grade.harness.namespace import Namespace, Unavailable
from grade.harness.qemu import MachineConfig

SECONDS = 3.0
BLOCK = 1 << 18
PORT = 5201
IDLE = 5001
HOLDERS = 3  # a program has at most some two thousand handles
GUEST = "10.0.2.15"  # by DHCP of user networking, or as the fallback on a TAP
HOST = "10.0.2.2"

Connect = Callable[[int], socket.socket]


def bytes_out(connect: Connect) -> float:
    """MB/s from the guest."""
    with connect(PORT) as connection:
        connection.sendall(b"r")
        start, count = time.monotonic(), 0
        while time.monotonic() - start < SECONDS:
            count += len(connection.recv(BLOCK))
        return count / (time.monotonic() - start) / 1e6


def bytes_in(connect: Connect) -> float:
    """MB/s into the guest, until the last byte is there."""
    with connect(PORT) as connection:
        connection.sendall(b"s")
        block, start, count = bytes(BLOCK), time.monotonic(), 0
        while time.monotonic() - start < SECONDS:
            count += connection.send(block)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
        return count / (time.monotonic() - start) / 1e6


def round_trip(connect: Connect) -> float:
    """us for a byte there and back."""
    with connect(PORT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"p")
        start, count = time.monotonic(), 0
        while time.monotonic() - start < SECONDS:
            connection.sendall(b"x")
            connection.recv(1)
            count += 1
        return (time.monotonic() - start) / count * 1e6


def connections(connect: Connect) -> float:
    """Connections a second, one after the other."""
    start, count = time.monotonic(), 0
    while time.monotonic() - start < SECONDS:
        with connect(PORT) as connection:
            connection.sendall(b"c")
            connection.recv(1)
        count += 1
    return count / (time.monotonic() - start)


MEASURES: dict[str, tuple[Callable[[Connect], float], str]] = {
    "out": (bytes_out, "MB/s"),
    "in": (bytes_in, "MB/s"),
    "round_trip": (round_trip, "us"),
    "connections": (connections, "/s"),
}


def measure_all(machine: Machine, kind: str, connect: Connect) -> dict[str, tuple[float, str]]:
    machine.console.check("netbench -s &")
    machine.console.check("until grep -q LISTEN net:sockets; do sleep 0.1; done", 60)
    return {
        f"tcp_{name}_{kind}": (measure(connect), unit) for name, (measure, unit) in MEASURES.items()
    }


def memory_used(machine: Machine) -> int:
    """Bytes of memory that are in use, whoever uses them."""
    found = re.search(r"^Mem: +\d+ +(\d+)", machine.console.check("free"), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def idle_connections(machine: Machine, connect: Connect) -> dict[str, tuple[float, str]]:
    for holder in range(HOLDERS):
        machine.console.check(f"/test/hold {100 + holder} {IDLE // HOLDERS} > /tmp/held{holder} &")
    machine.console.check(
        f"until [ $(grep -c '^tcp .*LISTEN' net:sockets) -ge {HOLDERS} ]; do sleep 0.1; done", 60
    )
    before = memory_used(machine)
    held = [connect(100 + number % HOLDERS) for number in range(IDLE)]
    machine.console.check(
        f"until [ $(cat /tmp/held* | grep -c holding) = {HOLDERS} ]; do sleep 0.1; done", 60
    )
    used = memory_used(machine) - before
    for connection in held:
        connection.close()
    return {
        "tcp_idle_connections": (float(IDLE), "held"),
        "tcp_idle_memory": (used / IDLE, "bytes"),
    }


def over_user_networking(config: MachineConfig, limits: Limits) -> dict[str, tuple[float, str]]:
    config = replace(config, nets=(f"user,restrict=on,hostfwd=tcp:127.0.0.1:0-:{PORT}",))
    with Machine(config, limits) as machine:
        machine.console.wait_ready(60)
        machine.console.check(f"until grep -q {GUEST} net:status; do sleep 0.1; done", 60)
        port = machine.forwarded_port(PORT)
        return measure_all(
            machine, "user", lambda _: socket.create_connection(("127.0.0.1", port), 30)
        )


def over_tap(
    config: MachineConfig, limits: Limits, namespace: Namespace, offloads: bool
) -> dict[str, tuple[float, str]]:
    name = "tap" if offloads else "tap_plain"
    tap = namespace.tap(name, f"{HOST}/24", offloads=offloads)
    config = replace(config, nets=(f"tap,fd={tap}",), descriptors=(tap,))

    def connect(port: int) -> socket.socket:
        return namespace.inside(lambda: socket.create_connection((GUEST, port), 30))

    with Machine(config, limits) as machine:
        machine.console.wait_ready(60)
        machine.console.check(f"until grep -q {GUEST} net:status; do sleep 0.1; done", 60)
        results = measure_all(machine, name, connect)
        if offloads:
            results |= idle_connections(machine, connect)
        namespace.run("ip", "link", "delete", name)
        return results


def measure_network(config: MachineConfig, limits: Limits) -> dict[str, tuple[float, str]]:
    """All that can be measured here: name -> value and unit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    results = over_user_networking(config, limits)
    for offloads in (True, False):
        try:
            with Namespace() as namespace:
                results |= over_tap(config, limits, namespace, offloads)
        except Unavailable as reason:
            print(f"nothing is measured over a TAP: {reason}", file=sys.stderr)
            break
    return results
