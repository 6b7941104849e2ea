"""What the model of grade/lab3/model.py is about: messages, channels, handles, threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EACCES, EBADF, EFAULT
from typing import Union

EPEER = 133
SEND, RECV, PULSE, DUP, TRANSFER, MINT = 1, 2, 4, 64, 128, 512
DATA_MAX, HANDLES_MAX, WINDOWS_MAX, REGISTER_BYTES = 256, 4, 2, 32
WINDOW_READ, WINDOW_WRITE = 1, 2
USER_BASE, USER_TOP = 0x1000, 0x3FFFFFF000
MEMORY_START, MEMORY_SIZE, PAGE = 0x100000, 0x4000, 4096
COPY_MAX = 65536
HANDLE_FIRST_FREE = 5
OBJECTS_MAX = 60  # of each kind; the guest's tables
MESSAGE_PULSE, MESSAGE_CLOSED, RESENT = 0xFFFF0001, 0xFFFF0002, 1
NO_RESEND = 1

FREE, CALLING, SERVED, RECEIVING, ENDED = "free", "calling", "served", "receiving", "ended"


@dataclass(frozen=True)
class Tag:
    """The word that describes a message (kernel/abi/message.h)."""

    word: int

    @classmethod
    def of(cls, kind: int, length: int, handles: int = 0, windows: int = 0, flags: int = 0) -> Tag:
        return cls(kind | length << 32 | handles << 48 | windows << 52 | flags << 56)

    @property
    def length(self) -> int:
        return self.word >> 32 & 0xFFFF

    @property
    def handles(self) -> int:
        return self.word >> 48 & 0xF

    @property
    def windows(self) -> int:
        return self.word >> 52 & 0xF

    @property
    def flags(self) -> int:
        return self.word >> 56

    @property
    def short(self) -> bool:
        return self.word >> 32 <= REGISTER_BYTES


@dataclass(eq=False)
class Channel:
    index: int
    payer: Process
    flags: int = 0
    receive_handles: int = 0
    callers: list[Thread] = field(default_factory=list)
    receivers: list[Thread] = field(default_factory=list)
    closed: list[Session] = field(default_factory=list)
    pulses: int = 0
    server: Thread | None = None
    shared: bool = False

    @property
    def channel(self) -> Channel:
        return self

    def __str__(self) -> str:
        return f"c{self.index:x}"


@dataclass(eq=False)
class Session:
    """What a handle with a badge refers to."""

    index: int
    channel: Channel
    badge: int
    payer: Process
    handles: int = 0

    def __str__(self) -> str:
        return f"s{self.index:x}"


Target = Union[Channel, Session]


@dataclass(frozen=True)
class Handle:
    """A handle value: a place of the table, and how often the place was used before."""

    place: int
    generation: int


@dataclass(eq=False)
class Process:
    index: int
    limit: int
    table: dict[int, tuple[Target, int]] = field(default_factory=dict)
    generations: dict[int, int] = field(default_factory=dict)
    hint: int = HANDLE_FIRST_FREE
    threads: list[Thread] = field(default_factory=list)
    serving: list[Thread] = field(default_factory=list)
    memory: bytearray = field(default_factory=bytearray)
    alive: bool = True

    def find(self, handle: Handle | None, rights: int) -> tuple[Target, int] | int:
        """The entry behind a handle with these rights, or an error."""
        if handle is None or handle.place not in self.table:
            return EBADF
        if self.generations.get(handle.place, 0) != handle.generation:
            return EBADF
        entry = self.table[handle.place]
        return entry if entry[1] & rights == rights else EACCES

    def room(self, count: int) -> bool:
        return len(self.table) + count <= self.limit

    def insert(self, target: Target, rights: int) -> Handle:
        place = self.hint
        while place in self.table:
            place += 1
        self.hint = place + 1
        self.table[place] = (target, rights)
        if isinstance(target, Session):
            target.handles += 1
        elif rights & RECV:
            target.receive_handles += 1
        return Handle(place, self.generations.get(place, 0))


@dataclass(eq=False)
class Thread:
    index: int
    process: Process
    priority: int
    base: int
    state: str = FREE
    result: int = 0  # a0: an error (negative) or 0
    token_of: Thread | None = None  # a0: the token of this caller
    tag: Tag = Tag(0)
    words: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    request_id: int = 0
    sender: Process | None = None
    badge_seen: int = 0
    tail: bytearray = field(default_factory=lambda: bytearray(DATA_MAX))
    handles: list[Handle | None] = field(default_factory=lambda: [None] * HANDLES_MAX)
    windows: list[tuple[int, int, int]] = field(default_factory=lambda: [(0, 0, 0)] * WINDOWS_MAX)
    kept: list[tuple[int, int, int]] = field(default_factory=list)  # checked; not the page's
    # The current call:
    generation: int = 0
    channel: Channel | None = None
    badge: int = 0
    deadline: int = 0
    resent: bool = False
    lent: int = 0
    server: Thread | None = None
    server_process: Process | None = None
    bound: list[Channel] = field(default_factory=list)
    token: tuple[Thread, int] | None = None  # that it received last
    told: Session | None = None  # whose end it received last; until the next receive


def user_range(address: int, size: int) -> bool:
    return USER_BASE <= address <= USER_TOP and size <= USER_TOP - address


def move(source: Process, here: int, target: Process, there: int, size: int) -> int:
    """Bytes from one process to another, page by page, as far as both sides are mapped."""
    done = 0
    while done < size:
        a, b = here + done, there + done
        n = min(size - done, PAGE - a % PAGE, PAGE - b % PAGE)
        if not all(MEMORY_START <= x < MEMORY_START + MEMORY_SIZE for x in (a, b)):
            return done if done else -EFAULT
        a, b = a - MEMORY_START, b - MEMORY_START
        target.memory[b : b + n] = source.memory[a : a + n]
        done += n
    return done
