"""An exercise is in four places: source, lab.toml, a heading of the handout, a marker on a test."""

from __future__ import annotations

import re

from grade.course.problem import Problem
from grade.course.region import order_of
from grade.course.source import COMMON, INSTRUCTOR, Source, describe
from grade.markers import Marked, markers_in

TESTS = re.compile(r"grade/(?:.*/)?test_[^/]*\.py\Z")


def check_regions(source: Source) -> list[Problem]:
    """Markers, lab.toml files, and that the two name the same exercises."""
    problems = list(source.problems)
    exercises = source.exercises
    numbers = {lab.number for lab in source.labs}
    for region in source.regions.values():
        if region.id not in exercises:
            where = next((lab.path for lab in source.labs if lab.number == region.lab), "labs/")
            text = f"exercise {region.id} is not in {where}"
            if region.lab not in numbers:
                text = f"exercise {region.id}: there is no lab {region.lab}"
            problems.append(Problem(region.path, region.first, text))
        owner = source.owners.get(region.path)
        if owner is not None and owner != region.lab:
            problems.append(
                Problem(
                    region.path,
                    region.first,
                    f"exercise {region.id} stands in a file of {describe(owner)}",
                )
            )
        if region.lab in numbers and region.path not in source.editable(region.lab):
            lab = source.lab(region.lab)
            text = f"{region.path}, with exercise {region.id}, is not among the editable files"
            problems.append(Problem(lab.path, 0, text))
    for exercise in exercises.values():
        if exercise.id not in source.regions:
            text = f"exercise {exercise.id} has no region in the source"
            problems.append(Problem(exercise.path, exercise.line, text))
    return sorted(problems)


def check_owners(source: Source) -> list[Problem]:
    """Each file has exactly one owner, and each pattern fits a file."""
    return sorted(source.owner_problems)


def check_headings(source: Source, number: int) -> list[Problem]:
    """The handout has a heading `... Exercise N.M ...` per exercise and none for another."""
    lab = source.lab(number)
    if lab.handout not in source.contents:
        return [Problem(lab.path, 0, f"the handout {lab.handout} does not exist")]
    headings: dict[str, int] = {}
    for line_number, line in enumerate(source.text(lab.handout).split("\n"), start=1):
        match = re.match(r"#{1,6}\s.*?\b[Ee]xercise\s+(\d+\.\d+)\b", line)
        if match:
            headings[match[1]] = line_number
    problems = [
        Problem(lab.handout, 0, f"no heading for exercise {exercise.id} ({exercise.title})")
        for exercise in lab.exercises
        if exercise.id not in headings
    ]
    known = {exercise.id for exercise in lab.exercises}
    problems += [
        Problem(lab.handout, line, f"a heading for exercise {name}, which {lab.path} does not have")
        for name, line in headings.items()
        if name not in known
    ]
    return problems


def markers(source: Source) -> tuple[list[Marked], list[Problem]]:
    """All markers of the grader's tests."""
    marked: list[Marked] = []
    problems: list[Problem] = []
    for path in source.files:
        if not TESTS.match(path) or path.startswith("grade/course/"):
            continue
        try:
            marked += markers_in(path, source.text(path))
        except SyntaxError as error:
            problems.append(Problem(path, error.lineno or 0, str(error.msg)))
    return marked, problems


def check_tests(source: Source, number: int) -> list[Problem]:
    """Each exercise has a test whose file the lab's tree contains; points add up."""
    marked, problems = markers(source)
    exercises = source.exercises
    for mark in marked:
        if mark.exercise.split(".")[0] != str(number):
            continue
        if mark.exercise not in exercises:
            text = f"{mark.test} grades exercise {mark.exercise}, which no lab.toml has"
            problems.append(Problem(mark.path, mark.line, text))
            continue
        owner = source.owners.get(mark.path, COMMON)
        if owner == INSTRUCTOR or owner > number:
            text = f"{mark.test} grades exercise {mark.exercise} in a file of {describe(owner)}"
            problems.append(Problem(mark.path, mark.line, text))
    for exercise in sorted(source.lab(number).exercises, key=lambda e: order_of(e.id)):
        tests = [mark for mark in marked if mark.exercise == exercise.id]
        if not tests:
            problems.append(
                Problem(exercise.path, exercise.line, f"no test has a marker for {exercise.id}")
            )
            continue
        points = [mark.points for mark in tests if mark.points is not None]
        if points and sum(points) != exercise.points:
            problems.append(
                Problem(
                    tests[0].path,
                    tests[0].line,
                    f"the tests of exercise {exercise.id} give {sum(points)} points, "
                    f"{exercise.path} says {exercise.points}",
                )
            )
        known = {mark.test for mark in tests}
        problems += [
            Problem(exercise.path, exercise.line, f"no test {name} grades exercise {exercise.id}")
            for name in exercise.tests
            if name not in known
        ]
    return problems
