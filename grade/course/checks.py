"""Every check of the course, run in parallel, in one table.

Static checks read the sources only. `symbols` needs objects of the whole system. The others make
private copies of trees. A check that cannot run because something else is not in order yet says
so as a problem; it never ends the others.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from grade.course.consistent import check_headings, check_owners, check_regions, check_tests
from grade.course.includes import check_includes
from grade.course.lab import Exercise
from grade.course.leaks import check_leaks
from grade.course.patches import Patch, apply, judge, read_patches
from grade.course.problem import CourseError, Problem
from grade.course.region import parse_regions
from grade.course.source import Source
from grade.course.student import HABITS, work_through
from grade.course.symbols import check_symbols
from grade.course.tree import Tree, catchup, make_tree, only_adds, solution, starter
from grade.course.workshop import UNWRITTEN, Score, Workshop, score_of, unwritten
from grade.course.writer import Git, write_repository
from grade.harness.child import end_child, start_child
from grade.overlay.grading import Bench, Settings, grade_submission, tests_of
from grade.overlay.supervise import become_parent_of_orphans, end_all

SHOWN = 12
INTERRUPTED = 130
TRIES = 3  # of a mutant in a hurry
LIAR_TESTS = 2  # of an exercise, in a hurry: many a liar makes each of them wait
HARTS = (1, 4)  # solutions that are graded many times take turns with these


@dataclass(frozen=True)
class Setting:
    """Where and how the checks work."""

    source: Source
    build: Path  # of the whole system, with its objects
    scratch: Path  # private copies go here
    nm: str = "riscv64-unknown-elf-nm"
    jobs: int = 1  # of each make, and of each grader
    full: bool = False  # every tree is built from scratch, every patch is tried, with more of the tests
    sample: int = 0  # mutants per lab, beside one liar and one alternate; 0: all
    seed: int = 0  # which
    repeat: int = 1  # gradings of each solution
    built: dict[int, tuple[Workshop, list[Problem]]] = field(default_factory=dict)
    locks: dict[int, threading.Lock] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)  # of single runs, per check

    def solution(self, number: int) -> tuple[Workshop, list[Problem]]:
        """A lab's solution, built once; never to be changed, only copied. In a hurry, what it shares
        with that of an earlier lab, which has no later files, is not compiled again."""
        with self.locks.setdefault(number, threading.Lock()):
            if number not in self.built:
                folder = self.scratch / f"built-{number}"
                earlier = [n for n in list(self.built) if n < number and not self.built[n][1]]
                if earlier and not self.full:
                    self.built[max(earlier)][0].copy(folder)
                workshop = Workshop.of(folder, solution(self.source, number), self.jobs)
                self.built[number] = workshop, workshop.make()[1]
            return self.built[number]

    @contextlib.contextmanager
    def solution_copy(self, name: str, number: int) -> Iterator[Workshop]:
        """A copy of it, for one check; raises CourseError when it does not build."""
        workshop, problems = self.solution(number)
        if problems:
            raise CourseError([Problem("", 0, "the solution does not build"), *problems])
        copy = workshop.copy(self.scratch / name)
        try:
            yield copy
        finally:
            copy.remove()

    @contextlib.contextmanager
    def timed(self, check: str) -> Iterator[None]:
        """One of the runs that a check consists of."""
        start = time.monotonic()
        yield
        self.seconds.setdefault(check, []).append(time.monotonic() - start)


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
    runs: list[float] = field(default_factory=list)  # what it took for each tree that was graded


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


def check_starter(setting: Setting, number: int) -> list[Problem]:
    """The starter builds without warnings, boots, and says what is missing; with the labs before it
    done, it scores 0. In a hurry, what it shares with the solution is not compiled twice, and one
    failed test is enough for an exercise."""
    name, tree = f"starter-{number}", starter(setting.source, number)
    with contextlib.ExitStack() as stack:
        if setting.full:
            workshop = Workshop.of(setting.scratch / name, tree, setting.jobs)
        else:
            copy = stack.enter_context(setting.solution_copy(name, number))
            workshop = Workshop.of(copy.folder, tree, setting.jobs)
        problems = judge_starter(workshop)
        if problems:
            return [blame_stub(setting.source, tree, problem) for problem in problems]
        # Only so do the tests get as far as to this lab's own stubs.
        workshop = Workshop.of(workshop.folder, catchup(setting.source, number), setting.jobs)
        return workshop.make()[1] or check_zero(workshop, number, not setting.full)


def blame_stub(source: Source, tree: Tree, problem: Problem) -> Problem:
    """What a compiler says about a line of a stub belongs to the stub's place in its lab.toml."""
    if not problem.line or problem.path not in tree:
        return problem
    for region in parse_regions(problem.path, tree[problem.path].data.decode())[0]:
        exercise = source.exercises.get(region.id)
        if exercise and region.first < problem.line < region.last:
            text = f"the stub of exercise {region.id} does not compile: {problem}"
            return Problem(exercise.path, exercise.line, text)
    return problem


def judge_starter(workshop: Workshop) -> list[Problem]:
    problems = workshop.make()[1]
    if problems:
        return problems
    log = workshop.boot().output
    said = unwritten(log)
    if not said:
        last = " | ".join(log.strip().split("\n")[-3:])
        return [Problem("", 0, f"no exercise is named by the booted starter: {last}")]
    return []


def check_zero(workshop: Workshop, number: int, fail_fast: bool) -> list[Problem]:
    score = workshop.grade(number, fail_fast=fail_fast)
    if score.error:
        return [Problem("", 0, f"the starter could not be graded: {score.error}")]
    return [
        Problem("", 0, f"the starter gets {exercise.earned:g} points for exercise {exercise.id}")
        for exercise in score.exercises.values()
        if exercise.earned > 0
    ]


def check_solution(setting: Setting, number: int) -> list[Problem]:
    """The solution builds without warnings and any later lab's files, and gets full marks: when it
    is graded many times, with one hart and with several, and beside a process that takes a core."""
    problems: list[Problem] = []
    with setting.solution_copy(f"solution-{number}", number) as workshop:
        for turn in range(setting.repeat):
            harts, loaded = HARTS[turn % 2], turn // 2 % 2 == 1
            with load() if loaded else contextlib.nullcontext():
                with setting.timed(f"solution {number}"):
                    score = workshop.grade(number, smp=harts)
            where = f"turn {turn + 1}, SMP={harts}{', loaded' if loaded else ''}"
            problems += [
                Problem("", 0, f"{text} ({where})")
                for text in judge_solution(setting.source, number, score)
            ]
    return problems


def judge_solution(source: Source, number: int, score: Score) -> list[str]:
    if score.error:
        return [f"the solution could not be graded: {score.error}"]
    texts = []
    for wanted in source.lab(number).exercises:
        exercise = score.exercises.get(wanted.id)
        earned = exercise.earned if exercise else 0
        if earned != wanted.points:
            texts.append(f"exercise {wanted.id}: {earned:g} of {wanted.points} points")
    if score.failed:
        texts.append(f"failed: {', '.join(sorted(score.failed))}")
    texts += score.reasons
    return texts


@contextlib.contextmanager
def load() -> Iterator[None]:
    """Another process that wants a core for itself."""
    child = start_child([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        end_child(child)


def check_climb(setting: Setting, number: int) -> list[Problem]:
    """A student who has done the exercises up to some one has their points, and no others. In a
    hurry, one exercise is chosen, and it and the next one are graded, which is lost with one test."""
    source = setting.source
    exercises = source.lab(number).exercises
    steps = list(range(1, len(exercises)))
    if not setting.full:
        steps = [random.Random(f"{setting.seed} climb {number}").choice(steps)]
    problems: list[Problem] = []
    with setting.solution_copy(f"climb-{number}", number) as workshop:
        for step in steps:
            done = [exercise.id for exercise in exercises[:step]]
            tree = make_tree(source, number, number - 1, done)
            Workshop.of(workshop.folder, tree, setting.jobs)
            first = 0 if setting.full else step - 1
            graded = exercises if setting.full else exercises[first : step + 1]
            tests = "" if setting.full else tests_of(tree, number, [exercise.id for exercise in graded])
            with setting.timed(f"climb {number}"):
                wrong = workshop.make()[1]
                score = workshop.grade(number, tests, fail_fast=not setting.full)
            texts = [f"{problem}" for problem in wrong] or judge_climb(graded, step - first, score)
            where = f"with the exercises up to {done[-1]} done"
            problems += [Problem("", 0, f"{text} ({where})") for text in texts]
    return problems


def judge_climb(exercises: Sequence[Exercise], step: int, score: Score) -> list[str]:
    if score.error:
        return [f"could not be graded: {score.error}"]
    texts = []
    for place, exercise in enumerate(exercises):
        scored = score.exercises.get(exercise.id)
        earned = scored.earned if scored else 0
        if earned != (exercise.points if place < step else 0):
            texts.append(f"exercise {exercise.id} gets {earned:g} of {exercise.points} points")
    if texts:
        texts += [reason for reason in score.reasons if not UNWRITTEN.search(reason)]
    return texts


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


def choose(setting: Setting, number: int, kind: str) -> list[Patch]:
    """The patches to try: all, or some."""
    patches = [p for p in read_patches(setting.source)[0] if p.lab == number and p.kind == kind]
    most = setting.sample if kind == "mutants" else 1
    if setting.sample and len(patches) > most:
        dice = random.Random(f"{setting.seed} {number}")
        patches = sorted(dice.sample(patches, most), key=lambda patch: patch.path)
    return patches


def check_kind(setting: Setting, number: int, kind: str) -> list[Problem]:
    """Build and grade every patch of one kind; between two, only what it changed is rebuilt. A mutant
    meets the tests that must catch it, and all of the exercises in the files that it changes; an
    alternate meets every test. In a hurry, a mutant meets only the former, an alternate only the
    latter."""
    patches = choose(setting, number, kind)
    if not patches:
        return []
    problems: list[Problem] = []
    with setting.solution_copy(f"{kind}-{number}", number) as workshop:
        for patch in patches:
            try:
                apply(patch, workshop.folder)
            except CourseError as error:
                problems += error.problems
                continue
            with setting.timed(f"{kind} {number}"):
                ran, wrong = workshop.make(strict=False)
                if ran.status != 0:
                    problems.append(Problem(patch.path, 0, f"does not build: {wrong[0]}"))
                elif kind == "mutants" and not setting.full:
                    problems += judge_quickly(workshop, patch)
                else:
                    all_of_them = kind == "alternates" and setting.full
                    tests = "" if all_of_them else tests_of_changed(setting.source, patch)
                    problems += judge(patch, workshop.grade(number, tests))
            apply(patch, workshop.folder, reverse=True)
    return problems


def tests_of_changed(source: Source, patch: Patch) -> str:
    """The tests of the exercises whose regions are in the files that a patch changes, and those that
    it names."""
    paths = set(patch.changes)
    exercises = {region.id for path in paths for region in parse_regions(path, source.text(path))[0]}
    return f"{tests_of(solution(source, patch.lab), patch.lab, exercises)} {patch.fields.get('Fails', '')}"


def judge_quickly(workshop: Workshop, patch: Patch) -> list[Problem]:
    """A mutant and the tests that must catch it. Their inputs are random: one may let it through
    once, but not again and again. (The full check shows whether it was caught at once.)"""
    problems: list[Problem] = []
    for _ in range(TRIES):
        problems = judge(patch, workshop.grade(patch.lab, patch.tests))
        if not problems:
            break
    return problems


def some_tests(setting: Setting, tree: Tree, number: int, exercises: Iterable[str]) -> str:
    """A few of each exercise."""
    dice = random.Random(f"{setting.seed} tests {number}")
    each = [tests_of(tree, number, [exercise]).split() for exercise in exercises]
    return " ".join(name for names in each for name in dice.sample(names, min(LIAR_TESTS, len(names))))


def check_liars(setting: Setting, number: int) -> list[Problem]:
    """Grade them as an instructor would: what they change besides what a student may edit does not
    count, and what they do to the grader must not help them. One that only changes other files has
    not written this lab's exercises. In a hurry, only what they fake is graded, by some of its tests,
    and one failed test is enough for an exercise."""
    patches = choose(setting, number, "liars")
    if not patches:
        return []
    problems: list[Problem] = []
    folder = setting.scratch / f"liars-{number}"
    editable = set(setting.source.editable(number))
    works = {
        wrote: Workshop.of(folder / f"submission-{wrote}", make(setting.source, number))
        for wrote, make in ((True, solution), (False, catchup))
    }
    with setting.solution_copy(f"liars-{number}/tree", number):
        own = starter(setting.source, number)
        hurry = not setting.full
        bench = Bench(own, number, folder, Settings(setting.jobs, fail_fast=hurry))
        for patch in patches:
            liar = works[bool(editable & set(patch.changes))]
            try:
                apply(patch, liar.folder)
            except CourseError as error:
                problems += error.problems
                continue
            with setting.timed(f"liars {number}"):
                tests = some_tests(setting, own, number, patch.words("Zero")) if hurry else ""
                result = grade_submission(bench, liar.folder, tests=tests)
            if "does not build" in result.message:
                problems.append(Problem(patch.path, 0, result.message))
            problems += judge(patch, score_of(result))
            apply(patch, liar.folder, reverse=True)
    shutil.rmtree(folder, ignore_errors=True)
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
    # Neighbours belong to different labs, and so do not wait for the same solution to be built.
    checks += [for_lab("solution", number, check_solution, True) for number in numbers]
    checks += [for_lab("starter", number, check_starter, True) for number in numbers]
    checks += [for_lab("climb", number, check_climb, True) for number in numbers]
    checks += [for_lab("liars", number, check_liars, True) for number in numbers]
    for kind in ("alternates", "mutants"):
        for number in numbers:
            checks.append(for_lab(kind, number, lambda s, n, k=kind: check_kind(s, n, k), True))
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
    runs = setting.seconds.get(check.name, [])
    return Outcome(check, problems, time.monotonic() - start, runs)


@dataclass
class Report:
    """Prints rows as they come, and counts."""

    shown: int = SHOWN
    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        verdict = "ok" if not outcome.problems else f"{len(outcome.problems)} problems"
        runs = ", ".join(f"{seconds:.1f}" for seconds in outcome.runs)
        runs = f" ({len(outcome.runs)} graded, each in {runs} s)" if runs else ""
        print(f"  {outcome.check.name:<14} {outcome.seconds:7.1f} s  {verdict}{runs}", flush=True)
        shown = outcome.problems if not self.shown else outcome.problems[: self.shown]
        for problem in shown:
            print(f"      {problem}", flush=True)
        if len(outcome.problems) > len(shown):
            print(f"      ... and {len(outcome.problems) - len(shown)} more", flush=True)

    def summary(self) -> str:
        """Its last line has the counts; before it the first problem of each check, once more."""
        failed = [outcome for outcome in self.outcomes if outcome.problems]
        lines = [f"FAILED {outcome.check.name}: {outcome.problems[0]}" for outcome in failed]
        lines.append(f"{len(self.outcomes) - len(failed)} passed, {len(failed)} failed")
        return "\n".join(lines)


def run_checks(checks: Iterable[Check], setting: Setting, workers: int, shown: int) -> Report:
    """Run them at the same time. Whoever interrupts them finds nothing of them afterwards."""
    report = Report(shown)
    become_parent_of_orphans()
    try:
        with ThreadPoolExecutor(max_workers=workers or os.cpu_count() or 1) as pool:
            jobs = [pool.submit(run_check, check, setting) for check in checks]
            try:
                for job in as_completed(jobs):
                    report.add(job.result())
            except (KeyboardInterrupt, SystemExit):
                end_all()
                shutil.rmtree(setting.scratch, ignore_errors=True)
                os._exit(INTERRUPTED)  # not waiting for the threads, whose work has gone
    finally:
        shutil.rmtree(setting.scratch, ignore_errors=True)
    return report
