"""Linux as the peer, over a TAP in a network namespace: dnsmasq, nginx, Linux's TCP with offloads."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grade.harness.machine import Machine
from grade.harness.namespace import Namespace, Unavailable
from grade.test_network import await_line, receive_all, start_server

Boot = Callable[..., Machine]
HOST, HOST6 = "10.9.0.1", "fd09::1"
SIZE = 4 << 20


@dataclass
class Wire:
    """A guest on a TAP with Linux at its other end."""

    machine: Machine
    namespace: Namespace
    address: str  # of the guest
    offloads: bool  # the device sums up and cuts

    def listen(self, host: str = HOST) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = self.namespace.inside(lambda: socket.create_server((host, 0), family=family))
        server.settimeout(self.machine.limits.seconds(20))
        return server

    def connect(self, port: int) -> socket.socket:
        seconds = self.machine.limits.seconds(20)
        connection = self.namespace.inside(
            lambda: socket.create_connection((self.address, port), seconds)
        )
        connection.settimeout(seconds)
        return connection


def need(*tools: str) -> None:
    for tool in tools:
        if not shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            pytest.skip(f"{tool} is not installed")


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    try:
        made = Namespace()
    except Unavailable as reason:
        pytest.skip(str(reason))
    with made:
        yield made


def start_dnsmasq(namespace: Namespace, folder: Path) -> None:
    need("dnsmasq")
    namespace.start(
        "dnsmasq",
        "--no-daemon",
        "--conf-file=/dev/null",
        f"--dhcp-leasefile={folder}/leases",
        f"--pid-file={folder}/pid",
        "--user=root",
        "--interface=tap0",
        "--bind-interfaces",
        "--no-resolv",
        "--no-hosts",
        "--dhcp-range=10.9.0.50,10.9.0.60,1h",
        "--dhcp-range=fd09::,ra-only",
        "--enable-ra",
        "--ra-param=tap0,5",
        f"--address=/the.host/{HOST}",
        f"--address=/the.host/{HOST6}",
        f"--host-record=real.host,{HOST}",
        "--cname=alias.host,real.host",
        f"--ptr-record=1.0.9.10.in-addr.arpa,the.host",
    )


@pytest.fixture(params=["offloads", "plain"])
def wire(
    boot: Boot, namespace: Namespace, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Wire]:
    tap = namespace.tap(
        "tap0", f"{HOST}/24", f"{HOST6}/64", offloads=request.param == "offloads"
    )
    start_dnsmasq(namespace, tmp_path)
    machine = boot(nets=(f"tap,fd={tap}",), descriptors=(tap,))
    await_line(machine, "net:status", "address 10[.]9[.]0[.][56]")
    found = re.search(r"address (10\.9\.0\.\d+)/24", machine.console.check("cat net:status"))
    assert found
    assert ("offloads" in machine.log.text()) == (request.param == "offloads")
    yield Wire(machine, namespace, found[1], request.param == "offloads")


@pytest.mark.parametrize("wire", ["plain"], indirect=True)
def test_configuration_from_the_network(wire: Wire) -> None:
    """Address, router and name server by DHCP; an address of ours by a router's advertisement."""
    console = wire.machine.console
    assert f"router {HOST}" in console.check("cat net:status")
    assert re.search(rf"0\.0\.0\.0/0 +via {HOST}|0\.0\.0\.0/0.*{HOST}", console.check("cat net:routes"))
    await_line(wire.machine, "net:status", "address fd09:")
    names = console.check("host the.host")
    assert HOST in names and HOST6 in names
    assert console.run("host no.such.host").status != 0
    names = console.check("host alias.host")
    assert names == f"alias.host is an alias for real.host\nreal.host has address {HOST}\n"
    assert "the.host" in console.check(f"host {HOST}")


@pytest.mark.parametrize("wire", ["plain"], indirect=True)
def test_echo_both_ways(wire: Wire) -> None:
    console = wire.machine.console
    for address in (HOST, HOST6):
        # While Linux still checks its own address, the first request finds nobody.
        console.run(f"ping -c 1 -W 1 {address}")
        assert " 3 received" in console.check(f"ping -c 3 -i 0.1 {address}")
    assert " 2 received" in console.check(f"ping -c 2 -i 0.1 -s 20000 {HOST}")  # in fragments
    assert console.run("ping -c 1 -W 1 10.9.0.99").status != 0
    with wire.namespace.inside(
        lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    ) as raw:
        raw.settimeout(wire.machine.limits.seconds(10))
        payload = secrets.token_bytes(56)
        raw.sendto(echo_request(payload), (wire.address, 0))
        while True:
            answer = raw.recv(2048)[20:]
            if answer[0] == 0:
                assert answer[8:] == payload
                break


def echo_request(payload: bytes) -> bytes:
    header = struct.pack("!BBHHH", 8, 0, 0, 1, 1)
    words = struct.unpack(f"!{(8 + len(payload)) // 2}H", header + payload)
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return struct.pack("!BBHHH", 8, 0, checksum, 1, 1) + payload


def frames_sent(machine: Machine) -> int:
    status = machine.console.check("cat net:status")
    found = re.search(r"eth0:.*?sent (\d+) packets", status, re.DOTALL)
    assert found
    return int(found[1])


@pytest.mark.parametrize("host", [HOST, HOST6])
def test_bytes_from_the_guest(wire: Wire, host: str) -> None:
    console = wire.machine.console
    console.check(f"dd if=random: of=/tmp/sent bs=64k count={SIZE >> 16} 2>&1", timeout=60)
    if host == HOST6:
        await_line(wire.machine, "net:status", "address fd09:")
    before = frames_sent(wire.machine)
    with wire.listen(host) as server:
        console.check(f"nc -N {host} {server.getsockname()[1]} < /tmp/sent &")
        connection, _ = server.accept()
        with connection:
            connection.settimeout(wire.machine.limits.seconds(30))
            got = receive_all(connection)
    assert len(got) == SIZE
    digest = console.check("sha256sum /tmp/sent", timeout=60).split()[0]
    assert hashlib.sha256(got).hexdigest() == digest
    # A device that cuts frames is given long ones.
    full = SIZE // 1460
    assert (frames_sent(wire.machine) - before < full // 2) == wire.offloads


def test_bytes_to_the_guest(wire: Wire) -> None:
    data = secrets.token_bytes(SIZE)
    start_server(wire.machine, "nc -l 7 > /tmp/got")
    with wire.connect(7) as connection:
        connection.sendall(data)
    digest = wire.machine.console.check("wait; sha256sum /tmp/got", timeout=60).split()[0]
    assert digest == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("wire", ["offloads"], indirect=True)
def test_web_page_from_nginx(wire: Wire, tmp_path: Path) -> None:
    """wget fetches a large file from nginx by its name."""
    need("nginx")
    body = secrets.token_bytes(SIZE)
    (tmp_path / "big").write_bytes(body)
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; master_process off; error_log stderr; pid {tmp_path}/nginx.pid;\n"
        "events {}\n"
        f"http {{ access_log off; server {{ listen {HOST}:80; root {tmp_path}; }}\n"
        + "".join(
            f"{kind}_temp_path {tmp_path}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + "}\n"
    )
    wire.namespace.start("/usr/sbin/nginx", "-c", tmp_path / "nginx.conf")
    console = wire.machine.console
    console.check(f"until nc -z {HOST} 80; do sleep 0.1; done", timeout=30)
    console.check("wget -q -O /tmp/got http://the.host/big", timeout=60)
    digest = console.check("sha256sum /tmp/got", timeout=60).split()[0]
    assert digest == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("wire", ["plain"], indirect=True)
def test_many_connections_from_linux(wire: Wire) -> None:
    """One after the other, and many at the same time."""
    start_server(wire.machine, "netbench -s")
    for _ in range(100):
        with wire.connect(5201) as connection:
            connection.sendall(b"c")
            assert connection.recv(1) in (b"", b"c")

    def exchange(failures: list[int]) -> None:
        with wire.connect(5201) as connection:
            connection.sendall(b"p")
            for length in (1, 1000, 5000):
                message = secrets.token_bytes(length)
                connection.sendall(message)
                answer = b""
                while len(answer) < length and (part := connection.recv(length)):
                    answer += part
                if answer != message:
                    failures.append(length)

    failures: list[int] = []
    for _ in range(10):  # netbench serves one at a time; the others wait in its backlog
        threads = [threading.Thread(target=exchange, args=(failures,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures


@pytest.mark.parametrize("wire", ["plain"], indirect=True)
def test_link_that_goes_and_comes(wire: Wire) -> None:
    """The cable is pulled and put in again: the address is asked for anew."""
    for up in (False, True):
        wire.machine.qmp.command("set_link", {"name": "net0", "up": up})
        await_line(wire.machine, "net:status", "dhcp BOUND" if up else "no link")
    assert " 1 received" in wire.machine.console.check(f"ping -c 1 {HOST}")


def scan(wire: Wire, *words: str) -> str:
    seconds = wire.machine.limits.seconds(120)
    return wire.namespace.run("nmap", "-n", "-Pn", "--max-retries", "3", *words, timeout=seconds)


def states(output: str) -> dict[str, str]:
    """What nmap says of each port, by "number/protocol"."""
    return dict(re.findall(r"^(\d+/\w+) +(\S+)", output, re.M))


@pytest.mark.parametrize("wire", ["plain"], indirect=True)
def test_scans_by_nmap(wire: Wire) -> None:
    """Each kind of scan finds what is open, by the answers that the RFCs ask for; the fingerprinting
    throws in what nobody sends, and must find sequence numbers hard to guess."""
    need("nmap")
    console = wire.machine.console
    console.check("services -6 &")
    start_server(wire.machine, "services")
    console.check("until [ $(grep -c LISTEN net:sockets) = 6 ]; do sleep 0.1; done", timeout=60)
    for kind in ("-sS", "-sT"):
        output = scan(wire, kind, "-p", "1-500", wire.address)
        assert "497 closed" in output, output
        assert states(output) == {f"{port}/tcp": "open" for port in (7, 9, 19)}
    for kind in ("-sF", "-sN", "-sX"):  # RFC 9293 3.10.7.2: LISTEN drops them, CLOSED resets
        output = scan(wire, kind, "-p", "7,8", wire.address)
        assert states(output) == {"7/tcp": "open|filtered", "8/tcp": "closed"}, output
    output = scan(wire, "-sA", "-p", "7,8", wire.address)
    assert "2 unfiltered" in output or set(states(output).values()) == {"unfiltered"}, output
    output = scan(wire, "-sU", "-p", "7,8", wire.address)
    assert states(output)["8/udp"] == "closed" and states(output)["7/udp"].startswith("open"), output
    await_line(wire.machine, "net:status", "address fd09:")
    found = re.search(r"address (fd09:[0-9a-f:]+)/64", console.check("cat net:status"))
    assert found
    output = scan(wire, "-6", "-sS", "-p", "7,8", found[1])
    assert states(output) == {"7/tcp": "open", "8/tcp": "closed"}, output
    output = scan(wire, "-O", "-v", "-p", "7,8", wire.address)
    difficulty = re.search(r"TCP Sequence Prediction: Difficulty=(\d+)", output)
    assert difficulty and int(difficulty[1]) >= 200, output
    assert " 1 received" in console.check(f"ping -c 1 {HOST}")
    assert "ESTABLISHED" not in console.check("cat net:sockets")


@pytest.mark.parametrize("wire", ["offloads"], indirect=True)
@pytest.mark.parametrize("direction", ["", "reverse"])
def test_transfer_with_iperf3(wire: Wire, direction: str) -> None:
    """A program that speaks iperf3's protocol sends to its server, and receives from it."""
    need("iperf3")
    server = wire.namespace.start("iperf3", "-s", "-1", "-i", "0", "--forceflush")
    assert server.stdout
    while b"Server listening" not in (line := server.stdout.readline()):
        assert line, "iperf3 does not listen"
    output = wire.machine.console.check(f"/test/iperf {HOST} {direction}", timeout=60)
    moved = re.search(r"(?:sent|received) (\d+) bytes", output)
    assert moved and int(moved[1]) > 1 << 16, output
    report = server.communicate(timeout=wire.machine.limits.seconds(30))[0].decode()
    role = "sender" if direction else "receiver"
    assert server.returncode == 0 and re.search(rf"[KMG]?bits/sec .*{role}", report), report
    print(report)
