"""Fixtures of lab 5: its host programs, and machines whose programs the grader chose."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grade.harness.host import HostProgram, build_host_program
from grade.harness.limits import Limits
from grade.harness.plugin import Laboratory

ROOT = Path(__file__).resolve().parents[2]
HOST = "grade/lab5/host"


@dataclass(frozen=True)
class Recipe:
    """What a host program is built from."""

    sources: tuple[str, ...]
    flags: tuple[str, ...]
    traced: tuple[str, ...] = ()


VIRTIO = "-Iuser/libvirtio"
BLKD = "-Iservers/blkd"
RECIPES = {
    "negotiate": Recipe((f"{HOST}/negotiate.c", "user/libvirtio/transport.c"), (VIRTIO,)),
    "ring": Recipe((f"{HOST}/ring.c", "user/libvirtio/queue.c"), (VIRTIO,)),
    "order": Recipe(
        (f"{HOST}/order.c", f"{HOST}/trace.c"), (VIRTIO,), ("user/libvirtio/queue.c",)
    ),
    "check": Recipe((f"{HOST}/check.c", "servers/blkd/request.c"), (BLKD,)),
    "command": Recipe(
        (f"{HOST}/command.c", "user/libvirtio/queue.c", "servers/blkd/virtio_blk.c"),
        (f"-I{HOST}/system", VIRTIO, BLKD),
    ),
    "schedule": Recipe(
        (f"{HOST}/schedule.c", "servers/blkd/disk.c", "servers/blkd/request.c"), (BLKD,)
    ),
}


@dataclass
class Programs:
    """Host programs by name, each built when it is first asked for."""

    build: Path
    limits: Limits
    built: dict[str, HostProgram] = field(default_factory=dict)

    def __call__(self, name: str) -> HostProgram:
        if name not in self.built:
            recipe = RECIPES[name]
            self.built[name] = build_host_program(
                ROOT,
                self.build,
                f"lab5-{name}",
                recipe.sources,
                recipe.flags,
                self.limits,
                recipe.traced,
            )
        return self.built[name]


@pytest.fixture(scope="session")
def programs(laboratory: Laboratory) -> Programs:
    return Programs(laboratory.build, laboratory.limits)


@dataclass(frozen=True)
class Dice:
    """Random inputs of one test, and the seed that makes them again."""

    seed: int
    random: random.Random

    def __str__(self) -> str:
        return f"seed {self.seed} (CAIRN_SEED={self.seed} repeats the test)"


@pytest.fixture
def dice() -> Dice:
    seed = int(os.environ.get("CAIRN_SEED") or random.SystemRandom().getrandbits(32))
    return Dice(seed, random.Random(seed))
