"""Exercise 6.8: files and directories that grow, on the host."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from grade.lab6.ext2 import DIRECTORY, REGULAR
from grade.lab6.host import Core, Script
from grade.lab6.images import GEOMETRIES, Geometry, Staging, judge, make_image, random_name
from grade.lab6.ext2 import Volume
from grade.lab6.model import Model, Node, difference

EEXIST, ENOSPC = -17, -28
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
        self.add(None if kind == REGULAR else 0, "create" if kind == REGULAR else "mkdir", path, name)
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


@pytest.mark.exercise("6.8", points=8)
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


def free_blocks(core: Core, image: Path, script: Script) -> list[int]:
    """What the "info" commands of a script say is available."""
    reserved = Volume(image).reserved
    replies = core.run(image, script)
    return [max(0, r.words[0] - reserved) for r in replies if r.command == "info"]


@pytest.mark.exercise("6.8", points=4)
def test_full_disk(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """The last blocks: a write that needs tables gets all of its blocks, or takes none."""
    geometry = Geometry(1024, 128, 1500, 512, inodes=64, reserved_percent=2)
    pointers, block = 256, 1024
    far = [(12 + 5) * block, (12 + pointers + 700) * block]
    far.append((12 + pointers + pointers**2 + 70000) * block)
    image = make_image(tmp_path / "empty.img", geometry)
    probe = Script()
    probe.add("mount", CACHE, 0)
    probe.add("info")
    available = free_blocks(core, image, probe)[0]
    for needed, offset in zip((2, 3, 4), far, strict=True):
        for left in range(needed - 1, needed + 1):
            script = Script()
            model = Model.of(Volume(image))
            full, deep = Node(REGULAR), Node(REGULAR)
            script.add("mount", CACHE, 0)
            for name, node in (b"full", full), (b"deep", deep):
                script.add("create", "/", name)
                model.add(model.root, name, node)
            # Below 268 blocks each, so that one table is all that a filler costs.
            fill = available - left
            for number in range(fill // 250 + 1):
                name, count = b"fill%d" % number, min(250, fill - 250 * number)
                count -= 1 if count > 12 else 0
                node = model.add(model.root, name, Node(REGULAR))
                script.add("create", "/", name)
                data = rng.randbytes(count * block)
                script.write(f"/fill{number}", 0, data)
                node.data.write(0, data)
            script.add("info")
            data = rng.randbytes(block)
            attempt = script.write("/deep", offset, data)
            script.add("info")
            script.add("unmount")
            replies = core.run(image, script)
            before, after = (r.words[0] - Volume(image).reserved for r in (replies[-4], replies[-2]))
            if before != left:
                core.fail(f"{available} blocks were free, {fill} were written: {before} are left")
            wanted = (ENOSPC, left) if left < needed else (block, left - needed)
            if wanted[0] > 0:
                deep.data.write(offset, data)
            if (replies[attempt].result, after) != wanted:
                core.fail(
                    f"{replies[attempt]}, which needs {needed} blocks, with {left} left: "
                    f"{replies[attempt].result}, then {after} are left\nexpected {wanted[0]}, "
                    f"then {wanted[1]} left"
                )
            wrong = judge(core.image) or difference(model, Volume(core.image))
            if wrong:
                core.fail(f"after filling the disk: {wrong}")
