"""What a result looks like elsewhere. A format is a module with one function from a result to text,
and a line in FORMATS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grade.formats import gradescope, junit, table, text
from grade.model import Result


@dataclass(frozen=True)
class Format:
    """One way to write a result."""

    file: str  # the name that such a file usually has
    convert: Callable[[Result], str]


FORMATS = {
    "text": Format("score.txt", text.convert),
    "gradescope": Format("results.json", gradescope.convert),
    "junit": Format("junit.xml", junit.convert),
    "csv": Format("score.csv", table.convert),
}
