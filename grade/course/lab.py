"""labs/course.toml and labs/NN-name/lab.toml: what the source cannot say about the course."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grade.course.problem import CourseError, Problem
from grade.course.region import ID, lab_of, order_of

FOLDER = re.compile(r"(\d\d)-([a-z0-9]+)")
DIFFICULTIES = ("easy", "medium", "hard")
LAB_KEYS = {
    "title": str, "summary": str, "time": str, "difficulty": str, "handout": str,
    "files": list, "editable": list, "exercise": list,
}  # fmt: skip
LAB_REQUIRED = ("title", "summary", "time", "difficulty", "handout", "files", "editable", "exercise")
EXERCISE_KEYS = {
    "id": str, "title": str, "points": int, "difficulty": str, "stub": str, "hints": dict,
    "tests": list,
}  # fmt: skip
EXERCISE_REQUIRED = ("id", "title", "points", "difficulty", "stub", "hints")
COURSE_KEYS = {
    "title": str, "common": list, "instructor": list, "include_roots": list, "generated": list,
}  # fmt: skip
COURSE_REQUIRED = ("title", "common", "instructor", "include_roots", "generated")


@dataclass(frozen=True)
class Exercise:
    """One [[exercise]] of a lab.toml."""

    id: str
    title: str
    points: int
    difficulty: str
    stub: str
    hints: dict[str, str]
    tests: tuple[str, ...]
    path: str  # of the lab.toml
    line: int

    @property
    def lab(self) -> int:
        return lab_of(self.id)


@dataclass(frozen=True)
class Lab:
    """One labs/NN-name folder."""

    number: int
    name: str
    path: str  # of the lab.toml
    title: str
    summary: str
    time: str
    difficulty: str
    handout: str
    files: tuple[str, ...]
    editable: tuple[str, ...]
    exercises: tuple[Exercise, ...]

    @property
    def folder(self) -> str:
        return str(Path(self.path).parent)

    @property
    def branch(self) -> str:
        return f"lab{self.number}"

    @property
    def points(self) -> int:
        return sum(exercise.points for exercise in self.exercises)


@dataclass(frozen=True)
class CourseConfig:
    """labs/course.toml."""

    title: str
    common: tuple[str, ...]
    instructor: tuple[str, ...]
    include_roots: tuple[str, ...]
    generated: tuple[str, ...]
    path: str = "labs/course.toml"


@dataclass
class Reader:
    """Reads one TOML file and collects what is wrong with it."""

    root: Path
    path: str
    problems: list[Problem] = field(default_factory=list)
    text: str = ""

    def complain(self, line: int, text: str) -> None:
        self.problems.append(Problem(self.path, line, text))

    def load(self) -> dict[str, Any]:
        try:
            self.text = (self.root / self.path).read_text()
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"line (\d+)", str(error))
            self.complain(int(place[1]) if place else 0, str(error))
        except OSError as error:
            self.complain(0, error.strerror or str(error))
        return {}

    def line_of(self, pattern: str, occurrence: int = 0) -> int:
        """The line where a pattern matches; 0 if nowhere. TOML's reader does not keep lines."""
        matches = list(re.finditer(pattern, self.text, re.MULTILINE))
        if occurrence >= len(matches):
            return 0
        return self.text.count("\n", 0, matches[occurrence].start()) + 1

    def check_keys(
        self, data: dict[str, Any], keys: dict[str, type], required: tuple[str, ...], line: int
    ) -> bool:
        """Every key known and of its type, every required one there."""
        before = len(self.problems)
        for key, value in data.items():
            at = self.line_of(rf"^{re.escape(key)}\b") if not line else line
            if key not in keys:
                self.complain(at, f"unknown key {key!r}; known are {', '.join(keys)}")
            elif not isinstance(value, keys[key]) or isinstance(value, bool):
                self.complain(at, f"{key} must be a {keys[key].__name__}")
            elif isinstance(value, list) and key != "exercise":
                if not all(isinstance(word, str) for word in value):
                    self.complain(at, f"{key} must be a list of strings")
        for key in required:
            if key not in data:
                self.complain(line, f"{key} is missing")
        return len(self.problems) == before


def read_exercise(reader: Reader, data: dict[str, Any], index: int, lab: int) -> Exercise | None:
    """One [[exercise]] table; None when something is wrong with it."""
    line = reader.line_of(r"^\[\[exercise\]\]", index)
    if not reader.check_keys(data, EXERCISE_KEYS, EXERCISE_REQUIRED, line):
        return None
    name = data["id"]
    if not ID.fullmatch(name) or lab_of(name) != lab:
        reader.complain(line, f"id {name!r} is not {lab}.N")
        return None
    if data["points"] <= 0:
        reader.complain(line, f"exercise {name} has {data['points']} points")
    if data["difficulty"] not in DIFFICULTIES:
        reader.complain(line, f"difficulty is one of {', '.join(DIFFICULTIES)}")
    if not all(isinstance(hint, str) for hint in data["hints"].values()):
        reader.complain(line, "each hint is a string, its key the symptom")
        return None
    for quoted in re.findall(r'EXERCISE\("([^"]*)"\)', data["stub"]):
        if quoted != name:
            reader.complain(line, f'the stub of exercise {name} says EXERCISE("{quoted}")')
    if "EXERCISE(" not in data["stub"]:
        reader.complain(line, f'the stub of exercise {name} does not fail with EXERCISE("{name}")')
    return Exercise(
        name,
        data["title"],
        data["points"],
        data["difficulty"],
        data["stub"].strip("\n") + "\n",
        dict(data["hints"]),
        tuple(data.get("tests", ())),
        reader.path,
        line,
    )


def read_lab(root: Path, folder: Path) -> tuple[Lab | None, list[Problem]]:
    """One lab; None when it cannot be used at all."""
    reader = Reader(root, str((folder / "lab.toml").relative_to(root)))
    name = FOLDER.fullmatch(folder.name)
    if not name:
        reader.complain(0, f"the folder {folder.name} is not called NN-name")
        return None, reader.problems
    data = reader.load()
    if reader.problems or not reader.check_keys(data, LAB_KEYS, LAB_REQUIRED, 0):
        return None, reader.problems
    number = int(name[1])
    exercises: list[Exercise] = []
    for index, entry in enumerate(data["exercise"]):
        exercise = read_exercise(reader, entry, index, number)
        if exercise is None:
            continue
        if any(exercise.id == other.id for other in exercises):
            reader.complain(exercise.line, f"exercise {exercise.id} is there twice")
        exercises.append(exercise)
    if [e.id for e in exercises] != sorted((e.id for e in exercises), key=order_of):
        reader.complain(0, "the exercises are not in the order of their ids")
    lab = Lab(
        number,
        name[2],
        reader.path,
        data["title"],
        data["summary"],
        data["time"],
        data["difficulty"],
        data["handout"],
        tuple(data["files"]),
        tuple(data["editable"]),
        tuple(exercises),
    )
    return lab, reader.problems


def read_labs(root: Path) -> tuple[list[Lab], list[Problem]]:
    """Every lab, by number, without gaps."""
    labs: list[Lab] = []
    problems: list[Problem] = []
    for folder in sorted(path for path in (root / "labs").glob("*-*") if path.is_dir()):
        lab, wrong = read_lab(root, folder)
        problems += wrong
        if lab:
            labs.append(lab)
    if not labs and not problems:
        problems.append(Problem("labs", 0, "there is no labs/NN-name/lab.toml"))
    if not problems:
        for expected, lab in enumerate(labs, start=1):
            if lab.number != expected:
                problems.append(Problem(lab.path, 0, f"lab {expected} is missing before this one"))
                break
    return labs, problems


def read_config(root: Path) -> CourseConfig:
    """labs/course.toml; raises CourseError."""
    reader = Reader(root, CourseConfig.path)
    data = reader.load()
    if reader.problems or not reader.check_keys(data, COURSE_KEYS, COURSE_REQUIRED, 0):
        raise CourseError(reader.problems)
    lists = {key: tuple(data[key]) for key in COURSE_REQUIRED if key != "title"}
    return CourseConfig(title=data["title"], **lists)
