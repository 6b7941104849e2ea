"""What the tests of lab 3 share."""

from __future__ import annotations

import os
import random

import pytest


@pytest.fixture
def chance_seed() -> int:
    return int(os.environ.get("CAIRN_SEED") or random.SystemRandom().getrandbits(32))
