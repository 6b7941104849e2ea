"""What the generator reads, and how it says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from grade.course.consistent import check_headings, check_owners, check_regions, check_tests
from grade.course.includes import check_includes
from grade.course.leaks import check_leaks
from grade.course.problem import Problem
from grade.course.region import parse_regions, replace_regions
from grade.course.source import COMMON, INSTRUCTOR, matches
from grade.course.symbols import Symbols, parse_nm, upward
from grade.course.test.tiny import FILES, change, make_course

ADD, MULTIPLY = "one/add.c", "two/multiply.c"
LAB1, LAB2 = "labs/01-adding/lab.toml", "labs/02-multiplying/lab.toml"


def test_the_tiny_course_is_flawless(tmp_path: Path) -> None:
    source = make_course(tmp_path)
    assert not check_regions(source) and not check_owners(source) and not check_includes(source)
    assert not check_leaks(source)
    for number in (1, 2):
        assert not check_headings(source, number) and not check_tests(source, number)
    assert source.owners[ADD] == 1 and source.owners["lib/tiny.h"] == COMMON
    assert source.owners["secret.txt"] == INSTRUCTOR
    assert source.editable(1) == [ADD] and source.lab(1).points == 15
    assert [region.id for region in source.regions_of(ADD)] == ["1.1", "1.2"]


def found(problems: list[Problem], path: str, line: int, words: str) -> bool:
    return any(p.path == path and p.line == line and words in p.text for p in problems)


@pytest.mark.parametrize(
    ("path", "old", "new", "line", "words"),
    [
        (ADD, "/* end 1.1 */\n", "", 15, "inside exercise 1.1 (line 6)"),
        (ADD, "/* end 1.2 */\n", "", 16, "1.2 is never closed"),
        (ADD, "/* exercise 1.1 */\n", "", 11, "end 1.1 without an exercise 1.1"),
        (ADD, "/* end 1.1 */", "/* end 1.3 */", 12, "end 1.3 closes exercise 1.1 (line 6)"),
        (ADD, "/* exercise 1.1 */", "/*exercise 1.1*/", 6, "alone on its line"),
        (ADD, "/* exercise 1.1 */", "/* exercise 1.1: add */", 6, "alone on its line"),
        (ADD, "/* exercise 1.1 */", "/* exercise 1.1 */ ", 6, "alone on its line"),
        (ADD, "/* exercise 1.1 */", "// exercise 1.1", 6, "alone on its line"),
        (ADD, "/* exercise 1.1 */", "/* exercise 1. */", 6, "alone on its line"),
        (MULTIPLY, "2.1", "1.2", 5, "exercise 1.2 is also at one/add.c:16"),
        (MULTIPLY, "2.1", "2.7", 5, f"exercise 2.7 is not in {LAB2}"),
        (MULTIPLY, "2.1", "3.1", 5, "there is no lab 3"),
        (MULTIPLY, "2.1", "1.7", 5, "stands in a file of lab 2"),
        (MULTIPLY, "2.1", "2.7", 0, ""),
        (LAB1, 'id = "1.2"', 'id = "1.3"', 24, "exercise 1.3 has no region"),
        (LAB1, 'id = "1.2"', 'id = "1.1"', 24, "1.1 is there twice"),
        (LAB1, 'id = "1.2"', 'id = "2.2"', 24, "is not 1.N"),
        (LAB1, "points = 5", "points = 0", 24, "0 points"),
        (LAB1, "points = 5", 'points = "5"', 24, "points must be a int"),
        (LAB1, 'difficulty = "medium"', 'difficulty = "nice"', 24, "one of easy, medium, hard"),
        (LAB1, 'EXERCISE("1.2")', 'EXERCISE("1.1")', 24, 'says EXERCISE("1.1")'),
        (LAB1, 'EXERCISE("1.2");', "return 0;", 24, "does not fail"),
        (LAB1, "hints = {}", "", 24, "hints is missing"),
        (LAB1, "hints = {}", "hint = {}", 24, "unknown key 'hint'"),
        (LAB1, 'editable = ["one/*.c"]', "editable = []", 0, "one/add.c, with exercise 1.1, is not among"),
        (LAB1, 'title = "Adding"', "", 0, "title is missing"),
        (LAB1, 'title = "Adding"', "title = 1", 1, "title must be a str"),
        (LAB1, 'title = "Adding"', "title =", 1, "Invalid"),
    ],
)
def test_flaws_are_named_with_their_place(
    tmp_path: Path, path: str, old: str, new: str, line: int, words: str
) -> None:
    problems = check_regions(change(tmp_path, path, old, new))
    assert problems
    assert not words or found(problems, path, line, words), "\n".join(map(str, problems))


@pytest.mark.parametrize(
    ("path", "old", "new", "place", "words"),
    [
        (LAB1, '"one/**"', '"one/*.h"', ADD, "no lab owns"),
        (LAB1, '"one/**"', '"one/**", "two/**"', MULTIPLY, f"lab 1 ({LAB1}:6), lab 2 ({LAB2}:6)"),
        (LAB1, '"one/**"', '"one/**", "three/**"', LAB1, "'three/**' fits no file"),
        (LAB1, '"one/**"', '"one/**", "!one/add.c"', ADD, "no lab owns"),
    ],
)
def test_each_file_has_one_owner(
    tmp_path: Path, path: str, old: str, new: str, place: str, words: str
) -> None:
    problems = check_owners(change(tmp_path, path, old, new))
    assert any(p.path == place and words in p.text for p in problems), problems


def test_a_plain_path_outranks_a_glob(tmp_path: Path) -> None:
    source = change(tmp_path, LAB2, '"two/**"', '"two/**", "one/add.h"')
    assert not check_owners(source) and source.owners["one/add.h"] == 2
    problems = check_includes(source)
    assert found(problems, ADD, 2, "a file of lab 1 includes one/add.h, which is lab 2's")


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("a/*.c", "a/b.c", True),
        ("a/*.c", "a/b/c.c", False),
        ("a/**", "a/b/c.c", True),
        ("a/**/x.c", "a/x.c", True),
        ("a/**/x.c", "a/b/c/x.c", True),
        ("a/**/x.c", "a/bx.c", False),
        ("a?.c", "ab.c", True),
        ("a.c", "abc", False),
    ],
)
def test_globs(glob: str, path: str, fits: bool) -> None:
    assert matches(path, glob) == fits


def test_handouts_name_the_exercises(tmp_path: Path) -> None:
    source = change(tmp_path, "handouts/lab1.md", "Exercise 1.2", "Exercise 1.4")
    problems = [str(problem) for problem in check_headings(source, 1)]
    assert "handouts/lab1.md: no heading for exercise 1.2 (Double)" in problems
    assert any(problem.startswith("handouts/lab1.md:5: a heading") for problem in problems)
    source = change(tmp_path, LAB2, "handouts/lab2.md", "handouts/nowhere.md")
    assert "does not exist" in str(check_headings(source, 2)[0])


@pytest.mark.parametrize(
    ("path", "old", "new", "number", "words"),
    [
        ("grade/test_adding.py", '"1.2"', '"1.1"', 1, "no test has a marker for 1.2"),
        ("grade/test_adding.py", '"1.2"', '"1.8"', 1, "exercise 1.8, which no lab.toml has"),
        ("grade/test_adding.py", "points=5", "points=6", 1, "give 6 points"),
        (LAB1, 'hints = {}', 'tests = ["test_half"]\nhints = {}', 1, "no test test_half"),
        (LAB1, '"grade/test_adding.py"', '"grade/nothing"', 2, ""),
        (LAB2, '"grade/test_multiplying.py"', '"grade/test_adding.py"', 1, "in a file of lab 2"),
    ],
)
def test_tests_name_the_exercises(
    tmp_path: Path, path: str, old: str, new: str, number: int, words: str
) -> None:
    text = FILES[path].replace(old, new)
    changes = {path: text}
    if "in a file of lab 2" in words:
        changes[LAB1] = FILES[LAB1].replace(', "grade/test_adding.py"', "")
    problems = check_tests(make_course(tmp_path, changes), number)
    assert any(words in p.text for p in problems) if words else not problems


def test_includes_must_exist(tmp_path: Path) -> None:
    source = change(tmp_path, MULTIPLY, '"tiny.h"', '"tinier.h"')
    assert found(check_includes(source), MULTIPLY, 3, "nowhere to be found")
    source = change(tmp_path, LAB1, '"one/**"', '"one/**"')
    assert not check_includes(source)


def test_symbols_point_downwards(tmp_path: Path) -> None:
    source = make_course(tmp_path)
    low = parse_nm(ADD, "                 U multiply\n                 w weakly\n0000 T add\n")
    high = parse_nm(MULTIPLY, "                 U add\n0000 T multiply\n0000 T weakly\n")
    assert low == Symbols(ADD, frozenset({"multiply"}), frozenset({"add"}))
    # Files of different programs do not see each other, so put both into one.
    low, high = (Symbols("kernel/" + o.path, o.needs, o.offers) for o in (low, high))
    owners = {"kernel/" + path: owner for path, owner in source.owners.items()}
    source.owners.update(owners)
    assert upward(source, [low, high]) == [("kernel/" + ADD, "multiply", "kernel/" + MULTIPLY)]
    also = Symbols("kernel/one/add.h", frozenset(), frozenset({"multiply"}))
    assert upward(source, [low, high, also]) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "line", "words"),
    [
        (LAB1, "/* What is a sum? */", "int result_of_the_addition = a + b;", 17, "exercise 1.1"),
        ("handouts/lab1.md", "# Adding", "    int result_of_the_addition=a+b;", 1, "exercise 1.1"),
        (
            ADD,
            "/* Sums. */",
            FILES[MULTIPLY].split("*/\n")[-2].split("/* end")[0].replace("multiply", "copied"),
            3,
            "6 lines in a row of the solution of exercise 2.1",
        ),
    ],
)
def test_leaks_are_found(
    tmp_path: Path, path: str, old: str, new: str, line: int, words: str
) -> None:
    problems = check_leaks(change(tmp_path, path, old, new))
    assert any(p.path == path and words in p.text for p in problems), problems
    assert line == 17 or found(problems, path, line, words)


def test_one_honest_line_is_no_leak(tmp_path: Path) -> None:
    line = "int honest(int b) { int n = 0;\n    int product_so_far = 0;\nreturn n + product_so_far;}"
    assert not check_leaks(change(tmp_path, ADD, "/* Sums. */", line))


def test_replacing_keeps_everything_else() -> None:
    text = FILES[ADD]
    regions, _ = parse_regions(ADD, text)
    assert replace_regions(text, regions, lambda _: None) == text
    assert replace_regions(text, regions, lambda region: region.text) == text
    stubbed = replace_regions(text, regions, lambda region: f"stub {region.id}\n")
    assert "/* exercise 1.1 */\nstub 1.1\n/* end 1.1 */\n\nstatic int unrelated" in stubbed
    assert "result_of" not in stubbed and stubbed.endswith("stub 1.2\n/* end 1.2 */\n")
