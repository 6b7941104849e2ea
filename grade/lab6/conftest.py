"""What the tests of lab 6 start from."""

from __future__ import annotations

import os
import random
import secrets
from pathlib import Path

import pytest

from grade.harness.plugin import Laboratory
from grade.lab6.host import Core, build_core


@pytest.fixture
def seed() -> str:
    return os.environ.get("CAIRN_SEED") or secrets.token_hex(4)


@pytest.fixture
def rng(seed: str) -> random.Random:
    return random.Random(seed)


@pytest.fixture(scope="session")
def core_program(laboratory: Laboratory) -> Path:
    return build_core(laboratory.build / "grade" / "lab6")


@pytest.fixture
def core(
    core_program: Path, laboratory: Laboratory, tmp_path: Path, request: pytest.FixtureRequest,
    seed: str,
) -> Core:
    keep = laboratory.build / "grade" / "lab6" / request.node.name
    return Core(core_program, laboratory.limits, tmp_path / "core", keep, seed)
