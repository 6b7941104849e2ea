"""Disk images: private copies for a test, and what the host's own tools say about them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from grade.harness.failure import HarnessError

SBIN = ":/usr/local/sbin:/usr/sbin:/sbin"


def find_tool(name: str) -> str:
    """e2fsprogs lives in sbin, which is not on everybody's PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + SBIN)
    if not path:
        raise HarnessError(f"{name} is not installed; run scripts/setup")
    return path


def copy_image(source: Path, target: Path) -> Path:
    """A private copy that shares or skips what it can: a copy-on-write clone or a sparse file."""
    answer = subprocess.run(
        ["cp", "--sparse=always", "--reflink=auto", str(source), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise HarnessError(f"cannot copy {source}: {answer.stderr.strip()}")
    target.chmod(0o600)
    return target


@dataclass(frozen=True)
class Verdict:
    """What a checker of the host says."""

    clean: bool
    text: str


def check_file_system(image: Path) -> Verdict:
    """`e2fsck -fn`: the image is read, never written."""
    answer = subprocess.run(
        [find_tool("e2fsck"), "-fn", str(image)], capture_output=True, text=True, check=False
    )
    return Verdict(answer.returncode == 0, answer.stdout + answer.stderr)


def debugfs(image: Path, request: str) -> bytes:
    """One read-only request of debugfs; its output."""
    answer = subprocess.run(
        [find_tool("debugfs"), "-R", request, str(image)], capture_output=True, check=False
    )
    errors = "\n".join(answer.stderr.decode(errors="replace").splitlines()[1:])  # behind its banner
    if answer.returncode or errors:
        raise AssertionError(f"debugfs {request!r} on {image.name}: {errors}")
    return answer.stdout


def read_file(image: Path, path: str) -> bytes:
    """A file's bytes, read from the image by debugfs."""
    return debugfs(image, f'cat "{path}"')


def empty_image(path: Path, size: int) -> Path:
    """A disk of zeros."""
    with path.open("wb") as file:
        file.truncate(size)
    return path
