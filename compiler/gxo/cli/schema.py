"""`gxo schema`: the JSON Schema of the playbook language, for editors and other tools."""

import argparse
import importlib.resources

from gxo.cli.exits import OK
from gxo.cli.module_path import add_module_path_option


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="gxo schema", description="Print the JSON Schema (v1.0.0) of playbooks."
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="with the parameters of every module, for editors; those in `modules/` here too",
    )
    add_module_path_option(parser)
    given = parser.parse_args(arguments)
    file = importlib.resources.files("gxo.compiler.frontend") / "schema.json"
    text = file.read_text(encoding="utf-8")
    print(_with_parameters(text, given.module_path) if given.full else text, end="")
    return OK


def _with_parameters(language: str, module_path: list[str]) -> str:
    import json

    from gxo.compiler.diagnostics import Diagnostics
    from gxo.compiler.modules.index import Library, standard_roots, user_roots
    from gxo.compiler.modules.schema import full_schema

    library = Library((*standard_roots(), *user_roots("", module_path)), Diagnostics())
    return json.dumps(full_schema(json.loads(language), library), indent=2) + "\n"
