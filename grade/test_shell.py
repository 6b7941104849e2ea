"""The shell on the console, judged by dash: the same line must give the same output and status."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grade.harness.console import Console
from grade.harness.disk import find_tool

INTERRUPTED = 128 + 2


@dataclass(frozen=True)
class Folder:
    """A fresh working directory on the host and one on the guest."""

    host: Path
    shell: Console

    def host_run(self, line: str) -> tuple[str, int]:
        """What dash makes of it."""
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": "/home"}
        answer = subprocess.run(
            [find_tool("dash"), "-c", line],
            cwd=self.host,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return answer.stdout, answer.returncode

    def same(self, line: str) -> None:
        """A shell of its own on each side: nothing is left of the line before."""
        result = self.shell.run(f"sh -c {shlex.quote(line)}")
        assert (result.output, result.status) == self.host_run(line), f"differs from dash: {line}"


@pytest.fixture
def folder(shell: Console, tmp_path: Path) -> Iterator[Folder]:
    name = f"/tmp/{os.urandom(4).hex()}"
    shell.check(f"mkdir {name}")
    shell.check(f"cd {name}")
    yield Folder(tmp_path, shell)
    if shell.machine.running:
        shell.check(f"cd / && rm -r {name}")


# One line each, all of it on standard output: what POSIX demands and dash does.
LINES = """
echo one   two
echo 'single $HOME "quotes"' "double 'quotes'" back\\ slash
echo "a  b"  a\\"b  'c'"d"e
x=5; echo $x ${x} "$x" '$x' "${x}y"
x='a b'; echo $x; echo "$x"
x=; echo "[${x:-default}]" "[${x-default}]" "[${y:-unset}]"
x=value; echo ${#x} ${x:+other} "[${y:+other}]"
x=file.tar.gz; echo ${x%.*} ${x%%.*} ${x#*.} ${x##*.}
echo $((1 + 2 * 3)) $((10 / 3)) $((10 % 3)) $(( (1 + 2) * 3 ))
x=4; echo $((x * x)) $((x > 3)) $((x == 3 || x == 4))
echo `echo backquotes` $(echo dollar $(echo nested))
true && echo yes
false && echo no
false || echo otherwise
true || echo never; echo always
false; echo $?
! true; echo $?
! false; echo $?
if true; then echo then; else echo else; fi
if false; then echo 1; elif true; then echo 2; else echo 3; fi
for i in 1 2 3; do echo $i; done
for i in a 'b c' d; do echo "[$i]"; done
i=0; while [ $i -lt 3 ]; do echo $i; i=$((i + 1)); done
i=0; until [ $i -ge 2 ]; do echo $i; i=$((i + 1)); done
for i in 1 2 3 4; do if [ $i = 3 ]; then break; fi; echo $i; done
for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; echo $i; done
case abc in a*) echo star;; *) echo other;; esac
case x in a|x) echo alternative;; esac
f() { echo "function $1 of $#"; return 3; }; f one two; echo $?
{ echo grouped; echo commands; } | tr a-z A-Z
(x=inner; echo $x); echo "[$x]"
x=1; (x=2); echo $x
echo to file > f; cat f; echo more >> f; cat f
echo one > f; echo two > f; cat < f
echo err 2>/dev/null 1>&2
echo out > f 2>&1; cat f
wc -l < /dev/null | tr -d ' '
{ cat < nosuchfile; } 2>/dev/null || echo failed
printf '%s\\n' b a c | sort
printf 'a\\nb\\nc\\n' | head -n 2 | tail -n 1
printf '%d %x %o %c|%5s|%-5s|%05d\\n' 10 255 8 z ab cd 42
printf '3\\n1\\n2\\n' | sort -n | tr '\\n' ' '; echo
printf 'a\\na\\nb\\n' | uniq -c | tr -s ' '
seq 5 | grep -v 3 | tr '\\n' ,; echo
seq 1 10 | wc -l | tr -d ' '
seq 3 | while read n; do echo "line $n"; done
printf 'a b c\\n' | { read x y; echo "$y-$x"; }
echo a:b:c | cut -d: -f2
touch b a c; echo *
touch x1 x2 y1; echo x* [xy]1 ?1
echo nomatch*
mkdir d; touch d/f; echo d/*
touch .hidden seen; echo *
[ -e nosuch ]; echo $?
touch f; [ -f f ] && [ ! -d f ] && echo file
[ abc = abc ] && [ abc != abd ] && [ -n x ] && [ -z '' ] && echo strings
[ 2 -lt 10 ] && [ 10 -gt 9 ] && [ 3 -eq 3 ] && echo numbers
nosuchcommand 2>/dev/null; echo $?
./nosuchfile 2>/dev/null; echo $?
set -- a b c; echo $# $1 $3; shift; echo $1 "$@"
set -- 'a b' c; for i in "$@"; do echo "[$i]"; done
x=1 y=2; echo $x$y; unset x; echo "[$x]"
cd /; pwd
mkdir sub; cd sub; cd ..; ls
exit 3 | cat; echo $?
true | false; echo $?
false | true; echo $?
echo a; echo b & wait; echo c
sleep 0 & wait $!; echo $?
(exit 7); echo $?
sh -c 'exit 9'; echo $?
sh -c 'echo $0 $1' name arg
eval 'x=evaluated; echo $x'
echo # a comment
echo not#a comment
test 1 -eq 1 -a 2 -eq 2; echo $?
: nothing; echo $?
x=a; case $x in [a-c]) echo range;; esac
IFS=:; x=a:b; set -- $x; echo $2
echo ~ | cut -c1-5
set -e; true; echo going on
basename /a/b.c .c; dirname /a/b.c
""".strip().splitlines()


@pytest.mark.parametrize("line", LINES)
def test_line_as_in_dash(folder: Folder, line: str) -> None:
    folder.same(line)


def test_long_pipeline(folder: Folder) -> None:
    folder.same("echo x" + " | cat" * 12)


def test_long_line(folder: Folder) -> None:
    words = " ".join(str(n) for n in range(200))
    assert folder.shell.check(f"echo {words}") == f"{words}\n"


def test_variables_last_from_line_to_line(folder: Folder) -> None:
    folder.shell.check("x=kept; f() { echo function $x; }; set -- one two")
    assert folder.shell.check('f; echo "$2"; cd ..; cd - > /dev/null') == "function kept\ntwo\n"


def test_statement_over_several_lines(folder: Folder) -> None:
    assert folder.shell.check("for i in 1 2\ndo\n  echo $i\ndone") == "1\n2\n"
    assert folder.shell.check("echo 'two\nlines'") == "two\nlines\n"
    assert folder.shell.check("cat << end\nhere\ndocument\nend") == "here\ndocument\n"


def test_syntax_errors_leave_the_shell_usable(folder: Folder) -> None:
    for line in ("echo )", "| cat", "fi", "case", "echo ${"):
        assert folder.shell.run(f"sh -c {shlex.quote(line)} 2>/dev/null").status != 0, line
    folder.shell.run("echo ) 2>/dev/null")
    assert folder.shell.check("echo fine") == "fine\n"


def test_much_data_through_a_pipe(folder: Folder) -> None:
    folder.same("seq 100000 | sort -n | tail -n 1")
    folder.same("seq 30000 | wc -c | tr -d ' '")


def test_reader_that_stops_ends_the_writer(folder: Folder) -> None:
    folder.same("yes | head -n 3")


def test_script_file(folder: Folder) -> None:
    folder.shell.check("echo 'echo script $1; exit 4' > script")
    result = folder.shell.run("sh script argument")
    assert (result.output, result.status) == ("script argument\n", 4)


@pytest.mark.parametrize("command", ["cat", "sleep 1000", "sleep 1000 | cat", "yes | wc -c"])
def test_interrupt_ends_the_foreground_job(folder: Folder, command: str) -> None:
    shell = folder.shell
    shell.start(f"sh -c 'echo started; {command}'")
    shell.expect("started\r?\n")
    assert shell.interrupt(command).status == INTERRUPTED
    assert shell.check("echo still here") == "still here\n"


def test_interrupt_ends_a_loop_of_the_shell_itself(folder: Folder) -> None:
    folder.shell.start("echo started; while true; do :; done")
    folder.shell.expect("started\r?\n")
    assert folder.shell.interrupt("while").status == INTERRUPTED


def test_interrupt_spares_background_jobs(folder: Folder) -> None:
    shell = folder.shell
    shell.check("sleep 1000 & echo")
    shell.start("sh -c 'echo started; sleep 1000'")
    shell.expect("started\r?\n")
    assert shell.interrupt("sleep").status == INTERRUPTED
    shell.check("kill $!")


def test_end_of_input_reaches_the_reader_only(folder: Folder) -> None:
    shell = folder.shell
    assert shell.run("cat", typed="one line\n").output == "one line\n"
    assert shell.run("wc -c", typed="12345").output.strip() == "5"
