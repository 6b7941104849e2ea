"""Read Cairn's C headers as far as the book needs them: comments, enums, structs, constants.

This is no C parser: it knows the house style (one comment in front of what it explains, or behind
it on its lines), and fails on what it does not understand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
DEFINE = re.compile(r"#define (?:[^\n]*\\\n)*[^\n]*")
BLOCK = re.compile(r"(?:enum|struct)\b[^;{]*\{")
ENUMERATOR = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*(?:=\s*(?P<value>[^,/]+?))?\s*(?:,|$|(?=/\*))")
NAME = re.compile(r"(?P<kind>enum|struct)\s*(?P<name>\w*)")


class HeaderError(Exception):
    """A header is not as expected; the message names the file."""


def comment_text(comment: str) -> str:
    """The words of a comment, without stars; blank lines stay."""
    inside = comment.strip().removeprefix("/*").removesuffix("*/")
    lines = [re.sub(r"^\s*\* ?", "", line).rstrip() for line in inside.splitlines()]
    return "\n".join(line.strip() if i == 0 else line for i, line in enumerate(lines)).strip()


@dataclass
class Enumerator:
    name: str
    value: int
    comment: str = ""
    heading: str = ""  # of those from here on: a comment on lines of its own


@dataclass
class Item:
    """Something that a header declares, with the comment in front of it."""

    source: str  # as in the file, without that comment
    comment: str = ""
    kind: str = "define"  # or enum, struct, text
    name: str = ""
    enumerators: list[Enumerator] = field(default_factory=list)

    @property
    def is_commented(self) -> bool:
        return any(enumerator.comment for enumerator in self.enumerators)


@dataclass
class Header:
    path: Path
    about: str
    items: list[Item]

    @property
    def operations(self) -> Item:
        """The enum of the messages' types, by the house style NAME_operation."""
        for item in self.items:
            if item.kind == "enum" and item.name.endswith("_operation"):
                return item
        raise HeaderError(f"{self.path}: no enum whose name ends in _operation")


def integer(text: str, known: dict[str, int]) -> int:
    """The value of a constant expression as headers contain them."""
    plain = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", text.strip())
    plain = re.sub(r"\b0([0-7]+)\b", r"0o\1", plain)
    names = set(re.findall(r"\b[A-Za-z_]\w*\b", re.sub(r"0[xXo][0-9a-fA-F]+", "", plain)))
    if not re.fullmatch(r"[\w\s()+*/<|&~-]+", plain) or names - known.keys():
        raise ValueError(text)
    return int(eval(plain, {"__builtins__": {}}, dict(known)))  # noqa: S307 - checked above


def parse_enumerators(body: str, known: dict[str, int]) -> list[Enumerator]:
    """The names of an enum's body; a comment belongs to the name in front of it."""
    found: list[Enumerator] = []
    position, next_value, heading = 0, 0, ""
    while position < len(body):
        if body[position].isspace():
            position += 1
        elif comment := COMMENT.match(body, position):
            if not body[:position].rpartition("\n")[2].strip():
                heading = comment_text(comment[0])
            elif found:
                found[-1].comment = comment_text(comment[0])
            position = comment.end()
        elif match := ENUMERATOR.match(body, position):
            value = integer(match["value"], known) if match["value"] else next_value
            found.append(Enumerator(match["name"], value, heading=heading))
            heading = ""
            known[match["name"]] = value
            next_value, position = value + 1, match.end()
        else:
            raise ValueError(body[position : position + 40])
    return found


def parse_block(source: str, known: dict[str, int]) -> Item:
    match = NAME.match(source)
    assert match
    item = Item(source, kind=match["kind"], name=match["name"])
    if item.kind == "enum":
        item.enumerators = parse_enumerators(
            source[source.index("{") + 1 : source.rindex("}")], known
        )
    return item


def end_of_block(text: str, start: int) -> int:
    """Where the declaration ends whose first brace is at start."""
    depth = 0
    for match in re.finditer(r"[{}]", text[start:]):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return text.index(";", start + match.end()) + 1
    raise ValueError(text[start : start + 40])


def define_item(source: str, known: dict[str, int]) -> Item:
    item = Item(source.rstrip())
    match = re.match(r"#define (\w+)\s+(.+?)\s*(/\*.*)?$", item.source, re.DOTALL)
    if match:
        item.name = match[1]
        try:
            known[item.name] = integer(match[2], known)
        except (ValueError, SyntaxError):
            pass  # a macro that is no number
    return item


def parse_header(path: Path) -> Header:
    """Everything that a header declares, in its order."""
    text = path.read_text()
    known: dict[str, int] = {}
    items: list[Item] = []
    comment, about, position = "", None, 0
    try:
        while position < len(text):
            item = None
            if match := COMMENT.match(text, position):
                position = match.end()
                words = comment_text(match[0])
                if about is None:
                    about = words
                elif re.match(r"[ \t]*\n[ \t]*\n", text[position:]):
                    items.append(Item("", words, "text"))
                else:
                    comment = words
            elif match := DEFINE.match(text, position):
                end = match.end()
                if match[0].count("/*") > match[0].count("*/"):
                    end = text.index("*/", end) + 2
                item, position = define_item(text[position:end], known), end
            elif match := BLOCK.match(text, position):
                end = end_of_block(text, match.end() - 1)
                item, position = parse_block(text[position:end], known), end
            else:  # includes, prototypes: to the next line
                line_end = text.find("\n", position)
                if text[position:line_end].strip():
                    comment = ""
                position = line_end + 1 if line_end >= 0 else len(text)
            if item:
                item.comment, comment = comment, ""
                items.append(item)
    except ValueError as error:
        raise HeaderError(f"{path}: not understood: {error}") from None
    if about is None:
        raise HeaderError(f"{path}: does not begin with a comment")
    return Header(path, about, items)


def constants(paths: list[Path]) -> dict[str, int]:
    """The value of every constant that is a number, over many files; those that are defined
    differently in two of them are left out."""
    found: dict[str, int] = {}
    clashes: set[str] = set()

    def note(name: str, value: int) -> None:
        if found.setdefault(name, value) != value:
            clashes.add(name)

    for path in paths:
        text = path.read_text(errors="replace")
        for match in re.finditer(r"^#define (\w+)[ \t]+([^\n/]+)", text, re.MULTILINE):
            try:
                note(match[1], integer(match[2], found))
            except (ValueError, SyntaxError):
                pass
        for match in re.finditer(r"^enum[^;{]*\{(.*?)\}", text, re.DOTALL | re.MULTILINE):
            try:
                for enumerator in parse_enumerators(match[1], dict(found)):
                    note(enumerator.name, enumerator.value)
            except (ValueError, SyntaxError):
                pass
    return {name: value for name, value in found.items() if name not in clashes}
