"""A lab of two exercises whose programs run on the host, with the real grader in its tree."""

from __future__ import annotations

from pathlib import Path

from grade.course.tree import PLAIN, Entry, Tree
from grade.overlay.grading import read_tree

GRADE = Path(__file__).parents[2]
SUM, PRODUCT = "one/sum.c", "one/product.c"

LAB = """\
title = "Small"
editable = ["one/*.c"]
[[exercise]]
id = "1.1"
title = "Add"
points = 10
[[exercise]]
id = "1.2"
title = "Multiply"
points = 5
"""

MAKEFILE = """\
all: build/one/sum build/one/product
build/%: %.c
\t@mkdir -p $(@D)
\tcc $< -o $@
"""

TESTS = """\
import random
import subprocess
from pathlib import Path

import pytest

def ask(build, name, *numbers):
    program = Path(build).resolve() / "one" / name
    answer = subprocess.run([program, *map(str, numbers)], capture_output=True, timeout=5)
    return answer.stdout.decode().strip()

@pytest.mark.exercise("1.1")
def test_sum(request):
    a, b = random.randrange(1000), random.randrange(1000)
    assert ask(request.config.getoption("--build"), "sum", a, b) == str(a + b)

@pytest.mark.exercise("1.2")
def test_product(request):
    a, b = random.randrange(1, 1000), random.randrange(2, 1000)
    assert ask(request.config.getoption("--build"), "product", a, b) == str(a * b)
"""

PROGRAM = """\
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <signal.h>
int main(int argc, char **argv)
{
    int a = argc > 2 ? atoi(argv[1]) : 0, b = argc > 2 ? atoi(argv[2]) : 0;
    (void)a, (void)b;
    %s
    return 0;
}
"""


def program(body: str) -> bytes:
    return (PROGRAM % body).encode()


ADD, MULTIPLY = program('printf("%d\\n", a + b);'), program('printf("%d\\n", a * b);')
STUB = program('puts("exercise is yours to write");')
SOLVED = {SUM: ADD, PRODUCT: MULTIPLY}


def small_tree() -> Tree:
    """The starter."""
    grader = {
        f"grade/{name}": entry
        for name, entry in read_tree(GRADE).items()
        if name.startswith(("harness/", "formats/"))
        or name in ("__init__.py", "run.py", "markers.py", "model.py", "conftest.py", "pytest.ini")
    }
    texts = {
        "labs/01-small/lab.toml": LAB,
        "Makefile": MAKEFILE,
        "grade/lab1/test_small.py": TESTS,
    }
    tree = {name: Entry(PLAIN, text.encode()) for name, text in texts.items()}
    return {**grader, **tree, SUM: Entry(PLAIN, STUB), PRODUCT: Entry(PLAIN, STUB)}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder
