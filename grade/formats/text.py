"""The result as students read it: a line per exercise, and what is wrong below it."""

from __future__ import annotations

import re

from grade.model import DONE, ERROR, FAILED, RUNNING, Exercise, Result

SHOWN_LINES = 40
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
QUOTED = re.compile(r'"([^"]+)"|`([^`]+)`')


def harmless(text: str) -> str:
    """A guest's words, without what would move the reader's cursor."""
    plain = text.replace("\r\n", "\n")
    return CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", plain)


def points(earned: int | None, of: int) -> str:
    return f"{'-' if earned is None else earned}/{of}"


def fitting_hints(exercise: Exercise) -> list[tuple[str, str]]:
    """Hints whose symptom a failed test shows: all that the symptom quotes is in the message, or
    what follows its colon is."""
    text = "\n".join(test.text for test in exercise.tests if test.outcome == FAILED).lower()
    found = []
    for symptom, hint in exercise.hints.items():
        signs = [first or second for first, second in QUOTED.findall(symptom)]
        if not signs and ": " in symptom:
            signs = [symptom.split(": ", 1)[1]]
        if text and signs and all(sign.lower() in text for sign in signs):
            found.append((symptom, hint))
    return found


def exercise_lines(exercise: Exercise) -> list[str]:
    """One exercise: its verdict; for each test that did not pass, what it said."""
    lines = [
        f"== {exercise.id} {exercise.title}: {exercise.verdict} ({exercise.seconds:.1f}s) "
        f"{points(exercise.earned, exercise.points)}"
    ]
    for test in exercise.tests:
        if test.outcome not in (FAILED, ERROR):
            continue
        blame = " (the grader's trouble, not yours)" if test.outcome == ERROR else ""
        lines.append(f"   {test.name}: {test.outcome}{blame}")
        said = harmless(test.text).strip().split("\n")
        if len(said) > SHOWN_LINES:
            lines.append(f"      ... ({len(said) - SHOWN_LINES} lines before)")
        lines += [f"      {line}" for line in said[-SHOWN_LINES:]]
    for symptom, hint in fitting_hints(exercise):
        lines.append(f"   hint ({symptom}): {hint}")
    return lines


def total_lines(result: Result) -> list[str]:
    """The last words."""
    message = [f"   {line}" for line in harmless(result.message).strip().split("\n") if line]
    if result.state == DONE:
        return [*message, f"Lab {result.lab}: {points(result.earned, result.points)}"]
    sure = sum(exercise.earned or 0 for exercise in result.exercises)
    if result.state == RUNNING:
        return [f"Lab {result.lab}: no result, the run has not ended; {sure} points so far"]
    verdict = f"Lab {result.lab}: ERROR, no result: the grader could not do its work"
    return [verdict, *message, f"   {sure} of {result.points} points are sure"]


def convert(result: Result) -> str:
    lines = [line for exercise in result.exercises for line in exercise_lines(exercise)]
    return "\n".join([*lines, *total_lines(result)]) + "\n"
