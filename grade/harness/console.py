"""The user's terminal, driven without looking for prompts.

Init is booted with the word `plain`: the shell then echoes nothing and prints no prompt. Behind
each command goes a line that prints a fresh random token and the command's exit status. The token
is sent in two quoted halves, so that an echo of the input never looks like the answer.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grade.harness.failure import GuestTimeout
from grade.harness.stream import Stream

if TYPE_CHECKING:
    from grade.harness.machine import Machine

INTERRUPT = b"\x03"
END_OF_INPUT = b"\x04"
SERIAL_READY = r"the terminal is the UART"  # of consoled
BOOT_SECONDS = 20.0
EXPECT_SECONDS = 15.0
ASK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Result:
    """What a command wrote to the terminal, and how it ended."""

    output: str
    status: int

    @property
    def lines(self) -> list[str]:
        return self.output.splitlines()


@dataclass(frozen=True)
class Token:
    """A random word, and the shell line that prints it with the last exit status."""

    first: str
    second: str

    @classmethod
    def fresh(cls) -> Token:
        return cls(secrets.token_hex(6), secrets.token_hex(6))

    @property
    def line(self) -> str:
        return f"echo '{self.first}''{self.second}' $?\n"

    @property
    def answer(self) -> re.Pattern[bytes]:
        return re.compile(f"{self.first}{self.second} (\\d+)\r*\n".encode())


def plain_text(data: bytes) -> str:
    """Lines as the program wrote them: each terminal on the way may have put a CR before the LF."""
    return re.sub("\r+\n", "\n", data.decode(errors="replace"))


class Console:
    """The shell on the virtio console, or on the serial line that it shares with the kernel log."""

    def __init__(self, machine: Machine, stream: Stream) -> None:
        self.machine = machine
        self.stream = stream
        self._token: Token | None = None

    def send(self, text: str | bytes) -> None:
        """Type text as it is."""
        self.stream.send(text.encode() if isinstance(text, str) else text)

    def expect(self, pattern: str, timeout: float | None = None) -> re.Match[bytes]:
        """Wait for a pattern in the output since the last match."""
        return self.machine.expect(self.stream, pattern, timeout)

    def wait_ready(self, timeout: float = BOOT_SECONDS) -> None:
        """Wait until the shell answers for the first time."""
        if self.stream is self.machine.log:  # what is typed before, the booting kernel drops
            self.machine.expect_log(SERIAL_READY, timeout)
        self.finish("the shell's first answer", timeout)

    def run(self, command: str, timeout: float | None = None, typed: str | None = None) -> Result:
        """Run one command line to its end. `typed` is what it then reads from the terminal,
        followed by end of input."""
        self.start(command)
        if typed is not None:
            # ^D in the middle of a line only hands over what was typed so far.
            ends = 1 if typed.endswith("\n") or not typed else 2
            self.send(typed.encode() + END_OF_INPUT * ends)
        return self.finish(command, timeout)

    def check(self, command: str, timeout: float | None = None, typed: str | None = None) -> str:
        """Run a command that must succeed; its output."""
        result = self.run(command, timeout, typed)
        if result.status != 0:
            raise AssertionError(
                str(
                    self.machine.report(
                        f"`{command}` ended with status {result.status}", "status 0"
                    )
                )
            )
        return result.output

    def start(self, command: str) -> None:
        """Start a command without waiting; `finish` waits for it."""
        self.send(command + "\n")

    def interrupt(self, command: str, timeout: float | None = None) -> Result:
        """Press ^C, and wait until the shell is back. What is typed right behind a ^C may still
        reach the dying program, so the question is put again until it is answered."""
        self.send(INTERRUPT)
        tokens: list[Token] = []
        start = self.stream.position

        def ask() -> re.Match[bytes] | None:
            text = bytes(self.stream.data[start:])
            answers = (token.answer.search(text) for token in tokens)
            return next((answer for answer in answers if answer), None)

        limit = EXPECT_SECONDS if timeout is None else timeout
        for _ in range(max(1, round(limit / ASK_AGAIN_SECONDS))):
            tokens.append(Token.fresh())
            self.send(tokens[-1].line)
            try:
                match = self.machine.wait_for(
                    ask, f"`{command}` ends by ^C", ASK_AGAIN_SECONDS, self.stream
                )
            except GuestTimeout as error:
                late = error
                continue
            assert isinstance(match, re.Match)
            self.finish("the questions asked twice")  # whose answers nobody needs
            return Result(
                plain_text(match.string[: match.start()]),
                int(match[1]),
            )
        raise late

    def finish(self, command: str = "the command", timeout: float | None = None) -> Result:
        """Wait until the shell is back; what was written since the last match."""
        token = Token.fresh()
        self.send(token.line)
        start = self.stream.position
        scanned = start

        def search() -> re.Match[bytes] | None:
            nonlocal scanned
            found = token.answer.search(self.stream.data, scanned)
            if found is None:  # go on where an incomplete answer could begin
                scanned = max(start, len(self.stream.data) - 64)
                return None
            return token.answer.search(bytes(self.stream.data[scanned : found.end()]))

        match = self.machine.wait_for(search, f"the end of `{command}`", timeout, self.stream)
        assert isinstance(match, re.Match)
        end = scanned + match.start()
        self.stream.position = scanned + match.end()
        return Result(plain_text(bytes(self.stream.data[start:end])), int(match[1]))
