"""`gxo modules`: the library, from its declarations; none of its code runs."""

import argparse
import json
import sys

from gxo.cli.exits import DEFECT, OK, USAGE
from gxo.compiler.diagnostics import Diagnostics, did_you_mean
from gxo.compiler.modules.docs import as_data, as_text
from gxo.compiler.modules.index import Library, standard_roots
from gxo.compiler.rendering import render_text


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="gxo modules", description="List the modules, or show one's documentation."
    )
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    given = parser.parse_args(arguments)
    diagnostics = Diagnostics()
    library = Library(standard_roots(), diagnostics)
    code = _show_one(library, given) if given.name else _list(library, given)
    if diagnostics.has_errors:
        print(render_text(diagnostics.sorted(), {}, colour=False), end="", file=sys.stderr)
        return DEFECT
    return code


def _show_one(library: Library, given: argparse.Namespace) -> int:
    spec = library.find(given.name)
    if spec is None:
        hint = did_you_mean(given.name, library.names()) or "`gxo modules` lists them"
        print(f'gxo: there is no module "{given.name}"; {hint}', file=sys.stderr)
        return USAGE
    if given.output == "json":
        print(json.dumps(as_data(spec), indent=2))
    else:
        print(as_text(spec), end="")
    return OK


def _list(library: Library, given: argparse.Namespace) -> int:
    specs = library.all()
    if given.output == "json":
        print(json.dumps([as_data(spec) for spec in specs], indent=2))
    else:
        width = max(len(spec.name) for spec in specs)
        for spec in specs:
            print(f"{spec.name:<{width}}  {spec.doc.summary}")
    return OK
