"""`gxo schema`: the JSON Schema of the playbook language, for editors and other tools."""

import argparse
import importlib.resources

from gxo.cli.exits import OK


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="gxo schema", description="Print the JSON Schema (v1.0.0) of playbooks."
    )
    parser.parse_args(arguments)
    schema = importlib.resources.files("gxo.compiler.frontend") / "schema.json"
    print(schema.read_text(encoding="utf-8"), end="")
    return OK
