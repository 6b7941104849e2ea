"""CSV: a row per exercise and one for the whole lab. Points that are not known are empty, not 0."""

from __future__ import annotations

import csv
import io

from grade.model import Result

HEADER = ("lab", "exercise", "title", "verdict", "earned", "points", "seconds")


def convert(result: Result) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for exercise in result.exercises:
        row = (result.lab, exercise.id, exercise.title, exercise.verdict)
        writer.writerow((*row, exercise.earned, exercise.points, f"{exercise.seconds:.1f}"))
    row = (result.lab, "total", result.title, result.state.upper())
    writer.writerow((*row, result.earned, result.points, f"{result.seconds:.1f}"))
    return out.getvalue()
