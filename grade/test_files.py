"""Files on the root disk, seen from the guest's utilities and from the host's tools."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grade.harness.console import Console
from grade.harness.disk import check_file_system, copy_image, debugfs, find_tool, read_file
from grade.harness.machine import Machine
from grade.harness.plugin import Laboratory

Boot = Callable[..., Machine]


@pytest.fixture
def home(shell: Console) -> Iterator[Console]:
    """The shell in a fresh folder of its own."""
    name = f"/home/{os.urandom(4).hex()}"
    shell.check(f"mkdir {name} && cd {name}")
    yield shell
    if shell.machine.running:
        shell.check(f"cd / && rm -r {name}")


def root_disk(machine: Machine) -> Path:
    return machine.config.disks[0].path


# ---- Both ways: the guest writes and the host reads, the host writes and the guest reads ---------


def test_host_sees_the_bytes_that_the_guest_wrote(machine: Machine) -> None:
    word = os.urandom(20).hex()
    machine.console.check(
        f"mkdir -p /home/a/b && echo {word} > /home/a/b/file && ln -s b/file /home/a/link"
    )
    machine.console.check("seq 100000 > /home/a/numbers")
    machine.power_off()
    disk = root_disk(machine)
    assert read_file(disk, "/home/a/b/file") == f"{word}\n".encode()
    assert read_file(disk, "/home/a/numbers") == b"".join(b"%d\n" % n for n in range(1, 100001))
    assert b'Fast link dest: "b/file"' in debugfs(disk, "stat /home/a/link")
    verdict = check_file_system(disk)
    assert verdict.clean, verdict.text


def test_guest_reads_the_bytes_that_the_host_wrote(
    boot: Boot, laboratory: Laboratory, tmp_path: Path
) -> None:
    """Sizes around every border of the block map: direct, indirect, double indirect."""
    disk = copy_image(laboratory.root_image, tmp_path / "disk.img")
    sizes = (0, 1, 4095, 4096, 4097, 12 * 4096, 12 * 4096 + 1, (12 + 1024) * 4096 + 1, 6_000_001)
    contents = {f"file{size}": os.urandom(size) for size in sizes}
    commands = ""
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        commands += f"write {tmp_path / name} /home/{name}\n"
    subprocess.run(
        [find_tool("debugfs"), "-w", "-f", "-", str(disk)],
        input=commands,
        text=True,
        check=True,
        capture_output=True,
    )
    console = boot(disks=[disk]).console
    for name, content in contents.items():
        assert (
            console.check(f"sha256sum /home/{name}").split()[0]
            == hashlib.sha256(content).hexdigest()
        ), name
        assert console.check(f"wc -c < /home/{name}").strip() == str(len(content))


def test_large_file_in_both_directions(machine: Machine) -> None:
    """Written through the cache, read back after a reboot, compared by the host."""
    expected = b"".join(b"%d\n" % n for n in range(1, 1_500_001))
    digest = hashlib.sha256(expected).hexdigest()
    console = machine.console
    console.check("seq 1500000 > /home/large", timeout=60)
    assert console.check("sha256sum < /home/large", timeout=60).split()[0] == digest
    machine.power_off()
    assert hashlib.sha256(read_file(root_disk(machine), "/home/large")).hexdigest() == digest


# ---- What the utilities do -------------------------------------------------------------------


def test_copy_move_remove(home: Console) -> None:
    home.check("echo content > a && cp a b && mv b c && cat a c")
    assert home.check("ls -1") == "a\nc\n"
    home.check("rm a c")
    assert home.check("ls") == ""


def test_move_replaces_and_moves_into_folders(home: Console) -> None:
    home.check("echo old > old; echo new > new; mkdir d; mv new old; mv old d")
    assert home.check("cat d/old; ls -1") == "new\nd\n"


def test_hard_links_share_the_file(home: Console) -> None:
    home.check("echo one > a && ln a b && echo two >> b && rm a")
    assert home.check("cat b") == "one\ntwo\n"


def test_symbolic_links(home: Console) -> None:
    home.check(
        "mkdir d && echo inside > d/f && ln -s d/f near && ln -s d sub && ln -s nowhere lost"
    )
    assert home.check("cat near sub/f") == "inside\ninside\n"
    assert home.run("cat lost").status != 0
    home.check("ln -s loop loop")
    assert "ymbolic link" in home.run("cat loop 2>&1").output


def test_recursive_copy_and_removal(home: Console) -> None:
    home.check("mkdir -p t/a/b/c && echo leaf > t/a/b/c/leaf && cp -r t u && rm -r t")
    assert home.check("cat u/a/b/c/leaf; ls -1") == "leaf\nu\n"


def test_names_of_every_kind(home: Console) -> None:
    long_name = "n" * 255
    home.check(
        f"echo long > {long_name} && echo space > 'a b' && echo accent > é && echo dash > ./-x"
    )
    assert home.check(f"cat {long_name} 'a b' é ./-x") == "long\nspace\naccent\ndash\n"
    assert home.run(f"echo x > {'n' * 256}").status != 0


def test_many_files_in_one_folder(home: Console) -> None:
    home.check("for i in $(seq 300); do echo $i > file$i; done", timeout=60)
    assert home.check("ls | wc -l").strip() == "300"
    assert home.check("cat file1 file150 file300") == "1\n150\n300\n"
    home.check("ls | xargs -n 50 rm", timeout=60)
    assert home.check("ls") == ""


def test_deep_folders(home: Console) -> None:
    path = "/".join(["d"] * 60)
    home.check(f"mkdir -p {path} && echo deep > {path}/f")
    assert home.check(f"cat {path}/f") == "deep\n"
    assert home.check(f"cd {path} && cd .. && pwd && cd -").count("/d") >= 59


def test_append_and_truncate(home: Console) -> None:
    home.check("seq 5000 > f; echo end >> f")
    assert home.check("tail -n 1 f; wc -l < f | tr -d ' '") == "end\n5001\n"
    home.check("> f")
    assert home.check("wc -c < f").strip() == "0"


def test_removed_file_stays_readable_while_open(home: Console) -> None:
    assert home.check("echo still > f; { rm f; cat; } < f") == "still\n"
    assert home.check("ls") == ""


def test_uris_work_where_paths_do(home: Console) -> None:
    assert home.check("cat fs:root:etc/motd") == home.check("cat /etc/motd")
    assert "init" in home.check("cat proc:list:")
    assert home.check("cat time:").strip()


# ---- Errors: a message on standard error, a status, nothing else -----------------------------

ERRORS = [
    ("cat nosuch", "o such file"),
    ("cat d", "s a directory"),
    ("cat f/x", "ot a directory"),
    ("ls nosuch", "o such file"),
    ("rm nosuch", "o such file"),
    ("rm d", "s a directory"),
    ("rmdir d", "ot empty"),
    ("rmdir f", "ot a directory"),
    ("mkdir d", "xists"),
    ("mkdir nosuch/x", "o such file"),
    ("cp nosuch x", "o such file"),
    ("mv nosuch x", "o such file"),
    ("ln f f", "xists"),
    ("mv d d/sub", ""),
    ("cd nosuch", "o such file"),
    ("cd f", "ot a directory"),
    ("head -n x f", ""),
    ("cat nosuch:name", ""),
]


@pytest.mark.parametrize(("command", "message"), ERRORS)
def test_errors_are_told(home: Console, command: str, message: str) -> None:
    home.check("mkdir d && echo x > f && echo x > d/x")
    result = home.run(f"{command} 2> /tmp/message")
    assert result.status != 0
    assert result.output == "", "an error belongs on standard error"
    told = home.check("cat /tmp/message")
    assert message in told
    assert told.strip(), "an error without a word"
    assert home.check("cat f d/x; ls -1") == "x\nx\nd\nf\n", "a failed command changed something"


def test_missing_command_has_status_127(home: Console) -> None:
    result = home.run("nosuchcommand 2>&1")
    assert result.status == 127
    assert "nosuchcommand" in result.output


# ---- Limits ----------------------------------------------------------------------------------


def test_full_disk_is_an_error_and_can_be_emptied(machine: Machine) -> None:
    console = machine.console
    result = console.run("yes | cat > /home/fill", timeout=120)
    assert result.status != 0
    assert "o space" in result.output
    assert "o space" in console.run("seq 100000 > /home/more; true").output
    console.check("rm -f /home/fill /home/more")
    assert console.check("echo room > /home/again && cat /home/again") == "room\n"
    machine.power_off()
    verdict = check_file_system(root_disk(machine))
    assert verdict.clean, verdict.text


def test_nothing_is_lost_after_sync_when_the_machine_is_killed(boot: Boot) -> None:
    """The plug is pulled after `sync`: what was written before must be there."""
    machine = boot()
    word = os.urandom(8).hex()
    machine.console.check(f"echo {word} > /home/synced && sync")
    machine.qmp.command("quit")
    machine.wait_exit()
    again = boot(disks=[root_disk(machine)])
    assert again.console.check("cat /home/synced") == f"{word}\n"
    again.power_off()
    verdict = check_file_system(root_disk(again))
    assert verdict.clean, verdict.text
