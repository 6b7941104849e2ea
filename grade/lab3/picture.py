"""Random pictures of who waits for whom, for the exercise on priorities: threads are put where
they wait without a system call, so that nothing but the donation itself is at work."""

from __future__ import annotations

import random

from grade.lab3.script import Script
from grade.lab3.shapes import (
    CALLING,
    ENDED,
    FREE,
    OBJECTS_MAX,
    RECV,
    SEND,
    SERVED,
    Channel,
    Thread,
)

SERVERS, CLIENTS, CHANGES = 7, 14, 250


class Picture:
    """Servers with a channel or two each, clients that wait, then changes and questions."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.script = chance, Script()
        self.model = self.script.model
        self.channels: list[Channel] = []
        process = self.script.process()
        others = [process, self.script.process()]
        for index in range(SERVERS):
            server = self.script.thread(others[index % 2], chance.randrange(1, 20))
            for _ in range(chance.choice([1, 1, 2])):
                channel, _ = self.script.channel(others[index % 2], SEND | RECV)
                self.script.bind(server, channel)
                self.channels.append(channel)
        for index in range(CLIENTS):
            self.script.thread(others[index % 2], chance.randrange(1, 31))
        for _ in range(CHANGES):
            chance.choice([self.wait, self.wait, self.change, self.leave, self.ask])()

    def free(self) -> list[Thread]:
        return [thread for thread in self.model.threads if thread.state == FREE]

    def wait(self) -> None:
        """A free thread calls: it waits in a queue, or a free server has its message already."""
        chance, script = self.chance, self.script
        free = self.free()
        channel = chance.choice(self.channels)
        server = channel.server
        if not free or server is None:
            return
        servers = [thread for thread in free if thread.bound]
        thread = chance.choice(servers if servers and chance.random() < 0.5 else free)
        script.circle(thread, channel)
        if self.model.circle(thread, channel):
            return
        if server.state == FREE and server is not thread and chance.random() < 0.5:
            script.serve(thread, channel, server)
        else:
            script.queue(thread, channel)
        script.donate(channel, thread.priority)
        self.order()

    def change(self) -> None:
        """A new base priority; often of somebody to whom others lend."""
        threads = [t for t in self.model.threads if t.state != ENDED]
        waited_for = [t for t in threads if t.bound and self.model.lent_to(t) > t.base]
        thread = self.chance.choice(threads)
        if waited_for and self.chance.random() < 0.5:
            thread = self.chance.choice(waited_for)
        self.script.base(thread, self.chance.randrange(1, 31))
        self.script.base(thread, self.chance.randrange(1, 31))

    def leave(self) -> None:
        """Somebody does not wait any more, or is no more: what was lent is taken back."""
        waiting = [t for t in self.model.threads if t.state in (CALLING, SERVED)]
        if len(waiting) <= 3:
            return
        thread = self.chance.choice(waiting)
        full = len(self.model.threads) >= OBJECTS_MAX
        if thread.bound or full or self.chance.random() < 0.7:
            self.script.expire(thread)
            return
        self.script.end(thread)
        self.script.thread(thread.process, self.chance.randrange(1, 31))

    def ask(self) -> None:
        thread = self.chance.choice([t for t in self.model.threads if t.state != ENDED])
        self.script.circle(thread, self.chance.choice(self.channels))
        self.script.recompute(thread)
        self.order()

    def order(self) -> None:
        """In which order they wait somewhere."""
        crowded = [c for c in self.channels if len(c.callers) > 1]
        self.script.order(self.chance.choice(crowded or self.channels))
