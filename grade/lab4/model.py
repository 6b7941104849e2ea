"""What a name table must answer: written for clearness, with lists of bytes and no limits of time.

Errors are negative numbers, as in the system.
"""

from __future__ import annotations

from dataclasses import dataclass, field

ENOENT, EINVAL, EEXIST, EBADF, EPERM = -2, -22, -17, -9, -1
ENFILE, EROFS, ELOOP, ENAMETOOLONG = -23, -30, -40, -36

NAME_MAX = 96
ENTRIES_MAX = 256
VIEWS_MAX = 64
RULES_MAX = 8
ALIASES_MAX = 8
SEPARATORS = b":/"


def stem_of(name: bytes) -> bytes:
    return name.rstrip(SEPARATORS)


def parse(name: bytes) -> int:
    """0, or why this cannot be a name."""
    if len(name) > NAME_MAX:
        return ENAMETOOLONG
    if not stem_of(name) or any(byte < 32 or byte == 127 for byte in name):
        return EINVAL
    return 0


def covers(name: bytes, uri: bytes) -> bool:
    stem = stem_of(name)
    behind = uri[len(stem) : len(stem) + 1]
    return uri.startswith(stem) and (behind == b"" or behind in (b":", b"/"))


def deeper_than(name: bytes, prefix: bytes) -> bool:
    return len(stem_of(name)) > len(stem_of(prefix)) and covers(prefix, name)


def replace(uri: bytes, name: bytes, target: bytes) -> bytes:
    """The target in the place of the name."""
    rest = uri[len(stem_of(name)) :][1:].lstrip(b"/")
    if not rest:
        return stem_of(target)
    until = target[: len(stem_of(target)) + 1]
    separators = [byte for byte in until if byte in SEPARATORS] or [SEPARATORS[0]]
    return stem_of(target) + bytes(separators[-1:]) + rest


@dataclass
class Entry:
    name: bytes
    target: bytes = b""  # an alias if there is one
    handle: int = 0
    view: int = 0
    owner: int = 0


@dataclass
class Rule:
    kind: str  # show, bind, rebind, hide
    name: bytes
    target: bytes = b""
    handle: int = 0


@dataclass
class View:
    parent: int
    restricted: bool = False
    read_only: bool = False
    is_open: bool = True
    rules: list[Rule] = field(default_factory=list)


def longest(things: list, uri: bytes):
    found = [thing for thing in things if covers(thing.name, uri)]
    return max(found, key=lambda thing: len(stem_of(thing.name)), default=None)


@dataclass(frozen=True)
class Match:
    """An answer: handle, the URI after aliasing, how much of it the prefix took."""

    handle: int
    uri: bytes
    matched: int
    deeper: bool


@dataclass
class NameTable:
    entries: list[Entry] = field(default_factory=list)
    views: dict[int, View] = field(default_factory=lambda: {0: View(parent=-1)})

    # ---- Views ----

    def is_open(self, view: int) -> bool:
        return view in self.views and self.views[view].is_open

    def layers(self, view: int) -> list[int]:
        """From the view down to, and without, the root."""
        found = []
        while view != 0:
            found.append(view)
            view = self.views[view].parent
        return found

    def view_create(self, parent: int, empty: bool, read_only: bool) -> int:
        if not self.is_open(parent):
            return EBADF
        free = [i for i in range(1, VIEWS_MAX) if i not in self.views]
        if not free:
            return ENFILE
        self.views[free[0]] = View(parent, restricted=empty, read_only=read_only)
        return free[0]

    def view_drop(self, view: int) -> list[int]:
        """The handles that are given up."""
        if view == 0 or not self.is_open(view):
            return []
        self.views[view].is_open = False
        gone = [entry for entry in self.entries if entry.view == view]
        self.entries = [entry for entry in self.entries if entry.view != view]
        released = [entry.handle for entry in gone if not entry.target]
        while not self.views[view].is_open and not self.children(view):
            layer = self.views.pop(view)
            released += [rule.handle for rule in layer.rules if rule.kind == "bind"]
            view = layer.parent
        return released

    def children(self, view: int) -> list[int]:
        return [number for number, other in self.views.items() if other.parent == view]

    def add_rule(self, view: int, rule: Rule) -> int:
        if rule.kind == "rebind" and parse(rule.target):
            return parse(rule.target)
        if not self.is_open(view):
            return EBADF
        if view == 0:
            return EPERM
        layer = self.views[view]
        has_value = rule.kind in ("bind", "rebind")
        if layer.read_only and has_value:
            return EROFS
        if parse(rule.name):
            return parse(rule.name)
        for other in layer.rules:
            if stem_of(other.name) == stem_of(rule.name):
                return 0 if other.kind == rule.kind and not has_value else EEXIST
        if len(layer.rules) == RULES_MAX:
            return ENFILE
        layer.rules.append(rule)
        layer.restricted |= rule.kind == "show"
        return 0

    # ---- Entries ----

    def may_change(self, view: int, name: bytes) -> int:
        if not self.is_open(view):
            return EBADF
        if any(self.views[layer].read_only for layer in self.layers(view)):
            return EROFS
        return parse(name) or (0 if self.shows(view, name) else EPERM)

    def shows(self, view: int, name: bytes, bottom: int = 0) -> bool:
        """Whether the name arrives below unchanged."""
        for number in self.layers(view):
            if number == bottom:
                break
            layer = self.views[number]
            rule = longest(layer.rules, name)
            if rule.kind != "show" if rule else layer.restricted:
                return False
        return True

    def add_entry(self, entry: Entry) -> int:
        error = self.may_change(entry.view, entry.name)
        if error == 0 and entry.target:
            error = parse(entry.target)
        if error:
            return error
        if any(stem_of(other.name) == stem_of(entry.name) for other in self.entries):
            return EEXIST
        if len(self.entries) == ENTRIES_MAX:
            return ENFILE
        self.entries.append(entry)
        return 0

    def unregister(self, view: int, name: bytes, owner: int) -> int:
        error = self.may_change(view, name)
        if error:
            return ENOENT if error == EPERM else error
        for entry in self.entries:
            if stem_of(entry.name) == stem_of(name):
                if entry.owner != owner:
                    return EPERM
                self.entries.remove(entry)
                return entry.handle
        return ENOENT

    # ---- Questions ----

    def match(self, uri: bytes) -> Entry | None:
        return longest(self.entries, uri)

    def layers_pass(self, view: int, uri: bytes) -> tuple[str, int, Rule | None]:
        """("entries" or "error" or the rule's kind, the view below, the rule)."""
        for number in self.layers(view):
            layer = self.views[number]
            rule = longest(layer.rules, uri)
            if rule.kind == "hide" if rule else layer.restricted:
                return "error", number, None
            if rule and rule.kind != "show":
                return rule.kind, layer.parent, rule
        return "entries", 0, None

    def has_deeper(self, view: int, prefix: bytes) -> bool:
        names = [entry.name for entry in self.entries]
        names += [rule.name for layer in self.layers(view) for rule in self.views[layer].rules]
        return any(deeper_than(name, prefix) for name in names)

    def resolve(self, view: int, uri: bytes, size: int) -> Match | int:
        if not self.is_open(view):
            return EBADF
        if len(uri) > size:
            return ENAMETOOLONG
        base, aliases, deeper = view, 0, False
        while True:
            kind, below, rule = self.layers_pass(base, uri)
            if kind == "error":
                return ENOENT
            found = rule or self.match(uri)
            if found is None:
                return ENOENT
            if rule is None and found.target:
                aliases += 1
                if aliases > ALIASES_MAX:
                    return ELOOP
            if not found.target:
                deeper |= self.has_deeper(view, found.name)
                taken = len(stem_of(found.name))
                return Match(found.handle, uri, taken + (len(uri) > taken), deeper)
            if rule is not None:
                base = below
            uri = replace(uri, found.name, found.target)
            if len(uri) > size:
                return ENAMETOOLONG
            deeper |= self.has_deeper(view, found.name)

    def listing(self, view: int) -> list[bytes] | int:
        if not self.is_open(view):
            return EBADF
        names = [entry.name for entry in self.entries if self.shows(view, entry.name)]
        for layer in self.layers(view):
            for rule in self.views[layer].rules:
                if rule.kind in ("bind", "rebind") and self.shows(view, rule.name, layer):
                    names.append(rule.name)
        return sorted(names)
