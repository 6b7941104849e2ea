"""A model of the buddy allocator: which blocks are free, whatever order they are kept in."""

from __future__ import annotations

from dataclasses import dataclass, field

ORDERS = 13  # FRAME_ORDERS
PAGE = 4096


@dataclass
class Buddy:
    start: int
    frames: int
    free: list[set[int]] = field(default_factory=lambda: [set() for _ in range(ORDERS)])

    @property
    def count(self) -> int:
        return sum(len(blocks) << order for order, blocks in enumerate(self.free))

    @property
    def largest(self) -> int:
        return max((1 << order for order, blocks in enumerate(self.free) if blocks), default=0)

    def source(self, order: int) -> int | None:
        """The order of the blocks that such a request has to be cut from."""
        return next((have for have in range(order, ORDERS) if self.free[have]), None)

    def take(self, physical: int, order: int) -> str:
        """Replay an allocation that answered physical; what is wrong with the answer, or ""."""
        have = self.source(order)
        if physical == 0:
            return "" if have is None else f"a block: one of {1 << have} frames is free"
        if have is None:
            return "0: no free block is large enough"
        if physical % PAGE or not self.start <= physical < self.start + self.frames * PAGE:
            return f"the address of a frame between {self.start:#x} and its end"
        index = (physical - self.start) // PAGE
        if index % (1 << order):
            return f"a block that starts at a multiple of {1 << order} frames from the start of RAM"
        block = index & ~((1 << have) - 1)
        if block not in self.free[have]:
            return (
                f"a piece of a free block of {1 << have} frames, the smallest that will do "
                "(this one is in use, or part of a larger block)"
            )
        self.free[have].remove(block)
        while have > order:
            have -= 1
            half = 1 << have
            keep, cut = (block + half, block) if index < block + half else (block, block + half)
            self.free[have].add(keep)
            block = cut
        return ""

    def release(self, index: int, order: int) -> None:
        """Free a block, and merge it as far as possible."""
        while order + 1 < ORDERS and (index ^ 1 << order) in self.free[order]:
            self.free[order].remove(index ^ 1 << order)
            index &= ~(1 << order)
            order += 1
        self.free[order].add(index)
