"""What messages mean: a model of the kernel's channels that the host keeps beside the guest.

It knows threads, handle tables, channels and priorities, and does what kernel/abi/message.h and
the handout promise, in the plainest way. grade/lab3/script.py turns operations into calls of this
model and into words for the guest, and compares what both say.
"""

from __future__ import annotations

from errno import (
    E2BIG,
    EACCES,
    EBADF,
    EDEADLK,
    EFAULT,
    EINVAL,
    EMFILE,
    EPROTO,
    ESTALE,
    ETIMEDOUT,
)
from typing import Optional

from grade.lab3.shapes import (
    CALLING,
    COPY_MAX,
    DATA_MAX,
    ENDED,
    EPEER,
    FREE,
    HANDLES_MAX,
    MESSAGE_CLOSED,
    MESSAGE_PULSE,
    NO_RESEND,
    PULSE,
    RECEIVING,
    RECV,
    REGISTER_BYTES,
    RESENT,
    SEND,
    SERVED,
    TRANSFER,
    WINDOW_READ,
    WINDOWS_MAX,
    Channel,
    Handle,
    Process,
    Session,
    Tag,
    Thread,
    move,
    user_range,
)

Token = Optional[tuple[Thread, int]]


class Model:
    """The system. back: the threads that have come back from the kernel in this operation."""

    def __init__(self) -> None:
        self.processes: list[Process] = []
        self.threads: list[Thread] = []
        self.channels: list[Channel] = []
        self.sessions: list[Session] = []
        self.back: set[Thread] = set()

    # ---- Who waits for whom -------------------------------------------------------------------

    @staticmethod
    def waits_for(thread: Thread) -> Thread | None:
        if thread.state == CALLING:
            assert thread.channel
            return thread.channel.server
        return thread.server if thread.state == SERVED else None

    def circle(self, caller: Thread, channel: Channel) -> bool:
        at = channel.server
        while at:
            if at is caller:
                return True
            at = self.waits_for(at)
        return False

    @staticmethod
    def queue(thread: Thread) -> None:
        """By priority, and behind those of the same."""
        assert thread.channel
        callers = thread.channel.callers
        place = len(callers)
        while place and callers[place - 1].priority < thread.priority:
            place -= 1
        callers.insert(place, thread)

    def set_priority(self, thread: Thread, priority: int) -> None:
        thread.priority = priority
        if thread.state == CALLING:
            assert thread.channel
            thread.channel.callers.remove(thread)
            self.queue(thread)

    def lend(self, server: Thread | None, priority: int) -> None:
        while server and server.priority < priority:
            self.set_priority(server, priority)
            server = self.waits_for(server)

    def lent_to(self, server: Thread) -> int:
        """What a server is due: its own, and the highest of those who wait for it."""
        best = server.base
        for channel in server.bound:
            best = max([best, *(caller.priority for caller in channel.callers)])
        waiting = (c.priority for c in server.process.serving if c.server is server)
        return max([best, *waiting])

    def recompute(self, server: Thread | None) -> None:
        while server and server.priority != server.base:
            priority = self.lent_to(server)
            if priority == server.priority:
                return
            self.set_priority(server, priority)
            server = self.waits_for(server)

    def base_changed(self, thread: Thread, priority: int) -> None:
        thread.base = priority
        self.set_priority(thread, self.lent_to(thread))
        server = self.waits_for(thread)
        self.lend(server, thread.priority)
        self.recompute(server)

    # ---- Moving messages ----------------------------------------------------------------------

    def check(self, sender: Thread, tag: Tag) -> int:
        if tag.length > DATA_MAX or tag.handles > HANDLES_MAX or tag.windows > WINDOWS_MAX:
            return E2BIG
        if tag.flags:
            return EINVAL
        for handle in sender.handles[: tag.handles]:
            entry = sender.process.find(handle, TRANSFER)
            if isinstance(entry, int):
                return entry
        kept = []
        for address, length, access in sender.windows[: tag.windows]:
            if not user_range(address, length) or access not in (1, 2, 3):
                return EFAULT
            kept.append((address, length, access))
        sender.kept = kept
        return 0

    def copy_handles(self, source: Thread, target: Thread, count: int) -> None:
        for place, handle in enumerate(source.handles[:count]):
            entry = source.process.find(handle, TRANSFER)
            copy = None if isinstance(entry, int) else target.process.insert(*entry)
            target.handles[place] = copy

    def deliver(self, caller: Thread, receiver: Thread) -> int:
        """The caller's message to a receiver: 0 or an error, then nothing has moved."""
        tag = caller.tag
        if not tag.short or caller.resent:
            if tag.handles and not receiver.process.room(tag.handles):
                return EMFILE
            receiver.tail[REGISTER_BYTES : tag.length] = caller.tail[REGISTER_BYTES : tag.length]
            self.copy_handles(caller, receiver, tag.handles)
            for place, (_, length, access) in enumerate(caller.kept[: tag.windows]):
                receiver.windows[place] = (0, length, access)
            caller.lent = tag.windows
            tag = Tag(tag.word | (RESENT << 56 if caller.resent else 0))
        receiver.tag, receiver.words = tag, list(caller.words)
        receiver.request_id = caller.request_id
        caller.generation += not caller.resent  # one that comes again keeps its token
        receiver.result, receiver.token_of = 0, caller
        receiver.token = (caller, caller.generation)
        receiver.sender, receiver.badge_seen = caller.process, caller.badge
        return 0

    def notify(self, receiver: Thread, kind: int, word: int, badge: int) -> None:
        receiver.result, receiver.token_of = 0, None
        receiver.tag = Tag.of(kind, 8 if kind == MESSAGE_PULSE else 0)
        receiver.words = [word, *receiver.words[1:]]
        receiver.request_id, receiver.sender, receiver.badge_seen = 0, None, badge
        receiver.channel = None

    def ready(self, thread: Thread) -> None:
        thread.state, thread.deadline = FREE, 0
        self.back.add(thread)

    def fail(self, thread: Thread, error: int) -> None:
        thread.result, thread.token_of = -error, None
        self.ready(thread)

    # ---- Calls --------------------------------------------------------------------------------

    def hand_over(self, caller: Thread, receiver: Thread) -> None:
        caller.state = SERVED
        caller.server, caller.server_process = receiver, receiver.process
        receiver.process.serving.append(caller)
        receiver.channel = None
        if caller.priority > receiver.priority:
            receiver.priority = caller.priority
        self.ready(receiver)

    def enqueue(self, caller: Thread, channel: Channel) -> None:
        caller.state = CALLING
        self.queue(caller)
        self.lend(channel.server, caller.priority)

    def call(self, caller: Thread, handle: Handle | None, deadline: int = 0) -> int:
        """0: the caller waits; or an error at once."""
        entry = caller.process.find(handle, SEND)
        if isinstance(entry, int):
            return entry
        target = entry[0]
        if not caller.tag.short:
            error = self.check(caller, caller.tag)
            if error:
                return error
        channel = target.channel
        if channel.receive_handles == 0:
            return EPEER
        caller.resent = False
        caller.badge = target.badge if isinstance(target, Session) else 0
        caller.channel = channel
        if channel.receivers:
            receiver = channel.receivers[0]
            error = self.deliver(caller, receiver)
            if error:
                return error
            channel.receivers.pop(0)
            self.hand_over(caller, receiver)
        elif self.circle(caller, channel):
            return EDEADLK
        else:
            self.enqueue(caller, channel)
        caller.deadline = deadline
        return 0

    def bind(self, server: Thread, channel: Channel) -> None:
        if channel.server is server:
            return
        if channel.server or channel.shared:
            if channel.server:
                channel.server.bound.remove(channel)
            channel.shared, channel.server = True, None
            return
        channel.server = server
        server.bound.append(channel)
        if channel.callers:
            self.lend(server, channel.callers[0].priority)

    def receive(self, server: Thread, handle: Handle | None, deadline: int = 0) -> int:
        """0: something was received, or the server waits."""
        entry = server.process.find(handle, RECV)
        if isinstance(entry, int):
            return entry
        channel = entry[0]
        if isinstance(channel, Session):
            return EBADF
        self.bind(server, channel)
        server.told = None
        if channel.pulses:
            self.notify(server, MESSAGE_PULSE, channel.pulses, 0)
            channel.pulses = 0
            self.ready(server)
            return 0
        if channel.closed:
            self.tell(server, channel.closed.pop(0))
            return 0
        while channel.callers:
            caller = channel.callers[0]
            error = self.deliver(caller, server)
            if error:
                self.finish(caller, error)
                continue
            channel.callers.pop(0)
            self.hand_over(caller, server)
            return 0
        server.state, server.channel, server.deadline = RECEIVING, channel, deadline
        channel.receivers.insert(0, server)
        return 0

    def leave(self, caller: Thread) -> None:
        """Off the queue, or the list of those that a process has to answer."""
        server = self.waits_for(caller)
        if caller.state == CALLING:
            assert caller.channel
            caller.channel.callers.remove(caller)
        else:
            assert caller.server_process
            caller.server_process.serving.remove(caller)
        caller.channel, caller.state, caller.lent = None, FREE, 0
        self.recompute(server)

    def finish(self, caller: Thread, error: int) -> None:
        self.leave(caller)
        self.fail(caller, error)

    def answered_by(self, server: Thread, token: Token) -> Thread | None:
        """The caller that a token names, if this server may answer it."""
        if token is None:
            return None
        caller, generation = token
        fits = caller.generation == generation and caller.server_process is server.process
        return caller if caller.state == SERVED and fits else None

    def drop_handles(self, server: Thread, tag: Tag) -> None:
        for handle in server.handles[: tag.handles if tag.handles <= HANDLES_MAX else 0]:
            self.close(server.process, handle)

    def reply(self, server: Thread, token: Token) -> tuple[int, bool]:
        """The error, and whether the caller has got an answer."""
        caller, tag = self.answered_by(server, token), server.tag
        error = 0 if caller else ESTALE
        if caller and not tag.short:
            error = EINVAL if tag.windows else self.check(server, tag)
        if error or not caller:
            self.drop_handles(server, tag)
            return error, False
        caller.result, caller.token_of, caller.tag = 0, None, tag
        caller.words = list(server.words)
        if not tag.short:
            if tag.handles and not caller.process.room(tag.handles):
                error = EMFILE
                caller.result = -EMFILE
            else:
                end = tag.length
                caller.tail[REGISTER_BYTES:end] = server.tail[REGISTER_BYTES:end]
                self.copy_handles(server, caller, tag.handles)
            self.drop_handles(server, tag)
        self.leave(caller)
        self.ready(caller)
        return error, True

    def reply_receive(
        self, server: Thread, token: Token, handle: Handle | None, deadline: int = 0
    ) -> int:
        error, answered = self.reply(server, token)
        waiting = self.answered_by(server, token)
        if error and not answered and waiting:
            self.finish(waiting, EPROTO)
        return self.receive(server, handle, deadline)

    # ---- What else happens on a channel -------------------------------------------------------

    def pulse(self, thread: Thread, handle: Handle | None, bits: int) -> int:
        entry = thread.process.find(handle, PULSE)
        if isinstance(entry, int):
            return entry
        channel = entry[0].channel
        if channel.receivers:
            receiver = channel.receivers.pop(0)
            self.notify(receiver, MESSAGE_PULSE, bits, 0)
            self.ready(receiver)
        else:
            channel.pulses |= bits
        return 0

    def session_gone(self, session: Session) -> None:
        channel = session.channel
        if not channel.receive_handles:
            return
        if not channel.receivers:
            channel.closed.append(session)
            return
        self.tell(channel.receivers.pop(0), session)

    def tell(self, receiver: Thread, session: Session) -> None:
        self.notify(receiver, MESSAGE_CLOSED, 0, session.badge)
        receiver.told = session
        self.ready(receiver)

    def receivers_gone(self, channel: Channel) -> None:
        while channel.callers:
            self.finish(channel.callers[0], EPEER)
        while channel.receivers:
            thread = channel.receivers.pop(0)
            thread.channel = None
            self.fail(thread, EBADF)
        channel.closed.clear()

    def close(self, process: Process, handle: Handle | None) -> int:
        entry = process.find(handle, 0)
        if isinstance(entry, int) or handle is None:
            return EBADF
        if handle.place < process.hint:
            process.hint = handle.place
        self.clear(process, handle.place)
        return 0

    def clear(self, process: Process, place: int) -> None:
        target, rights = process.table.pop(place)
        process.generations[place] = process.generations.get(place, 0) + 1
        if isinstance(target, Session):
            target.handles -= 1
            if not target.handles:
                self.session_gone(target)
        elif rights & RECV:
            target.receive_handles -= 1
            if not target.receive_handles:
                self.receivers_gone(target)

    def expire(self, thread: Thread) -> None:
        if thread.state == RECEIVING:
            assert thread.channel
            thread.channel.receivers.remove(thread)
            thread.channel = None
            self.fail(thread, ETIMEDOUT)
        else:
            self.finish(thread, ETIMEDOUT)

    def charged(self, process: Process) -> int:
        """Channels stay, for the test holds on to them; sessions, until the server knows."""
        told = [t.told for p in self.processes for t in p.threads if t.told]
        kept = [s for s in self.sessions if s.handles or s in s.channel.closed or s in told]
        return sum(one.payer is process for one in [*self.channels, *kept])

    # ---- Ends -----------------------------------------------------------------------------------

    def end_thread(self, thread: Thread) -> None:
        thread.process.threads.remove(thread)
        for channel in thread.bound:
            channel.server = None
        thread.bound.clear()
        for caller in thread.process.serving:
            if caller.server is thread:
                caller.server = None
        if thread.told:  # it may have ended before it did anything about it
            self.session_gone(thread.told)
        if thread.state in (CALLING, SERVED):
            self.leave(thread)
        elif thread.state == RECEIVING:
            assert thread.channel
            thread.channel.receivers.remove(thread)
        thread.state = ENDED
        self.back.discard(thread)

    def kill(self, process: Process) -> None:
        process.alive = False
        while process.threads:
            self.end_thread(process.threads[0])
        for place in sorted(process.table):
            self.clear(process, place)
        while process.serving:
            caller = process.serving[0]
            channel = caller.channel
            assert channel
            if not channel.receive_handles or channel.flags & NO_RESEND:
                self.finish(caller, EPEER)
                continue
            process.serving.pop(0)
            caller.resent = True
            self.send_again(caller, channel)

    def send_again(self, caller: Thread, channel: Channel) -> None:
        if not channel.receivers:
            self.enqueue(caller, channel)
            return
        receiver = channel.receivers[0]
        if self.deliver(caller, receiver):
            caller.channel, caller.lent = None, 0
            self.fail(caller, EMFILE)
            return
        channel.receivers.pop(0)
        self.hand_over(caller, receiver)

    # ---- Lent memory --------------------------------------------------------------------------

    def copy(
        self,
        server: Thread,
        token: Token,
        arguments: tuple[int, int, int, int],
        access: int,
    ) -> int:
        """copy_in and copy_out: bytes moved, or a negative error."""
        index, offset, buffer, size = arguments
        caller = self.answered_by(server, token)
        if not caller:
            return -ESTALE
        if index >= caller.lent:
            return -EINVAL
        address, length, allowed = caller.kept[index]
        if not allowed & access:
            return -EACCES
        if offset > length:
            return -EINVAL
        size = min(size, length - offset, COPY_MAX)
        there = address + offset
        if not user_range(buffer, size) or (size and not user_range(there, size)):
            return -EFAULT
        if access == WINDOW_READ:
            return move(caller.process, there, server.process, buffer, size)
        return move(server.process, buffer, caller.process, there, size)
