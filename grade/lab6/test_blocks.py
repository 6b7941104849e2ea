"""Exercise 6.7: blocks taken from the bitmaps, and the counters that go with them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from grade.lab6.ext2 import Volume
from grade.lab6.host import Core, Reply, Script
from grade.lab6.images import Geometry, Staging, make_image, roughen

EIO, ENOSPC = -5, -28
CACHE = 64
SMALL = (
    Geometry(1024, 128, 1700, 512, inodes=96, reserved_percent=3),
    Geometry(4096, 256, 3900, 256),
)


def used_image(folder: Path, rng: random.Random, geometry: Geometry) -> Path:
    """An image with files, and with holes where others were."""
    staging = Staging(folder / "tree", rng, geometry.block_size)
    staging.populate(14, many=10)
    image = make_image(folder / "used.img", geometry, staging.folder)
    volume = Volume(image)
    files = [p for p, n in volume.tree().items() if volume.inode(n).size > geometry.block_size]
    roughen(image, rng.sample(sorted(files), len(files) // 2))
    return image


def check_counters(core: Core, used: set[int], what: str) -> None:
    """The image against the blocks that must be in use: bitmaps, groups, superblock."""
    volume = Volume(core.image)
    if volume.used_blocks != used:
        surplus, missing = sorted(volume.used_blocks - used), sorted(used - volume.used_blocks)
        core.fail(
            f"{what}: the bitmaps have bits set for blocks {surplus[:6] or 'none'} that nobody "
            f"got, and lack those of {missing[:6] or 'none'} that somebody got"
        )
    for index, group in enumerate(volume.groups):
        free = sum(block not in used for block in volume.group_range(index))
        if group.free_blocks != free:
            core.fail(
                f"{what}: group {index} counts {group.free_blocks} free blocks, its bitmap {free}"
            )
    free = volume.blocks - volume.first_block - len(used)
    if volume.free_blocks != free:
        core.fail(f"{what}: the superblock counts {volume.free_blocks} free blocks, not {free}")


class Blocks:
    """Random allocations, and which blocks are in use by them."""

    def __init__(self, core: Core, volume: Volume) -> None:
        self.core = core
        self.volume = volume
        self.used = set(volume.used_blocks)

    def group_of(self, block: int) -> int:
        """The block's group; what lies before the first block counts as that."""
        return max(block - self.volume.first_block, 0) // self.volume.blocks_per_group

    def check_alloc(self, goal: int, reply: Reply) -> None:
        block = reply.result
        if not self.volume.first_block <= block < self.volume.blocks:
            self.core.fail(f"{reply}: {block}, expected the number of a block")
        if block in self.used:
            self.core.fail(f"{reply}: block {block}, which was in use already")
        home = self.group_of(goal)
        free = [b for b in self.volume.group_range(home) if b not in self.used]
        if free and self.group_of(block) != home:
            self.core.fail(
                f"{reply}: block {block} of group {self.group_of(block)}, but the goal's group "
                f"{home} has {len(free)} free blocks"
            )
        if goal in free and (goal - self.volume.first_block) % self.volume.blocks_per_group:
            if block != goal:
                self.core.fail(f"{reply}: block {block}, but the goal itself was free")
        self.used.add(block)


@pytest.mark.exercise("6.7")
def test_allocating_blocks(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Random goals in all groups, some blocks given back, until the disk is full."""
    for index, geometry in enumerate(SMALL):
        image = used_image(tmp_path / str(index), rng, geometry)
        volume = Volume(image)
        blocks = Blocks(core, volume)
        mine = sorted(set(range(volume.first_block, volume.blocks)) - blocks.used)
        available = len(mine) - volume.reserved
        goals = rng.choices(mine, k=30) + rng.choices(range(volume.blocks - 1), k=30)
        script = Script()
        script.add("mount", CACHE, 0)
        for goal in goals:
            script.add("alloc", goal)
        script.add("unmount")
        for goal, reply in zip(goals, core.run(image, script)[1:], strict=False):
            blocks.check_alloc(goal, reply)
        check_counters(core, blocks.used, f"after 60 allocations, {geometry}")
        full = Script()
        full.add("mount", CACHE, 0)
        for _ in range(available - 60):
            full.add("alloc", rng.randrange(volume.first_block, volume.blocks))
        full.add("alloc", 100)
        full.add("info")
        full.add("unmount")
        replies = core.run(core.image, full)
        got = [reply.result for reply in replies[1:-3]]
        for reply in replies[1:-3]:
            if reply.result <= 0 or reply.result in blocks.used:
                core.fail(f"{reply}: {reply.result}, but the disk is not full yet")
        if len(set(got)) != len(got):
            core.fail("a block was given twice before the disk was full")
        if replies[-3].result != ENOSPC or replies[-2].words[2]:
            core.fail(f"{replies[-3]}, on a full disk: {replies[-3].result}, not {ENOSPC}")
        check_counters(core, blocks.used | set(got), "with a full disk")


def set_bits(image: Path, volume: Volume, group: int, bits: range | list[int], on: bool) -> None:
    """Change a group's bitmap behind the counters' back."""
    with image.open("r+b") as file:
        for bit in bits:
            at = volume.groups[group].block_bitmap * volume.block_size + bit // 8
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte | 1 << bit % 8 if on else byte & ~(1 << bit % 8)]))


@pytest.mark.exercise("6.7")
def test_lying_bitmaps(core: Core, rng: random.Random, tmp_path: Path) -> None:
    """Bitmaps that offer the group's metadata, or blocks behind the end, or less than promised."""
    geometry = SMALL[0]
    image = used_image(tmp_path, rng, geometry)
    volume = Volume(image)
    last = len(volume.groups) - 1
    for what in ("block_bitmap", "inode_bitmap", "inode_table", "inode_table_end"):
        group = rng.randrange(1, last)
        block = getattr(volume.groups[group], what.removesuffix("_end"))
        block += volume.table_blocks - 1 if what.endswith("_end") else 0
        damaged = tmp_path / f"{what}.img"
        damaged.write_bytes(image.read_bytes())
        first = volume.group_range(group)[0]
        set_bits(damaged, volume, group, range(len(volume.group_range(group))), True)
        set_bits(damaged, volume, group, [block - first], False)
        used = Volume(damaged).used_blocks
        script = Script()
        script.add("mount", CACHE, 0)
        script.add("alloc", block)
        script.add("unmount")
        reply = core.run(damaged, script)[1]
        if reply.result != EIO:
            core.fail(
                f"{reply}: the bitmap of group {group} says that only its {what} is free: "
                f"{reply.result}, not {EIO} (EIO)"
            )
        if Volume(core.image).used_blocks != used:
            core.fail(f"{reply} failed, as it must, but has changed a bitmap")

    # The bitmap is full, though the counter says otherwise: the next group has some.
    group = rng.randrange(1, last)
    size = len(volume.group_range(group))
    damaged = tmp_path / "full.img"
    damaged.write_bytes(image.read_bytes())
    set_bits(damaged, volume, group, range(size), True)
    script = Script()
    script.add("mount", CACHE, 0)
    script.add("alloc", volume.group_range(group)[50])
    script.add("info")
    reply, info = core.run(damaged, script)[1:]
    if reply.result not in volume.group_range(group + 1) or info.words[2]:
        core.fail(
            f"{reply}, whose group's bitmap is full: {reply.result}, not a block of the next group"
        )

    # Behind the end of the last group there is nothing, whatever the bitmap says.
    padding = range(len(volume.group_range(last)), volume.blocks_per_group)
    damaged = tmp_path / "padding.img"
    damaged.write_bytes(image.read_bytes())
    set_bits(damaged, volume, last, padding, False)
    free = [b for b in volume.group_range(last) if b not in volume.used_blocks]
    script = Script()
    script.add("mount", CACHE, 0)
    for _ in free:
        script.add("alloc", volume.group_range(last)[-1])
    for reply in core.run(damaged, script)[1:]:
        if reply.result not in free:
            core.fail(f"{reply}, in the last group: {reply.result}, not one of its free blocks")
