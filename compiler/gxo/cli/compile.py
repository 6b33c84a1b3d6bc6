"""`gxo compile`: a playbook to an artifact, or to the text of any stage on the way."""

import argparse
import sys
from pathlib import Path

from gxo.cli.exits import INVALID, OK, USAGE
from gxo.cli.module_path import add_module_path_option
from gxo.cli.output import add_finding_options, show, show_explanations, show_lock
from gxo.compiler.driver import Compilation, Options, check
from gxo.compiler.frontend.load import FileError
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.ir.pprint import print_plan
from gxo.compiler.package.errors import PackageError
from gxo.compiler.passes import PASSES

STAGES = ("ast", "plan", "python", "manifest")


def main(arguments: list[str]) -> int:
    given = _parser().parse_args(arguments)
    options = Options(
        optimize=given.optimize == 1,
        verify_ir=given.verify_ir,
        native=given.native,
        otel=given.otel,
        strict=given.strict,
        deny_warnings=given.deny_warnings,
        explain=given.explain,
        dump=_Dump(given.dump or []),
        module_path=tuple(given.module_path),
        locked=given.locked,
    )
    try:
        compilation = check(given.playbook, options)
    except FileError as error:
        print(f"gxo: {error}", file=sys.stderr)
        return USAGE
    show([compilation], given.output)
    if compilation.diagnostics.has_errors:
        return INVALID
    if given.explain and given.output != "json":
        show_explanations(compilation)
    try:
        _write(compilation, given)
    except PackageError as error:
        hint = f"\n  = hint: {error.hint}" if error.hint else ""
        print(f"gxo: error[{error.code}]: {error.message}{hint}", file=sys.stderr)
        return USAGE
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gxo compile", description="Compile a playbook to a self-contained artifact."
    )
    parser.add_argument("playbook", type=Path, metavar="PLAYBOOK")
    parser.add_argument(
        "-o", type=Path, dest="target", metavar="FILE", help="the artifact (default: NAME.pyz)"
    )
    parser.add_argument("--emit", choices=STAGES, help="print a stage instead of packaging")
    parser.add_argument(
        "--dump",
        action="append",
        metavar="after:PASS",
        type=_pass_name,
        help="print the plan after a pass, on standard error",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="print what each optimizing pass did, and why it did not do more, on standard error",
    )
    parser.add_argument(
        "-O", type=int, choices=(0, 1), default=1, dest="optimize", help="0: only what is needed"
    )
    parser.add_argument("--verify-ir", action="store_true", help="check the plan after every pass")
    parser.add_argument(
        "--native", action="store_true", help="link distributions with native code for speed"
    )
    parser.add_argument(
        "--otel", action="store_true", help="link OpenTelemetry, so that the job can send traces"
    )
    add_module_path_option(parser)
    parser.add_argument(
        "--locked",
        action="store_true",
        help="fail where `modules.lock` does not pin what your modules need, instead of writing it",
    )
    add_finding_options(parser)
    return parser


def _pass_name(text: str) -> str:
    names = [one.name for one in PASSES]
    word, colon, name = text.partition(":")
    if word != "after" or not colon or name not in names:
        raise argparse.ArgumentTypeError(f"write after:PASS; the passes are: {', '.join(names)}")
    return name


class _Dump:
    """Prints the plan after the passes that were asked for."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def __call__(self, stage: str, plan: Plan) -> None:
        if stage in self._names:
            print(f"after {stage}:\n{print_plan(plan)}", end="", file=sys.stderr)


def _write(compilation: Compilation, given: argparse.Namespace) -> None:
    if given.emit:
        print(compilation.stage_text(given.emit), end="")
        return
    assert compilation.plan is not None
    target = given.target or Path(f"{given.playbook.name.partition('.')[0]}.pyz")
    if target.exists() and target.samefile(given.playbook):
        raise PackageError("GXO0901", f"cannot write {target}: it is the playbook itself")
    compilation.write_artifact(target)
    show_lock(compilation)
