"""The network as users of `make qemu` have it: QEMU's user networking, and no network at all."""

from __future__ import annotations

import hashlib
import re
import secrets
import selectors
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grade.harness.machine import Machine

Boot = Callable[..., Machine]
USER_ADDRESS = "10.0.2.15"
CONNECTIONS = 500


def user_network(*guest_ports: int) -> str:
    """QEMU's user networking, with ports of the host's choice that lead to these of the guest."""
    forwards = [f"hostfwd=tcp:127.0.0.1:0-:{port}" for port in guest_ports]
    return ",".join(["user", "restrict=on", *forwards])


def await_line(machine: Machine, name: str, text: str) -> None:
    """Wait until a file of the guest has the text in it."""
    machine.console.check(f"until grep -q '{text}' {name}; do sleep 0.1; done", timeout=60)


def start_server(machine: Machine, command: str) -> None:
    """Start a server in the background, and wait until it listens."""
    machine.console.check(f"{command} &")
    await_line(machine, "net:sockets", "LISTEN")


def connect(machine: Machine, guest_port: int) -> socket.socket:
    port = machine.forwarded_port(guest_port)
    connection = socket.create_connection(("127.0.0.1", port), machine.limits.seconds(20))
    connection.settimeout(machine.limits.seconds(20))
    return connection


def receive_all(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


@pytest.fixture
def net(boot: Boot) -> Iterator[Machine]:
    """A machine on user networking that has its address."""
    machine = boot(nets=(user_network(7, 80),))
    await_line(machine, "net:status", f"{USER_ADDRESS}/24")
    yield machine


PROMISES_KEPT = r"\d{3} kept, 0 broken\n"


@pytest.mark.parametrize("program", ["sockets", "socket_messages"])
def test_sockets_over_the_loopback_without_a_device(boot: Boot, program: str) -> None:
    """netd is there on a machine without a network, and libc's sockets keep their promises."""
    machine = boot()
    assert "eth0" not in machine.console.check("cat net:status")
    output = machine.console.run(f"/test/{program}", timeout=60).output
    assert re.fullmatch(PROMISES_KEPT, output), output
    assert "ESTABLISHED" not in machine.console.check("cat net:sockets")


def test_linux_keeps_the_same_promises(tmp_path: Path) -> None:
    """What socket_messages.c asks for is what Linux does."""
    if not shutil.which("cc"):
        pytest.skip("cc is not installed")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as reason:
        pytest.skip(f"this machine has no IPv6: {reason}")
    program = tmp_path / "socket_messages"
    source = Path(__file__).parent / "programs" / "socket_messages.c"
    subprocess.run(["cc", "-D_GNU_SOURCE", source, "-o", program, "-lpthread"], check=True)
    output = subprocess.run([program], capture_output=True, text=True, timeout=60).stdout
    assert re.fullmatch(PROMISES_KEPT, output), output


def test_nothing_is_left_of_a_program_that_died(boot: Boot) -> None:
    """Its sockets are freed: listening ones, connected ones, and requests that waited."""
    machine = boot()
    before = machine.console.check("grep '^packets_in_use\\|^sockets' net:counters")
    machine.console.check("nc -l 99 > /tmp/out & echo $! > /tmp/pid")
    await_line(machine, "net:sockets", "LISTEN")
    machine.console.check("nc 127.0.0.1 99 < /dev/null & true")
    await_line(machine, "net:sockets", "ESTABLISHED")
    machine.console.check("kill -9 $(cat /tmp/pid)")
    machine.console.check("while grep -q 'ESTABLISHED\\|LISTEN' net:sockets; do sleep 0.1; done", 60)
    assert machine.console.check("grep '^packets_in_use\\|^sockets' net:counters") == before


def test_address_by_dhcp(net: Machine) -> None:
    status = net.console.check("cat net:status")
    assert re.search(r"dhcp BOUND", status), status
    assert "10.0.2.0/24" in net.console.check("cat net:routes")


def test_prompt_does_not_wait_for_dhcp(boot: Boot) -> None:
    """On a wire where nobody answers the shell is there all the same, and a fallback comes."""
    machine = boot(nets=("peer",))
    assert USER_ADDRESS not in machine.console.check("cat net:status")
    await_line(machine, "net:status", f"{USER_ADDRESS}/24")
    assert "fallback" in machine.console.check("cat net:status")


def test_host_is_out_of_reach(net: Machine) -> None:
    """A port that is open on the host cannot be reached from the guest."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        port = server.getsockname()[1]
        for address in ("10.0.2.2", "127.0.0.1"):
            assert net.console.run(f"nc -z -w 2 {address} {port}", timeout=30).status != 0
        with pytest.raises(TimeoutError):
            server.accept()


def test_file_over_http_byte_for_byte(net: Machine) -> None:
    net.console.check("mkdir /tmp/www && dd if=random: of=/tmp/www/big bs=64k count=128 2>&1", 120)
    digest = net.console.check("sha256sum /tmp/www/big", timeout=60).split()[0]
    start_server(net, "httpd /tmp/www > /tmp/log")
    url = f"http://127.0.0.1:{net.forwarded_port(80)}/big"
    seconds = str(net.limits.seconds(60))
    fetched = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", seconds, url],
        capture_output=True,
        check=True,
    ).stdout
    assert len(fetched) == 128 << 16
    assert hashlib.sha256(fetched).hexdigest() == digest


def test_bytes_both_ways(net: Machine) -> None:
    """nc in the guest, a plain socket here: each side sends, ends, and gets all of the other's."""
    data = secrets.token_bytes(100_000)
    net.console.check("dd if=random: of=/tmp/sent bs=1000 count=200 2>&1")
    start_server(net, "nc -l -N 7 < /tmp/sent > /tmp/got")
    with connect(net, 7) as connection:
        connection.sendall(data)
        answer = receive_all(connection)
        connection.shutdown(socket.SHUT_WR)
    sums = net.console.check("wait; sha256sum /tmp/sent /tmp/got", timeout=60).split()
    assert sums[0] == hashlib.sha256(answer).hexdigest()
    assert sums[2] == hashlib.sha256(data).hexdigest()


def test_five_hundred_connections_at_once(net: Machine) -> None:
    """All are open before the first one asks; each is answered."""
    net.console.check("mkdir /tmp/www && echo 'here you are' > /tmp/www/small")
    start_server(net, f"httpd -n {CONNECTIONS + 12} /tmp/www > /tmp/log")
    connections = [connect(net, 80) for _ in range(CONNECTIONS)]
    try:
        # `grep -c` counts what the guest has accepted: no request was sent so far.
        net.console.check(
            f"until [ $(grep -c ESTABLISHED net:sockets) -ge {CONNECTIONS} ]; do sleep 0.2; done",
            timeout=120,
        )
        for connection in connections:
            connection.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert served(connections, net.limits.seconds(120)) == CONNECTIONS
    finally:
        for connection in connections:
            connection.close()


def served(connections: list[socket.socket], seconds: float) -> int:
    """How many connections end with the file."""
    selector = selectors.DefaultSelector()
    texts = {connection: b"" for connection in connections}
    for connection in connections:
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)
    while selector.get_map() and (events := selector.select(seconds)):
        for key, _ in events:
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            try:
                part = connection.recv(4096)
            except ConnectionError:
                part = b""
            texts[connection] += part
            if not part:
                selector.unregister(connection)
    return sum(text.endswith(b"here you are\n") for text in texts.values())


def test_guest_fetches_through_a_forward(boot: Boot, tmp_path: Path) -> None:
    """GUESTFWD: a service of the test's own, which QEMU starts for each connection."""
    body = secrets.token_hex(40_000)
    (tmp_path / "body").write_text(body)
    service = tmp_path / "serve.py"
    service.write_text(
        "import pathlib, sys\n"
        "for line in sys.stdin:\n"
        "    if not line.strip():\n"
        "        break\n"
        f"body = pathlib.Path({str(tmp_path / 'body')!r}).read_text()\n"
        "sys.stdout.write('HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(body) + body)\n"
        "sys.stdout.flush()\n"
        "sys.stdin.read()\n"
    )
    forward = f"guestfwd=tcp:10.0.2.100:80-cmd:{sys.executable} {service}"
    machine = boot(nets=(f"user,restrict=on,{forward}",))
    await_line(machine, "net:status", f"{USER_ADDRESS}/24")
    machine.console.check("wget -q -O /tmp/got http://10.0.2.100/", timeout=60)
    digest = hashlib.sha256(body.encode()).hexdigest()
    assert machine.console.check("sha256sum /tmp/got").split()[0] == digest


def test_netd_that_is_killed_is_replaced(net: Machine) -> None:
    """Who had a socket gets an error, and after that there are sockets again."""
    start_server(net, "nc -l 7 > /tmp/first 2> /tmp/error")
    net.console.check("kill -9 $(grep ' netd$' proc:list: | cut -c1-5)")
    net.console.check("wait", timeout=60)
    assert "reset" in net.console.check("cat /tmp/error")
    await_line(net, "net:status", f"{USER_ADDRESS}/24")
    start_server(net, "nc -l 7 > /tmp/second")
    with connect(net, 7) as connection:
        connection.sendall(b"again\n")
    assert net.console.check("wait; cat /tmp/second", timeout=60) == "again\n"
