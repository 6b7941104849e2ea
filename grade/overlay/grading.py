"""Grade a submission: the lab's own tree, over it the files that a student may edit, built and
tested in a scratch folder. Makefile, scripts and tests are always the lab's own.

The student's code runs here twice as if it were ours: the compiler reads whatever it includes, and
tests run some of it on the host. Bounds hold what it can use up; what it can see is for the sandbox
(Bounds.sandbox), which is a further step. The result comes back sealed with a key that only this
process and the grader have.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grade.course.source import matches
from grade.course.tree import EXECUTABLE, LINK, PLAIN, Entry, Tree, write_tree
from grade.markers import markers_in
from grade.model import FAILED, Exercise, Result, ResultError, Test, read_result
from grade.overlay.submission import Submission, SubmissionError, read_submission
from grade.overlay.supervise import Bounds, Ran, supervised

SKIPPED = {".git", "build", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
LAB_FILE = re.compile(r"labs/([0-9]{2})-[^/]+/lab\.toml")
TEST_FILE = re.compile(r"grade/(.*/)?test_[^/]*\.py")
COMPLAINT = re.compile(r"error:|undefined reference|multiple definition|No rule to make|\*\*\*")
SHOWN_COMPLAINTS = 10
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "CROSS", "HOSTCC", "QEMU")
BUILD = Bounds(seconds=600, memory=4 << 30, file_size=1 << 30, output=16 << 20)
GRADE = Bounds(seconds=1800, output=256 << 20)


@dataclass(frozen=True)
class Settings:
    """How to build and grade."""

    jobs: int = 0  # of make, and tests at once; 0: as many as there are cores
    smp: int = 1
    references: tuple[int, ...] = ()  # labs whose files are taken from the reference objects
    fail_fast: bool = False  # of an exercise that is lost, run no further tests
    build: Bounds = BUILD
    grade: Bounds = GRADE


# ---- The lab's own tree ----------------------------------------------------------------------


def read_tree(folder: Path) -> Tree:
    """The tree of a lab, from a folder: a checkout of a student repository's branch, or a copy."""
    tree: Tree = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in SKIPPED]
        for name in files:
            path = Path(place) / name
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink():
                tree[relative] = Entry(LINK, os.readlink(path).encode())
            elif path.is_file() and path.name != ".git":
                mode = EXECUTABLE if os.access(path, os.X_OK) else PLAIN
                tree[relative] = Entry(mode, path.read_bytes())
    return tree


def labs_of(tree: Tree) -> dict[int, dict[str, Any]]:
    """The lab.toml files of a tree, by number."""
    found = {}
    for path, entry in tree.items():
        match = LAB_FILE.fullmatch(path)
        if match:
            found[int(match[1])] = tomllib.loads(entry.data.decode())
    return dict(sorted(found.items()))


def editable_of(tree: Tree, lab: int) -> tuple[str, ...]:
    """What a student may have edited by the end of this lab: paths and globs."""
    labs = labs_of(tree)
    return tuple(glob for number in labs if number <= lab for glob in labs[number]["editable"])


def blank_result(tree: Tree, lab: int) -> Result:
    """The lab with all its exercises and tests, none of them run."""
    data = labs_of(tree)[lab]
    exercises = [
        Exercise(entry["id"], entry["title"], entry["points"]) for entry in data["exercise"]
    ]
    by_id = {exercise.id: exercise for exercise in exercises}
    for path, entry in sorted(tree.items()):
        if not TEST_FILE.fullmatch(path) or path.startswith("grade/course/"):
            continue
        for mark in markers_in(path, entry.data.decode()):
            if mark.exercise in by_id:
                test = Test(f"{path}::{mark.test}", mark.points)
                by_id[mark.exercise].tests.append(test)
    return Result(lab, data["title"], exercises)


def failed_result(tree: Tree, lab: int, text: str, message: str) -> Result:
    """No points, and that is the submission's own fault."""
    result = blank_result(tree, lab)
    for exercise in result.exercises:
        exercise.tests = exercise.tests or [Test("submission")]
        for test in exercise.tests:
            test.outcome, test.text = FAILED, text
    result.finish()
    result.message = message
    return result


def broken_result(tree: Tree, lab: int, message: str) -> Result:
    """No result, and that is our fault."""
    result = blank_result(tree, lab)
    result.finish(message)
    return result


# ---- Building and grading --------------------------------------------------------------------


def complaints(output: str) -> str:
    """The first things that the compiler, the linker or make complained about."""
    lines = [line for line in output.split("\n") if line.strip()]
    found = [line for line in lines if COMPLAINT.search(line)]
    shown = found[:SHOWN_COMPLAINTS] or lines[-SHOWN_COMPLAINTS:]
    more = [f"... and {len(found) - len(shown)} more"] if len(found) > len(shown) else []
    return "\n".join([*shown, *more])


def run_grader(
    folder: Path,
    lab: int,
    bounds: Bounds,
    *words: str,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Run the grader of a tree that is built, with a key for this run. Raises ResultError."""
    key = secrets.token_hex(32)
    score = folder / "build/grade/score.json"
    score.unlink(missing_ok=True)
    command = [sys.executable, "-m", "grade.run", "--build", "build", "--json", str(score)]
    command += ["--lab", str(lab), "--key-on-stdin", *words]
    given = key.encode() + b"\n"
    ran = supervised(command, folder, bounds, environment=environment, given=given)
    try:
        return read_result(score, key.encode())
    except ResultError as error:
        last = " | ".join(ran.output.strip().split("\n")[-3:])
        reason = ran.reason or f"the grader ended with status {ran.status}"
        raise ResultError(f"{error} ({reason}: {last})") from None


@dataclass
class Bench:
    """A scratch folder in which submissions for one lab are graded, one after the other. Files that
    do not change are left alone, so that make builds only what a submission changes."""

    tree: Tree
    lab: int
    folder: Path
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        if self.lab not in labs_of(self.tree):
            raise ValueError(f"there is no lab {self.lab} in the tree to grade with")

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of ours but what finds the tools; temporary files stay in the scratch folder."""
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        for name in ("home", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        home, temporary = str(self.folder / "home"), str(self.folder / "tmp")
        return {**kept, "HOME": home, "TMPDIR": temporary, "NO_SETUP": "1"}

    @property
    def work(self) -> Path:
        return self.folder / "tree"

    def lay(self, files: Mapping[str, bytes]) -> None:
        """The lab's own tree with these files over it, and nothing of an earlier submission."""
        globs = editable_of(self.tree, self.lab)
        over = {name: Entry(PLAIN, data) for name, data in files.items()}
        self.work.mkdir(parents=True, exist_ok=True)
        for name in read_tree(self.work):
            known = name in self.tree or name in over
            if not known and any(matches(name, glob) for glob in globs):
                (self.work / name).unlink()
        write_tree({**self.tree, **over}, self.work)

    def build(self) -> Ran:
        jobs = self.settings.jobs or os.cpu_count() or 1
        words = ["make", "-k", f"-j{jobs}", "BUILD=build", f"PYTHON={sys.executable}"]
        references = " ".join(str(lab) for lab in self.settings.references if lab < self.lab)
        words += [f"REF={references}", "all"]
        return supervised(words, self.work, self.settings.build, environment=self.environment)

    def grade(self, submission: Submission, tests: str = "") -> Result:
        """Always a result: with points, or with state "error". tests: only those that these globs
        name, for a quick look."""
        self.lay(submission.files)
        ran = self.build()
        if ran.status != 0:
            result = self.judge_build(ran)
        else:
            words = ["--smp", str(self.settings.smp), "--jobs", str(self.settings.jobs)]
            words += ["--tests", tests, *(["--fail-fast"] if self.settings.fail_fast else [])]
            try:
                result = run_grader(
                    self.work, self.lab, self.settings.grade, *words, environment=self.environment
                )
            except ResultError as error:
                result = broken_result(self.tree, self.lab, str(error))
        result.message = "\n".join([*submission.notes, *filter(None, [result.message])])
        return result

    def judge_build(self, ran: Ran) -> Result:
        """Whose fault is it? If the lab's own tree does not build here, then ours."""
        message = f"the submission does not build:\n{complaints(ran.output)}"
        if ran.reason:
            message += f"\nmake was ended: {ran.reason}"
        self.lay({})
        own = self.build()
        if own.status != 0:
            text = f"the lab's own tree does not build here:\n{complaints(own.output)}"
            return broken_result(self.tree, self.lab, text)
        return failed_result(self.tree, self.lab, "the submission does not build", message)


def tests_of(tree: Tree, lab: int, exercises: Iterable[str]) -> str:
    """The names of the tests of some exercises."""
    wanted = [entry for entry in blank_result(tree, lab).exercises if entry.id in exercises]
    return " ".join(test.name.split("::")[1] for entry in wanted for test in entry.tests)


def grade_submission(
    bench: Bench, path: Path, *, as_handed_in: bool = False, tests: str = ""
) -> Result:
    """Read and grade one. as_handed_in: take the labs' files from the reference objects that the
    submission says it was made with."""
    try:
        submission = read_submission(path, editable_of(bench.tree, bench.lab))
    except SubmissionError as error:
        text = f"the submission cannot be used: {error}"
        return failed_result(bench.tree, bench.lab, text, text)
    if not submission.files:
        submission.notes.append("there is no file in the submission that the lab lets be edited")
    if as_handed_in:
        references = tuple(submission.references)
        bench.settings = replace(bench.settings, references=references)
    return bench.grade(submission, tests)
