"""Scripts that are run in fresh folders, with our utilities or the host's."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

LIMIT = 30.0

needs_gnu = pytest.mark.skipif(
    "GNU coreutils"
    not in subprocess.run(["ls", "--version"], capture_output=True, text=True, check=False).stdout,
    reason="the host's utilities are not GNU's",
)


def fill(folder: Path) -> None:
    """The files that all cases may use. All have times of their own."""
    lines = "pear\napple\nFig\nbanana\napple\n\nfig\ncherry\nApple\npear\npear\n"
    files: dict[str, bytes] = {
        "numbers": b"".join(b"%d\n" % n for n in range(1, 101)),
        "words": lines.encode(),
        "runs": b"a\na\nb\nA\nc\nc\nc\nB\nb\n",
        "nonl": b"first\nsecond\nlast",
        "empty": b"",
        "newlines": b"\n\n\n",
        "binary": bytes(range(256)) * 40,
        "zeros": bytes(100_000),
        "long": b"x" * 200_000 + b" end\nshort\n" + b"y" * 70_000,
        "csv": b"id,name,size\n3,pear,10\n1,fig,9.5\n2,apple,-4\nplain\n10,date,9.25\n",
        "table": b"k2   x  30\nk1 yy 4\nk10 x 7\n k3 z 100\nk1 aa 4\n",
        "signed": b"-1\n10\n9\n-10\n0\n+5\n 7\n0.5\n.25\nabc\n-0\n007\n1e3\n",
        "text": b"The quick brown fox\njumps over the lazy dog.\n\n"
                b"the end, foo_bar foo-bar\nTHE LAST",
        "code": b"int main(void) {\n\treturn a[0] * (b + c) == '$';\n}\n^caret\n\\back\na.b\naxb\n",
        "a b": b"name with a blank\n",
        "-dash": b"name with a dash\n",
        "script": b"#!/bin/sh\n",
        "crlf": b"one\r\ntwo\r\n",
        "d/f1": b"one\ntwo\n",
        "d/f2": b"two\nthree\n",
        "d/sub/deep": b"one deep\n",
        "d/sub/more/leaf": b"leaf\n",
        "d/.hidden": b"hidden one\n",
        "e/f1": b"one\ntwo\n",
        "e/f2": b"two\n3\n",
        "e/only": b"x\n",
        "e/sub/deep": b"one deep\n",
    }
    for index, (name, content) in enumerate(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1_500_000_000, 1_600_000_000 + 1000 * index))
    (folder / "script").chmod(0o755)
    (folder / "d/f2").chmod(0o640)
    (folder / "hollow").mkdir()
    for link, target in {"link": "numbers", "dlink": "d", "broken": "nowhere"}.items():
        (folder / link).symlink_to(target)
    for index, name in enumerate(("d", "d/sub", "d/sub/more", "e", "e/sub", "hollow")):
        os.utime(folder / name, (1_500_000_000, 1_400_000_000 + 1000 * index))
    os.utime(folder, (1_300_000_000, 1_300_000_000))


@dataclass(frozen=True)
class Answer:
    output: bytes
    complaint: bytes
    status: int
    tree: dict[str, tuple[str, ...]]


def snapshot(folder: Path) -> dict[str, tuple[str, ...]]:
    """Each file: mode, links, and contents or target."""
    tree = {}
    for parent, directories, files in os.walk(folder):
        for name in directories + files:
            path = Path(parent, name)
            status = path.lstat()
            content = ""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = hashlib.md5(path.read_bytes()).hexdigest()
            links = "" if stat.S_ISDIR(status.st_mode) else str(status.st_nlink)
            tree[str(path.relative_to(folder))] = (oct(status.st_mode), links, content)
    return tree


def run(script: str, folder: Path, utilities: Path | None) -> Answer:
    """A script in a fresh folder. A sanitizer's report fails the test at once."""
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    work.mkdir(parents=True)
    fill(work)
    path = "/usr/bin:/bin" if utilities is None else f"{utilities}:/usr/bin:/bin"
    options = f"detect_leaks=0:log_path={folder}/sanitizer"
    environment = {
        "PATH": path,
        "LC_ALL": "C",
        "TZ": "UTC",
        "ASAN_OPTIONS": options,
        "UBSAN_OPTIONS": options,
    }
    answer = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=work,
        env=environment,
        timeout=LIMIT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        umask=0o022,
    )
    reports = [report.read_text(errors="replace") for report in folder.glob("sanitizer*")]
    assert not reports, f"{script}\n{reports[0][:3000]}"
    return Answer(answer.stdout, answer.stderr, answer.returncode, snapshot(work))
