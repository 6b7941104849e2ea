"""Exercises 6.5 and 6.6: names come and go, in directories with room for them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from grade.lab6.ext2 import DIRECTORY, REGULAR, SYMLINK, Volume, dirent_size
from grade.lab6.host import Core, Script
from grade.lab6.images import (
    GEOMETRIES,
    Geometry,
    Staging,
    judge,
    make_image,
    random_name,
    roughen,
)
from grade.lab6.model import Model, Node, difference

ENOENT, EEXIST = -2, -17
NOW = 1700000000  # the driver's clock
CACHE = 64


def rough_image(folder: Path, rng: random.Random, geometry: Geometry) -> tuple[Path, Volume]:
    """A random tree, some of whose files have been removed again, and with a directory of more
    than one block."""
    staging = Staging(folder / "tree", rng, geometry.block_size)
    staging.populate(12, many=100)
    image = make_image(folder / "random.img", geometry, staging.folder)
    volume = Volume(image)
    crowd = sorted(p for p, number in volume.tree().items() if volume.inode(number).size == 0)
    roughen(image, rng.sample(crowd, len(crowd) // 4))
    return image, Volume(image)


class Names:
    """Random changes of names that need no new block: each directory has room at its end."""

    def __init__(self, volume: Volume, rng: random.Random) -> None:
        self.rng = rng
        self.model = Model.of(volume)
        self.script = Script()
        self.script.add("mount", CACHE, 0)
        self.expected: list[int | None] = [0]  # None: any inode number
        self.room = {
            node: volume.records(volume.tree().get(path, 2))[-1].room
            for path, node in self.model.directories()
        }
        self.changed: set[str] = set()

    def add(self, expected: int | None, *words: object) -> None:
        self.script.add(*words)
        self.expected.append(expected)

    def directory(self) -> tuple[str, Node]:
        return self.rng.choice(list(self.model.directories()))

    def fresh_name(self, directory: Node, exact: bool = False) -> str:
        """A name that fits the room of a directory; "" if none does."""
        room = self.room[directory]
        for _ in range(20):
            length = self.rng.choice((1, 3, 4, 5, 8, 20, self.rng.randint(1, 255)))
            if exact:
                length = room - 8 - self.rng.randint(0, 3)
            name = random_name(self.rng, max(1, length), max(1, length))
            fits = len(name) <= 255 and dirent_size(name.encode()) <= room
            if fits and name.encode() not in directory.names:
                return name
        return ""

    def take_room(self, path: str, directory: Node, name: str) -> None:
        self.room[directory] -= dirent_size(name.encode())
        self.changed.add(path)

    def make(self, exact: bool = False) -> None:
        """A new file, link or symbolic link; afterwards it is there, and not once more."""
        path, directory = self.directory()
        name = self.fresh_name(directory, exact)
        if not name:
            return
        kind = self.rng.choice(("create", "link", "symlink"))
        raw = name.encode()
        self.add(ENOENT, "lookup", path, raw)
        if kind == "create":
            self.add(None, "create", path, raw)
            self.model.add(directory, raw, Node(REGULAR))
        elif kind == "symlink":
            target = random_name(self.rng, 59).encode()
            self.add(0, "symlink", path, raw, target)
            self.model.add(directory, raw, Node(SYMLINK, target=target))
        else:
            files = [(p, n) for p, n in self.model.paths().items() if n.type == REGULAR]
            old, node = self.rng.choice(files)
            self.add(0, "link", old, path, raw)
            self.model.add(directory, raw, node)
        self.take_room(path, directory, name)
        if kind != "symlink":
            self.add(EEXIST, "create", path, raw)

    def move(self) -> None:
        """Give something another name, here or elsewhere; the old one is gone afterwards."""
        old_path, old = self.directory()
        new_path, new = self.directory()
        name = self.fresh_name(new)
        if not old.names or not name:
            return
        gone, raw = self.rng.choice(list(old.names)), name.encode()
        node = old.names[gone]
        below = f"{old_path.rstrip('/')}/{gone.decode()}/"
        if node.type == DIRECTORY and f"{new_path}/".startswith(below):
            return
        self.add(None, "lookup", old_path, gone)
        self.add(0, "rename", old_path, gone, new_path, raw)
        self.add(ENOENT, "lookup", old_path, gone)
        self.model.remove(old, gone)
        self.model.add(new, raw, node)
        self.take_room(new_path, new, name)
        if node.type != DIRECTORY:  # the paths of what lies below change
            self.changed.add(old_path)
        else:
            self.changed = set()

    def run(self, core: Core, image: Path, what: str) -> Volume:
        """Run it all, and have the image judged."""
        self.add(0, "unmount")
        for reply, wanted in zip(core.run(image, self.script), self.expected, strict=True):
            if reply.result != wanted and (wanted is not None or reply.result <= 0):
                shown = "an inode's number" if wanted is None else str(wanted)
                core.fail(f"{reply}: {reply.result}, expected {shown}")
        wrong = judge(core.image)
        if wrong:
            core.fail(f"{what}: {wrong}")
        volume = Volume(core.image)
        wrong = difference(self.model, volume)
        if wrong:
            core.fail(f"{what}, what is on the disk is wrong: {wrong}")
        tree = {"/": 2, **volume.tree()}
        for path in sorted(self.changed):
            if volume.inode(tree[path]).mtime != NOW:
                core.fail(f"{what}: {path} has changed, its mtime has not (directory_changed)")
        return volume


@pytest.mark.exercise("6.5")
def test_inserting_names(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Names of all lengths, into unused records and behind used ones, to the last byte."""
    for index in (0, 1, 3):
        image, volume = rough_image(tmp_path / str(index), rng, GEOMETRIES[index])
        names = Names(volume, rng)
        for turn in range(50):
            names.make(exact=turn % 5 == 4)
        names.run(core, image, f"after new names, on {GEOMETRIES[index]}")


def unused_inside(volume: Volume) -> set[tuple[int, int]]:
    """Unused records that are not the first of their block."""
    return {
        (record.block, record.offset)
        for number in volume.tree().values()
        if volume.inode(number).type == DIRECTORY
        for record in volume.records(number)
        if not record.inode and record.offset
    }


@pytest.mark.exercise("6.6")
def test_removing_names(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Names are moved: the old ones must be gone, and their room free again."""
    for index in (0, 1, 3):
        image, volume = rough_image(tmp_path / str(index), rng, GEOMETRIES[index])
        names = Names(volume, rng)
        for turn in range(60):
            names.move() if turn % 4 else names.make()
        after = names.run(core, image, f"after renaming, on {GEOMETRIES[index]}")
        lost = sorted(unused_inside(after) - unused_inside(volume))
        if lost:
            core.fail(
                f"on {GEOMETRIES[index]}: unused records (block, offset) {lost[:5]} behind others "
                "in their block\nexpected: the record before takes the room of a removed one"
            )


@pytest.mark.exercise("6.6")
def test_removing_first_names(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """The first record of a block, which has none before it, and every record of a block."""
    geometry = GEOMETRIES[0]
    image, volume = rough_image(tmp_path, rng, geometry)
    names = Names(volume, rng)
    tree = volume.tree()
    path = max(
        (p for p, n in tree.items() if volume.inode(n).type == DIRECTORY),
        key=lambda p: len(volume.names(tree[p])),
    )
    records = [r for r in volume.records(tree[path]) if r.inode]
    block = [r for r in records if r.block == records[-1].block]
    directory = dict(names.model.directories())[path]
    target_path, target = "/", names.model.root
    for record in [block[0], *rng.sample(block[1:], len(block) - 1)]:
        name = b"r%d" % record.offset
        names.room[target] -= dirent_size(name)
        if names.room[target] < 0:
            break
        names.add(record.inode, "lookup", path, record.name)
        names.add(0, "rename", path, record.name, target_path, name)
        names.add(ENOENT, "lookup", path, record.name)
        names.model.add(target, name, names.model.remove(directory, record.name))
    names.run(core, image, f"after removing the names of the last block of {path}")
