"""The template functions by name, read from their declarations as the compiler reads them."""

import ast
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3] / "runtime" / "gxo" / "runtime"


def declarations() -> Iterator[tuple[str, str, ast.FunctionDef]]:
    """Yield (name in templates, module, syntax tree) of every declared function."""
    for path in (ROOT / "expr.py", *sorted((ROOT / "functions").glob("*.py"))):
        module = "gxo.runtime.expr" if path.stem == "expr" else f"gxo.runtime.functions.{path.stem}"
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for decorator in getattr(node, "decorator_list", ()):
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "function":
                    assert isinstance(node, ast.FunctionDef)
                    yield from ((ast.literal_eval(name), module, node) for name in decorator.args)


@pytest.fixture(scope="session")
def library() -> dict[str, Callable[..., Any]]:
    return {
        name: getattr(import_module(module), node.name) for name, module, node in declarations()
    }
