"""Grade one submission as an instructor does: with the lab's own tree and tests.

    python -m grade.one SUBMISSION --lab N --out DIR [--pristine DIR] [--references "1 2"|handin]

SUBMISSION is a folder, or an archive that `make handin` wrote. Of it count only the files that the
lab.toml files up to lab N list as editable; Makefile, scripts and tests are always the lab's own.
These come from --pristine: a folder with the tree of the lab, or a student repository (its branch
labN); without it, they are made from the source tree that this file is in. Earlier labs are graded
as they were handed in: --references takes the files of those labs from the reference objects of the
lab's tree instead; with "handin" those that the student built with.

DIR gets score.json, and the same as score.txt, results.json (Gradescope), junit.xml and score.csv.
Exit status: 0 graded (whatever the points), 2 wrong usage, 3 no result: an error of the grader.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from grade.course.problem import CourseError
from grade.course.reference import reference_objects
from grade.course.source import read_source
from grade.course.tree import EXECUTABLE, LINK, PLAIN, Entry, Tree, starter
from grade.formats import FORMATS
from grade.model import DONE, Result
from grade.overlay.grading import Bench, Settings, grade_submission, read_tree

USAGE, BROKEN = 2, 3
ROOT = Path(__file__).resolve().parents[1]


def tree_of_branch(repository: Path, lab: int) -> Tree | None:
    """The tree of branch labN of a student repository; None when there is no such branch."""
    for branch in (f"refs/heads/lab{lab}", f"refs/remotes/origin/lab{lab}"):
        words = ["git", "-C", str(repository), "archive", "--format=tar", branch]
        answer = subprocess.run(words, capture_output=True, check=False)
        if answer.returncode:
            continue
        tree: Tree = {}
        with tarfile.open(fileobj=io.BytesIO(answer.stdout)) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isreg() else None
                if file:
                    mode = EXECUTABLE if member.mode & 0o100 else PLAIN
                    tree[member.name] = Entry(mode, file.read())
                elif member.issym():
                    tree[member.name] = Entry(LINK, member.linkname.encode())
        return tree
    return None


def tree_of_source(lab: int, build: Path, references: bool) -> Tree:
    """The lab's starter, made from this source tree; with the reference objects if asked for."""
    source = read_source(ROOT)
    tree = dict(starter(source, lab))
    if references:
        objcopy = os.environ.get("CROSS", "riscv64-unknown-elf-") + "objcopy"
        for number, objects in reference_objects(source, build, objcopy).items():
            if number <= lab:
                tree |= objects
    return tree


def pristine_tree(options: argparse.Namespace) -> Tree:
    if not options.pristine:
        return tree_of_source(options.lab, options.build, bool(options.references))
    if not options.pristine.is_dir():
        raise ValueError(f"{options.pristine} is no folder")
    if (options.pristine / ".git").exists():
        tree = tree_of_branch(options.pristine, options.lab)
        if tree is not None:
            return tree
    return read_tree(options.pristine)


def write_all(result: Result, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for form in FORMATS.values():
        (out / form.file).write_text(form.convert(result), errors="replace")
    result.write(out / "score.json")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="grade.one", description=__doc__.splitlines()[0])
    parser.add_argument("submission", type=Path)
    parser.add_argument("--lab", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pristine", type=Path)
    parser.add_argument("--references", default="", help='labs, as in REF="1 2"; or "handin"')
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="has reference objects")
    parser.add_argument("--scratch", type=Path, help="where the private copy is made")
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--smp", type=int, default=1)
    options = parser.parse_args(arguments)
    handed = options.references == "handin"
    try:
        references = () if handed else tuple(int(lab) for lab in options.references.split())
        tree = pristine_tree(options)
        settings = Settings(options.jobs, options.smp, references)
        with tempfile.TemporaryDirectory(
            prefix="cairn-grade-", dir=options.scratch, ignore_cleanup_errors=True
        ) as scratch:
            bench = Bench(tree, options.lab, Path(scratch), settings)
            result = grade_submission(bench, options.submission, as_handed_in=handed)
    except (OSError, ValueError, CourseError) as error:
        print(f"grade.one: {error}", file=sys.stderr)
        return USAGE
    write_all(result, options.out)
    sys.stdout.write(FORMATS["text"].convert(result))
    return 0 if result.state == DONE else BROKEN


if __name__ == "__main__":
    sys.exit(main())
