"""Workloads for the name table: commands for the host program, with what the model answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from grade.lab4 import model
from grade.lab4.model import Entry, NameTable, Rule
from grade.lab4.native import Step, shown

URI_SIZE = 337  # of the buffer that nsd resolves in
SEGMENTS = (b"fs", b"root", b"rootkit", b"ro", b"home", b"a", b"ab", b"b", b"\xc3\xa4")
def hexed(text: bytes) -> str:
    return text.hex() or "-"


def random_name(dice: Random, most: int = 4) -> bytes:
    """A few segments from a small pool, so that names meet."""
    segments = [dice.choice(SEGMENTS) for _ in range(dice.randint(1, most))]
    text = segments[0]
    for segment in segments[1:]:
        text += dice.choice((b":", b":", b"/")) + segment
    return text + dice.choice((b"", b"", b":", b"/", b":/"))


def random_uri(dice: Random, names: list[bytes]) -> bytes:
    """Often something below, at, or beside one of the names."""
    if not names or dice.random() < 0.2:
        return random_name(dice, 5)
    stem = model.stem_of(dice.choice(names))
    kind = dice.randrange(6)
    if kind == 0:
        return stem
    if kind == 1:
        return stem + dice.choice((b"kit", b"x", b"2")) + dice.choice((b"", b":etc"))
    if kind == 2:
        return stem[: dice.randint(1, len(stem))]
    return stem + dice.choice((b":", b"/", b":/", b"//")) + dice.choice((b"", random_name(dice, 3)))


@dataclass
class Workload:
    """Steps so far, and the model in the state that they lead to."""

    steps: list[Step] = field(default_factory=list)
    table: NameTable = field(default_factory=NameTable)

    def _add(self, command: str, told: str, expected: object) -> None:
        self.steps.append(Step(command, told, str(expected)))

    def reset(self) -> None:
        """A new, empty table: a new case."""
        self.table = NameTable()
        self._add("reset", "(a new table)", 0)

    # ---- Single steps ----

    def parse(self, name: bytes) -> None:
        error = model.parse(name)
        stem = len(model.stem_of(name))
        expected = str(error) if error else f"0 {len(name)} {stem} ={name.hex()}"
        self._add(f"parse {hexed(name)}", f"name_parse({shown(name)})", expected)

    def covers(self, name: bytes, uri: bytes) -> None:
        told = f"name_covers({shown(name)}, {shown(uri)})"
        self._add(f"covers {hexed(name)} {hexed(uri)}", told, int(model.covers(name, uri)))

    def match(self, uri: bytes) -> None:
        entry = self.table.match(uri)
        expected = entry.handle if entry else "none"
        self._add(f"match {hexed(uri)}", f"the entry for {shown(uri)}", expected)

    def layers_pass(self, view: int, uri: bytes) -> None:
        kind, below, rule = self.table.layers_pass(view, uri)
        expected = f"{kind} view {below}"
        if kind == "error":
            expected = f"error {model.ENOENT}"
        elif rule is not None:
            expected += f" ={rule.name.hex()}"
        told = f"through the layers from view {view}: {shown(uri)}"
        self._add(f"pass {view} {hexed(uri)}", told, expected)

    # ---- The table ----

    def register(self, view: int, name: bytes, handle: int, owner: int = 1) -> None:
        error = self.table.add_entry(Entry(name, handle=handle, view=view, owner=owner))
        told = f"register {shown(name)} as handle {handle} through view {view}"
        self._add(f"register {view} {handle} {owner} {hexed(name)}", told, error)

    def unregister(self, view: int, name: bytes, owner: int = 1) -> None:
        result = self.table.unregister(view, name, owner)
        told = f"unregister {shown(name)} through view {view}"
        self._add(f"unregister {view} {owner} {hexed(name)}", told, result)

    def alias(self, view: int, name: bytes, target: bytes, owner: int = 1) -> None:
        error = self.table.add_entry(Entry(name, target=target, view=view, owner=owner))
        told = f"alias {shown(name)} -> {shown(target)} through view {view}"
        self._add(f"alias {view} {owner} {hexed(name)} {hexed(target)}", told, error)

    def resolve(self, view: int, uri: bytes, size: int = URI_SIZE) -> None:
        answer = self.table.resolve(view, uri, size)
        if isinstance(answer, int):
            expected = str(answer)
        else:
            depth = "deeper" if answer.deeper else "final"
            expected = f"{answer.handle} ={answer.uri.hex()} {answer.matched} {depth}"
        told = f"resolve {shown(uri)} in view {view}"
        self._add(f"resolve {view} {size} {hexed(uri)}", told, expected)

    def list(self, view: int) -> None:
        names = self.table.listing(view)
        if isinstance(names, int):
            expected = f" {names}"
        else:
            expected = "".join(f" ={name.hex()}" for name in names) + f" {model.ENOENT}"
        self._add(f"list {view}", f"list view {view}", expected)

    # ---- Views ----

    def view(self, parent: int, empty: bool = False, read_only: bool = False) -> int:
        number = self.table.view_create(parent, empty, read_only)
        words = [word for word, yes in (("empty", empty), ("read-only", read_only)) if yes]
        told = f"a new {' '.join([*words, 'view'])} over view {parent}"
        self._add(f"view {parent} {int(empty)} {int(read_only)}", told, number)
        return number

    def show(self, view: int, name: bytes) -> None:
        error = self.table.add_rule(view, Rule("show", name))
        told = f"view {view}: restrict to {shown(name)}"
        self._add(f"restrict {view} {hexed(name)}", told, error)

    def hide(self, view: int, name: bytes) -> None:
        error = self.table.add_rule(view, Rule("hide", name))
        self._add(f"hide {view} {hexed(name)}", f"view {view}: hide {shown(name)}", error)

    def bind(self, view: int, name: bytes, handle: int) -> None:
        error = self.table.add_rule(view, Rule("bind", name, handle=handle))
        told = f"view {view}: bind {shown(name)} to handle {handle}"
        self._add(f"bind {view} {handle} {hexed(name)}", told, error)

    def rebind(self, view: int, name: bytes, target: bytes) -> None:
        error = self.table.add_rule(view, Rule("rebind", name, target))
        told = f"view {view}: rebind {shown(name)} -> {shown(target)}"
        self._add(f"rebind {view} {hexed(name)} {hexed(target)}", told, error)

    def drop(self, view: int) -> None:
        released = sorted(self.table.view_drop(view))
        expected = " ".join(["released", *map(str, released)])
        self._add(f"drop {view}", f"drop view {view}", expected)

    def layers(self) -> None:
        expected = " ".join(["layers", *map(str, sorted(self.table.views))])
        self._add("layers", "the layers that the table keeps", expected)

    # ---- Random ----

    @property
    def names(self) -> list[bytes]:
        """Every name that the table knows of."""
        found = [name for e in self.table.entries for name in (e.name, e.target) if name]
        for view in self.table.views.values():
            found += [name for r in view.rules for name in (r.name, r.target) if name]
        return found

    def random_rule(self, dice: Random, view: int, handle: int) -> None:
        name = random_name(dice, 3)
        kind = dice.randrange(6)
        if kind < 2:
            self.show(view, name)
        elif kind == 2:
            self.hide(view, name)
        elif kind == 3:
            self.bind(view, name, handle)
        elif self.names and dice.random() < 0.7:
            self.rebind(view, name, dice.choice(self.names))
        else:
            self.rebind(view, name, random_name(dice, 3))

    def random_entry(self, dice: Random, view: int, handle: int, aliases: float = 0.0) -> None:
        if dice.random() >= aliases:
            self.register(view, random_name(dice), handle)
        elif self.names and dice.random() < 0.7:
            self.alias(view, random_name(dice, 3), dice.choice(self.names))
        else:
            self.alias(view, random_name(dice, 3), random_name(dice, 3))
