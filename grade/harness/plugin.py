"""The pytest side of the harness: options, markers and fixtures.

    boot(smp=4, ...)   starts machines; each is ended, checked and cleaned up after the test
    kernel_test(...)   starts a test inside the kernel; bare_program(...): one program as init
    machine            one booted machine with a shell; afterwards it is powered off and its root
                       disk must pass e2fsck. @pytest.mark.machine(smp=4, ...) sets its options
    shell              the shell of a machine that the tests of one file share; for tests that
                       leave nothing behind that could disturb the next
    seed, rng          of the test's random inputs; CAIRN_SEED repeats them
"""

from __future__ import annotations

import os
import random
import re
import secrets
import signal
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grade.harness.console import Console
from grade.harness.disk import check_file_system
from grade.harness.failure import GuestFailure, HarnessError
from grade.harness.guest import GuestRun, new_token, pack_words, write_archive
from grade.harness.limits import Limits, calibrate, from_json, to_json
from grade.harness.machine import Machine
from grade.harness.qemu import Disk, MachineConfig, QemuError

PLAIN = "plain"  # the word that makes init start the shell without echo and prompt
CALIBRATION_VARIABLE = "CAIRN_GRADE_LIMITS"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cairn")
    group.addoption("--build", default=os.environ.get("BUILD", "build"), help="the build folder")
    group.addoption("--qemu", default=os.environ.get("QEMU", "qemu-system-riscv64"))
    group.addoption("--smp", type=int, default=1, help="harts of machines that do not say how many")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "machine(**options): how the machine fixture boots")
    config.addinivalue_line("markers", "fast: part of make check-fast")
    config.addinivalue_line("markers", "exercise(id, points): the exercise that a test grades")
    workers = config.getoption("numprocesses", None)
    if workers and not hasattr(config, "workerinput"):
        measure_once(config.getoption("--qemu"), int(workers))
    # A plain kill must run the fixtures' clean-up as ^C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def measure_once(qemu: str, workers: int) -> None:
    """Calibrate in the controller, while the machine is quiet; the workers inherit the result.
    Without a usable QEMU each test says so itself."""
    try:
        os.environ[CALIBRATION_VARIABLE] = to_json(calibrate(qemu, workers))
    except (HarnessError, QemuError):
        pass


@dataclass
class Laboratory:
    """What a session needs to boot machines."""

    build: Path
    qemu: str
    limits: Limits
    smp: int = 1  # of machines that do not say how many harts they have
    reports: Path = field(init=False)

    def __post_init__(self) -> None:
        self.reports = self.build / "grade"

    @property
    def root_image(self) -> Path:
        return self.build / "root.img"

    def config(
        self,
        *,
        smp: int | None = None,
        mem: str = "256M",
        append: str = "",
        plain: bool = True,
        disks: list[Path | Disk] | None = None,
        nets: tuple[str, ...] = (),
        descriptors: tuple[int, ...] = (),
        icount: bool = False,
        extra: tuple[str, ...] = (),
        kernel: str = "kernel.elf",
        archive: Path | None = None,
        serial_console: bool = False,
    ) -> MachineConfig:
        """disks: instead of the root disk; [] for none. archive: instead of the boot archive. With
        icount and several harts, whatever spins never ends, so icount alone means one hart."""
        words = [PLAIN] if plain else []
        images = [self.root_image] if disks is None else disks
        return MachineConfig(
            kernel=self.build / kernel,
            archive=archive or self.build / "boot.cpio",
            smp=smp if smp is not None else 1 if icount else self.smp,
            memory=mem,
            append=" ".join([*words, *append.split()]),
            disks=tuple(disk if isinstance(disk, Disk) else Disk(disk) for disk in images),
            nets=nets,
            descriptors=descriptors,
            icount=icount,
            qemu=self.qemu,
            serial_console=serial_console,
            extra=extra,
        )

    def keep(self, machine: Machine, name: str) -> None:
        """Keep what a failed test's machine said."""
        folder = self.reports / re.sub(r"[^\w.\[\]-]+", "_", name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kernel.log").write_bytes(machine.log.data)
        (folder / "console.log").write_bytes(machine.console.stream.data)
        (folder / "reproduce").write_text(machine.reproduce() + "\n")


@pytest.fixture(scope="session")
def limits(request: pytest.FixtureRequest) -> Limits:
    """How long things may take here."""
    inherited = os.environ.get(CALIBRATION_VARIABLE)
    return from_json(inherited) if inherited else calibrate(request.config.getoption("--qemu"), 1)


@pytest.fixture(scope="session")
def laboratory(request: pytest.FixtureRequest, limits: Limits) -> Laboratory:
    build = Path(request.config.getoption("--build")).resolve()
    options = request.config.option
    return Laboratory(build, options.qemu, limits, options.smp)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    """Lets fixtures see whether the test itself failed; turns a harness error into an error."""
    outcome = yield
    report = outcome.get_result()
    if call.excinfo is not None and call.excinfo.errisinstance(GuestFailure):
        report.longrepr = str(call.excinfo.value)  # the way through the harness explains nothing
    if call.when == "call":
        item.stash[FAILED] = report.failed
    # A fixture can meet a machine without QEMU as well as a test.
    if call.excinfo is not None and call.excinfo.errisinstance(HarnessError):
        report.sections.append(("infrastructure", "this is not the fault of the system under test"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tests that try many cases say how many: record_property("counted", (what, number))."""
    totals: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == COUNTED:
                totals[value[0]] += value[1]
    for what, number in totals.items():
        terminalreporter.write_line(f"{what}: {number}")


COUNTED = "counted"
FAILED = pytest.StashKey[bool]()


def failed(request: pytest.FixtureRequest) -> bool:
    return bool(request.node.stash.get(FAILED, True))


@pytest.fixture
def seed() -> str:
    return os.environ.get("CAIRN_SEED") or secrets.token_hex(4)


@pytest.fixture
def rng(seed: str) -> random.Random:
    return random.Random(seed)


@pytest.fixture
def boot(
    laboratory: Laboratory, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Machine]]:
    """A function that starts machines and waits for their shell (ready=False: does not)."""
    machines: list[Machine] = []

    def start(*, ready: bool = True, fresh_disks: bool = True, **options: Any) -> Machine:
        machine = Machine(laboratory.config(**options), laboratory.limits, fresh_disks=fresh_disks)
        machines.append(machine)
        if ready:
            machine.console.wait_ready()
        return machine

    yield start
    for index, machine in enumerate(machines):
        if failed(request):
            laboratory.keep(machine, f"{request.node.name}-{index}")
        machine.close()


@pytest.fixture
def kernel_test(
    boot: Callable[..., Machine], tmp_path: Path
) -> Callable[..., GuestRun]:
    """A function that starts a test of the kernel (grade/kernel/test.h) on a workload of words."""

    def start(name: str, words: Iterable[int] = (), **options: Any) -> GuestRun:
        token = new_token()
        workload = tmp_path / f"workload-{token}"
        workload.write_bytes(pack_words(words) or b"\0")
        append = f"test={name} token={token} {options.pop('append', '')}"
        options = {"disks": [], "plain": False, **options}
        machine = boot(
            ready=False, kernel="kernel-test.elf", archive=workload, append=append, **options
        )
        return GuestRun(machine, name, token)

    return start


@pytest.fixture
def bare_program(
    boot: Callable[..., Machine], laboratory: Laboratory, tmp_path: Path
) -> Callable[..., GuestRun]:
    """A function that boots with a program as the first process, such as lab2/threads of
    BUILD/grade, and with further files in the boot archive."""

    def start(program: str, files: dict[str, bytes] | None = None, **options: Any) -> GuestRun:
        token = new_token()
        members = [("init", laboratory.build / "grade" / program), *(files or {}).items()]
        archive = write_archive(tmp_path / f"archive-{token}", members)
        append = f"token={token} {options.pop('append', '')}"
        options = {"disks": [], "plain": False, "kernel": "kernel-test.elf", **options}
        machine = boot(ready=False, archive=archive, append=append, **options)
        return GuestRun(machine, program.split("/")[-1], token)

    return start


def finish_cleanly(machine: Machine) -> None:
    """Power off, then have e2fsck judge the root disk."""
    machine.power_off()
    if machine.config.disks:
        verdict = check_file_system(machine.config.disks[0].path)
        assert verdict.clean, f"e2fsck finds damage after a clean power-off:\n{verdict.text}"


@pytest.fixture
def machine(boot: Callable[..., Machine], request: pytest.FixtureRequest) -> Iterator[Machine]:
    marker = request.node.get_closest_marker("machine")
    machine = boot(**(marker.kwargs if marker else {}))
    yield machine
    if machine.running and not failed(request):
        finish_cleanly(machine)


@dataclass
class SharedMachine:
    """One machine for many tests; started again when a test has lost it."""

    laboratory: Laboratory
    options: dict[str, Any]
    machine: Machine | None = None

    def get(self) -> Machine:
        if self.machine is None:
            self.machine = Machine(self.laboratory.config(**self.options), self.laboratory.limits)
            self.machine.console.wait_ready()
        return self.machine

    def drop(self) -> None:
        if self.machine is not None:
            self.machine.close()
            self.machine = None


@pytest.fixture(scope="module")
def shared_machine(
    laboratory: Laboratory, request: pytest.FixtureRequest
) -> Iterator[SharedMachine]:
    shared = SharedMachine(laboratory, getattr(request.module, "MACHINE_OPTIONS", {}))
    try:
        yield shared
        if shared.machine is not None and shared.machine.running:
            finish_cleanly(shared.machine)
    finally:
        shared.drop()


@pytest.fixture
def shell(shared_machine: SharedMachine, request: pytest.FixtureRequest) -> Iterator[Console]:
    yield shared_machine.get().console
    if failed(request) and shared_machine.machine is not None:
        shared_machine.laboratory.keep(shared_machine.machine, request.node.name)
        shared_machine.drop()
