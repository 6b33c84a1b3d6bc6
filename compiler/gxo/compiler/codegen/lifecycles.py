"""A workload's lifecycle as the value that its decorator is given.

    before:  lifecycle: {policy: supervise, restart: on_failure, backoff: {max: 5m}}
    after:   Supervise(restart="on_failure", backoff=Backoff(max=300.0))

The playbook's model and the runtime have classes of the same names, with the same fields and
defaults; what is as it would be without being said is left out.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from gxo.compiler.codegen.imports import Imports
from gxo.compiler.ir.nodes import Workload
from gxo.compiler.python_source import literal


def lifecycle_code(workload: Workload, imports: Imports) -> str | None:
    """The expression; None for what runs once."""
    lifecycle = workload.decl.lifecycle
    if lifecycle is None or lifecycle.policy.text == "run_once":
        return None
    return _call(lifecycle, imports)


def _call(value: object, imports: Imports) -> str:
    name = imports.use("gxo.runtime", type(value).__name__)
    return f"{name}({', '.join(_arguments(value, imports))})"


def _arguments(value: object, imports: Imports) -> Iterator[str]:
    assert is_dataclass(value)
    for field in fields(value):
        given = getattr(value, field.name)
        if field.name == "policy" or given == field.default:
            continue
        if hasattr(given, "text"):  # a name of the playbook, with its place
            given = given.text
        yield f"{field.name}={_call(given, imports) if is_dataclass(given) else literal(given)}"
