"""Grade one lab, or one exercise: what `make grade` runs.

    python -m grade.run --build build [--lab 3] [--exercise 3.2] [--json FILE]

A test names its exercise with @pytest.mark.exercise("3.2", points=4). Without points, the tests of
an exercise earn its points together; with points, each earns its own. The result is a versioned
JSON model (BUILD/grade/score.json), rewritten after every test, so that an interrupted run leaves
what it had; other formats are made from it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grade.markers import marked_tests

VERSION = 1
PASSED, FAILED, ERROR, NOT_RUN = "passed", "failed", "error", "not run"
SHOWN_LINES = 25


@dataclass
class Test:
    """One test, all its parameters together."""

    name: str
    points: int | None
    outcome: str = NOT_RUN
    seconds: float = 0.0
    text: str = ""
    __test__ = False  # this is no test, whatever pytest thinks of its name

    def add(self, outcome: str, seconds: float, text: str) -> None:
        """A further report; the worst counts."""
        order = (NOT_RUN, PASSED, FAILED, ERROR)
        if order.index(outcome) >= order.index(self.outcome):
            self.outcome = outcome
            self.text = text or self.text
        self.seconds += seconds


@dataclass
class Exercise:
    """One exercise of a lab.toml, and how its tests came out."""

    id: str
    title: str
    points: int
    tests: list[Test] = field(default_factory=list)

    @property
    def earned(self) -> int:
        single = [test.points for test in self.tests if test.points is not None]
        if single and len(single) == len(self.tests):
            return min(
                self.points,
                sum(t.points for t in self.tests if t.outcome == PASSED and t.points is not None),
            )
        done = bool(self.tests) and all(test.outcome == PASSED for test in self.tests)
        return self.points if done else 0

    @property
    def verdict(self) -> str:
        outcomes = {test.outcome for test in self.tests}
        if not outcomes or outcomes == {NOT_RUN}:
            return "NOT TESTED"
        if ERROR in outcomes:
            return "ERROR"
        return "OK" if outcomes == {PASSED} else "FAIL"


def read_labs(root: Path) -> dict[int, dict[str, Any]]:
    return {
        int(path.parent.name[:2]): tomllib.loads(path.read_text())
        for path in sorted((root / "labs").glob("[0-9][0-9]-*/lab.toml"))
    }


@dataclass(eq=False)
class Grader:
    """The pytest plugin that collects what becomes of the tests."""

    lab: int
    title: str
    exercises: list[Exercise]
    output: Path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.outcome == "passed":
            return
        name = report.nodeid.split("[")[0]
        test = next((t for e in self.exercises for t in e.tests if t.name == name), None)
        if test is None:
            return
        infrastructure = any(title == "infrastructure" for title, _ in report.sections)
        outcome = PASSED if report.outcome == "passed" else FAILED
        if outcome == FAILED and (infrastructure or report.outcome == "skipped"):
            outcome = ERROR
        text = "" if outcome == PASSED else report.longreprtext
        test.add(outcome, report.duration, text)
        self.write()

    def model(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "lab": self.lab,
            "title": self.title,
            "points": sum(exercise.points for exercise in self.exercises),
            "earned": sum(exercise.earned for exercise in self.exercises),
            "exercises": [
                {
                    "id": exercise.id,
                    "title": exercise.title,
                    "points": exercise.points,
                    "earned": exercise.earned,
                    "verdict": exercise.verdict,
                    "tests": [asdict(test) for test in exercise.tests],
                }
                for exercise in self.exercises
            ],
        }

    def write(self) -> None:
        self.output.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.output.with_suffix(".new")
        temporary.write_text(json.dumps(self.model(), indent=1) + "\n")
        os.replace(temporary, self.output)

    def show(self) -> None:
        """The result as students read it."""
        for exercise in self.exercises:
            seconds = sum(test.seconds for test in exercise.tests)
            print(
                f"== {exercise.id} {exercise.title}: {exercise.verdict} ({seconds:.1f}s) "
                f"{exercise.earned}/{exercise.points}"
            )
            for test in exercise.tests:
                if test.outcome in (FAILED, ERROR):
                    print(f"   {test.name}: {test.outcome}")
                    lines = test.text.strip().split("\n")[-SHOWN_LINES:]
                    print("\n".join(f"      {line}" for line in lines))
        model = self.model()
        print(f"Lab {self.lab}: {model['earned']}/{model['points']}")


def grade(root: Path, build: Path, lab: int, exercise: str, output: Path, qemu: str) -> Grader:
    """Run the tests of a lab; every exercise is in the result, also one without a test."""
    data = read_labs(root)[lab]
    exercises = [
        Exercise(entry["id"], entry["title"], entry["points"])
        for entry in data["exercise"]
        if not exercise or entry["id"] == exercise
    ]
    for mark in marked_tests(root):
        for one in exercises:
            if one.id == mark.exercise:
                one.tests.append(Test(f"{mark.path}::{mark.test}", mark.points))
    grader = Grader(lab, data["title"], exercises, output)
    grader.write()
    tests = [str(root / test.name) for one in exercises for test in one.tests]
    if not tests:
        return grader
    words = ["-c", str(root / "grade/pytest.ini"), f"--rootdir={root}", f"--build={build}"]
    words += [f"--qemu={qemu}", "-q", "--no-header", "--no-summary", "-p", "no:cacheprovider"]
    cores = os.cpu_count() or 1
    if importlib.util.find_spec("xdist") is not None and cores > 1 and len(tests) > 1:
        words += ["-n", str(min(cores, len(tests)))]
    pytest.main([*words, *tests], plugins=[grader])
    return grader


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    labs = read_labs(root)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--lab", type=int, default=max(labs, default=0))
    parser.add_argument("--exercise", default="")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--qemu", default=os.environ.get("QEMU", "qemu-system-riscv64"))
    options = parser.parse_args()
    lab = int(options.exercise.split(".")[0]) if options.exercise else options.lab
    if lab not in labs:
        print(f"grade: there is no lab {lab}", file=sys.stderr)
        return 2
    output = options.json or options.build / "grade" / "score.json"
    grader = grade(root, options.build, lab, options.exercise, output, options.qemu)
    if not grader.exercises:
        print(f"grade: lab {lab} has no exercise {options.exercise}", file=sys.stderr)
        return 2
    grader.show()
    model = grader.model()
    return 0 if model["earned"] == model["points"] else 1


if __name__ == "__main__":
    sys.exit(main())
