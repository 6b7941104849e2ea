"""Gradescope's results.json: an entry per exercise.

Without a score in it, Gradescope says that the autograder failed, tells the instructor, and gives
no points. That is what a result becomes that does not count.
"""

from __future__ import annotations

import json
from typing import Any

from grade.formats.text import exercise_lines, harmless, total_lines
from grade.model import DONE, Exercise, Result


def entry(exercise: Exercise) -> dict[str, Any]:
    return {
        "number": exercise.id,
        "name": exercise.title,
        "score": exercise.earned,
        "max_score": exercise.points,
        "status": "passed" if exercise.verdict == "OK" else "failed",
        "output": "\n".join(exercise_lines(exercise)[1:]),
        "output_format": "text",
    }


def convert(result: Result) -> str:
    model: dict[str, Any] = {
        "output": harmless("\n".join(total_lines(result))),
        "output_format": "text",
        "execution_time": round(result.seconds),
        "extra_data": {"lab": result.lab, "state": result.state},
    }
    if result.state == DONE and result.earned is not None:
        model["score"] = result.earned
        model["tests"] = [entry(exercise) for exercise in result.exercises]
    return json.dumps(model, indent=1) + "\n"
