"""What can be wrong with a page."""

from __future__ import annotations


class PageError(Exception):
    """A page asks for what the source does not have; the message says what, the line where (0: the
    whole page)."""

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(text)
        self.line = line


class NotYet(PageError):
    """A file is missing, which in a student's tree may come with a later lab."""
