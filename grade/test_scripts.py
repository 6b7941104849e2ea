"""The scripts that make calls, run on their own: no guest is needed."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from grade.harness.disk import check_file_system, debugfs, read_file

REPOSITORY = Path(__file__).resolve().parent.parent
SCRIPTS = REPOSITORY / "scripts"
TABLE = REPOSITORY / "kernel/abi/syscalls.tbl"
LIMIT = 60.0
GOOD_LINE = "0x01 | one | handle_t a, const char *text | 0 | - | EBADF | Does it."


def run(script: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPTS / script, *map(str, arguments)],
        text=True,
        capture_output=True,
        check=False,
        timeout=LIMIT,
        **options,
    )


# ---- gen-syscalls ----------------------------------------------------------------------------


def generate(table: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    (tmp_path / "table").write_text(table + "\n")
    return run("gen-syscalls", tmp_path / "table", tmp_path / "build")


def test_syscall_files_are_made(tmp_path: Path) -> None:
    assert generate(GOOD_LINE, tmp_path).returncode == 0
    numbers = (tmp_path / "build/include/abi/syscall_numbers.h").read_text()
    assert "#define SYS_one 0x01" in numbers
    assert "#define SYSCALL_LAST 0x1 " in numbers
    stubs = (tmp_path / "build/include/cairn/syscall.h").read_text()
    assert "static inline int64_t one(handle_t a, const char *text)" in stubs
    assert (
        '[SYS_one] = {sys_one, "one"}'
        in (tmp_path / "build/kernel/trap/syscall_table.c").read_text()
    )


def test_starred_calls_have_no_stub(tmp_path: Path) -> None:
    assert generate(GOOD_LINE.replace("one", "*one", 1), tmp_path).returncode == 0
    assert "one(" not in (tmp_path / "build/include/cairn/syscall.h").read_text()
    assert "sys_one" in (tmp_path / "build/kernel/trap/syscall_table.c").read_text()


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (GOOD_LINE.replace("0x01", "zz"), "not hexadecimal"),
        (GOOD_LINE.replace("one", "One"), "identifier"),
        (GOOD_LINE + "\n" + GOOD_LINE, "table:2: number 0x1 is already one"),
        (GOOD_LINE + "\n" + GOOD_LINE.replace("0x01", "0x02"), "used twice"),
        (GOOD_LINE.rpartition("|")[0], "6 fields"),
        (GOOD_LINE.replace("handle_t a", "handle_t"), "TYPE NAME"),
        (GOOD_LINE.replace("handle_t a", ", ".join(f"int a{n}" for n in range(7))), "at most 6"),
        (GOOD_LINE.replace("EBADF", ""), "empty"),
        ("# nothing", "no calls"),
    ],
)
def test_table_errors_are_told(table: str, complaint: str, tmp_path: Path) -> None:
    answer = generate(table, tmp_path)
    assert answer.returncode == 1
    assert complaint in answer.stderr


def test_every_call_is_on_the_reference_page() -> None:
    page = run("gen-syscalls", "--page", TABLE).stdout
    names = [
        line.split("|")[1].strip().lstrip("*")
        for line in TABLE.read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert all(f"## `{name}`" in page for name in names)


# ---- gen-symbols -----------------------------------------------------------------------------


def test_symbols_are_functions_by_address() -> None:
    answer = run(
        "gen-symbols",
        input="0000000000000020 T late\n0000000000000010 t early\n"
        "0000000000000030 D data\n0000000000000040 t .L1\n",
    )
    lines = [line.strip() for line in answer.stdout.splitlines()]
    assert lines.count(".dword 2") == 1
    assert lines.index(".dword 0x10") < lines.index(".dword 0x20")
    assert lines.index('.string "early"') < lines.index('.string "late"')
    assert '"data"' not in answer.stdout and ".L1" not in answer.stdout
    assert lines[lines.index("symbol_names:") + 1 :][:2] == [".word 0", ".word 6"]


def test_no_symbols_is_an_error_unless_asked_for() -> None:
    assert run("gen-symbols", input="").returncode == 1
    assert ".dword 0" in run("gen-symbols", "--empty").stdout


# ---- make-archive, make-image ----------------------------------------------------------------


def members(archive: bytes) -> dict[str, bytes]:
    """Reads a newc archive: the check on what make-archive writes."""
    found: dict[str, bytes] = {}
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        name = archive[at + 110 : at + 110 + fields[11] - 1].decode()
        at = (at + 110 + fields[11] + 3) & ~3
        if name == "TRAILER!!!":
            return found
        found[name] = archive[at : at + fields[6]]
        at = (at + fields[6] + 3) & ~3


def test_archive_holds_the_files(tmp_path: Path) -> None:
    contents = {f"file{size}": os.urandom(size) for size in (0, 1, 2, 3, 4, 1000)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [tmp_path / name for name in contents]
    assert run("make-archive", "-o", tmp_path / "a.cpio", *paths).returncode == 0
    assert members((tmp_path / "a.cpio").read_bytes()) == contents


def test_archive_refuses_one_name_twice(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same").write_text(folder)
    answer = run("make-archive", "-o", tmp_path / "x", tmp_path / "a/same", tmp_path / "b/same")
    assert answer.returncode == 1 and "same" in answer.stderr


def test_image_is_clean_complete_and_always_the_same(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/with space").write_text("content")
    (tmp_path / "program").write_bytes(b"binary")
    images = [tmp_path / "1.img", tmp_path / "2.img"]
    for image in images:
        os.utime(root / "etc/with space")  # the host's times must not matter
        answer = run(
            "make-image", "-o", image, "--root", root, "--bin", tmp_path / "program", "--size", "16M"
        )
        assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")
    assert images[0].read_bytes() == images[1].read_bytes()
    assert b"ctime: 0x67748580" in debugfs(images[0], "stat /bin/program")
    assert check_file_system(images[0]).clean
    assert read_file(images[0], "/etc/with space") == b"content"
    assert read_file(images[0], "/bin/program") == b"binary"


# ---- run-qemu --------------------------------------------------------------------------------

STAND_IN = """
    #!{python}
    import os, re, sys
    if "--version" in sys.argv:
        sys.exit(print("QEMU emulator version 7.2.0"))
    log = next(word.removeprefix("file:") for word in sys.argv if word.startswith("file:"))
    if "unwritten plain" in sys.argv:
        open(log, "w").write("boot\\nexercise 6.1 is yours to write: f\\n" * 2)
    typed = b""
    while b"\\x04" not in typed and (data := os.read(0, 100)):
        typed += data
    print("typed:", typed.decode().encode("unicode_escape").decode(), flush=True)
    if b"twice" in typed:  # somebody else reads on, and must see an end as well
        print("again:", os.read(0, 1), flush=True)
    open(log, "w").write("boot\\nPANIC on hart 0: why\\n" if b"panic" in typed else "boot\\n")
    sys.exit(int(re.search(rb"exit (\\d+)|$", typed)[1] or 0))
"""


class TestRunQemu:
    """Against a stand-in for QEMU that shows what it is given."""

    @pytest.fixture
    def environment(self, tmp_path: Path) -> dict[str, str]:
        (tmp_path / "kernel.elf").write_bytes(b"")
        # With a console server in the archive; without it the terminal would be the UART's.
        (tmp_path / "boot.cpio").write_bytes(b"00000000consoled\0")
        stand_in = tmp_path / "qemu"
        stand_in.write_text(textwrap.dedent(STAND_IN).strip().format(python=sys.executable))
        stand_in.chmod(0o755)
        return os.environ | {
            "BUILD": str(tmp_path),
            "QEMU": str(stand_in),
            "SMP": "1",
            "DISK": "",
            "APPEND": "",
        }

    def test_input_is_typed_and_then_ended(self, environment: dict[str, str]) -> None:
        answer = run("run-qemu", input="one\ntwo", env=environment)
        assert answer.returncode == 0
        assert answer.stdout.startswith("typed: one\\ntwo\\x04")

    def test_end_of_input_lasts(self, environment: dict[str, str]) -> None:
        assert "again: b'\\x04'" in run("run-qemu", input="twice\n", env=environment).stdout

    def test_no_input_is_an_end_of_input(self, environment: dict[str, str]) -> None:
        answer = run("run-qemu", stdin=subprocess.DEVNULL, env=environment)
        assert (answer.returncode, answer.stdout[:11]) == (0, "typed: \\x04")

    def test_status_is_passed_on(self, environment: dict[str, str]) -> None:
        assert run("run-qemu", input="exit 5\n", env=environment).returncode == 5

    def test_panic_is_shown_and_fails(self, environment: dict[str, str]) -> None:
        answer = run("run-qemu", input="panic\n", env=environment)
        assert answer.returncode == 1
        assert "PANIC on hart 0: why" in answer.stderr
        assert "boot" not in answer.stderr.splitlines()

    def test_missing_exercises_are_told_at_once(self, environment: dict[str, str]) -> None:
        """Each once, while the guest still runs."""
        child = subprocess.Popen(
            [sys.executable, SCRIPTS / "run-qemu"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment | {"APPEND": "unwritten"},
            text=True,
        )
        assert child.stderr
        assert child.stderr.readline() == "exercise 6.1 is yours to write: f\n"
        assert child.communicate("\n", timeout=LIMIT)[1] == "" and child.returncode == 0

    @pytest.mark.parametrize(
        ("variable", "value", "complaint"),
        [
            ("SMP", "0", "SMP=0"),
            ("SMP", "many", "SMP=many"),
            ("DISK", "nosuch.img", "nosuch.img"),
            ("QEMU", "nosuch-qemu", "not installed"),
            ("BUILD", "nosuch", "run make"),
        ],
    )
    def test_wrong_variables_are_told(
        self, environment: dict[str, str], variable: str, value: str, complaint: str
    ) -> None:
        answer = run("run-qemu", stdin=subprocess.DEVNULL, env=environment | {variable: value})
        assert answer.returncode == 2
        assert complaint in answer.stderr

    def test_terminal_is_given_to_the_guest(self, environment: dict[str, str]) -> None:
        """What is typed arrives as it is, and nothing is added to it."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, SCRIPTS / "run-qemu"],
            stdin=theirs,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.write(ours, b"typed by hand\x16\x04\n")  # ^V: the line discipline leaves ^D alone
        assert child.communicate(timeout=LIMIT)[0].startswith("typed: typed by hand\\x04")
        os.close(ours)
        os.close(theirs)


def test_setup_asks_nobody_when_nothing_is_missing(tmp_path: Path) -> None:
    for name in ("apt-get", "sudo"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    answer = subprocess.run(
        [SCRIPTS / "setup"],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
        env=environment,
    )
    if "does not have yet" in answer.stdout:
        pytest.skip(f"tools are missing here: {answer.stdout.splitlines()[0]}")
    assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")
