"""`gxo diff`: what differs between two jobs, each a playbook or an artifact.

Exit codes are those of `diff`: 0 the same, 1 different, 2 trouble.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from gxo.cli.artifacts import say
from gxo.cli.exits import DIFFERENT, OK, USAGE
from gxo.cli.module_path import add_module_path_option
from gxo.cli.output import has_colour, show
from gxo.compiler.compare.changes import Comparison, compare
from gxo.compiler.compare.jobs import InvalidError, find_job
from gxo.compiler.compare.shown import render_json, render_text
from gxo.compiler.frontend.load import FileError
from gxo.compiler.trust.errors import ArtifactError


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    comparison = _compared(given)
    if comparison is None:
        return USAGE
    for job, doubt in comparison.doubts:
        print(f"gxo: warning: {job}: {doubt}", file=sys.stderr)
    if given.output == "json":
        print(render_json(comparison))
    else:
        print(render_text(comparison, has_colour(sys.stdout)), end="")
    return DIFFERENT if comparison.differs else OK


def _compared(given: argparse.Namespace) -> Comparison | None:
    """The comparison; None after saying why there is none."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="gxo-diff-") as old_folder,
            tempfile.TemporaryDirectory(prefix="gxo-diff-") as new_folder,
        ):
            module_path = tuple(given.module_path)
            path = given.old
            old = find_job(path, Path(old_folder), module_path)
            path = given.new
            new = find_job(path, Path(new_folder), module_path)
            like = new.read().playbook
            return compare(old.compile(like), new.compile())
    except InvalidError as error:
        show([error.compilation], "text")
    except FileError as error:
        say(str(error), None)
    except ArtifactError as error:
        say(f"cannot read {path}: {error.message}", error.hint)
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gxo diff",
        description="Show what differs between two jobs, each a playbook or an artifact: workloads,"
        " parameters, edges, settings, effects, and the generated code.",
        epilog="Exit code: 0 when they are the same, 1 when they differ, 2 when there is trouble.",
    )
    parser.add_argument("old", type=Path, metavar="OLD")
    parser.add_argument("new", type=Path, metavar="NEW")
    parser.add_argument(
        "--output", choices=("text", "json"), default="text", help="for people (default), or JSON"
    )
    add_module_path_option(parser)
    return parser
