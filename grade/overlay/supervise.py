"""Run a command with bounds on time, memory, files and output, and leave nothing of it behind.

This file is also the program that stands between us and the command. It adopts whatever the
command's processes leave (Linux: child subreaper), ends all of them when the command has ended or
its time is up, and does the same when its own parent dies. It needs nothing but this file.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
HEAD, TAIL = 256 << 10, 256 << 10  # bytes of output that are kept
CHUNK = 65536
GRACE = 30.0  # seconds for the supervisor to clean up before it is ended, too
CLEANING_SECONDS = 10.0
NOTE = "\n... ({} bytes left out)\n"


@dataclass(frozen=True)
class Bounds:
    """What a command may use. 0: no bound."""

    seconds: float
    memory: int = 0  # bytes of address space of one process; not for programs under ASan
    file_size: int = 2 << 30
    processes: int = 4096  # of this user
    output: int = 64 << 20
    sandbox: tuple[str, ...] = ()  # words in front of the command: the place for bubblewrap


@dataclass(frozen=True)
class Ran:
    """A command that was run. status None: it was ended, and reason says why."""

    status: int | None
    output: str
    seconds: float
    reason: str = ""


def supervised(
    arguments: Sequence[str],
    folder: Path,
    bounds: Bounds,
    *,
    environment: Mapping[str, str] | None = None,
    given: bytes = b"",
) -> Ran:
    """Run the command in the folder; given is its standard input."""
    start = time.monotonic()
    read_end, write_end = os.pipe()
    words = [sys.executable, "-I", __file__, json.dumps(asdict(bounds)), str(write_end)]
    child = subprocess.Popen(
        [*words, *bounds.sandbox, *arguments],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=None if environment is None else dict(environment),
        pass_fds=(write_end,),
        start_new_session=True,
    )
    os.close(write_end)
    guard = threading.Timer(bounds.seconds + GRACE, child.kill)
    guard.start()
    try:
        output, flooded = talk(child, given, bounds.output)
        child.wait()
        with os.fdopen(read_end, "rb") as file:
            said = file.read()
    finally:
        guard.cancel()
        if child.poll() is None:
            child.terminate()
            child.wait()
    seconds = time.monotonic() - start
    if flooded:
        return Ran(None, output, seconds, f"it wrote more than {bounds.output} bytes")
    if not said:
        return Ran(None, output, seconds, "its supervisor was killed")
    answer = json.loads(said)
    return Ran(answer["status"], output, seconds, answer["reason"])


def talk(child: subprocess.Popen[bytes], given: bytes, most: int) -> tuple[str, bool]:
    """Give input, take output to its end: (what is kept of it, whether it was too much)."""
    assert child.stdin and child.stdout
    try:
        child.stdin.write(given)
        child.stdin.close()
    except BrokenPipeError:
        pass
    head, tail, total, flooded = bytearray(), bytearray(), 0, False
    while chunk := os.read(child.stdout.fileno(), CHUNK):
        total += len(chunk)
        if len(head) < HEAD:
            head += chunk
        else:
            tail = (tail + chunk)[-TAIL:]
        if most and total > most and not flooded:
            flooded = True
            child.terminate()  # it ends everything; read on until then
    child.stdout.close()
    left_out = total - len(head) - len(tail)
    note = NOTE.format(left_out).encode() if left_out else b""
    return bytes(head + note + tail).decode(errors="replace"), flooded


# ---- The program in between ------------------------------------------------------------------


def control(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(option, value)


def become_parent_of_orphans() -> None:
    """What our descendants leave behind becomes ours, so that end_all() finds it."""
    control(PR_SET_CHILD_SUBREAPER, 1)


def descendants() -> Iterator[int]:
    """The processes below this one."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if entry.isdecimal():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):  # it has just ended
                continue
            children.setdefault(parent, []).append(int(entry))
    todo = [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        yield from below
        todo += below


def end_all() -> None:
    """Kill everything below this process, until nothing is left: what forks meanwhile is seen in
    the next round."""
    deadline = time.monotonic() + CLEANING_SECONDS
    while time.monotonic() < deadline:
        for process in descendants():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)  # the kernel is ending them


def limit(bounds: Bounds) -> None:
    """In the child, before the command."""
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: bounds.file_size or None,
        resource.RLIMIT_NPROC: bounds.processes or None,
        resource.RLIMIT_AS: bounds.memory or None,
    }
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        if most is not None and (hard == resource.RLIM_INFINITY or most < hard):
            resource.setrlimit(kind, (most, most))
    # A file that grows too large is an error for the program, not its death.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def wait(child: int, seconds: float) -> tuple[int | None, str]:
    """(exit status as a shell would say it, reason)."""
    timer = signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    while True:
        process, status = os.waitpid(-1, 0)
        if process == child:
            break
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, timer)
    if time.monotonic() - started >= seconds:
        return None, f"it ran for more than {seconds:g} seconds"
    code = os.waitstatus_to_exitcode(status)
    return (code if code >= 0 else 128 - code), ""


def main(arguments: list[str]) -> int:
    bounds = Bounds(**json.loads(arguments[0]))
    report = int(arguments[1])
    os.set_inheritable(report, False)

    def stop(number: int, frame: FrameType | None) -> None:
        end_all()
        os._exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    become_parent_of_orphans()
    control(PR_SET_PDEATHSIG, signal.SIGTERM)
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            limit(bounds)
            os.setsid()
            os.execvp(arguments[2], arguments[2:])
        except BaseException as error:
            print(f"{arguments[2]}: {error}", file=sys.stderr, flush=True)
            os._exit(127)
    status, reason = wait(child, bounds.seconds)
    end_all()
    os.write(report, json.dumps({"status": status, "reason": reason}).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
