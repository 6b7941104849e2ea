"""Programs that run on the host: files of the system under test, built natively beside a driver of
the test's own, which reads a workload and prints what came of it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import resource
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from grade.harness.child import death_signal
from grade.harness.failure import UNWRITTEN, GuestFailure, GuestTimeout, HarnessError, tail
from grade.harness.limits import Limits

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
COMPLAINT = re.compile(r"runtime error:|ERROR: AddressSanitizer")
FRAME = re.compile(r"\s*#\d+ \S+ in \S+ (kernel|servers|user)/")
UNWRITTEN_STATUS = 64
COMPILE_SECONDS = 60.0
RUN_SECONDS = 10.0
OUTPUT_BYTES_MAX = 16 << 20  # of each file that a program writes
SHOWN = 12


@dataclass(frozen=True)
class End:
    """What came of one run."""

    status: int | None  # None: the time was up; negative: a signal
    seconds: float  # the time that it had
    output: str
    errors: str

    @property
    def unwritten(self) -> str:
        """What a stub said that ended the program, if one did."""
        said = re.search(UNWRITTEN, self.errors) if self.status == UNWRITTEN_STATUS else None
        return said[0] if said else ""

    @property
    def problem(self) -> str:
        """What is wrong with this end, in a line; nothing if it is an ordinary one."""
        if self.status is None:
            return f"it does not come back (after {self.seconds:g} s)"
        if self.status == 0:
            return ""
        if self.status == -signal.SIGXFSZ:
            return "it floods its output"
        report = self._sanitizers_report()
        if self.unwritten or report:
            return self.unwritten or report[0]
        if self.status < 0:
            return f"it died of {signal.Signals(-self.status).name}"
        return f"it ended with status {self.status}"

    @property
    def details(self) -> list[str]:
        """What else there is to say about it: where a sanitizer stopped it, or its last words."""
        report = self._sanitizers_report()
        if report:
            return report[1 : 1 + SHOWN]
        words = (self.errors.strip() or self.output).split("\n")
        return [line for line in words if line.strip()][-SHOWN:]

    def _sanitizers_report(self) -> list[str]:
        """Of a sanitizer's report the lines that concern the files under test."""
        lines = self.errors.split("\n")
        return [line.strip() for line in lines if COMPLAINT.search(line) or FRAME.match(line)]


@dataclass(frozen=True)
class HostProgram:
    """A built program. Workloads go in as text, results come out as text."""

    path: Path
    root: Path
    limits: Limits
    reproduce: str  # the command that builds it

    def execute(
        self,
        *arguments: str,
        text: str = "",
        seconds: float = RUN_SECONDS,
        bytes_max: int = OUTPUT_BYTES_MAX,
    ) -> End:
        """Run it with this on its standard input, however it ends."""
        with tempfile.TemporaryDirectory(prefix="cairn-host-") as folder:
            given, said, errors = (Path(folder) / name for name in ("in", "out", "err"))
            given.write_text(text)
            limit = self.limits.seconds(seconds)
            with given.open() as source, said.open("wb") as out, errors.open("wb") as err:
                try:
                    status = subprocess.run(
                        [str(self.path), *arguments],
                        stdin=source,
                        stdout=out,
                        stderr=err,
                        timeout=limit,
                        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
                        preexec_fn=leash(bytes_max),  # noqa: PLW1509
                        check=False,
                    ).returncode
                except subprocess.TimeoutExpired:
                    status = None
            output, complaint = (self._read(path) for path in (said, errors))
        return End(status, limit, output, complaint)

    def _read(self, path: Path) -> str:
        with path.open("rb") as file:
            text = file.read(OUTPUT_BYTES_MAX).decode(errors="replace")
        return text.replace(f"{self.root}/", "")

    def run(self, text: str, seconds: float = RUN_SECONDS) -> str:
        """Its output. Whatever else than an ordinary end with status 0 fails the test."""
        end = self.execute(text=text, seconds=seconds)
        self.judge(end, text)
        return end.output

    def judge(self, end: End, text: str) -> None:
        """Fail the test unless this is an ordinary end of a run with this input."""
        if end.unwritten:
            raise GuestFailure(end.unwritten)
        if end.problem:
            details = "".join(f"    {line}\n" for line in end.details)
            raise (GuestTimeout if end.status is None else GuestFailure)(
                f"the host program: {end.problem}\nexpected: it ends with status 0\n{details}"
                f"its last lines:\n{tail(end.output, SHOWN)}\n{self.how(text)}"
            )

    def how(self, text: str) -> str:
        """How to run it by hand: with the input kept in a file beside the program."""
        kept = self.path.with_suffix(".input")
        kept.write_text(text)
        return f"to run it by hand:\n    {self.reproduce}\n    {self.path} < {kept}"


class HostSession:
    """A running program that is asked line by line: after each answer it waits for the next line.
    An answer's last line is "."."""

    def __init__(self, program: HostProgram, first: str) -> None:
        self.program = program
        self.said: list[str] = []  # the lines it was given: they repeat the run
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [str(program.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
            preexec_fn=leash(OUTPUT_BYTES_MAX),  # noqa: PLW1509
        )
        self._output = bytearray()
        self._taken = 0
        self._say(first)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self.said.append(line)
        try:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # its end will be judged when its answer does not come

    def ask(self, line: str) -> list[str]:
        """The lines of its answer. Any end of the program fails the test."""
        self._say(line)
        deadline = time.monotonic() + self.program.limits.seconds(RUN_SECONDS)
        while not (end := self._end_of_answer()):
            if not self._read(deadline):
                self._fail()
        answer = self._output[self._taken : end].decode(errors="replace").splitlines()[:-1]
        self._taken = end
        return answer

    def _end_of_answer(self) -> int:
        if self._output.startswith(b".\n", self._taken):
            return self._taken + 2
        found = self._output.find(b"\n.\n", self._taken)
        return found + 3 if found >= 0 else 0

    def _read(self, deadline: float) -> bool:
        """More of its output. False: there is none, or too much, or the time is up."""
        assert self._process.stdout is not None
        wait = max(0.0, deadline - time.monotonic())
        if not select.select([self._process.stdout], [], [], wait)[0]:
            return False
        data = os.read(self._process.stdout.fileno(), 1 << 16)
        self._output += data
        return bool(data) and len(self._output) <= OUTPUT_BYTES_MAX

    def _fail(self) -> NoReturn:
        """It has ended, or does not come to an end, instead of an answer."""
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            status = None
        flooded = len(self._output) > OUTPUT_BYTES_MAX
        self.close()
        self._errors.seek(0)
        errors = self._errors.read(OUTPUT_BYTES_MAX).decode(errors="replace")
        errors = errors.replace(f"{self.program.root}/", "")
        output = self._output[self._taken :].decode(errors="replace")
        status = -signal.SIGXFSZ if flooded else status
        end = End(status, self.program.limits.seconds(RUN_SECONDS), output, errors)
        self.program.judge(end, "\n".join([*self.said, ""]))
        raise GuestFailure("the host program ends before its script does")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def leash(bytes_max: int) -> Callable[[], None]:
    """What the child does first, so that it ends with us, and when it floods its output."""
    end_with_us = death_signal()

    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, bytes_max))
        if end_with_us is not None:
            end_with_us()

    return prepare


def own_includes(root: Path) -> list[str]:
    """The libraries' headers, except those of libc: the host has its own."""
    folders = sorted(root.glob("user/*/include"))
    return [str(folder) for folder in folders if folder.parent.name != "libc"]


def build_host_program(
    root: Path,
    build: Path,
    name: str,
    sources: tuple[str, ...],
    flags: tuple[str, ...],
    limits: Limits,
    traced: tuple[str, ...] = (),
) -> HostProgram:
    """Compile sources (paths in the tree) into build/grade/host/, each that has changed. Those in
    traced are compiled with a call at each memory access, which the driver answers, and the whole
    then without the sanitizers. A source that does not compile fails the test."""
    words = [*os.environ.get("HOSTCC", "clang").split(), "-std=gnu11", "-g", "-O1", "-w"]
    words += ["-D_GNU_SOURCE", "-Ikernel", "-Iservers", *(f"-I{p}" for p in own_includes(root))]
    words += ["-include", "user/libcairn/include/cairn/exercise.h", *flags]
    checks = () if traced else (*SANITIZERS, "-fno-omit-frame-pointer")
    common = digest(files=headers(root))
    folder = build / "grade" / "host"
    parts = folder / name
    parts.mkdir(parents=True, exist_ok=True)
    objects: dict[Path, list[str]] = {}
    for source in (*sources, *traced):
        command = [*words, *(("-fsanitize=thread",) if source in traced else checks), "-c", source]
        key = digest([common], command, files=[root / source])
        objects[parts / f"{Path(source).stem}-{key}.o"] = command
    program = folder / f"{name}-{digest(map(str, objects))}"
    link = [*words, *checks, *map(str, objects)]
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            for old in {*folder.glob(f"{name}-*"), *parts.iterdir()} - objects.keys():
                old.unlink()
            missing = [made for made in objects if not made.exists()]
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(lambda made: compile_one(root, objects[made], made, limits), missing))
            compile_one(root, link, program, limits)
    by_hand = [[*objects[made], "-o", str(made)] for made in list(objects)[len(sources) :]]
    by_hand.append([*words, *checks, *sources, *(line[-1] for line in by_hand), "-o", str(program)])
    how = f"cd {root} && " + " && ".join(map(" ".join, by_hand))
    return HostProgram(program, root, limits, how)


def headers(root: Path) -> list[Path]:
    parts = ("kernel", "servers", "user", "grade")
    return sorted(path for part in parts for path in (root / part).rglob("*.h"))


def digest(*words: Iterable[str], files: Iterable[Path] = ()) -> str:
    """Changes with anything that goes into a program: what is there already need not be built."""
    sum_ = hashlib.sha256("\0".join(word for some in words for word in some).encode())
    for path in files:
        sum_.update(f"\0{path}\0".encode())
        sum_.update(path.read_bytes())
    return sum_.hexdigest()[:16]


def compile_one(root: Path, command: list[str], made: Path, limits: Limits) -> None:
    """Run the compiler; what it complains about is a failure of the system under test."""
    partial = made.with_suffix(".partial")
    words = [*command, "-o", str(partial)]
    try:
        answer = subprocess.run(
            words,
            cwd=root,
            capture_output=True,
            text=True,
            timeout=limits.seconds(COMPILE_SECONDS),
            check=False,
        )
    except OSError as error:
        raise HarnessError(f"{words[0]} cannot be run: {error}") from None
    except subprocess.TimeoutExpired:
        raise GuestTimeout(f"the compiler does not end: {' '.join(words)}") from None
    if answer.returncode:
        raise GuestFailure(f"it does not compile for the host:\n{answer.stderr}\n{' '.join(words)}")
    partial.rename(made)
