"""The declarations keep to the convention that the compiler reads them by."""

import ast
import subprocess
import sys

from tests.runtime.functions.conftest import ROOT, declarations

TYPES = {
    "str",
    "int",
    "float",
    "bool",
    "list[Any]",
    "dict[str, Any]",
    "dict[str, Any] | None",
    "list[Any] | None",
    "Any",
}
CHECKED = {"CheckedList", "CheckedMap", "CheckedSized"}
NATIVES = {"Time", "Version"}
RESULTS = TYPES | NATIVES | {"list[str]", "list[int]", "dict[str, str]", "Secret", "Certificate"}


def test_names_are_declared_once() -> None:
    names = [name for name, _, _ in declarations()]
    assert len(names) == len(set(names))


def test_types_are_those_of_templates() -> None:
    for name, _, node in declarations():
        given = [*node.args.args, *([node.args.vararg] if node.args.vararg else [])]
        for argument in given:
            assert argument.annotation is not None
            assert ast.unparse(argument.annotation) in TYPES | CHECKED, name
        assert node.returns is not None
        assert ast.unparse(node.returns) in RESULTS, name
        assert not node.args.kwonlyargs
        assert not node.args.defaults


def test_functions_are_documented() -> None:
    assert [name for name, _, node in declarations() if not ast.get_docstring(node)] == []


def test_the_core_loads_nothing_that_costs() -> None:
    code = "import asyncio, sys; before = set(sys.modules); import gxo.runtime.expr; "
    code += "print(*[name for name in set(sys.modules) - before if not name.startswith('gxo')])"
    run = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT.parents[1])!r}); {code}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == ""
