"""Exercise 4.9, and with it the whole lab: a shell that finds its programs by name, and namespaces
of programs as the programs see them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from grade.harness.console import SERIAL_READY, Console
from grade.harness.failure import UNWRITTEN
from grade.harness.guest import pack_words, write_archive
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory
from grade.lab4 import model
from grade.lab4.guest import BOOT_SECONDS, with_payload
from grade.lab4.native import Dice, Outcome, Step, first_wrong, shown
from grade.lab4.workload import Workload, random_name, random_uri

Boot = Callable[..., Machine]
CHANNELS = 64
NOT_FOUND = 127
NO_SHELL = r"no terminal|is not started again|cannot be started|init: sh .*(?:exited|died|killed)"

SERVICES = b"""service nsd
    run nsd
    namespace
    give sys:console sys:facts sys:stats sys:clock sys:process sys: proc: time: boot:
    priority 26

service piped
    run piped
    serves pipe:
    priority 22

service consoled
    run consoled
    serves console:
    priority 23

shell sh
    run sh
    env PATH=/bin HOME=/ TERM=vt100 PWD=/ STDIO=console:
    quota pages=40k handles=2k threads=128 channels=2k
"""
SERVERS = ("init", "nsd", "piped", "consoled")


def boot_shell(
    boot: Boot, laboratory: Laboratory, archive: Path, programs: dict[str, bytes | Path]
) -> Console:
    """A shell on the serial line of a machine with these programs in its boot archive."""
    built = [f"boot/{name}" for name in SERVERS] + ["bin/sh", "bin/ns"]
    members = {Path(path).name: laboratory.build / path for path in built} | programs
    write_archive(archive, [("services.conf", SERVICES), *members.items()])
    machine = boot(ready=False, archive=archive, disks=[], serial_console=True)
    ends = rf"{SERIAL_READY}|{UNWRITTEN}|{NO_SHELL}"
    began = machine.expect_log(ends, BOOT_SECONDS)[0].decode()
    missing = re.search(UNWRITTEN, machine.log.text())
    if missing:
        pytest.fail(missing[0], pytrace=False)
    if re.search(NO_SHELL, began):
        pytest.fail(str(machine.report("there is no shell", "one on the UART")), pytrace=False)
    machine.log.position = 0
    machine.console.wait_ready(BOOT_SECONDS)
    return machine.console


def fail(what: str, dice: Dice) -> None:
    pytest.fail(f"{what}\n{dice.again}", pytrace=False)


# ---- Programs -----------------------------------------------------------------------------------


@pytest.mark.exercise("4.9", points=3)
def test_shell_finds_programs_by_name(boot: Boot, laboratory: Laboratory, tmp_path: Path) -> None:
    """Programs with random names, each with its own secret; through an alias, too, and not at all
    in a namespace without their prefix."""
    dice = Dice.fresh()
    pick = dice.random
    secret = laboratory.build / "grade/lab4/secret"
    names = pick.sample([f"{a}{b}" for a in ("run", "do", "my", "x") for b in range(100, 200)], 5)
    secrets = {name: (pick.getrandbits(60), pick.randrange(1, 100)) for name in names}
    programs = {name: with_payload(secret, pack_words(secrets[name])) for name in names}
    console = boot_shell(boot, laboratory, tmp_path / "archive", dict(programs))
    for name in pick.sample(names, len(names)):
        word, status = secrets[name]
        found = {
            f"{name} a b": (f"{word:x} a b\n", status),
            f"ns run -b tools:=boot: tools:{name} c": (f"{word:x} c\n", status),
            f"ns run -x boot:sh boot:{name}": (f"{word:x}\n", status),
        }
        for command, expected in found.items():
            result = console.run(command)
            if (result.output, result.status) != expected:
                seen = (result.output, result.status)
                fail(f"`{command}`: expected (output, status) {expected}, seen {seen}", dice)
    hidden = f"boot:{names[0]}"
    in_vain = [f"ns run {view} {hidden}" for view in (f"-x {hidden}", "-x boot:", "-e")]
    for command in (f"{names[0]}x", *in_vain):
        result = console.run(command)
        if result.status != NOT_FOUND:
            fail(f"`{command}` must find nothing (status {NOT_FOUND}), seen {result}", dice)
    console.machine.console.send("exit\n")
    console.machine.wait_exit()


# ---- Namespaces ---------------------------------------------------------------------------------


class GuestWorkload(Workload):
    """As on the host, but a client of nsd sees of an answer only the rest."""

    def resolve(self, view: int, uri: bytes, size: int = 0) -> None:
        answer = self.table.resolve(view, uri, 1 << 10)
        if isinstance(answer, int):
            expected = str(answer)
        else:
            depth = "deeper" if answer.deeper else "final"
            rest = answer.uri[answer.matched :]
            expected = f"{answer.handle} ={rest.hex()} {answer.matched} {depth}"
        told = f"resolve {shown(uri)} in view {view}"
        self.steps.append(Step(f"resolve {view} 0 {uri.hex()}", told, expected))


def random_workload(dice: Random) -> GuestWorkload:
    """A few names, some views with rules, and many questions."""
    work = GuestWorkload()
    handles = iter(range(1, CHANNELS))
    views = [0]
    for _ in range(12):
        work.random_entry(dice, 0, next(handles), aliases=0.4)
    for _ in range(6):
        parent = dice.choice(views)
        views.append(work.view(parent, empty=dice.random() < 0.1))
        for _ in range(dice.randint(1, 4)):
            work.random_rule(dice, views[-1], next(handles))
        if dice.random() < 0.5:
            work.random_entry(dice, views[-1], next(handles), aliases=0.3)
        for _ in range(8):
            work.resolve(dice.choice(views), random_uri(dice, work.names))
    for _ in range(80):
        work.resolve(dice.choice(views), random_uri(dice, work.names))
    return work


def random_options(dice: Random, work: Workload) -> tuple[str, int]:
    """Options for `ns run`, and the number of the model's view that they make."""
    view = work.table.view_create(0, False, False)
    options = []
    shows = False
    for _ in range(dice.randint(1, 4)):
        name = dice.choice([*work.names, random_name(dice, 2)])
        target = dice.choice([*work.names, random_name(dice, 2)])
        kind = dice.choice(("show", "hide", "rebind"))
        if work.table.add_rule(view, model.Rule(kind, name, target if kind == "rebind" else b"")):
            continue
        shows |= kind == "show"
        text = name.decode()
        if kind == "rebind":
            options.append(f"-b {shlex.quote(f'{text}={target.decode()}')}")
        else:
            options.append(f"{'-o' if kind == 'show' else '-x'} {shlex.quote(text)}")
    if shows:  # or the program itself would not be found
        work.table.add_rule(view, model.Rule("show", b"boot:"))
        options.append("-o boot:")
    return " ".join(options), view


def is_text(uri: bytes) -> bool:
    """Not cut within a character: the terminal would not like it."""
    return uri.decode(errors="replace").encode() == uri


def found_lines(work: Workload, view: int, uris: list[bytes], ids: list[str]) -> list[str]:
    """What `ns resolve` prints of those that are found."""
    lines = []
    for uri in uris:
        answer = work.table.resolve(view, uri, 1 << 10)
        if not isinstance(answer, int):
            rest = answer.uri[answer.matched :].decode()
            lines.append(f'{uri.decode()}: channel {ids[answer.handle]}, rest "{rest}"')
    return lines


@pytest.mark.exercise("4.9", points=4)
def test_private_namespaces(boot: Boot, laboratory: Laboratory, tmp_path: Path) -> None:
    """A program with random views, then programs started in namespaces of their own."""
    dice = Dice.fresh()
    pick = dice.random
    work = random_workload(pick)
    text = "".join(f"{step.command}\n" for step in work.steps).encode() + b"\0"
    names = with_payload(laboratory.build / "grade/lab4/names", text)
    console = boot_shell(boot, laboratory, tmp_path / "archive", {"names": names})
    result = console.run("names")
    ids, _, output = result.output.partition("\n")
    lines = output.split("\n")[:-1]
    problem = first_wrong(work.steps, Outcome(lines, f"status {result.status}"), dice)
    if problem:
        pytest.fail(problem, pytrace=False)
    for view in [view for view in work.table.views if view]:
        work.table.view_drop(view)  # the program has ended
    for _ in range(8):
        uris = [uri for uri in (random_uri(pick, work.names) for _ in range(5)) if is_text(uri)]
        options, view = random_options(pick, work)
        asked = " ".join(shlex.quote(uri.decode()) for uri in uris)
        command = f"ns run {options} boot:ns resolve {asked}"
        result = console.run(command)
        seen = [line for line in result.lines if ": channel " in line]
        expected = found_lines(work, view, uris, ids.split())
        if seen != expected:
            told = "\n    ".join(["  expected to be found:", *expected, "seen:", *result.lines])
            fail(f"`{command}`\n{told}", dice)
        work.table.view_drop(view)
    console.machine.console.send("exit\n")
    console.machine.wait_exit()
