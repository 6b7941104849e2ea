"""What the tests of lab 6 start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from grade.harness.host import HostProgram
from grade.harness.plugin import Laboratory
from grade.lab6.host import Core, build_core


@pytest.fixture(scope="session")
def core_program(laboratory: Laboratory) -> HostProgram:
    return build_core(laboratory.build, laboratory.limits)


@pytest.fixture
def core(
    core_program: HostProgram, laboratory: Laboratory, tmp_path: Path,
    request: pytest.FixtureRequest, seed: str,
) -> Core:
    keep = laboratory.build / "grade" / "lab6" / request.node.name
    return Core(core_program, tmp_path / "core", keep, seed)
