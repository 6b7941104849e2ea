"""Which test grades which exercise, read from the tests' sources without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Marked:
    """One test with @pytest.mark.exercise("N.M", points=P)."""

    path: str
    line: int
    test: str
    exercise: str
    points: int | None


def markers_in(path: str, text: str) -> Iterator[Marked]:
    """The exercise markers of one test file; raises SyntaxError."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Call) or not decorator.args:
                continue
            called = decorator.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            first = decorator.args[0]
            if name != "exercise" or not isinstance(first, ast.Constant):
                continue
            given = [k.value for k in decorator.keywords if k.arg == "points"]
            points = given[0].value if given and isinstance(given[0], ast.Constant) else None
            number = points if isinstance(points, int) else None
            yield Marked(path, node.lineno, node.name, str(first.value), number)


def marked_tests(root: Path) -> list[Marked]:
    """Every marked test below root/grade, except those of the course machinery."""
    return [
        mark
        for path in sorted((root / "grade").rglob("test_*.py"))
        if "course" not in path.relative_to(root).parts
        for mark in markers_in(str(path.relative_to(root)), path.read_text())
    ]
