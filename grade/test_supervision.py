"""Servers that are killed at random moments while they are used: whoever uses them notices nothing."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from grade.harness.console import Console
from grade.harness.guest import write_archive
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory

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
@pytest.mark.parametrize("folder, other", [("fs:root:home/", "fs:temp:"), ("fs:temp:", "fs:root:home/")])
def test_files_survive_fsd(console: Console, smp: int, folder: str, other: str) -> None:
    """Open files go on, and what was written is there, synced or not. A request whose outcome
    nobody knows fails (EPEER): then the copy is made again, but it is never wrong."""
    server = f"fsd-{folder.split(':')[1]}"
    console.check(f"seq 1 100000 > {folder}big; sync")
    wanted = console.check(f"sha256sum < {folder}big").strip()
    copying = (
        f"while ! test -e {other}over; do if cp {folder}big {folder}copy; then "
        f"cmp {folder}big {folder}copy && cat {folder}copy | sha256sum; echo line >> {folder}log; "
        "echo line; else echo again; fi; done"
    )
    killing = f"/test/deaths 40 {seed()} {server} > {other}deaths; echo > {other}over"
    output = console.check(f"{{ {killing}; }} & {copying}; wait", SECONDS)
    lines = [line for line in output.splitlines() if "unknown" not in line.lower()]
    assert wanted in lines, output
    assert "deaths: 40, " in console.check(f"cat {other}deaths")
    assert console.check(f"wc -l < {folder}log").strip() == str(lines.count("line")), output
    assert set(lines) <= {wanted, "line", "again"}, output
    console.machine.expect_log(f"fs:{folder.split(':')[1]}: took over")


@pytest.mark.parametrize("smp", HARTS)
def test_jobs_survive_fsd(console: Console, smp: int) -> None:
    """Who waits for a pulse gets it, from whichever process finishes the job."""
    loop = "while ! test -e fs:temp:over; do echo $((n = n + 1)) > /home/n; sync -v || echo BAD; done"
    killing = f"/test/deaths 40 {seed()} fsd-root > fs:temp:deaths; echo > fs:temp:over"
    lines = console.check(f"n=0; {{ {killing}; }} & {loop}; wait", SECONDS).splitlines()
    assert "deaths: 40, " in console.check("cat fs:temp:deaths")
    started = [line for line in lines if re.fullmatch(r"fs:root: job \d+ started", line)]
    assert "BAD" not in lines and len(set(started)) == lines.count("fs:root: written") > 5, lines


# The soak: so many deaths, spread over all these.
DEATHS = int(os.environ.get("CAIRN_DEATHS", "200"))
MORTAL = ("nsd", "piped", "randd", "blkd", "consoled", "fsd-root", "fsd-temp", "netd")
LEAK = 128 << 10  # bytes of free memory that may differ: caches that were fuller or emptier


def free_memory(console: Console) -> int:
    """Bytes, once nothing is left of the programs before."""
    return max(int(console.check("free -b").splitlines()[1].split()[3]) for _ in range(5))


def fill_temporary(console: Console) -> None:
    """Touch all the memory that fs:temp: will ever take: the disk's blocks, and around its journal."""
    console.run("cat /dev/zero > fs:temp:fill 2> null:", SECONDS)
    again = "n=$((n + 1)); echo $n > fs:temp:fill; sync fs:temp:fill"
    console.check(f"n=0; while [ $n -lt 400 ]; do {again}; done; rm fs:temp:fill", SECONDS)


def kept_handles(console: Console) -> int:
    """What init holds: its own handles, and those that it keeps for services."""
    state = console.check("cat proc:1:state")
    held = re.search(r"^handles: (\d+)", state, re.MULTILINE)
    assert held, state
    return int(held[1])


def soak(console: Console, deaths: int) -> str:
    """Copies files while servers die; what the killing says."""
    killing = f"/test/deaths {deaths} {seed()} {' '.join(MORTAL)}"
    copying = (
        "while ! test -e fs:temp:over; do if cp /home/big /home/copy; then "
        "cmp /home/big /home/copy && cat /home/copy | sha256sum; else echo again; fi; "
        "cp /home/small fs:temp:small && cmp /home/small fs:temp:small || echo again; done"
    )
    command = f"{{ {killing}; echo > fs:temp:over; }} & {copying}; wait; rm fs:temp:over"
    lines = console.check(command, SECONDS).splitlines()
    said = [line for line in lines if re.match(r"(deaths|[a-z-]+): \d", line)]
    assert said[-1].startswith(f"deaths: {deaths}, "), lines
    # A copy whose request's outcome nobody knows (EPEER) says so, and is made again.
    wanted = console.check("sha256sum < /home/big").strip()
    seen = {line for line in lines if "unknown" not in line.lower() and line not in said}
    assert wanted in seen and seen <= {wanted, "again"}, lines
    return said[-1]


@pytest.mark.parametrize("smp", HARTS)
def test_soak(console: Console, smp: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Hundreds of deaths under load: right bytes, no leak, a clean disk, and a system in order."""
    console.check("seq 1 400000 > /home/big; seq 1 50000 > /home/small")
    fill_temporary(console)
    soak(console, len(MORTAL))  # what grows once has grown then
    free = free_memory(console)
    held = kept_handles(console)
    said = soak(console, DEATHS)
    assert kept_handles(console) == held
    after = free_memory(console)
    with capsys.disabled():
        print(f"\n{smp} hart(s): {said}; free memory {after - free:+} bytes")
    assert abs(after - free) <= LEAK
    for command in ("echo through | cat", "head -c 8 random: | wc -c", "ls ns: | wc -l"):
        assert console.run(command).status == 0, command


# ---- A service that misbehaves ----------------------------------------------------------------

STUCK = b"""
service stuck
    run stuck
    keep 4k
    serves stuck:
    heartbeat 4000
    restart always limit 4 backoff 20

"""


@pytest.fixture
def stuck(boot: Callable[..., Machine], laboratory: Laboratory, tmp_path: Path) -> Console:
    """The shell of a machine that has a service called stuck, too (grade/programs/stuck.c)."""
    services = Path("servers/init/services.conf").read_bytes()
    at = services.index(b"# The terminal's user.")
    files = [laboratory.build / "boot" / name for name in os.listdir(laboratory.build / "boot")]
    files += [laboratory.build / "bin" / "sh", laboratory.build / "test" / "stuck"]
    members: list[tuple[str, bytes | Path]] = [(path.name, path) for path in files]
    members.append(("services.conf", services[:at] + STUCK + services[at:]))
    return boot(archive=write_archive(tmp_path / "archive", members)).console


def reason(console: Console) -> str:
    """The line of the service in sys:services."""
    return console.check("grep '^stuck ' sys:services")


@pytest.mark.parametrize("way", ["spin", "wait"])
def test_hung_service_is_killed_and_comes_back(stuck: Console, way: str) -> None:
    """Running for ever, or waiting for ever; whoever waited for it gets an answer."""
    result = stuck.run(f"cat stuck:{way}", SECONDS)
    assert "File exists" in result.output
    log = r"stuck \(pid \d+\) was killed: it did not answer for 4000 ms"
    stuck.machine.expect_log(log + r"[\s\S]*stuck \(pid \d+\) serves again")
    assert re.match(r"stuck +\d+ running +1 .*it did not answer for 4000 ms", reason(stuck))


def test_service_that_works_long_is_left_alone(stuck: Console) -> None:
    """It answers between its requests, and each takes less than its heartbeat."""
    loop = "n=0; while [ $n -lt 8 ]; do n=$((n + 1)); cat stuck:work; done"
    assert stuck.run(loop, SECONDS).output.count("No such file") == 8
    assert re.match(r"stuck +\d+ running +0 +0 ", reason(stuck))


def test_mad_service_harms_nobody(stuck: Console) -> None:
    names = stuck.check("ls -1 ns:")
    assert "File exists" in stuck.run("cat stuck:rave", SECONDS).output
    assert "died of fault" in reason(stuck)
    assert stuck.check("ls -1 ns:") == names
    for name in ("nsd", "piped", "blkd", "consoled", "fsd-root", "fsd-temp", "netd"):
        assert re.search(rf"^{name} +\d+ running +0 ", stuck.check("cat sys:services"), re.M), name


def test_back_off_and_limit(stuck: Console) -> None:
    """Deaths in a row: longer and longer pauses, what it had kept is suspected, then the end."""
    result = stuck.run("cat stuck:fatal", SECONDS)
    assert result.status != 0
    log = stuck.machine.log.text()
    assert log.count("stuck (pid") >= 10 and "stuck is not started again: it died too often" in log
    assert len(re.findall(r"stuck \(pid \d+\) died of fault", log)) == 5
    assert log.count("stuck begins anew: it died 3 times in a row with what it had kept") == 1
    assert re.match(r"stuck +0 ended +4 +5 .* died of fault", reason(stuck))
    assert stuck.run("cat stuck:spin").status != 0  # at once: nobody will ever answer


# ---- Limits -------------------------------------------------------------------------------------

# What a greedy client takes (grade/programs/greedy.c): how many it gets, and the refusal. (Not reads of
# the console, which would take what the harness types: consoled's host tests have those.)
LIMITS = {
    "files": (256, {errno.EMFILE}),
    "temporary": (256, {errno.EMFILE}),
    "disk": (64, {errno.EMFILE}),
    "listings": (16, {errno.EMFILE}),
    "facts": (32, {errno.EMFILE}),
    "aliases": (64, {errno.EDQUOT}),
    "views": (16, {errno.EDQUOT}),
    "pipes": (32, {errno.EMFILE}),
    "waiters": (8, {errno.EAGAIN}),
    "reads": (64, {errno.EAGAIN}),
    "handles": (2048, {errno.EMFILE}),
    "memory": (160, {errno.ENOMEM}),
    "channels": (2048, {errno.EMFILE}),
    "threads": (128, {errno.EAGAIN}),
}
# What the bystander keeps at least. A second hart of the guest takes a core of the host's, which the
# bystander's hart may have to share with it: what is measured there is the host's scheduler as well.
KEPT_PERCENT = {1: 50, 4: 25}
TRIES = 3  # the harts of a machine that is busy do not run at the same time


@pytest.mark.parametrize("smp", HARTS)
@pytest.mark.parametrize("way", LIMITS)
def test_greedy_client_is_refused(
    console: Console, smp: int, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gets what is its share and an error, and a bystander keeps its own (KEPT_PERCENT)."""
    console.check("echo > fs:temp:greedy")
    for _ in range(TRIES):
        said = console.check(f"/test/greedy {way}", SECONDS)
        found = re.search(r"limit (\d+), then (\d+), error (\d+); .* (\d+) %", said)
        assert found, said
        with capsys.disabled():
            print(f"\n{smp} hart(s): {said.strip()}")
        if int(found[4]) >= KEPT_PERCENT[smp]:
            break
    most, errors = LIMITS[way]
    assert 0 < int(found[1]) <= most and int(found[2]) == int(found[1])
    assert int(found[3]) in errors
    assert int(found[4]) >= KEPT_PERCENT[smp]
