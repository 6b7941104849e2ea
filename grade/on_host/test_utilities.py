"""The utilities of user/bin, against the host's own.

Each case of utilities.txt is a shell script. It runs twice in equal fresh folders, once with our
utilities in front of PATH, once without; output, exit status, whether there was a complaint, and
what is in the folder afterwards must be the same. Where the host's tools do something else on
purpose, a second table states what is expected.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from grade.on_host.build import UTILITIES, needs_compiler
from grade.on_host.scripts import needs_gnu, run

pytestmark = [needs_compiler, needs_gnu]

CASES = (Path(__file__).parent / "utilities.txt").read_text()


def table(text: str) -> list[str]:
    """One script per line; a line that continues a quoted string belongs to the line before."""
    scripts: list[str] = []
    for line in text.strip().splitlines():
        if (
            scripts
            and scripts[-1].replace("\\'", "").count("'") % 2 == 1
            and "\"'" not in scripts[-1]
        ):
            scripts[-1] += "\n" + line
        elif line and not line.startswith("#"):
            scripts.append(line)
    return scripts


@pytest.mark.parametrize("script", table(CASES))
def test_as_the_host_does(script: str, ours: Path, folders: tuple[Path, Path]) -> None:
    mine, theirs = run(script, folders[0], ours), run(script, folders[1], None)
    assert mine.output == theirs.output
    assert (mine.status, bool(mine.complaint)) == (
        theirs.status,
        bool(theirs.complaint),
    ), mine.complaint
    assert mine.tree == theirs.tree


# ---- Where ours differ on purpose, or the host has no such tool --------------------------------

EXPECTED = {
    # what the messages look like: name, what, reason
    "cat nosuch 2>&1": "cat: nosuch: No such file or directory\n",
    "rm d 2>&1": "rm: d: is a directory (-r removes it)\n",
    "rm -r / 2>&1": "rm: /: refusing to remove the root directory\n",
    "rm -rf ./.. 2>&1": "rm: ./..: refusing to remove '.' or '..'\n",
    "cp -r d d/x 2>&1; ls d": "cp: d: cannot copy a directory into itself, 'd/x'\nf1\nf2\nsub\n",
    "cp -r d d/sub/more/x 2>&1; ls d/sub/more":
        "cp: d: cannot copy a directory into itself, 'd/sub/more/x'\nleaf\n",
    "cp -r d dlink 2>/dev/null; echo $?; ls d": "1\nf1\nf2\nsub\n",
    "mv d d/sub 2>&1; ls d": "mv: d: cannot move a directory into itself, 'd/sub/d'\nf1\nf2\nsub\n",
    "ln numbers hard; mv numbers hard; stat -c %h hard; cat numbers 2>/dev/null": "1\n",
    "cat -Z 2>&1 | tail -n 1": "usage: cat [-n] [-u] [FILE]...\n",
    "grep '\\(a\\)\\1' words 2>&1": "grep: back-references are not supported\n",
    # diff: always unified
    "diff d/f1 e/f2 | tail -n +3": "@@ -1,2 +1,2 @@\n-one\n two\n+3\n",
    "diff -U 0 d/f1 e/f2 | tail -n +3": "@@ -1 +0,0 @@\n-one\n@@ -2,0 +2 @@\n+3\n",
    "diff nonl d/f1 | tail -n +3":
        "@@ -1,3 +1,2 @@\n-first\n-second\n-last\n\\ No newline at end of file\n+one\n+two\n",
    "diff nonl - < nonl; echo $?": "0\n",
    "diff -r d e | grep -v '^[-+@ ]'": "Only in d: .hidden\ndiff -ru d/f2 e/f2\n"
                                       "Only in e: only\nOnly in d/sub: more\n",
    "diff d e | grep -v '^[-+@ ]'": "Only in d: .hidden\ndiff -u d/f2 e/f2\nOnly in e: only\n"
                                    "Common subdirectories: d/sub and e/sub\n",
    "diff -rN d e | grep -c '^diff'": "4\n",
    "diff numbers d 2>&1; echo $?": "diff: d/numbers: No such file or directory\n2\n",
    # URIs as words: nothing of that name is here, so they are what they look like
    "ln -s fs:root:motd hollow; ls hollow": "motd\n",
    "ln -s fs:root:etc/motd hollow; ls hollow": "motd\n",
    "ln -s proc:list: hollow; ls hollow": "list\n",
    "touch 12:30; cp 12:30 hollow; ls hollow": "12:30\n",
    "touch 12:30; mv 12:30 hollow; ls hollow": "12:30\n",
    "ls proc: 2>&1": "ls: proc:: No such file or directory\n",
    # du, df, stat
    "df / | head -n 1 | tr -s ' '": "Filesystem 1K-blocks Used Avail Use%\n",
    "df -h / | wc -l": "2\n",
    "df nosuch 2>&1 > x": "df: nosuch: No such file or directory\n",
    "stat csv | grep Modify": "Modify: 2020-09-13 14:56:40.000000000 +0000\n",
    "stat link | head -n 1": "  File: link -> numbers\n",
    "stat -c %A%q script": "-rwxr-xr-x?\n",
    # xargs asks the system how many arguments it takes
    "seq 100000 | xargs echo | tr ' ' '\\n' | sha256sum; seq 100000 | sha256sum":
        (hashlib.sha256(b"".join(b"%d\n" % n for n in range(1, 100001))).hexdigest() + "  -\n") * 2,
    # tail -f sees what is appended
    "(sleep 0.3; echo more >> words) & timeout 1 tail -n 1 -f words": "pear\nmore\n",
    # pipes: what is typed comes through at once, and a reader that leaves is no news
    "(echo a; sleep 0.3; echo b) | cat | (read x; echo got $x; cat)": "got a\nb\n",
    "yes 2>&1 | head -n 1": "y\n",
    "cat long long long 2>&1 | head -c 2": "xx",
    "cat binary | hexdump -C -s 10238 | tr -s ' '": "000027fe fe ff |..|\n00002800\n",
    "hexdump -C -s 1k binary nosuch 2>/dev/null | head -n 1 | cut -c 1-12": "00000400  00\n",
    # crash
    "crash null; echo $?": "139\n",
    "crash kernel; echo $?": "139\n",
    "crash write; echo $?": "139\n",
    "crash abort; echo $?": "134\n",
    "crash spin & sleep 0.2; kill $! && wait $!; echo $?": "143\n",
    "crash spawn 5": "crash: started 5 programs: as asked\ncrash: all have ended\n",
    "crash; echo $?": "2\n",
    "crash nonsense; echo $?": "2\n",
}


@pytest.mark.parametrize("script", EXPECTED)
def test_as_stated(script: str, ours: Path, folders: tuple[Path, Path]) -> None:
    signals = "export ASAN_OPTIONS=$ASAN_OPTIONS:handle_segv=0:handle_abort=0"
    mine = run(f"{signals}; {script}", folders[0], ours)
    assert mine.output.decode() == EXPECTED[script], mine.complaint


@pytest.mark.parametrize("name", UTILITIES)
def test_help_and_misuse(name: str, ours: Path, folders: tuple[Path, Path]) -> None:
    script = f"env {name} --help && env {name} --no-such-option > /dev/null; [ $? -ne 0 ]"
    answer = run(script, folders[0], ours)
    assert answer.status == 0
    assert answer.output.startswith(f"usage: {name}".encode()) and answer.output.endswith(b"\n")
    assert max(len(line) for line in answer.output.decode().splitlines()) <= 100
    assert answer.complaint


@pytest.mark.parametrize("script", [
    "cat numbers", "head numbers", "tail numbers", "wc numbers", "sort words", "uniq runs",
    "cut -b 1 words", "tr a b < words", "grep a words", "find d", "ls", "stat d", "df /", "du d",
    "dd if=numbers status=none", "cmp numbers words", "diff numbers words", "yes", "seq 5",
    "basename x", "dirname x", "env pwd", "sha256sum words", "hexdump words",
    "echo x | tee /dev/null", "mktemp -u", "cp -v words x", "rm -v words",
])
def test_failed_output_is_an_error(script: str, ours: Path, folders: tuple[Path, Path]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    answer = run(f"({script}) > /dev/full", folders[0], ours)
    assert answer.status != 0
    assert b"No space left on device" in answer.complaint


def test_trees_deeper_than_descriptors_and_stack(ours: Path, folders: tuple[Path, Path]) -> None:
    """1,500 levels with 64 descriptors and a stack of 256 KiB."""
    script = """ulimit -n 64
        p=$(yes d | head -n 1500 | tr '\\n' /)
        mkdir -p x/$p && echo leaf > x/${p}leaf || exit 1
        find x | wc -l
        du -b x | wc -l
        cp -r x y && grep -rl leaf y | wc -l
        ls -R y | wc -l
        chmod -R go-w y && diff -r x y && rm -r x y && ls -d x y 2>/dev/null"""
    answer = run(script, folders[0], ours)
    counts = answer.output.decode().split()
    assert counts == ["1502", "1501", "1", str(3 * 1501 - 1)], answer.complaint


def test_moves_across_file_systems(ours: Path, folders: tuple[Path, Path]) -> None:
    other = Path("/dev/shm")
    folders[0].mkdir()
    if not other.is_dir() or other.stat().st_dev == folders[0].stat().st_dev:
        pytest.skip("no second file system")
    target = other / f"cairn-{os.getpid()}"
    target.mkdir()
    try:
        answer = run(f"mv d numbers link script {target} && cd {target} && find . | sort && "
                     "cat numbers | wc -l && stat -c '%a %Y' script d/f1 d", folders[0], ours)
        assert answer.output.decode().split("\n") == [
            ".", "./d", "./d/.hidden", "./d/f1", "./d/f2", "./d/sub", "./d/sub/deep",
            "./d/sub/more", "./d/sub/more/leaf", "./link", "./numbers", "./script", "100",
            "755 1600016000", "644 1600018000", "755 1400000000", ""], answer.complaint
        assert not {"d", "numbers", "link", "script"} & set(answer.tree)
    finally:
        shutil.rmtree(target)
