"""grade.run on a tree with made-up tests: points, outcomes, and what an error is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GRADE = Path(__file__).parents[2]

LAB = """\
title = "Tiny"
[[exercise]]
id = "1.1"
title = "All or nothing"
points = 10
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

@pytest.mark.exercise("1.1")
@pytest.mark.parametrize("n", [1, 2])
def test_both(n): assert n < int(os.environ["LIMIT"]), "too large"

@pytest.mark.exercise("1.1")
def test_also(): pass

@pytest.mark.exercise("1.2", points=4)
def test_four(): pass

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
    for name in ("__init__.py", "run.py", "markers.py", "conftest.py", "pytest.ini", "harness"):
        (tmp_path / "grade" / name).symlink_to(GRADE / name)
    return tmp_path


def run(tree: Path, limit: int, *words: str) -> tuple[dict[str, Any], str, int]:
    # The package must come from the tree, and this file's own location must not win.
    (tree / "grade/run.py").unlink(missing_ok=True)
    (tree / "grade/run.py").write_text((GRADE / "run.py").read_text())
    answer = subprocess.run(
        [sys.executable, "-m", "grade.run", "--build", "build", *words],
        cwd=tree,
        capture_output=True,
        text=True,
        env={**os.environ, "LIMIT": str(limit), "CAIRN_GRADE_LIMITS": '{"factor": 1.0}'},
        check=False,
    )
    file = tree / "build/grade/score.json"
    assert file.exists(), answer.stdout + answer.stderr
    return json.loads(file.read_text()), answer.stdout, answer.returncode


def verdicts(model: dict[str, Any]) -> dict[str, tuple[str, int]]:
    return {e["id"]: (e["verdict"], e["earned"]) for e in model["exercises"]}


def test_points(tree: Path) -> None:
    model, text, status = run(tree, 3)
    assert verdicts(model) == {"1.1": ("OK", 10), "1.2": ("OK", 6), "1.3": ("NOT TESTED", 0)}
    assert (model["version"], model["points"], model["earned"], status) == (1, 20, 16, 1)
    assert "== 1.1 All or nothing: OK (" in text and "Lab 1: 16/20" in text


def test_failures_and_errors(tree: Path) -> None:
    model, text, status = run(tree, 2)
    assert verdicts(model)["1.1"] == ("FAIL", 0) and status == 1
    assert verdicts(model)["1.2"] == ("ERROR", 4)
    assert "too large" in text and "no QEMU" in text


def test_one_exercise(tree: Path) -> None:
    model, text, status = run(tree, 3, "--exercise", "1.2")
    assert verdicts(model) == {"1.2": ("OK", 6)} and status == 0
    assert "Lab 1: 6/6" in text
