"""Mutants, alternates and liars: patches against the solution, with a header that says what they
are and what must come of them.

    labs/NN-name/mutants/*.patch     Misconception: a sentence
                                     Fails: tests that must fail, names or globs
                                     Also: tests that may fail with them
    labs/NN-name/alternates/*.patch  Idea: how this solution differs
    labs/NN-name/liars/*.patch       Fakes: what it pretends
                                     Zero: the exercises that must score 0

A header line may be repeated or continued on indented lines; the patch begins at `diff --git`.
"""

from __future__ import annotations

import fnmatch
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from grade.course.problem import CourseError, Problem
from grade.course.source import Source
from grade.course.workshop import Score

REQUIRED = {
    "mutants": ("Misconception", "Fails"),
    "alternates": ("Idea",),
    "liars": ("Fakes", "Zero"),
}
OPTIONAL = {"mutants": ("Also",), "alternates": (), "liars": ()}
FIELD = re.compile(r"([A-Z][a-z]+):\s*(.*)")
CHANGED = re.compile(r"^\+\+\+ b/(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Patch:
    """One patch file."""

    path: str
    lab: int
    kind: str  # mutants, alternates, liars
    fields: dict[str, str]
    diff: str

    @property
    def name(self) -> str:
        return Path(self.path).stem

    def words(self, key: str) -> list[str]:
        return self.fields.get(key, "").replace(",", " ").split()

    @property
    def tests(self) -> str:
        """The functions of the tests that must fail, without files and parameters."""
        return " ".join(word.split("::")[-1].split("[")[0] for word in self.words("Fails"))

    @property
    def changes(self) -> list[str]:
        return CHANGED.findall(self.diff)


def parse_patch(path: str, lab: int, kind: str, text: str) -> tuple[Patch | None, list[Problem]]:
    problems: list[Problem] = []
    start = re.search(r"^diff --git ", text, re.MULTILINE)
    if not start:
        return None, [Problem(path, 0, "there is no `diff --git` in it")]
    fields: dict[str, str] = {}
    current = ""
    for number, line in enumerate(text[: start.start()].split("\n"), start=1):
        match = FIELD.fullmatch(line)
        if match:
            current = match[1]
            fields[current] = f"{fields.get(current, '')} {match[2]}".strip()
            if current not in REQUIRED[kind] + OPTIONAL[kind]:
                problems.append(Problem(path, number, f"unknown header {current}:"))
        elif line.startswith((" ", "\t")) and current:
            fields[current] += " " + line.strip()
        elif line.strip() not in ("", "---"):
            problems.append(Problem(path, number, "neither a header line nor a continuation"))
    for key in REQUIRED[kind]:
        if not fields.get(key):
            problems.append(Problem(path, 0, f"the header {key}: is missing"))
    patch = Patch(path, lab, kind, fields, text[start.start() :])
    return (None if problems else patch), problems


def read_patches(source: Source) -> tuple[list[Patch], list[Problem]]:
    """Every patch of every lab, each checked by itself."""
    patches: list[Patch] = []
    problems: list[Problem] = []
    for lab in source.labs:
        allowed = set(source.editable(lab.number))
        for kind in REQUIRED:
            for file in sorted((source.root / lab.folder / kind).glob("*.patch")):
                path = str(file.relative_to(source.root))
                patch, wrong = parse_patch(path, lab.number, kind, file.read_text())
                problems += wrong
                if patch is None:
                    continue
                patches.append(patch)
                if kind != "liars":
                    problems += [
                        Problem(path, 0, f"changes {changed}, which lab {lab.number} does not edit")
                        for changed in patch.changes
                        if changed not in allowed
                    ]
    return patches, problems


def apply(patch: Patch, folder: Path, *, reverse: bool = False, check: bool = False) -> None:
    """Apply to a tree; raises CourseError with git's words."""
    words = ["git", "-C", str(folder), "apply", "--whitespace=nowarn"]
    words += ["--reverse"] if reverse else []
    words += ["--check"] if check else []
    # Outside of any repository, or git would look for the paths in that one.
    answer = subprocess.run(
        [*words, "-"],
        input=patch.diff.encode(),
        capture_output=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_DIR": "/nonexistent"},
        check=False,
    )
    if answer.returncode:
        text = answer.stderr.decode(errors="replace").strip().replace("\n", "; ")
        raise CourseError(Problem(patch.path, 0, f"does not apply: {text}"))


def fits(name: str, patterns: list[str]) -> bool:
    """A test's name against names or globs; `test_x` also fits `file.py::test_x[1]`."""
    short = name.split("::")[-1]
    plain = short.split("[")[0]
    return any(fnmatch.fnmatchcase(n, p) for p in patterns for n in (name, short, plain))


def knows(names: set[str], pattern: str) -> bool:
    return any(fits(name, [pattern]) for name in names)


def judge(patch: Patch, score: Score) -> list[Problem]:
    """Did grading come out as the patch says it must?"""
    tests = score.failed | score.passed
    texts = [f"there is no test {p}" for p in patch.words("Fails") if not knows(tests, p)]
    if score.error:
        texts = texts or [f"could not be graded: {score.error}"]
    elif patch.kind == "mutants":
        for pattern in patch.words("Fails"):
            if knows(tests, pattern) and not knows(score.failed, pattern):
                texts.append(f"survives {pattern}: {patch.fields['Misconception']}")
        allowed = patch.words("Fails") + patch.words("Also")
        others = sorted(name for name in score.failed if not fits(name, allowed))
        if others:
            texts.append(f"also fails {', '.join(others)}")
    elif patch.kind == "alternates":
        if score.failed or score.earned < score.points:
            failed = ", ".join(sorted(score.failed))
            texts.append(f"a correct solution gets {score.earned:g}/{score.points:g}: {failed}")
            texts += score.reasons
    else:
        for name in patch.words("Zero"):
            exercise = score.exercises.get(name)
            if exercise is None:
                texts.append(f"there is no exercise {name} in the result")
            elif exercise.earned > 0:
                texts.append(f"gets {exercise.earned:g} points for exercise {name} by lying")
    return [Problem(patch.path, 0, text) for text in texts]
