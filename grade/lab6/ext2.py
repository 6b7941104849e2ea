"""Reads an ext2 image by the specification, with nothing of the system's own code: what the tests
compare a student's work with. It trusts the image (e2fsck has looked at it, or mke2fs made it)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SUPER_OFFSET = 1024
ROOT = 2
DIRECT, SLOTS = 12, 15
TYPE, DIRECTORY, REGULAR, SYMLINK = 0o170000, 0o040000, 0o100000, 0o120000
FAST_SYMLINK_MAX = 59
FILE_TYPES = 0x2


def dirent_size(name: bytes) -> int:
    """The room that a name needs in a directory."""
    return (8 + len(name) + 3) & ~3


@dataclass(frozen=True)
class Group:
    """One group descriptor."""

    block_bitmap: int
    inode_bitmap: int
    inode_table: int
    free_blocks: int
    free_inodes: int
    directories: int


@dataclass(frozen=True)
class Inode:
    """One inode; its map is read on demand."""

    number: int
    mode: int
    uid: int
    gid: int
    links: int
    size: int
    sectors: int
    mtime: int
    dtime: int
    generation: int
    slots: tuple[int, ...]
    raw: bytes

    @property
    def type(self) -> int:
        return self.mode & TYPE


@dataclass(frozen=True)
class Record:
    """One directory record, and where it lies."""

    block: int
    offset: int
    length: int
    inode: int
    type: int
    name: bytes

    @property
    def room(self) -> int:
        return self.length - (dirent_size(self.name) if self.inode else 0)


class Volume:
    """An image, as it was when it was read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path.read_bytes()
        words = struct.unpack_from("<13I", self.data, SUPER_OFFSET)
        self.inodes, self.blocks, self.reserved, self.free_blocks, self.free_inodes = words[:5]
        self.first_block = words[5]
        self.block_size = 1024 << words[6]
        self.blocks_per_group, self.inodes_per_group = words[8], words[10]
        self.first_inode, self.inode_size = struct.unpack_from("<IH", self.data, SUPER_OFFSET + 84)
        self.incompatible = struct.unpack_from("<I", self.data, SUPER_OFFSET + 96)[0]
        self.orphan = struct.unpack_from("<I", self.data, SUPER_OFFSET + 232)[0]
        count = -(-(self.blocks - self.first_block) // self.blocks_per_group)
        start = (self.first_block + 1) * self.block_size
        self.groups = [
            Group(*struct.unpack_from("<3I3H", self.data, start + 32 * index))
            for index in range(count)
        ]
        self.descriptor_blocks = -(-count * 32 // self.block_size)
        self.table_blocks = -(-self.inodes_per_group * self.inode_size // self.block_size)

    def block(self, number: int) -> bytes:
        return self.data[number * self.block_size : (number + 1) * self.block_size]

    # ---- Bitmaps ----------------------------------------------------------------------------

    def group_range(self, index: int) -> range:
        """The blocks of a group."""
        first = self.first_block + index * self.blocks_per_group
        return range(first, min(first + self.blocks_per_group, self.blocks))

    @cached_property
    def used_blocks(self) -> set[int]:
        """What the bitmaps say."""
        used = set()
        for index, group in enumerate(self.groups):
            bitmap = self.block(group.block_bitmap)
            blocks = self.group_range(index)
            used |= {b for i, b in enumerate(blocks) if bitmap[i // 8] >> i % 8 & 1}
        return used

    @property
    def used_inodes(self) -> list[int]:
        return [
            index * self.inodes_per_group + bit + 1
            for index, group in enumerate(self.groups)
            for bit in range(self.inodes_per_group)
            if self.data[group.inode_bitmap * self.block_size + bit // 8] >> bit % 8 & 1
        ]

    # ---- Inodes -----------------------------------------------------------------------------

    def inode_place(self, number: int) -> int:
        """The byte of the image at which an inode begins."""
        group, index = divmod(number - 1, self.inodes_per_group)
        return self.groups[group].inode_table * self.block_size + index * self.inode_size

    def inode(self, number: int) -> Inode:
        at = self.inode_place(number)
        mode, uid, size = struct.unpack_from("<HHI", self.data, at)
        mtime, dtime, gid, links, sectors = struct.unpack_from("<IIHHI", self.data, at + 16)
        generation, _, high = struct.unpack_from("<3I", self.data, at + 100)
        uid_high, gid_high = struct.unpack_from("<2H", self.data, at + 120)
        if mode & TYPE == REGULAR:
            size |= high << 32
        slots = struct.unpack_from("<15I", self.data, at + 40)
        uid, gid = uid | uid_high << 16, gid | gid_high << 16
        raw = self.data[at : at + self.inode_size]
        return Inode(
            number, mode, uid, gid, links, size, sectors, mtime, dtime, generation, slots, raw
        )

    def block_map(self, inode: Inode) -> tuple[dict[int, int], list[int]]:
        """Which disk block holds which block of the file, and the tables' own blocks."""
        pointers = self.block_size // 4
        found: dict[int, int] = {}
        tables: list[int] = []

        def walk(block: int, height: int, first: int) -> None:
            if not block:
                return
            if height == 0:
                found[first] = block
                return
            tables.append(block)
            each = pointers ** (height - 1)
            for index, below in enumerate(struct.unpack(f"<{pointers}I", self.block(block))):
                if below:
                    walk(below, height - 1, first + index * each)

        for index in range(DIRECT):
            walk(inode.slots[index], 0, index)
        first = DIRECT
        for height in (1, 2, 3):
            walk(inode.slots[DIRECT + height - 1], height, first)
            first += pointers**height
        return found, tables

    def has_blocks(self, inode: Inode) -> bool:
        if inode.type == SYMLINK:
            return inode.size > FAST_SYMLINK_MAX
        return inode.type in (REGULAR, DIRECTORY)

    def read(self, inode: Inode, offset: int, length: int) -> bytes:
        """Bytes of a file; holes are zeros."""
        length = max(0, min(length, inode.size - offset))
        found, _ = self.block_map(inode)
        first, last = offset // self.block_size, (offset + length) // self.block_size
        zeros = bytes(self.block_size)
        parts = [
            self.block(found[index]) if index in found else zeros
            for index in range(first, last + 1)
        ]
        start = offset - first * self.block_size
        return b"".join(parts)[start : start + length]

    def link_target(self, inode: Inode) -> bytes:
        if self.has_blocks(inode):
            return self.block(inode.slots[0])[: inode.size]
        return inode.raw[40 : 40 + inode.size]

    # ---- Directories ------------------------------------------------------------------------

    def records_of(self, block: int) -> Iterator[Record]:
        """Every record of one directory block, the unused ones too."""
        offset, data = 0, self.block(block)
        while offset < self.block_size:
            inode, length, name_len, kind = struct.unpack_from("<IHBB", data, offset)
            name = data[offset + 8 : offset + 8 + name_len]
            assert length >= 8, f"directory block {block}: a record of {length} bytes at {offset}"
            yield Record(block, offset, length, inode, kind, name)
            offset += length

    def records(self, number: int) -> list[Record]:
        found, _ = self.block_map(self.inode(number))
        return [record for _, block in sorted(found.items()) for record in self.records_of(block)]

    def names(self, number: int) -> dict[bytes, int]:
        """The names in a directory, without the dots."""
        return {
            record.name: record.inode
            for record in self.records(number)
            if record.inode and record.name not in (b".", b"..")
        }

    def tree(self, top: int = ROOT, prefix: str = "") -> dict[str, int]:
        """Every path, and the inode that it names."""
        paths: dict[str, int] = {}
        for name, number in self.names(top).items():
            path = f"{prefix}/{name.decode(errors='surrogateescape')}"
            paths[path] = number
            if self.inode(number).type == DIRECTORY:
                paths |= self.tree(number, path)
        return paths
