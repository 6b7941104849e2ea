"""The files of one branch: which, and with which exercises solved."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from grade.course.problem import CourseError, Problem
from grade.course.region import Region, replace_regions
from grade.course.source import Source

EXECUTABLE, PLAIN, LINK = "100755", "100644", "120000"


@dataclass(frozen=True)
class Entry:
    """One file of a tree, as git keeps it."""

    mode: str
    data: bytes


Tree = dict[str, Entry]


def entry_of(source: Source, path: str) -> Entry:
    file = source.root / path
    if file.is_symlink():
        return Entry(LINK, source.contents[path])
    mode = EXECUTABLE if os.access(file, os.X_OK) else PLAIN
    return Entry(mode, source.contents[path])


def make_tree(
    source: Source, number: int, solved: int = 0, done: Collection[str] = frozenset()
) -> Tree:
    """Lab number's tree with the exercises of the labs up to `solved`, and those that are `done`, in
    place, and stubs elsewhere."""
    exercises = source.exercises
    by_path: dict[str, list[Region]] = {}
    for region in source.regions.values():
        by_path.setdefault(region.path, []).append(region)

    def body(region: Region) -> str | None:
        if region.lab <= solved or region.id in done:
            return None
        if region.id not in exercises:
            text = f"exercise {region.id} has no stub"
            raise CourseError(Problem(region.path, region.first, text))
        return exercises[region.id].stub

    tree: Tree = {}
    for path in source.tree_files(number):
        entry = entry_of(source, path)
        if path in by_path:
            text = replace_regions(entry.data.decode(), by_path[path], body)
            entry = Entry(entry.mode, text.encode())
        tree[path] = entry
    return tree


def starter(source: Source, number: int) -> Tree:
    """What a student gets: every exercise a stub."""
    return make_tree(source, number)


def catchup(source: Source, number: int) -> Tree:
    """The labs before are done."""
    return make_tree(source, number, number - 1)


def solution(source: Source, number: int) -> Tree:
    """Everything is done."""
    return make_tree(source, number, number)


def write_tree(tree: Tree, folder: Path) -> None:
    """Put a tree into a folder. A file that is there already with the same bytes is not touched,
    so that a build in that folder stays up to date."""
    for name, entry in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == LINK:
            path.unlink(missing_ok=True)
            path.symlink_to(entry.data.decode())
            continue
        if not path.is_file() or path.read_bytes() != entry.data:
            path.write_bytes(entry.data)
        path.chmod(0o755 if entry.mode == EXECUTABLE else 0o644)


def only_adds(earlier: Tree, later: Tree) -> list[Problem]:
    """The next lab's branch keeps every file of this one, byte for byte."""
    problems = []
    for path, entry in earlier.items():
        if path not in later:
            problems.append(Problem(path, 0, "the next lab's branch removes this file"))
        elif later[path] != entry:
            problems.append(Problem(path, 0, "the next lab's branch changes this file"))
    return problems
