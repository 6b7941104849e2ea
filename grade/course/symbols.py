"""A file calls nothing of a later lab: undefined symbols of its object against who defines them.

A reference may go upwards where it is weak (null without the later lab's file; the caller says
what that means) or where the linker script provides a stand-in. The kernel is one program; a server or a program may use its own files and
the libraries.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grade.course.problem import CourseError, Problem
from grade.course.source import INSTRUCTOR, Source, describe

USER_TOPS = ("user/", "servers/", "grade/programs/")
PROVIDED = re.compile(r"^PROVIDE\((\w+) =", re.MULTILINE)  # stand-ins, in a linker script
START = "user/libc/crt0.S"  # linked in front of every program
STRONG, WEAK, DEFINED = "U", "vw", "TDRBVWSGAC"


@dataclass(frozen=True)
class Symbols:
    """What one object needs and offers."""

    path: str  # of its source
    needs: frozenset[str]
    offers: frozenset[str]


def parse_nm(path: str, text: str) -> Symbols:
    needs, offers = set(), set()
    for line in text.split("\n"):
        words = line.split()
        if len(words) < 2:
            continue
        kind, name = words[-2], words[-1]
        if kind == STRONG:
            needs.add(name)
        elif kind not in WEAK and kind in DEFINED:
            offers.add(name)
    return Symbols(path, frozenset(needs), frozenset(offers))


def object_of(build: Path, path: str) -> Path:
    """Where the Makefile puts a source file's object for the kernel, or else for user space."""
    stem = path.rsplit(".", 1)[0] + ".o"
    if path == START:
        return build / stem
    return build / stem if path.startswith("kernel/") else build / "u" / stem


def program_of(path: str) -> str:
    """The program that a source file is part of; libraries are in every user program."""
    parts = path.split("/")
    if path.startswith("kernel/"):
        return "kernel"
    if parts[:2] == ["user", "bin"]:
        return "/".join(parts[:3]).removesuffix(".c")
    if parts[0] == "user":
        return "library"
    return "/".join(parts[:2])


def read_objects(source: Source, build: Path, nm: str) -> tuple[list[Symbols], list[str]]:
    """The symbols of every object that was built, and the sources without one."""
    found: list[Symbols] = []
    missing: list[str] = []
    objects: dict[str, str] = {}
    for path in source.files:
        if not path.endswith((".c", ".S")) or "/test/" in path or "/fuzz/" in path:
            continue
        if not path.startswith(("kernel/", *USER_TOPS)):
            continue
        file = object_of(build, path)
        if file.exists():
            objects[str(file)] = path
        else:
            missing.append(path)
    for path in source.files:
        if path.endswith(".ld"):
            provided = frozenset(PROVIDED.findall(source.text(path)))
            found.append(Symbols(path, frozenset(), provided))
    if objects:
        answer = subprocess.run([nm, *objects], capture_output=True, text=True, check=False)
        if answer.returncode:
            raise CourseError(f"{nm}: {answer.stderr.strip()}")
        for part in re.split(r"^\n?(?=\S+:$)", answer.stdout, flags=re.MULTILINE):
            name, _, symbols = part.partition(":\n")
            if name.strip() in objects:
                found.append(parse_nm(objects[name.strip()], symbols))
            elif len(objects) == 1:
                found.append(parse_nm(*objects.values(), part))
    return found, missing


def visible(user: str, definer: str) -> bool:
    """May a file of one program use what a file of another defines?"""
    return user == definer or (definer == "library" and user != "kernel")


def upward(source: Source, objects: Iterable[Symbols]) -> list[tuple[str, str, str]]:
    """(file, symbol, file of a later lab that alone defines it)."""
    definers: dict[str, list[Symbols]] = {}
    objects = list(objects)
    for one in objects:
        for name in one.offers:
            definers.setdefault(name, []).append(one)
    out: list[tuple[str, str, str]] = []
    for one in objects:
        owner = source.owners.get(one.path, INSTRUCTOR)
        if owner == INSTRUCTOR:
            continue
        for name in sorted(one.needs):
            at = program_of(one.path)
            possible = [d for d in definers.get(name, []) if visible(at, program_of(d.path))]
            if possible and all(is_later(source, d.path, owner) for d in possible):
                out.append((one.path, name, possible[0].path))
    return out


def is_later(source: Source, path: str, owner: int) -> bool:
    other = source.owners.get(path, INSTRUCTOR)
    return other == INSTRUCTOR or other > owner


def check_symbols(source: Source, build: Path, nm: str) -> list[Problem]:
    objects, missing = read_objects(source, build, nm)
    if not any(one.needs for one in objects):
        return [Problem("", 0, f"no objects in {build}; run make first")]
    problems = [
        Problem(path, 0, "has no object; it was not built, or the Makefile does not know it")
        for path in missing
        if source.owners.get(path, INSTRUCTOR) != INSTRUCTOR
    ]
    for path, name, definer in upward(source, objects):
        text = (
            f"a file of {describe(source.owners[path])} uses {name}, which only {definer} "
            f"({describe(source.owners.get(definer, INSTRUCTOR))}) defines"
        )
        problems.append(Problem(path, line_of(source, path, name), text))
    return sorted(problems)


def line_of(source: Source, path: str, name: str) -> int:
    """The first line that uses the name."""
    for number, line in enumerate(source.text(path).split("\n"), start=1):
        if name in line:
            return number
    return 0
