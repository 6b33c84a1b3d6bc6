"""`gxo validate`: everything the compiler can say about playbooks, and nothing written."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from gxo.cli.exits import INVALID, OK, USAGE
from gxo.cli.module_path import add_module_path_option
from gxo.cli.output import add_finding_options, show, summary
from gxo.compiler.driver import Compilation, Options, check
from gxo.compiler.frontend.load import FileError
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.ir.walk import plan_templates
from gxo.compiler.template.coverage import Coverage, coverage


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="gxo validate", description="Check playbooks without running or writing anything."
    )
    parser.add_argument("playbooks", nargs="+", type=Path, metavar="PLAYBOOK")
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="count the references that are checked, partly checked and unchecked",
    )
    add_module_path_option(parser)
    add_finding_options(parser)
    given = parser.parse_args(arguments)
    options = Options(
        optimize=False,
        strict=given.strict,
        deny_warnings=given.deny_warnings,
        module_path=tuple(given.module_path),
    )
    compilations: list[Compilation] = []
    unreadable = False
    for path in given.playbooks:
        try:
            compilations.append(check(path, options))
        except FileError as error:
            print(f"gxo: {error}", file=sys.stderr)
            unreadable = True
    show(compilations, given.output)
    if given.output == "text":
        for compilation in compilations:
            print(f"{compilation.file}: {_verdict(compilation)}")
            if given.verbose and compilation.plan:
                print(f"{compilation.file}: {_coverage(compilation.plan)}")
    if unreadable:
        return USAGE
    return INVALID if any(one.diagnostics.has_errors for one in compilations) else OK


def _verdict(compilation: Compilation) -> str:
    levels = [item.level for item in compilation.diagnostics.sorted()]
    found = summary(levels.count("error"), levels.count("warning"))
    if "error" in levels:
        return found
    count = len(compilation.plan.workloads) if compilation.plan else 0
    accepted = len(compilation.diagnostics.accepted)
    parts = [
        f"valid, {count} workload{'s' if count != 1 else ''}",
        found,
        f"{accepted} accepted" if accepted else "",
    ]
    return ", ".join(part for part in parts if part)


def _coverage(plan: Plan) -> str:
    counts: Counter[Coverage] = Counter()
    for template in plan_templates(plan):
        counts += coverage(template.template)
    return (
        f"references: {counts['checked']} checked, {counts['partly']} partly checked,"
        f" {counts['unchecked']} unchecked"
    )
