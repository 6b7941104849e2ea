"""The zip file that makes a Gradescope autograder of a lab: setup.sh and run_autograder, the lab's
own tree, and the part of this one that grades. No solution is in it."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

from grade.course.source import Source, matches
from grade.course.tree import EXECUTABLE, LINK, PLAIN, Entry, Tree, entry_of

HARNESS = ("grade/*.py", "grade/course/*.py", "grade/formats/*.py", "grade/overlay/*.py")
NO_HARNESS = ("grade/test_*.py", "grade/bench.py", "grade/check.py")
SCRIPTS = "grade/overlay/gradescope/"
DATE = (2025, 1, 1, 0, 0, 0)  # the same lab gives the same bytes


def harness_of(source: Source) -> Tree:
    """What grade.one needs of this tree."""
    return {
        path: entry_of(source, path)
        for path in source.files
        if any(matches(path, glob) for glob in HARNESS)
        and not any(matches(path, glob) for glob in NO_HARNESS)
    }


def contents(source: Source, pristine: Tree, lab: int) -> Tree:
    """Every file of the zip file."""
    scripts = {
        path.removeprefix(SCRIPTS): Entry(EXECUTABLE, source.contents[path])
        for path in source.files
        if path.startswith(SCRIPTS)
    }
    harness = {f"harness/{path}": entry for path, entry in harness_of(source).items()}
    own = {f"pristine/{path}": entry for path, entry in pristine.items()}
    return {**scripts, "lab": Entry(PLAIN, b"%d\n" % lab), **harness, **own}


def write_zip(files: Tree, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, entry in sorted(files.items()):
            info = zipfile.ZipInfo(name, DATE)
            info.create_system = 3  # Unix, so that the modes count
            info.compress_type = zipfile.ZIP_DEFLATED
            kind = stat.S_IFLNK if entry.mode == LINK else stat.S_IFREG
            mode = 0o755 if entry.mode == EXECUTABLE else 0o644
            info.external_attr = (kind | mode) << 16
            archive.writestr(info, entry.data)
