"""`gxo eval`: try a template, as one tries an expression with `jq` or in a console.

$ gxo eval '{{ .hosts | join "," }}' --data site.yaml
"a,b"
text
"""

import argparse
import json
import re
import sys
from typing import Any

from gxo.cli.evaluate import (
    TEMPLATE,
    Context,
    EvaluationError,
    FakeContext,
    ShellContext,
    program,
    rendered,
)
from gxo.cli.exits import INVALID, OK, USAGE
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.load import FileError, read_file
from gxo.compiler.frontend.schema import python_value
from gxo.compiler.frontend.yaml import load
from gxo.compiler.rendering import render_text
from gxo.compiler.template.pprint import dump
from gxo.runtime.expr import NamedInt, Native, whole
from gxo.runtime.functions.json import parse_json

_NOT_TEXT = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_NO_CHAR = re.compile("[\udc80-\udcff]")
_WORDS: dict[type, str] = {str: "text", bool: "bool", int: "int", float: "float"}


class DataError(Exception):
    """The data cannot be read; the message says it all."""


def main(arguments: list[str]) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.jsonl == (given.template is not None):
        parser.error("give a template, or --jsonl")
    context = FakeContext() if given.fake_secrets else ShellContext()
    try:
        if given.jsonl:
            return _answer_lines(context)
        return _evaluate(given, context)
    except (DataError, FileError) as error:
        print(f"gxo: {error}", file=sys.stderr)
        return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gxo eval", description="Print the value of a template and its type."
    )
    parser.add_argument("template", nargs="?", metavar="TEMPLATE")
    parser.add_argument(
        "--data", metavar="FILE", help="the value of the dot, JSON or YAML; - is standard input"
    )
    parser.add_argument(
        "--dump", action="store_true", help="print the template's tree and the Python made of it"
    )
    parser.add_argument(
        "--jsonl",
        action="store_true",
        help="read lines {id, template, data}, write {id, ok, output | error, message}",
    )
    parser.add_argument(
        "--fake-secrets",
        action="store_true",
        help='`secret "KEY"` gives s3cr3t-KEY and `env "NAME"` gives env-NAME',
    )
    return parser


def _evaluate(given: argparse.Namespace, context: Context) -> int:
    data = _data(given.data) if given.data else None
    diagnostics = Diagnostics()
    made = program(diagnostics, given.template, native=True)
    if diagnostics.items:
        found = render_text(diagnostics.sorted(), {TEMPLATE: given.template})
        print(found, end="", file=sys.stderr)
    if made is None:
        return INVALID
    if given.dump:
        print(f"{dump(made.template)}\n{made.source}", end="")
        return OK
    try:
        value = made.run(context, data)
    except EvaluationError as error:
        print(f"gxo: {error}", file=sys.stderr)
        return INVALID
    try:
        shown = [_valid(json.dumps(value, ensure_ascii=False, default=str)), type_name(value)]
    except (ValueError, RecursionError):
        print("gxo: the value is nested too deeply, or holds itself", file=sys.stderr)
        return INVALID
    print(*shown, sep="\n")
    return OK


def type_name(value: Any) -> str:
    """The type of a value in the language's words: `list of int`, `map of any`, `nil`."""
    match value:
        case None:
            return "nil"
        case Native() | NamedInt():
            return value.GO_TYPE
        case list():
            return f"list of {_common(value)}"
        case dict():
            return f"map of {_common(list(value.values()))}"
        case _:
            return next(word for kind, word in _WORDS.items() if isinstance(value, kind))


def _common(items: list[Any]) -> str:
    names = {type_name(item) for item in items}
    return names.pop() if len(names) == 1 else "any"


def _data(name: str) -> Any:
    """The data of a file or of standard input.

    Raises: DataError, FileError
    """
    content = sys.stdin.buffer.read() if name == "-" else read_file(name)
    try:
        return parse_json(content.decode("utf-8"))
    except ValueError:
        pass  # then it is YAML, or the reader of YAML knows what is wrong
    diagnostics = Diagnostics()
    tree = load(content, name, diagnostics)
    if diagnostics.has_errors:
        first = diagnostics.sorted()[0]
        raise DataError(f"{name}:{first.span.line}:{first.span.column}: {first.message}")
    return None if tree is None else python_value(tree, {})


def _answer_lines(context: Context) -> int:
    """One answer for each line of standard input."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        if line.strip():
            sys.stdout.write(f"{json.dumps(_answer(line, number, context))}\n")
    return OK


def _answer(line: bytes, number: int, context: Context) -> dict[str, Any]:
    try:
        question = parse_json(line.decode("utf-8"))
    except ValueError as error:
        raise DataError(f"line {number} is not JSON: {error}") from None
    if not isinstance(question, dict) or not isinstance(question.get("template"), str):
        raise DataError(f"line {number} is no map with a text `template`")
    outcome = rendered(question["template"], question.get("data"), context)
    answer = {"id": question.get("id"), "ok": outcome.ok}
    if outcome.ok:
        return {**answer, "output": _valid(outcome.output)}
    return {**answer, "error": outcome.error, "message": _valid(outcome.message)}


def _valid(text: str) -> str:
    """Text that can be written: what is not UTF-8 is replaced, as Go's JSON does."""
    return _NO_CHAR.sub("\ufffd", whole(_NOT_TEXT.sub("\ufffd", text)))
