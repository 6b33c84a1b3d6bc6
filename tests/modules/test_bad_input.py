"""Each module of the library with each of its parameters missing, of a wrong type, or unknown; and the
modules of the host with texts that are empty, huge or not printable.

What is literal is found when compiling, with one finding that names the parameter; the rest when the
module runs, with one error or a result, and nothing left open (`bench`).
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.compiler.driver import Compilation
from gxo.compiler.modules.spec import ModuleSpec, ParamSpec
from gxo.compiler.types import (
    Choice,
    ListOf,
    MapOf,
    OnDot,
    OneOf,
    PerRecord,
    Scalar,
    Shape,
    Special,
    Type,
)
from gxo.runtime.errors import WorkloadError
from tests.modules.test_examples import FILE, FILES, SPECS, playbook
from tests.stdlib.harness import bench, run

WRONG: dict[str, tuple[Any, ...]] = {
    "text": ([1], {"a": 1}),
    "int": ("x", [1]),
    "float": ("x", [1]),
    "bool": ("maybe", [True]),
    "list": (5,),
    "map": (5, [1]),
    "Duration": ("soon", [1]),
    "Size": ("big", {"a": 1}),
    "FileMode": ("rwx", [1]),
}
"""Literals that are of none of these types."""


def kinds(kind: Type) -> set[str]:
    """The names in `WRONG` that a type goes by; `any` for what takes anything."""
    match kind:
        case OneOf(options):
            return set().union(*map(kinds, options)) - {"nil"}
        case PerRecord(item) | OnDot(_, item):
            return kinds(item)
        case ListOf():
            return {"list"}
        case MapOf() | Shape():
            return {"map"}
        case Scalar(name):
            return {name}
        case Special("Duration" | "Size" | "FileMode" as name):
            return {name}
        case Special("WorkspacePath" | "Secret" | "StreamName" | "FieldName"):
            return {"text"}
        case Choice():
            return {"text"}
        case _:
            return {"any"}


def wrong_values(kind: Type) -> tuple[Any, ...]:
    names = kinds(kind)
    if len(names) != 1 or "any" in names:
        return ()
    return WRONG[names.pop()]


# A pipeline's steps are a part of the playbook's own form: its codes are GXO0201 and GXO0202.


def findings(spec: ModuleSpec, params: dict[str, Any]) -> list[tuple[str, str]]:
    """Codes and messages of the errors that the module's example has with these parameters."""
    document = yaml.safe_load(playbook(spec))
    document["workloads"][-1]["process"]["params"] = params
    compilation = Compilation(FILE)
    if compilation.read(yaml.safe_dump(document, sort_keys=False).encode()):
        compilation.analyse()
    items = compilation.diagnostics.sorted()
    return [(one.code, one.message) for one in items if one.level == "error"]


def example(spec: ModuleSpec) -> dict[str, Any]:
    params: dict[str, Any] = yaml.safe_load(spec.doc.example)["process"].get("params", {})
    return {"on" if name is True else name: value for name, value in params.items()}


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_parameters_when_compiling(spec: ModuleSpec) -> None:
    good = example(spec)
    if spec.values is None:
        [(code, message)] = findings(spec, {**good, "no_such_parameter": 1})
        assert code in ("GXO0502", "GXO0201") and "no_such_parameter" in message
    for param in spec.params:
        if param.required:
            less = {name: value for name, value in good.items() if name != param.name}
            [(code, message)] = findings(spec, less)
            assert code in ("GXO0503", "GXO0202") and param.name in message
        for value in wrong_values(param.type):
            found = findings(spec, {**good, param.name: value})
            assert found, f"{param.name}: {value!r} is taken"
            named = [message for _, message in found if param.name in message]
            assert named, f"{param.name}: {value!r} gives {found}"


HOST = ("exec", "filesystem", "connection", "control", "passthrough", "crypto", "vault")
TEXTS = ("", "\0", "a\0b\x01\x1b[31m\x7f", "\ud800", "x" * 10_000_000)


def is_text(param: ParamSpec) -> bool:
    """Whether it is one that the module looks at: a message is the playbook's own."""
    options = param.type.options if isinstance(param.type, OneOf) else (param.type,)
    return kinds(param.type) == {"text"} and Scalar("text", "message") not in options


def given(spec: ModuleSpec) -> dict[str, Any]:
    """The example's parameters, as far as they are the values that a module gets."""
    return {
        name: value
        for name, value in example(spec).items()
        if kinds(spec.param(name).type) <= {"text", "int", "bool", "list", "map"}
    }


CALLS = [
    pytest.param(spec, param.name, id=f"{spec.name} {param.name}")
    for spec in SPECS
    for param in spec.params
    if spec.namespace in HOST and is_text(param)
]


@pytest.mark.parametrize(("spec", "name"), CALLS)
def test_texts_when_running(spec: ModuleSpec, name: str, tmp_path: Path) -> None:
    """One error that can be read, or a result; in time."""

    async def play(text: str) -> None:
        async with bench(tmp_path) as workbench:
            async with asyncio.timeout(10):
                outcome = await workbench.call(spec, {**given(spec), name: text})
            await workbench.run.shared.close()
        error = outcome.error
        assert error is None or isinstance(error, WorkloadError), repr(error)
        told = str(error)
        assert len(told) < 600 and "\0" not in told, told[:600]

    for file, content in FILES.get(spec.name, {}).items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    for text in TEXTS:
        run(play(text))
