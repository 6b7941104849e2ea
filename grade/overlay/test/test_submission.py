"""What is taken from a submission, and what is refused."""

from __future__ import annotations

import gzip
import importlib.machinery
import importlib.util
import io
import json
import os
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from grade.course.test.tiny import FILES, write_files
from grade.overlay.submission import (
    ENTRIES_MAX,
    FILE_MAX,
    TOTAL_MAX,
    Submission,
    SubmissionError,
    read_submission,
)

GLOBS = ("one/*.c", "two/multiply.c")
ADD, MULTIPLY = "one/add.c", "two/multiply.c"
BOTH = {ADD: FILES[ADD].encode(), MULTIPLY: FILES[MULTIPLY].encode()}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    write_files(tmp_path / "work", FILES)
    return tmp_path / "work"


def entry(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(data), link
    return info


def pack(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return path


def packed(path: Path, name: str, data: bytes = b"x", **options: object) -> Submission:
    return read_submission(
        pack(path / "h.tar.gz", (entry(name, data, **options), data)),  # type: ignore[arg-type]
        GLOBS,
    )


# ---- Folders ---------------------------------------------------------------------------------


def test_only_what_may_be_edited_is_taken(work: Path) -> None:
    (work / "Makefile").write_text("all:\n\techo full marks\n")
    (work / "one/more.c").write_text("int more;\n")
    (work / "one/deep").mkdir()
    (work / "one/deep/er.c").write_text("int deeper;\n")
    submission = read_submission(work, GLOBS)
    assert submission.files == {**BOTH, "one/more.c": b"int more;\n"} and not submission.notes


def test_missing_files_are_just_not_there(work: Path) -> None:
    (work / MULTIPLY).unlink()
    assert list(read_submission(work, GLOBS).files) == [ADD]


def test_links_are_refused(work: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.c").write_text("secret")
    (work / "one/link.c").symlink_to(tmp_path / "secret.c")
    (work / "two").rename(tmp_path / "elsewhere")
    (work / "two").symlink_to(tmp_path / "elsewhere")
    submission = read_submission(work, GLOBS)
    assert list(submission.files) == [ADD]
    assert submission.notes == [
        "'one/link.c' is not taken: one/link.c is a symbolic link",
        "'two/multiply.c' is not taken: two is a symbolic link",
    ]


def test_what_is_no_plain_file_is_refused(work: Path) -> None:
    (work / MULTIPLY).unlink()
    os.mkfifo(work / MULTIPLY)
    (work / "one/huge.c").write_bytes(b"")
    os.truncate(work / "one/huge.c", FILE_MAX + 1)
    (work / "one/$(shell touch here).c").write_text("")
    (work / "one/folder.c").mkdir()
    submission = read_submission(work, GLOBS)
    assert list(submission.files) == [ADD]
    notes = "\n".join(submission.notes)
    assert "'two/multiply.c' is not taken: it is no regular file" in notes
    assert f"it has {FILE_MAX + 1} bytes" in notes and "shell" in notes


def test_a_flood_of_files_is_refused(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grade.overlay.submission.ENTRIES_MAX", 10)
    for index in range(11):
        (work / f"one/{index}.c").touch()
    with pytest.raises(SubmissionError, match="more than 10 files in one"):
        read_submission(work, GLOBS)


def test_wrapped_submissions_are_found(work: Path, tmp_path: Path) -> None:
    wrapped = tmp_path / "outer"
    wrapped.mkdir()
    work.rename(wrapped / "cairn-main")
    (wrapped / "__MACOSX").mkdir()
    assert read_submission(wrapped, GLOBS).files == BOTH
    again = tmp_path / "again"
    again.mkdir()
    pack(again / "handin.tar.gz", (entry(ADD, b"sum"), b"sum"))
    assert read_submission(again, GLOBS).files == {ADD: b"sum"}


# ---- Archives --------------------------------------------------------------------------------


@pytest.fixture
def handin() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(
        "handin", str(Path(__file__).parents[3] / "scripts/handin")
    )
    spec = importlib.util.spec_from_loader("handin", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_what_handin_packs_is_taken(work: Path, tmp_path: Path, handin: ModuleType) -> None:
    handin.pack(work, tmp_path / "h.tar.gz", [1])
    submission = read_submission(tmp_path / "h.tar.gz", GLOBS)
    assert (submission.files, submission.notes, submission.references) == (BOTH, [], [1])
    assert handin.SIZE_MAX == FILE_MAX


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("../one/add.c", {}, "its path leads elsewhere"),
        ("one/../../add.c", {}, "its path leads elsewhere"),
        ("/one/add.c", {}, "its path leads elsewhere"),
        ("one/a\nb.c", {}, "its name has characters"),
        ("one/$(x).c", {}, "its name has characters"),
        ("Makefile", {}, "the lab does not let it be edited"),
        (ADD, {"kind": tarfile.SYMTYPE, "link": "/etc/passwd"}, "it is a link"),
        (ADD, {"kind": tarfile.LNKTYPE, "link": "/etc/passwd"}, "it is a link"),
        (ADD, {"kind": tarfile.CHRTYPE}, "it is no regular file"),
        (ADD, {"kind": tarfile.FIFOTYPE}, "it is no regular file"),
        (ADD, {"data": bytes(FILE_MAX + 1)}, f"it has {FILE_MAX + 1} bytes"),
    ],
)
def test_entries_that_are_refused(
    tmp_path: Path, name: str, options: dict[str, object], reason: str
) -> None:
    submission = packed(tmp_path, name, **options)  # type: ignore[arg-type]
    assert not submission.files and len(submission.notes) == 1
    assert reason in submission.notes[0] and repr(name.removeprefix("./")) in submission.notes[0]


def test_the_rest_of_an_archive_still_counts(tmp_path: Path) -> None:
    path = pack(
        tmp_path / "h.tar.gz",
        (entry("./one", kind=tarfile.DIRTYPE), b""),
        (entry("./" + ADD, b"first"), b"first"),
        (entry(ADD, b"second"), b"second"),
        (entry("README.md", b"words"), b"words"),
        (entry(MULTIPLY, b"product"), b"product"),
    )
    submission = read_submission(path, GLOBS)
    assert submission.files == {ADD: b"first", MULTIPLY: b"product"}
    assert [note.split(": ")[1] for note in submission.notes] == [
        "it is there twice",
        "the lab does not let it be edited",
    ]


def test_archives_that_hold_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grade.overlay.submission.TOTAL_MAX", 1 << 20)
    with pytest.raises(SubmissionError, match="holds more than 1048576 bytes"):
        packed(tmp_path, "filler", bytes(2 << 20))
    monkeypatch.setattr("grade.overlay.submission.ENTRIES_MAX", 5)
    many = [(entry(f"one/{n}.c"), b"") for n in range(6)]
    with pytest.raises(SubmissionError, match="more than 5 entries"):
        read_submission(pack(tmp_path / "many.tar.gz", *many), GLOBS)
    assert TOTAL_MAX > FILE_MAX and ENTRIES_MAX > 100


@pytest.mark.parametrize("cut", [0, 5, 60])
def test_damaged_archives(tmp_path: Path, cut: int) -> None:
    data = os.urandom(500)
    path = pack(tmp_path / "h.tar.gz", (entry(ADD, data), data))
    path.write_bytes(path.read_bytes()[:cut])
    if cut == 0:
        path.write_bytes(gzip.compress(b"no archive" * 100))
    with pytest.raises(SubmissionError, match="is no archive of `make handin`"):
        read_submission(path, GLOBS)


@pytest.mark.parametrize("text", ["[]", "{", '{"references": 1}', '{"references": ["x"]}'])
def test_nonsense_in_the_manifest_is_ignored(tmp_path: Path, text: str) -> None:
    submission = packed(tmp_path, "MANIFEST.json", text.encode())
    assert (submission.files, submission.references, submission.notes) == ({}, [], [])
    good = json.dumps({"references": [2]}).encode()
    assert packed(tmp_path, "MANIFEST.json", good).references == [2]
