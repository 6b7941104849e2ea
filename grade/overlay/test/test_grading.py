"""Submissions of every kind, honest and not, graded over a small lab."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from grade.course.tree import PLAIN, Entry, write_tree
from grade.model import Result
from grade.overlay.grading import BUILD, GRADE, Bench, Settings, grade_submission
from grade.overlay.submission import Submission
from grade.overlay.test.small import (
    ADD,
    MAKEFILE,
    MULTIPLY,
    PRODUCT,
    SOLVED,
    SUM,
    program,
    small_tree,
    write,
)

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="there is no cc")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.delenv("QEMU", raising=False)
    return Bench(small_tree(), 1, tmp_path / "scratch", Settings(jobs=1))


def grade(bench: Bench, tmp_path: Path, files: dict[str, bytes]) -> Result:
    return grade_submission(bench, write(tmp_path / "work", files))


def points(result: Result) -> tuple[str, list[int | None]]:
    return result.state, [exercise.earned for exercise in result.exercises]


def test_honest_work(bench: Bench, tmp_path: Path) -> None:
    assert points(grade(bench, tmp_path, {})) == ("done", [0, 0])
    assert points(grade(bench, tmp_path, {SUM: ADD})) == ("done", [10, 0])
    assert points(grade(bench, tmp_path, {PRODUCT: MULTIPLY})) == ("done", [10, 5])


def test_nothing_of_an_earlier_submission_is_left(bench: Bench, tmp_path: Path) -> None:
    extra = {"one/extra.c": b"int extra;\n"}
    assert points(grade(bench, tmp_path, {**SOLVED, **extra})) == ("done", [10, 5])
    assert (bench.work / "one/extra.c").exists()
    shutil.rmtree(tmp_path / "work")
    assert points(grade(bench, tmp_path, {SUM: ADD})) == ("done", [10, 0])
    assert not (bench.work / "one/extra.c").exists()


def test_makefile_tests_and_grader_are_the_labs_own(bench: Bench, tmp_path: Path) -> None:
    lies = {
        "Makefile": (MAKEFILE + "\tcp /bin/echo $@\n").encode(),
        "grade/lab1/test_small.py": b"def test_sum(): pass\ndef test_product(): pass\n",
        "grade/run.py": b"print('Lab 1: 15/15')\n",
        "labs/01-small/lab.toml": b"",
        "conftest.py": b"import os; os._exit(0)\n",
        "build/one/sum": b"#!/bin/sh\necho 5\n",
    }
    assert points(grade(bench, tmp_path, lies)) == ("done", [0, 0])


def test_what_does_not_build_gets_no_points_and_is_told_why(bench: Bench, tmp_path: Path) -> None:
    broken = b"int main(void) { return nothing; }\n"
    result = grade(bench, tmp_path, {SUM: broken, PRODUCT: MULTIPLY})
    assert points(result) == ("done", [0, 0])
    assert "one/sum.c:1:" in result.message and "nothing" in result.message
    assert all(test.text == "the submission does not build" for test in result.tests)


def test_a_flood_of_compiler_messages(bench: Bench, tmp_path: Path) -> None:
    bench.settings = replace(bench.settings, build=replace(BUILD, output=1 << 20))
    # Warnings: after so many errors a compiler may give up.
    flood = b"".join(b"#warning %d\n" % n for n in range(20000)) + b"int x = y;\n"
    result = grade(bench, tmp_path, {SUM: flood})
    assert points(result) == ("done", [0, 0])
    assert "wrote more than" in result.message and len(result.message) < 5000


def test_a_compilation_without_end(bench: Bench, tmp_path: Path) -> None:
    """Macros that double sixty times."""
    macros = (f"#define A{n} A{n - 1} + A{n - 1}\n" for n in range(1, 60))
    doubling = "#define A0 0\n" + "".join(macros)
    bench.settings = replace(bench.settings, build=replace(BUILD, seconds=10, memory=1 << 30))
    result = grade(bench, tmp_path, {SUM: f"{doubling}int x = A59;\n".encode()})
    assert points(result) == ("done", [0, 0]) and "does not build" in result.message


def test_if_the_lab_itself_does_not_build_that_is_an_error(bench: Bench, tmp_path: Path) -> None:
    bench.tree = {**bench.tree, "Makefile": Entry(PLAIN, b"all:\n\tno-such-compiler\n")}
    result = grade(bench, tmp_path, SOLVED)
    assert points(result) == ("error", [None, None])
    assert "the lab's own tree does not build here" in result.message


@pytest.mark.parametrize(
    "body",
    [
        "for (;;) {}",
        'for (;;) puts("flood");',
        "if (!fork() && !fork()) { setsid(); for (;;) pause(); }",
    ],
    ids=["loops", "floods", "leaves a process that holds the output"],
)
def test_programs_that_do_not_end_fail_alone(bench: Bench, tmp_path: Path, body: str) -> None:
    result = grade(bench, tmp_path, {SUM: program(body), PRODUCT: MULTIPLY})
    assert points(result) == ("done", [0, 5])


def test_a_grader_that_is_killed_gives_an_error(bench: Bench, tmp_path: Path) -> None:
    result = grade(bench, tmp_path, {SUM: program("kill(getppid(), SIGKILL);")})
    assert result.state == "error" and result.earned is None
    assert "the run ended before its time" in result.message


def test_a_grader_that_is_held_up_gives_an_error(bench: Bench, tmp_path: Path) -> None:
    bench.settings = replace(bench.settings, grade=replace(GRADE, seconds=4))
    result = grade(bench, tmp_path, {SUM: program("kill(getppid(), SIGSTOP);")})
    assert points(result)[0] == "error" and "ran for more than 4 seconds" in result.message


def test_a_forged_result_does_not_count(bench: Bench, tmp_path: Path) -> None:
    """A process left behind writes full marks again and again, to its end."""
    model = json.dumps({**grade(bench, tmp_path, SOLVED).as_json(), "token": "0" * 64})
    forger = f"""
        static const char text[] = {json.dumps(model)};
        int parent = getppid();
        if (!fork()) {{
            setsid();
            for (;;) {{
                FILE *f = fopen("build/grade/score.json.fake", "w");
                fwrite(text, 1, sizeof(text) - 1, f);
                fclose(f);
                rename("build/grade/score.json.fake", "build/grade/score.json");
                if (kill(parent, 0) == 0) kill(parent, SIGKILL);
                usleep(1000);
            }}
        }}
    """
    result = grade(bench, tmp_path, {SUM: program(forger)})
    assert result.state == "error" and result.earned is None
    assert "its token does not fit" in result.message


def test_what_is_not_taken_is_told(bench: Bench, tmp_path: Path) -> None:
    work = write(tmp_path / "work", SOLVED)
    (work / PRODUCT).unlink()
    (work / PRODUCT).symlink_to("sum.c")
    result = grade_submission(bench, work)
    assert points(result) == ("done", [10, 0])
    assert "one/product.c is a symbolic link" in result.message
    (tmp_path / "h.tar.gz").write_bytes(b"junk")
    result = grade_submission(bench, tmp_path / "h.tar.gz")
    assert points(result) == ("done", [0, 0]) and "the submission cannot be used" in result.message
    (tmp_path / "empty").mkdir()
    result = grade_submission(bench, tmp_path / "empty")
    assert points(result) == ("done", [0, 0]) and "there is no file in" in result.message


def test_references_are_for_earlier_labs_only(bench: Bench) -> None:
    bench.tree = {**bench.tree, "Makefile": Entry(PLAIN, b"all:\n\t@echo REF is $(REF); exit 1\n")}
    bench.settings = replace(bench.settings, references=(0, 1, 7))
    bench.lay(Submission().files)
    assert "REF is 0\n" in bench.build().output


# ---- The command -----------------------------------------------------------------------------


def one(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grade.one", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_writes_every_format(tmp_path: Path) -> None:
    write_tree(small_tree(), tmp_path / "pristine")
    work, out = write(tmp_path / "work", {SUM: ADD}), tmp_path / "out"
    words = ("--lab", "1", "--pristine", tmp_path / "pristine", "--out", out)
    answer = one(work, *words, "--scratch", tmp_path)
    assert answer.returncode == 0 and answer.stdout.endswith("Lab 1: 10/15\n"), answer.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "junit.xml",
        "results.json",
        "score.csv",
        "score.json",
        "score.txt",
    ]
    assert json.loads((out / "results.json").read_text())["score"] == 10
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("cairn-grade-")]
    answer = one(tmp_path / "nowhere", *words)
    assert answer.returncode == 2 and "nowhere" in answer.stderr
    answer = one(work, *words, "--lab", "4")
    assert answer.returncode == 2 and "there is no lab 4" in answer.stderr


def test_the_branch_of_a_student_repository_is_used(tmp_path: Path) -> None:
    repository = tmp_path / "course"
    write_tree(small_tree(), repository)
    for words in (
        ["init", "-q", "-b", "lab1"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "Lab 1"],
    ):
        subprocess.run(["git", "-C", str(repository), *words], check=True)
    (repository / "Makefile").write_text("all:\n\tfalse\n")  # a change in the folder does not count
    work = write(tmp_path / "work", SOLVED)
    answer = one(work, "--lab", "1", "--pristine", repository, "--out", tmp_path / "out")
    assert answer.stdout.endswith("Lab 1: 15/15\n"), answer.stdout + answer.stderr
