"""The network programs on Cairn itself: over its loopback, and on QEMU's user networking."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory

ROUTER = "10.0.2.2"


def await_text(machine: Machine, text: str, name: str) -> None:
    """Wait until a file of the guest has the text in it."""
    machine.console.check(f"until grep -q {text} {name}; do sleep 0.1; done", timeout=60)


@pytest.fixture(scope="module")
def machine(laboratory: Laboratory) -> Iterator[Machine]:
    """One machine for all of them: it has its address, and restrict=on leads nowhere."""
    config = laboratory.config(nets=("user,restrict=on",))
    with Machine(config, laboratory.limits) as machine:
        machine.console.wait_ready()
        await_text(machine, "10.0.2.15/24", "net:status")
        yield machine


def test_net(machine: Machine) -> None:
    shown = machine.console.check("net")
    assert "eth0: up" in shown and "address 10.0.2.15/24" in shown and "dhcp BOUND" in shown
    assert "10.0.2.0/24 via link dev eth0" in machine.console.check("net routes")
    assert "udp" in machine.console.check("net -u sockets")
    assert re.search(r"^udp_in \d+$", machine.console.check("net counters"), re.M)


def test_net_changes(machine: Machine) -> None:
    check = machine.console.check
    check("net address add eth0 192.0.2.9/24")
    assert "address 192.0.2.9/24" in check("net status")
    check("net route add 198.51.100.0/24 via 192.0.2.1")
    assert "198.51.100.0/24 via 192.0.2.1 dev eth0" in check("net routes")
    check("net route remove 198.51.100.0/24 via 192.0.2.1")
    assert "198.51.100.0" not in check("net routes")
    check("net address remove eth0 192.0.2.9")
    assert "192.0.2.9" not in check("net status")
    assert machine.console.run("net address remove eth0 192.0.2.9").status == 1


def test_requests_wait_for_an_address(machine: Machine) -> None:
    """DHCP begins anew, as it does at boot, and who needs an address in that time gets it."""
    output = machine.console.check(f"net dhcp eth0; cat net:status; ping -c 1 {ROUTER}", timeout=60)
    assert "address 10.0.2.15" not in output and "1 received" in output, output


def test_route_by_a_gateway_of_ipv6(machine: Machine) -> None:
    check = machine.console.check
    assert machine.console.run("net route add 2001:db8:7::/48 via 2001:db8::1").status == 1
    check("net address add eth0 2001:db8::2/64; net route add 2001:db8:7::/48 via 2001:db8::1")
    assert "2001:db8:7::/48 via 2001:db8::1 dev eth0" in check("net routes")
    check("net route remove 2001:db8:7::/48 via 2001:db8::1")
    check("net address remove eth0 2001:db8::2")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", ROUTER])
def test_ping(machine: Machine, address: str) -> None:
    output = machine.console.check(f"ping -c 3 -i 0.1 {address}", timeout=60)
    assert output.count(f"bytes from {address}: icmp_seq=") == 3
    assert "3 packets transmitted, 3 received, 0% packet loss" in output


def test_ping_without_answer(machine: Machine) -> None:
    result = machine.console.run("ping -c 1 -W 0.5 10.0.2.77", timeout=60)
    assert result.status == 1 and "100% packet loss" in result.output


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_traceroute(machine: Machine, address: str) -> None:
    lines = machine.console.check(f"traceroute -n -q 1 -w 2 {address}", timeout=60).splitlines()
    assert re.fullmatch(rf" 1  {address}  [\d.]+ ms", lines[1]) and len(lines) == 2


def test_host(machine: Machine) -> None:
    assert "localhost has address 127.0.0.1" in machine.console.check("host localhost")
    assert machine.console.check("host 127.0.0.1").startswith("127.0.0.1 has name localhost")


def test_wget_from_httpd(machine: Machine) -> None:
    check = machine.console.check
    check("mkdir -p /tmp/www && head -c 1000000 random: > /tmp/www/big && mkdir /tmp/got")
    check("httpd -a 127.0.0.1 -p 8080 /tmp/www > /dev/null &")
    await_text(machine, "8080", "net:sockets")
    check("wget -q -P /tmp/got http://127.0.0.1:8080/big", timeout=60)
    check("cmp /tmp/got/big /tmp/www/big")
    check("head -c 300000 /tmp/www/big > /tmp/got/part && cp /tmp/got/part /tmp/got/big")
    check("cd /tmp/got && wget -q -c http://127.0.0.1:8080/big && cd /", timeout=60)
    check("cmp /tmp/got/big /tmp/www/big")
    assert 'href="./big"' in check("wget -qO- http://127.0.0.1:8080/", timeout=60)
    for absent in ("none", "big/", "big/x"):
        assert machine.console.run(f"wget -q http://127.0.0.1:8080/{absent}").status == 8
    assert machine.console.run("wget -q http://127.0.0.1:8081/").status == 4


def test_nc(machine: Machine) -> None:
    check = machine.console.check
    check("nc -N -l 127.0.0.1 9100 < /etc/motd > /tmp/heard & server=$!")
    await_text(machine, "9100", "net:sockets")
    check("echo hello | nc -N 127.0.0.1 9100 > /tmp/answer", timeout=60)
    check("wait $server && cmp /tmp/answer /etc/motd", timeout=60)
    assert check("cat /tmp/heard") == "hello\n"
    assert machine.console.run("nc -z 127.0.0.1 9100").status == 1


def test_services(machine: Machine) -> None:
    check = machine.console.check
    check("services -a 127.0.0.1 > /dev/null &")
    await_text(machine, ":19", "net:sockets")
    assert check("echo again | nc -N 127.0.0.1 7", timeout=60) == "again\n"
    assert check("echo datagram | nc -u -w 1 127.0.0.1 7", timeout=60) == "datagram\n"
    lines = check("nc 127.0.0.1 19 < /dev/null | head -n 2", timeout=60).splitlines()
    assert lines[0] == bytes(range(32, 104)).decode()
    assert lines[1] == bytes(range(33, 105)).decode()


def test_netbench(machine: Machine) -> None:
    check = machine.console.check
    check("netbench -s > /dev/null &")
    await_text(machine, ":5201", "net:sockets")
    output = check("netbench -t 0.5 127.0.0.1", timeout=120)
    modes = [line.split()[0] for line in output.splitlines()]
    assert modes == ["send", "receive", "rtt", "connect"]
    assert all(float(line.split()[1]) > 0 for line in output.splitlines())


def test_tcpdump(machine: Machine) -> None:
    check = machine.console.check
    # the capture has begun when tcpdump has read the file's header and says so
    check("tcpdump -c 2 -w /tmp/trace icmp 2> /tmp/said & capture=$!")
    await_text(machine, "listening", "/tmp/said")
    check(f"ping -q -c 1 {ROUTER}", timeout=60)
    check("wait $capture", timeout=60)
    lines = check("tcpdump -r /tmp/trace").splitlines()
    assert len(lines) == 2
    told = r"id \d+, seq 1, length 64"
    assert re.search(rf"IP 10\.0\.2\.15 > {ROUTER}: ICMP echo request, {told}", lines[0])
    assert re.search(rf"IP {ROUTER} > 10\.0\.2\.15: ICMP echo reply, {told}", lines[1])
