"""Private copies of a tree: written, built, booted and graded, without touching anything else."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from grade.course.problem import Problem
from grade.course.tree import Tree, write_tree

BUILD_SECONDS = 900.0
BOOT_SECONDS = 60.0
GRADE_SECONDS = 900.0
DIAGNOSTIC = re.compile(
    r"^(?P<path>[^\s:]+):(?P<line>\d+):(?:\d+:)? (?P<kind>fatal error|error|warning): (?P<text>.*)"
)
LINKER = re.compile(r"(undefined reference to .*|multiple definition of .*|No rule to make .*)")
UNWRITTEN = re.compile(r"exercise (\d+\.\d+) is yours to write")


@dataclass(frozen=True)
class Ran:
    """A command that was run; status None: its time was up."""

    status: int | None
    output: str
    seconds: float


def run(arguments: list[str], folder: Path, seconds: float, **variables: str) -> Ran:
    """Run a command in its own process group, so that all of it can be ended."""
    start = time.monotonic()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "CAIRN_"))}
    child = subprocess.Popen(
        arguments,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**kept, "NO_SETUP": "1", **variables},
        start_new_session=True,
    )
    try:
        output, _ = child.communicate(timeout=seconds)
        status: int | None = child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        status = None
    return Ran(status, output.decode(errors="replace"), time.monotonic() - start)


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
    """What grading says about one exercise."""

    id: str
    points: float
    earned: float


@dataclass
class Score:
    """One graded tree. error: the grader itself did not come to a result."""

    exercises: dict[str, ExerciseScore] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)  # names of tests
    passed: set[str] = field(default_factory=set)
    error: str = ""

    @property
    def earned(self) -> float:
        return sum(exercise.earned for exercise in self.exercises.values())

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises.values())


def read_score(path: Path) -> Score:
    """From the grader's JSON: exercises with id, points, earned, and tests with name, outcome."""
    score = Score()
    try:
        model = json.loads(path.read_text())
        for entry in model["exercises"]:
            name = str(entry["id"])
            score.exercises[name] = ExerciseScore(
                name, float(entry["points"]), float(entry["earned"])
            )
            for test in entry.get("tests", []):
                passed = test["outcome"] == "passed"
                (score.passed if passed else score.failed).add(str(test["name"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        score.error = f"no usable result: {type(error).__name__}: {error}"
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

    def make(self, *goals: str, strict: bool = True) -> tuple[Ran, list[Problem]]:
        """Build; with strict, warnings are errors, and all of them are shown."""
        words = ["make", "-k", f"-j{self.jobs}", "BUILD=build", *(["CI=1"] if strict else [])]
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

    def grade(self, lab: int, exercise: str = "") -> Score:
        """Run the grader of one lab on this tree."""
        result = self.folder / "build" / f"score-{lab}.json"
        result.parent.mkdir(parents=True, exist_ok=True)
        result.unlink(missing_ok=True)
        words = [sys.executable, "-m", "grade.run", "--build", "build", "--lab", str(lab)]
        words += ["--json", str(result), *(["--exercise", exercise] if exercise else [])]
        ran = run(words, self.folder, GRADE_SECONDS)
        score = read_score(result)
        if score.error:
            tail = " | ".join(ran.output.strip().split("\n")[-3:])
            score.error += f" ({tail})" if tail else ""
        return score


def unwritten(log: str) -> list[str]:
    """The exercises that a log says are yet to be written, in order, each once."""
    return list(dict.fromkeys(UNWRITTEN.findall(log)))
