"""The labs in the book: what lab.toml, the source and the tests say about exercises.

A lab's page may contain, on a line of its own,

    <!-- lab -->             below the title: time, points, exercises, files
    <!-- exercise 3.2 -->    below that exercise's heading: points, files, tests, hints
    <!-- labs -->            the table of all labs, on any page

A page of a lab has each of its exercises exactly once. In a student's tree the later labs are
absent; so a page may link to the pages of labs before its own, but not to those behind.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from book.problem import PageError
from grade.markers import Marked, marked_tests

PLACEHOLDER = re.compile(r"<!-- (exercise|labs?)(?: (\S+))? -->")
ALMOST = re.compile(r"<!--\s*(?:exercise|labs?)\b")
HEADING = re.compile(r"(#{1,6}) +(.*?)(?: *\{#[^}]*\})?$")
EXERCISE_HEADING = re.compile(r"Exercise (\d+\.\d+): (.+)")
REGION = re.compile(r"^/\* exercise (\d+\.\d+) \*/$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+\.md)(?:#[^)]*)?\)")
SOURCE_TOPS = ("kernel", "servers", "user")
COMMON, INSTRUCTOR = 0, 1 << 20
FENCE = re.compile(r"(`{3,})")
INSTRUCTOR_PAGES = ("instructor.md",)


@dataclass(frozen=True)
class Exercise:
    """One [[exercise]]."""

    id: str
    title: str
    points: int
    difficulty: str
    hints: dict[str, str]

    @property
    def anchor(self) -> str:
        return "exercise-" + self.id.replace(".", "-")


@dataclass(frozen=True)
class Lab:
    """One lab.toml."""

    number: int
    title: str
    summary: str
    time: str
    difficulty: str
    page: str  # below handouts/
    globs: tuple[str, ...]
    editable: tuple[str, ...]
    exercises: tuple[Exercise, ...]

    @property
    def points(self) -> int:
        return sum(exercise.points for exercise in self.exercises)


def read_lab(path: Path) -> Lab:
    data: dict[str, Any] = tomllib.loads(path.read_text())
    exercises = tuple(
        Exercise(e["id"], e["title"], e["points"], e["difficulty"], dict(e["hints"]))
        for e in data["exercise"]
    )
    return Lab(
        int(path.parent.name[:2]),
        data["title"],
        data["summary"],
        data["time"],
        data["difficulty"],
        data["handout"].removeprefix("handouts/"),
        tuple(data["files"]),
        tuple(data["editable"]),
        exercises,
    )


def matches(path: str, glob: str) -> bool:
    """As in labs.toml: `*` stays inside a folder's name, `**` does not."""
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    return re.fullmatch("".join(wild.get(p, re.escape(p)) for p in parts), path) is not None


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def table(header: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return [*lines, *("| " + " | ".join(map(cell, row)) + " |" for row in rows), ""]


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" if line else "" for line in lines]


def outside_code(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a page with their numbers, without those in fenced blocks."""
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        mark = FENCE.match(line)
        if fence:
            fence = "" if line.strip() == fence else fence
        elif mark:
            fence = mark[1]
        else:
            yield number, line


@dataclass(frozen=True)
class Labs:
    """All labs of a tree, and where their exercises are."""

    root: Path
    labs: tuple[Lab, ...]
    files: tuple[str, ...]
    places: dict[str, str]  # exercise -> the file with its region
    tests: tuple[Marked, ...]

    @classmethod
    def read(cls, root: Path) -> Labs:
        labs = tuple(read_lab(p) for p in sorted((root / "labs").glob("[0-9][0-9]-*/lab.toml")))
        files = tuple(
            str(path.relative_to(root))
            for top in SOURCE_TOPS
            for path in sorted((root / top).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        )
        places = {
            name: path
            for path in files
            if path.endswith((".c", ".h", ".S"))
            for name in REGION.findall((root / path).read_text(errors="replace"))
        }
        return cls(root, labs, files, places, tuple(marked_tests(root)))

    # ---- Which file is whose ----------------------------------------------------------------

    def lab_of_page(self, name: str) -> Lab | None:
        return next((lab for lab in self.labs if lab.page == name), None)

    def files_of(self, lab: Lab) -> list[str]:
        """What its branch adds. A plain path outranks another lab's globs."""
        plain = {glob for other in self.labs if other is not lab for glob in other.globs}
        wanted = [glob for glob in lab.globs if not glob.startswith("!")]
        taken_out = [glob[1:] for glob in lab.globs if glob.startswith("!")]
        return [
            path
            for path in self.files
            if path in lab.globs
            or path not in plain
            and any(matches(path, glob) for glob in wanted)
            and not any(matches(path, glob) for glob in taken_out)
        ]

    # ---- Pieces -------------------------------------------------------------------------------

    def tests_of(self, exercise: Exercise) -> list[str]:
        """Its tests, file by file."""
        files: dict[str, list[str]] = {}
        for mark in self.tests:
            if mark.exercise == exercise.id:
                points = f" ({mark.points} points)" if mark.points is not None else ""
                files.setdefault(mark.path, []).append(f"`{mark.test}`{points}")
        return [f"{', '.join(tests)} in `{path}`" for path, tests in files.items()]

    def exercise_piece(self, exercise: Exercise) -> list[str]:
        facts = [f"{exercise.points} points", exercise.difficulty]
        if exercise.id in self.places:
            facts.append(f"in `{self.places[exercise.id]}`")
        facts.append(f"`make grade EX={exercise.id}`")
        lines = [" · ".join(facts), "{ .exercise-facts }", ""]
        tests = self.tests_of(exercise)
        if tests:
            lines += [f"Graded by {'; '.join(tests)}.", "{ .exercise-facts }", ""]
        if exercise.hints:
            rows = [[symptom, hint] for symptom, hint in exercise.hints.items()]
            hints = table(("what you see", "where to look"), rows)
            lines += ['??? question "Hints by symptom"', "", *indented(hints)]
        return lines

    def lab_piece(self, lab: Lab) -> list[str]:
        count = len(lab.exercises)
        lines = [
            f"{lab.time} · {lab.difficulty} · {lab.points} points in {count} exercises · "
            f"branch `lab{lab.number}`",
            "{ .exercise-facts }",
            "",
            *table(
                ("exercise", "", "points", "difficulty"),
                [
                    [f"[{e.id}](#{e.anchor})", e.title, str(e.points), e.difficulty]
                    for e in lab.exercises
                ],
            ),
            f"You write in {', '.join(f'`{name}`' for name in self.editable(lab))}. "
            "Everything else of this lab is given.",
            "",
        ]
        folders: dict[str, list[str]] = {}
        for name in self.files_of(lab):
            path = PurePosixPath(name)
            folders.setdefault(str(path.parent), []).append(path.name)
        rows = [
            [f"`{folder}/`", " ".join(f"`{name}`" for name in names)]
            for folder, names in folders.items()
        ]
        files = table(("folder", "files"), rows)
        return [*lines, '??? note "Files that this lab adds"', "", *indented(files)]

    def editable(self, lab: Lab) -> list[str]:
        return [path for path in self.files if any(matches(path, glob) for glob in lab.editable)]

    def link(self, lab: Lab, base: str, anchor: str = "") -> str:
        """Where the page is, seen from a page in the folder base; "" if it is not there yet."""
        if not (self.root / "handouts" / lab.page).is_file():
            return ""
        page = PurePosixPath(lab.page)
        up = "../" * len(PurePosixPath(base).parts)
        target = page.name if str(page.parent) == base else f"{up}{page}"
        return f"{target}#{anchor}" if anchor else target

    def labs_piece(self, base: str) -> list[str]:
        rows = []
        for lab in self.labs:
            link = self.link(lab, base)
            title = f"[{lab.title}]({link})" if link else lab.title
            about = f"**{title}**. {lab.summary}"
            rows.append([str(lab.number), about, lab.time, str(lab.points)])
        return table(("lab", "what it is about", "time", "points"), rows)

    # ---- Pages --------------------------------------------------------------------------------

    def expand(self, name: str, text: str) -> str:
        """A page of handouts/ with its placeholders replaced; raises PageError."""
        own = self.lab_of_page(name)
        self.check_links(name, text)
        lines: list[str] = text.split("\n")
        seen: dict[str, int] = {}
        heading = 0  # the line of the last one
        for number, line in outside_code(text):
            if HEADING.match(line):
                heading = number
                continue
            match = PLACEHOLDER.fullmatch(line)
            if not match:
                if ALMOST.match(line.strip()):
                    raise PageError(f"{line.strip()!r} is no placeholder", number)
                continue
            if match[1] == "exercise":
                exercise = self.exercise_here(own, match[2] or "", number)
                if exercise.id in seen:
                    first = seen[exercise.id]
                    raise PageError(f"exercise {exercise.id} is also in line {first}", number)
                seen[exercise.id] = number
                lines[heading - 1] = check_heading(lines[heading - 1], exercise, number)
                piece = self.exercise_piece(exercise)
            elif match[2]:
                raise PageError(f"{line!r} takes nothing behind its name", number)
            elif match[1] == "labs":
                piece = self.labs_piece(str(PurePosixPath(name).parent).removeprefix("."))
            elif own is None:
                raise PageError(f"{line!r} stands on a page that no lab.toml names", number)
            else:
                seen["lab"] = number
                piece = self.lab_piece(own)
            lines[number - 1] = "\n".join(piece)
        if own:
            if "lab" not in seen:
                raise PageError("<!-- lab --> is missing", 1)
            for exercise in own.exercises:
                if exercise.id not in seen:
                    raise PageError(f"<!-- exercise {exercise.id} --> is missing", last_line(text))
        return "\n".join(lines)

    def exercise_here(self, own: Lab | None, wanted: str, line: int) -> Exercise:
        if own is None:
            raise PageError(f"exercise {wanted} stands on a page that no lab.toml names", line)
        for exercise in own.exercises:
            if exercise.id == wanted:
                return exercise
        raise PageError(f"lab {own.number} has no exercise {wanted or '(no number)'}", line)

    def level(self, name: str) -> int:
        """The first tree that has a page: lab N's, every one, or the instructor's only."""
        own = self.lab_of_page(name)
        return own.number if own else INSTRUCTOR if name in INSTRUCTOR_PAGES else COMMON

    def check_links(self, name: str, text: str) -> None:
        """A page must not link to one that a student does not have yet."""
        base = self.root / "handouts" / name
        for number, line in outside_code(text):
            for match in LINK.finditer(line):
                target = (base.parent / match[1]).resolve()
                if not target.is_relative_to((self.root / "handouts").resolve()):
                    continue
                other = str(target.relative_to((self.root / "handouts").resolve()))
                if self.level(other) > self.level(name):
                    raise PageError(f"{match[1]} is not in every tree that has this page", number)

    def exercises_page(self) -> str:
        """The reference page of all exercises."""
        lines = [
            "# Exercises and points",
            "",
            "Made from `labs/*/lab.toml`, the regions in the source and the markers on the tests. "
            "Without points of its own, a test earns its exercise's points together with the "
            "others of that exercise.",
            "",
        ]
        total = sum(lab.points for lab in self.labs)
        if len(self.labs) > 1:
            lines += [f"{len(self.labs)} labs, {total} points.", ""]
        for lab in self.labs:
            lines += [f"## Lab {lab.number}: {lab.title} {{#lab-{lab.number}}}", ""]
            lines += [f"{lab.points} points, {lab.time}, {lab.difficulty}.", ""]
            rows = []
            for e in lab.exercises:
                link = self.link(lab, "reference", e.anchor)
                place = self.places.get(e.id, "")
                rows.append(
                    [
                        f"[{e.id}]({link})" if link else e.id,
                        e.title,
                        str(e.points),
                        e.difficulty,
                        f"`{place}`" if place else "",
                        ", ".join(f"`{m.test}`" for m in self.tests if m.exercise == e.id),
                    ]
                )
            lines += table(("exercise", "", "points", "difficulty", "file", "tests"), rows)
        return "\n".join(lines)

    def navigation(self) -> list[str]:
        """The entries of the section "Labs", in YAML: those pages that exist."""
        entries = {"labs/index.md": "labs/index.md"}
        for lab in self.labs:
            title = json.dumps(f"Lab {lab.number}: {lab.title}", ensure_ascii=False)
            entries[lab.page] = f"{title}: {lab.page}"
        return [
            entry for page, entry in entries.items() if (self.root / "handouts" / page).is_file()
        ]


def last_line(text: str) -> int:
    return len(text.rstrip("\n").split("\n"))


def check_heading(line: str, exercise: Exercise, number: int) -> str:
    """The heading above a placeholder, with an anchor that does not depend on the title."""
    heading = HEADING.match(line)
    named = EXERCISE_HEADING.fullmatch(heading[2]) if heading else None
    if not heading or not named or named[1] != exercise.id:
        raise PageError(f"the heading above is not `Exercise {exercise.id}: ...`", number)
    if named[2].replace("`", "") != exercise.title.replace("`", ""):
        raise PageError(f"the heading above says {named[2]!r}, lab.toml {exercise.title!r}", number)
    return f"{heading[1]} {heading[2]} {{#{exercise.anchor}}}"
