"""The fixture of lab 1's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grade.harness.guest import GuestRun
from grade.lab1.trial import Trial


@pytest.fixture
def trial(kernel_test: Callable[..., GuestRun], request: pytest.FixtureRequest) -> Trial:
    return Trial.of(kernel_test, request.node.get_closest_marker("exercise").args[0])
