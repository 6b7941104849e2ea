"""Random disk images: made by mke2fs from random trees, roughened by debugfs, judged by e2fsck."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grade.harness.disk import check_file_system, find_tool
from grade.harness.failure import HarnessError
from grade.lab6.ext2 import Volume

SHOWN_LINES = 14
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+,=@%"


@dataclass(frozen=True)
class Geometry:
    """What mke2fs is told."""

    block_size: int
    inode_size: int
    kib: int
    group_blocks: int  # blocks per group
    inodes: int = 400
    reserved_percent: int = 0
    file_types: bool = True

    def __str__(self) -> str:
        return f"blocks of {self.block_size}, inodes of {self.inode_size} bytes"


GEOMETRIES = (
    Geometry(1024, 128, 5000, 1024),
    Geometry(1024, 256, 4000, 512, file_types=False),
    Geometry(2048, 256, 7002, 1024),
    Geometry(4096, 128, 9004, 512),
    Geometry(4096, 256, 9016, 256),
)


def tool(*words: str, text: str = "") -> str:
    """Run one of e2fsprogs' tools; its output."""
    ran = subprocess.run(
        [find_tool(words[0]), *words[1:]], input=text, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise HarnessError(f"{words[0]} fails: {ran.stdout}{ran.stderr}")
    return ran.stdout


def random_name(rng: random.Random, longest: int = 24, shortest: int = 1) -> str:
    """A name that is not made of dots only, and that the shell does not take for an option."""
    first = rng.choice(LETTERS[:62])
    return first + "".join(rng.choices(LETTERS, k=rng.randint(shortest, longest) - 1))


def random_names(rng: random.Random, count: int, longest: int = 24) -> list[str]:
    names: set[str] = set()
    while len(names) < count:
        name = random_name(rng, longest)
        names.add(name)
        if rng.random() < 0.2:  # some begin as others do
            names.add(name + rng.choice(LETTERS))
    return sorted(names)[:count]


@dataclass
class Staging:
    """A random tree on the host, that an image is made from."""

    folder: Path
    rng: random.Random
    block_size: int
    directories: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def populate(self, files: int = 16, many: int = 40) -> None:
        """Directories in directories, files of telling sizes, links, and one long directory."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.directories = [self.folder]
        for _ in range(5):
            self._directory(self.rng.choice(self.directories))
        crowd = self._directory(self.folder)
        for name in random_names(self.rng, many):
            (crowd / name).touch()
        for size in self._sizes(files):
            self._file(size)
        for path in self.rng.sample(self.files, 3):
            os.link(path, self._free(self.rng.choice(self.directories)))
        for length in (1, 59, 60, 200):
            target = random_name(self.rng, length, length)
            self._free(self.rng.choice(self.directories)).symlink_to(target)

    def sparse(self, blocks: Iterable[int], name: str = "") -> Path:
        """A file with data in these blocks, holes elsewhere."""
        path = self.folder / name if name else self._free(self.folder)
        with path.open("wb") as file:
            for block in blocks:
                file.seek(block * self.block_size)
                file.write(self.rng.randbytes(self.block_size - self.rng.randint(0, 100)))
        self.files.append(path)
        return path

    def _free(self, parent: Path) -> Path:
        while True:
            path = parent / random_name(self.rng)
            if not os.path.lexists(path):
                return path

    def _directory(self, parent: Path) -> Path:
        path = self._free(parent)
        path.mkdir()
        self.directories.append(path)
        return path

    def _sizes(self, count: int) -> list[int]:
        block = self.block_size
        sizes = [0, 1, block - 1, block, block + 1, 12 * block, 12 * block + 1, 14 * block]
        while len(sizes) < count:
            sizes.append(self.rng.randint(2, 20 * block))
        return sizes

    def _file(self, size: int) -> None:
        path = self._free(self.rng.choice(self.directories))
        path.write_bytes(self.rng.randbytes(size))
        path.chmod(self.rng.choice((0o600, 0o644, 0o755, 0o440)))
        self.files.append(path)


def make_image(path: Path, geometry: Geometry, folder: Path | None = None) -> Path:
    """mke2fs with a tree in it."""
    words = ["mke2fs", "-q", "-F", "-t", "ext2", "-b", str(geometry.block_size)]
    words += ["-I", str(geometry.inode_size), "-g", str(geometry.group_blocks)]
    words += ["-N", str(geometry.inodes), "-m", str(geometry.reserved_percent)]
    words += ["-O", f"{'' if geometry.file_types else '^'}filetype,^resize_inode"]
    words += ["-E", "root_owner=0:0", *(["-d", str(folder)] if folder else [])]
    tool(*words, str(path), f"{geometry.kib}k")
    return path


def roughen(path: Path, names: Iterable[str]) -> None:
    """Remove files: leaves holes in bitmaps and directories."""
    tool("debugfs", "-w", "-f", "-", str(path), text="".join(f'rm "{n}"\n' for n in names))


def judge(path: Path) -> str:
    """What e2fsck finds, and the sums that it mends without a word; nothing if all is well."""
    verdict = check_file_system(path)
    if not verdict.clean:
        noise = ("Pass ", "e2fsck ", str(path))
        lines = [x for x in verdict.text.split("\n") if x.strip() and not x.startswith(noise)]
        return "\n    ".join(["e2fsck -fn finds:", *lines[:SHOWN_LINES]])
    volume = Volume(path)
    for what, total, groups in (
        ("blocks", volume.free_blocks, sum(group.free_blocks for group in volume.groups)),
        ("inodes", volume.free_inodes, sum(group.free_inodes for group in volume.groups)),
    ):
        if total != groups:
            return f"the superblock counts {total} free {what}, the groups together {groups}"
    return ""
