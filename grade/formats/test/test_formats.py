"""Each format against what was worked out by hand, also for errors and runs that have not ended."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from grade.formats import FORMATS
from grade.model import (
    DONE,
    ERROR,
    FAILED,
    NOT_RUN,
    PASSED,
    TEXT_HEAD,
    TEXT_TAIL,
    Exercise,
    Result,
    ResultError,
    Test,
    from_json,
    shortened,
)

ROOT = Path(__file__).parents[3]


def finished() -> Result:
    """10 for the first, 4 of 6 for the second, whose two tests have points of their own."""
    said = "expected <1> & got\n\x1b[2J\x002\ud800"
    first = Exercise("3.1", "Send", 10, [Test("grade/t.py::test_send", None, PASSED, 1.25)])
    second = Exercise(
        "3.2",
        "Reply, once",
        6,
        [
            Test("grade/t.py::test_reply", 4, PASSED, 0.5),
            Test("grade/t.py::test_twice", 2, FAILED, 0.25, said),
        ],
    )
    result = Result(3, "ipc", [first, second], seconds=2.0)
    result.finish()
    return result


def broken() -> Result:
    result = finished()
    result.exercises[1].tests[0].outcome = ERROR
    result.exercises[1].tests[0].text = "no QEMU"
    result.finish()
    return result


def partial() -> Result:
    result = finished()
    result.exercises[1].tests[1] = Test("grade/t.py::test_twice", 2)
    result.state = "running"
    return result


def unbuilt() -> Result:
    result = finished()
    for test in result.tests:
        test.outcome, test.text = FAILED, "the work does not build"
    result.message = "a.c:3: error: what?"
    result.finish()
    return result


def convert(name: str, result: Result) -> str:
    return FORMATS[name].convert(result)


# ---- Text ------------------------------------------------------------------------------------


def test_text() -> None:
    assert convert("text", finished()) == (
        "== 3.1 Send: OK (1.2s) 10/10\n"
        "== 3.2 Reply, once: FAIL (0.8s) 4/6\n"
        "   grade/t.py::test_twice: failed\n"
        "      expected <1> & got\n"
        "      \\x1b[2J\\x002\\xd800\n"
        "Lab 3: 14/16\n"
    )


def test_text_of_what_does_not_count() -> None:
    text = convert("text", broken())
    assert "== 3.2 Reply, once: ERROR (0.8s) -/6\n" in text
    assert "test_reply: error (the grader's trouble, not yours)\n      no QEMU\n" in text
    assert "Lab 3: ERROR, no result" in text and "10 of 16 points are sure" in text
    text = convert("text", partial())
    assert "NOT RUN" in text and text.endswith("the run has not ended; 10 points so far\n")
    text = convert("text", unbuilt())
    assert text.endswith("   a.c:3: error: what?\nLab 3: 0/16\n")


# ---- Gradescope ------------------------------------------------------------------------------


def test_gradescope() -> None:
    model = json.loads(convert("gradescope", finished()))
    assert model == {
        "score": 14,
        "output": "Lab 3: 14/16",
        "output_format": "text",
        "execution_time": 2,
        "extra_data": {"lab": 3, "state": "done"},
        "tests": [
            {
                "number": "3.1",
                "name": "Send",
                "score": 10,
                "max_score": 10,
                "status": "passed",
                "output": "",
                "output_format": "text",
            },
            {
                "number": "3.2",
                "name": "Reply, once",
                "score": 4,
                "max_score": 6,
                "status": "failed",
                "output": "   grade/t.py::test_twice: failed\n      expected <1> & got\n"
                "      \\x1b[2J\\x002\\xd800",
                "output_format": "text",
            },
        ],
    }


@pytest.mark.parametrize("result", [broken(), partial()], ids=["error", "partial"])
def test_gradescope_gives_no_points_that_are_not_known(result: Result) -> None:
    model = json.loads(convert("gradescope", result))
    assert "score" not in model and "tests" not in model
    assert model["extra_data"]["state"] in ("error", "running") and "no result" in model["output"]


def test_gradescope_gives_zero_for_what_does_not_build() -> None:
    model = json.loads(convert("gradescope", unbuilt()))
    assert model["score"] == 0 and [test["score"] for test in model["tests"]] == [0, 0]
    assert "a.c:3: error: what?" in model["output"]


# ---- JUnit -----------------------------------------------------------------------------------


def counts(suite: ElementTree.Element) -> tuple[str | None, ...]:
    return tuple(suite.get(name) for name in ("tests", "failures", "errors", "skipped"))


def test_junit() -> None:
    suite = ElementTree.fromstring(convert("junit", finished()))
    assert counts(suite) == ("3", "1", "0", "0") and suite.get("time") == "2.000"
    values = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert values == {"state": "done", "earned": "14", "points": "16"}
    send, reply, twice = suite.iter("testcase")
    assert (send.get("classname"), send.get("name")) == ("exercise 3.1", "test_send")
    assert (send.get("time"), list(send), list(reply)) == ("1.250", [], [])
    assert [child.tag for child in twice] == ["failure"]
    assert twice[0].text == "expected <1> & got\n\\x1b[2J\\x002\\xd800"
    assert twice[0].get("message") == "\\x1b[2J\\x002\\xd800"


def test_junit_tells_errors_from_failures() -> None:
    suite = ElementTree.fromstring(convert("junit", broken()))
    assert counts(suite) == ("3", "1", "1", "0")
    assert [e.text for e in suite.iter("error")] == ["no QEMU"]
    assert [e.text for e in suite.iter("failure")][0]
    suite = ElementTree.fromstring(convert("junit", partial()))
    assert counts(suite) == ("3", "0", "0", "1") and len(list(suite.iter("skipped"))) == 1


def test_junit_of_a_run_that_failed_as_a_whole() -> None:
    result = Result(3, "ipc", [Exercise("3.1", "Send", 10)])
    result.finish("nobody could grade this")
    suite = ElementTree.fromstring(convert("junit", result))
    assert counts(suite) == ("1", "0", "1", "0")
    assert [e.text for e in suite.iter("error")] == ["nobody could grade this"]


# ---- CSV -------------------------------------------------------------------------------------


def test_csv() -> None:
    assert convert("csv", finished()) == (
        "lab,exercise,title,verdict,earned,points,seconds\n"
        "3,3.1,Send,OK,10,10,1.2\n"
        '3,3.2,"Reply, once",FAIL,4,6,0.8\n'
        "3,total,ipc,DONE,14,16,2.0\n"
    )


def test_csv_leaves_unknown_points_empty() -> None:
    assert convert("csv", broken()).splitlines()[2:] == [
        '3,3.2,"Reply, once",ERROR,,6,0.8',
        "3,total,ipc,ERROR,,16,2.0",
    ]
    assert convert("csv", partial()).splitlines()[2:] == [
        '3,3.2,"Reply, once",NOT RUN,,6,0.5',
        "3,total,ipc,RUNNING,,16,2.0",
    ]


# ---- The model, and the command --------------------------------------------------------------


def test_the_model_survives_the_file() -> None:
    for result in (finished(), broken(), partial(), unbuilt()):
        assert from_json(json.loads(json.dumps(result.as_json()))) == result


@pytest.mark.parametrize("model", [None, [], {}, {"version": 1}, {"version": 1, "exercises": [1]}])
def test_nonsense_is_no_result(model: object) -> None:
    with pytest.raises(ResultError, match="this is no result"):
        from_json(model)


def test_other_versions_are_refused() -> None:
    with pytest.raises(ResultError, match="version 2, not 1"):
        from_json({**finished().as_json(), "version": 2})


def test_long_texts_keep_both_ends() -> None:
    text = "begin" + "x" * 10**6 + "end"
    kept = shortened(text)
    assert kept.startswith("begin") and kept.endswith("end")
    assert len(kept) < TEXT_HEAD + TEXT_TAIL + 100 and "characters left out" in kept
    assert shortened("short") == "short"


def test_an_unfinished_test_is_an_error_in_the_end() -> None:
    result = Result(1, "x", [Exercise("1.1", "y", 5, [Test("t", None, NOT_RUN)])])
    result.finish()
    assert (result.state, result.earned, result.tests[0].outcome) == (ERROR, None, ERROR)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grade.convert", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command(tmp_path: Path) -> None:
    score, out = tmp_path / "score.json", tmp_path / "out"
    finished().write(score, b"key")
    assert json.loads(score.read_text())["state"] == DONE
    answer = run("--to", "csv", str(score))
    assert (answer.returncode, answer.stdout) == (0, convert("csv", finished()))
    broken().write(score)
    answer = run("--to", "junit", str(score), "--output", str(out))
    assert answer.returncode == 3 and ElementTree.parse(out).getroot().get("errors") == "1"
    score.write_text('{"version": 1')
    answer = run("--to", "text", str(score))
    assert answer.returncode == 3 and "score.json" in answer.stderr and not answer.stdout
