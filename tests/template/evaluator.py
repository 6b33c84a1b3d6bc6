"""Compiles a template and runs it in this process: only for tests.

The dot is a value of unknown type, as in `gxo eval`; `secret` and `env` answer as the conformance README says.
"""

import copy
from dataclasses import dataclass
from typing import Any

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.source import plain
from gxo.compiler.template.check import check
from gxo.compiler.template.parse import parse
from gxo.compiler.template.resolve import Scope, resolve
from gxo.compiler.template.to_python import Want, function
from gxo.compiler.types import ANY
from gxo.runtime.errors import GxoError

RUN_ERRORS = (
    GxoError,
    KeyError,
    TypeError,
    IndexError,
    ZeroDivisionError,
    OverflowError,
    RecursionError,
)
"""What the runtime turns into an error that names the template's place."""


class FakeContext:
    def secret(self, name: str) -> str:
        return f"s3cr3t-{name}"

    def env(self, name: str) -> str:
        return f"env-{name}"

    def now(self) -> str:
        return "2024-05-06T07:08:09Z"


@dataclass
class Outcome:
    ok: bool
    output: str = ""
    error: str = ""
    message: str = ""


def compiled(text: str) -> tuple[str | None, str]:
    """The source of `render(data)` for a template, or None and the first diagnostic."""
    diags = Diagnostics()
    template = parse(plain(text, "case"), diags, secrets=False)
    if template is not None:
        template = resolve(template, Scope({}, dot=ANY, dot_name="data"), diags)
        check(template, diags)
    if template is None or diags.has_errors:
        return None, diags.sorted()[0].message
    made = function(template, "render", Want("show"))
    lines = [
        line
        for line in sorted(made.imports)
        if not line.startswith("from gxo.runtime import Context")
    ]
    parameters = ", ".join(name.partition(":")[0] for name in made.parameters)
    entry = f"def run(ctx, data):\n    return render({parameters})"
    return "\n".join(["from __future__ import annotations", *lines, *made.lines, entry]), ""


def evaluate(text: str, data: Any) -> Outcome:
    """Compile and render."""
    source, message = compiled(text)
    if source is None:
        return Outcome(False, error="parse", message=message)
    namespace: dict[str, Any] = {}
    exec(compile(source, "<template>", "exec"), namespace)
    try:
        return Outcome(True, namespace["run"](FakeContext(), copy.deepcopy(data)))
    except RUN_ERRORS as error:
        return Outcome(False, error="exec", message=f"{type(error).__name__}: {error}")
