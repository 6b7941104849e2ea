"""grade.run on a tree with made-up tests: points, outcomes, what an error is, what counts."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grade.model import ResultError, read_result

GRADE = Path(__file__).parents[2]
COPIED = ("__init__.py", "run.py", "markers.py", "model.py", "conftest.py", "pytest.ini")

LAB = """\
title = "Tiny"
[[exercise]]
id = "1.1"
title = "All or nothing"
points = 10
hints."it says \\"too large\\"" = "Count again."
hints."it says \\"too small\\"" = "Count better."
[[exercise]]
id = "1.2"
title = "Test by test"
points = 6
[[exercise]]
id = "1.3"
title = "Nobody tests it"
points = 4
"""

TESTS = """\
import os
import pytest
from grade.harness.failure import HarnessError

@pytest.fixture
def computer():
    if os.environ["LIMIT"] == "1": raise HarnessError("no computer")

@pytest.mark.exercise("1.1")
@pytest.mark.parametrize("n", [1, 2])
def test_both(n): assert n < int(os.environ["LIMIT"]), "too large\\x1b[2J"

@pytest.mark.exercise("1.1")
def test_also(): pass

@pytest.mark.exercise("1.2", points=4)
def test_four(computer): pass

@pytest.mark.exercise("1.2", points=2)
def test_two():
    if os.environ["LIMIT"] == "2": raise HarnessError("no QEMU")

@pytest.mark.exercise("2.1")
def test_another_lab(): assert False
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "labs/01-tiny").mkdir(parents=True)
    (tmp_path / "labs/01-tiny/lab.toml").write_text(LAB)
    (tmp_path / "grade/labs").mkdir(parents=True)
    (tmp_path / "grade/labs/test_tiny.py").write_text(TESTS)
    for name in ("harness", "formats"):
        (tmp_path / "grade" / name).symlink_to(GRADE / name)
    for name in COPIED:  # a link would lead the package back to where this file is
        (tmp_path / "grade" / name).write_text((GRADE / name).read_text())
    return tmp_path


def start(tree: Path, limit: int, *words: str, key: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grade.run", "--build", "build", *words],
        cwd=tree,
        input=key,
        capture_output=True,
        text=True,
        env={**os.environ, "LIMIT": str(limit), "CAIRN_GRADE_LIMITS": '{"scale": 1.0}'},
        check=False,
    )


def run(tree: Path, limit: int, *words: str) -> tuple[dict[str, Any], str, int]:
    answer = start(tree, limit, *words)
    file = tree / "build/grade/score.json"
    assert file.exists(), answer.stdout + answer.stderr
    return json.loads(file.read_text()), answer.stdout, answer.returncode


def verdicts(model: dict[str, Any]) -> dict[str, tuple[str, int | None]]:
    return {e["id"]: (e["verdict"], e["earned"]) for e in model["exercises"]}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_points(tree: Path, jobs: str) -> None:
    if jobs != "1" and importlib.util.find_spec("xdist") is None:
        pytest.skip("there is no xdist")
    model, text, status = run(tree, 3, "--jobs", jobs)
    assert verdicts(model) == {"1.1": ("OK", 10), "1.2": ("OK", 6), "1.3": ("NOT TESTED", None)}
    assert "== 1.1 All or nothing: OK (" in text and ") 10/10" in text
    # An exercise without a test is no zero: it is the course that is broken.
    assert (model["version"], model["points"], model["earned"], status) == (1, 20, None, 3)
    assert "16 of 20 points are sure" in text


def test_failures_and_errors(tree: Path) -> None:
    model, text, status = run(tree, 2)
    assert verdicts(model)["1.1"] == ("FAIL", 0) and status == 3
    assert verdicts(model)["1.2"] == ("ERROR", None) and model["state"] == "error"
    assert "too large" in text and "no QEMU" in text
    assert "the grader's trouble, not yours" in text
    assert "\x1b" not in text, "a guest's words must not reach the terminal as they are"
    assert "Count again." in text and "Count better." not in text


def test_a_fixture_without_its_tools_is_an_error(tree: Path) -> None:
    model, text, status = run(tree, 1, "--exercise", "1.2")
    assert verdicts(model) == {"1.2": ("ERROR", None)} and status == 3
    assert "no computer" in text


def test_one_exercise(tree: Path) -> None:
    model, text, status = run(tree, 3, "--exercise", "1.2")
    assert verdicts(model) == {"1.2": ("OK", 6)} and status == 0
    assert "Lab 1: 6/6" in text
    model, text, status = run(tree, 2, "--exercise", "1.1")
    assert verdicts(model) == {"1.1": ("FAIL", 0)} and status == 1
    assert "Lab 1: 0/10" in text


def test_single_tests(tree: Path) -> None:
    model, _, _ = run(tree, 3, "--tests", "test_fo*, nothing")
    names = [test["name"] for entry in model["exercises"] for test in entry["tests"]]
    assert names == ["grade/labs/test_tiny.py::test_four"]


def test_the_first_failure_can_be_enough(tree: Path) -> None:
    """Of an exercise that is lost the rest is not run; a test with points of its own still is."""
    file = tree / "grade/labs/test_tiny.py"
    file.write_text(TESTS.replace("def test_four(computer): pass", "def test_four(): assert False"))
    model, _, _ = run(tree, 1, "--jobs", "1", "--fail-fast")
    texts = {t["name"].split("::")[1]: t["text"] for e in model["exercises"] for t in e["tests"]}
    assert verdicts(model)["1.1"] == ("FAIL", 0) and verdicts(model)["1.2"] == ("FAIL", 2)
    assert texts["test_also"] == "not run: another test has failed already"
    assert "too large" in texts["test_both"] and texts["test_two"] == ""


def test_what_is_not_there_is_named(tree: Path) -> None:
    for words, told in (
        (("--lab", "7"), "there is no lab 7 here; this tree has lab 1"),
        (("--lab", "one"), "there is no lab one here"),
        (("--exercise", "1.9"), "lab 1 has no exercise 1.9; it has 1.1, 1.2, 1.3"),
        (("--exercise", "1"), "an exercise is called LAB.NUMBER"),
        (("--exercise", "1.1", "--lab", "2"), "that exercise belongs to lab 1"),
    ):
        answer = start(tree, 3, *words)
        assert (answer.returncode, told in answer.stderr) == (2, True), answer.stderr


def test_a_worker_that_dies_is_an_error(tree: Path) -> None:
    if importlib.util.find_spec("xdist") is None:
        pytest.skip("there is no xdist")
    file = tree / "grade/labs/test_tiny.py"
    dies = "def test_also(): os.kill(os.getpid(), 9)"
    file.write_text(TESTS.replace("def test_also(): pass", dies))
    model, text, status = run(tree, 3, "--jobs", "2")
    assert verdicts(model)["1.1"] == ("ERROR", None) and verdicts(model)["1.2"] == ("OK", 6)
    assert status == 3 and "crashed" in text


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_tests_that_cannot_be_read_are_an_error(tree: Path, jobs: str) -> None:
    (tree / "grade/labs/test_tiny.py").write_text("import nosuchmodule\n" + TESTS)
    model, text, status = run(tree, 3, "--jobs", jobs)
    assert verdicts(model)["1.1"] == ("ERROR", None) and status == 3
    assert "nosuchmodule" in model["message"] and "nosuchmodule" in text


def test_only_a_sealed_result_counts(tree: Path) -> None:
    file = tree / "build/grade/score.json"
    key = os.urandom(16).hex()
    start(tree, 3, "--exercise", "1.2", "--key-on-stdin", key=key + "\n")
    assert read_result(file, key.encode()).earned == 6
    assert key not in file.read_text()
    with pytest.raises(ResultError, match="token does not fit"):
        read_result(file, b"another key")
    model = json.loads(file.read_text())
    model["exercises"][0]["title"] += "!"
    file.write_text(json.dumps(model))
    with pytest.raises(ResultError, match="token does not fit"):
        read_result(file, key.encode())


def test_a_run_that_is_cut_short_does_not_count(tree: Path) -> None:
    """What was known is in the file, but it is no result, and no test has passed by half."""
    file = tree / "grade/labs/test_tiny.py"
    body = 'assert n == 1 or os.kill(os.getpid(), 9)'
    file.write_text(TESTS.replace('assert n < int(os.environ["LIMIT"])', body))
    model, _, _ = run(tree, 3, "--jobs", "1")
    assert model["state"] == "running" and "token" not in model and model["earned"] is None
    assert verdicts(model)["1.1"] == ("NOT RUN", None)
    with pytest.raises(ResultError, match="the run ended before its time, after 0 of 4 tests"):
        read_result(tree / "build/grade/score.json", b"key")
