"""What is taken from a submission: the files that the labs let a student edit, and nothing else.

A submission is a folder or a `make handin` archive. Nothing of an archive is unpacked to the disk;
nothing in a folder is followed that is a link. What is not taken is named, with the reason.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import stat
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from grade.course.source import is_exact, matches

FILE_MAX = 4 << 20  # bytes of one file, as in scripts/handin
TOTAL_MAX = 64 << 20  # bytes of an archive, unpacked
ENTRIES_MAX = 10_000  # files and folders that are looked at
MANIFEST = "MANIFEST.json"
ARCHIVES = (".tar.gz", ".tgz")
NOTES_MAX = 20
# make, a shell and a compiler will see these names.
PLAIN_NAME = re.compile(r"[\w.+-]+(/[\w.+-]+)*", re.ASCII)


class SubmissionError(Exception):
    """The submission as a whole cannot be used."""


@dataclass
class Submission:
    """What a student handed in, as far as it counts."""

    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # what was not taken, and why
    references: list[int] = field(default_factory=list)  # REF of `make handin`, if any

    def refuse(self, name: str, reason: str) -> None:
        if len(self.notes) < NOTES_MAX:
            self.notes.append(f"{name!r} is not taken: {reason}")
        elif len(self.notes) == NOTES_MAX:
            self.notes.append("... and more is not taken")


def read_submission(path: Path, editable: Iterable[str]) -> Submission:
    """editable: paths and globs. Raises SubmissionError, and OSError for what is not there."""
    globs = tuple(editable)
    place = locate(path, globs)
    return read_archive(place, globs) if place.is_file() else read_folder(place, globs)


def locate(path: Path, globs: tuple[str, ...], depth: int = 2) -> Path:
    """The archive, or the folder that has the files: also when either is wrapped in a folder."""
    if path.is_file():
        return path
    entries = [entry for entry in sorted(path.iterdir()) if not entry.name.startswith((".", "__"))]
    tops = {glob.split("/")[0] for glob in globs}
    if depth and not any(entry.name in tops for entry in entries):
        archives = [entry for entry in entries if entry.name.endswith(ARCHIVES)]
        folders = [entry for entry in entries if entry.is_dir() and not entry.is_symlink()]
        for found in (archives, folders):
            if len(found) == 1 and not found[0].is_symlink():
                return locate(found[0], globs, depth - 1)
    return path


# ---- Folders ---------------------------------------------------------------------------------


def read_folder(folder: Path, globs: tuple[str, ...]) -> Submission:
    submission = Submission()
    names = {glob for glob in globs if is_exact(glob)}
    names |= set(candidates(folder, [glob for glob in globs if not is_exact(glob)]))
    for name in sorted(names):
        if not PLAIN_NAME.fullmatch(name):
            submission.refuse(name, "its name has characters that a file of a lab does not have")
            continue
        try:
            data = read_plain(folder, name)
        except FileNotFoundError:
            continue
        except (OSError, SubmissionError) as error:
            submission.refuse(name, str(error))
            continue
        submission.files[name] = data
    return submission


def candidates(folder: Path, globs: list[str]) -> Iterator[str]:
    """Names below the folder that fit a glob; links are among them, but are not followed."""
    seen = 0
    for start in sorted({re.split(r"[*?]", glob)[0].rpartition("/")[0] for glob in globs}):
        for place, folders, files in os.walk(folder / start):
            seen += len(folders) + len(files)
            if seen > ENTRIES_MAX:
                raise SubmissionError(f"there are more than {ENTRIES_MAX} files in {start or '.'}")
            links = [name for name in folders if (Path(place) / name).is_symlink()]
            for file in (*files, *links):
                name = (Path(place) / file).relative_to(folder).as_posix()
                if any(matches(name, glob) for glob in globs):
                    yield name


def read_plain(folder: Path, name: str) -> bytes:
    """A regular file, reached through real folders only; raises SubmissionError and OSError."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    parts = name.split("/")
    try:
        for index, part in enumerate(parts):
            if stat.S_ISLNK(os.lstat(part, dir_fd=here).st_mode):
                raise SubmissionError(f"{'/'.join(parts[: index + 1])} is a symbolic link")
            below = os.open(part, flags, dir_fd=here)
            os.close(here)
            here = below
        found = os.fstat(here)
        if not stat.S_ISREG(found.st_mode):
            raise SubmissionError("it is no regular file")
        if found.st_size > FILE_MAX:
            raise SubmissionError(f"it has {found.st_size} bytes, more than {FILE_MAX}")
        with os.fdopen(os.dup(here), "rb") as file:
            data = file.read(FILE_MAX + 1)
        if len(data) > FILE_MAX:
            raise SubmissionError(f"it has more than {FILE_MAX} bytes")
        return data
    finally:
        os.close(here)


# ---- Archives --------------------------------------------------------------------------------


class Unpacked:
    """The unpacked bytes of an archive, up to a limit: a small file can hold a great many."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.left = TOTAL_MAX

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise SubmissionError(f"the archive holds more than {TOTAL_MAX} bytes")
        return data


def read_archive(path: Path, globs: tuple[str, ...]) -> Submission:
    submission = Submission()
    try:
        with gzip.open(path) as packed:
            stream: IO[bytes] = Unpacked(packed)  # type: ignore[assignment]
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for index, member in enumerate(archive):
                    if index >= ENTRIES_MAX:
                        raise SubmissionError(f"the archive has more than {ENTRIES_MAX} entries")
                    take(submission, archive, member, globs)
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError) as error:
        raise SubmissionError(f"{path.name} is no archive of `make handin`: {error}") from None
    return submission


def take(
    submission: Submission,
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    globs: tuple[str, ...],
) -> None:
    """One entry of an archive."""
    name = member.name.removeprefix("./")
    reason = objection(member, name, globs)
    if member.isdir() and not reason.startswith("its "):
        return
    if not reason and name in submission.files:
        reason = "it is there twice"
    if reason:
        submission.refuse(member.name, reason)
        return
    file = archive.extractfile(member)
    data = file.read(FILE_MAX + 1) if file else b""
    if name == MANIFEST:
        submission.references = references_of(data)
    else:
        submission.files[name] = data


def objection(member: tarfile.TarInfo, name: str, globs: tuple[str, ...]) -> str:
    """Why an entry is not taken; "" if it is."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        return "its path leads elsewhere"
    if not PLAIN_NAME.fullmatch(name):
        return "its name has characters that a file of a lab does not have"
    if member.issym() or member.islnk():
        return "it is a link"
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        return "it is no regular file"
    if member.size > FILE_MAX:
        return f"it has {member.size} bytes, more than {FILE_MAX}"
    if name != MANIFEST and not any(matches(name, glob) for glob in globs):
        return "the lab does not let it be edited"
    return ""


def references_of(manifest: bytes) -> list[int]:
    """The labs whose reference objects the student worked with."""
    try:
        return [int(number) for number in json.loads(manifest).get("references", [])]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return []
