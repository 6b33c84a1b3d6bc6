"""`gxo modules`: gxo's library and a user's own modules, from their declarations; no code runs."""

import argparse
import json
import sys

from gxo.cli.exits import DEFECT, INVALID, OK, USAGE
from gxo.cli.module_path import add_module_path_option
from gxo.compiler.diagnostics import Diagnostics, did_you_mean
from gxo.compiler.modules.docs import as_data, as_text, by_namespace, page
from gxo.compiler.modules.index import Library, standard_roots, user_roots
from gxo.compiler.modules.spec import ModuleSpec
from gxo.compiler.rendering import render_text


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    diagnostics = Diagnostics()
    library = Library((*standard_roots(), *user_roots("", given.module_path)), diagnostics)
    found = _found(library, given.name)
    if found:
        _show(found, given)
    elif not diagnostics.has_errors:
        names = {*library.names(), *library.namespace_names()}
        hint = did_you_mean(given.name, names) or "`gxo modules` lists them"
        print(f'gxo: there is no module "{given.name}"; {hint}', file=sys.stderr)
        return USAGE
    if diagnostics.items:
        text = render_text(diagnostics.sorted(), library.texts, colour=False)
        print(text, end="", file=sys.stderr)
    if diagnostics.has_errors:
        is_users = any(item.span.file in library.texts for item in diagnostics.items)
        return INVALID if is_users else DEFECT
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gxo modules",
        description="List the modules, or show the documentation of one, or of a namespace. "
        "Your own are in `modules/` in this folder, and in those of --module-path.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--output", choices=("text", "json", "markdown"), default="text")
    add_module_path_option(parser)
    return parser


def _found(library: Library, name: str | None) -> tuple[ModuleSpec, ...]:
    """The module of that name, or those of the namespace; all of them without a name."""
    if name is None:
        return library.all()
    spec = library.find(name)
    return (spec,) if spec else tuple(one for one in library.all() if one.namespace == name)


def _show(found: tuple[ModuleSpec, ...], given: argparse.Namespace) -> None:
    if given.output == "markdown":
        print("\n".join(page(specs) for specs in by_namespace(found).values()), end="")
    elif given.output == "json":
        data = [as_data(spec) for spec in found]
        print(json.dumps(data[0] if given.name == found[0].name else data, indent=2))
    elif given.name is None:
        width = max(len(spec.name) for spec in found)
        for spec in found:
            print(f"{spec.name:<{width}}  {spec.doc.summary}")
    else:
        print("\n".join(as_text(spec) for spec in found), end="")
