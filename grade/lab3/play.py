"""Random scripts: what threads of several processes might do to each other, step by step."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from errno import EMFILE

from grade.lab3.model import Token
from grade.lab3.script import NO_HANDLE, Script
from grade.lab3.shapes import (
    CALLING,
    DUP,
    FREE,
    MEMORY_SIZE,
    MEMORY_START,
    NO_RESEND,
    OBJECTS_MAX,
    PULSE,
    RECEIVING,
    RECV,
    SEND,
    SERVED,
    TRANSFER,
    WINDOW_READ,
    WINDOW_WRITE,
    Channel,
    Process,
    Session,
    Tag,
    Thread,
)

CLIENT = SEND | DUP | TRANSFER
SERVER = SEND | RECV | PULSE | DUP | TRANSFER
FREE_MIN = 3  # threads


def any_of(channel: Channel) -> bool:
    return True


@dataclass
class Player:
    """Chooses one feasible operation after the other; weights say how often which."""

    chance: random.Random
    weights: dict[str, int]

    def __post_init__(self) -> None:
        self.script = Script()
        self.model = self.script.model
        self.owners: dict[Channel, Process] = {}
        self.named: list[int] = []  # handles of the last message that had any

    def setup(self, processes: int = 4, threads: int = 12, channels: int = 3) -> None:
        chance, script = self.chance, self.script
        for index in range(processes):
            script.process(chance.randrange(3, 6) if index == 0 else 4096)  # one is soon full
        for index in range(threads):
            script.thread(self.model.processes[index % processes], chance.randrange(1, 31))
        for index in range(channels):
            self.new_channel(self.model.processes[0] if index < 2 else None)
        owner, *others = self.model.processes[1:]
        dead, name = script.channel(owner, CLIENT)  # it never had a server
        self.owners[dead] = owner
        for process in others:
            script.grant(owner, name, process, SEND | DUP)

    def new_channel(self, owner: Process | None = None) -> None:
        """A channel that some serve and all can call."""
        chance, script = self.chance, self.script
        alive = [p for p in self.model.processes if p.alive and p.room(1)]
        if len(self.model.channels) >= OBJECTS_MAX or not alive:
            return
        owner = owner or chance.choice(alive)
        flags = NO_RESEND if len(self.model.channels) % 3 == 2 else 0
        channel, name = script.channel(owner, SERVER, flags)
        self.owners[channel] = owner
        # Where sessions are closed is an exercise of its own.
        sessions = "close" in self.weights or "reply" not in self.weights
        for process in self.model.processes:
            if not process.alive or process is owner or not process.room(1):
                continue
            if sessions and chance.random() < 0.3 and len(self.model.sessions) < OBJECTS_MAX:
                script.mint(process, channel, CLIENT, chance.getrandbits(64))
                continue
            rights = SERVER if chance.random() < 0.4 else CLIENT
            if chance.random() < 0.2:
                rights &= ~TRANSFER
            script.grant(owner, name, process, rights)

    # ---- Choosing -------------------------------------------------------------------------------

    def threads(self, *states: str) -> list[Thread]:
        return [t for t in self.model.threads if t.state in states and t.process.alive]

    def pick(self, *states: str) -> Thread | None:
        threads = self.threads(*states)
        return self.chance.choice(threads) if threads else None

    def name(
        self,
        process: Process,
        rights: int = 0,
        sessions: bool = True,
        liked: Callable[[Channel], bool] = any_of,
    ) -> int:
        """One of the process's handles, most often one with these rights, to a channel that is
        liked."""
        names = self.script.given[process]
        if not names or self.chance.random() < 0.03:
            return NO_HANDLE
        if self.chance.random() < 0.1:
            return self.chance.randrange(len(names))
        fitting, live, best = [], [], []
        for place, handle in enumerate(names):
            entry = process.find(handle, rights)
            if isinstance(entry, tuple) and (sessions or not isinstance(entry[0], Session)):
                fitting.append(place)
                if entry[0].channel.receive_handles:
                    live.append(place)
                    if liked(entry[0].channel):
                        best.append(place)
        if best and self.chance.random() < 0.8:
            return self.chance.choice(best)
        if live and self.chance.random() < 0.9:
            return self.chance.choice(live)
        return self.chance.choice(fitting) if fitting else NO_HANDLE

    def words(self) -> list[int]:
        return [self.chance.getrandbits(64) for _ in range(4)]

    def deadline(self) -> int:
        """None, or one that does not come by itself."""
        return 2**62 + self.chance.getrandbits(32) if self.chance.random() < 0.3 else 0

    def message(self, thread: Thread, windows: bool = True) -> Tag:
        """A message of a thread: its tag; what is not in registers is put into its IPC page."""
        chance, script = self.chance, self.script
        kind = chance.getrandbits(16)
        lends = "copy" in self.weights
        if chance.random() < (0.1 if lends else 0.4):
            return Tag.of(kind, chance.choice([0, 8, 16, 31, 32]))
        length = chance.choice([0, 8, 32, 33, 40, 64, 200, 255, 256])
        handles = chance.choice([0, 0, 1, 1, 2, 4])
        count = chance.choice([1, 2] if lends else [0, 1, 2]) if windows else 0
        flags = 0
        if chance.random() < 0.1:
            length, handles, count, flags = chance.choice(
                [(257, 0, 0, 0), (0xFFFF, 0, 0, 0), (8, 5, 0, 0), (8, 15, 0, 0), (8, 0, 3, 0),
                 (8, 0, 0, 1), (8, 0, 0, 0x80)]
            )
        script.fill(thread, chance.randrange(256))
        if handles:
            rights = TRANSFER if chance.random() < 0.75 else 0
            self.named = [self.name(thread.process, rights) for _ in range(4)]
            script.handles(thread, self.named)
        for place in range(min(count, 2)):
            script.window(thread, place, *self.window())
        return Tag.of(kind, length, handles, count, flags)

    def answer(self, thread: Thread) -> Tag:
        """A reply. Its handles leave the server: none that receives, unless that may happen."""
        tag = self.message(thread, windows=self.chance.random() < 0.1)
        names = self.named[: tag.handles]
        moves = any(self.receives(thread.process, name) for name in names)
        if moves and "close_last" not in self.weights:
            return Tag.of(tag.word & 0xFFFF, 0)
        return tag

    def window(self) -> tuple[int, int, int]:
        chance = self.chance
        address = MEMORY_START + chance.randrange(MEMORY_SIZE)
        length = chance.choice([0, 1, 100, 4096, 5000, MEMORY_SIZE, 2 * MEMORY_SIZE])
        access = chance.choice([1, 2, 3])
        if chance.random() < 0.12:
            return chance.choice(
                [(0, 8, 3), (0x3FFFFFEFF8, 16, 3), (0xFFFFFFC080200000, 8, 1), (address, 8, 0),
                 (address, 8, 4), (address, 2**64 - 1, 1), (address, 2**64 - address, 3)]
            )
        return address, length, access

    def token(self, thread: Thread) -> Token:
        """Mostly one that this thread may answer; else an old one, another's, or none."""
        chance = self.chance
        if chance.random() < 0.9:
            return thread.token
        others = [t.token for t in self.model.threads if t.token]
        return chance.choice([None, *others])

    # ---- Operations -----------------------------------------------------------------------------

    def call(self) -> None:
        """Often of one whose last call was sent again, for that is over now."""
        thread = self.pick(FREE)
        again = [t for t in self.threads(FREE) if t.resent]
        if again and self.chance.random() < 0.5:
            thread = self.chance.choice(again)
        if not thread:
            return
        self.call_of(thread, self.is_served)
        other, refused = self.pick(FREE), thread.channel
        if thread.state == FREE and thread.result == -EMFILE and other:
            # Who tries the same may have more luck.
            self.call_of(other, lambda channel: channel is refused)

    def call_of(self, thread: Thread, liked: Callable[[Channel], bool]) -> None:
        tag = self.message(thread)
        name = self.name(thread.process, SEND, liked=liked)
        if self.chance.random() < 0.3:
            for _ in range(2):
                self.await_on(thread.process, name, thread)
        identity = self.chance.getrandbits(16)
        self.script.call(thread, name, tag, self.words(), identity, self.deadline())

    def check(self) -> None:
        thread = self.pick(FREE)
        if thread:
            self.script.check(thread, self.message(thread))

    def deliver(self) -> None:
        """A message that was found good, to a thread of any process."""
        caller, receiver = self.pick(FREE), self.pick(FREE)
        if not caller or not receiver or caller is receiver:
            return
        tag = self.message(caller)
        self.script.check(caller, tag)
        if self.model.check(caller, tag) == 0:
            words, identity = self.words(), self.chance.getrandbits(16)
            badge, resent = self.chance.getrandbits(64), self.chance.random() < 0.3
            self.script.deliver(caller, receiver, tag, words, identity, badge, resent)

    @staticmethod
    def is_served(channel: Channel) -> bool:
        return bool(channel.receivers)

    @staticmethod
    def is_called(channel: Channel) -> bool:
        return bool(channel.callers)

    @staticmethod
    def is_used(channel: Channel) -> bool:
        return bool(channel.callers or channel.receivers or channel.closed)

    @staticmethod
    def has_notes(channel: Channel) -> bool:
        return bool(channel.closed)

    def receive(self) -> None:
        """Half of the channels have one server thread, if possible: only such a one is lent to."""
        thread, liked = self.pick(FREE), self.is_called
        mine = [c for c in self.model.channels if c.callers and c.server in self.threads(FREE)]
        if mine and self.chance.random() < 0.5:
            channel = self.chance.choice(mine)
            thread, liked = channel.server, lambda c: c is channel
        if thread:
            name = self.name(thread.process, RECV, sessions=False, liked=liked)
            if not self.intrudes(thread, name):
                self.script.receive(thread, name, self.deadline())

    def await_on(self, process: Process, name: int, but: Thread | None = None) -> None:
        """Now and then, lets a thread receive where something will happen next."""
        entry = process.find(self.script.handle(process, name), 0)
        if not isinstance(entry, tuple) or "receive" not in self.weights:
            return
        if self.chance.random() < 0.6:
            return
        threads = [thread for thread in self.threads(FREE) if thread is not but]
        self.chance.shuffle(threads)
        for thread in threads:
            held = self.held(thread.process, entry[0].channel, RECV)
            if held is not None and not self.intrudes(thread, held):
                self.script.receive(thread, held, self.deadline())
                return

    def intrudes(self, thread: Thread, name: int) -> bool:
        """Whether the channel would get a second server, and should not."""
        entry = thread.process.find(self.script.handle(thread.process, name), RECV)
        if not isinstance(entry, tuple) or self.chance.random() < 0.05:
            return False
        channel = entry[0].channel
        return channel.index % 2 == 0 and channel.server not in (None, thread)

    def waiting(self) -> None:
        """A thread that receives, without recv; often one whose handle table is full."""
        thread = self.pick(FREE)
        full = [t for t in self.threads(FREE) if not t.process.room(2)]
        if full and self.chance.random() < 0.5:
            thread = self.chance.choice(full)
        channel = self.chance.choice([c for c in self.model.channels if c.receive_handles])
        if thread and not channel.callers:
            if channel.server is None and not thread.bound:
                self.script.bind(thread, channel)
            self.script.waiting(thread, channel)

    def holders(self) -> list[Thread]:
        return [t for t in self.threads(FREE) if self.model.answered_by(t, t.token)]

    def reply(self) -> None:
        threads = self.holders() or self.threads(FREE)
        if threads:
            thread = self.chance.choice(threads)
            tag = self.answer(thread)
            self.script.reply(thread, self.token(thread), tag, self.words())

    def reply_receive(self) -> None:
        threads = self.holders()
        if threads:
            thread = self.chance.choice(threads)
            tag = self.answer(thread)
            name = self.name(thread.process, RECV, sessions=False, liked=self.is_called)
            token, words = self.token(thread), self.words()
            if self.intrudes(thread, name):
                self.script.reply(thread, token, tag, words)
            else:
                self.script.reply_receive(thread, token, tag, words, name, self.deadline())

    def copy(self) -> None:
        """From or into a window, sometimes beyond what is lent or mapped."""
        chance = self.chance
        pairs = [
            (thread, other.token)
            for thread in self.threads(FREE)
            for other in self.model.threads
            # Within one process the two sides may overlap, which means nothing.
            if other.token and other.token[0].process is not thread.process
        ]
        lent = [(t, o) for t, o in pairs if self.model.answered_by(t, o) and o[0].lent]
        if lent and chance.random() < 0.95:
            pairs = lent
        if pairs and (lent or chance.random() < 0.1):
            thread, token = chance.choice(pairs)
            for _ in range(4):
                self.copy_one(thread, token)

    def copy_one(self, thread: Thread, token: tuple[Thread, int]) -> None:
        chance, caller = self.chance, token[0]
        index = chance.randrange(caller.lent) if caller.lent else 0
        if chance.random() < 0.1:
            index = chance.choice([caller.lent, caller.lent + 1, 2**63])
        _, length, allowed = caller.kept[index] if index < len(caller.kept) else (0, 0, 3)
        offset = chance.choice([0, 1, length // 2, length // 3, max(length - 1, 0), length])
        if chance.random() < 0.15:
            offset = chance.choice([length + 1, -length % 2**64, 2**64 - 1])
        buffer = MEMORY_START + chance.randrange(MEMORY_SIZE)
        size = chance.choice([0, 1, 8, 100, 4096, 9000, 2**40, -offset % 2**64, 2**64 - 1])
        if chance.random() < 0.1:
            buffer = chance.choice([0, 0x3FFFFFFFF8, 0xFFFFFFC080200000])
        access = chance.choice([WINDOW_READ, WINDOW_WRITE])
        if not allowed & access and chance.random() < 0.6:
            access = allowed
        self.script.copy(thread, token, access, index, offset, buffer, size)

    def pulse(self) -> None:
        thread = self.pick(FREE)
        if thread:
            name = self.name(thread.process, PULSE)
            self.await_on(thread.process, name, thread)
            self.script.pulse(thread, name, 1 << self.chance.randrange(64))

    def mint(self) -> None:
        live = [c for c in self.model.channels if c.receive_handles]
        channel = self.chance.choice(live[:2] or self.model.channels)
        process = self.owners[channel]
        if process.alive and process.room(1) and len(self.model.sessions) < OBJECTS_MAX:
            rights = SEND | PULSE | DUP | TRANSFER
            self.script.mint(process, channel, rights, self.chance.getrandbits(64))

    def share(self) -> None:
        """A handle of one process for another, so that not only owners have sessions."""
        source, target = self.chance.sample(self.model.processes, 2)
        if source.alive and target.alive and target.room(1):
            name = self.name(source)
            if isinstance(source.find(self.script.handle(source, name), 0), tuple):
                self.script.grant(source, name, target, self.chance.choice([CLIENT, SERVER]))

    def close(self) -> None:
        """Closes a handle, but none that receives; often one with a badge."""
        process = self.chance.choice([p for p in self.model.processes if p.alive])
        badged = [n for n in range(len(self.script.given[process])) if self.has_badge(process, n)]
        name = self.name(process)
        if badged and self.chance.random() < 0.7:
            name = self.chance.choice(badged)
            self.await_on(process, name)
        if not self.receives(process, name):
            self.script.close(process, name)

    def close_last(self) -> None:
        """Closes a handle that receives, perhaps the last one of its channel, perhaps while a
        thread of the same process receives through it."""
        process = self.chance.choice([p for p in self.model.processes if p.alive])
        liked = self.chance.choice([self.is_used, self.has_notes])
        name = self.name(process, RECV, sessions=False, liked=liked)
        free = [t for t in self.threads(FREE) if t.process is process]
        if free and self.chance.random() < 0.4:
            self.script.receive(self.chance.choice(free), name, self.deadline())
        self.script.close(process, name)
        live = [c for c in self.model.channels if c.receive_handles]
        if len(live) < 3:
            self.new_channel()

    def has_badge(self, process: Process, name: int) -> bool:
        """Whether it is one to a session, most often the last one."""
        entry = process.find(self.script.handle(process, name), 0)
        if not isinstance(entry, tuple) or not isinstance(entry[0], Session):
            return False
        return entry[0].handles == 1 or self.chance.random() < 0.2

    def receives(self, process: Process, name: int) -> bool:
        entry = process.find(self.script.handle(process, name), RECV)
        return isinstance(entry, tuple) and isinstance(entry[0], Channel)

    def end(self) -> None:
        thread = self.pick(FREE, CALLING, SERVED, RECEIVING)
        if thread and len(self.model.threads) < OBJECTS_MAX:
            self.script.end(thread)
            self.replace(thread.process)

    def replace(self, process: Process) -> None:
        self.script.thread(process, self.chance.randrange(1, 31))

    def kill(self) -> None:
        """The end of a process; another takes its place and may serve its channels."""
        alive = [p for p in self.model.processes if p.alive]
        busy = [p for p in alive if p.serving]
        if not busy and self.chance.random() < 0.8:
            return
        process = self.chance.choice(busy or alive)
        if max(len(self.model.processes) + 1, len(self.model.threads) + 2) >= OBJECTS_MAX:
            return
        for channel in {c.channel: None for c in process.serving if c.channel}:
            self.spare(process, channel)
        self.script.kill(process)
        heir = self.script.process()
        for _ in range(2):
            self.replace(heir)
        for channel in self.model.channels:
            rights = self.chance.choice([RECV, SEND])
            names = [(p, self.held(p, channel, rights)) for p in self.model.processes]
            held = [(holder, name) for holder, name in names if name is not None]
            if held:
                self.script.grant(*held[0], heir, SERVER if rights == RECV else CLIENT)
        for channel, owner in self.owners.items():
            if owner is process:
                self.owners[channel] = heir
        self.close_last()

    def spare(self, process: Process, channel: Channel) -> None:
        """Before the end of a process that serves a channel: most often, another one can go on to
        serve it, and perhaps waits already; or nobody can."""
        name, chance = self.held(process, channel, RECV), self.chance.random()
        others = [p for p in self.model.processes if p.alive and p is not process]
        if name is None or not others:
            return
        if chance < 0.3:
            for other in others:
                while (found := self.held(other, channel, RECV)) is not None:
                    self.script.close(other, found)
            return
        free = [thread for thread in self.threads(FREE) if thread.process is not process]
        other = self.chance.choice(free).process if free else self.chance.choice(others)
        if other.room(1):
            given = self.script.grant(process, name, other, SERVER)
            ready = [thread for thread in free if thread.process is other]
            if ready and chance < 0.8:
                self.script.receive(self.chance.choice(ready), given, self.deadline())

    def held(self, process: Process, channel: Channel, rights: int) -> int | None:
        for place, handle in enumerate(self.script.given[process]):
            entry = process.find(handle, rights)
            if process.alive and isinstance(entry, tuple) and entry[0] is channel:
                return place
        return None

    def expire(self) -> None:
        thread = self.pick(CALLING, SERVED, RECEIVING)
        if thread:
            self.script.expire(thread)

    def play(self, steps: int) -> Script:
        names = list(self.weights)
        for _ in range(steps):
            name = self.chance.choices(names, [self.weights[n] for n in names])[0]
            if "expire" in names and len(self.threads(FREE)) < FREE_MIN:
                name = "expire"  # or soon nobody is left who could do something
            operation: Callable[[], None] = getattr(self, name)
            operation()
        for process in self.model.processes:
            self.script.charged(process)
        return self.script
