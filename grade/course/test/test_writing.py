"""The student repository: its branches, late fixes, and students who merge them."""

from __future__ import annotations

from pathlib import Path

import pytest

from grade.course.problem import CourseError
from grade.course.student import HABITS, Habits, work_through
from grade.course.test.tiny import FILES, change, make_course
from grade.course.tree import Entry, PLAIN, only_adds, solution, starter, write_tree
from grade.course.writer import Git, write_repository

ADD, MULTIPLY = "one/add.c", "two/multiply.c"


def show(git: Git, branch: str, path: str) -> str:
    return git.run("show", f"{branch}:{path}").stdout.decode()


def test_branches(tmp_path: Path) -> None:
    source = make_course(tmp_path / "source")
    write_repository(source, tmp_path / "out", solutions=True)
    git = Git(tmp_path / "out")
    branches = git.text("for-each-ref", "--format=%(refname:short)", "refs").split("\n")
    assert branches == ["lab1", "lab1-solution", "lab2", "lab2-catchup", "lab2-solution"]
    assert git.text("rev-list", "--count", "lab1") == "1"
    assert git.text("rev-parse", "lab2^") == git.text("rev-parse", "lab1")
    added = git.text("diff", "--name-status", "lab1", "lab2").split("\n")
    assert added and all(line.startswith("A\t") for line in added)
    assert "EXERCISE(\"1.1\")" in show(git, "lab1", ADD) == show(git, "lab2", ADD)
    assert show(git, "lab2-catchup", ADD) == FILES[ADD]
    assert "EXERCISE(\"2.1\")" in show(git, "lab2-catchup", MULTIPLY)
    assert show(git, "lab2-solution", MULTIPLY) == FILES[MULTIPLY]
    assert "EXERCISE" not in show(git, "lab1-solution", ADD)
    names = git.text("ls-tree", "-r", "--name-only", "lab2-solution").split("\n")
    assert "secret.txt" not in names and "labs/course.toml" not in names
    assert git.text("ls-files", "-s", "scripts/run").startswith("100755")
    assert not git.text("status", "--porcelain")


def test_the_same_source_gives_the_same_commits(tmp_path: Path) -> None:
    source = make_course(tmp_path / "source")
    heads = []
    for name in ("one", "two"):
        write_repository(source, tmp_path / name)
        heads.append(Git(tmp_path / name).text("show-ref"))
    assert heads[0] == heads[1]
    assert write_repository(source, tmp_path / "two") == []


def test_later_labs_can_be_held_back(tmp_path: Path) -> None:
    source = make_course(tmp_path / "source")
    assert write_repository(source, tmp_path / "out", last=1) == ["lab1"]
    first = Git(tmp_path / "out").text("rev-parse", "lab1")
    assert write_repository(source, tmp_path / "out") == ["lab2", "lab2-catchup"]
    assert Git(tmp_path / "out").text("rev-parse", "lab1") == first


def test_a_late_fix_is_merged_forward(tmp_path: Path) -> None:
    source = make_course(tmp_path / "source")
    out, clone = tmp_path / "out", tmp_path / "clone"
    write_repository(source, out)
    before = {name: Git(out).text("rev-parse", name) for name in ("lab1", "lab2", "lab2-catchup")}
    clone.mkdir()
    student = Git(clone)
    student.run("clone", "-q", str(out), ".")
    (clone / ADD).write_text(FILES[ADD])
    student.run("commit", "-q", "-a", "-m", "My work")
    student.run("merge", "-q", "--no-edit", "origin/lab2")

    fixed = change(tmp_path / "source", "lib/tiny.h", "#pragma once", "#pragma once /* fixed */")
    assert write_repository(fixed, out) == ["lab1", "lab2", "lab2-catchup"]
    git = Git(out)
    for name, commit in before.items():
        git.run("merge-base", "--is-ancestor", commit, name)
    git.run("merge-base", "--is-ancestor", "lab1", "lab2")
    git.run("merge-base", "--is-ancestor", "lab2", "lab2-catchup")
    assert "fixed" in show(git, "lab2", "lib/tiny.h")
    assert (out / "lib/tiny.h").read_text() == "#pragma once /* fixed */\n"

    student.run("fetch", "-q")
    student.run("merge", "-q", "--no-edit", "origin/lab2")
    assert (clone / ADD).read_text() == FILES[ADD]
    assert "fixed" in (clone / "lib/tiny.h").read_text()
    assert write_repository(fixed, out) == []


def test_a_new_fix_in_a_later_lab_only(tmp_path: Path) -> None:
    source = make_course(tmp_path / "source")
    write_repository(source, tmp_path / "out")
    fixed = change(tmp_path / "source", "handouts/lab2.md", "# Multiplying", "# Multiplying!")
    assert write_repository(fixed, tmp_path / "out") == ["lab2", "lab2-catchup"]
    assert Git(tmp_path / "out").text("rev-list", "--count", "lab2") == "3"


def test_foreign_folders_are_left_alone(tmp_path: Path) -> None:
    source = make_course(tmp_path / "source")
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis").write_text("precious")
    with pytest.raises(CourseError, match="no repository of this course"):
        write_repository(source, out)
    (out / "thesis").unlink()
    write_repository(source, out)
    (out / ADD).write_text("my changes")
    with pytest.raises(CourseError, match="uncommitted"):
        write_repository(source, out)
    assert (out / ADD).read_text() == "my changes"


@pytest.mark.parametrize("habits", HABITS, ids=lambda habits: habits.name)
def test_students_never_meet_a_conflict(tmp_path: Path, habits: Habits) -> None:
    source = make_course(tmp_path / "source")
    write_repository(source, tmp_path / "out")
    assert not work_through(source, tmp_path / "out", tmp_path / "clone", habits)


def test_a_conflict_would_be_noticed(tmp_path: Path) -> None:
    source = make_course(tmp_path / "source")
    out = tmp_path / "out"
    write_repository(source, out)
    git = Git(out)
    git.run("checkout", "-q", "lab2")
    stub = 'EXERCISE("1.1");'
    (out / ADD).write_text((out / ADD).read_text().replace(stub, f"return 0; {stub}"))
    git.run("commit", "-q", "-a", "-m", "Reword a stub")
    git.run("checkout", "-q", "lab1")
    problems = work_through(source, out, tmp_path / "clone", HABITS[0])
    assert [problem.path for problem in problems] == [ADD]
    assert "merging lab 2 conflicts" in problems[0].text


def test_only_adding_is_checked(tmp_path: Path) -> None:
    source = make_course(tmp_path)
    one, two = starter(source, 1), starter(source, 2)
    assert not only_adds(one, two)
    assert "changes" in only_adds(one, {**two, ADD: Entry(PLAIN, b"")})[0].text
    del two[ADD]
    assert "removes" in only_adds(one, two)[0].text


def test_writing_a_tree_leaves_equal_files_alone(tmp_path: Path) -> None:
    source = make_course(tmp_path / "source")
    folder = tmp_path / "tree"
    write_tree(solution(source, 2), folder)
    before = (folder / MULTIPLY).stat().st_mtime_ns
    write_tree(starter(source, 2), folder)
    write_tree(solution(source, 2), folder)
    assert (folder / ADD).read_text() == FILES[ADD]
    (folder / ADD).touch()
    write_tree(solution(source, 2), folder)
    assert (folder / MULTIPLY).stat().st_mtime_ns >= before
    again = (folder / "lib/tiny.h").stat().st_mtime_ns
    write_tree(starter(source, 2), folder)
    assert (folder / "lib/tiny.h").stat().st_mtime_ns == again
