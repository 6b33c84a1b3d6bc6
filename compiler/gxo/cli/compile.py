"""`gxo compile`: playbooks to artifacts, or to the text of any stage on the way.

With `--check` nothing is written: the files that are there are compared with what would be.
"""

import argparse
import shlex
import sys
from pathlib import Path

from gxo.cli.exits import INVALID, OK, USAGE
from gxo.cli.module_path import add_module_path_option
from gxo.cli.output import (
    add_finding_options,
    show,
    show_differences,
    show_explanations,
    show_lock,
)
from gxo.compiler.driver import Compilation, Options, check
from gxo.compiler.frontend.load import FileError
from gxo.compiler.generated import ARTIFACT, Comparison, Output, refuse_collisions, stem, write
from gxo.compiler.ir.nodes import Plan
from gxo.compiler.ir.pprint import print_plan
from gxo.compiler.package.errors import PackageError
from gxo.compiler.passes import PASSES

STAGES = ("ast", "plan", "python", "manifest")


def main(arguments: list[str]) -> int:
    given = _given(arguments)
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
        locked=given.locked or given.check,
    )
    try:
        compilations = [check(path, options) for path in given.playbooks]
        if given.check:
            return _compare(compilations, given, _without_check(arguments))
        return _write(compilations, given)
    except FileError as error:
        print(f"gxo: {error}", file=sys.stderr)
    except PackageError as error:
        hint = f"\n  = hint: {error.hint}" if error.hint else ""
        print(f"gxo: error[{error.code}]: {error.message}{hint}", file=sys.stderr)
    return USAGE


def _write(compilations: list[Compilation], given: argparse.Namespace) -> int:
    """Show what was found, and write or print what was asked for. Raises PackageError."""
    show(compilations, given.output)
    if _have_errors(compilations):
        return INVALID
    _explain(compilations, given)
    output = _output(given)
    if output:
        refuse_collisions(output, [one.file for one in compilations])
    for compilation in compilations:
        if output:
            write(output, compilation)
        else:
            print(compilation.stage_text(given.emit), end="")
        show_lock(compilation)
    return OK


def _compare(compilations: list[Compilation], given: argparse.Namespace, command: str) -> int:
    """Show what was found, and which files are not up to date. Raises PackageError.

    command: what writes the files.
    """
    output = _output(given)
    assert output
    comparison = Comparison(output, f"`{command}` renews it", compilations[0].diagnostics)
    if not _have_errors(compilations):
        refuse_collisions(output, [one.file for one in compilations])
        comparison.compare(compilations)
    show(compilations, given.output)
    _explain(compilations, given)
    if given.output == "text":
        show_differences(comparison.differences)
    return INVALID if _have_errors(compilations) else OK


def _have_errors(compilations: list[Compilation]) -> bool:
    return any(one.diagnostics.has_errors for one in compilations)


def _explain(compilations: list[Compilation], given: argparse.Namespace) -> None:
    if given.explain and given.output != "json":
        for compilation in compilations:
            show_explanations(compilation)


def _output(given: argparse.Namespace) -> Output | None:
    """What goes to which file; None for a stage that is printed."""
    if given.target:
        return Output(given.emit or ARTIFACT, given.target)
    return None if given.emit else Output(ARTIFACT, f"{stem(given.playbooks[0])}.pyz")


def _without_check(arguments: list[str]) -> str:
    return shlex.join(["gxo", "compile", *(word for word in arguments if word != "--check")])


def _given(arguments: list[str]) -> argparse.Namespace:
    parser = _parser()
    given = parser.parse_args(arguments)
    if len(given.playbooks) > 1 and not (given.target or "").endswith("/"):
        parser.error("several playbooks go to a folder: write -o FOLDER/")
    if given.check and given.emit and not given.target:
        parser.error("--check compares with a file: name it with -o")
    return given


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gxo compile",
        description="Compile playbooks to self-contained artifacts, or to the text of a stage.",
    )
    parser.add_argument("playbooks", nargs="+", type=Path, metavar="PLAYBOOK")
    parser.add_argument(
        "-o",
        dest="target",
        metavar="FILE",
        help="where it goes (default: NAME.pyz); with a `/` at its end it is a folder, for several",
    )
    parser.add_argument("--emit", choices=STAGES, help="write or print a stage; no artifact")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail where a file is not what would be written",
    )
    _add_compiler_options(parser)
    add_finding_options(parser)
    return parser


def _add_compiler_options(parser: argparse.ArgumentParser) -> None:
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
