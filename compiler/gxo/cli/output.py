"""How the verbs show what the compiler found."""

import argparse
import os
import sys
from collections.abc import Iterable

from gxo.compiler.diagnostics import Diagnostic
from gxo.compiler.driver import Compilation
from gxo.compiler.rendering import render_github, render_json, render_text

FORMATS = ("text", "json", "github")


def add_output_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        choices=FORMATS,
        default="text",
        help="how findings are printed: for people (default), as JSON, or as CI annotations",
    )


def show(compilations: Iterable[Compilation], form: str) -> None:
    """Print all findings: text on standard error, data on standard output."""
    compilations = list(compilations)
    found: list[Diagnostic] = [item for one in compilations for item in one.diagnostics.sorted()]
    if form == "json":
        print(render_json(found))
    elif form == "github" and found:
        print(render_github(found), end="")
    elif found:
        sources = {one.file: one.text for one in compilations}
        print(render_text(found, sources, colour=_colour(sys.stderr)), end="", file=sys.stderr)


def _colour(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and not os.environ.get("NO_COLOR")


def summary(errors: int, warnings: int) -> str:
    """ "2 errors and 1 warning", without the part that is zero."""
    parts = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return " and ".join(parts)
