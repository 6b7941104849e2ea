"""Writes the student repository with git's plumbing. The same source gives the same commits.

A first run makes one commit per lab: lab1 is the root, labN stands on labN-1 and only adds files.
A later run into the same repository is a late fix: where a lab's files have changed it adds one
commit to that branch and merges it into the following ones, so nothing that a student has
fetched is ever rewritten. The catch-up branch of a lab stands on the lab, its solution on that.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from grade.course.problem import CourseError
from grade.course.source import Source
from grade.course.tree import Tree, catchup, solution, starter

AUTHOR, EMAIL = "Cairn", "course@cairn.invalid"
EPOCH = 1735689600  # 1 January 2025; a commit is a second younger than its parents
SCRATCH = "refs/course"


@dataclass
class Git:
    """git in one repository, deaf to the user's own configuration."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {key: os.environ[key] for key in ("PATH", "TMPDIR", "LANG") if key in os.environ}
        self.environment = {
            **kept,
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": AUTHOR,
            "GIT_AUTHOR_EMAIL": EMAIL,
            "GIT_COMMITTER_NAME": AUTHOR,
            "GIT_COMMITTER_EMAIL": EMAIL,
        }

    def run(
        self, *arguments: str, data: bytes | None = None, check: bool = True, date: int = EPOCH
    ) -> subprocess.CompletedProcess[bytes]:
        stamp = f"{date} +0000"
        answer = subprocess.run(
            ["git", "-C", str(self.folder), *arguments],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            env={**self.environment, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp},
            check=False,
        )
        if check and answer.returncode:
            words = " ".join(arguments)
            output = (answer.stderr + answer.stdout).decode(errors="replace").strip()
            raise CourseError(f"git {words} in {self.folder}: {output}")
        return answer

    def text(self, *arguments: str, **options: object) -> str:
        return self.run(*arguments, **options).stdout.decode().strip()  # type: ignore[arg-type]

    def commit_of(self, branch: str) -> str | None:
        answer = self.run("rev-parse", "-q", "--verify", f"refs/heads/{branch}^{{commit}}", check=False)
        return answer.stdout.decode().strip() or None


def import_trees(git: Git, trees: dict[str, Tree]) -> dict[str, str]:
    """Store the trees; the tree object of each."""
    stream = bytearray()
    for name, tree in trees.items():
        stream += f"commit {SCRATCH}/{name}\n".encode()
        stream += f"committer {AUTHOR} <{EMAIL}> {EPOCH} +0000\ndata 0\ndeleteall\n".encode()
        for path, entry in sorted(tree.items()):
            quoted = path.replace("\\", "\\\\").replace('"', '\\"')
            stream += f'M {entry.mode} inline "{quoted}"\ndata {len(entry.data)}\n'.encode()
            stream += entry.data + b"\n"
    git.run("fast-import", "--quiet", "--force", data=bytes(stream))
    objects = {name: git.text("rev-parse", f"{SCRATCH}/{name}^{{tree}}") for name in trees}
    for name in trees:
        git.run("update-ref", "-d", f"{SCRATCH}/{name}")
    return objects


@dataclass
class Branches:
    """Moves branches forward, and remembers which moved."""

    git: Git
    objects: dict[str, str]
    moved: list[str] = field(default_factory=list)

    def advance(self, branch: str, below: str | None, message: str) -> None:
        """Have branch carry its tree and contain the branch below it."""
        old = self.git.commit_of(branch)
        base = self.git.commit_of(below) if below else None
        tree = self.objects[branch]
        if old and self.git.text("rev-parse", f"{old}^{{tree}}") == tree:
            if not base or not self.git.run(
                "merge-base", "--is-ancestor", base, old, check=False
            ).returncode:
                return
        parents = [commit for commit in (old, base) if commit]
        if old and base and not self.git.run(
            "merge-base", "--is-ancestor", base, old, check=False
        ).returncode:
            parents = [old]
        dates = [int(self.git.text("show", "-s", "--format=%ct", commit)) for commit in parents]
        words = [word for parent in parents for word in ("-p", parent)]
        if old:
            message = f"Fix {message[0].lower()}{message[1:]}"
        commit = self.git.text(
            "commit-tree", tree, *words, "-m", message, date=max(dates, default=EPOCH - 1) + 1
        )
        self.git.run("update-ref", f"refs/heads/{branch}", commit)
        self.moved.append(branch)


def open_repository(folder: Path) -> tuple[Git, bool]:
    """(git, whether it is new). An existing one must have no uncommitted changes."""
    git = Git(folder)
    if (folder / ".git").is_dir():
        if git.text("status", "--porcelain"):
            raise CourseError(f"{folder} has uncommitted changes")
        return git, False
    if folder.exists() and any(folder.iterdir()):
        raise CourseError(f"{folder} exists and is no repository of this course")
    folder.mkdir(parents=True, exist_ok=True)
    git.run("init", "-q", "-b", "lab1")
    return git, True


def write_repository(
    source: Source,
    folder: Path,
    *,
    last: int | None = None,
    catchups: bool = True,
    solutions: bool = False,
    extra: dict[int, Tree] | None = None,
) -> list[str]:
    """Write or bring up to date; the branches that moved. extra: further files per lab."""
    numbers = [lab.number for lab in source.labs if last is None or lab.number <= last]
    git, new = open_repository(folder)
    trees: dict[str, Tree] = {}
    added: Tree = {}
    for number in numbers:
        added.update((extra or {}).get(number, {}))
        trees[f"lab{number}"] = {**starter(source, number), **added}
        if catchups and number > 1:
            trees[f"lab{number}-catchup"] = {**catchup(source, number), **added}
        if solutions:
            trees[f"lab{number}-solution"] = {**solution(source, number), **added}
    branches = Branches(git, import_trees(git, trees))
    for number in numbers:
        lab = source.lab(number)
        below = f"lab{number - 1}" if number > 1 else None
        branches.advance(lab.branch, below, f"Lab {number}: {lab.title}")
        if f"lab{number}-catchup" in trees:
            message = f"Lab {number}, with the labs before it done"
            branches.advance(f"lab{number}-catchup", lab.branch, message)
        if solutions:
            below = f"lab{number}-catchup" if f"lab{number}-catchup" in trees else lab.branch
            branches.advance(f"lab{number}-solution", below, f"Lab {number}, done")
    if new:
        git.run("checkout", "-q", "-f", "lab1")
    elif git.text("symbolic-ref", "-q", "--short", "HEAD") in branches.moved:
        git.run("reset", "-q", "--hard")
    return branches.moved
