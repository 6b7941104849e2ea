"""grep, diff, ls -h and sha256sum with random input, against the host's own."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from grade.on_host.build import needs_compiler
from grade.on_host.scripts import needs_gnu

pytestmark = [needs_compiler, needs_gnu]


def random_pattern(rng: random.Random, extended: bool, depth: int = 0) -> str:
    choice = rng.random()
    if depth > 3 or choice < 0.35:
        return rng.choice(["a", "b", "c", ".", "[ab]", "[^a]", "[[:alpha:]]", "x", "A", " ", "_",
                           r"\w", r"\W"])
    inner = random_pattern(rng, extended, depth + 1)
    if choice < 0.6:
        return inner + random_pattern(rng, extended, depth + 1)
    group = f"({inner})" if extended else rf"\({inner}\)"
    if choice < 0.75:
        operator = rng.choice(["*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}", "{0}"])
        if not extended:
            operator = re.sub(r"[{}+?]", r"\\\g<0>", operator)
        return group + operator
    if choice < 0.85:
        other = random_pattern(rng, extended, depth + 1)
        return f"({inner}|{other})" if extended else rf"\({inner}\|{other}\)"
    return f"^{inner}" if choice < 0.93 else f"{inner}$"


@pytest.mark.parametrize("seed", range(8))
def test_random_patterns(seed: int, ours: Path) -> None:
    """60 patterns each. glibc's matcher has faults of its own with repeated assertions: those of
    words are left to user/bin/grep/test, and with anchors only whether lines match counts."""
    rng = random.Random(seed)
    environment = {"LC_ALL": "C", "ASAN_OPTIONS": "detect_leaks=0"}
    for _ in range(60):
        extended = rng.random() < 0.6
        pattern = random_pattern(rng, extended)
        lines = ["".join(rng.choices("aabbcxA _", k=rng.randrange(9))) for _ in range(60)]
        text = "\n".join(lines) + "\n"
        options = rng.choice([[], ["-o", "-n"], ["-i"], ["-x"], ["-v"], ["-c"], ["-on", "-i"]])
        if {"-o", "-on"} & set(options) and set("^$") & set(pattern):
            continue
        arguments = ["-E" if extended else "-G", *options, "-e", pattern]
        answers = [
            subprocess.run([program, *arguments], input=text.encode(), capture_output=True,
                           env=environment, check=False)
            for program in (ours / "grep", shutil.which("grep"))
        ]
        if answers[1].returncode < 0:  # the host's crashed
            continue
        results = [(answer.stdout, answer.returncode) for answer in answers]
        assert results[0] == results[1], f"grep {arguments}: {answers[0].stderr.decode()}"


@pytest.mark.skipif(shutil.which("patch") is None, reason="no patch")
@pytest.mark.parametrize("seed", range(6))
def test_random_differences(seed: int, ours: Path, tmp_path: Path) -> None:
    """patch must make the second file out of the first one, and no shorter script may exist."""
    rng = random.Random(seed)
    old, new, patched = tmp_path / "old", tmp_path / "new", tmp_path / "patched"
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    for _ in range(25):
        letters = rng.choice(["ab", "abcdef", "abcdefghijklmnopqrstuvwxyz"])
        first = rng.choices(letters, k=rng.randrange(40))
        second = list(first) if rng.random() < 0.6 else rng.choices(letters, k=rng.randrange(40))
        for _ in range(rng.randrange(8)):
            if second and rng.random() < 0.5:
                del second[rng.randrange(len(second))]
            else:
                second.insert(rng.randrange(len(second) + 1), rng.choice(letters))
        for path, lines in ((old, first), (new, second), (patched, first)):
            path.write_text("\n".join(lines) + ("\n" if lines and rng.random() < 0.8 else ""))
        patched.write_bytes(old.read_bytes())
        context = rng.choice("013")
        mine, theirs = (
            subprocess.run([*command, "-U", context, old, new], capture_output=True,
                           env=environment, check=False)
            for command in ([ours / "diff"], ["diff", "-d"])
        )
        assert mine.returncode == theirs.returncode
        changes = [sum(line[:1] in (b"+", b"-") for line in answer.stdout.splitlines()[2:])
                   for answer in (mine, theirs)]
        assert changes[0] <= changes[1]
        if mine.returncode == 1:
            subprocess.run(["patch", "-s", patched], input=mine.stdout, check=True,
                           capture_output=True)
            assert patched.read_bytes() == new.read_bytes(), mine.stdout.decode()


def test_human_sizes_around_every_border(ours: Path, tmp_path: Path) -> None:
    """ls -h rounds as the host's does; the files are sparse."""
    rng = random.Random(1)
    sizes = {0, 1, 999, 1000, 1023, 1024, 1025}
    for power in (10, 20, 30):
        for factor in (1, 1.5, 9.9, 9.95, 10, 10.5, 99.9, 999, 1023, 1023.5, 1024, 9.95 * 1024):
            sizes |= {int(factor * 2**power) + delta for delta in (-1, 0, 1)}
    sizes |= {rng.randrange(2 ** rng.randrange(1, 43)) for _ in range(100)}
    for size in sizes:
        with open(tmp_path / f"{size:015}", "wb") as file:
            file.truncate(size)
    environment = {"LC_ALL": "C", "TZ": "UTC", "ASAN_OPTIONS": "detect_leaks=0"}
    answers = [
        subprocess.run([program, "-nh", tmp_path], capture_output=True, text=True, check=True,
                       env=environment).stdout
        for program in (ours / "ls", shutil.which("ls"))
    ]
    assert answers[0].splitlines() == answers[1].splitlines()


# FIPS 180-4 examples, and the NIST long message.
DIGESTS = {
    b"": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq":
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
    b"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu":
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
    b"a" * 1_000_000: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
}


@pytest.mark.parametrize("message", DIGESTS, ids=len)
def test_sha256_examples(message: bytes, ours: Path) -> None:
    answer = subprocess.run([ours / "sha256sum"], input=message, capture_output=True, check=True,
                            env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert answer.stdout.decode() == f"{DIGESTS[message]}  -\n"
