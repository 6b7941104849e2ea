"""Programs that run on the host: files of the system under test, built natively beside a driver of
the test's own, which reads a workload and prints what came of it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import resource
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from grade.harness.failure import GuestFailure, GuestTimeout, HarnessError, tail
from grade.harness.limits import Limits

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
UNWRITTEN = re.compile(r"exercise \d+\.\d+ is yours to write[^\n]*")
UNWRITTEN_STATUS = 64
COMPILE_SECONDS = 60.0
RUN_SECONDS = 10.0
OUTPUT_BYTES_MAX = 16 << 20
SHOWN = 12


@dataclass(frozen=True)
class HostProgram:
    """A built program. Workloads go in as text, results come out as text."""

    path: Path
    limits: Limits
    reproduce: str  # the command that builds it

    def run(self, text: str, seconds: float = RUN_SECONDS) -> str:
        """Its output. Whatever else than an ordinary end with status 0 fails the test."""
        with tempfile.TemporaryDirectory(prefix="cairn-host-") as folder:
            given, said, errors = (Path(folder) / name for name in ("in", "out", "err"))
            given.write_text(text)
            limit = self.limits.seconds(seconds)
            with given.open() as source, said.open("wb") as out, errors.open("wb") as err:
                try:
                    status = subprocess.run(
                        [str(self.path)],
                        stdin=source,
                        stdout=out,
                        stderr=err,
                        timeout=limit,
                        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
                        preexec_fn=limit_output,
                        check=False,
                    ).returncode
                except subprocess.TimeoutExpired:
                    raise GuestTimeout(
                        f"the host program does not end: {limit:g} s\n{self.how(text)}"
                    ) from None
            output = said.read_text(errors="replace")
            complaint = errors.read_text(errors="replace")
        unwritten = UNWRITTEN.search(complaint)
        if unwritten and status == UNWRITTEN_STATUS:
            raise GuestFailure(unwritten[0])
        if status != 0:
            end = f"signal {-status}" if status < 0 else f"status {status}"
            shown = "\n".join(complaint.split("\n")[:SHOWN])
            raise GuestFailure(
                f"the host program ended with {end}, expected: status 0\n{tail(shown, SHOWN)}\n"
                f"its last lines:\n{tail(output, SHOWN)}\n{self.how(text)}"
            )
        return output

    def how(self, text: str) -> str:
        """How to run it by hand: with the input kept in a file beside the program."""
        kept = self.path.with_suffix(".input")
        kept.write_text(text)
        return f"to run it by hand:\n    {self.reproduce}\n    {self.path} < {kept}"


def limit_output() -> None:
    """In the child: a program that floods its output ends by a signal."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_BYTES_MAX, OUTPUT_BYTES_MAX))


def own_includes(root: Path) -> list[Path]:
    """The libraries' headers, except those of libc: the host has its own."""
    folders = sorted(root.glob("user/*/include"))
    return [folder for folder in folders if folder.parent.name != "libc"]


def build_host_program(
    root: Path,
    build: Path,
    name: str,
    sources: tuple[str, ...],
    flags: tuple[str, ...],
    limits: Limits,
    traced: tuple[str, ...] = (),
) -> HostProgram:
    """Compile sources (paths in the tree) into build/grade/host/. Those in traced are compiled
    with a call at each memory access, which the driver answers, and the whole then without the
    sanitizers. A source that does not compile fails the test."""
    folder = build / "grade" / "host"
    folder.mkdir(parents=True, exist_ok=True)
    words = [os.environ.get("HOSTCC", "clang"), "-std=gnu11", "-g", "-O1", "-D_GNU_SOURCE", "-w"]
    words += ["-Ikernel", "-Iservers", *(f"-I{p}" for p in own_includes(root))]
    words += ["-include", "user/libcairn/include/cairn/exercise.h", *flags]
    program = folder / f"{name}-{digest(root, [*words, *traced], (*sources, *traced))}"
    commands = []
    for source in traced:
        made = f"{program}.{Path(source).stem}.o"
        commands.append([*words, "-fsanitize=thread", "-c", source, "-o", made])
        sources = (*sources, made)
    checks = () if traced else (*SANITIZERS, "-fno-omit-frame-pointer")
    commands.append([*words, *checks, *sources, "-o", str(program)])
    how = f"cd {root} && " + " && ".join(map(" ".join, commands))
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            for old in folder.glob(f"{name}-*"):
                old.unlink()
            for command in commands:
                compile_one(root, command, limits)
    return HostProgram(program, limits, how)


def digest(root: Path, words: list[str], sources: tuple[str, ...]) -> str:
    """Changes with anything that goes into a program: what is there already need not be built."""
    sum_ = hashlib.sha256("\0".join(words).encode())
    parts = ("kernel", "servers", "user", "grade")
    headers = [path for part in parts for path in (root / part).rglob("*.h")]
    for path in (*sorted(headers), *(root / source for source in sources)):
        sum_.update(f"{path}\0".encode())
        sum_.update(path.read_bytes())
    return sum_.hexdigest()[:16]


def compile_one(root: Path, command: list[str], limits: Limits) -> None:
    """Run the compiler; what it complains about is a failure of the system under test."""
    try:
        answer = subprocess.run(
            command,
            cwd=root,
            capture_output=True,
            text=True,
            timeout=limits.seconds(COMPILE_SECONDS),
            check=False,
        )
    except OSError as error:
        raise HarnessError(f"{command[0]} cannot be run: {error}") from None
    except subprocess.TimeoutExpired:
        raise GuestTimeout(f"the compiler does not end: {' '.join(command)}") from None
    if answer.returncode:
        raise GuestFailure(
            f"it does not compile for the host:\n{answer.stderr}\n{' '.join(command)}"
        )
