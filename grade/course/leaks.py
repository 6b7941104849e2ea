"""No line of a solution in what students get before they have written it.

Two ways out are watched. Text (stubs, hints, handouts): no single line of a region's body, if it
is long enough to mean something. Code outside the regions: no run of six lines in a row, since
single lines of C recur honestly. The function's signature is not part of the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from grade.course.problem import Problem
from grade.course.region import SOURCE_SUFFIXES, Region, parse_regions
from grade.course.source import Source
from grade.course.tree import starter

MEANINGFUL = 24  # characters; shorter lines say nothing
RUN = 6
NOT_TEXT = (".o", ".png", ".jpg", ".img", ".gz", ".woff2")


def normalized(line: str) -> str:
    """Without comments and space, so that a change of layout hides nothing."""
    line = re.sub(r"/\*.*?\*/|//.*$", "", line)
    return re.sub(r"\s+", "", line)


def body_lines(region: Region) -> Iterator[str]:
    """The lines inside the outermost braces of each function of a region."""
    depth = 0
    for line in region.body:
        if depth or not line.startswith(("{", "}")):
            if depth and normalized(line).strip("{};"):
                yield line
        depth += line.count("{") - line.count("}")


class Secret:
    """What must not be seen: for each meaningful line, the exercise that it solves."""

    def __init__(self, regions: Iterable[Region]) -> None:
        self.single: dict[str, str] = {}
        self.runs: dict[tuple[str, ...], str] = {}
        for region in regions:
            lines = [normalized(line) for line in body_lines(region)]
            for line in lines:
                if len(line) >= MEANINGFUL:
                    self.single.setdefault(line, region.id)
            for start in range(len(lines) - RUN + 1):
                run = tuple(lines[start : start + RUN])
                if sum(map(len, run)) >= RUN * MEANINGFUL:
                    self.runs.setdefault(run, region.id)

    def in_text(self, path: str, text: str) -> Iterator[Problem]:
        for number, line in enumerate(text.split("\n"), start=1):
            exercise = self.single.get(normalized(line))
            if exercise:
                yield Problem(path, number, f"a line of the solution of exercise {exercise}")

    def in_code(self, path: str, text: str) -> Iterator[Problem]:
        lines = [
            (number, normalized(line))
            for number, line in enumerate(text.split("\n"), start=1)
            if normalized(line).strip("{};")
        ]
        for start in range(len(lines) - RUN + 1):
            run = tuple(line for _, line in lines[start : start + RUN])
            if run in self.runs:
                text = f"{RUN} lines in a row of the solution of exercise {self.runs[run]}"
                yield Problem(path, lines[start][0], text)


def check_leaks(source: Source) -> list[Problem]:
    """In the largest starter, of which the others are parts."""
    secret = Secret(source.regions.values())
    problems: list[Problem] = []
    for path, entry in starter(source, source.labs[-1].number).items():
        if path.endswith(NOT_TEXT):
            continue
        text = entry.data.decode(errors="replace")
        if not path.endswith(SOURCE_SUFFIXES):
            problems += secret.in_text(path, text)
            continue
        problems += secret.in_code(path, text)
        for region in parse_regions(path, text)[0]:
            problems += secret.in_text(path, region.text)
    return sorted(problems)
