"""Reference objects: an earlier lab's files, compiled, for `make REF="1 2"`. The branch of lab N
brings those of lab N - 1, without debugging information, so that the same source gives the same
bytes and the object is not the solution's text."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from grade.course.problem import CourseError, Problem
from grade.course.source import Source
from grade.course.symbols import object_of
from grade.course.tree import PLAIN, Entry, Tree


def stripped(objcopy: str, path: Path) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".o") as out:
        words = [objcopy, "--strip-debug", "--remove-section=.comment", "-D", str(path), out.name]
        answer = subprocess.run(words, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise CourseError(f"{' '.join(words)}: {answer.stderr.strip()}")
        return Path(out.name).read_bytes()


def reference_objects(source: Source, build: Path, objcopy: str) -> dict[int, Tree]:
    """For each lab, the objects that its branch adds. build: of the whole system, up to date."""
    extra: dict[int, Tree] = {}
    for lab in source.labs[:-1]:
        tree: Tree = {}
        for path in sorted({r.path for r in source.regions.values() if r.lab == lab.number}):
            if not path.endswith((".c", ".S")):
                continue
            file = object_of(build, path)
            if not file.exists():
                raise CourseError(Problem(path, 0, f"has no object in {build}; run make first"))
            name = f"ref/{lab.branch}/{path.rsplit('.', 1)[0]}.o"
            tree[name] = Entry(PLAIN, stripped(objcopy, file))
        extra[lab.number + 1] = tree
    return extra
