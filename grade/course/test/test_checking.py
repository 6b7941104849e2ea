"""The checks that build and grade, over a small course whose programs run on the host; how an
interrupted check ends; and how `make check` counts them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grade.check import Counts, run_course_checks
from grade.course.checks import Outcome, Setting, all_checks, run_checks
from grade.course.source import Source, read_source
from grade.overlay.test.small import ADD, MULTIPLY, PRODUCT, SUM, TESTS, small_tree, write

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="there is no cc")

COURSE = """\
title = "Small"
common = ["Makefile", "grade/**", "!grade/lab*/**"]
instructor = ["labs/**", "!labs/*/lab.toml"]
include_roots = []
generated = []
"""

LAB = """\
title = "Small"
summary = "Two programs."
time = "1 hour"
difficulty = "easy"
handout = "handouts/small.md"
files = ["labs/01-small/lab.toml", "one/**", "handouts/small.md", "grade/lab1/**"]
editable = ["one/*.c"]
[[exercise]]
id = "1.1"
title = "Add"
points = 10
difficulty = "easy"
stub = '    EXERCISE("1.1");'
hints = {}
[[exercise]]
id = "1.2"
title = "Multiply"
points = 5
difficulty = "easy"
stub = '    EXERCISE("1.2");'
hints = {}
"""

MAKEFILE = """\
all: build/one/sum build/one/product
build/one/%: one/%.c
\t@mkdir -p $(@D)
\tcc -Wall -Werror '-DEXERCISE(id)=puts("exercise " id " is yours to write")' $< -o $@
qemu:
\tbuild/one/sum > build/kernel.log
"""


def region(identity: str, text: bytes) -> bytes:
    """The program with its line that answers as an exercise."""
    lines = text.decode().split("\n")
    place = next(n for n, line in enumerate(lines) if "printf" in line)
    lines[place : place + 1] = [f"/* exercise {identity} */", lines[place], f"/* end {identity} */"]
    return "\n".join(lines).encode()


def patch(head: str, *changes: tuple[str, str, str]) -> bytes:
    """Each change replaces one line of a file."""
    text = head + "\n"
    for path, old, new in changes:
        lines = files()[path].decode().split("\n")
        place = next(n for n, line in enumerate(lines) if old in line)
        line = lines[place]
        text += f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
        text += f"@@ -{place},3 +{place},3 @@\n {lines[place - 1]}\n-{line}\n"
        text += f"+{line.replace(old, new)}\n {lines[place + 1]}\n"
    return text.encode()


def files() -> dict[str, bytes]:
    return {
        "labs/course.toml": COURSE.encode(),
        "labs/01-small/lab.toml": LAB.encode(),
        "handouts/small.md": b"# Small\n## Exercise 1.1: Add\n## Exercise 1.2: Multiply\n",
        "Makefile": MAKEFILE.encode(),
        "grade/lab1/test_small.py": TESTS.encode(),
        SUM: region("1.1", ADD),
        PRODUCT: region("1.2", MULTIPLY),
    }


MUTANT = "Misconception: a sum is a difference\nFails: "
PATCHES = {
    "mutants/difference": patch(MUTANT + "test_sum", (SUM, "a + b)", "a - b)")),
    "alternates/other": patch("Idea: from the other end", (SUM, "a + b)", "b + a)")),
    "liars/prints": patch(
        "Fakes: output\nZero: 1.1",
        (SUM, 'printf("%d\\n", a + b)', 'puts("== 1.1 Add: OK (0.1s) 10/10")'),
    ),
    "liars/makes": patch(
        "Fakes: a Makefile\nZero: 1.1",
        (SUM, 'printf("%d\\n", a + b)', 'puts("nothing")'),
        ("Makefile", "$< -o $@", "one/product.c -o $@"),
    ),
    "liars/only the tests": patch(
        "Fakes: the tests\nZero: 1.1 1.2",
        ("grade/lab1/test_small.py", "== str(a + b)", "is not None"),
    ),
}
@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tmp_path / "course"
    own = {name: entry.data for name, entry in small_tree().items() if name.startswith("grade/")}
    write(root, {**own, **files()})
    write(root, {f"labs/01-small/{name}.patch": text for name, text in PATCHES.items()})
    return root


def check(source: Source, scratch: Path, *names: str, **options: object) -> dict[str, Outcome]:
    scratch.mkdir()
    setting = Setting(source, scratch / "none", scratch, **options)  # type: ignore[arg-type]
    checks = [c for c in all_checks(source) if c.name.startswith(names or ("",))]
    report = run_checks([c for c in checks if c.name != "symbols"], setting, 2, 0)
    return {outcome.check.name: outcome for outcome in report.outcomes}


@pytest.mark.parametrize("full", [False, True])
def test_a_good_course_passes_every_check(course: Path, tmp_path: Path, full: bool) -> None:
    options = {"full": full, "repeat": 4 if full else 1}
    outcomes = check(read_source(course), tmp_path / "scratch", **options)
    assert {name: o.problems for name, o in outcomes.items() if o.problems} == {}
    runs = {name: len(o.runs) for name, o in outcomes.items() if o.runs}
    solutions = 4 if full else 1
    patches = {"liars 1": 3, "mutants 1": 1, "alternates 1": 1}
    assert runs == {"solution 1": solutions, "climb 1": 1, **patches}
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "mutants/equal",
            patch(MUTANT + "test_sum", (SUM, "a + b)", "b + a)")),
            "survives test_sum: a sum is a difference",
        ),
        (
            "mutants/unknown",
            patch(MUTANT + "test_nothing", (SUM, "a + b)", "a - b)")),
            "there is no test test_nothing",
        ),
        (
            "mutants/broken",
            patch(MUTANT + "test_sum", (SUM, "a + b)", "a + )")),
            "does not build: one/sum.c:10: error",
        ),
        (
            "alternates/wrong",
            patch("Idea: none", (SUM, "a + b)", "a - b)")),
            "a correct solution gets 0/10: grade/lab1/test_small.py::test_sum",
        ),
        (
            "liars/honest",
            patch("Fakes: nothing\nZero: 1.1", (SUM, "a + b)", "b + a)")),
            "gets 10 points for exercise 1.1 by lying",
        ),
    ],
    ids=["survives", "names no test", "does not build", "is wrong", "is honest"],
)
def test_patches_that_are_wrong_are_named(
    course: Path, tmp_path: Path, name: str, text: bytes, words: str
) -> None:
    path = f"labs/01-small/{name}.patch"
    write(course, {path: text})
    outcomes = check(read_source(course), tmp_path / "scratch", name.split("/")[0])
    problems = [str(problem) for outcome in outcomes.values() for problem in outcome.problems]
    assert [problem for problem in problems if path in problem and words in problem], problems
    assert all(path in problem for problem in problems)


def test_points_for_nothing_are_named(course: Path, tmp_path: Path) -> None:
    easy = TESTS.replace("== str(a + b)", "is not None")
    write(course, {"grade/lab1/test_small.py": easy.encode()})
    problems = check(read_source(course), tmp_path / "scratch", "starter")["starter 1"].problems
    assert [p.text for p in problems] == ["the starter gets 10 points for exercise 1.1"]


@pytest.mark.parametrize("full", [False, True])
def test_a_stub_that_does_not_compile_is_named(course: Path, tmp_path: Path, full: bool) -> None:
    broken = LAB.replace('    EXERCISE("1.2"', '  a b; EXERCISE("1.2"')
    write(course, {"labs/01-small/lab.toml": broken.encode()})
    outcomes = check(read_source(course), tmp_path / "scratch", "starter", full=full)
    problems = outcomes["starter 1"].problems
    assert {(p.path, p.line) for p in problems} == {("labs/01-small/lab.toml", 15)}
    assert "the stub of exercise 1.2 does not compile: one/product.c:10: error" in problems[0].text


def test_a_solution_that_fails_is_named(course: Path, tmp_path: Path) -> None:
    write(course, {SUM: region("1.1", ADD.replace(b"a + b", b"a - b"))})
    outcomes = check(read_source(course), tmp_path / "scratch", "solution", repeat=2)
    texts = [problem.text for problem in outcomes["solution 1"].problems]
    assert texts[0] == "exercise 1.1: 0 of 10 points (turn 1, SMP=1)" and len(texts) == 6
    assert "test_small.py::test_sum: " in texts[2] and "AssertionError" in texts[2]
    assert texts[3].endswith("(turn 2, SMP=4)")


def test_a_sample_of_the_mutants_depends_on_the_seed(course: Path, tmp_path: Path) -> None:
    more = {f"labs/01-small/mutants/{n}.patch": PATCHES["mutants/difference"] for n in range(6)}
    write(course, more)
    outcomes = check(read_source(course), tmp_path / "scratch", "mutants", sample=2, seed=3)
    assert len(outcomes["mutants 1"].runs) == 2 and not outcomes["mutants 1"].problems


def test_nothing_is_left_of_an_interrupted_check(course: Path, tmp_path: Path) -> None:
    (course / "Makefile").write_text("all:\n\techo $$$$ > ../pid; exec sleep 600\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, str(ROOT / "scripts/course"), "--root", str(course), "check"]
    child = subprocess.Popen([*command, "solution", "--scratch", str(scratch)])
    deadline = time.monotonic() + 120
    while not (found := [f for f in scratch.glob("*/pid") if f.read_text()]):
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.02)
    process = int(found[0].read_text())
    child.send_signal(signal.SIGTERM)
    assert child.wait(60) == 130 and list(scratch.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("  regions 0.0 s ok\n3 passed, 1 failed", Counts(3, 1)),
        ("4 passed, 0 failed", Counts(4, 0)),
        ("Traceback", Counts(0, 1)),
    ],
)
def test_make_check_counts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, counts: Counts
) -> None:
    write(tmp_path / "scripts", {"course": f"print('''{text}''')\n".encode()})
    monkeypatch.chdir(tmp_path)
    assert run_course_checks(Path("build")) == counts
