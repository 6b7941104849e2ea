"""Runs a script of grade/lab1/world.py in the kernel, and compares answers and page tables with
what the model expects."""

from __future__ import annotations

import itertools
from typing import Any

from grade.lab1.sv39 import DIRECT_MAP, PAGE, Leaf, PageTable, Walker, flag_names
from grade.lab1.sv39 import A, D, R, U, V, W, X
from grade.lab1.trial import Answer, Trial
from grade.lab1.world import EXEC, OPS, READ, WRITE, Frame, Step, View, World


def run_world(world: World, trial: Trial, **options: Any) -> None:
    """The whole script; at each pause the page tables are walked."""
    trial.run("world", world.words(), **options)
    judge = Judge(trial)
    queue: list[Step] = []
    for step in world.steps:
        queue.append(step)
        if OPS[step.words[0]] == "pause":
            judge.steps(queue[:-1], trial.pause())
            judge.tables(step)
            trial.guest.resume()
            queue = [step]  # its line comes when it goes on
    judge.steps(queue, trial.finish())


class Judge:
    """Compares answers and tables with the model; knows which frame is at which address."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.places: dict[int, Frame] = {}  # physical -> frame
        self.homes: dict[Frame, int] = {}
        self.base: int | None = None
        self.roots: dict[int, int] = {}
        self.satp: dict[int, int] = {}
        self.fields: dict[int, tuple[int, ...]] = {}
        self.stale: dict[int, int] = {}
        self.resident: dict[int, int] = {}
        self.hoarding = False
        self.last = ""

    def steps(self, steps: list[Step], answers: list[Answer]) -> None:
        fields = [answer.values for answer in answers if answer.name == "fields"]
        rest = [answer for answer in answers if answer.name != "fields"]
        for step, answer in itertools.zip_longest(steps, rest):
            name = OPS[step.words[0]] if step else "nothing more"
            good = step is not None and answer is not None and answer.name == name
            text = step.text if step else "the test"
            self.trial.require(good, text, f"an answer: {name}", answer)
            self.one(name, step, answer.values, fields)

    def one(
        self, name: str, step: Step, values: tuple[int, ...], fields: list[tuple[int, ...]]
    ) -> None:
        trial, text = self.trial, step.text
        for index, wanted in step.expected.items():
            trial.equal(f"{text}: result {index}", wanted, values[index])
        for index, most in step.most.items():
            what = f"{text}: result {index}"
            trial.require(values[index] <= most, what, f"at most {most}", values[index])
        if step.frame is not None:
            self.frame(text, step, values[0])
            if name == "page":
                trial.equal(f"{text}: references of the frame", step.shared, values[2])
        if name == "hoard":
            self.hoarding = step.words[3] == 0
        if self.base is None:
            self.base = values[4] - step.used
        if not self.hoarding:
            trial.equal(f"{text}: frames in use afterwards", step.used, values[4] - self.base)
        trial.equal(f"{text}: pages charged to accounts 0 and 1", step.charged, values[5:7])
        space = step.words[1] & 15
        if name == "space" and values[0]:
            self.roots[space], self.satp[space], self.stale[space] = values[1:4]
            self.fields[space] = fields.pop(0)
        if name == "change":
            self.resident[space] = values[3]

    def frame(self, text: str, step: Step, physical: int) -> None:
        """The same frame is always at the same place, and no two are at one."""
        assert step.frame
        trial = self.trial
        trial.require(physical != 0, text, "the address of a frame", 0)
        home = self.homes.get(step.frame)
        other = self.places.get(physical)
        if home is not None:
            trial.equal(f"{text}: the frame that this page has", home, physical)
        elif other is not None and other.users > 0 and other is not step.frame:
            trial.fail(text, "a frame of its own", f"{physical:#x}, which another page uses")
        self.homes[step.frame] = physical
        self.places[physical] = step.frame

    def tables(self, step: Step) -> None:
        walker = Walker(self.trial.guest.machine)
        for space, regions in step.snapshot.items():
            table = walker.walk(self.roots[space])
            where = f"the page table of space {space}"
            self.trial.require(not table.odd, where, "valid", table.odd[:3])
            user = [leaf for leaf in table.leaves if leaf.address < DIRECT_MAP]
            self.trial.equal(f"{where}: resident bytes", len(user) * PAGE, self.resident[space])
            for leaf in user:
                self.leaf(where, leaf, regions)
            for number, address, flags in step.must:
                if number == space:
                    self.present(where, table, address, flags, regions)

    def leaf(
        self, where: str, leaf: Leaf, regions: list[View]
    ) -> None:
        """What is mapped must be allowed, and be the right frame."""
        trial = self.trial
        found = [pair for pair in regions if pair[0].start <= leaf.address < pair[0].end]
        what = f"{where} has {leaf}"
        trial.require(bool(found), what, "only pages of regions", "no region there")
        region, frames = found[0]
        frame, users = frames.get(region.index(leaf.address), (None, 0))
        trial.require(frame is not None, what, "nothing: the page has no frame", leaf)
        assert frame
        fake = Step((), where, frame=frame)
        self.frame(f"{where}, {leaf.address:#x}", fake, leaf.physical)
        flags = U | A | D | V | (R if region.prot & (READ | WRITE) else 0)
        flags |= X if region.prot & EXEC else 0
        what = f"{where}, {leaf.address:#x}, prot {region.prot}, a frame with {users} users: flags"
        may_write = region.prot & WRITE and (users == 1 or region.memory.contiguous)
        wanted = flag_names(flags | (W if may_write else 0))
        good = leaf.flags == flags or may_write and leaf.flags == flags | W
        trial.require(good, what, wanted, flag_names(leaf.flags))

    def present(
        self,
        where: str,
        table: PageTable,
        address: int,
        flags: int,
        regions: list[View],
    ) -> None:
        leaf = table.find(address)
        what = f"{where}, {address:#x}, after space_fault returned 0: flags"
        seen = flag_names(leaf.flags) if leaf else "no leaf"
        self.trial.require(leaf is not None and leaf.flags == flags, what, flag_names(flags), seen)
