"""Mutants, alternates and liars: what their files must say, and how their results are judged."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from grade.course.checks import TRIES, Check, Setting, all_checks, judge_quickly, run_checks
from grade.course.patches import apply, fits, judge, parse_patch, read_patches
from grade.course.problem import CourseError, Problem
from grade.course.test.tiny import FILES, make_course, write_files
from grade.course.tree import solution, write_tree
from grade.model import Exercise, Result, Test
from grade.course.workshop import (
    ExerciseScore,
    Score,
    Workshop,
    diagnostics,
    run,
    score_of,
    unwritten,
)

ADD = "one/add.c"
DIFF = """\
diff --git a/one/add.c b/one/add.c
--- a/one/add.c
+++ b/one/add.c
@@ -6,5 +6,5 @@
 /* exercise 1.1 */
 int add(int a, int b)
 {
-    int result_of_the_addition = a + b;
+    int result_of_the_addition = a - b;
     return result_of_the_addition;
"""
MUTANT = "Misconception: A sum\n  is a difference.\nFails: test_add, test_twice\nAlso: test_x*\n\n"
PLACE = "labs/01-adding/mutants/minus.patch"


def score(failed: set[str], passed: set[str], earned: float = 0, points: float = 10) -> Score:
    return Score({"1.1": ExerciseScore("1.1", points, earned)}, failed, passed)


def test_a_patch_is_read_and_applied(tmp_path: Path) -> None:
    source = make_course(tmp_path / "source", {PLACE: MUTANT + DIFF})
    patches, problems = read_patches(source)
    assert not problems and [patch.name for patch in patches] == ["minus"]
    patch = patches[0]
    assert patch.fields["Misconception"] == "A sum is a difference."
    assert patch.words("Fails") == ["test_add", "test_twice"] and patch.changes == [ADD]
    tree = tmp_path / "tree"
    write_tree(solution(source, 1), tree)
    apply(patch, tree)
    assert "a - b" in (tree / ADD).read_text()
    with pytest.raises(CourseError, match="minus.patch: does not apply"):
        apply(patch, tree)
    apply(patch, tree, reverse=True)
    assert (tree / ADD).read_text() == FILES[ADD]


class Lucky:
    """Grades one mutant, which gets through so many times."""

    def __init__(self, lucky: int) -> None:
        self.lucky = lucky

    def grade(self, lab: int, tests: str) -> Score:
        assert (lab, tests) == (1, "test_add test_twice")
        self.lucky -= 1
        names = {"test_add", "test_twice"}
        return score(set(), names) if self.lucky >= 0 else score(names, set())


@pytest.mark.parametrize("lucky", range(TRIES + 1))
def test_a_mutant_may_be_lucky_but_not_always(lucky: int) -> None:
    mutant = parse_patch(PLACE, 1, "mutants", MUTANT + DIFF)[0]
    assert mutant is not None
    problems = judge_quickly(Lucky(lucky), mutant)  # type: ignore[arg-type]
    assert bool(problems) == (lucky == TRIES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MUTANT, "no `diff --git`"),
        ("Fails: test_add\n" + DIFF, "Misconception: is missing"),
        ("Misconception: x\n" + DIFF, "Fails: is missing"),
        (MUTANT + "Idea: x\n" + DIFF, "unknown header Idea:"),
        ("nonsense\n" + MUTANT + DIFF, "neither a header line"),
    ],
)
def test_bad_headers_are_named(text: str, words: str) -> None:
    patch, problems = parse_patch(PLACE, 1, "mutants", text)
    assert patch is None and any(words in problem.text for problem in problems)


def test_patches_stay_in_what_students_edit(tmp_path: Path) -> None:
    elsewhere = (MUTANT + DIFF).replace(ADD, "lib/tiny.h")
    problems = read_patches(make_course(tmp_path, {PLACE: elsewhere}))[1]
    assert problems == [Problem(PLACE, 0, "changes lib/tiny.h, which lab 1 does not edit")]


@pytest.mark.parametrize(
    ("failed", "passed", "complaint"),
    [
        ({"t.py::test_add[1]", "test_twice"}, {"test_other"}, ""),
        ({"test_add", "test_twice", "test_x1"}, set(), ""),
        ({"test_add"}, {"test_twice"}, "survives test_twice"),
        ({"test_add"}, set(), "no test test_twice"),
        ({"test_add", "test_twice", "test_other"}, set(), "also fails test_other"),
    ],
)
def test_mutants_must_be_caught(failed: set[str], passed: set[str], complaint: str) -> None:
    patch, _ = parse_patch(PLACE, 1, "mutants", MUTANT + DIFF)
    assert patch
    texts = [problem.text for problem in judge(patch, score(failed, passed))]
    assert any(complaint in text for text in texts) if complaint else not texts


def test_alternates_and_liars() -> None:
    alternate, _ = parse_patch("a.patch", 1, "alternates", "Idea: other\n" + DIFF)
    liar, _ = parse_patch("l.patch", 1, "liars", "Fakes: output\nZero: 1.1\n" + DIFF)
    assert alternate and liar
    assert not judge(alternate, score(set(), {"test_add"}, 10))
    assert "gets 9/10" in judge(alternate, score({"test_add"}, set(), 9))[0].text
    assert not judge(liar, score({"test_add"}, set(), 0))
    assert "by lying" in judge(liar, score(set(), {"test_add"}, 1))[0].text
    assert "could not be graded" in judge(liar, Score(error="no JSON"))[0].text


def test_names_fit() -> None:
    assert fits("grade/t.py::test_a[smp4]", ["test_a"]) and fits("test_a", ["test_*"])
    assert not fits("grade/t.py::test_ab", ["test_a"])


def test_scores_are_read() -> None:
    tests = [Test("test_a", 4, "passed"), Test("test_b", 6, "failed")]
    result = Result(1, "Tiny", [Exercise("1.1", "Add", 10, tests)])
    result.finish()
    read = score_of(result)
    assert (read.earned, read.points, read.error) == (4, 10, "")
    assert (read.passed, read.failed) == ({"test_a"}, {"test_b"})
    tests[1].outcome, tests[1].text = "error", "first\nno QEMU"
    assert score_of(result).error == "test_b: no QEMU"
    assert score_of(Result(1, "Tiny", [])).error == "there are no tests"


def test_compilers_are_understood() -> None:
    output = (
        "a/b.c:3:7: warning: unused [-Wunused]\nx.o: in function `f':\n"
        "y.c:9: undefined reference to `g'\nfine\n"
    )
    assert [str(problem) for problem in diagnostics(output)] == [
        "a/b.c:3: warning: unused [-Wunused]",
        "y.c: undefined reference to `g'",
    ]
    assert unwritten("PANIC: exercise 1.2 is yours to write: f\nexercise 1.2 is yours to write") == [
        "1.2"
    ]


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    ran = run(["sh", "-c", "echo before; sleep 60"], tmp_path, 0.5)
    assert ran.status is None and ran.output == "before\n" and ran.seconds < 30


def test_a_tree_that_does_not_build_is_reported(tmp_path: Path) -> None:
    broken = {"Makefile": "all:\n\tcc -Wall -Werror -c one/add.c -o /dev/null\n"}
    source = make_course(tmp_path / "source", broken)
    workshop = Workshop.of(tmp_path / "tree", solution(source, 1))
    problems = workshop.make()[1]
    assert [(p.path, p.line) for p in problems] == [(ADD, 3)]  # numbers.h is not generated here


def test_checks_never_end_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(setting: Setting) -> list[Problem]:
        raise ZeroDivisionError("oh")

    source = make_course(tmp_path / "source")
    setting = Setting(source, tmp_path / "build", tmp_path / "scratch")
    (tmp_path / "scratch").mkdir()
    checks = [check for check in all_checks(source) if not check.slow and check.name != "symbols"]
    report = run_checks([Check("broken", broken), *checks], setting, 2, 3)
    bad = [outcome for outcome in report.outcomes if outcome.problems]
    assert [outcome.check.name for outcome in bad] == ["broken"]
    assert "ZeroDivisionError: oh" in bad[0].problems[0].text
    assert report.summary().splitlines()[-1] == f"{len(checks)} passed, 1 failed"
    assert "merges" in capsys.readouterr().out


@pytest.fixture
def handin() -> ModuleType:
    path = Path(__file__).parents[3] / "scripts/handin"
    loader = importlib.machinery.SourceFileLoader("handin", str(path))
    spec = importlib.util.spec_from_loader("handin", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_handing_in_takes_what_may_be_changed(tmp_path: Path, handin: ModuleType) -> None:
    write_files(tmp_path / "work", FILES)
    first, second = tmp_path / "first.tar.gz", tmp_path / "second.tar.gz"
    assert handin.pack(tmp_path / "work", first, []) == {ADD: 1, "two/multiply.c": 2}
    handin.pack(tmp_path / "work", second, [])
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as archive:
        assert archive.getnames() == ["MANIFEST.json", ADD, "two/multiply.c"]
        manifest = archive.extractfile("MANIFEST.json")
        assert manifest and json.load(manifest)["files"][ADD]["lab"] == 1


@pytest.mark.parametrize("strict", [False, True])
def test_only_strict_builds_are_those_of_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict: bool
) -> None:
    """A mutant may leave a function unused; a solution may not."""
    monkeypatch.setenv("CI", "1")
    (tmp_path / "Makefile").write_text("all:\n\t@test -z '$(CI)'\n")
    ran, _ = Workshop(tmp_path).make(strict=strict)
    assert (ran.status != 0) == strict
