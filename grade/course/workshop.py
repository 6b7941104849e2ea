"""Private copies of a tree: written, built, booted and graded, without touching anything else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from grade.course.problem import Problem
from grade.course.tree import Tree, write_tree
from grade.model import ERROR, FAILED, PASSED, Result, ResultError
from grade.overlay.grading import run_grader
from grade.overlay.supervise import Bounds, Ran, supervised

BUILD_SECONDS = 900.0
BOOT_SECONDS = 60.0
GRADE_SECONDS = 900.0
REASON_LENGTH = 400  # characters of what a failed test said
DIAGNOSTIC = re.compile(
    r"^(?P<path>[^\s:]+):(?P<line>\d+):(?:\d+:)? (?P<kind>fatal error|error|warning): (?P<text>.*)"
)
LINKER = re.compile(r"(undefined reference to .*|multiple definition of .*|No rule to make .*)")
UNWRITTEN = re.compile(r"exercise (\d+\.\d+) is yours to write")


def environment() -> dict[str, str]:
    """Ours, but nothing of a make or a grader that we may be running in."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "CAIRN_"))}
    return {**kept, "NO_SETUP": "1"}


def run(arguments: list[str], folder: Path, seconds: float) -> Ran:
    """Run a command; nothing of it is left afterwards."""
    return supervised(arguments, folder, Bounds(seconds), environment=environment())


def diagnostics(output: str) -> list[Problem]:
    """What a compiler or the linker complained about."""
    problems: list[Problem] = []
    for line in output.split("\n"):
        match = DIAGNOSTIC.match(line)
        if match:
            text = f"{match['kind']}: {match['text']}"
            problems.append(Problem(match["path"], int(match["line"]), text))
            continue
        linked = LINKER.search(line)
        if linked:
            problems.append(Problem(line.split(":")[0].strip(), 0, linked[1]))
    return sorted(set(problems))


@dataclass
class ExerciseScore:
    """What grading says about one exercise; what is not known earns nothing."""

    id: str
    points: float
    earned: float


@dataclass
class Score:
    """One graded tree, as far as its tests were run. error: the grader itself did not come to a
    result."""

    exercises: dict[str, ExerciseScore] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)  # names of tests
    passed: set[str] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)  # why tests failed: what each said first
    error: str = ""

    @property
    def earned(self) -> float:
        return sum(exercise.earned for exercise in self.exercises.values())

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises.values())


def score_of(result: Result) -> Score:
    """A test with an error says nothing about the tree, so there is no score then. Exercises none of
    whose tests were to be run are not in it."""
    score = Score()
    for entry in (exercise for exercise in result.exercises if exercise.tests):
        score.exercises[entry.id] = ExerciseScore(entry.id, entry.points, entry.earned or 0)
    for test in result.tests:
        (score.passed if test.outcome == PASSED else score.failed).add(test.name)
        if test.outcome == FAILED:
            said = " ".join(test.text.split())[:REASON_LENGTH]
            score.reasons.append(f"{test.name}: {said or 'no text'}")
        if test.outcome == ERROR and not score.error:
            score.error = f"{test.name}: {test.text.strip().split(chr(10))[-1]}"
    if not result.tests:
        score.error = result.message or "there are no tests"
    return score


@dataclass(frozen=True)
class Workshop:
    """A folder with one tree, and what can be done with it."""

    folder: Path
    jobs: int = 1

    @classmethod
    def of(cls, folder: Path, tree: Tree, jobs: int = 1) -> Workshop:
        folder.mkdir(parents=True, exist_ok=True)
        write_tree(tree, folder)
        return cls(folder, jobs)

    def copy(self, folder: Path) -> Workshop:
        """The same, built as far as this one is."""
        words = ["cp", "-a", "--reflink=auto", "--sparse=always", str(self.folder), str(folder)]
        subprocess.run(words, check=True, capture_output=True)
        return Workshop(folder, self.jobs)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def make(self, *goals: str, strict: bool = True) -> tuple[Ran, list[Problem]]:
        """Build; with strict, warnings are errors, and all of them are shown. Without, they are not,
        also when these checks are themselves part of a CI run."""
        words = ["make", "-k", f"-j{self.jobs}", "BUILD=build", f"CI={'1' if strict else ''}"]
        ran = run([*words, *(goals or ("all",))], self.folder, BUILD_SECONDS)
        problems = diagnostics(ran.output)
        if ran.status != 0 and not problems:
            last = [line for line in ran.output.strip().split("\n") if line][-1:]
            problems = [Problem("", 0, f"make fails: {' '.join(last)}")]
        return ran, problems

    def boot(self, append: str = "") -> Ran:
        """Run the machine until it stops or its time is up, with an empty console."""
        words = ["make", "-s", "BUILD=build", f"APPEND={append}", "qemu"]
        ran = run(words, self.folder, BOOT_SECONDS)
        log = self.folder / "build/kernel.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return Ran(ran.status, text + ran.output, ran.seconds)

    def grade(self, lab: int, tests: str = "", smp: int = 1, fail_fast: bool = False) -> Score:
        """Run the grader of one lab on this tree; tests: only those with these names or globs;
        fail_fast: of an exercise that is lost, run no further tests."""
        words = ["--jobs", str(self.jobs), "--smp", str(smp), "--tests", tests]
        words += ["--fail-fast"] if fail_fast else []
        bounds = Bounds(GRADE_SECONDS, output=256 << 20)
        try:
            result = run_grader(self.folder, lab, bounds, *words, environment=environment())
        except ResultError as error:
            return Score(error=str(error))
        return score_of(result)


def unwritten(log: str) -> list[str]:
    """The exercises that a log says are yet to be written, in order, each once."""
    return list(dict.fromkeys(UNWRITTEN.findall(log)))
