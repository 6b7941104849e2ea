"""The result of grading one lab: the versioned JSON model that every other format is made from.

The file is rewritten after each test. It counts only when the run came to its end: then its state
is no longer "running", and it carries a token, the seal of all the rest under a key that only the
grader and whoever started it know. So a truncated or replaced file is never taken for a result.

What the grader could not find out is an error, and has no points at all: None, not 0.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

VERSION = 1
RUNNING, DONE, ERROR = "running", "done", "error"  # states of a result; ERROR also of a test
PASSED, FAILED, NOT_RUN = "passed", "failed", "not run"
TEXT_HEAD, TEXT_TAIL = 4000, 12000  # characters kept of what a test says


class ResultError(Exception):
    """There is no result that counts; the message says why."""


def shortened(text: str) -> str:
    """A guest can say more than anybody wants to keep."""
    if len(text) <= TEXT_HEAD + TEXT_TAIL:
        return text
    left_out = len(text) - TEXT_HEAD - TEXT_TAIL
    note = f"\n... ({left_out} characters left out)\n"
    return text[:TEXT_HEAD] + note + text[-TEXT_TAIL:]


@dataclass
class Test:
    """One test, all its parameters together."""

    name: str
    points: int | None = None
    outcome: str = NOT_RUN
    seconds: float = 0.0
    text: str = ""
    __test__ = False  # this is no test, whatever pytest thinks of its name


@dataclass
class Exercise:
    """One exercise of a lab.toml, and how its tests came out."""

    id: str
    title: str
    points: int
    tests: list[Test] = field(default_factory=list)
    hints: dict[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        outcomes = {test.outcome for test in self.tests}
        if not outcomes:
            return "NOT TESTED"
        for outcome, verdict in ((ERROR, "ERROR"), (NOT_RUN, "NOT RUN"), (FAILED, "FAIL")):
            if outcome in outcomes:
                return verdict
        return "OK"

    @property
    def earned(self) -> int | None:
        """None: not known, because not every test came to a verdict."""
        if self.verdict not in ("OK", "FAIL"):
            return None
        single = [test.points for test in self.tests if test.points is not None]
        if len(single) < len(self.tests):
            return self.points if self.verdict == "OK" else 0
        passed = (test.points or 0 for test in self.tests if test.outcome == PASSED)
        return min(self.points, sum(passed))

    @property
    def seconds(self) -> float:
        return sum(test.seconds for test in self.tests)


@dataclass
class Result:
    """One graded lab."""

    lab: int
    title: str
    exercises: list[Exercise]
    state: str = RUNNING
    message: str = ""  # about the whole: why there is no result, or why it does not build
    seconds: float = 0.0

    @property
    def points(self) -> int:
        return sum(exercise.points for exercise in self.exercises)

    @property
    def earned(self) -> int | None:
        earned = [exercise.earned for exercise in self.exercises]
        if self.state != DONE or None in earned:
            return None
        return sum(points or 0 for points in earned)

    @property
    def tests(self) -> list[Test]:
        return [test for exercise in self.exercises for test in exercise.tests]

    def finish(self, message: str = "") -> None:
        """The run is over. A test without a verdict is an error from now on."""
        for test in self.tests:
            if test.outcome == NOT_RUN:
                test.outcome = ERROR
                test.text = test.text or "the test did not run to its end"
        known = all(exercise.earned is not None for exercise in self.exercises)
        self.state = DONE if known and not message else ERROR
        self.message = message or self.message
        if self.state == ERROR and not self.message:
            self.message = "not every exercise could be graded"

    def as_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "lab": self.lab,
            "title": self.title,
            "state": self.state,
            "message": self.message,
            "points": self.points,
            "earned": self.earned,
            "seconds": round(self.seconds, 2),
            "exercises": [
                {
                    "id": exercise.id,
                    "title": exercise.title,
                    "points": exercise.points,
                    "earned": exercise.earned,
                    "verdict": exercise.verdict,
                    "hints": exercise.hints,
                    "tests": [asdict(test) for test in exercise.tests],
                }
                for exercise in self.exercises
            ],
        }

    def write(self, path: Path, key: bytes | None = None) -> None:
        """Replace the file at once. With a key the result is final, and sealed."""
        model = self.as_json()
        if key is not None:
            model["token"] = seal(model, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(json.dumps(model, indent=1) + "\n")
        os.replace(temporary, path)


def seal(model: dict[str, Any], key: bytes) -> str:
    """The token of a final result: nobody without the key can make it for other contents."""
    rest = {name: value for name, value in model.items() if name != "token"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def from_json(model: Any) -> Result:
    """The opposite of as_json; raises ResultError."""
    try:
        if model["version"] != VERSION:
            raise ResultError(f"the result has version {model['version']}, not {VERSION}")
        exercises = [
            Exercise(
                str(entry["id"]),
                str(entry["title"]),
                int(entry["points"]),
                [Test(**test) for test in entry["tests"]],
                dict(entry["hints"]),
            )
            for entry in model["exercises"]
        ]
        return Result(
            int(model["lab"]),
            str(model["title"]),
            exercises,
            str(model["state"]),
            str(model["message"]),
            float(model["seconds"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultError(f"this is no result: {type(error).__name__}: {error}") from None


def load(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: {error}") from None


def read_result(path: Path, key: bytes | None = None) -> Result:
    """A result as it is in a file, perhaps of a run that goes on. With a key: only a final one,
    as the grader wrote it."""
    model = load(path)
    result = from_json(model)
    if key is None:
        return result
    if result.state == RUNNING or "token" not in model:
        done, every = sum(test.outcome != NOT_RUN for test in result.tests), len(result.tests)
        raise ResultError(f"the run ended before its time, after {done} of {every} tests")
    if not hmac.compare_digest(str(model["token"]), seal(model, key)):
        raise ResultError("the result is not what the grader wrote: its token does not fit")
    return result


# ---- What there is to grade ------------------------------------------------------------------


def read_labs(root: Path) -> dict[int, dict[str, Any]]:
    """Each lab.toml of a tree, by number."""
    return {
        int(path.parent.name[:2]): tomllib.loads(path.read_text())
        for path in sorted((root / "labs").glob("[0-9][0-9]-*/lab.toml"))
    }
