"""`gxo test`: find test playbooks, run each in a process of its own, show what failed."""

import argparse
import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from gxo.cli.exits import INVALID, OK, USAGE
from gxo.cli.module_path import add_module_path_option
from gxo.cli.output import has_colour
from gxo.compiler.driver import Options
from gxo.runtime.durations import NANOSECONDS, parse_duration
from gxo.testrun.finding import PathError, find, name_of
from gxo.testrun.pool import Limits
from gxo.testrun.results import Account
from gxo.testrun.running import Outcome, Request, run_tests

FORMATS = ("text", "json", "github")


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name or a log may have what it cannot encode
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _check_targets(given)
        tests, others = _found(given, given.paths)
        if not tests:
            what = "has a name that fits --run" if given.run else "is there"
            print(f"gxo: no test playbook {what}: NAME.test.gxo.yaml", file=sys.stderr)
            return USAGE
        if given.watch:
            return 128 + _watched(given)
        outcome = run_tests(_request(given, tests, others))
    except PathError as error:
        print(f"gxo: {error}", file=sys.stderr)
        return USAGE
    if outcome.interrupted:
        return 128 + outcome.interrupted
    return INVALID if outcome.has_failed else OK


def _check_targets(given: argparse.Namespace) -> None:
    """Raises PathError before a test has run for what could not be written after all of them."""
    for target in (given.junit, given.coverage_html):
        if target is not None and not target.parent.is_dir():
            raise PathError(f"cannot write {target}: there is no such folder")
        if target is not None and target.is_dir():
            raise PathError(f"cannot write {target}: it is a folder")


def _watched(given: argparse.Namespace) -> int:
    """Run tests again and again, until the signal whose number is returned."""
    from gxo.testrun.watching import Watch

    def run(tests: Sequence[str], others: Sequence[str], known: Sequence[Account]) -> Outcome:
        return run_tests(_request(given, tests, others, known))

    def find_again() -> tuple[list[str], list[str]]:
        """What is there now: an editor may put a file aside for a moment, and a test be removed."""
        return _found(given, [path for path in given.paths if os.path.exists(path)])

    return Watch(find_again, run, sys.stdout).watch()


def _found(given: argparse.Namespace, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """The tests to run, and the other playbooks. Raises PathError."""
    tests, others = find(paths)
    if given.run is not None:
        tests = [path for path in tests if given.run.search(f"{path}/{name_of(path)}")]
    return tests, others


def _request(
    given: argparse.Namespace,
    tests: Sequence[str],
    others: Sequence[str],
    known: Sequence[Account] = (),
) -> Request:
    options = Options(optimize=not given.O0, module_path=tuple(given.module_path))
    return Request(
        tests=tests,
        others=others,
        options=options,
        limits=Limits(given.j, given.timeout[0], given.timeout[1], given.failfast),
        output=given.output,
        verbose=given.v,
        junit=given.junit,
        coverage=given.coverage or given.coverage_html is not None,
        coverage_html=given.coverage_html,
        known=known,
        colour=has_colour(sys.stdout),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gxo test",
        description="Run test playbooks, NAME.test.gxo.yaml, each in a process of its own.",
        epilog="The exit code is 0 when all pass, 1 when one fails or does not compile, and 2 when "
        "there is no test.",
    )
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        default=["."],
        metavar="PATH",
        help="a test playbook, or a folder: all below it are run, but for those in hidden folders, "
        "build, dist, node_modules and venv (default: this folder)",
    )
    add("-v", action="store_true", help="show tests that pass too, and what tests print")
    add(
        "-j",
        type=_count,
        default=_cores(),
        metavar="N",
        help="run N at once (default: %(default)s)",
    )
    add(
        "--run",
        type=_pattern,
        metavar="REGEX",
        help="run tests in whose path/name it is found",
    )
    add("--failfast", action="store_true", help="after the first failure run no more")
    add(
        "--timeout",
        type=_duration,
        default=(60.0, "1m"),
        metavar="D",
        help="the real time that a test may take, such as 30s (default: 1m)",
    )
    add(
        "--output",
        choices=FORMATS,
        default="text",
        help="for people (default), as JSON lines, or with annotations of GitHub",
    )
    add("--junit", type=Path, metavar="FILE", help="write the results as JUnit's XML too")
    add(
        "--coverage",
        action="store_true",
        help="show which workloads, steps and branches of `when` "
        "the tests have reached, of the playbooks that they include",
    )
    add("--coverage-html", type=Path, metavar="FILE", help="write that as a page, beside the text")
    add("--watch", action="store_true", help="run again what a change concerns, until Ctrl-C")
    add("-O0", action="store_true", help="leave out optimizations")
    add_module_path_option(parser)
    return parser


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return int(text)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        pointer = " " * (error.pos or 0) + "^"
        raise argparse.ArgumentTypeError(
            f"it is no regular expression: {error.msg}\n  {text}\n  {pointer}"
        ) from None


def _duration(text: str) -> tuple[float, str]:
    nanoseconds = parse_duration(text)
    if nanoseconds is None or nanoseconds <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time to run a test in, such as 30s")
    return nanoseconds / NANOSECONDS, text
