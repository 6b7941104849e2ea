"""Exercise 6.8: files and directories that grow, on the host."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from grade.lab6.ext2 import DIRECTORY, REGULAR, Volume
from grade.lab6.host import Core, Script
from grade.lab6.images import GEOMETRIES, Geometry, Staging, judge, make_image, random_name
from grade.lab6.model import Model, Node, difference

ENOSPC = -28
CACHE = 64


class Files:
    """Random changes of files and directories, none of which takes a name away."""

    def __init__(self, volume: Volume, rng: random.Random) -> None:
        self.rng = rng
        self.volume = volume
        self.model = Model.of(volume)
        self.script = Script()
        self.script.add("mount", CACHE, 0)
        self.expected: list[int | bytes | None] = [0]

    def add(self, expected: int | bytes | None, *words: object) -> None:
        self.script.add(*words)
        self.expected.append(expected)

    def pick(self, kind: int) -> tuple[str, Node]:
        found = [(p, n) for p, n in self.model.paths().items() if n.type == kind]
        return self.rng.choice(found)

    def make(self, kind: int) -> None:
        path, directory = self.rng.choice(list(self.model.directories()))
        name = random_name(self.rng, self.rng.choice((12, 250))).encode()
        if name in directory.names:
            return
        if kind == REGULAR:
            self.add(None, "create", path, name)
        else:
            self.add(0, "mkdir", path, name)
        self.model.add(directory, name, Node(kind))

    def write(self) -> None:
        """Inside, at the end, or far behind it: each level of tables comes up."""
        path, node = self.pick(REGULAR)
        block = self.volume.block_size
        pointers = block // 4
        single, double = 12 * block, (12 + pointers) * block
        triple = double + pointers * pointers * block
        starts = [self.rng.randint(0, node.data.size), node.data.size, single, double]
        if triple < 1 << 30:
            starts.append(triple)
        offset = max(0, self.rng.choice(starts) + self.rng.randint(-block, 40 * block))
        data = self.rng.randbytes(self.rng.randint(1, 6 * block))
        self.script.write(path, offset, data)
        self.expected.append(len(data))
        node.data.write(offset, data)

    def truncate(self) -> None:
        path, node = self.pick(REGULAR)
        size = self.rng.randint(0, node.data.size + 5000)
        self.add(0, "truncate", path, size)
        node.data.truncate(size)

    def read(self) -> None:
        path, node = self.pick(REGULAR)
        offset = self.rng.randint(0, node.data.size)
        length = self.rng.randint(1, 20000)
        self.add(node.data.read(offset, length), "read", path, offset, length)

    def run(self, core: Core, image: Path, what: str) -> None:
        self.add(0, "unmount")
        for reply, wanted in zip(core.run(image, self.script), self.expected, strict=True):
            if isinstance(wanted, bytes):
                if reply.result != len(wanted) or reply.data != wanted:
                    core.fail(f"{reply}: {reply.result} bytes, of {len(wanted)}, or wrong ones")
            elif reply.result != wanted and (wanted is not None or reply.result <= 0):
                core.fail(f"{reply}: {reply.result}, expected {wanted or 'an inode'}")
        wrong = judge(core.image) or difference(self.model, Volume(core.image))
        if wrong:
            core.fail(f"{what}: {wrong}")


def random_files(folder: Path, rng: random.Random, geometry: Geometry) -> tuple[Path, Files]:
    staging = Staging(folder / "tree", rng, geometry.block_size)
    staging.populate(10, many=6)
    image = make_image(folder / "random.img", geometry, staging.folder)
    return image, Files(Volume(image), rng)


@pytest.mark.exercise("6.8", points=5)
def test_writing_files(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Random writes with holes, through all levels of tables; e2fsck and the model agree."""
    for index in (0, 2, 4):
        image, files = random_files(tmp_path / str(index), rng, GEOMETRIES[index])
        for _ in range(6):
            files.make(REGULAR)
        for _ in range(60):
            rng.choice((files.write, files.write, files.truncate, files.read))()
        files.run(core, image, f"after writing files, {GEOMETRIES[index]}")


@pytest.mark.exercise("6.8", points=2)
def test_growing_directories(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """New directories, and so many names that directories need further blocks."""
    image, files = random_files(tmp_path, rng, GEOMETRIES[0])
    for turn in range(150):
        files.make(DIRECTORY if turn % 5 == 0 else REGULAR)
    files.run(core, image, "after many new names")


def fill_up(script: Script, model: Model, rng: random.Random, blocks: int) -> None:
    """Files that take just so many blocks of 1 KiB, each at most one table among them."""
    number = 0
    while blocks > 0:
        count = 12 if blocks == 13 else min(250, blocks)
        data = rng.randbytes((count - 1 if count > 12 else count) * 1024)
        node = model.add(model.root, b"fill%d" % number, Node(REGULAR))
        node.data.write(0, data)
        script.add("create", "/", f"fill{number}")
        script.write(f"/fill{number}", 0, data)
        blocks, number = blocks - count, number + 1


@dataclass
class Brim:
    """A disk of 1 KiB blocks with a number of blocks left, and one write that needs some."""

    core: Core
    rng: random.Random
    image: Path
    reserved: int

    def available(self) -> int:
        script = Script()
        script.add("mount", CACHE, 0)
        script.add("info")
        return self.core.run(self.image, script)[1].words[0] - self.reserved

    def attempt(self, fill: int, left: int, needed: int, offset: int) -> None:
        script, model, deep = Script(), Model.of(Volume(self.image)), Node(REGULAR)
        data = self.rng.randbytes(1024)
        script.add("mount", CACHE, 0)
        script.add("create", "/", "deep")
        model.add(model.root, b"deep", deep)
        fill_up(script, model, self.rng, fill)
        script.add("info")
        script.write("/deep", offset, data)
        script.add("info")
        script.add("unmount")
        before, write, after, _ = self.core.run(self.image, script)[-4:]
        counted = [reply.words[0] - self.reserved for reply in (before, after)]
        if counted[0] != left:
            self.core.fail(f"{fill} blocks of {fill + left} were written: {counted[0]} are left")
        wanted = (ENOSPC, left) if left < needed else (1024, left - needed)
        if wanted[0] > 0:
            deep.data.write(offset, data)
        if (write.result, counted[1]) != wanted:
            self.core.fail(
                f"{write}, which needs {needed} blocks, with {left} left: {write.result}, then "
                f"{counted[1]} are left\nexpected {wanted[0]}, then {wanted[1]} left"
            )
        wrong = judge(self.core.image) or difference(model, Volume(self.core.image))
        if wrong:
            self.core.fail(f"after filling the disk: {wrong}")


@pytest.mark.exercise("6.8", points=3)
def test_full_disk(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """The last blocks: a write that needs tables gets all of its blocks, or takes none."""
    geometry = Geometry(1024, 128, 1500, 512, inodes=64, reserved_percent=2)
    image = make_image(tmp_path / "empty.img", geometry)
    brim = Brim(core, rng, image, Volume(image).reserved)
    available = brim.available()
    double, triple = 12 + 256, 12 + 256 + 256 * 256
    for needed, block in (2, 12 + 5), (3, double + 700), (4, triple + 70000):
        for left in (needed - 1, needed):
            brim.attempt(available - left, left, needed, block * 1024)
