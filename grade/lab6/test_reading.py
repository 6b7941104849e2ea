"""Exercises 6.1 to 6.4: what is on an image that mke2fs made."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from grade.lab6.ext2 import DIRECTORY, REGULAR, Inode, Volume
from grade.lab6.host import Core, Script
from grade.lab6.images import GEOMETRIES, Geometry, Staging, make_image, random_name

ENOENT, EIO, EEXIST, EINVAL, EFBIG = -2, -5, -17, -22, -27
CACHE = 256
FILE_BYTES = 1 << 30  # how far a sparse file may go: graders bound the size of files


def random_image(
    folder: Path, rng: random.Random, geometry: Geometry, files: int = 16
) -> tuple[Path, Volume]:
    """An image with a random tree."""
    staging = Staging(folder / "tree", rng, geometry.block_size)
    staging.populate(files)
    image = make_image(folder / "random.img", geometry, staging.folder)
    return image, Volume(image)


# ---- 6.1 -------------------------------------------------------------------------------------


def expected_stat(inode: Inode) -> str:
    values = (
        inode.mode, inode.links, inode.size, inode.sectors, inode.uid, inode.gid, inode.mtime,
        inode.generation,
    )  # fmt: skip
    return " ".join(map(str, values))


@pytest.mark.exercise("6.1")
def test_inodes(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Every inode of images of all shapes, and numbers that there are not."""
    for index, geometry in enumerate(GEOMETRIES):
        image, volume = random_image(tmp_path / str(index), rng, geometry)
        live = [number for number in volume.used_inodes if volume.inode(number).links]
        unused = sorted(set(range(volume.first_inode, volume.inodes + 1)) - set(live))
        script = Script()
        script.add("mount", CACHE, 1)
        expected: list[int | str] = [0]
        for number in live:
            script.add("stat", number)
            expected.append(expected_stat(volume.inode(number)))
        for number in [*rng.sample(unused, 8), volume.inodes]:
            script.add("stat", number)
            expected.append(ENOENT if number in unused else expected_stat(volume.inode(number)))
        for number in (0, volume.inodes + 1, volume.inodes + 2, 2**31, 2**32 - 1):
            script.add("stat", number)
            expected.append(EINVAL)
        for reply, wanted in zip(core.run(image, script), expected, strict=True):
            seen = reply.text if isinstance(wanted, str) and reply.result == 0 else reply.result
            if seen != wanted:
                core.fail(
                    f"{reply}, on {geometry}:\nexpected {wanted}\nseen     {seen}\n"
                    "(mode, links, size, sectors, uid, gid, mtime, generation, or an error)"
                )


@pytest.mark.exercise("6.1")
def test_inode_states(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """What is kept beside an inode is the same for all who have it, and counts them."""
    image, volume = random_image(tmp_path, rng, GEOMETRIES[0])
    live = [number for number in volume.used_inodes if volume.inode(number).links]
    script = Script()
    script.add("mount", CACHE, 1)
    chosen = rng.sample(live, 8)
    for number in chosen:
        script.add("state", number)
    for number, reply in zip(chosen, core.run(image, script)[1:], strict=True):
        wanted = f"1 2 {number} {number} 2"
        if reply.result or reply.text != wanted:
            core.fail(
                f"inode {number} got twice, put, held twice, got again: result {reply.result}, "
                f"`{reply.text}`\nexpected `{wanted}`: the same state and record, 2 pins, the "
                "state's number before and after the hold, 2 holds"
            )


@pytest.mark.exercise("6.1")
def test_inode_errors(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """A disk that cannot be read, and more inodes at once than there are states for."""
    image, _ = random_image(tmp_path, rng, GEOMETRIES[0])
    failing, crowded = Script(), Script()
    failing.add("mount", CACHE, 1)
    failing.add("fail", 1)
    failing.add("stat", 2)
    failing.add("stat", 2)
    reply = core.run(image, failing)[2]
    if reply.result != EIO:
        core.fail(f"{reply}, whose block cannot be read: {reply.result}, expected {EIO} (EIO)")
    crowded.add("mount", CACHE, 1)
    crowded.add("many", 20, 17)
    reply = core.run(image, crowded)[1]
    if reply.result != EIO:
        core.fail(
            f"17 inodes were got at once, one more than there are scratch states: the last gave "
            f"{reply.result}, expected {EIO} (EIO)"
        )


# ---- 6.2 -------------------------------------------------------------------------------------


def expected_branch(logical: int, bits: int) -> list[int] | None:
    """The indexes that lead to a file block; None: no map is that large."""
    if logical < 12:
        return [logical]
    logical -= 12
    for height in (1, 2, 3):
        size = 1 << bits * height
        if logical < size:
            below = [logical >> bits * level & (1 << bits) - 1 for level in range(height)]
            return [11 + height, *reversed(below)]
        logical -= size
    return None


@pytest.mark.exercise("6.2")
def test_branches(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """The way to blocks at every border, and to random ones, for all block sizes."""
    script = Script()
    cases: list[tuple[int, int]] = []
    for bits in (8, 9, 10):
        borders = [0, 12]
        for height in (1, 2, 3):
            borders.append(borders[-1] + (1 << bits * height))
        near = {border + delta for border in borders for delta in (-2, -1, 0, 1, 255, 256, 257)}
        far = {rng.randrange(1 << rng.randint(1, 34)) for _ in range(300)}
        huge = {1 << 32, (1 << 32) + 5, 1 << 48, (1 << 63) + 12, (1 << 64) - 1}
        cases += [(n, bits) for n in sorted(near | far | huge) if n >= 0]
    for logical, bits in cases:
        script.add("branch", logical, bits)
    empty = tmp_path / "empty.img"
    empty.touch()
    for (logical, bits), reply in zip(cases, core.run(empty, script), strict=True):
        wanted = expected_branch(logical, bits)
        right = reply.result == (len(wanted) if wanted else EFBIG)
        if not right or (wanted and reply.words != wanted):
            seen = f"depth {reply.result}, indexes {reply.text}" if reply.result >= 0 else ""
            core.fail(
                f"the way to block {logical} of a file, with tables of {1 << bits} entries:\n"
                f"expected {f'depth {len(wanted)}, indexes {wanted}' if wanted else EFBIG}\n"
                f"seen     {seen or reply.result}"
            )


# ---- 6.3 -------------------------------------------------------------------------------------


def windows(rng: random.Random, size: int, block: int, known: list[int]) -> list[tuple[int, int]]:
    """Places of a file to read: around blocks that exist, at the end, and anywhere."""
    places = [(max(0, n * block - rng.randint(0, 9)), rng.randint(1, 3 * block)) for n in known]
    places += [(max(0, size - 5), 4096), (size, 10)]
    return places + [(rng.randrange(size + 1), rng.randint(1, 4 * block)) for _ in range(4)]


@pytest.mark.exercise("6.3")
def test_reading_files(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """The bytes of all files, dense and sparse, through all levels of tables."""
    for index in (0, 2, 3):
        geometry = GEOMETRIES[index]
        pointers = geometry.block_size // 4
        staging = Staging(tmp_path / f"tree{index}", rng, geometry.block_size)
        staging.populate(14)
        double, triple = 12 + pointers, 12 + pointers + pointers**2
        staging.sparse([3, 12, 11 + pointers, double, double + pointers + rng.randint(0, 20)])
        deep = rng.randrange(min(pointers**2, FILE_BYTES // geometry.block_size))
        staging.sparse([0, double - 1, double + deep])
        if index == 0:
            staging.sparse([rng.randint(0, 99), triple - 1, triple, triple + rng.randint(256, 999)])
        image = make_image(tmp_path / f"{index}.img", geometry, staging.folder)
        volume = Volume(image)
        files = [i for i in map(volume.inode, volume.used_inodes) if i.type == REGULAR and i.links]
        script = Script()
        script.add("mount", 64, 1)
        expected: list[tuple[Inode, int, int]] = []
        for inode in files:
            blocks = sorted(volume.block_map(inode)[0])
            known = rng.sample(blocks, min(4, len(blocks)))
            for offset, length in windows(rng, inode.size, geometry.block_size, known):
                script.add("read", inode.number, offset, length)
                expected.append((inode, offset, length))
        for reply, (inode, offset, length) in zip(
            core.run(image, script)[1:], expected, strict=True
        ):
            wanted = volume.read(inode, offset, length)
            if reply.result != len(wanted) or reply.data != wanted:
                at = next(
                    (i for i, (a, b) in enumerate(zip(reply.data, wanted)) if a != b), 0
                )
                block = (offset + at) // geometry.block_size
                core.fail(
                    f"{reply}, of {inode.size} bytes, on {geometry}: result {reply.result}, "
                    f"expected {len(wanted)} and the file's bytes\nthe first wrong byte is in "
                    f"block {block} of the file: {reply.data[at : at + 16].hex(' ') or 'nothing'}"
                    f"\nexpected {wanted[at : at + 16].hex(' ')}"
                )


def patch(image: Path, at: int, value: int) -> None:
    with image.open("r+b") as file:
        file.seek(at)
        file.write(struct.pack("<I", value))


@pytest.mark.exercise("6.3")
def test_damaged_tables(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Numbers of tables that cannot be: on each level, too high, and in the superblock."""
    geometry = GEOMETRIES[0]
    pointers = geometry.block_size // 4
    staging = Staging(tmp_path / "tree", rng, geometry.block_size)
    block = 12 + pointers + pointers**2 + rng.randrange(pointers**2)
    staging.folder.mkdir()
    staging.sparse([12, 12 + pointers, block], "deep")
    image = make_image(tmp_path / "deep.img", geometry, staging.folder)
    volume = Volume(image)
    number = volume.tree()["/deep"]
    inode = volume.inode(number)
    indexes = expected_branch(block, 8)
    assert indexes is not None
    slots = [volume.inode_place(number) + 40 + 4 * indexes[0]]
    for level in (1, 2):  # where the number of the next table stands
        table = struct.unpack_from("<I", volume.data, slots[-1])[0]
        slots.append(table * geometry.block_size + 4 * indexes[level])
    for level, slot in enumerate(slots):
        for bad in (1, 2, volume.blocks, volume.blocks + rng.randint(1, 999), 2**32 - 1):
            damaged = tmp_path / "damaged.img"
            damaged.write_bytes(volume.data)
            patch(damaged, slot, bad)
            script = Script()
            script.add("mount", 64, 0)
            for _ in range(3):
                script.add("read", number, block * geometry.block_size, 100)
            script.add("info")
            replies = core.run(damaged, script)
            if any(reply.result != EIO for reply in replies[1:4]) or replies[4].words[2] != 1:
                core.fail(
                    f"the table on level {level} of a file is said to be block {bad}, of "
                    f"{volume.blocks}: reading gives {replies[1].result}, error noted: "
                    f"{replies[4].words[2]}\nexpected {EIO} (EIO), and the error noted (fs_error)"
                )
    failing = Script()
    failing.add("mount", 64, 1)
    failing.add("stat", number)
    failing.add("fail", 2)
    failing.add("read", number, block * geometry.block_size, 100)
    reply = core.run(image, failing)[3]
    if reply.result != EIO:
        core.fail(f"{reply} of {inode.size}, a table cannot be read: {reply.result}, not {EIO}")


# ---- 6.4 -------------------------------------------------------------------------------------


def other_names(rng: random.Random, names: list[bytes]) -> list[bytes]:
    """Names that look like those that are there, and are not."""
    made = {name[:-1] for name in names} | {name + b"x" for name in names}
    made |= {name.swapcase() for name in names} | {name + name for name in names}
    made |= {random_name(rng).encode() for _ in range(9)}
    return sorted(name for name in made - set(names) if name and name not in (b".", b".."))


def hide(image: Path, volume: Volume, rng: random.Random) -> list[tuple[int, bytes]]:
    """Makes some records unused without touching the names in them."""
    hidden = []
    for directory in [i for i in volume.used_inodes if volume.inode(i).type == DIRECTORY]:
        for record in volume.records(directory):
            if record.inode and record.name[0] != ord(".") and rng.random() < 0.2:
                patch(image, record.block * volume.block_size + record.offset, 0)
                hidden.append((directory, record.name))
    return hidden


@pytest.mark.exercise("6.4")
def test_searching_names(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Names that are there, names that nearly are, names that were."""
    for index, geometry in enumerate(GEOMETRIES[:3]):
        image, volume = random_image(tmp_path / str(index), rng, geometry)
        hidden = hide(image, volume, rng)
        volume = Volume(image)
        script = Script()
        script.add("mount", CACHE, 1)
        expected: list[int] = [0]
        for directory in [i for i in volume.used_inodes if volume.inode(i).type == DIRECTORY]:
            names = {r.name: r.inode for r in volume.records(directory) if r.inode}
            for name, number in names.items():
                script.add("lookup", directory, name)
                expected.append(number)
            removed = [name for at, name in hidden if at == directory and name not in names]
            others = other_names(rng, list(names))
            for name in removed + rng.sample(others, min(20, len(others))):
                script.add("lookup", directory, name)
                expected.append(ENOENT)
        for reply, wanted in zip(core.run(image, script), expected, strict=True):
            if reply.result != wanted:
                what = "no such name (ENOENT)" if wanted == ENOENT else f"inode {wanted}"
                core.fail(f"{reply}, on {geometry}: {reply.result}, expected {wanted}: {what}")


@pytest.mark.exercise("6.4")
def test_room_for_names(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Where a new name could go: in an unused record, or behind a used one."""
    geometry = GEOMETRIES[0]
    image, volume = random_image(tmp_path, rng, geometry)
    hide(image, volume, rng)
    volume = Volume(image)
    directories = [i for i in volume.used_inodes if volume.inode(i).type == DIRECTORY]
    script = Script()
    script.add("mount", CACHE, 1)
    asked: list[tuple[int, bytes]] = []
    for directory in directories:
        for length in (1, 4, 5, 12, 40, 100, 255):
            name = random_name(rng, length, length).encode()
            if name not in volume.names(directory):
                asked.append((directory, name))
        asked += [(directory, name) for name in list(volume.names(directory))[:3]]
    for directory, name in asked:
        script.add("space", directory, name)
    for (directory, name), reply in zip(asked, core.run(image, script)[1:], strict=True):
        records = volume.records(directory)
        if name in volume.names(directory):
            if reply.result != EEXIST:
                core.fail(f"{reply}: {reply.result}, expected {EEXIST}: the name is there")
            continue
        need = 8 + (len(name) + 3) // 4 * 4
        room = [(r.block, r.offset) for r in records if r.room >= need]
        given = tuple(reply.words)
        if reply.result or (given not in room if room else given):
            core.fail(
                f"{reply}: room for {need} bytes: result {reply.result}, block and offset "
                f"{given or 'none'}\nexpected one of {room[:8] or 'none'}"
            )


@pytest.mark.exercise("6.4")
def test_damaged_directories(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Records that lead nowhere, backwards, or out of the block."""
    geometry = GEOMETRIES[0]
    _, volume = random_image(tmp_path, rng, geometry)
    directories = [i for i in volume.used_inodes if volume.inode(i).type == DIRECTORY]
    for what in ("<H", 0), ("<H", 4), ("<H", 13), ("<H", geometry.block_size), ("<B", 255):
        directory = max(directories, key=lambda number: len(volume.records(number)))
        record = rng.choice(volume.records(directory)[2:20])
        damaged = tmp_path / "damaged.img"
        data = bytearray(volume.data)
        at = record.block * volume.block_size + record.offset + (4 if what[0] == "<H" else 6)
        struct.pack_into(what[0], data, at, what[1])
        damaged.write_bytes(data)
        script = Script()
        script.add("mount", CACHE, 0)
        for _ in range(2):
            script.add("lookup", directory, "~no~such~name~")
        for reply in core.run(damaged, script)[1:]:
            if reply.result != EIO:
                field = "record_len" if what[0] == "<H" else "name_len"
                core.fail(f"{reply}, a record's {field} is {what[1]}: {reply.result}, not {EIO}")
