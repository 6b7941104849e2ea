"""What the book puts into the pages of labs, on two small labs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "scripts"))
from book.labs import Labs  # noqa: E402
from book.problem import PageError  # noqa: E402

LAB_TOML = """
title = "{title}"
summary = "About {title}."
time = "2 hours"
difficulty = "easy"
handout = "handouts/labs/{page}.md"
files = ["kernel/{page}/**", "!kernel/{page}/given.c"]
editable = ["kernel/{page}/*.c"]
[[exercise]]
id = "{number}.1"
title = "Add `two` numbers"
points = 7
difficulty = "hard"
stub = ''
[exercise.hints]
"it is | 0" = "Carry."
[[exercise]]
id = "{number}.2"
title = "Subtract"
points = 4
difficulty = "easy"
stub = ''
[exercise.hints]
"""
LAB_PAGE = """# Lab 1

<!-- lab -->

### Exercise 1.1: Add `two` numbers

<!-- exercise 1.1 -->

### Exercise 1.2: Subtract

<!-- exercise 1.2 -->
"""


@pytest.fixture
def labs(tmp_path: Path) -> Labs:
    """Two small labs."""
    for number, page in ((1, "sums"), (2, "more")):
        folder = tmp_path / f"labs/0{number}-{page}"
        folder.mkdir(parents=True)
        text = LAB_TOML.format(number=number, page=page, title=page.title())
        (folder / "lab.toml").write_text(text)
        source = tmp_path / "kernel" / page
        source.mkdir(parents=True)
        (source / "add.c").write_text(f"/* exercise {number}.1 */\n/* end {number}.1 */\n")
        (source / "given.c").write_text("")
    (tmp_path / "grade/lab1").mkdir(parents=True)
    (tmp_path / "grade/lab1/test_sums.py").write_text(
        '@pytest.mark.exercise("1.1", points=4)\ndef test_carry() -> None: ...\n'
        '@pytest.mark.exercise("1.1", points=3)\ndef test_no_carry() -> None: ...\n'
    )
    pages = tmp_path / "handouts/labs"
    pages.mkdir(parents=True)
    (pages / "index.md").write_text("# Labs\n")
    (pages / "sums.md").write_text(LAB_PAGE)
    return Labs.read(tmp_path)


def test_lab_page_is_filled_in(labs: Labs) -> None:
    page = labs.expand("labs/sums.md", LAB_PAGE)
    assert "<!--" not in page
    assert "### Exercise 1.1: Add `two` numbers {#exercise-1-1}" in page
    assert "7 points · hard · in `kernel/sums/add.c` · `make grade EX=1.1`" in page
    assert "Graded by `test_carry` (4 points), `test_no_carry` (3 points) in `grade/lab1/" in page
    assert r"| it is \| 0 | Carry. |" in page
    assert "2 hours · easy · 11 points in 2 exercises · branch `lab1`" in page
    assert "| [1.2](#exercise-1-2) | Subtract | 4 | easy |" in page
    assert "| `kernel/sums/` | `add.c` |" in page, "given.c is taken out of the lab's files"


def test_tables_of_labs_link_to_the_pages_that_are_there(labs: Labs) -> None:
    assert labs.navigation() == ["labs/index.md", '"Lab 1: Sums": labs/sums.md']
    table = labs.expand("labs/index.md", "<!-- labs -->")
    assert "| 1 | **[Sums](sums.md)**. About Sums. | 2 hours | 11 |" in table
    assert "| 2 | **More**. About More. |" in table
    assert "[Sums](labs/sums.md)" in labs.expand("index.md", "<!-- labs -->")
    reference = labs.exercises_page()
    assert "| [1.1](../labs/sums.md#exercise-1-1) | Add `two` numbers | 7 |" in reference
    assert "| 2.1 | Add `two` numbers | 7 |" in reference


@pytest.mark.parametrize(
    ("page", "before", "after", "line", "complaint"),
    [
        ("sums", "<!-- exercise 1.2 -->", "<!-- exercise 1.3 -->", 11, "lab 1 has no exercise 1.3"),
        ("sums", "<!-- exercise 1.2 -->", "<!-- exercise -->", 11, "no exercise (no number)"),
        ("sums", "<!-- exercise 1.2 -->", "", 9, "<!-- exercise 1.2 --> is missing"),
        ("sums", "<!-- exercise 1.2 -->", "<!-- exercise 1.1 -->", 11, "is also in line 7"),
        ("sums", "<!-- exercise 1.2 -->", "<!-- exercise: 1.2 -->", 11, "is no placeholder"),
        ("sums", "<!-- lab -->", "", 1, "<!-- lab --> is missing"),
        ("sums", "<!-- lab -->", "<!-- lab 1 -->", 3, "takes nothing behind its name"),
        ("sums", "Exercise 1.2: Sub", "Exercise 1.1: Sub", 11, "not `Exercise 1.2: ...`"),
        ("sums", "Subtract", "Divide", 11, "says 'Divide', lab.toml 'Subtract'"),
        ("sums", "# Lab 1", "[next](more.md)", 1, "not in every tree"),
        ("index", "# Lab 1", "[first](sums.md#x)", 1, "not in every tree"),
        ("index", "", "", 3, "on a page that no lab.toml names"),
    ],
)
def test_wrong_lab_pages(
    labs: Labs, page: str, before: str, after: str, line: int, complaint: str
) -> None:
    with pytest.raises(PageError, match=re.escape(complaint)) as caught:
        labs.expand(f"labs/{page}.md", LAB_PAGE.replace(before, after))
    assert caught.value.line == line


def test_what_stands_in_code_is_left_alone(labs: Labs) -> None:
    text = "````\n<!-- exercise 9.9 -->\n```\n[x](more.md)\n````\n"
    assert labs.expand("index.md", text) == text
