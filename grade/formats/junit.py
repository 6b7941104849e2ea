"""JUnit XML: a suite for the lab, a case per test, as continuous integration systems read it.

failure: the work is wrong. error: the grader could not find out. skipped: not yet run, in a result
whose run has not ended.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from grade.formats.text import harmless
from grade.model import DONE, ERROR, FAILED, NOT_RUN, Exercise, Result, Test

ELEMENT = {FAILED: "failure", ERROR: "error", NOT_RUN: "skipped"}
FORBIDDEN = re.compile(r"[\ufffe\uffff]")  # by XML 1.0, besides what is gone already


def clean(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", harmless(text))


def add_case(suite: ElementTree.Element, exercise: Exercise, test: Test) -> None:
    name = test.name.split("::")[-1]
    case = ElementTree.SubElement(
        suite,
        "testcase",
        {"classname": f"exercise {exercise.id}", "name": name, "time": f"{test.seconds:.3f}"},
    )
    if test.outcome in ELEMENT:
        first = clean(test.text).strip().split("\n")[-1]
        element = ElementTree.SubElement(case, ELEMENT[test.outcome], {"message": first})
        element.text = clean(test.text)


def convert(result: Result) -> str:
    outcomes = [test.outcome for test in result.tests]
    errors = outcomes.count(ERROR)
    whole = result.state == ERROR and not errors  # the run itself failed
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": f"lab {result.lab}",
            "tests": str(len(outcomes) + whole),
            "failures": str(outcomes.count(FAILED)),
            "errors": str(errors + whole),
            "skipped": str(outcomes.count(NOT_RUN)),
            "time": f"{result.seconds:.3f}",
        },
    )
    properties = ElementTree.SubElement(suite, "properties")
    earned = "" if result.earned is None else str(result.earned)
    values = {"state": result.state, "earned": earned, "points": str(result.points)}
    for name, value in values.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": value})
    for exercise in result.exercises:
        for test in exercise.tests:
            add_case(suite, exercise, test)
    if whole:
        test = Test("grader", outcome=ERROR, text=result.message)
        add_case(suite, Exercise("-", "", 0), test)
    if result.state == DONE and result.message:
        ElementTree.SubElement(suite, "system-out").text = clean(result.message)
    ElementTree.indent(suite, " ")
    return ElementTree.tostring(suite, "unicode", xml_declaration=True) + "\n"
