"""Draw a diagram from text: boxes, lines and arrows of ASCII characters become SVG.

    +-------+   call    +--------+        - | + lines      = a dashed line
    | {u}   | --------> | {s}    |        > < ^ v heads    {k} {u} {s} {h} fill the box around:
    | cat   |           | fsd    |                         kernel, user program, server, hardware
    +-------+           +--------+

A character is a line only where lines meet it, so words may contain any of them. Two blanks
separate texts. A text begins where it was written; in a box it is centred if it is the only one,
or if the lines of the box begin in different columns. Colours come from the page's style sheet.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

CELL_WIDTH, CELL_HEIGHT = 8, 17
HEAD_LENGTH, HEAD_WIDTH = 8, 4
FILLS = {"k": "kernel", "u": "user", "s": "server", "h": "hardware"}
TAG = re.compile(r"\{([a-z])\}")
TAGGED = re.compile(r"\{[a-z]\}( ?)((?:[^\s|]+ ?)*)(?=[\s|])")
CHUNK = re.compile(r"\S+(?: \S+)*")
HORIZONTAL, VERTICAL = "-=+<>", "|+^v"


class DiagramError(Exception):
    """The text is not a diagram; the message says why."""


@dataclass
class Box:
    """A rectangle of line characters, in cells."""

    left: int
    top: int
    right: int
    bottom: int
    fill: str = ""

    @property
    def area(self) -> int:
        return (self.right - self.left) * (self.bottom - self.top)

    def contains(self, x: int, y: int) -> bool:
        return self.left < x < self.right and self.top < y < self.bottom


@dataclass
class Canvas:
    """The characters, and what was found out about them."""

    rows: list[str]
    boxes: list[Box] = field(default_factory=list)
    lines: set[tuple[int, int]] = field(default_factory=set)
    output: list[str] = field(default_factory=list)

    def at(self, x: int, y: int) -> str:
        return self.rows[y][x] if 0 <= y < len(self.rows) and 0 <= x < len(self.rows[y]) else " "

    @property
    def width(self) -> int:
        return max(map(len, self.rows))


def is_line(canvas: Canvas, x: int, y: int) -> bool:
    """Whether the character is drawn as a line: only if a neighbour goes on with it."""
    left, right = canvas.at(x - 1, y), canvas.at(x + 1, y)
    above, below = canvas.at(x, y - 1), canvas.at(x, y + 1)
    match canvas.at(x, y):
        case "-" | "=" as me:
            return left in f"{me}+<|" and right in f"{me}+>|" or me * 2 in (me + left, me + right)
        case "|":
            return above in "|+^" or below in "|+v" or (above in "-=" and above == below)
        case "+":
            return left in "-=" or right in "-=" or above == "|" or below == "|"
        case ">":
            return left in "-=+" and is_line(canvas, x - 1, y)
        case "<":
            return right in "-=+" and is_line(canvas, x + 1, y)
        case "^":
            return below in "|+"
        case "v":
            return above in "|+" and not (left.isalnum() or right.isalnum())
    return False


def find_boxes(canvas: Canvas) -> None:
    """Every rectangle whose corners are + and whose sides are unbroken."""

    def side(x: int, y: int, dx: int, dy: int) -> list[int]:
        """How far away the + are that an unbroken line from here leads to."""
        allowed = "-+=<>|v^" if dx else "|+-<>v^"
        found, step = [], 1
        while (c := canvas.at(x + dx * step, y + dy * step)) in allowed and c != " ":
            if c == "+":
                found.append(step)
            if dx and c == "|" or dy and c in "-=":
                break
            step += 1
        return found

    for y, row in enumerate(canvas.rows):
        for x, c in enumerate(row):
            if c != "+":
                continue
            box = next(
                (
                    Box(x, y, x + w, y + h)
                    for w in side(x, y, 1, 0)
                    for h in side(x, y, 0, 1)
                    if w in side(x, y + h, 1, 0) and h in side(x + w, y, 0, 1)
                ),
                None,
            )
            if box:
                canvas.boxes.append(box)


def innermost(canvas: Canvas, x: int, y: int) -> Box | None:
    around = [box for box in canvas.boxes if box.contains(x, y)]
    return min(around, key=lambda box: box.area) if around else None


def take_fills(canvas: Canvas) -> None:
    for y, row in enumerate(canvas.rows):
        for match in TAG.finditer(row):
            box = innermost(canvas, match.start(), y)
            if box is None or match[1] not in FILLS:
                raise DiagramError(f"{match[0]} in line {y + 1} is in no box, or means nothing")
            box.fill = FILLS[match[1]]
        # Words behind a tag move to its place: they begin in the same column as those below.
        canvas.rows[y] = TAGGED.sub(lambda m: f"{m[2]}{' ' * (3 + len(m[1]))}", row)


def centre(x: int, y: int) -> tuple[float, float]:
    return (x + 0.5) * CELL_WIDTH, (y + 0.5) * CELL_HEIGHT


def segment(canvas: Canvas, x1: float, y1: float, x2: float, y2: float, dashed: bool) -> None:
    style = ' class="dashed"' if dashed else ""
    canvas.output.append(f'<path{style} d="M{x1:g} {y1:g}L{x2:g} {y2:g}"/>')


def draw_runs(canvas: Canvas) -> None:
    """Lines, each from the middle of its first character to that of its last, or on to what it
    touches."""
    for vertical in (False, True):
        alphabet = VERTICAL if vertical else HORIZONTAL
        size = (canvas.width, len(canvas.rows)) if vertical else (len(canvas.rows), canvas.width)
        for fixed in range(size[0]):
            run: list[int] = []
            for moving in range(size[1] + 1):
                x, y = (fixed, moving) if vertical else (moving, fixed)
                if (x, y) in canvas.lines and canvas.at(x, y) in alphabet:
                    run.append(moving)
                elif run:
                    draw_run(canvas, vertical, fixed, run[0], run[-1])
                    run = []


def draw_run(canvas: Canvas, vertical: bool, fixed: int, first: int, last: int) -> None:
    def cell(moving: int) -> tuple[int, int]:
        return (fixed, moving) if vertical else (moving, fixed)

    if first == last and canvas.at(*cell(first)) == "+":
        return
    ends = []
    for moving, step in ((first, -1), (last, 1)):
        c = canvas.at(*cell(moving))
        touches = cell(moving + step) in canvas.lines
        reach = 0.0 if c == "+" else 1.0 if touches else 0.5
        if c in "<>^v":  # the head is drawn from its tip backwards
            draw_head(canvas, vertical, fixed, moving + 0.5 + reach * step, step)
            reach -= HEAD_LENGTH / 2 / (CELL_HEIGHT if vertical else CELL_WIDTH)
        ends.append(moving + 0.5 + reach * step)
    for moving in range(first + 1, last):  # heads that touch the corner or junction of a box
        if (c := canvas.at(*cell(moving))) in "<>^v":
            step = -1 if c in "<^" else 1
            draw_head(canvas, vertical, fixed, moving + 0.5 + step, step)
    middle = fixed + 0.5
    dashed = any(canvas.at(*cell(m)) == "=" for m in range(first, last + 1))
    if vertical:
        x = middle * CELL_WIDTH
        segment(canvas, x, ends[0] * CELL_HEIGHT, x, ends[1] * CELL_HEIGHT, dashed)
    else:
        y = middle * CELL_HEIGHT
        segment(canvas, ends[0] * CELL_WIDTH, y, ends[1] * CELL_WIDTH, y, dashed)


def draw_head(canvas: Canvas, vertical: bool, fixed: int, tip: float, step: int) -> None:
    back, half = -HEAD_LENGTH * step, HEAD_WIDTH
    if vertical:
        x, y = (fixed + 0.5) * CELL_WIDTH, tip * CELL_HEIGHT
        points = f"M{x:g} {y:g}l{-half} {back}h{2 * half}z"
    else:
        x, y = tip * CELL_WIDTH, (fixed + 0.5) * CELL_HEIGHT
        points = f"M{x:g} {y:g}l{back} {-half}v{2 * half}z"
    canvas.output.append(f'<path class="head" d="{points}"/>')


@dataclass
class Text:
    """Some words, where they were written."""

    words: str
    x: int
    y: int
    box: Box | None


def find_texts(canvas: Canvas) -> list[Text]:
    return [
        Text(match[0], match.start(), y, innermost(canvas, match.start(), y))
        for y, row in enumerate(canvas.rows)
        for match in CHUNK.finditer(
            "".join(" " if (x, y) in canvas.lines else c for x, c in enumerate(row))
        )
    ]


def is_centred(text: Text, texts: list[Text]) -> bool:
    """The only text of its box, or one of those that have a line each and begin in different
    columns; beside lines of several texts, one that stands in the middle."""
    box = text.box
    if box is None:
        return False
    mine = [other for other in texts if other.box is box]
    columns, rows = {other.x for other in mine}, {other.y for other in mine}
    if len(rows) == len(mine):
        return len(mine) == 1 or len(columns) > 1
    alone = sum(other.y == text.y for other in mine) == 1
    before, behind = text.x - box.left, box.right - text.x - len(text.words)
    return alone and abs(before - behind) <= 4


def draw_text(canvas: Canvas) -> None:
    texts = find_texts(canvas)
    holders = {id(box) for box in canvas.boxes if has_box(canvas, box)}
    for text in texts:
        x, anchor = float(text.x), ""
        if text.box and id(text.box) not in holders and is_centred(text, texts):
            x, anchor = (text.box.left + text.box.right + 1) / 2, ' text-anchor="middle"'
        baseline = (text.y + 0.5) * CELL_HEIGHT + 4.5
        canvas.output.append(
            f'<text x="{x * CELL_WIDTH:g}" y="{baseline:g}"{anchor}>'
            f"{html.escape(text.words, quote=False)}</text>"
        )


def has_box(canvas: Canvas, outer: Box) -> bool:
    """A box around others; its texts stay where they are, and so do those beside lines in it."""
    inside = any(outer.contains(box.left, box.top) for box in canvas.boxes)
    return inside or any(outer.contains(x, y) for x, y in canvas.lines)


def draw(source: str, title: str) -> str:
    """The SVG element, on one line."""
    rows = [row.rstrip() for row in source.strip("\n").splitlines()]
    if not any(rows) or "\t" in source:
        raise DiagramError("it is empty" if not any(rows) else "it contains tabs")
    indent = min(len(row) - len(row.lstrip()) for row in rows if row)
    canvas = Canvas([row[indent:] for row in rows])
    canvas.rows = [row.ljust(canvas.width) for row in canvas.rows]
    find_boxes(canvas)
    take_fills(canvas)
    for box in sorted(canvas.boxes, key=lambda box: -box.area):
        x, y = centre(box.left, box.top)
        w, h = (box.right - box.left) * CELL_WIDTH, (box.bottom - box.top) * CELL_HEIGHT
        if box.fill:
            canvas.output.append(
                f'<rect class="{box.fill}" x="{x:g}" y="{y:g}" width="{w}" height="{h}"/>'
            )
    canvas.lines = {
        (x, y)
        for y in range(len(canvas.rows))
        for x in range(canvas.width)
        if is_line(canvas, x, y)
    }
    draw_runs(canvas)
    draw_text(canvas)
    width, height = canvas.width * CELL_WIDTH, len(canvas.rows) * CELL_HEIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" style="--width:{width}px" '
        f'role="img" aria-label="{html.escape(title)}">'
        f"{''.join(canvas.output)}</svg>"
    )
