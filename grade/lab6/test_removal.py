"""Exercise 6.9: files and directories go, on the host."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from grade.lab6.ext2 import DIRECTORY, REGULAR, Volume
from grade.lab6.host import Core, Script
from grade.lab6.images import GEOMETRIES, judge, make_image, random_name
from grade.lab6.model import Node
from grade.lab6.test_files import Files, random_files

ENOENT, EISDIR, ENOTEMPTY = -2, -21, -39
CACHE = 64


class Changes(Files):
    """Everything that can be done to files and directories."""

    def __init__(self, volume: Volume, rng: random.Random) -> None:
        super().__init__(volume, rng)
        self.held: list[tuple[int, Node]] = []  # the "hold" command, and the file

    def victim(self, kind: int | None = None) -> tuple[str, Node, bytes, Node] | None:
        """A name somewhere: its directory's path and node, itself, what it names."""
        found = [
            (path, directory, name, node)
            for path, directory in self.model.directories()
            for name, node in directory.names.items()
            if (kind is None or node.type == kind) and name != b"lost+found"
        ]
        return self.rng.choice(found) if found else None

    def unlink(self) -> None:
        chosen = self.victim()
        if not chosen:
            return
        path, directory, name, node = chosen
        if node.type == DIRECTORY:
            self.add(EISDIR, "unlink", path, name)
            return
        self.add(0, "unlink", path, name)
        self.add(ENOENT, "lookup", path, name)
        self.model.remove(directory, name)

    def rmdir(self) -> None:
        chosen = self.victim(DIRECTORY)
        if not chosen:
            return
        path, directory, name, node = chosen
        self.add(ENOTEMPTY if node.names else 0, "rmdir", path, name)
        if not node.names:
            self.model.remove(directory, name)

    def link(self) -> None:
        path, directory = self.rng.choice(list(self.model.directories()))
        old, node = self.pick(REGULAR)
        name = random_name(self.rng).encode()
        if name not in directory.names:
            self.add(0, "link", old, path, name)
            self.model.add(directory, name, node)

    def replace(self) -> None:
        """A rename onto a name that is there; for directories: onto an empty one."""
        kind = self.rng.choice((REGULAR, DIRECTORY))
        first, second = self.victim(kind), self.victim(kind)
        if not first or not second or first[3] is second[3] or second[3].names:
            return
        (old_path, old, gone, node), (new_path, new, name, _) = first, second
        below = f"{old_path.rstrip('/')}/{gone.decode()}/"
        if f"{new_path.rstrip('/')}/".startswith(below):
            return
        self.add(0, "rename", old_path, gone, new_path, name)
        self.model.remove(old, gone)
        self.model.remove(new, name)
        self.model.add(new, name, node)


@pytest.mark.exercise("6.9", points=3)
def test_random_changes(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Names, files and directories come and go; e2fsck and the model agree."""
    for index in (0, 3):
        image, files = random_files(tmp_path / str(index), rng, GEOMETRIES[index])
        changes = Changes(files.volume, rng)
        for _ in range(150):
            rng.choice(
                (
                    lambda: changes.make(REGULAR), lambda: changes.make(DIRECTORY), changes.write,
                    changes.truncate, changes.read, changes.unlink, changes.unlink, changes.rmdir,
                    changes.link, changes.replace,
                )
            )()  # fmt: skip
        changes.run(core, image, f"after random changes, {GEOMETRIES[index]}")


def image_with(core: Core, folder: Path, data: bytes) -> Path:
    """A disk with a file /open and a directory /cwd."""
    script = Script()
    script.add("mount", CACHE, 0)
    script.add("create", "/", "open")
    script.write("/open", 0, data)
    script.add("mkdir", "/", "cwd")
    script.add("unmount")
    core.run(make_image(folder / "empty.img", GEOMETRIES[0]), script)
    return core.image


@pytest.mark.exercise("6.9", points=3)
def test_open_files_live_on(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """A file without a name keeps its blocks while somebody holds it, and not one moment more."""
    data = rng.randbytes(rng.randint(20_000, 400_000))
    at = rng.randrange(len(data) - 5000)
    image = image_with(core, tmp_path, data)
    volume = Volume(image)
    number, cwd = volume.tree()["/open"], volume.tree()["/cwd"]
    script = Script()
    script.add("mount", CACHE, 0)
    for inode in (number, cwd):
        script.add("hold", inode)
    script.add("unlink", "/", "open")
    script.add("rmdir", "/", "cwd")
    script.add("info")
    read = script.add("read", number, at, 5000)
    stat = script.add("stat", number)
    directory = script.add("stat", cwd)
    script.add("list", cwd)
    script.add("sync")
    still_open = core.run(image, script)
    for reply in still_open:
        if reply.result < 0:
            core.fail(f"{reply}: {reply.result}\nexpected: held files live, whatever their links")
    if still_open[read].data != data[at : at + 5000]:
        core.fail(f"{still_open[read]}: wrong bytes of a file that was unlinked while open")
    for what, reply in ("file", still_open[stat]), ("directory", still_open[directory]):
        if reply.words[1] != 0:
            core.fail(f"{reply}: {reply.words[1]} links of a removed {what}, expected 0")
    check_orphans(core, {number, cwd})

    script.add("drop", number)
    script.add("stat", number)
    script.add("drop", cwd)
    script.add("stat", cwd)
    script.add("info")
    script.add("unmount")
    replies = core.run(image, script)
    for reply in (replies[-5], replies[-3]):
        if reply.result != ENOENT:
            core.fail(f"{reply}, after the last holder has gone: {reply.result}, not {ENOENT}")
    before, after = volume.free_blocks, replies[-2].words[0]
    _, tables = volume.block_map(volume.inode(number))
    freed = volume.inode(number).sectors // 2 + 1
    if after != before + freed:
        core.fail(
            f"a file of {freed - 1} blocks ({len(tables)} of them tables) and a directory are "
            f"gone: {after - before} blocks more are free, expected {freed}"
        )
    wrong = judge(core.image)
    if wrong:
        core.fail(f"after the last holder has gone: {wrong}")


def check_orphans(core: Core, wanted: set[int]) -> None:
    """Removed inodes that are still held stand in the list of orphans on the disk."""
    volume = Volume(core.image)
    found: set[int] = set()
    at = volume.orphan
    while at and at not in found and at <= volume.inodes:
        found.add(at)
        at = volume.inode(at).dtime
    if found != wanted:
        core.fail(
            f"the list of orphans on the disk has inodes {sorted(found) or 'none'}, expected "
            f"{sorted(wanted)}: removed, but held"
        )


@pytest.mark.exercise("6.9", points=1)
def test_links_count_names(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """A file with several names loses them one by one."""
    image = make_image(tmp_path / "empty.img", GEOMETRIES[2])
    count = rng.randint(3, 9)
    script = Script()
    script.add("mount", CACHE, 0)
    script.add("create", "/", "n0")
    script.write("/n0", 0, b"some bytes")
    for index in range(1, count):
        script.add("link", "/n0", "/", f"n{index}")
    left = [script.add("stat", "/n0")]
    for index in rng.sample(range(1, count), count - 1):
        script.add("unlink", "/", f"n{index}")
        left.append(script.add("stat", "/n0"))
    script.add("unmount")
    replies = core.run(image, script)
    for step, index in enumerate(left):
        if replies[index].result or replies[index].words[1] != count - step:
            core.fail(
                f"{replies[index]}, {step} of {count} names removed: {replies[index].text!r} "
                f"(the second number is the links), expected {count - step} links"
            )
    if wrong := judge(core.image):
        core.fail(f"after unlinking: {wrong}")
