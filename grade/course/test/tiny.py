"""A tiny course: two labs, three exercises, a Makefile that compiles with the host's compiler."""

from __future__ import annotations

from pathlib import Path

from grade.course.source import Source, read_source

COURSE = """\
title = "Tiny"
common = ["Makefile", "lib/**", "scripts/**"]
instructor = ["labs/**", "!labs/*/lab.toml", "secret.txt"]
include_roots = ["lib"]
generated = ["numbers.h"]
"""

LAB1 = '''\
title = "Adding"
summary = "Numbers, and what to do with them."
time = "1 hour"
difficulty = "easy"
handout = "handouts/lab1.md"
files = ["labs/01-adding/lab.toml", "one/**", "handouts/lab1.md", "grade/test_adding.py"]
editable = ["one/*.c"]

[[exercise]]
id = "1.1"
title = "Add"
points = 10
difficulty = "easy"
stub = """
int add(int a, int b)
{
    /* What is a sum? */
    EXERCISE("1.1");
}
"""
[exercise.hints]
"it is zero" = "Look at the sign."

[[exercise]]
id = "1.2"
title = "Double"
points = 5
difficulty = "medium"
stub = """
int twice(int a)
{
    EXERCISE("1.2");
}
"""
hints = {}
'''

LAB2 = '''\
title = "Multiplying"
summary = "More of the same."
time = "2 hours"
difficulty = "hard"
handout = "handouts/lab2.md"
files = ["labs/02-multiplying/lab.toml", "two/**", "handouts/lab2.md", "grade/test_multiplying.py"]
editable = ["two/multiply.c"]

[[exercise]]
id = "2.1"
title = "Multiply"
points = 10
difficulty = "hard"
stub = """
int multiply(int a, int b)
{
    EXERCISE("2.1");
}
"""
hints = {}
'''

FILES = {
    "labs/course.toml": COURSE,
    "labs/01-adding/lab.toml": LAB1,
    "labs/02-multiplying/lab.toml": LAB2,
    "Makefile": "all:\n",
    "scripts/run": "#!/bin/sh\n",
    "secret.txt": "nothing for students\n",
    "lib/tiny.h": "#pragma once\n",
    "one/add.h": "#pragma once\nint add(int a, int b);\nint twice(int a);\n",
    "one/add.c": """\
/* Sums. */
#include "add.h"
#include "numbers.h"
#include <stdio.h>

/* exercise 1.1 */
int add(int a, int b)
{
    int result_of_the_addition = a + b;
    return result_of_the_addition;
}
/* end 1.1 */

static int unrelated(void) { return 0; }

/* exercise 1.2 */
int twice(int a)
{
    return add(a, a) + unrelated();
}
/* end 1.2 */
""",
    "two/multiply.c": """\
/* Products. */
#include "../one/add.h"
#include "tiny.h"

/* exercise 2.1 */
int multiply(int a, int b)
{
    int product_so_far = 0;
    int how_many_rounds = b < 0 ? -b : b;
    int what_to_add = b < 0 ? -a : a;
    for (int round_of_adding = 0; round_of_adding < how_many_rounds; round_of_adding++)
        product_so_far = add(product_so_far, what_to_add);
    return product_so_far;
}
/* end 2.1 */
""",
    "handouts/lab1.md": "# Adding\n\n## Exercise 1.1: Add\n\n## Exercise 1.2: Double\n",
    "handouts/lab2.md": "# Multiplying\n\n### Exercise 2.1: Multiply\n",
    "grade/test_adding.py": """\
@exercise("1.1", points=10)
def test_add(): pass

@pytest.mark.exercise("1.2", points=5)
def test_twice(): pass
""",
    "grade/test_multiplying.py": '@exercise("2.1", points=10)\ndef test_multiply(): pass\n',
}


def write_files(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)


def make_course(root: Path, changes: dict[str, str] | None = None) -> Source:
    """The tiny course, read; changes replaces or adds files."""
    write_files(root, {**FILES, **(changes or {})})
    return read_source(root)


def change(root: Path, path: str, old: str, new: str) -> Source:
    """The tiny course with one change in one file."""
    text = FILES[path]
    assert old in text
    write_files(root, {**FILES, path: text.replace(old, new)})
    return read_source(root)
