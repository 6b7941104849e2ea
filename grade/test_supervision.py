"""Servers that are killed at random moments while they are used: whoever uses them notices nothing."""

from __future__ import annotations

import hashlib
import os
import re
import secrets

import pytest

from grade.harness.console import Console
from grade.harness.machine import Machine

HARTS = [pytest.param(smp, marks=pytest.mark.machine(smp=smp)) for smp in (1, 4)]
SECONDS = 120.0


def seed() -> int:
    return secrets.randbelow(1 << 30)


@pytest.fixture
def console(machine: Machine) -> Console:
    """The shell, once there is a place for what the killing says."""
    machine.console.check("while ! test -d fs:temp: ; do sleep 0.05; done")
    return machine.console


def under_deaths(console: Console, command: str, deaths: int, *servers: str) -> str:
    """The output of a command beside which servers are killed so often, and what the killing says."""
    killing = f"/test/deaths {deaths} {seed()} {' '.join(servers)} > fs:temp:deaths"
    output = console.check(f"{killing} & {command}; wait", SECONDS)
    said = console.check("cat fs:temp:deaths")
    assert f"deaths: {deaths}, " in said, said
    return output


@pytest.mark.parametrize("smp", HARTS)
def test_pipes_survive_piped(console: Console, smp: int) -> None:
    """Every byte once, in order, through pipes of three programs."""
    last = 200000
    output = under_deaths(
        console, f"seq 1 {last} | cat | sha256sum; seq 1 {last} | sha256sum", 40, "piped"
    )
    first, second = (line.split()[0] for line in output.splitlines() if line.endswith("-"))
    assert first == console.check(f"seq 1 {last} > fs:temp:n && sha256sum < fs:temp:n").split()[0]
    assert second == first


@pytest.mark.parametrize("smp", HARTS)
def test_names_aliases_and_views_survive_nsd(console: Console, smp: int) -> None:
    """What a view hides stays hidden, what it shows stays there, whoever asks at that moment."""
    console.check("ns alias notes: fs:root:home/ && echo kept > /home/note")
    names = console.check("ls -1 ns:")
    seen = "cat notes:note && cat there:note && ! cat /etc/motd 2> /dev/null && ls -1 ns: | wc -l"
    loop = f"n=0; while [ $n -lt 40 ]; do n=$((n + 1)); {seen} || echo BAD $n; done"
    view = f"ns run -x fs:root:etc -b there:=fs:root:home/ sh -c '{loop}'"
    lines = under_deaths(console, view, 40, "nsd").splitlines()
    assert lines[0::3] == lines[1::3] == ["kept"] * 40, lines
    assert len(set(lines[2::3])) == 1, lines
    assert console.check("ls -1 ns:") == names
    assert console.check("ns resolve notes:note") != ""


# Who notices first when this server loses something, as ways of grade/programs/clients.c.
CLIENTS = {"nsd": "names", "blkd": "blocks", "randd": "random"}


@pytest.mark.parametrize("smp", HARTS)
@pytest.mark.parametrize("server", CLIENTS)
def test_client_notices_nothing(console: Console, smp: int, server: str) -> None:
    """Each answer is the right one, and what was asked is done once."""
    way = CLIENTS[server]
    killing = f"/test/deaths 100 {seed()} {server} > fs:temp:deaths; echo > fs:temp:over"
    output = console.check(f"{{ {killing}; }} & /test/clients {way}; wait", SECONDS)
    assert output == f"clients: {way}: right\n"
    assert "deaths: 100, " in console.check("cat fs:temp:deaths")


@pytest.mark.parametrize("smp", HARTS)
def test_characters_typed_survive_consoled(console: Console, smp: int) -> None:
    """Every character once and in order, in lines long and short, however they are typed."""
    lines = [secrets.token_hex(secrets.randbelow(200) + 1) for _ in range(2000)]
    text = "".join(f"{line}\n" for line in lines)
    console.start(f"/test/deaths 60 {seed()} consoled > fs:temp:deaths & cat > fs:temp:typed")
    at = 0
    while at < len(text):
        n = secrets.randbelow(600) + 1
        console.send(text[at : at + n])
        at += n
    console.send(b"\x04")
    console.finish("typing", SECONDS)
    console.finish("typing", SECONDS)
    assert console.run("wait", SECONDS).status == 0
    assert "deaths: 60, " in console.check("cat fs:temp:deaths")
    typed = console.check("sha256sum < fs:temp:typed; wc < fs:temp:typed").split()
    assert typed[0] == hashlib.sha256(text.encode()).hexdigest(), typed


@pytest.mark.parametrize("smp", HARTS)
def test_terminal_survives_consoled(console: Console, smp: int) -> None:
    """A line begun before a death is ended behind it; ^C reaches the job that was in front."""
    console.start(f"/test/deaths 30 {seed()} consoled > fs:temp:deaths & cat")
    for n in range(10):
        console.send(f"half a line {n}")
        console.machine.expect_log("consoled .* serves again")
        console.send(", the other half\n")
        console.expect(f"half a line {n}, the other half\r*\n")
    console.machine.expect_log("consoled .* serves again")
    assert console.interrupt("cat").status == 130
    assert console.run("wait", SECONDS).status == 0
    assert "deaths: 30, " in console.check("cat fs:temp:deaths")


@pytest.mark.parametrize("smp", HARTS)
def test_files_survive_fsd(console: Console, smp: int) -> None:
    """Open files go on, and what was written is there, synced or not. A request whose outcome
    nobody knows fails (EPEER): then the copy is made again, but it is never wrong."""
    console.check("seq 1 100000 > /home/big; sync")
    wanted = console.check("sha256sum < /home/big").strip()
    copying = (
        "while ! test -e fs:temp:over; do if cp /home/big /home/copy; then "
        "cmp /home/big /home/copy && cat /home/copy | sha256sum; echo line >> /home/log; "
        "echo line; else echo again; fi; done"
    )
    killing = f"/test/deaths 40 {seed()} fsd-root > fs:temp:deaths; echo > fs:temp:over"
    output = console.check(f"{{ {killing}; }} & {copying}; wait", SECONDS)
    lines = [line for line in output.splitlines() if "unknown" not in line.lower()]
    assert wanted in lines, output
    assert "deaths: 40, " in console.check("cat fs:temp:deaths")
    assert console.check("wc -l < /home/log").strip() == str(lines.count("line")), output
    assert set(lines) <= {wanted, "line", "again"}, output
    console.machine.expect_log("fs:root: took over")


# The soak: so many deaths, spread over all these. fsd-root is not among them, as it may
# say of a request that its outcome is unknown; fsd-temp keeps its files in its own memory.
DEATHS = int(os.environ.get("CAIRN_DEATHS", "200"))
MORTAL = ("nsd", "piped", "randd", "blkd", "consoled")
LEAK = 128 << 10  # bytes of free memory that may differ: caches that were fuller or emptier


def free_memory(console: Console) -> int:
    """Bytes, once nothing is left of the programs before."""
    return max(int(console.check("free -b").splitlines()[1].split()[3]) for _ in range(5))


def kept_handles(console: Console) -> int:
    """What init holds: its own handles, and those that it keeps for services."""
    state = console.check("cat proc:1:state")
    held = re.search(r"^handles: (\d+)", state, re.MULTILINE)
    assert held, state
    return int(held[1])


def soak(console: Console, deaths: int) -> str:
    """Copies files while servers die; what the killing says."""
    killing = f"/test/deaths {deaths} {seed()} {' '.join(MORTAL)} > /home/deaths; echo > /home/over"
    copying = (
        "while ! test -e /home/over; do cp /home/big /home/copy && cmp /home/big /home/copy && "
        "cat /home/copy | sha256sum; done"
    )
    lines = console.check(f"{{ {killing}; }} & {copying}; wait; rm /home/over", SECONDS).splitlines()
    said = console.check("cat /home/deaths")
    assert f"deaths: {deaths}, " in said, said
    assert set(lines) == {console.check("sha256sum < /home/big").strip()}, lines
    return said


@pytest.mark.parametrize("smp", HARTS)
def test_soak(console: Console, smp: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Hundreds of deaths under load: right bytes, no leak, a clean disk, and a system in order."""
    console.check("seq 1 400000 > /home/big")
    soak(console, len(MORTAL))  # what grows once has grown then
    free = free_memory(console)
    held = kept_handles(console)
    said = soak(console, DEATHS)
    assert kept_handles(console) == held
    after = free_memory(console)
    with capsys.disabled():
        print(f"\\n{smp} hart(s): {said.splitlines()[-1]}; free memory {after - free:+} bytes")
    assert abs(after - free) <= LEAK
    for command in ("echo through | cat", "head -c 8 random: | wc -c", "ls ns: | wc -l"):
        assert console.run(command).status == 0, command
