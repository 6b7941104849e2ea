"""Grade one lab, or one exercise: what `make grade` runs.

    python -m grade.run --build build [--lab 3] [--exercise 3.2] [--json FILE]

A test names its exercise with @pytest.mark.exercise("3.2", points=4). Without points, the tests of
an exercise earn its points together; with points, each earns its own. The result is a versioned
JSON model (grade/model.py) in BUILD/grade/score.json, rewritten after every test, so that an
interrupted run leaves what it had; other formats are made from it (grade/formats).

Exit status: 0 full marks, 1 fewer, 2 asked for something that is not there, 3 the grader failed.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import importlib.util
import os
import secrets
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import pytest

from grade.formats.text import exercise_lines, total_lines
from grade.markers import marked_tests
from grade.model import (
    ERROR,
    FAILED,
    NOT_RUN,
    PASSED,
    Exercise,
    Result,
    Test,
    read_labs,
    shortened,
)

FULL, FEWER, USAGE, BROKEN = 0, 1, 2, 3
PYTEST_RAN = (0, 1)  # pytest's own statuses for: all passed, some failed
ORDER = (NOT_RUN, PASSED, FAILED, ERROR)  # of the reports about one test, the worst counts
CRASHED = "???"  # when a report is about a worker that died


class UsageError(Exception):
    """What was asked for does not exist."""


def tests_of(root: Path, data: dict[str, Any], patterns: Iterable[str] = ()) -> list[Exercise]:
    """The exercises of one lab.toml with their tests; with patterns, only tests that fit one."""
    exercises = [
        Exercise(entry["id"], entry["title"], entry["points"], hints=entry.get("hints", {}))
        for entry in data["exercise"]
    ]
    by_id = {exercise.id: exercise for exercise in exercises}
    globs = list(patterns)
    for mark in marked_tests(root):
        wanted = not globs or any(fnmatch.fnmatchcase(mark.test, glob) for glob in globs)
        if mark.exercise in by_id and wanted:
            test = Test(f"{mark.path}::{mark.test}", mark.points)
            by_id[mark.exercise].tests.append(test)
    return exercises


@dataclass(eq=False)
class Grader:
    """The pytest plugin that collects what becomes of the tests, and shows it as it comes in."""

    result: Result
    output: Path
    screen: TextIO
    fail_fast: bool = False
    shown: int = 0
    troubles: list[str] = field(default_factory=list)
    pending: dict[str, set[str]] = field(default_factory=dict)  # per test: ids without a verdict
    worst: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.tests = {test.name: test for test in self.result.tests}

    # ---- What pytest tells --------------------------------------------------------------------

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.expect(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        if not self.pending:  # each worker collects the same
            self.expect(ids)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.troubles.append(f"{report.nodeid} cannot be used:\n{report.longreprtext}")

    def pytest_internalerror(self, excrepr: object) -> None:
        self.troubles.append(f"pytest failed:\n{excrepr}")

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """With fail_fast: what can earn no points any more need not run. (Not in xdist's workers.)"""
        name = item.nodeid.split("[")[0]
        if self.fail_fast and any(self.lost(entry, name) for entry in self.result.exercises):
            pytest.fail("not run: another test has failed already", pytrace=False)

    def lost(self, exercise: Exercise, name: str) -> bool:
        """Does this test belong to the exercise, and can it no longer earn anything?"""
        tests = {test.name: test for test in exercise.tests}
        together = any(test.points is None for test in exercise.tests)
        failed = {test.name for test in exercise.tests if test.outcome == FAILED}
        return name in tests and (name in failed or (together and bool(failed)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.split("[")[0]
        test = self.tests.get(name)
        if test is None:
            return
        test.seconds = round(test.seconds + report.duration, 3)
        if report.when == "call" or report.outcome != "passed":
            self.count(test, outcome_of(report), report.longreprtext)
        if report.when in ("teardown", CRASHED):
            self.pending.get(name, set()).discard(report.nodeid)
            if not self.pending.get(name):
                test.outcome = self.worst.get(name, ERROR)
            self.write()
            self.show()

    # ---- What becomes of it -------------------------------------------------------------------

    def expect(self, ids: Iterable[str]) -> None:
        for identity in ids:
            self.pending.setdefault(identity.split("[")[0], set()).add(identity)

    def count(self, test: Test, outcome: str, text: str) -> None:
        """One report. A failure is known at once, a pass only with the last parameter."""
        before = self.worst.get(test.name, NOT_RUN)
        if ORDER.index(outcome) > ORDER.index(before):
            self.worst[test.name] = outcome
            if outcome != PASSED:
                test.outcome, test.text = outcome, shortened(text)

    def write(self, key: bytes | None = None) -> None:
        self.result.seconds = time.monotonic() - self.started
        self.result.write(self.output, key)

    def show(self) -> None:
        """Print the exercises that are complete, in order; on a terminal, also how far it is."""
        exercises = self.result.exercises
        clear = "\r\033[K" if self.screen.isatty() else ""
        while self.shown < len(exercises) and self.complete(exercises[self.shown]):
            print(clear + "\n".join(exercise_lines(exercises[self.shown])), file=self.screen)
            clear = ""
            self.shown += 1
        if self.screen.isatty():
            left = sum(bool(ids) for ids in self.pending.values())
            note = f"   {left} tests to go" if left else ""
            print(f"\r\033[K{note}", end="", file=self.screen)
        self.screen.flush()

    def complete(self, exercise: Exercise) -> bool:
        return all(
            test.outcome != NOT_RUN and not self.pending.get(test.name) for test in exercise.tests
        )

    def finish(self, trouble: str, key: bytes) -> None:
        """The last word: what has no verdict is an error, and the result gets its token."""
        self.pending.clear()
        self.result.finish("\n".join([trouble, *self.troubles]) if trouble else "")
        self.write(key)
        self.show()
        print("\n".join(total_lines(self.result)), file=self.screen, flush=True)


def outcome_of(report: pytest.TestReport) -> str:
    """An error is what says nothing about the work: no QEMU, a worker that died, a skipped test."""
    if report.outcome == "passed":
        return PASSED
    infrastructure = any(title == "infrastructure" for title, _ in report.sections)
    broken = infrastructure or report.outcome == "skipped" or report.when == CRASHED
    return ERROR if broken else FAILED


def parse_choice(labs: dict[int, dict[str, Any]], lab: str, exercise: str) -> tuple[int, str]:
    """(lab, exercise or "") as asked for with LAB= and EX=; raises UsageError."""
    if not labs:
        raise UsageError("there are no labs in this tree")
    numbers = [str(number) for number in labs]
    there = f"labs {numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"lab {numbers[0]}"
    if exercise:
        first, dot, second = exercise.partition(".")
        if not (dot and first.isdecimal() and second.isdecimal()):
            raise UsageError(f"EX={exercise}: an exercise is called LAB.NUMBER, such as 3.2")
        if lab and lab != first:
            raise UsageError(f"LAB={lab} EX={exercise}: that exercise belongs to lab {first}")
        lab = first
    lab = lab or numbers[-1]
    if lab not in numbers:
        raise UsageError(f"there is no lab {lab} here; this tree has {there}")
    known = [entry["id"] for entry in labs[int(lab)]["exercise"]]
    if exercise and exercise not in known:
        raise UsageError(f"lab {lab} has no exercise {exercise}; it has {', '.join(known)}")
    return int(lab), exercise


def run_pytest(root: Path, options: argparse.Namespace, grader: Grader) -> str:
    """Run the tests; "" or what went wrong with the run as a whole."""
    names = [str(root / test.name) for test in grader.result.tests]
    if not names:
        return ""
    words = ["-c", str(root / "grade/pytest.ini"), f"--rootdir={root}", f"--build={options.build}"]
    words += [f"--qemu={options.qemu}", f"--smp={options.smp}", "-q", "--no-header"]
    words += ["--no-summary", "--tb=short", "-p", "no:cacheprovider"]
    jobs = min(options.jobs or os.cpu_count() or 1, len(names))
    if jobs > 1 and importlib.util.find_spec("xdist") is not None:
        words += ["-n", str(jobs)]
    log = options.build / "grade/pytest.log"  # for whoever looks after the grader
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        status = int(pytest.main([*words, *names], plugins=[grader]))
    if status == pytest.ExitCode.INTERRUPTED and not grader.troubles:
        raise KeyboardInterrupt
    fine = status in PYTEST_RAN and not grader.troubles
    return "" if fine else f"pytest could not run; see {log}"


def grade(root: Path, options: argparse.Namespace, key: bytes) -> Result:
    """Run what was asked for; every exercise is in the result, also one without a test."""
    labs = read_labs(root)
    lab, exercise = parse_choice(labs, options.lab, options.exercise)
    patterns = options.tests.replace(",", " ").split()
    exercises = tests_of(root, labs[lab], patterns)
    if patterns:
        exercises = [entry for entry in exercises if entry.tests]
    exercises = [entry for entry in exercises if not exercise or entry.id == exercise]
    result = Result(lab, labs[lab]["title"], exercises)
    output = options.json or options.build / "grade" / "score.json"
    # Tests capture what is written to the standard output; this is for the reader.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as screen:
        grader = Grader(result, output, screen, options.fail_fast)
        grader.write()
        trouble = run_pytest(root, options, grader)
        grader.finish(trouble, key)
    return result


def take_key() -> bytes:
    """The key that the caller wrote to our standard input. From here on nobody finds it there,
    and it was never in an argument, the environment or a file."""
    key = sys.stdin.buffer.readline().strip()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, sys.stdin.fileno())
    os.close(null)
    return key


def main() -> int:
    parser = argparse.ArgumentParser(prog="grade", description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--lab", default="", help="default: the last one of this tree")
    parser.add_argument("--exercise", default="")
    parser.add_argument("--tests", default="", help="only tests with these names, or globs")
    parser.add_argument("--fail-fast", action="store_true", help="one failure is enough")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--jobs", type=int, default=0, help="tests at once (default: cores)")
    parser.add_argument("--smp", type=int, default=1, help="harts of machines that may choose")
    parser.add_argument("--qemu", default=os.environ.get("QEMU", "qemu-system-riscv64"))
    parser.add_argument("--key-on-stdin", action="store_true", help="seal the result with it")
    options = parser.parse_args()
    key = take_key() if options.key_on_stdin else secrets.token_bytes(32)
    try:
        result = grade(Path(__file__).resolve().parent.parent, options, key)
    except UsageError as error:
        print(f"grade: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("\ngrade: interrupted; this is no result", file=sys.stderr)
        return 130
    if result.earned is None:
        return BROKEN
    return FULL if result.earned == result.points else FEWER


if __name__ == "__main__":
    sys.exit(main())
