"""Scripts for the guest's interpreter (grade/lab3/kernel/ipc.c), and what it must print.

Each method is one operation: it does it in the model, appends the words that tell the guest to do
it, and the lines that must come. A handle is named by its place in the list of those that a
process has been given so far: both sides number them in the order in which they appear.
"""

from __future__ import annotations

from enum import IntEnum, auto

from grade.lab3.model import Model, Token
from grade.lab3.shapes import (
    CALLING,
    DATA_MAX,
    ENDED,
    FREE,
    MEMORY_SIZE,
    PAGE,
    RECEIVING,
    REGISTER_BYTES,
    SERVED,
    WINDOW_READ,
    Channel,
    Handle,
    Process,
    Session,
    Tag,
    Thread,
)

NO_TOKEN = 999  # a token that was never given
NO_HANDLE = 4000  # a handle that was never given


class Op(IntEnum):
    """As in the guest."""

    PROCESS = 0
    THREAD = auto()
    CHANNEL = auto()
    GRANT = auto()
    MINT = auto()
    CHARGED = auto()
    CLOSE = auto()
    KILL = auto()
    END = auto()
    FILL = auto()
    HANDLES = auto()
    WINDOW = auto()
    CHECK = auto()
    DELIVER = auto()
    BIND = auto()
    QUEUE = auto()
    SERVE = auto()
    DONATE = auto()
    RECOMPUTE = auto()
    BASE = auto()
    CIRCLE = auto()
    ORDER = auto()
    WAITING = auto()
    CALL = auto()
    RECV = auto()
    REPLY = auto()
    REPLY_RECV = auto()
    PULSE = auto()
    COPY_IN = auto()
    COPY_OUT = auto()
    EXPIRE = auto()


def fnv(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & (2**64 - 1)
    return value


class Script:
    """The operations so far: for the guest, for people, and with the answers."""

    def __init__(self) -> None:
        self.model = Model()
        self.words: list[int] = []
        self.expected: list[list[str]] = []  # per operation
        self.told: list[str] = []
        self.given: dict[Process, list[Handle | None]] = {}
        self._shown: dict[Thread, str] = {}

    # ---- Writing it down ------------------------------------------------------------------------

    def _add(
        self, op: Op, arguments: list[int], told: str, result: int = 0,
        before: list[str] | None = None, only_result: Thread | None = None,
    ) -> None:
        number = len(self.expected)
        self.words += [op, len(arguments), *arguments]
        self.told.append(f"#{number} {told}")
        lines = [*(before or []), f"#{number} {result}"]
        for thread in self.model.threads:
            line = f"t{thread.index:x} {thread.state}"
            if thread.state != ENDED:
                line += f" priority={thread.priority:x}"
            if thread.deadline and thread.state != ENDED:
                line += f" until={thread.deadline:x}"
            if thread in self.model.back:
                lines.append(line + self._message(thread, thread is only_result))
            elif self._shown.get(thread) != line:
                lines.append(line)
            self._shown[thread] = line
        self.model.back.clear()
        self.expected.append(lines)

    def _message(self, thread: Thread, only_result: bool) -> str:
        if thread.result < 0:
            return f" error={-thread.result:x}"
        if only_result:
            return f" a0={thread.result:x}"
        token = thread.token_of
        text = f" token-of-{token.index:x}" if token else f" a0={thread.result:x}"
        return text + self._content(thread)

    def _content(self, thread: Thread) -> str:
        tag = thread.tag
        text = f" tag={tag.word:x} words=" + ",".join(f"{word:x}" for word in thread.words)
        sender = f"p{thread.sender.index:x}" if thread.sender else "0"
        text += f" id={thread.request_id:x} from={sender} badge={thread.badge_seen:x}"
        if tag.length > REGISTER_BYTES:
            text += f" tail={fnv(thread.tail[REGISTER_BYTES : tag.length]):x}"
        for address, length, access in thread.windows[: tag.windows]:
            text += f" window={address:x}+{length:x}/{access:x}"
        for handle in thread.handles[: tag.handles]:
            entry = thread.process.find(handle, 0)
            self.given[thread.process].append(handle)
            text += " bad:0" if isinstance(entry, int) else f" {entry[0]}:{entry[1]:x}"
        return text

    def handle(self, process: Process, name: int) -> Handle | None:
        names = self.given[process]
        return names[name] if name < len(names) else None

    # ---- Making and ending things ---------------------------------------------------------------

    def process(self, limit: int = 4096) -> Process:
        process = Process(len(self.model.processes), limit)
        process.memory = bytearray(
            (process.index * 57 + page * 31 + at % 512 * 7) % 256
            for page in range(MEMORY_SIZE // PAGE)
            for at in range(PAGE)
        )
        self.model.processes.append(process)
        self.given[process] = []
        self._add(Op.PROCESS, [limit % 4096], f"process p{process.index} (at most {limit} handles)")
        return process

    def thread(self, process: Process, priority: int) -> Thread:
        thread = Thread(len(self.model.threads), process, priority, priority)
        process.threads.append(thread)
        self.model.threads.append(thread)
        told = f"thread t{thread.index} of p{process.index}, priority {priority}"
        self._add(Op.THREAD, [process.index, priority], told)
        return thread

    def _give(self, process: Process, handle: Handle) -> int:
        self.given[process].append(handle)
        return len(self.given[process]) - 1

    def channel(self, process: Process, rights: int, flags: int = 0) -> tuple[Channel, int]:
        channel = Channel(len(self.model.channels), process, flags)
        self.model.channels.append(channel)
        name = self._give(process, process.insert(channel, rights))
        told = f"channel {channel} (flags {flags}); "
        told += f"p{process.index}'s handle {name}, rights {rights:x}"
        self._add(Op.CHANNEL, [process.index, flags, rights], told)
        return channel, name

    def grant(self, source: Process, name: int, target: Process, rights: int) -> int:
        entry = source.find(self.handle(source, name), 0)
        assert not isinstance(entry, int)
        new = self._give(target, target.insert(entry[0], entry[1] & rights))
        told = f"p{source.index}'s handle {name} ({entry[0]}) "
        told += f"as p{target.index}'s {new}, rights {rights:x}"
        self._add(Op.GRANT, [source.index, name, target.index, rights], told)
        return new

    def mint(self, process: Process, channel: Channel, rights: int, badge: int) -> int:
        session = Session(len(self.model.sessions), channel, badge, process)
        self.model.sessions.append(session)
        name = self._give(process, process.insert(session, rights))
        told = f"{session}: badge {badge:x} of {channel}; p{process.index}'s handle {name}"
        self._add(Op.MINT, [process.index, channel.index, rights, badge], told)
        return name

    def charged(self, process: Process) -> None:
        told = f"p{process.index} pays for so many channels and sessions"
        self._add(Op.CHARGED, [process.index], told, self.model.charged(process))

    def close(self, process: Process, name: int) -> None:
        result = self.model.close(process, self.handle(process, name))
        told = f"p{process.index} closes its handle {name}"
        self._add(Op.CLOSE, [process.index, name], told, -result)

    def kill(self, process: Process) -> None:
        self.model.kill(process)
        self._add(Op.KILL, [process.index], f"p{process.index} is killed")

    def end(self, thread: Thread) -> None:
        self.model.end_thread(thread)
        self._add(Op.END, [thread.index], f"t{thread.index} ends")

    # ---- Messages -------------------------------------------------------------------------------

    def fill(self, thread: Thread, seed: int) -> None:
        for place in range(REGISTER_BYTES, DATA_MAX):
            thread.tail[place] = (seed * 31 + place * 7) % 256
        self._add(Op.FILL, [thread.index, seed], f"t{thread.index}'s IPC page: data {seed}")

    def handles(self, thread: Thread, names: list[int]) -> None:
        thread.handles = [self.handle(thread.process, name) for name in names]
        told = f"t{thread.index}'s IPC page: handles {names}"
        self._add(Op.HANDLES, [thread.index, *names], told)

    def window(self, thread: Thread, place: int, address: int, length: int, access: int) -> None:
        thread.windows[place] = (address, length, access)
        told = f"t{thread.index}'s IPC page: "
        told += f"window {place} = {address:x}+{length:x}, access {access}"
        self._add(Op.WINDOW, [thread.index, place, address, length, access], told)

    def check(self, thread: Thread, tag: Tag) -> None:
        result = self.model.check(thread, tag)
        before = [] if result else [f"window {a:x}+{n:x}/{m:x}" for a, n, m in thread.kept]
        told = f"message_check(t{thread.index}, {describe(tag)})"
        self._add(Op.CHECK, [thread.index, tag.word], told, -result, before)

    def deliver(
        self, caller: Thread, receiver: Thread, tag: Tag, words: list[int], identity: int,
        badge: int, resent: bool,
    ) -> None:
        caller.tag, caller.words, caller.request_id = tag, words, identity
        caller.badge, caller.resent, caller.lent = badge, resent, 0  # a new call
        result = self.model.deliver(caller, receiver)
        before = []
        if not result:
            caller.state = SERVED
            text = f" token-of-{caller.index:x}" + self._content(receiver)
            before = [f"{text} windows-kept={caller.lent} new-token={int(not caller.resent)}"]
            caller.state = FREE
        told = f"call_deliver(t{caller.index}, t{receiver.index}), {describe(tag)}, resent {resent}"
        arguments = [caller.index, receiver.index, tag.word, *words, identity, badge, int(resent)]
        self._add(Op.DELIVER, arguments, told, -result, before)

    # ---- Who waits for whom ---------------------------------------------------------------------

    def bind(self, thread: Thread, channel: Channel) -> None:
        channel.server = thread
        thread.bound.append(channel)
        self._add(Op.BIND, [thread.index, channel.index], f"t{thread.index} serves {channel}")

    def queue(self, thread: Thread, channel: Channel) -> None:
        thread.state, thread.channel = CALLING, channel
        self.model.queue(thread)
        self._add(Op.QUEUE, [thread.index, channel.index], f"t{thread.index} waits on {channel}")

    def serve(self, thread: Thread, channel: Channel, server: Thread) -> None:
        thread.state, thread.channel = SERVED, channel
        thread.server, thread.server_process = server, server.process
        server.process.serving.append(thread)
        told = f"t{thread.index} waits for the answer of t{server.index}"
        self._add(Op.SERVE, [thread.index, channel.index, server.index], told)

    def donate(self, channel: Channel, priority: int) -> None:
        self.model.lend(channel.server, priority)
        self._add(Op.DONATE, [channel.index, priority], f"donate({channel}, {priority})")

    def recompute(self, thread: Thread) -> None:
        self.model.recompute(thread)
        self._add(Op.RECOMPUTE, [thread.index], f"donation_recompute(t{thread.index})")

    def base(self, thread: Thread, priority: int) -> None:
        self.model.base_changed(thread, priority)
        told = f"t{thread.index}'s base priority becomes {priority}"
        self._add(Op.BASE, [thread.index, priority], told)

    def circle(self, thread: Thread, channel: Channel) -> None:
        told = f"would_deadlock(t{thread.index}, {channel})"
        result = int(self.model.circle(thread, channel))
        self._add(Op.CIRCLE, [thread.index, channel.index], told, result)

    def order(self, channel: Channel) -> None:
        line = "".join(f" t{caller.index:x}" for caller in channel.callers)
        told = f"the callers on {channel}, in their order"
        self._add(Op.ORDER, [channel.index], told, before=["callers" + line])

    def waiting(self, thread: Thread, channel: Channel) -> None:
        thread.state, thread.channel = RECEIVING, channel
        channel.receivers.insert(0, thread)
        told = f"t{thread.index} receives on {channel}"
        self._add(Op.WAITING, [thread.index, channel.index], told)

    # ---- System calls ---------------------------------------------------------------------------

    def _begin(self, thread: Thread, tag: Tag, words: list[int]) -> None:
        thread.tag, thread.words = tag, words
        thread.sender, thread.badge_seen, thread.token_of = None, 0, None
        thread.request_id = 0

    def _failed(self, thread: Thread, error: int) -> None:
        if error:
            self.model.fail(thread, error)

    def call(
        self, thread: Thread, name: int, tag: Tag, words: list[int], identity: int, deadline: int
    ) -> None:
        self._begin(thread, tag, words)
        thread.request_id, thread.badge_seen = identity, deadline  # registers that stay as they are
        self._failed(thread, self.model.call(thread, self.handle(thread.process, name), deadline))
        told = f"t{thread.index} calls through handle {name}, {describe(tag)}{until(deadline)}"
        self._add(Op.CALL, [thread.index, name, tag.word, *words, identity, deadline], told)

    def receive(self, thread: Thread, name: int, deadline: int) -> None:
        self._begin(thread, Tag(0), [0, 0, 0, 0])
        error = self.model.receive(thread, self.handle(thread.process, name), deadline)
        self._failed(thread, error)
        arguments = [thread.index, 0, 0, 0, 0, 0, 0, name, deadline]
        told = f"t{thread.index} receives through handle {name}{until(deadline)}"
        self._add(Op.RECV, arguments, told)

    def reply(self, thread: Thread, token: Token, tag: Tag, words: list[int]) -> None:
        self._begin(thread, tag, words)
        error, _ = self.model.reply(thread, token)
        thread.result = -error
        self.model.ready(thread)
        arguments = [thread.index, self._token(token), tag.word, *words]
        told = f"t{thread.index} replies to {describe_token(token)}, {describe(tag)}"
        self._add(Op.REPLY, arguments, told, only_result=thread)

    def reply_receive(
        self, thread: Thread, token: Token, tag: Tag, words: list[int], name: int, deadline: int
    ) -> None:
        named = self._token(token)  # the thread may receive another one now
        self._begin(thread, tag, words)
        handle = self.handle(thread.process, name)
        self._failed(thread, self.model.reply_receive(thread, token, handle, deadline))
        told = f"t{thread.index} replies to {describe_token(token)}, {describe(tag)}; "
        told += f"receives through handle {name}{until(deadline)}"
        arguments = [thread.index, named, tag.word, *words, name, deadline]
        self._add(Op.REPLY_RECV, arguments, told)

    def _token(self, token: Token) -> int:
        """For the guest: all ones less n is the token that thread n received last."""
        for thread in self.model.threads:
            if token and thread.token == token:
                return 2**64 - 1 - thread.index
        return NO_TOKEN

    def pulse(self, thread: Thread, name: int, bits: int) -> None:
        error = self.model.pulse(thread, self.handle(thread.process, name), bits)
        thread.result, thread.token_of = -error, None
        self.model.ready(thread)
        told = f"t{thread.index} pulses {bits:x} through handle {name}"
        self._add(Op.PULSE, [thread.index, name, bits], told, only_result=thread)

    def copy(
        self, thread: Thread, token: Token, access: int, index: int, offset: int, buffer: int,
        size: int,
    ) -> None:
        arguments = (index, offset, buffer, size)
        caller = token[0] if token else thread
        thread.result = self.model.copy(thread, token, arguments, access)
        thread.token_of = None
        self.model.ready(thread)
        changed = (thread if access == WINDOW_READ else caller).process
        op, name = (Op.COPY_IN, "copy_in") if access == WINDOW_READ else (Op.COPY_OUT, "copy_out")
        told = f"t{thread.index}: {name}({describe_token(token)}, "
        told += f"window {index}, offset {offset:x}, {buffer:x}, {size:x})"
        words = [thread.index, self._token(token), *arguments, 0, 0, 0, changed.index]
        before = [f"memory {fnv(changed.memory):x}"]
        self._add(op, words, told, 0, before, thread)

    def expire(self, thread: Thread) -> None:
        self.model.expire(thread)
        self._add(Op.EXPIRE, [thread.index], f"t{thread.index}'s deadline passes")


def describe(tag: Tag) -> str:
    text = f"{tag.length} bytes"
    if tag.handles:
        text += f", {tag.handles} handles"
    if tag.windows:
        text += f", {tag.windows} windows"
    return text + (f", flags {tag.flags:x}" if tag.flags else "")


def until(deadline: int) -> str:
    return f" until {deadline:x}" if deadline else ""


def describe_token(token: Token) -> str:
    return f"t{token[0].index} (its call {token[1]})" if token else "nobody"
