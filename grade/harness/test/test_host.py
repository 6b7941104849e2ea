"""Programs on the host: what comes out of a good one, and how each kind of bad one fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from grade.harness.failure import GuestFailure, GuestTimeout
from grade.harness.host import HostProgram, build_host_program
from grade.harness.limits import Limits


def build(folder: Path, text: str, *others: str) -> HostProgram:
    header = folder / "user/libcairn/include/cairn/exercise.h"
    header.parent.mkdir(parents=True, exist_ok=True)
    header.write_text("")
    (folder / "program.c").write_text(f"#include <stdio.h>\n#include <stdlib.h>\n{text}")
    sources = ("program.c", *others)
    return build_host_program(folder, folder / "build", "program", sources, (), Limits())


def test_output_of_a_good_program(tmp_path: Path) -> None:
    echo = "int main(void) { int c; while ((c = getchar()) != EOF) putchar(c + 1); return 0; }"
    program = build(tmp_path, echo)
    assert program.run("HAL") == "IBM"
    assert build(tmp_path, echo).path == program.path
    assert build(tmp_path, echo.replace("+ 1", "+ 2")).run("HAL") == "JCN"


def test_only_what_changed_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "other.c").write_text("int other(void) { return 0; }")
    text = "int other(void); int main(void) { return other() + %d; }"
    build(tmp_path, text % 3, "other.c")
    (before,) = tmp_path.glob("build/**/other-*.o")
    made = before.stat().st_mtime_ns
    end = build(tmp_path, text % 4, "other.c").execute()
    assert end.problem == "it ended with status 4"
    (after,) = tmp_path.glob("build/**/other-*.o")
    assert (after, after.stat().st_mtime_ns) == (before, made)


def test_what_came_before_the_end_is_kept(tmp_path: Path) -> None:
    body = "puts(argv[1]); fflush(stdout); if (getchar() == 'x') __builtin_trap();"
    program = build(tmp_path, f"int main(int argc, char **argv) {{ {body} }}")
    assert program.execute("word").problem == ""
    end = program.execute("word", text="x")
    assert end.output == "word\n"
    assert "SIG" in end.problem


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('fputs("exercise 9.1 is yours to write: f\\n", stderr); exit(64);', "exercise 9.1 is yours"),
        ("exit(3);", "status 3"),
        ("char *p = malloc(1); free(p); return *(volatile char *)p;", "use-after-free"),
        ('for (;;) puts("all tests passed");', "floods"),
        ("__builtin_trap();", "died of SIG"),
    ],
)
def test_bad_end_is_a_failure(tmp_path: Path, body: str, said: str) -> None:
    program = build(tmp_path, f"int main(void) {{ {body} }}")
    with pytest.raises(GuestFailure, match=said):
        program.run("")


def test_program_without_an_end(tmp_path: Path) -> None:
    program = build(tmp_path, "int main(void) { for (;;) ; }")
    with pytest.raises(GuestTimeout):
        program.run("", seconds=0.2)


def test_program_that_does_not_compile(tmp_path: Path) -> None:
    with pytest.raises(GuestFailure, match="does not compile"):
        build(tmp_path, "int main(void) { return nothing; }")
