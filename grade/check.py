"""Run every test that a plain checkout can run: host tests, short fuzzing, system tests.

    python -m grade.check --build build [--fast]

At the end is what failed, and the last line counts: "N passed, M failed, K skipped". Host tests
count by their own cases, the checks of the course as the lines of their table.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from grade.harness.child import end_child, start_child

HOST_TEST_LIMIT = 600.0
FUZZ_SECONDS = 5
FUZZ_LIMIT = 300.0
SHOWN_LINES = 40
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed", re.MULTILINE)
NOTE = re.compile(r"^note: (.*)$", re.MULTILINE)  # what else a program wants to be known


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)  # a line each

    def add(self, other: Counts) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures


@dataclass(frozen=True)
class Outcome:
    """One host program that was run."""

    name: str
    counts: Counts
    seconds: float
    output: str
    reason: str = ""


def run_program(name: str, arguments: list[str], limit: float) -> tuple[int | None, str, float]:
    """Exit status (None: out of time), output, seconds."""
    start = time.monotonic()
    try:
        answer = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit,
            check=False,
        )
        status, output = answer.returncode, answer.stdout
    except subprocess.TimeoutExpired as error:
        status, output = None, error.stdout or b""
    return status, output.decode(errors="replace"), time.monotonic() - start


def run_host_test(path: Path) -> Outcome:
    """A program that ends with "N passed, M failed" and status 0 exactly if M is 0."""
    status, output, seconds = run_program(path.name, [str(path)], HOST_TEST_LIMIT)
    summaries = SUMMARY.findall(output)
    if status is None:
        return Outcome(path.name, Counts(failed=1), seconds, output, "the time is up")
    if not summaries:
        return Outcome(
            path.name,
            Counts(failed=1),
            seconds,
            output,
            f"status {status} without a line of counts",
        )
    counts = Counts(int(summaries[-1][0]), int(summaries[-1][1]))
    if (status != 0) != (counts.failed != 0):
        return Outcome(
            path.name,
            Counts(counts.passed, max(counts.failed, 1)),
            seconds,
            output,
            f"status {status} contradicts {counts.failed} failed",
        )
    if counts.passed + counts.failed == 0:
        return Outcome(path.name, Counts(failed=1), seconds, output, "it tested nothing")
    return Outcome(path.name, counts, seconds, output)


def run_fuzzer(path: Path, build: Path) -> Outcome:
    """A short run over the stored inputs (seeds and past crashes) and from there on."""
    crashes = build / "fuzz-crashes"
    crashes.mkdir(parents=True, exist_ok=True)
    seeds = [
        str(folder)
        for top in ("kernel", "servers", "user")
        for folder in sorted(Path(top).glob(f"**/fuzz/{path.name}"))
        if folder.is_dir()
    ]
    with tempfile.TemporaryDirectory(prefix="cairn-fuzz-") as scratch:
        arguments = [
            str(path),
            f"-max_total_time={FUZZ_SECONDS}",
            "-timeout=10",
            "-verbosity=0",
            f"-artifact_prefix={crashes}/{path.name}-",
            scratch,
            *seeds,
        ]
        status, output, seconds = run_program(path.name, arguments, FUZZ_LIMIT)
    if status == 0:
        return Outcome(f"fuzz {path.name}", Counts(passed=1), seconds, output)
    return Outcome(
        f"fuzz {path.name}",
        Counts(failed=1),
        seconds,
        output,
        "the time is up" if status is None else f"status {status}; see {crashes}",
    )


def programs(folder: Path) -> list[Path]:
    """The executables of a folder, in order."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and os.access(path, os.X_OK) and not path.suffix
    ]


def show(outcome: Outcome) -> None:
    counts = outcome.counts
    verdict = "ok" if not counts.failed else "FAILED"
    reason = f": {outcome.reason}" if outcome.reason else ""
    print(
        f"  {verdict:<6} {outcome.name} ({counts.passed} passed, {counts.failed} failed, "
        f"{outcome.seconds:.1f} s){reason}",
        flush=True,
    )
    for note in NOTE.findall(outcome.output):
        print(f"         {note}", flush=True)
    if counts.failed:
        print("\n".join(f"      {line}" for line in outcome.output.splitlines()[-SHOWN_LINES:]))


def run_on_host(build: Path, fast: bool) -> Counts:
    """Host tests and fuzzers, as many at once as there are cores."""
    total = Counts()
    tests, fuzzers = programs(build / "host"), [] if fast else programs(build / "fuzz")
    print(f"{len(tests)} host tests, {len(fuzzers)} fuzzers of {FUZZ_SECONDS} s", flush=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        jobs = [pool.submit(run_host_test, path) for path in tests]
        jobs += [pool.submit(run_fuzzer, path, build) for path in fuzzers]
        for job in as_completed(jobs):
            outcome = job.result()
            show(outcome)
            total.add(outcome.counts)
            if outcome.counts.failed:
                total.failures.append(f"FAILED {outcome.name} {outcome.reason}".rstrip())
    return total


def counts_of(report: Path) -> Counts:
    """From pytest's JUnit file; a session that left none has failed."""
    if not report.exists():
        return Counts(failed=1)
    total = Counts()
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        total.add(Counts(int(suite.get("tests", 0)) - failed - skipped, failed, skipped))
        for case in suite.iter("testcase"):
            for answer in (*case.iter("failure"), *case.iter("error")):
                what = (answer.get("message") or "").partition("\n")[0]
                total.failures.append(f"FAILED {case.get('classname')} {case.get('name')}: {what}")
    return total


def run_system_tests(build: Path, fast: bool) -> Counts:
    """Everything in grade/, each test in its own QEMU, in parallel."""
    if importlib.util.find_spec("pytest") is None:
        print(f"{sys.executable} has no pytest; run scripts/setup")
        return Counts(failed=1)
    report = build / "grade-junit.xml"
    report.unlink(missing_ok=True)
    arguments = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        "grade/pytest.ini",
        f"--build={build}",
        "-q",
        "--junitxml",
        str(report),
        "grade",
    ]
    workers = os.cpu_count() or 1
    if fast:
        arguments += ["-m", "fast"]
    elif importlib.util.find_spec("xdist") is not None and workers > 1:
        arguments += ["-n", str(workers)]
    child = start_child(arguments)
    try:
        status = child.wait()
    finally:
        end_child(child)
    counts = counts_of(report)
    if status != 0 and not counts.failed:
        print(f"pytest ended with status {status}")
        counts.failed = 1
    return counts


def run_course_checks(build: Path) -> Counts:
    """scripts/course check: it ends with a line of counts, as a host test does."""
    command = [sys.executable, "scripts/course", "check", "--build", str(build)]
    child = start_child(command, stdout=subprocess.PIPE)
    assert child.stdout
    last = ""
    failures = []
    try:
        for line in child.stdout:
            last = line.decode(errors="replace")
            print(last, end="", flush=True)
            if last.startswith("FAILED "):
                failures.append(last.rstrip())
        status = child.wait()
    finally:
        if child.poll() is None:
            child.terminate()  # it removes what it has made
            child.wait()
    counted = SUMMARY.match(last)
    if not counted:
        print(f"the checks of the course ended with status {status}")
        return Counts(failed=1)
    counts = Counts(int(counted[1]), int(counted[2]))
    return Counts(counts.passed, max(counts.failed, 1 if status else 0), failures=failures)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--fast", action="store_true", help="host tests and one boot only")
    options = parser.parse_args()
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    # A plain kill must end the tests, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    total = run_on_host(options.build, options.fast)
    total.add(run_system_tests(options.build, options.fast))
    if not options.fast:
        total.add(run_course_checks(options.build))
    print(*total.failures, sep="\n", end="\n" * bool(total.failures))
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
