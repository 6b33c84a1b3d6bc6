"""`make bench`: what gxo costs, against plain Python and against what users would take instead.

    make bench                           everything: an hour
    make bench JOBS="J1 J5" ROUNDS=1     these parts; the data jobs in one round instead of five

Each part is a file: it measures both sides of a row in the same run, in turn, and prints its table. A
bound that is missed stays in the table and makes the exit code 1. The figures are in
`build/bench/figures.json`, by part; `publish.py` makes the page and the chart of them.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import compiling
import expressions
import memory
import requesting
import scaling
import scheduler
import serving
import starting
import testing
from data import jobs
from data.contest import WrongOutputError

GXO = Path(sys.executable).with_name("gxo")
FIGURES = jobs.BUILD / "figures.json"
ROUNDS = int(os.environ.get("ROUNDS") or jobs.ROUNDS)
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}

Write = Callable[[str], None]
Outcome = tuple[bool, Any]
"""Whether all bounds were kept, and the figures for the file."""


def start(write: Write) -> Outcome:
    results = starting.measure(GXO, ENVIRONMENT)
    return starting.report(results, write), [asdict(one) for one in results]


def validate(write: Write) -> Outcome:
    result = scaling.measure(GXO, ENVIRONMENT)
    return scaling.report(result, write), asdict(result)


def compile_(write: Write) -> Outcome:
    result = compiling.measure(GXO, ENVIRONMENT)
    return compiling.report(result, write), asdict(result)


def schedule(write: Write) -> Outcome:
    shapes = scheduler.measure(GXO, ENVIRONMENT)
    return scheduler.report(shapes, write), [asdict(one) for one in shapes]


def templates(write: Write) -> Outcome:
    rows = expressions.compare()
    return expressions.report(rows, write), [asdict(one) for one in rows]


def endless(write: Write) -> Outcome:
    """J4: memory while streams flow."""
    results = memory.measure()
    return memory.report(results, write), [asdict(one) for one in results]


def http(write: Write) -> Outcome:
    rates, costs = serving.measure(), requesting.measure()
    kept = [serving.report(rates, write), requesting.report(costs, write)]
    return all(kept), [asdict(one) for one in (*rates, *costs)]


def test(write: Write) -> Outcome:
    """What `gxo test` costs."""
    result = testing.measure(GXO, ENVIRONMENT)
    return testing.report(result, write), asdict(result)


def data_job(name: str) -> Callable[[Write], Outcome]:
    def part(write: Write) -> Outcome:
        try:
            result = jobs.measure(jobs.JOBS[name], GXO, ENVIRONMENT, ROUNDS)
        except WrongOutputError as error:
            write(f"{name}: {error}")
            return False, {"error": str(error)}
        jobs.report(name, result, write)
        return result.is_good, result.figures()

    return part


PARTS: dict[str, Callable[[Write], Outcome]] = {
    "start": start,
    "validate": validate,
    "compile": compile_,
    "schedule": schedule,
    "expressions": templates,
    **{name: data_job(name) for name in jobs.JOBS},
    "J4": endless,
    "http": http,
    "test": test,
}


def keep(name: str, figures: Any) -> None:
    """Put a part's figures into the file, beside those of other parts."""
    known = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    known[name] = figures
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def main(names: list[str], write: Write = print) -> int:
    if unknown := sorted(set(names) - set(PARTS)):
        write(f"make bench has no part {', '.join(unknown)}; its parts are: {', '.join(PARTS)}")
        return 2
    all_kept = True
    for name in names or PARTS:
        kept, figures = PARTS[name](write)
        keep(name, figures)
        write("")
        all_kept &= kept
    return 0 if all_kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
