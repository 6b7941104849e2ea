"""The piece of RAM on which an early test starts the frame allocator anew."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from grade.lab1.buddy import Buddy
from grade.lab1.sv39 import PAGE

LOWEST, HIGHEST = 0x81000000, 0x87000000  # behind the kernel, in front of what QEMU loads
RECORD_BYTES = 8  # struct frame
GARBAGE = 0xDEADBEEFCAFEF00D


@dataclass(frozen=True)
class Arena:
    start: int
    frames: int
    first_free: int
    reserved: tuple[tuple[int, int], ...] = ()
    pattern: int = GARBAGE  # in every word of it before

    @classmethod
    def of(cls, dice: Random, frames: int, reserved: int = 0) -> Arena:
        """Somewhere, with so many frames and reserved ranges."""
        start = dice.randrange(LOWEST, HIGHEST - frames * PAGE, PAGE)
        first_free = start + dice.randrange(min(20, frames // 4 + 1)) * PAGE
        ranges = []
        for _ in range(reserved):
            at = dice.randrange(start, start + frames * PAGE, 16)
            ranges.append((at, at + dice.randrange(1, frames * PAGE // 20)))
        return cls(start, frames, first_free, tuple(ranges))

    @property
    def end(self) -> int:
        return self.start + self.frames * PAGE

    def words(self) -> list[int]:
        words = [self.pattern, self.start, self.end, self.first_free, len(self.reserved)]
        return words + [word for pair in self.reserved for word in pair]

    def buddy(self) -> Buddy:
        """The allocator as frame_init leaves it."""
        buddy = Buddy(self.start, self.frames)
        records = -(-self.frames * RECORD_BYTES // PAGE)
        first = (self.first_free - self.start) // PAGE + records
        taken = [
            ((start - self.start) // PAGE, -(-(end - self.start) // PAGE))
            for start, end in self.reserved
        ]
        for index in range(first, self.frames):
            if not any(start <= index < end for start, end in taken):
                buddy.release(index, 0)
        return buddy
