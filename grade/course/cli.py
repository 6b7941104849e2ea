"""The command line of scripts/course."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import tempfile
import time
from pathlib import Path

from grade.course.checks import SHOWN, Setting, all_checks, run_checks
from grade.course.problem import CourseError
from grade.course.reference import reference_objects
from grade.course.region import order_of
from grade.course.source import Source, describe, read_source
from grade.course.tree import Tree, starter
from grade.course.writer import write_repository
from grade.overlay.pack import contents, write_zip

FULL_REPEATS = 20
SAMPLE = 3


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="course", description="Labs from one source tree.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    commands = parser.add_subparsers(dest="command", required=True)

    write = commands.add_parser("write", help="write or bring up to date a student repository")
    write.add_argument("out", type=Path)
    write.add_argument("--last", type=int, help="hold back the labs behind this one")
    write.add_argument("--no-catchup", action="store_true", help="without catch-up branches")
    write.add_argument("--instructor", action="store_true", help="with solution branches")
    write.add_argument("--build", type=Path, help="take reference objects from this build folder")

    check = commands.add_parser("check", help="check the course, and print a table")
    check.add_argument("names", nargs="*", help="only checks whose names begin with one of these")
    check.add_argument("--fast", action="store_true", help="nothing that builds")
    check.add_argument("--full", action="store_true", help="all patches, solutions many times")
    check.add_argument("--sample", type=int, default=SAMPLE, help="mutants of each lab without --full, beside one liar and one alternate (0: all)")
    check.add_argument("--seed", type=int, help="which of them (default: random)")
    check.add_argument("--lab", type=int, help="of the checks of single labs, only this one's")
    check.add_argument("--build", type=Path, default=Path(os.environ.get("BUILD", "build")))
    check.add_argument("--scratch", type=Path, help="where private copies are made")
    check.add_argument("-j", "--jobs", type=int, default=0, help="checks at once (default: cores)")
    check.add_argument("--all-problems", action="store_true", help="do not shorten lists")

    zipped = commands.add_parser("gradescope", help="write the zip file of a Gradescope autograder")
    zipped.add_argument("lab", type=int)
    zipped.add_argument("out", type=Path)
    zipped.add_argument("--build", type=Path, help="take reference objects from this build folder")

    commands.add_parser("list", help="print labs, exercises and points")
    show = commands.add_parser("owner", help="print who owns a file")
    show.add_argument("paths", nargs="+")
    return parser.parse_args(arguments)


def cross() -> str:
    """The cross tools' prefix."""
    return os.environ.get("CROSS", "riscv64-unknown-elf-")


def list_course(source: Source) -> None:
    for lab in source.labs:
        files = source.files_of(lab.number)
        print(f"{lab.number} {lab.title}: {lab.points} points, {len(files)} files")
        for exercise in sorted(lab.exercises, key=lambda exercise: order_of(exercise.id)):
            region = source.regions.get(exercise.id)
            place = f"{region.path}:{region.first}" if region else "nowhere"
            print(f"  {exercise.id:<5} {exercise.points:3} {exercise.difficulty:<7}", end="")
            print(f" {exercise.title} ({place})")


def gradescope(source: Source, options: argparse.Namespace) -> int:
    pristine = dict(starter(source, options.lab))
    if options.build:
        for lab, objects in reference_objects(source, options.build, cross() + "objcopy").items():
            pristine |= objects if lab <= options.lab else {}
    write_zip(contents(source, pristine, options.lab), options.out)
    print(f"{options.out}: lab {options.lab}, {options.out.stat().st_size >> 10} KiB")
    return 0


def write(source: Source, options: argparse.Namespace) -> int:
    unowned = [problem for problem in source.owner_problems if problem.path in source.files]
    unowned = [problem for problem in unowned if not problem.path.startswith("labs/")]
    if source.problems or unowned:
        raise CourseError([*source.problems, *unowned])
    extra: dict[int, Tree] = {}
    if options.build:
        extra = reference_objects(source, options.build, cross() + "objcopy")
    moved = write_repository(
        source,
        options.out,
        last=options.last,
        catchups=not options.no_catchup,
        solutions=options.instructor,
        extra=extra,
    )
    print(f"{options.out}: {', '.join(moved) if moved else 'nothing has changed'}")
    return 0


def check(source: Source, options: argparse.Namespace) -> int:
    checks = [
        check
        for check in all_checks(source)
        if not (options.fast and check.slow)
        and (not options.names or check.name.startswith(tuple(options.names)))
        and (not options.lab or not check.name[-1].isdigit() or check.name.endswith(f" {options.lab}"))
    ]
    if not checks:
        raise CourseError(f"there is no check named {', '.join(options.names)}")
    scratch = Path(tempfile.mkdtemp(prefix="cairn-course-", dir=options.scratch)).resolve()
    cores = os.cpu_count() or 1
    seed = options.seed if options.seed is not None else secrets.randbelow(1 << 16)
    setting = Setting(
        source,
        options.build,
        scratch,
        nm=cross() + "nm",
        jobs=max(1, cores // min(options.jobs or cores, len(checks))),
        full=options.full,
        sample=0 if options.full else options.sample,
        seed=seed,
        repeat=FULL_REPEATS if options.full else 1,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    start = time.monotonic()
    report = run_checks(checks, setting, options.jobs, 0 if options.all_problems else SHOWN)
    patches = "every patch" if options.full else (
        f"{options.sample} mutants, one liar and one alternate a lab, --seed {seed}"
        if options.sample
        else "every patch in a hurry"
    )
    print(f"{patches}; {time.monotonic() - start:.0f} s")
    print(report.summary())
    return 1 if any(outcome.problems for outcome in report.outcomes) else 0


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    try:
        source = read_source(options.root.resolve())
        if options.command == "write":
            return write(source, options)
        if options.command == "check":
            return check(source, options)
        if options.command == "gradescope":
            return gradescope(source, options)
        if options.command == "list":
            list_course(source)
        else:
            for path in options.paths:
                owner = source.owners.get(path)
                print(f"{path}: {describe(owner) if owner is not None else 'nobody'}")
        return 0
    except CourseError as error:
        for problem in error.problems:
            print(f"course: {problem}", file=sys.stderr)
        return 1
