"""The utilities inside the system: what cannot be seen on the host, in on_host/test_utilities.py."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from grade.harness.console import Console
from grade.harness.disk import debugfs, empty_image, find_tool
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory

BUSY = "i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done"


def times(shell: Console, command: str) -> dict[str, float]:
    """What `time -p` says about a command that prints nothing."""
    lines = shell.check(f"time -p {command} 2>&1").splitlines()
    found = [re.fullmatch(r"(real|user|sys) (\d+\.\d\d)", line) for line in lines]
    assert all(found), lines
    return {match[1]: float(match[2]) for match in found if match}


def test_time_covers_the_command_and_its_children(shell: Console) -> None:
    for command in (f"sh -c '{BUSY}'", f"sh -c \"sh -c '{BUSY}'; true\"".replace("$", "\\$")):
        seen = times(shell, command)
        assert list(seen) == ["real", "user", "sys"], seen
        assert seen["user"] > seen["real"] / 2, f"{command} did nothing but compute: {seen}"
    seen = times(shell, "sleep 0.5")
    assert seen["user"] < seen["real"] / 2, f"sleeping is not computing: {seen}"


def many_inodes(root_image: Path, folder: Path) -> Path:
    """A root disk with the usual programs and a quarter of a million inodes."""
    tree, disk = folder / "tree", empty_image(folder / "many.img", 64 << 20)
    tree.mkdir()
    debugfs(root_image, f"rdump /bin {tree}")
    shape = "-q -t ext2 -b 1024 -g 2048 -I 128 -N 262144".split()
    subprocess.run(
        [find_tool("mke2fs"), *shape, "-d", str(tree), str(disk)], check=True, capture_output=True
    )
    return disk


def inode_number(disk: Path, path: str) -> int:
    found = re.search(rb"^Inode: (\d+)", debugfs(disk, f'stat "{path}"'))
    assert found
    return int(found[1])


def test_inode_numbers_of_more_than_16_bits(
    boot: Callable[..., Machine], laboratory: Laboratory, tmp_path: Path
) -> None:
    disk = many_inodes(laboratory.root_image, tmp_path)
    machine = boot(disks=[disk], fresh_disks=False)
    console = machine.console
    names = [f"/d{n}/file" for n in range(12)]
    console.check(" && ".join(f"mkdir {name[:-5]} && echo > {name}" for name in names))
    listed = dict(line.split()[::-1] for line in console.check("ls -1i /d*/file").splitlines())
    told = dict(line.split() for line in console.check("stat -c '%n %i' /d*/file").splitlines())
    found = console.check("find / -name file -inum +65535").split()
    machine.power_off()
    real = {name: str(inode_number(disk, name)) for name in names}
    large = [name for name in names if int(real[name]) > 65535]
    assert large, f"the disk was to have large numbers: {real}"
    assert listed == real
    assert told == real
    assert sorted(found) == sorted(large)


def test_many_arguments(shell: Console) -> None:
    """What a full folder gives is no trouble; what is too much is said, and nothing is harmed."""
    shell.check("mkdir /tmp/many && cd /tmp/many && seq 1000 > list")
    shell.check("while read n; do echo $n > name-of-a-file-$n; done < list", timeout=60)
    assert shell.check("cat name-* | wc -l").strip() == "1000"
    assert shell.check("cat name-* | sort -n | cmp - list") == ""
    shell.check("printf '#!/bin/sh\\necho $# ${1000}\\n' > script && chmod 755 script")
    assert shell.check("./script name-*") == "1000 name-of-a-file-999\n"
    shell.check("x=xxxxxxxxxxxxxxxx; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x")
    result = shell.run("cat $x $x $x $x $x $x $x $x")
    assert result.status == 126
    assert "cat: Argument list too long" in result.output
    assert shell.check("echo $x$x$x$x | wc -c").strip() == str(4 * 16 * 4**5 + 1)
    names = "name-* " * 20  # more than one `ls` can get
    assert shell.check(f"printf '%s\\n' {names} | xargs ls -1d | wc -l").strip() == "20000"
    shell.check("cd / && rm -r /tmp/many && unset x")


def test_zeros(shell: Console) -> None:
    answer = shell.check("head -c 100000 /dev/zero | tr -d '\\0' | wc -c; wc -c < /dev/null")
    assert answer.split() == ["0", "0"]
    shell.check("dd if=zero: of=/tmp/zeros bs=1k count=100 2>/dev/null; echo x > /dev/zero")
    assert shell.check("head -c 102400 /dev/zero | cmp - /tmp/zeros && rm /tmp/zeros") == ""


def test_utilities_that_the_shell_has_itself_answer_help(shell: Console) -> None:
    for name in ("cd", "pwd", "kill", "printf"):
        assert shell.check(f"{name} --help 2>/dev/null").startswith(f"usage: {name} ")


@pytest.mark.parametrize(
    ("way", "status", "message"),
    [
        ("divide", 133, r"Trap: division by zero, failed check or breakpoint \(pc 0x[0-9a-f]+\)"),
        ("jump", 139, r"Segmentation fault \(instruction page fault at 0x40, pc 0x40\)"),
        ("kernel", 139, r"Segmentation fault \(store page fault at 0xf{4}[0-9a-f]+, pc 0x1\w+\)"),
        ("illegal", 132, r"Illegal instruction \(pc 0x[0-9a-f]+\)"),
        ("abort", 134, "Aborted"),
    ],
)
def test_crash_says_why_and_where(shell: Console, way: str, status: int, message: str) -> None:
    result = shell.run(f"crash {way}")
    assert result.status == status
    assert re.fullmatch(f"sh: crash: {message}\n", result.output), result.output


def test_date_is_in_utc(shell: Console) -> None:
    assert " UTC " in shell.check("date")
    assert shell.check("date -d @86399 '+%F %T %Z'") == "1970-01-01 23:59:59 UTC\n"


def test_every_name_is_read_and_listed(shell: Console) -> None:
    """Whatever `ls ns:` shows, `ls` shows alone, and hexdump or, for a folder, `ls` inside it."""
    names = shell.check("ls -1 ns:").split()
    assert len(names) > 15
    for name in names:
        assert shell.check(f"ls -d {name}").strip() == name
        if name == "console:" or name.startswith("serial:"):
            continue  # whose readers wait
        inside = f"if [ -d {name} ]; then ls {name}; else hexdump -n 64 {name}; fi"
        assert name == "null:" or shell.check(inside) != "", name
