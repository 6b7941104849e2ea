"""Turn a result into another format.

    python -m grade.convert --to gradescope|junit|csv|text SCORE.json [--output FILE]

Exit status: 0, or 3 for a result that does not count (an error of the grader, or a run that has
not ended); the output says so in its own way.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grade.formats import FORMATS
from grade.model import DONE, ResultError, read_result

BROKEN = 3


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", choices=FORMATS, required=True)
    parser.add_argument("result", type=Path)
    parser.add_argument("--output", type=Path, help="default: the standard output")
    options = parser.parse_args(arguments)
    try:
        result = read_result(options.result)
    except ResultError as error:
        print(f"convert: {error}", file=sys.stderr)
        return BROKEN
    text = FORMATS[options.to].convert(result)
    if options.output:
        options.output.write_text(text)
    else:
        sys.stdout.write(text)
    return 0 if result.state == DONE else BROKEN


if __name__ == "__main__":
    sys.exit(main())
