"""A file system as Python sees it: what a random workload must leave on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from grade.lab6.ext2 import DIRECTORY, REGULAR, ROOT, SYMLINK, Inode, Volume

CHUNK = 1024  # divides every block size


@dataclass
class Sparse:
    """The bytes of a file; chunks that nobody wrote are zeros."""

    size: int = 0
    chunks: dict[int, bytearray] = field(default_factory=dict)

    def write(self, offset: int, data: bytes) -> None:
        self.size = max(self.size, offset + len(data))
        done = 0
        while done < len(data):
            index, start = divmod(offset + done, CHUNK)
            part = data[done : done + CHUNK - start]
            chunk = self.chunks.setdefault(index, bytearray(CHUNK))
            chunk[start : start + len(part)] = part
            done += len(part)

    def truncate(self, size: int) -> None:
        for index in [i for i in self.chunks if (i + 1) * CHUNK > size]:
            if index * CHUNK >= size:
                del self.chunks[index]
            else:
                start = size - index * CHUNK
                self.chunks[index][start:] = bytes(CHUNK - start)
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        first, last = offset // CHUNK, (offset + length) // CHUNK
        zeros = bytes(CHUNK)
        data = b"".join(self.chunks.get(index, zeros) for index in range(first, last + 1))
        start = offset - first * CHUNK
        return data[start : start + length]


@dataclass(eq=False)
class Node:
    """A file, a directory or a symbolic link."""

    type: int
    data: Sparse = field(default_factory=Sparse)
    target: bytes = b""
    names: dict[bytes, Node] = field(default_factory=dict)
    links: int = 0  # names that it has


class Model:
    """A tree of nodes."""

    def __init__(self) -> None:
        self.root = Node(DIRECTORY, links=1)

    @classmethod
    def of(cls, volume: Volume) -> Model:
        """What is on an image now."""
        model = cls()
        seen: dict[int, Node] = {ROOT: model.root}

        def read(node: Node, number: int) -> None:
            for name, below in volume.names(number).items():
                known = below in seen
                child = seen.setdefault(below, Node(volume.inode(below).type))
                node.names[name] = child
                child.links += 1
                if child.type == DIRECTORY:
                    read(child, below)
                elif not known:
                    read_contents(volume, child, volume.inode(below))

        read(model.root, ROOT)
        return model

    def directories(self) -> Iterator[tuple[str, Node]]:
        """Each with its path, the root first (as "/")."""

        def walk(path: str, node: Node) -> Iterator[tuple[str, Node]]:
            yield path or "/", node
            for name, child in node.names.items():
                if child.type == DIRECTORY:
                    yield from walk(f"{path}/{name.decode()}", child)

        return walk("", self.root)

    def paths(self) -> dict[str, Node]:
        """Everything that has a name."""
        return {
            f"{path.rstrip('/')}/{name.decode()}": child
            for path, node in self.directories()
            for name, child in node.names.items()
        }

    def add(self, directory: Node, name: bytes, node: Node) -> Node:
        directory.names[name] = node
        node.links += 1
        return node

    def remove(self, directory: Node, name: bytes) -> Node:
        node = directory.names.pop(name)
        node.links -= 1
        return node


def read_contents(volume: Volume, node: Node, inode: Inode) -> None:
    if inode.type == SYMLINK:
        node.target = volume.link_target(inode)
    elif inode.type == REGULAR:
        for index, block in sorted(volume.block_map(inode)[0].items()):
            node.data.write(index * volume.block_size, volume.block(block))
        node.data.truncate(inode.size)


# ---- Comparing -------------------------------------------------------------------------------


def file_difference(volume: Volume, inode: Inode, data: Sparse) -> str:
    """How a file on the image differs from what it should be; nothing if it does not."""
    if inode.size != data.size:
        return f"size {inode.size}, expected {data.size}"
    found, tables = volume.block_map(inode)
    each = volume.block_size // CHUNK
    for index in sorted({chunk // each for chunk in data.chunks} | set(found)):
        offset = index * volume.block_size
        wanted = data.read(offset, volume.block_size)
        seen = volume.block(found[index]) if index in found else bytes(volume.block_size)
        seen = seen[: len(wanted)]
        if seen != wanted:
            at = next(i for i, (a, b) in enumerate(zip(seen, wanted, strict=True)) if a != b)
            hole = "" if index in found else " (a hole)"
            return (
                f"block {index} of the file{hole}: at byte {offset + at} "
                f"{seen[at : at + 12].hex(' ')}, expected {wanted[at : at + 12].hex(' ')}"
            )
    sectors = (len(found) + len(tables)) * volume.block_size // 512
    if inode.sectors != sectors:
        return f"i_blocks is {inode.sectors}; its {len(found)} blocks and {len(tables)} tables " \
            f"make {sectors}"
    return ""


def node_difference(volume: Volume, node: Node, inode: Inode) -> str:
    if inode.type != node.type:
        return f"type {inode.type:o}, expected {node.type:o}"
    below = sum(child.type == DIRECTORY for child in node.names.values())
    links = 2 + below if node.type == DIRECTORY else node.links
    if inode.links != links:
        return f"{inode.links} links, expected {links}"
    if node.type == SYMLINK and volume.link_target(inode) != node.target:
        return f"leads to {volume.link_target(inode)!r}, expected {node.target!r}"
    return file_difference(volume, inode, node.data) if node.type == REGULAR else ""


def difference(model: Model, volume: Volume) -> str:
    """The first way in which the image is not what the model says; nothing if there is none."""
    numbers: dict[Node, int] = {}
    todo = [("", model.root, ROOT)]
    while todo:
        path, node, number = todo.pop()
        if numbers.setdefault(node, number) != number:
            return f"{path or '/'}: two names of one file are two inodes"
        if len(set(numbers.values())) != len(numbers):
            return f"{path or '/'}: inode {number} belongs to another file, too"
        wrong = node_difference(volume, node, volume.inode(number))
        if wrong:
            return f"{path or '/'} (inode {number}): {wrong}"
        if node.type != DIRECTORY:
            continue
        names = volume.names(number)
        missing = sorted(set(node.names) - set(names))
        surplus = sorted(set(names) - set(node.names))
        if missing or surplus:
            return (
                f"in {path or '/'} (inode {number}): missing {missing[:5] or 'nothing'}, "
                f"too much {surplus[:5] or 'nothing'}"
            )
        for name, child in node.names.items():
            todo.append((f"{path}/{name.decode()}", child, names[name]))
    return ""
