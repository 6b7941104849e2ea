"""The parts of the book that follow from the source: reference pages, and pieces inside pages.

A page may contain, on a line of its own,

    <!-- operations: proto/blk.h -->     the table of a protocol's operations
    <!-- source: kernel/trap/trap.c trap_user -->   a function, struct, enum or assembly label
    <!-- services -->                    what servers/init/services.conf starts
    <!-- names -->                       the names that services and init register
    <!-- readme: Two commands -->        a section of the README

and in its text {{NAME}}, the value of a constant, or {{NAME:bytes}}, the same with a unit.

In a student's tree, what a later lab brings is missing: its place says so.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from book.headers import Enumerator, Header, HeaderError, Item, constants, parse_header
from book.problem import NotYet, PageError

MACRO = re.compile(r"^<!-- (?P<name>[a-z]+)(?:: (?P<arguments>.+?))? -->$", re.MULTILINE)
CONSTANT = re.compile(r"\{\{([A-Z_0-9]+)(:bytes)?\}\}")
IDENTIFIER = re.compile(
    r"\b(?:struct \w+|[A-Z][A-Z0-9]*_[A-Z0-9_]+\*?|E[A-Z0-9]{3,}|[a-z0-9]+(?:_[a-z0-9]+)+)"
    r"(?!\w|\.\w)"
)
SPECIAL = str.maketrans({c: f"&#{ord(c)};" for c in "\\`*_<>[]|{}"})
EXERCISE = re.compile(r"/\* exercise (\d+\.\d+) \*/.*?/\* end \1 \*/", re.DOTALL)
ERROR = re.compile(r"^#define (E\w+) (\w+)[ \t]*(?:/\* (.*?) \*/)?", re.MULTILINE)
REGISTERED = re.compile(r'\bname_register\("([^"]+)"')
ALIASED = re.compile(r'\bname_alias\("([^"]+)", "([^"]+)"\)')
CALLS_SHOWN = 8
NAMED = re.compile(r"`((?:kernel|servers|user|root|scripts|grade|handouts|labs)/[\w./-]+)`")
PLACEHOLDER = re.compile(r"NAME|labN|NN-")  # in a name that stands for several
TO_WRITE = re.compile(r"Write\s+`([\w./-]+)`")  # the reader makes that file
ERROR_TEXT = re.compile(r'\[(E\w+)\] = "([^"]+)"')


def prose(text: str) -> str:
    """A comment's words as Markdown: nothing in it is markup, identifiers are code."""
    one_line = " ".join(text.split())
    parts, position = [], 0
    for match in IDENTIFIER.finditer(one_line):
        parts += [one_line[position : match.start()].translate(SPECIAL), f"`{match[0]}`"]
        position = match.end()
    return "".join([*parts, one_line[position:].translate(SPECIAL)])


def paragraphs(text: str) -> list[str]:
    """The same for a comment with blank lines between paragraphs."""
    return [
        line for block in re.split(r"\n\s*\n", text) if block.strip() for line in (prose(block), "")
    ]


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    return [
        "| " + " | ".join(header) + " |",
        "|" + "---|" * len(header),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]


def enum_table(item: Item, first: str) -> list[str]:
    """An enum's names with their comments; a comment on its own lines begins a new table."""
    groups: list[tuple[str, list[Enumerator]]] = []
    for enumerator in item.enumerators:
        if enumerator.heading or not groups:
            groups.append((enumerator.heading, []))
        groups[-1][1].append(enumerator)
    is_hex = any(enumerator.value >= 0x1000 for enumerator in item.enumerators)
    lines = []
    for heading, members in groups:
        lines += paragraphs(heading)
        lines += table(
            ["number", first, "message and answer"],
            [
                [f"{e.value:#x}" if is_hex else str(e.value), f"`{e.name}`", prose(e.comment)]
                for e in members
            ],
        )
    return lines


def code(source: str, language: str = "c") -> list[str]:
    return [f"```{language}", source.strip("\n"), "```", ""]


@dataclass
class Source:
    """The repository, as the pages ask for it."""

    root: Path
    used_constants: set[str] = field(default_factory=set)

    @cached_property
    def is_partial(self) -> bool:
        """A student's tree: it has labs, but not what only the instructor has."""
        return (self.root / "labs").is_dir() and not (self.root / "labs/course.toml").is_file()

    def read(self, name: str) -> str:
        path = self.root / name
        if not path.is_file():
            raise NotYet(f"there is no {name}")
        return path.read_text()

    def header(self, name: str) -> Header:
        """proto/x.h and abi/x.h, as the sources include them."""
        for folder in ("servers", "kernel"):
            path = self.root / folder / name
            if path.is_file():
                return parse_header(path)
        raise NotYet(f"there is no header {name}")

    @cached_property
    def constants(self) -> dict[str, int]:
        paths = sorted(
            path
            for top in ("kernel", "servers", "user")
            for path in (self.root / top).rglob("*.[ch]")
            if "test" not in path.parts
        )
        return constants(paths)

    def constant(self, match: re.Match[str]) -> str:
        if match[1] not in self.constants and self.is_partial:
            return f"`{match[1]}`"
        if match[1] not in self.constants:
            raise PageError(f"{match[0]}: no such constant, or several of that name")
        value = self.constants[match[1]]
        if not match[2]:
            return f"{value:,}"
        for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
            if value % size == 0 and value:
                return f"{value // size} {unit}"
        return f"{value:,} bytes"

    # ---- Pieces inside pages -----------------------------------------------------------------

    def operations(self, arguments: str) -> list[str]:
        return enum_table(self.header(arguments).operations, "operation")

    def excerpt(self, arguments: str) -> list[str]:
        """A definition, with the comment above it, from file to page."""
        name, wanted = arguments.split()
        text = self.read(name)
        if name.endswith(".S"):
            match = re.search(rf"^{wanted}:.*?(?=\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
            language = "asm"
        else:
            match = re.search(
                rf"(?:^/\*(?! (?:exercise|end) \d)(?:[^*]|\*(?!/))*\*/\n)?"
                rf"^(?:[\w][\w\s*]*\b{wanted}\([^;{{]*\)|(?:struct|enum) {wanted})"
                rf"\s*\{{.*?^\}}[^\n]*",
                text,
                re.DOTALL | re.MULTILINE,
            )
            language = "c"
        if not match:
            raise PageError(f"{name} has no {wanted}")
        inside = self.exercise_around(text, match.start(), match.end())
        if inside:
            return [f"`{wanted}` in `{name}` is exercise {inside}: yours to write.", ""]
        return [f"`{name}`", "", *code(match[0], language)]

    @staticmethod
    def exercise_around(text: str, start: int, end: int) -> str:
        """The exercise that a piece of source belongs to, or contains: the book keeps it back."""
        for match in EXERCISE.finditer(text):
            if match.start() < end and start < match.end():
                return match[1]
        return ""

    def sections(self) -> list[dict[str, list[str]]]:
        """The sections of services.conf: each directive with its words."""
        found: list[dict[str, list[str]]] = []
        for line in self.read("servers/init/services.conf").splitlines():
            words = line.partition("#")[0].split()
            if not words:
                continue
            if words[0] in ("service", "shell"):
                found.append({"kind": [words[0]], "name": words[1:]})
            else:
                found[-1].setdefault(words[0], []).extend(words[1:])
        return found

    def services(self, _: str) -> list[str]:
        def cell(section: dict[str, list[str]], key: str) -> str:
            words = " ".join(section.get(key, []))
            return f"`{words}`" if words else ""

        return table(
            ["service", "runs", "device", "names", "priority", "restart"],
            [
                [
                    section["name"][0],
                    *(
                        cell(section, key)
                        for key in ("run", "device", "serves", "priority", "restart")
                    ),
                ]
                for section in self.sections()
            ],
        )

    def names(self, _: str) -> list[str]:
        """Every name that is registered at boot: by the configuration, or by a server's source."""
        rows = {}
        for section in self.sections():
            for name in section.get("serves", []):
                rows[name.rstrip(":")] = (name, section["run"][0])
            if "namespace" in section:
                rows["ns"] = ("ns:", section["run"][0])
                for name in section["give"]:
                    server = "init" if self.served_by_init(name) else "the kernel"
                    rows[name.rstrip(":")] = (name, server)
        for path in sorted((self.root / "servers").rglob("*.c")):
            server = path.relative_to(self.root / "servers").parts[0]
            for name in REGISTERED.findall(path.read_text()):
                rows.setdefault(name.rstrip(":"), (name, server))
            for name, target in ALIASED.findall(path.read_text()):
                rows[name.rstrip(":")] = (name, f"an alias of `{target}`, made by {server}")
        return table(
            ["name", "served by"],
            [[f"`{name}`", server] for _, (name, server) in sorted(rows.items())],
        )

    def served_by_init(self, name: str) -> bool:
        """By the table of what "give" means."""
        text = self.read("servers/init/services.c")
        match = re.search(rf'\{{"{re.escape(name)}", (.+), \w+\}},', text)
        if not match:
            raise PageError(f"servers/init/services.c does not know the name {name}")
        return match[1] == "0"

    def readme(self, heading: str) -> list[str]:
        """A section of the README without its heading; of its links, only those that work here."""
        text = self.read("README.md")
        match = re.search(
            rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE
        )
        if not match:
            raise PageError(f"README.md has no section {heading!r}")
        return [match[1].strip(), ""]

    def check_names(self, text: str) -> None:
        """Every file that a page names is there, or the reader is told to write it."""
        own = set(TO_WRITE.findall(text))
        for number, line in enumerate(text.split("\n"), start=1):
            for name in NAMED.findall(line):
                is_promised = PLACEHOLDER.search(name) or name in own
                if not is_promised and not (self.root / name).exists():
                    raise PageError(f"there is no {name}", number)

    def expand(self, text: str) -> str:
        """A page with its pieces put in."""
        makers: dict[str, Callable[[str], list[str]]] = {
            "operations": self.operations,
            "source": self.excerpt,
            "services": self.services,
            "names": self.names,
            "readme": self.readme,
        }

        def piece(match: re.Match[str]) -> str:
            if match["name"] not in makers:
                raise PageError(f"{match[0]}: not one of {', '.join(makers)}")
            try:
                return "\n".join(makers[match["name"]](match["arguments"] or ""))
            except NotYet:
                if not self.is_partial:
                    raise
                what = match["arguments"] or f"the table of {match['name']}"
                return f"*Comes with a later lab: `{what}`.*"

        return CONSTANT.sub(self.constant, MACRO.sub(piece, text))

    # ---- Whole pages -------------------------------------------------------------------------

    def syscalls_page(self) -> str:
        generator = self.root / "scripts/gen-syscalls"
        answer = subprocess.run(
            [sys.executable, generator, "--page", self.root / "kernel/abi/syscalls.tbl"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise PageError(answer.stderr.strip())
        return answer.stdout

    def protocols_page(self) -> str:
        lines = ["# Protocols", ""]
        lines += [
            "What servers are asked and what they answer, made from the headers in "
            "`servers/proto/` and `kernel/abi/`. The type of a request is the operation's number, "
            "that of its answer the number with bit 7 set. The first word of an answer is the "
            'result: 0 or more, or `-errno`. "Word n" is the n-th 64-bit word of a message\'s '
            'data, "handle n" one of its handles, "window n" a part of the caller\'s memory '
            "that it lends for the duration of the call.",
            "",
        ]
        headers = sorted((self.root / "servers/proto").glob("*.h"))
        headers.append(self.root / "kernel/abi/kernel_services.h")
        for path in headers:
            lines += self.protocol(parse_header(path), f"{path.parent.name}/{path.name}")
        return "\n".join(lines)

    @staticmethod
    def protocol(header: Header, name: str) -> list[str]:
        lines = [f"## `{name}` {{#{header.path.stem}}}", "", *paragraphs(header.about)]
        pending: list[str] = []  # small things follow each other in one block of code

        def flush() -> None:
            if pending:
                lines.extend(code("\n".join(pending)))
                pending.clear()

        for item in header.items:
            if item.kind == "define" and not item.name:
                continue  # macros with arguments are the library's business
            is_table = item.kind == "enum" and (
                item.is_commented and not item.name or item.name.endswith("_operation")
            )
            if is_table or item.kind == "text" or item.comment:
                flush()
                lines += paragraphs(item.comment)
            if is_table:
                lines += enum_table(item, "operation" if "operation" in item.name else "name")
            elif item.source:
                if item.kind == "struct" and pending and not pending[-1].endswith("\n"):
                    pending.append("")
                pending.append(item.source + ("\n" if item.kind == "struct" else ""))
        flush()
        return lines

    def errors_page(self) -> str:
        header = (self.root / "kernel/abi/errno.h").read_text()
        try:
            texts = dict(ERROR_TEXT.findall(self.read("user/libc/system/strerror.c")))
        except NotYet:
            if not self.is_partial:
                raise
            texts = {}
        callers: dict[str, list[str]] = {}
        for line in (self.root / "kernel/abi/syscalls.tbl").read_text().splitlines():
            fields = [part.strip() for part in line.split("|")]
            if len(fields) == 7 and not line.startswith("#"):
                for error in re.findall(r"\bE[A-Z0-9]+\b", fields[5]):
                    callers.setdefault(error, []).append(fields[1].lstrip("*"))
        rows = []
        for name, value, comment in ERROR.findall(header):
            if not value.isdigit():
                continue  # a second name of the same number
            calls = [f"[`{c}`](syscalls.md#{c})" for c in callers.pop(name, [])]
            meaning = comment or texts.get(name, "")
            shown = ", ".join(calls) if len(calls) <= CALLS_SHOWN else f"{len(calls)} calls"
            rows.append([value, f"`{name}`", prose(meaning[:1].lower() + meaning[1:]), shown])
        if callers:
            raise PageError(f"errno.h lacks {', '.join(sorted(callers))}, which calls return")
        lines = [
            "# Errors",
            "",
            "The numbers are Linux's; the kernel and all servers return them negated "
            "(`kernel/abi/errno.h`). The system calls are those that can return it by themselves; "
            "a server's error is the first word of its answer.",
            "",
            *table(["number", "name", "meaning", "system calls"], rows),
        ]
        return "\n".join(lines)

    def generated(self) -> dict[str, str]:
        """All pages that have no file of their own in handouts/."""
        try:
            return {
                "reference/syscalls.md": self.syscalls_page(),
                "reference/protocols.md": self.protocols_page(),
                "reference/errors.md": self.errors_page(),
            }
        except HeaderError as error:
            raise PageError(str(error)) from None
