"""Exercises 6.4, 6.8 and 6.9 in the booted system: Cairn works on a random disk, which the host
judges afterwards."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from grade.harness.failure import UNWRITTEN_LOGGED, GuestFailure
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory
from grade.lab6.ext2 import DIRECTORY, REGULAR, SYMLINK, Volume
from grade.lab6.host import fail
from grade.lab6.images import Geometry, Staging, judge, make_image, random_name, tool
from grade.lab6.model import Model, Node, difference

PROGRAMS = "cat cp dd df ln ls mkdir mv rm rmdir sha256sum sync touch yes".split()
GEOMETRIES = (
    Geometry(1024, 128, 12000, 2048, inodes=600),
    Geometry(1024, 256, 12000, 4096, inodes=600),
    Geometry(2048, 256, 13002, 1024, inodes=600),
    Geometry(4096, 128, 16004, 1024, inodes=600),
)


@dataclass
class Guest:
    """A booted machine on a random disk, and what the disk should hold."""

    machine: Machine
    image: Path
    model: Model
    geometry: Geometry
    seed: str

    def fail(self, text: str) -> NoReturn:
        """End the test; what a stub says goes before everything else."""
        stub = UNWRITTEN_LOGGED.search(self.machine.log.data)
        if stub:
            fail(stub[0].decode())
        fail(
            f"{text}\non a disk with {self.geometry}; seed {self.seed} (CAIRN_SEED={self.seed} "
            f"repeats the test)\nto look at it under gdb: {self.machine.reproduce()}"
        )

    def sh(self, command: str, status: int | None = 0) -> str:
        """Run a command line in the shell; its output."""
        result = self.machine.console.run(command)
        if status is not None and result.status != status:
            self.fail(f"`{command}` ended with status {result.status}, not {status}:\n"
                      f"{result.output[-600:]}")
        return result.output

    def node(self, path: str) -> Node:
        node = self.model.root
        for name in path.strip("/").split("/"):
            node = node.names[name.encode()]
        return node

    def parent(self, path: str) -> tuple[Node, bytes]:
        above, _, name = path.rpartition("/")
        return (self.node(above) if above else self.model.root), name.encode()

    def add(self, path: str, node: Node) -> Node:
        return self.model.add(*self.parent(path), node)

    def files(self, rng: random.Random, count: int) -> list[str]:
        """Some files that are not programs, not empty, not huge (the sparse ones, whose copies
        could fill the disk too early), and have one name."""
        largest = 24 * self.geometry.block_size
        found = [
            path
            for path, node in self.model.paths().items()
            if node.type == REGULAR and 0 < node.data.size <= largest and node.links == 1
            and not path.startswith("/bin/")
        ]
        return rng.sample(sorted(found), count)

    def power_off(self) -> None:
        """End the shell, and with it the system: that needs no program from the disk."""
        self.machine.console.send("exit 0\n")
        status = self.machine.wait_exit()
        if status:
            self.fail(f"the machine ended with status {status} when its shell did")

    def finish(self) -> Volume:
        """Power off, and compare the disk with the model."""
        self.power_off()
        disk = self.machine.config.disks[0].path
        wrong = judge(disk)
        if wrong:
            self.fail(f"after a clean power-off: {wrong}")
        volume = Volume(disk)
        wrong = difference(self.model, volume)
        if wrong:
            self.fail(f"after a clean power-off, what is on the disk is wrong: {wrong}")
        return volume


@pytest.fixture
def guest(
    boot: Callable[..., Machine], laboratory: Laboratory, tmp_path: Path, rng: random.Random,
    seed: str,
) -> Guest:
    geometry = rng.choice(GEOMETRIES)
    staging = Staging(tmp_path / "tree", rng, geometry.block_size)
    staging.populate(20, many=90)
    pointers = geometry.block_size // 4
    staging.sparse([2, 12 + pointers + rng.randrange(900)])
    programs = staging.folder / "bin"
    programs.mkdir()
    dumps = "".join(f'dump "/bin/{name}" "{programs / name}"\n' for name in PROGRAMS)
    tool("debugfs", "-f", "-", str(laboratory.root_image), text=dumps)
    for program in programs.iterdir():
        program.chmod(0o755)
    # Where a failed run can be repeated, the disk must still be.
    kept = laboratory.build / "grade" / "lab6"
    kept.mkdir(parents=True, exist_ok=True)
    image = make_image(kept / f"disk-{tmp_path.name}.img", geometry, staging.folder)
    machine = boot(ready=False, disks=[image])
    stub = None
    try:
        machine.console.wait_ready()
    except GuestFailure:
        stub = UNWRITTEN_LOGGED.search(machine.log.data)
        if not stub:
            raise
    if stub:
        fail(stub[0].decode())
    return Guest(machine, image, Model.of(Volume(image)), geometry, seed)


@pytest.mark.exercise("6.4")
def test_reading_in_the_system(guest: Guest, rng: random.Random) -> None:
    """Every file of a random disk by its name, and every directory's names."""
    sums: dict[str, str] = {}
    for path, node in sorted(guest.model.paths().items()):
        if node.type == REGULAR and not path.startswith("/bin/"):
            sums[path] = hashlib.sha256(node.data.read(0, node.data.size)).hexdigest()
    chosen = rng.sample(sorted(sums), min(40, len(sums)))
    for start in range(0, len(chosen), 10):
        some = chosen[start : start + 10]
        seen = dict(
            reversed(line.split("  ", 1))
            for line in guest.sh(f"sha256sum {' '.join(some)}", None).splitlines()
            if "  " in line
        )
        for path in some:
            if seen.get(path) != sums[path]:
                guest.fail(
                    f"sha256sum {path}, of {guest.node(path).data.size} bytes: "
                    f"{seen.get(path, 'nothing')}, expected {sums[path]}"
                )
    for path, node in rng.sample(sorted(guest.model.directories(), key=lambda d: d[0]), 4):
        listed = set(guest.sh(f"ls -1A {path}").split())
        wanted = {name.decode() for name in node.names}
        if listed != wanted:
            guest.fail(
                f"ls -1A {path}: missing {sorted(wanted - listed)[:5] or 'nothing'}, too much "
                f"{sorted(listed - wanted)[:5] or 'nothing'}"
            )
    guest.finish()


@pytest.mark.exercise("6.8", points=4)
def test_writing_in_the_system(guest: Guest, rng: random.Random) -> None:
    """Copies, appended and sparse files, directories; then the disk is filled to the brim."""
    sources = guest.files(rng, 6)
    paths = []
    top = f"/{random_name(rng)}.d"
    for depth in range(rng.randint(2, 4)):
        path = f"{top}{f'/d{depth}' if depth else ''}"
        top = path
        paths.append(path)
        guest.add(path, Node(DIRECTORY))
    guest.sh(f"mkdir -p {top}")
    for index, source in enumerate(sources[:3]):
        copy = f"{rng.choice(paths)}/copy{index}"
        guest.sh(f"cp {source} {copy}")
        node = guest.add(copy, Node(REGULAR))
        data = guest.node(source).data
        node.data.write(0, data.read(0, data.size))
    both = f"{top}/both"
    guest.sh(f"cat {sources[3]} {sources[4]} > {both}; cat {sources[5]} >> {both}")
    node = guest.add(both, Node(REGULAR))
    for source in sources[3:]:
        data = guest.node(source).data
        node.data.write(node.data.size, data.read(0, data.size))
    sparse = guest.add(f"{top}/sparse", Node(REGULAR))
    for _ in range(4):  # 69 MB: behind the last double indirect block of 1 KiB
        seek, source = rng.choice((0, 11, 270, 4200, rng.randint(66000, 69000))), sources[0]
        data = guest.node(source).data
        guest.sh(f"dd if={source} of={top}/sparse bs=1024 seek={seek} conv=notrunc status=none")
        sparse.data.write(seek * 1024, data.read(0, data.size))
    word = random_name(rng, 15, 15)
    output = guest.sh(f"yes {word} | dd of={top}/full bs=4096 status=none", None)
    if "No space left" not in output:
        guest.fail(f"filling the disk: {output[-300:]!r}, expected `No space left on device`")
    guest.machine.console.run(f"cp {sources[0]} /more")
    # How much fits is the disk's business; what it holds is known.
    full = guest.add(f"{top}/full", Node(REGULAR))
    guest.add("/more", Node(REGULAR))
    guest.power_off()
    disk = guest.machine.config.disks[0].path
    if wrong := judge(disk):
        guest.fail(f"after filling the disk: {wrong}")
    volume = Volume(disk)
    if volume.free_blocks - volume.reserved > 4:
        guest.fail(f"the disk was full, but {volume.free_blocks} blocks are free")
    tree = volume.tree()
    size = volume.inode(tree.get(f"{top}/full", 2)).size
    full.data.write(0, (f"{word}\n".encode() * (size // 16 + 1))[:size])
    data = guest.node(sources[0]).data
    more = volume.inode(tree.get("/more", 2)).size
    guest.node("/more").data.write(0, data.read(0, more))
    if wrong := difference(guest.model, volume):
        guest.fail(f"after filling the disk, what is on it is wrong: {wrong}")


@pytest.mark.exercise("6.9", points=2)
def test_removing_in_the_system(guest: Guest, rng: random.Random) -> None:
    """Files that are unlinked while open, names that replace others, whole trees that go."""
    opened, read, moved, target, dropped = guest.files(rng, 5)
    content = guest.node(opened).data
    wanted = hashlib.sha256(content.read(0, content.size)).hexdigest()
    guest.sh(f"exec 3<{opened}; rm {opened}")
    guest.model.remove(*guest.parent(opened))
    # What is written now must not take the blocks of the open file.
    content_read = guest.node(read).data
    guest.sh(f"cp {read} /new1; cp {read} /new2; sync")
    for name in ("/new1", "/new2"):
        node = guest.add(name, Node(REGULAR))
        node.data.write(0, content_read.read(0, content_read.size))
    seen = guest.sh("sha256sum <&3").split()[0]
    if seen != wanted:
        guest.fail(f"{opened} was unlinked while open; read afterwards: {seen}, expected {wanted}")
    guest.sh("exec 3<&-")
    guest.sh(f"{{ rm {read}; cat > /copy; }} < {read}")
    node = guest.model.remove(*guest.parent(read))
    guest.add("/copy", Node(REGULAR, data=node.data))
    guest.sh(f"mv {moved} {target}")
    node = guest.model.remove(*guest.parent(moved))
    guest.model.remove(*guest.parent(target))
    guest.add(target, node)
    guest.sh(f"ln {target} /second; rm {target}; ln -s {dropped} /symbolic; rm {dropped}")
    node = guest.model.remove(*guest.parent(target))
    guest.add("/second", node)
    guest.model.remove(*guest.parent(dropped))
    guest.add("/symbolic", Node(SYMLINK, target=dropped.encode()))
    guest.sh("mkdir -p /tree/a/b /tree/c; cp /copy /tree/a/b/x; rmdir /tree/c; rm -r /tree")
    directories = [p for p, n in guest.model.directories() if p not in ("/", "/bin")]
    victim = rng.choice([p for p in directories if p != "/lost+found"])
    guest.sh(f"rm -r {victim}")
    remove_tree(guest, victim)
    guest.finish()


def remove_tree(guest: Guest, path: str) -> None:
    node = guest.node(path)
    for name in list(node.names):
        if node.names[name].type == DIRECTORY:
            remove_tree(guest, f"{path}/{name.decode()}")
        else:
            guest.model.remove(node, name)
    guest.model.remove(*guest.parent(path))
