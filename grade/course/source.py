"""The course as it stands in the source tree: files, labs, regions, and who owns which file."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from grade.course.lab import CourseConfig, Exercise, Lab, read_config, read_labs
from grade.course.problem import CourseError, Problem
from grade.course.region import SOURCE_SUFFIXES, Region, parse_regions

COMMON = 0  # owner of what every lab's tree has
INSTRUCTOR = -1  # owner of what no student gets
SKIPPED_FOLDERS = {".git", "build", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


@dataclass(frozen=True)
class Source:
    """Everything read, once: somebody may be editing the tree while the checks run."""

    root: Path
    config: CourseConfig
    labs: tuple[Lab, ...]
    files: tuple[str, ...]
    owners: dict[str, int]
    regions: dict[str, Region]
    problems: tuple[Problem, ...]  # with labs and regions
    owner_problems: tuple[Problem, ...]
    contents: dict[str, bytes]

    def lab(self, number: int) -> Lab:
        for lab in self.labs:
            if lab.number == number:
                return lab
        raise CourseError(f"there is no lab {number}; there are 1 to {len(self.labs)}")

    @property
    def exercises(self) -> dict[str, Exercise]:
        return {exercise.id: exercise for lab in self.labs for exercise in lab.exercises}

    def text(self, path: str) -> str:
        return self.contents[path].decode(errors="replace")

    def regions_of(self, path: str) -> list[Region]:
        return [region for region in self.regions.values() if region.path == path]

    def files_of(self, *owners: int) -> list[str]:
        return [path for path in self.files if self.owners.get(path) in owners]

    def tree_files(self, number: int) -> list[str]:
        """The files of lab number's tree: its own, those of the labs before, and the common."""
        return [path for path in self.files if 0 <= self.owners.get(path, INSTRUCTOR) <= number]

    def editable(self, number: int) -> list[str]:
        """What a student may change in this lab."""
        globs = self.lab(number).editable
        return [path for path in self.files if any(matches(path, glob) for glob in globs)]


@lru_cache(maxsize=None)
def glob_regex(glob: str) -> re.Pattern[str]:
    """`*` and `?` stay inside a folder's name, `**` does not."""
    out = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", glob):
        wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        out += wild.get(part, re.escape(part))
    return re.compile(out + r"\Z")


def matches(path: str, glob: str) -> bool:
    return glob_regex(glob).match(path) is not None


def is_exact(glob: str) -> bool:
    return not re.search(r"[*?]", glob)


def list_files(root: Path) -> list[str]:
    """The files that belong to the project: what git tracks, or everything where there is no git."""
    if (root / ".git").exists():
        answer = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=True
        )
        names = answer.stdout.decode().split("\0")
        return sorted(name for name in names if name and (root / name).is_file())
    return sorted(
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and not SKIPPED_FOLDERS & set(path.relative_to(root).parts)
    )


@dataclass(frozen=True)
class Claim:
    """One pattern of one owner; "!" in front takes files out of that owner's globs."""

    owner: int
    path: str  # the file that makes the claim
    line: int
    glob: str


def claims_of(root: Path, config: CourseConfig, labs: list[Lab]) -> list[Claim]:
    claims: list[Claim] = []
    sources = [(COMMON, config.path, config.common), (INSTRUCTOR, config.path, config.instructor)]
    sources += [(lab.number, lab.path, lab.files) for lab in labs]
    for owner, path, globs in sources:
        lines = (root / path).read_text().split("\n")
        for glob in globs:
            line = next((n for n, text in enumerate(lines, 1) if f'"{glob}"' in text), 0)
            claims.append(Claim(owner, path, line, glob))
    return claims


def describe(owner: int) -> str:
    return {COMMON: "common", INSTRUCTOR: "instructor"}.get(owner, f"lab {owner}")


def assign_owners(files: list[str], claims: list[Claim]) -> tuple[dict[str, int], list[Problem]]:
    """The owner of each file. A plain path outranks a glob; otherwise one owner only."""
    problems: list[Problem] = []
    owners: dict[str, int] = {}
    used: set[Claim] = set()
    for path in files:
        fitting = [c for c in claims if not c.glob.startswith("!") and matches(path, c.glob)]
        taken_out = {
            c.owner: c for c in claims if c.glob.startswith("!") and matches(path, c.glob[1:])
        }
        used |= set(fitting) | set(taken_out.values())
        exact = [claim for claim in fitting if is_exact(claim.glob)]
        fitting = exact or [claim for claim in fitting if claim.owner not in taken_out]
        who = sorted({claim.owner for claim in fitting})
        if len(who) == 1:
            owners[path] = who[0]
        elif not who:
            problems.append(Problem(path, 0, "no lab owns this file, and it is not common"))
        else:
            places = ", ".join(f"{describe(c.owner)} ({c.path}:{c.line})" for c in fitting)
            problems.append(Problem(path, 0, f"more than one owner: {places}"))
    for claim in claims:
        if claim not in used:
            problems.append(Problem(claim.path, claim.line, f"{claim.glob!r} fits no file"))
    return owners, problems


def collect_regions(contents: dict[str, bytes]) -> tuple[dict[str, Region], list[Problem]]:
    regions: dict[str, Region] = {}
    problems: list[Problem] = []
    for path, data in contents.items():
        if not path.endswith(SOURCE_SUFFIXES):
            continue
        found, wrong = parse_regions(path, data.decode(errors="replace"))
        problems += wrong
        for region in found:
            if region.id in regions:
                other = regions[region.id]
                problems.append(
                    Problem(
                        path,
                        region.first,
                        f"exercise {region.id} is also at {other.path}:{other.first}",
                    )
                )
            else:
                regions[region.id] = region
    return regions, problems


def read_source(root: Path) -> Source:
    """Reads the course. What is wrong with its parts is kept with it; only a course of which
    nothing can be read raises CourseError."""
    config = read_config(root)
    labs, problems = read_labs(root)
    if not labs:
        raise CourseError(problems)
    files = list_files(root)
    contents = {
        path: os.readlink(root / path).encode()
        if (root / path).is_symlink()
        else (root / path).read_bytes()
        for path in files
    }
    regions, wrong_regions = collect_regions(contents)
    owners, wrong_owners = assign_owners(files, claims_of(root, config, labs))
    return Source(
        root,
        config,
        tuple(labs),
        tuple(files),
        owners,
        regions,
        tuple([*problems, *wrong_regions]),
        tuple(wrong_owners),
        contents,
    )
