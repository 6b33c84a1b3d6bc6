"""How the verbs show what the compiler found."""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from itertools import chain

from gxo.compiler.diagnostics import Diagnostic, Diagnostics
from gxo.compiler.driver import Compilation
from gxo.compiler.passes import PASSES
from gxo.compiler.rendering import (
    render_explanations,
    render_github,
    render_json,
    render_text,
)
from gxo.compiler.textdiff import coloured
from gxo.compiler.version import VERSION

FORMATS = ("text", "json", "sarif", "github")


def add_finding_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        choices=FORMATS,
        default="text",
        help="how findings are printed: for people (default), as JSON, as SARIF 2.1.0, or as "
        "annotations of GitHub",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse what could go wrong on some run, such as reading a result that may be missing",
    )
    parser.add_argument("--deny-warnings", action="store_true", help="make every warning an error")


def show(compilations: Iterable[Compilation], form: str) -> None:
    """Print all findings: text on standard error, data on standard output.

    Explanations that were asked for are data with `json`; else `show_explanations` prints them.
    """
    compilations = list(compilations)
    found: list[Diagnostic] = [item for one in compilations for item in one.diagnostics.sorted()]
    if form == "json":
        explained = (
            one.diagnostics.explained_by(step.name) for one in compilations for step in PASSES
        )
        print(render_json(found, chain.from_iterable(explained)))
    elif form == "sarif":
        from gxo.compiler.sarif import render_sarif

        accepted = [item for one in compilations for item in one.diagnostics.accepted_sorted()]
        print(render_sarif(found, VERSION, accepted))
    elif form == "github" and found:
        print(render_github(found), end="")
    elif found:
        sources = {file: text for one in compilations for file, text in one.texts.items()}
        print(render_text(found, sources, colour=has_colour(sys.stderr)), end="", file=sys.stderr)


def show_differences(lines: Iterable[str]) -> None:
    """Print the lines of unified diffs."""
    colour = has_colour(sys.stdout)
    for line in lines:
        print(coloured(line) if colour else line)


def show_findings(diagnostics: Diagnostics, sources: Mapping[str, str], form: str) -> None:
    """Print findings that are about no compilation; sources: the texts that they point into."""
    found = diagnostics.sorted()
    if form == "json":
        print(render_json(found))
    elif form == "github":
        print(render_github(found), end="")
    else:
        print(render_text(found, sources, colour=has_colour(sys.stderr)), end="", file=sys.stderr)


def show_explanations(compilation: Compilation) -> None:
    """Print on standard error what each pass did, and why it did not, in the passes' order."""
    colour = has_colour(sys.stderr)
    otherwise = "nothing to do" if compilation.options.optimize else "not run at -O0"
    for one in PASSES:
        explained = compilation.diagnostics.explained_by(one.name)
        if explained or one.optimizes:
            title = f"{one.name}: {one.reason}"
            text = render_explanations(title, explained, otherwise, colour)
            print(text, end="", file=sys.stderr)


def show_lock(compilation: Compilation) -> None:
    """Say that `modules.lock` was written."""
    if compilation.has_locked:
        what = "which pins what your modules need; keep it with the playbook"
        print(f"gxo: wrote {compilation.lock}, {what}", file=sys.stderr)


def has_colour(stream: object) -> bool:
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
