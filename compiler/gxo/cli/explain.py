"""`gxo explain`: what a diagnostic's code means, with an example that fails and one that passes."""

import argparse
import sys

from gxo.cli.exits import OK, USAGE
from gxo.compiler.codes import table
from gxo.compiler.codes.page import explain
from gxo.compiler.diagnostics import did_you_mean


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="gxo explain", description="Explain a diagnostic, such as GXO0301."
    )
    parser.add_argument("code", metavar="CODE")
    given = parser.parse_args(arguments)
    code = table().get(given.code.upper())
    if code is None:
        hint = did_you_mean(given.code.upper(), table()) or "a code looks like GXO0301"
        print(f'gxo: there is no diagnostic "{given.code}"; {hint}', file=sys.stderr)
        return USAGE
    print(explain(code), end="")
    return OK
