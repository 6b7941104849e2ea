"""What the tests of programs on the host start from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from grade.on_host.build import NETWORK, UTILITIES, build_programs


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Path:
    """The folder with our network programs."""
    build = Path(request.config.getoption("--build")).resolve()
    return build_programs(NETWORK, build / "host-network")


@pytest.fixture(scope="session")
def ours(request: pytest.FixtureRequest) -> Path:
    """The folder with our utilities."""
    build = Path(request.config.getoption("--build")).resolve()
    return build_programs(UTILITIES, build / "host-utilities")


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    yield tmp_path / "ours", tmp_path / "theirs"
    shutil.rmtree(tmp_path, ignore_errors=True)
