"""The Gradescope zip file, unpacked and run as Gradescope would, over a small lab."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grade.course.source import read_source
from grade.course.tree import EXECUTABLE, Entry
from grade.overlay.pack import contents, write_zip
from grade.overlay.test.small import ADD, SOLVED, SUM, small_tree, write

ROOT = Path(__file__).parents[3]


@pytest.fixture
def autograder(tmp_path: Path) -> Path:
    """What Gradescope makes of the zip file."""
    find_python = f"#!/bin/sh\necho {sys.executable}\n".encode()
    pristine = {**small_tree(), "scripts/find-python": Entry(EXECUTABLE, find_python)}
    write_zip(contents(read_source(ROOT), pristine, 1), tmp_path / "lab.zip")
    root = tmp_path / "autograder"
    for name in ("source", "submission", "results"):
        (root / name).mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "lab.zip") as archive:
        for info in archive.infolist():
            Path(archive.extract(info, root / "source")).chmod(info.external_attr >> 16 & 0o777)
    shutil.copy(root / "source/run_autograder", root)
    return root


def run(root: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "AUTOGRADER_ROOT": str(root)}
    return subprocess.run(
        [root / "run_autograder"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


needs_tools = pytest.mark.skipif(not shutil.which("cc"), reason="there is no cc")


@needs_tools
def test_a_submission_is_graded(autograder: Path) -> None:
    write(autograder / "submission", {SUM: ADD})
    answer = run(autograder)
    model = json.loads((autograder / "results/results.json").read_text())
    assert (model["score"], [test["score"] for test in model["tests"]]) == (10, [10, 0])
    assert answer.returncode == 0, answer.stdout + answer.stderr


@needs_tools
def test_a_broken_autograder_gives_no_points(autograder: Path) -> None:
    write(autograder / "submission", SOLVED)
    (autograder / "results/results.json").write_text('{"score": 15}')
    (autograder / "source/pristine/Makefile").write_text("all:\n\tno-such-compiler\n")
    assert run(autograder).returncode == 3
    assert "score" not in json.loads((autograder / "results/results.json").read_text())
    (autograder / "source/pristine/labs/01-small/lab.toml").unlink()
    assert run(autograder).returncode != 0
    assert not (autograder / "results/results.json").exists()


def test_the_zip_file_holds_no_solution_and_is_always_the_same(tmp_path: Path) -> None:
    source = read_source(ROOT)
    files = contents(source, small_tree(), 1)
    assert {"setup.sh", "run_autograder", "lab", "pristine/Makefile"} <= set(files)
    assert all(files[name].mode == EXECUTABLE for name in ("setup.sh", "run_autograder"))
    harness = [name for name in files if name.startswith("harness/")]
    assert "harness/grade/one.py" in harness
    assert not [name for name in harness if "/test" in name or not name.endswith(".py")]
    for name in ("first.zip", "second.zip"):
        write_zip(files, tmp_path / name)
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
