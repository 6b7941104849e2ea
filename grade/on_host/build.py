"""Programs of user/bin, built for the host under sanitizers."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = REPOSITORY / "user" / "bin"
HTTP = REPOSITORY / "user" / "libhttp"
COMPILER = shutil.which(os.environ.get("HOSTCC", "clang"))
FLAGS = [
    "-std=gnu11", "-g", "-O1", "-D_GNU_SOURCE", "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all", f"-I{HTTP / 'include'}", f"-I{REPOSITORY / 'servers'}",
]  # fmt: skip
NETWORK = "host httpd nc net netbench ping services tcpdump traceroute wget".split()
UTILITIES = """
    basename cat chmod cmp cp crash cut dd df diff dirname du find grep head hexdump ln ls mkdir
    mktemp mv pwd rm rmdir seq sha256sum sort stat tail tee touch tr uniq wc xargs yes
""".split()

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no clang")


def sources_of(name: str) -> list[Path]:
    """As the Makefile has it: NAME.c and the files of the folder NAME."""
    sources = [BIN / f"{name}.c"] if (BIN / f"{name}.c").exists() else []
    sources += sorted((BIN / name).glob("*.c"))
    if name in ("httpd", "wget"):
        sources += sorted(HTTP.glob("*.c"))
    if name == "net":
        sources.append(BIN / "net/test/netd.c")
    return sources


def build_program(name: str, folder: Path) -> None:
    target = folder / name
    headers = [*BIN.glob("common/*.h"), *(BIN / name).glob("**/*.h"), *HTTP.glob("**/*.h")]
    newest = max(path.stat().st_mtime for path in [*sources_of(name), *headers])
    if target.exists() and target.stat().st_mtime > newest:
        return
    extra = [f"-I{BIN / 'net/test/host'}"] if name == "net" else []
    command = [COMPILER, *FLAGS, *extra, *map(str, sources_of(name)), "-lm", "-o", str(target)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def build_programs(names: list[str], folder: Path) -> Path:
    """The folder, with these programs in it. Parallel sessions wait for the one that builds."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            list(pool.map(lambda name: build_program(name, folder), names))
    return folder
