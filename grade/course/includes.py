"""A file includes nothing of a later lab."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from grade.course.problem import Problem
from grade.course.region import SOURCE_SUFFIXES
from grade.course.source import COMMON, INSTRUCTOR, Source, describe, matches

HOST_ONLY = re.compile(r".*/(test|fuzz)/")  # its Makefile fragment says where it looks
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def include_folders(source: Source) -> list[str]:
    """The folders of the configuration's include_roots, globs resolved."""
    folders = {str(parent) for path in source.files for parent in PurePosixPath(path).parents}
    return [
        folder
        for glob in source.config.include_roots
        for folder in sorted(folders)
        if matches(folder, glob)
    ]


def resolve(source: Source, path: str, name: str, folders: list[str], known: set[str]) -> str:
    """The file that an #include means; "" if it is not one of ours."""
    for folder in (str(PurePosixPath(path).parent), *folders):
        parts: list[str] = []
        for part in PurePosixPath(folder, name).parts:
            if part == ".." and parts:
                parts.pop()
            elif part != ".":
                parts.append(part)
        candidate = "/".join(parts)
        if candidate in known:
            return candidate
    return ""


def include_graph(source: Source) -> dict[str, list[tuple[int, str, str]]]:
    """For each source file: (line, name as written, file meant or "") of what it includes."""
    folders, known = include_folders(source), set(source.files)
    graph: dict[str, list[tuple[int, str, str]]] = {}
    for path in source.files:
        if not path.endswith(SOURCE_SUFFIXES):
            continue
        for number, line in enumerate(source.text(path).split("\n"), start=1):
            match = INCLUDE.match(line)
            if match:
                meant = resolve(source, path, match[2], folders, known)
                if HOST_ONLY.match(path) and (match[1] == "<" or not meant):
                    continue  # the host's own headers, or found by a flag of the test
                if meant or match[1] == '"':
                    graph.setdefault(path, []).append((number, match[2], meant))
    return graph


def check_includes(source: Source) -> list[Problem]:
    problems: list[Problem] = []
    # A header of the C library's own that ours completes; without ours there is still that one.
    toolchain = {"stdio.h", "stdlib.h", "string.h", "errno.h"}
    for path, included in include_graph(source).items():
        owner = source.owners.get(path, INSTRUCTOR)
        if owner == INSTRUCTOR:
            continue
        for line, name, meant in included:
            if not meant:
                if not any(matches(name, glob) for glob in source.config.generated):
                    problems.append(Problem(path, line, f'"{name}" is nowhere to be found'))
                continue
            other = source.owners.get(meant, INSTRUCTOR)
            if name in toolchain and owner == COMMON:
                continue
            if other == INSTRUCTOR or other > owner:
                text = f"a file of {describe(owner)} includes {meant}, which is {describe(other)}'s"
                problems.append(Problem(path, line, text))
    return sorted(problems)
