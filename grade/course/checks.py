"""Every check of the course, run in parallel, in one table.

Static checks read the sources only. `symbols` needs objects of the whole system. The others make
private copies of trees. A check that cannot run because something else is not in order yet says
so as a problem; it never ends the others.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from grade.course.consistent import check_headings, check_owners, check_regions, check_tests
from grade.course.includes import check_includes
from grade.course.leaks import check_leaks
from grade.course.patches import apply, judge, read_patches
from grade.course.problem import CourseError, Problem
from grade.course.source import Source
from grade.course.student import HABITS, work_through
from grade.course.symbols import check_symbols
from grade.course.tree import Tree, only_adds, solution, starter
from grade.course.workshop import Workshop, unwritten
from grade.course.writer import Git, write_repository

SHOWN = 12


@dataclass(frozen=True)
class Setting:
    """Where and how the checks work."""

    source: Source
    build: Path  # of the whole system, with its objects
    scratch: Path  # private copies go here
    nm: str = "riscv64-unknown-elf-nm"
    jobs: int = 1  # of each make
    sample: int = 0  # mutants per lab; 0: all
    repeat: int = 1  # gradings of each solution


@dataclass(frozen=True)
class Check:
    """One row of the table."""

    name: str
    run: Callable[[Setting], list[Problem]]
    slow: bool = False


@dataclass
class Outcome:
    check: Check
    problems: list[Problem]
    seconds: float


def for_lab(
    name: str, number: int, function: Callable[[Setting, int], list[Problem]], slow: bool = False
) -> Check:
    return Check(f"{name} {number}", lambda setting: function(setting, number), slow)


# ---- The repository --------------------------------------------------------------------------


def check_branches(setting: Setting) -> list[Problem]:
    """Only additions from lab to lab, and twice the same commits."""
    source, problems = setting.source, []
    for earlier, later in zip(source.labs, source.labs[1:], strict=False):
        problems += only_adds(starter(source, earlier.number), starter(source, later.number))
    heads = []
    for name in ("first", "second"):
        folder = setting.scratch / f"branches-{name}"
        write_repository(source, folder, solutions=True)
        heads.append(Git(folder).text("show-ref"))
    if heads[0] != heads[1]:
        problems.append(Problem("", 0, "two runs give different commits"))
    return problems


def check_merges(setting: Setting) -> list[Problem]:
    """Simulated students through all labs."""
    repository = setting.scratch / "merges"
    write_repository(setting.source, repository)
    problems: list[Problem] = []
    for habits in HABITS:
        folder = setting.scratch / f"student-{habits.seed}"
        problems += work_through(setting.source, repository, folder, habits)
    return problems


# ---- Trees that are built --------------------------------------------------------------------


def build_tree(setting: Setting, name: str, tree: Tree) -> tuple[Workshop, list[Problem]]:
    workshop = Workshop.of(setting.scratch / name, tree, setting.jobs)
    return workshop, workshop.make()[1]


def check_starter(setting: Setting, number: int) -> list[Problem]:
    """The starter builds without warnings, boots, and says what is missing."""
    name = f"starter-{number}"
    workshop, problems = build_tree(setting, name, starter(setting.source, number))
    if problems:
        return problems
    log = workshop.boot().output
    said = unwritten(log)
    if not said:
        last = " | ".join(log.strip().split("\n")[-3:])
        return [Problem("", 0, f"no exercise is named by the booted starter: {last}")]
    return check_zero(workshop, number)


def check_zero(workshop: Workshop, number: int) -> list[Problem]:
    score = workshop.grade(number)
    if score.error:
        return [Problem("", 0, f"the starter could not be graded: {score.error}")]
    return [
        Problem("", 0, f"the starter gets {exercise.earned:g} points for exercise {exercise.id}")
        for exercise in score.exercises.values()
        if exercise.earned > 0
    ]


def check_solution(setting: Setting, number: int) -> list[Problem]:
    """The solution builds without warnings and any later lab's files, and gets full marks."""
    name = f"solution-{number}"
    workshop, problems = build_tree(setting, name, solution(setting.source, number))
    if problems:
        return problems
    wanted = {exercise.id: exercise.points for exercise in setting.source.lab(number).exercises}
    for turn in range(1, setting.repeat + 1):
        score = workshop.grade(number)
        if score.error:
            return [Problem("", 0, f"the solution could not be graded: {score.error}")]
        for identity, points in wanted.items():
            exercise = score.exercises.get(identity)
            earned = exercise.earned if exercise else 0
            if earned != points:
                text = f"exercise {identity}: {earned:g} of {points} points"
                problems.append(Problem("", 0, f"{text} (turn {turn})"))
        if problems:
            failed = ", ".join(sorted(score.failed))
            return [*problems, Problem("", 0, f"failed: {failed}")]
    return []


# ---- Patches ---------------------------------------------------------------------------------


def check_patches(setting: Setting) -> list[Problem]:
    """Each patch's header, that it applies to its lab's solution, and that it touches only what
    a student may edit."""
    patches, problems = read_patches(setting.source)
    for lab in setting.source.labs:
        mine = [patch for patch in patches if patch.lab == lab.number]
        if not mine:
            continue
        folder = setting.scratch / f"patches-{lab.number}"
        Workshop.of(folder, solution(setting.source, lab.number))
        for patch in mine:
            try:
                apply(patch, folder, check=True)
            except CourseError as error:
                problems += error.problems
    return problems


def check_kind(setting: Setting, number: int, kind: str) -> list[Problem]:
    """Build and grade every patch of one kind; between two, only what it changed is rebuilt."""
    patches = [p for p in read_patches(setting.source)[0] if p.lab == number and p.kind == kind]
    if setting.sample and kind == "mutants" and len(patches) > setting.sample:
        step = len(patches) / setting.sample
        patches = [patches[int(index * step)] for index in range(setting.sample)]
    if not patches:
        return []
    workshop, problems = build_tree(
        setting, f"{kind}-{number}", solution(setting.source, number)
    )
    if problems:
        return [Problem("", 0, "the solution does not build"), *problems]
    for patch in patches:
        try:
            apply(patch, workshop.folder)
        except CourseError as error:
            problems += error.problems
            continue
        ran, wrong = workshop.make(strict=False)
        if ran.status != 0:
            problems.append(Problem(patch.path, 0, f"does not build: {wrong[0]}"))
        else:
            problems += judge(patch, workshop.grade(number))
        apply(patch, workshop.folder, reverse=True)
    return problems


# ---- The table -------------------------------------------------------------------------------


def all_checks(source: Source) -> list[Check]:
    """Every check, the quick ones first."""
    checks = [
        Check("regions", lambda s: check_regions(s.source)),
        Check("owners", lambda s: check_owners(s.source)),
        Check("includes", lambda s: check_includes(s.source)),
        Check("symbols", lambda s: check_symbols(s.source, s.build, s.nm)),
        Check("leaks", lambda s: check_leaks(s.source)),
        Check("branches", check_branches),
        Check("merges", check_merges),
        Check("patches", check_patches),
    ]
    numbers = [lab.number for lab in source.labs]
    for number in numbers:
        checks.append(for_lab("handout", number, lambda s, n: check_headings(s.source, n)))
        checks.append(for_lab("tests", number, lambda s, n: check_tests(s.source, n)))
    for number in numbers:
        checks.append(for_lab("starter", number, check_starter, True))
        checks.append(for_lab("solution", number, check_solution, True))
    for kind in ("alternates", "liars", "mutants"):
        for number in numbers:
            checks.append(
                for_lab(kind, number, lambda s, n, k=kind: check_kind(s, n, k), True)
            )
    return checks


def run_check(check: Check, setting: Setting) -> Outcome:
    start = time.monotonic()
    try:
        problems = check.run(setting)
    except CourseError as error:
        problems = error.problems
    except Exception as error:  # one broken check must not hide the others
        last = traceback.extract_tb(sys.exc_info()[2])[-1]
        text = f"the check itself failed: {type(error).__name__}: {error}"
        problems = [Problem(last.filename, last.lineno or 0, text)]
    return Outcome(check, problems, time.monotonic() - start)


@dataclass
class Report:
    """Prints rows as they come, and counts."""

    shown: int = SHOWN
    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        verdict = "ok" if not outcome.problems else f"{len(outcome.problems)} problems"
        print(f"  {outcome.check.name:<14} {outcome.seconds:7.1f} s  {verdict}", flush=True)
        shown = outcome.problems if not self.shown else outcome.problems[: self.shown]
        for problem in shown:
            print(f"      {problem}", flush=True)
        if len(outcome.problems) > len(shown):
            print(f"      ... and {len(outcome.problems) - len(shown)} more", flush=True)

    def summary(self) -> str:
        failed = sum(bool(outcome.problems) for outcome in self.outcomes)
        return f"{len(self.outcomes) - failed} passed, {failed} failed"


def run_checks(checks: Iterable[Check], setting: Setting, workers: int, shown: int) -> Report:
    report = Report(shown)
    with ThreadPoolExecutor(max_workers=workers or os.cpu_count() or 1) as pool:
        jobs = [pool.submit(run_check, check, setting) for check in checks]
        for job in as_completed(jobs):
            report.add(job.result())
    shutil.rmtree(setting.scratch, ignore_errors=True)
    return report
