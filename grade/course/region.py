"""Exercise regions: the lines between `/* exercise 1.2 */` and `/* end 1.2 */`.

The markers carry nothing but the id. Everything else about an exercise is in its lab.toml.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from grade.course.problem import Problem

ID = re.compile(r"[1-9][0-9]*\.[1-9][0-9]*")
LOOKS_LIKE_MARKER = re.compile(r"^\s*(?:/\*|//|#)\s*(exercise|end)\s+([0-9]+\.[0-9]*\S*)(.*)$")
SOURCE_SUFFIXES = (".c", ".h", ".S")


@dataclass(frozen=True)
class Region:
    """One exercise in one file. Lines count from 1; first and last are the marker lines."""

    id: str
    path: str
    first: int
    last: int
    body: tuple[str, ...]

    @property
    def lab(self) -> int:
        return lab_of(self.id)

    @property
    def text(self) -> str:
        return "\n".join(self.body) + "\n" if self.body else ""


def lab_of(exercise: str) -> int:
    """The lab of an exercise id: the number before the dot."""
    return int(exercise.split(".")[0])


def order_of(exercise: str) -> tuple[int, int]:
    """Sorts 1.10 behind 1.9."""
    lab, number = exercise.split(".")
    return int(lab), int(number)


def marker(line: str) -> tuple[str, str, str] | None:
    """(word, id, complaint) of a marker line; None for any other line."""
    match = LOOKS_LIKE_MARKER.match(line)
    if not match:
        return None
    word, name = match[1], match[2]
    exact = f"/* {word} {name} */"
    if not ID.fullmatch(name) or line.rstrip() != line or line.strip() != exact:
        return word, name, f"a marker is written alone on its line, like this: /* {word} 1.2 */"
    return word, name, ""


def parse_regions(path: str, text: str) -> tuple[list[Region], list[Problem]]:
    """The regions of one file, and what is wrong with its markers."""
    regions: list[Region] = []
    problems: list[Problem] = []
    lines = text.split("\n")
    opened: tuple[str, int] | None = None
    for number, line in enumerate(lines, start=1):
        found = marker(line)
        if found is None:
            continue
        word, name, complaint = found
        if complaint:
            problems.append(Problem(path, number, complaint))
        elif word == "exercise" and opened:
            problems.append(
                Problem(
                    path,
                    number,
                    f"exercise {name} begins inside exercise {opened[0]} (line {opened[1]}); "
                    "regions do not nest",
                )
            )
            opened = name, number
        elif word == "exercise":
            opened = name, number
        elif opened is None:
            problems.append(Problem(path, number, f"end {name} without an exercise {name} above"))
        elif opened[0] != name:
            problems.append(
                Problem(path, number, f"end {name} closes exercise {opened[0]} (line {opened[1]})")
            )
        else:
            body = tuple(lines[opened[1] : number - 1])
            regions.append(Region(name, path, opened[1], number, body))
            opened = None
    if opened:
        problems.append(Problem(path, opened[1], f"exercise {opened[0]} is never closed"))
    return regions, problems


def replace_regions(text: str, regions: list[Region], body: Callable[[Region], str | None]) -> str:
    """The text with the bodies of its regions replaced; the markers stay. None keeps a body."""
    lines = text.split("\n")
    for region in sorted(regions, key=lambda region: region.first, reverse=True):
        replacement = body(region)
        if replacement is not None:
            lines[region.first : region.last - 1] = replacement.rstrip("\n").split("\n")
    return "\n".join(lines)
