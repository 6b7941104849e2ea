"""A simulated student: works through the labs in a clone, one exercise a commit, merging each
next lab into the work, and must never meet a conflict."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from grade.course.problem import Problem
from grade.course.region import SOURCE_SUFFIXES, Region, parse_regions, replace_regions
from grade.course.source import Source
from grade.course.tree import solution
from grade.course.writer import Git

NOTE = "/* my own note on line {} */"


@dataclass(frozen=True)
class Habits:
    """How a student works."""

    name: str
    seed: int
    share: float = 1.0  # of the exercises that get done before the next lab
    notes: bool = False  # writes comments of their own into the files
    markers: bool = True  # keeps the marker lines
    catchup: int = 0  # starts with this lab's catch-up branch


HABITS = (
    Habits("diligent", 1),
    Habits("writes own code around", 2, notes=True),
    Habits("removes the markers", 3, markers=False),
    Habits("skips exercises", 4, share=0.5, notes=True),
    Habits("does nothing", 5, share=0.0),
    Habits("starts from a catch-up branch", 6, catchup=2),
)


@dataclass
class Student:
    """One student at work in a clone of the course's repository."""

    source: Source
    git: Git
    habits: Habits

    def __post_init__(self) -> None:
        self.dice = random.Random(self.habits.seed)

    def solve(self, region: Region) -> None:
        """Paste the solution of one exercise over its stub, and commit."""
        path = self.git.folder / region.path
        text = path.read_text()
        here = [found for found in parse_regions(region.path, text)[0] if found.id == region.id]
        path.write_text(replace_regions(text, here, lambda _: region.text))
        if self.habits.notes:
            self.scribble(path, here[0])
        self.git.run("commit", "-q", "-a", "--allow-empty", "-m", f"Exercise {region.id}")

    def scribble(self, path: Path, region: Region) -> None:
        """Insert comments before, in and at the end of the file."""
        lines = path.read_text().split("\n")
        for place in sorted({region.first - 1, region.first, len(lines) - 1}, reverse=True):
            lines.insert(place, NOTE.format(place))
        path.write_text("\n".join(lines))

    def forget_markers(self, number: int) -> None:
        for path in self.source.editable(number):
            if path.endswith(SOURCE_SUFFIXES):
                file = self.git.folder / path
                lines = file.read_text().split("\n")
                kept = [x for x in lines if not x.startswith(("/* exercise ", "/* end "))]
                file.write_text("\n".join(kept))
        self.git.run("commit", "-q", "-a", "--allow-empty", "-m", "Remove the markers")

    def do_lab(self, number: int) -> None:
        todo = [region for region in self.source.regions.values() if region.lab == number]
        self.dice.shuffle(todo)
        for region in todo[: round(len(todo) * self.habits.share)]:
            self.solve(region)
        if not self.habits.markers:
            self.forget_markers(number)

    def merge(self, number: int) -> list[Problem]:
        answer = self.git.run("merge", "-q", "--no-edit", f"origin/lab{number}", check=False)
        if not answer.returncode:
            return []
        conflicts = self.git.text("diff", "--name-only", "--diff-filter=U").split("\n")
        text = f"merging lab {number} conflicts for the student who {self.habits.name}"
        return [Problem(path, 0, text) for path in conflicts if path] or [
            Problem("", 0, f"{text}: {answer.stderr.decode(errors='replace').strip()}")
        ]


def work_through(source: Source, repository: Path, folder: Path, habits: Habits) -> list[Problem]:
    """One student, from the first lab to the last; problems if a merge conflicts or work is lost."""
    numbers = [lab.number for lab in source.labs]
    first = habits.catchup if habits.catchup in numbers else numbers[0]
    branch = f"lab{first}-catchup" if first > 1 else f"lab{first}"
    folder.mkdir(parents=True)
    git = Git(folder)
    git.run("clone", "-q", str(repository), ".", "-b", branch)
    student = Student(source, git, habits)
    for number in numbers[numbers.index(first) :]:
        if number > first:
            problems = student.merge(number)
            if problems:
                return problems
        student.do_lab(number)
    return compare(source, git, habits, numbers[-1])


def without_own_lines(text: str) -> list[str]:
    return [
        line
        for line in text.split("\n")
        if not line.startswith(("/* my own note", "/* exercise ", "/* end "))
    ]


def compare(source: Source, git: Git, habits: Habits, number: int) -> list[Problem]:
    """Who did everything has the solution at the end, apart from their own lines."""
    if habits.share < 1.0:
        return []
    problems = []
    for path, entry in solution(source, number).items():
        file = git.folder / path
        if not file.exists():
            problems.append(Problem(path, 0, "is missing after all merges"))
        elif path.endswith(SOURCE_SUFFIXES) and file.is_file():
            if without_own_lines(file.read_text()) != without_own_lines(entry.data.decode()):
                problems.append(Problem(path, 0, "is not the student's work after all merges"))
    return problems
