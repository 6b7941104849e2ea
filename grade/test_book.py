"""The book: it builds without a warning, its links hold, it needs no network, and what it and the
README tell the reader to write works as shown."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from grade.course.source import read_source
from grade.course.tree import starter, write_tree
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory
from grade.markers import marked_tests

REPOSITORY = Path(__file__).resolve().parent.parent
MAKE_BOOK = REPOSITORY / "scripts/make-book"
TOP_LEVEL = ("Makefile", "kernel", "servers", "user", "root", "grade", "scripts")
BUILD_LIMIT = 120.0
EXAMPLE = re.compile(r"Write\s+`(?P<path>[\w/.]+)`:\n\n```c\n(?P<code>.*?)^```$", re.DOTALL | re.M)
LEFT_OVER = re.compile(r"&lt;!-- (?:operations|source|services|names|readme|labs?|exercise)\b")
SERVICE = re.compile(r"^```\n(?P<section>service \w+\n.*?)^```$", re.DOTALL | re.M)

sys.path.insert(0, str(REPOSITORY / "scripts"))
from book.check import Book  # noqa: E402
from book.diagram import DiagramError, draw  # noqa: E402
from book.headers import integer, parse_header  # noqa: E402
from book.pages import Source  # noqa: E402
from book.problem import PageError  # noqa: E402


needs_mkdocs = pytest.mark.skipif(
    shutil.which("mkdocs") is None, reason="mkdocs-material is not installed"
)


def make_book(program: Path, target: Path) -> Path:
    """The built book; make-book has checked it."""
    answer = subprocess.run(
        [sys.executable, program, target],
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_LIMIT,
    )
    assert answer.returncode == 0, answer.stderr
    return target / "book"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_book(MAKE_BOOK, tmp_path_factory.mktemp("book"))


def rows_of(page: str) -> dict[str, list[str]]:
    """The rows of a page's tables, without markup, by their first cell."""
    rows = {}
    for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL):
        cells = [re.sub(r"<[^>]+>", "", c) for c in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)]
        if cells:
            rows[cells[0]] = cells[1:]
    return rows


@needs_mkdocs
class TestBook:
    def test_every_page_of_the_reference_is_there(self, book: Path) -> None:
        syscalls = (book / "reference/syscalls.html").read_text()
        for line in (REPOSITORY / "kernel/abi/syscalls.tbl").read_text().splitlines():
            if line.startswith("0x"):
                name = line.split("|")[1].strip().lstrip("*")
                assert f'id="{name}"' in syscalls, f"{name} is not in the reference"
        protocols = (book / "reference/protocols.html").read_text()
        for header in (REPOSITORY / "servers/proto").glob("*.h"):
            for enumerator in parse_header(header).operations.enumerators:
                assert enumerator.name in protocols
        errors = (book / "reference/errors.html").read_text()
        for name in re.findall(
            r"#define (E\w+) \d", (REPOSITORY / "kernel/abi/errno.h").read_text()
        ):
            assert f"<code>{name}</code>" in errors

    def test_no_marks_are_left_over(self, book: Path) -> None:
        for page in book.rglob("*.html"):
            text = page.read_text()
            if page.name not in ("writing.html", "instructor.html"):  # they show such marks
                assert not LEFT_OVER.search(text), page
                assert not re.search(r"\{\{[A-Z_0-9]+(:bytes)?\}\}", text), page
            assert "```" not in text or page.name in ("writing.html", "instructor.html")

    def test_no_solution_is_shown(self, book: Path) -> None:
        """A distinctive line of each exercise in the source is on no page."""
        pages = "\n".join(page.read_text() for page in book.rglob("*.html"))
        plain = (
            re.sub(r"<[^>]+>", "", pages)
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
        )
        regions = re.compile(r"/\* exercise (\S+) \*/\n(.*?)/\* end \1 \*/", re.DOTALL)
        for path in (*REPOSITORY.glob("kernel/**/*.c"), *REPOSITORY.glob("servers/**/*.c")):
            for match in regions.finditer(path.read_text()):
                longest = max(match[2].splitlines(), key=len).strip()
                assert longest not in plain, f"exercise {match[1]} is given away: {longest}"

    def test_every_exercise_is_in_the_reference(self, book: Path) -> None:
        """With the points, the place and the tests that lab.toml, source and markers give it."""
        rows = rows_of((book / "reference/exercises.html").read_text())
        course = read_source(REPOSITORY)
        assert course.exercises
        for identity, exercise in course.exercises.items():
            title, points, difficulty, place, tests = rows[identity]
            assert (title, points, difficulty) == (
                exercise.title.replace("`", "").replace("&", "&amp;"),
                str(exercise.points),
                exercise.difficulty,
            )
            assert place == course.regions[identity].path
            wanted = {m.test for m in marked_tests(REPOSITORY) if m.exercise == identity}
            assert set(filter(None, tests.split(", "))) == wanted

    def test_labs_are_in_the_navigation(self, book: Path) -> None:
        index = (book / "index.html").read_text()
        assert 'href="labs/index.html"' in index and 'href="instructor.html"' in index
        for lab in read_source(REPOSITORY).labs:
            page = Path(lab.handout).relative_to("handouts").with_suffix(".html")
            if (REPOSITORY / lab.handout).is_file():
                assert f'href="{page}"' in index
                shown = (book / page).read_text()
                for exercise in lab.exercises:
                    assert f'id="exercise-{exercise.id.replace(".", "-")}"' in shown

    def test_names_are_those_of_a_running_system(self, book: Path, machine: Machine) -> None:
        """Both ways: what `ls ns:` shows is on the page, and the page invents nothing."""
        page = (book / "reference/namespace.html").read_text()
        listed = page[page.index("<table>") : page.index("</table>")]
        told = {name.rstrip(":") for name in re.findall(r"<td><code>([^<]+)</code></td>", listed)}
        shown = {name.rstrip(":") for name in machine.console.check("ls -1 ns:").split()}
        assert {name for name in shown if not name.startswith("serial")} == told


@needs_mkdocs
@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ('<a href="nowhere.html">x</a>', "nowhere.html leads nowhere"),
        ('<a href="kernel.html#nothing">x</a>', "no such anchor"),
        ('<a href="../../etc/passwd">x</a>', "leads nowhere"),
        ('<script src="https://example.org/x.js"></script>', "would be fetched from elsewhere"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "would be fetched from elsewhere"),
        ('<img src="http://example.org/x.png">', "would be fetched from elsewhere"),
        ('<img src="missing.png">', "missing.png leads nowhere"),
        ("<style>p { background: url(https://example.org/x) }</style>", "from elsewhere"),
        ('<a href="https://example.org/">a link that nobody must follow</a>', ""),
    ],
)
def test_check_finds_damage(book: Path, tmp_path: Path, damage: str, complaint: str) -> None:
    """The check itself, on a copy of the book with one mistake in it."""
    copy = tmp_path / "book"
    shutil.copytree(book, copy)
    page = copy / "index.html"
    page.write_text(page.read_text().replace("</article>", f"{damage}</article>"))
    problems = Book(copy).check()
    if complaint:
        assert any(complaint in problem for problem in problems), problems
    else:
        assert not problems


def test_check_finds_a_font_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>x</p>")
    (tmp_path / "x.css").write_text("@font-face { src: url('https://example.org/f.woff') }")
    assert any("from elsewhere" in problem for problem in Book(tmp_path).check())


@needs_mkdocs
def test_book_of_a_students_tree(tmp_path: Path) -> None:
    """Where later labs and the instructor's pages are missing; a page says what comes later."""
    course = read_source(REPOSITORY)
    write_tree(starter(course, 2), tmp_path / "tree")
    book = make_book(tmp_path / "tree/scripts/make-book", tmp_path / "build")
    index = (book / "index.html").read_text()
    assert "instructor.html" not in index and 'href="labs/index.html"' in index
    assert not (book / "instructor.html").exists()
    shown = rows_of((book / "reference/exercises.html").read_text())
    assert set(shown) == {e.id for lab in course.labs[:2] for e in lab.exercises}
    assert "Comes with a later lab" in (book / "servers/blkd.html").read_text()
    assert len(rows_of((book / "labs/index.html").read_text()).keys() & {"1", "2", "3"}) == 2


def test_anchors_may_be_missing_in_a_students_tree_only(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<a href="index.html#later">x</a>')
    assert Book(tmp_path).check() and not Book(tmp_path, is_partial=True).check()
    (tmp_path / "index.html").write_text('<a href="later.html">x</a>')
    assert Book(tmp_path, is_partial=True).check()


@needs_mkdocs
def test_mistake_on_a_page_is_an_error_of_the_build(tmp_path: Path) -> None:
    """It names the file and the line, and there is no book."""
    write_tree(starter(read_source(REPOSITORY), 1), tmp_path / "tree")
    page = tmp_path / "tree/handouts/labs/index.md"
    page.write_text(page.read_text() + "\n<!-- exercise 1.1 -->\n")
    line = len(page.read_text().splitlines())
    answer = subprocess.run(
        [sys.executable, tmp_path / "tree/scripts/make-book", tmp_path / "build"],
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_LIMIT,
    )
    assert answer.returncode == 1 and not (tmp_path / "build/book").exists()
    assert f"handouts/labs/index.md:{line}: exercise 1.1" in answer.stderr


# ---- The pieces that make-book puts into pages ----------------------------------------------


def test_unknown_pieces_are_errors() -> None:
    source = Source(REPOSITORY)
    for text in (
        "{{NO_SUCH_CONSTANT}}",
        "<!-- operations: proto/none.h -->",
        "<!-- source: kernel/boot/kmain.c no_such_function -->",
        "<!-- readme: No such section -->",
        "<!-- nonsense -->",
    ):
        with pytest.raises((PageError, OSError)):
            source.expand(text)


def test_files_that_pages_name_are_there() -> None:
    source = Source(REPOSITORY)
    source.check_names("`kernel/boot/` `user/bin/NAME.c`\nWrite\n`user/bin/new.c`, not `new.c`.")
    with pytest.raises(PageError, match="there is no kernel/boot/kmain.d") as caught:
        source.check_names("`kernel/boot/kmain.c`\n\nSee `kernel/boot/kmain.d`.")
    assert caught.value.line == 3
    source.check_names((REPOSITORY / "README.md").read_text())


def test_later_labs_pieces_in_a_students_tree(tmp_path: Path) -> None:
    assert not Source(tmp_path).is_partial, "a tree without labs is nobody's work"
    (tmp_path / "labs").mkdir()
    text = "<!-- source: kernel/x.c f -->\n\n{{LATER:bytes}}"
    assert Source(tmp_path).expand(text) == "*Comes with a later lab: `kernel/x.c f`.*\n\n`LATER`"
    (tmp_path / "labs/course.toml").write_text("")
    with pytest.raises(PageError):
        Source(tmp_path).expand(text)


def test_exercises_are_kept_back(tmp_path: Path) -> None:
    code = "/* exercise 9.1 */\nint answer(void)\n{\n    return 42;\n}\n/* end 9.1 */\n"
    (tmp_path / "x.c").write_text(code + "int other(void)\n{\n    return 1;\n}\n")
    source = Source(tmp_path)
    shown = source.expand("<!-- source: x.c answer -->")
    assert "42" not in shown and "exercise 9.1" in shown
    assert "return 1" in source.expand("<!-- source: x.c other -->")


def test_header_is_understood(tmp_path: Path) -> None:
    (tmp_path / "x.h").write_text(
        "/* About it.\n *\n * More. */\n#pragma once\n\n#define SIZE (4 * 1024ul) /* bytes */\n\n"
        "enum x_operation {\n    X_ONE = 1, /* first,\n                  on two lines */\n"
        "    /* Others. */\n    X_TWO,\n    X_BIG = 0x1000,\n};\n\n"
        "/* A struct. */\nstruct x {\n    union { int a, b; };\n};\n"
    )
    header = parse_header(tmp_path / "x.h")
    assert header.about == "About it.\n\nMore."
    one, two, big = header.operations.enumerators
    assert (one.value, two.value, big.value) == (1, 2, 0x1000)
    assert one.comment.split() == ["first,", "on", "two", "lines"]
    assert two.heading == "Others." and not two.comment
    struct = header.items[-1]
    assert (struct.kind, struct.name, struct.comment) == ("struct", "x", "A struct.")
    assert struct.source.endswith("};")


@pytest.mark.parametrize(
    ("text", "value"),
    [("0x10ul", 16), ("(1 << 20)", 1 << 20), ("0170000", 0o170000), ("8 * N", 24)],
)
def test_constant_expressions(text: str, value: int) -> None:
    assert integer(text, {"N": 3}) == value


@pytest.mark.parametrize("text", ["sizeof(int)", "__import__('os')", "OTHER", '"text"'])
def test_what_is_no_constant(text: str) -> None:
    with pytest.raises((ValueError, SyntaxError)):
        integer(text, {})


def test_diagram_is_drawn() -> None:
    svg = draw("+-----+   go   +-----+\n| {k} +------->| b-c |\n+-----+        +-----+\n", "x & y")
    assert 'aria-label="x &amp; y"' in svg
    assert svg.count('class="head"') == 1 and svg.count('class="kernel"') == 1
    assert re.findall(r"<text[^>]*>([^<]+)</text>", svg) == ["go", "b-c"]


def test_heads_at_corners_are_drawn() -> None:
    """Also where a box has a corner or a junction: one head a mark."""
    svg = draw("+--+--+\n|  |  |\n+--+--+\n   ^\n   |\n   v\n+--+--+\n|     |\n+-----+\n", "x")
    assert svg.count('class="head"') == 2


@pytest.mark.parametrize("text", ["", "{k} no box", "+---+\n| {z} |\n+---+", "a\tb"])
def test_what_is_no_diagram(text: str) -> None:
    with pytest.raises(DiagramError):
        draw(text, "x")


# ---- What the reader is told to write --------------------------------------------------------


def examples() -> tuple[dict[str, str], list[str]]:
    """Files, and sections for services.conf, from the README and the page on servers."""
    files: dict[str, str] = {}
    sections: list[str] = []
    for name in ("README.md", "handouts/first-server.md"):
        text = (REPOSITORY / name).read_text()
        files |= {match["path"]: match["code"] for match in EXAMPLE.finditer(text)}
        sections += [match["section"] for match in SERVICE.finditer(text)]
    return files, sections


def copy_tree(tree: Path) -> None:
    """The sources, with their times, so that make sees nothing to do but what is new."""
    tree.mkdir()
    for name in TOP_LEVEL:
        if (REPOSITORY / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
            shutil.copytree(REPOSITORY / name, tree / name, ignore=ignored)
        else:
            shutil.copy2(REPOSITORY / name, tree / name)


def add_examples(tree: Path) -> None:
    files, sections = examples()
    assert len(files) == 5 and len(sections) == 2, "the reader is told to write other things now"
    for name, code in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(code)
    configuration = tree / "servers/init/services.conf"
    before, shell, behind = configuration.read_text().partition("\nshell sh\n")
    configuration.write_text(before + "\n" + "\n".join(sections) + shell + behind)


def test_examples_work_as_shown(laboratory: Laboratory, tmp_path: Path) -> None:
    """Put them into a copy of the tree, build without a warning, boot, and type what is shown."""
    tree, build = tmp_path / "tree", tmp_path / "build"
    copy_tree(tree)
    add_examples(tree)
    ignored = shutil.ignore_patterns("host", "fuzz", "grade", "book*", "*.img", "*.sock", "disk.*")
    shutil.copytree(laboratory.build, build, ignore=ignored)
    answer = subprocess.run(
        ["make", "-s", f"BUILD={build}", "NO_SETUP=1", "CI=1", "all"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
        timeout=laboratory.limits.seconds(300),
    )
    assert answer.returncode == 0 and not answer.stderr, answer.stderr
    copied = replace(laboratory, build=build)
    machine = Machine(copied.config(), laboratory.limits)
    try:
        machine.console.wait_ready()
        check = machine.console.check
        assert check("greet you me") == "Hello, you.\nHello, me.\n"
        first = re.fullmatch(
            r"Hello from process (\d+), \d+ ms after the start.\n", check("cat hello:")
        )
        assert first
        check(f"kill -9 {first[1]}")
        second = re.match(r"Hello from process (\d+),", check("cat hello:"))
        assert second and second[1] != first[1], "the second answer is the new server's"
        assert check("count 1 20 300") == "321\n"
        for _ in range(20):  # more than there are counters: each is given back
            assert check("count 7") == "7\n"
        machine.power_off()
    finally:
        machine.close()
