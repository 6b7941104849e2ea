"""Exercises 4.1 to 4.6: the name table on the host, against a model in Python."""

from __future__ import annotations

import pytest

from grade.harness.plugin import Laboratory
from grade.lab4.model import NAME_MAX
from grade.lab4.native import Dice, build, judge
from grade.lab4.workload import Workload, random_name, random_uri

SOURCES = ("grade/lab4/host/names.c", "servers/nsd/nametable.c", "servers/nsd/nameview.c")


class Bench(Workload):
    """A workload that can be judged."""

    def __init__(self, laboratory: Laboratory) -> None:
        super().__init__()
        self.laboratory = laboratory
        self.dice = Dice.fresh()

    def judge(self) -> None:
        __tracebackhide__ = True
        judge(build(self.laboratory, "names", SOURCES), self.steps, self.dice)


@pytest.fixture
def bench(laboratory: Laboratory) -> Bench:
    return Bench(laboratory)


# ---- 4.1 ----------------------------------------------------------------------------------------


@pytest.mark.exercise("4.1", points=2)
def test_parse_splits_off_separators(bench: Bench) -> None:
    """The stem is what two spellings of one name have in common."""
    for name in (b"a", b"fs:root", b"fs:root:", b"fs:root:/", b"fs:root::", b"fs:root:etc/"):
        bench.parse(name)
    bench.parse(b":a")  # a separator in front is part of the name
    for _ in range(60):
        bench.parse(random_name(bench.dice.random))
    bench.judge()


@pytest.mark.exercise("4.1", points=3)
def test_parse_refuses(bench: Bench) -> None:
    """What cannot be a name; and what can, though it looks odd."""
    dice = bench.dice.random
    for name in (b"", b":", b"/", b":/:", b"/" * NAME_MAX, b"fs\x00:root", b"fs:root\n", b"\x1f"):
        bench.parse(name)
    bench.parse(b"fs:root\x7f")
    bench.parse("fs:räume/ÿ".encode())  # bytes above 127 are no control characters
    bench.parse(bytes(range(128, 160)))
    bench.parse(b"fs:with blanks")
    for length in (NAME_MAX - 1, NAME_MAX, NAME_MAX + 1, NAME_MAX + 100, 256, 256 + 5):
        bench.parse(b"n" * length)
        bench.parse(b"n" * (length - 1) + b":")
    for _ in range(60):
        name = bytearray(random_name(dice))
        name[dice.randrange(len(name))] = dice.randrange(256)
        bench.parse(bytes(name))
    bench.judge()


# ---- 4.2 ----------------------------------------------------------------------------------------


@pytest.mark.exercise("4.2", points=2)
def test_covers_whole_segments(bench: Bench) -> None:
    """A segment ends behind ':' or '/', or where the URI ends."""
    for uri in (b"fs:root:etc/motd", b"fs:root", b"fs:root/", b"fs:rootkit:x", b"fs:roo", b"fs:"):
        for name in (b"fs:root", b"fs:root:", b"fs", b"fs:"):
            bench.covers(name, uri)
    bench.covers(b"fs:root", b"")
    bench.covers(b"fs:root", b"xfs:root")
    bench.covers(b"fs:root", b"fs/root")  # the two separators are not the same character
    bench.judge()


@pytest.mark.exercise("4.2", points=3)
def test_covers_random_names(bench: Bench) -> None:
    """Names that share beginnings, and URIs beside, at and below them."""
    dice = bench.dice.random
    for _ in range(400):
        name = random_name(dice)
        bench.covers(name, random_uri(dice, [name]))
    bench.judge()


# ---- 4.3 ----------------------------------------------------------------------------------------


@pytest.mark.exercise("4.3")
def test_longest_prefix_wins(bench: Bench) -> None:
    """In whatever order the names were registered, and whatever was taken out in between."""
    dice = bench.dice.random
    names = [b"fs", b"fs:root", b"fs:root:home", b"fs:root:home/a", b"fs:rootkit"]
    for _ in range(6):
        bench.reset()
        dice.shuffle(names)
        for index, name in enumerate(names):
            bench.register(0, name + dice.choice((b"", b":", b"///")), 100 + index)
        for uri in (b"fs:root:home/a/b", b"fs:root:home/ab", b"fs:root", b"fs:roots", b"gs:root"):
            bench.match(uri)
    bench.reset()  # separators at the end make no name longer
    bench.register(0, b"fs" + b"/" * 20, 1)
    bench.register(0, b"fs:root", 2)
    bench.match(b"fs:root:etc")
    for _ in range(10):
        bench.reset()
        for handle in range(200, 230):
            bench.random_entry(dice, 0, handle)
            if dice.random() < 0.2 and bench.table.entries:
                bench.unregister(0, dice.choice(bench.table.entries).name)
            bench.match(random_uri(dice, bench.names))
    bench.judge()


# ---- 4.4 ----------------------------------------------------------------------------------------


@pytest.mark.exercise("4.4", points=7)
def test_each_layer_decides(bench: Bench) -> None:
    """One rule at a time, and layers over it."""
    uris = (b"fs:root:home/x", b"fs:root:home", b"fs:root:etc", b"fs:rootkit", b"net:tcp")
    for rule in ("show", "hide", "bind", "rebind"):
        bench.reset()
        lower = bench.view(0)
        if rule == "show":
            bench.show(lower, b"fs:root:")
        elif rule == "hide":
            bench.hide(lower, b"fs:root:")
        elif rule == "bind":
            bench.bind(lower, b"fs:root:", 7)
        else:
            bench.rebind(lower, b"fs:root:", b"net:")
        above = bench.view(bench.view(lower))
        bench.show(bench.view(above, empty=True), b"fs:root:home/")
        for view in sorted(bench.table.views):
            for uri in uris:
                bench.layers_pass(view, uri)
    bench.reset()
    view = bench.view(0, empty=True)
    bench.layers_pass(view, b"fs:root")
    bench.show(view, b"fs:")
    bench.hide(view, b"fs:root:")
    bench.show(view, b"fs:root:home")  # the longest rule decides
    for uri in uris:
        bench.layers_pass(view, uri)
    bench.judge()


@pytest.mark.exercise("4.4", points=8)
def test_random_layers(bench: Bench) -> None:
    """Random rules in views over views."""
    dice = bench.dice.random
    for _ in range(25):
        bench.reset()
        views = [0]
        for handle in range(dice.randint(1, 5)):
            views.append(bench.view(dice.choice(views), empty=dice.random() < 0.2))
            for _ in range(dice.randint(0, 4)):
                bench.random_rule(dice, views[-1], 100 + handle)
        for _ in range(25):
            bench.layers_pass(dice.choice(views), random_uri(dice, bench.names))
    bench.judge()


# ---- 4.5 ----------------------------------------------------------------------------------------


@pytest.mark.exercise("4.5", points=7)
def test_aliases(bench: Bench) -> None:
    """An alias of an alias, one into itself, a circle, and the longest chain that is followed."""
    bench.reset()
    bench.register(0, b"fs:root:", 10)
    bench.alias(0, b"home:", b"fs:root:home/")
    bench.alias(0, b"me", b"home:alice")
    bench.alias(0, b"me:mail", b"me:spool/mail")  # a longer name than its own target's prefix
    for uri in (b"home:", b"home:bob/x", b"home:/bob", b"me:x", b"me", b"me:mail/1", b"home"):
        bench.resolve(0, uri)
    bench.resolve(0, b"me:x", size=20)  # does not fit
    bench.reset()
    bench.alias(0, b"yes:", b"no:")
    bench.alias(0, b"no:", b"yes:")
    bench.alias(0, b"self", b"self")
    for uri in (b"yes:x", b"no", b"self:x"):
        bench.resolve(0, uri)
    for length in (7, 8, 9):
        bench.reset()
        bench.register(0, b"end:", 99)
        for i in range(length):
            target = b"a%d:" % (i + 1) if i + 1 < length else b"end:"
            bench.alias(0, b"a%d:" % i, target)
        bench.resolve(0, b"a0:x")
    bench.judge()


@pytest.mark.exercise("4.5", points=7)
def test_rebound_names(bench: Bench) -> None:
    """A rebound name goes on below its layer; an alias begins again at the top of what is left."""
    bench.reset()
    bench.register(0, b"fs:root", 10)
    bench.alias(0, b"home:", b"fs:root:home/")
    jail = bench.view(0)
    bench.rebind(jail, b"fs:root", b"fs:root:home/alice/")  # into itself, and yet no circle
    inner = bench.view(jail)
    bench.rebind(inner, b"tmp:", b"fs:root:tmp")
    bench.hide(inner, b"fs:root:secret")
    for view in (0, jail, inner):
        for uri in (b"fs:root:etc/motd", b"fs:root", b"tmp:x", b"home:x", b"fs:root:secret"):
            bench.resolve(view, uri)
    bench.reset()
    bench.register(0, b"fs:root", 10)
    bench.alias(0, b"door:", b"fs:root:vault")
    view = bench.view(0)
    bench.hide(view, b"fs:root:vault")
    bench.resolve(view, b"door:x")  # an alias shows nobody what his view does not
    bench.resolve(0, b"door:x")
    view = bench.view(0)
    bench.bind(view, b"fs:root:vault", 11)
    bench.resolve(view, b"door:x")
    bench.judge()


@pytest.mark.exercise("4.5", points=6)
def test_random_trees(bench: Bench) -> None:
    """Random names, aliases, views and rules."""
    dice = bench.dice.random
    for _ in range(25):
        bench.reset()
        views = [0]
        for handle in range(dice.randint(3, 20)):
            bench.random_entry(dice, 0, 100 + handle, aliases=0.4)
        for handle in range(dice.randint(0, 4)):
            views.append(bench.view(dice.choice(views), empty=dice.random() < 0.1))
            for _ in range(dice.randint(0, 4)):
                bench.random_rule(dice, views[-1], 200 + handle)
        for _ in range(25):
            bench.resolve(dice.choice(views), random_uri(dice, bench.names))
    bench.judge()


# ---- 4.6 ----------------------------------------------------------------------------------------


@pytest.mark.exercise("4.6", points=7)
def test_drop_gives_up_handles(bench: Bench) -> None:
    """What a view registered and what it bound, each once; aliases have no handle."""
    bench.reset()
    bench.register(0, b"stays:", 10)
    view = bench.view(0)
    other = bench.view(0)
    for index in range(5):
        bench.register(view, b"mine:%d" % index, 20 + index)
        bench.register(other, b"theirs:%d" % index, 30 + index)
    bench.alias(view, b"alias:", b"mine:1")
    bench.bind(view, b"bound:", 40)
    bench.bind(view, b"bound:deeper", 41)
    bench.rebind(view, b"moved:", b"mine:")
    bench.list(0)
    bench.drop(view)
    bench.list(0)
    bench.layers()
    for uri in (b"mine:1", b"alias:x", b"theirs:1", b"stays:"):
        bench.resolve(0, uri)
    bench.drop(view)  # it is gone already
    bench.drop(0)  # never
    bench.drop(other)
    bench.layers()
    bench.list(0)
    bench.judge()


@pytest.mark.exercise("4.6", points=8)
def test_layers_outlive_their_views(bench: Bench) -> None:
    """A layer that others stand on stays; the last one that goes takes those below with it."""
    bench.reset()
    bench.register(0, b"fs:root", 10)
    chain = [0]
    for index in range(4):
        chain.append(bench.view(chain[-1]))
        bench.bind(chain[-1], b"level%d:" % index, 50 + index)
        bench.register(chain[-1], b"entry%d:" % index, 60 + index)
    side = bench.view(chain[2])
    for view in (chain[1], chain[3], chain[2]):
        bench.drop(view)
        bench.layers()
        for index in range(4):
            bench.resolve(chain[4], b"level%d:" % index)
            bench.resolve(chain[4], b"entry%d:" % index)
        bench.resolve(side, b"level1:")
    for view in (chain[4], side):
        bench.drop(view)
        bench.layers()
    dice = bench.dice.random
    for _ in range(12):
        bench.reset()
        for handle in range(100, 160):
            views = [number for number in bench.table.views if bench.table.is_open(number)]
            view, kind = dice.choice(views), dice.randrange(8)
            if kind < 2:
                bench.view(view)
            elif kind < 4:
                bench.random_entry(dice, view, handle, aliases=0.2)
            elif kind < 6 and view:
                bench.random_rule(dice, view, handle)
            elif kind == 6:
                bench.drop(view)
                bench.layers()
            else:
                bench.resolve(view, random_uri(dice, bench.names))
                bench.list(view)
        for view in sorted(bench.table.views):
            bench.drop(view)
        bench.layers()
    bench.judge()
