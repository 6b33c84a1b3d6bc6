"""Compiles one template and runs it here: what `gxo eval` and the tests of templates share.

    program(Diagnostics(), "{{ add .a 1 }}", native=True)   a Program: its tree and its Python
    .run(FakeContext(), {"a": 2})                           3

The dot is a value of unknown type. Only the compiler's own output is executed, never the text that
was given.
"""

import linecache
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar, cast

from gxo.compiler.codegen.sourcemap import Marks, Texts, entries, find_places, source_map
from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.source import plain
from gxo.compiler.template import ast
from gxo.compiler.template.check import check
from gxo.compiler.template.parse import parse, single_action
from gxo.compiler.template.resolve import Scope, resolve
from gxo.compiler.template.to_python import Want, function, unmarked
from gxo.compiler.types import ANY
from gxo.runtime.errors import SecretError
from gxo.runtime.host.clock import Clock, rfc3339

T = TypeVar("T")

TEMPLATE = "template"
"""What places in the template are called."""
_PYTHON = "<template>"
_ENTRY = "render"


class Context(Protocol):
    """What a template reads from around it."""

    def secret(self, name: str) -> str: ...
    def env(self, name: str) -> str: ...
    def now(self) -> str: ...
    def private(self, made: T, *fields: str) -> T: ...


class ShellContext:
    """The environment and the clock of this process; secrets belong to runs of playbooks."""

    def secret(self, name: str) -> str:
        raise SecretError(f'the secret "{name}" is not read here; --fake-secrets gives a stand-in')

    def env(self, name: str) -> str:
        return os.environ.get(name, "")

    def now(self) -> str:
        return rfc3339(Clock().seconds(), fraction=False)

    def private(self, made: T, *fields: str) -> T:
        del fields
        return made


class FakeContext(ShellContext):
    """Secrets and environment values that only tell their names, as the conformance cases want."""

    def secret(self, name: str) -> str:
        return f"s3cr3t-{name}"

    def env(self, name: str) -> str:
        return f"env-{name}"


class EvaluationError(Exception):
    """The template failed when it ran; the message names the place and the expression."""


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled template; `source` is the module whose function `render` gives its value."""

    text: str
    template: ast.Template
    want: Want
    source: str
    parameters: tuple[str, ...]

    def run(self, context: Context, data: Any) -> Any:
        """The value for the data, which `set` and its like may change.

        Raises: EvaluationError
        """
        arguments: Mapping[str, Any] = {"ctx": context, "data": data}
        names: dict[str, Any] = {"__name__": _PYTHON}
        exec(compile(self.source, _PYTHON, "exec"), names)  # noqa: S102 - the compiler's own output
        render: Callable[..., Any] = names[_ENTRY]
        try:
            return render(*[arguments[name] for name in self.parameters])
        except Exception as error:
            raise EvaluationError(self._explained(error)) from error

    def _explained(self, error: Exception) -> str:
        """The error as a run of a playbook would put it."""
        import ast as python
        import json

        from gxo.runtime.reporting import trace

        marks = Marks()
        marked, _ = _module(self.template, self.want, marks.mark)
        found = find_places(python.parse(self.source), marked)
        known = list(entries(found, 0, marks.spans, Texts(self.text.splitlines(), {})))
        places = json.loads(source_map(TEMPLATE, {}, {_PYTHON: known}, {}))
        lines = self.source.splitlines(keepends=True)
        linecache.cache[_PYTHON] = (len(self.source), None, lines, _PYTHON)
        run = SimpleNamespace(job=SimpleNamespace(files={_PYTHON}), source_map=places, redact=str)
        return trace.explain(cast(Any, run), error)


def program(diagnostics: Diagnostics, text: str, *, native: bool) -> Program | None:
    """Compile a template; None when `diagnostics` got an error.

    native: the only action's value as it is; else, and with several parts, the text Go prints.
    """
    template = parse(plain(text, TEMPLATE), diagnostics, secrets=False)
    if template is not None:
        template = resolve(template, Scope({}, dot=ANY, dot_name="data"), diagnostics)
        check(template, diagnostics)
    if template is None or diagnostics.has_errors:
        return None
    want = Want("native" if native and single_action(template) else "show")
    source, parameters = _module(template, want, unmarked)
    return Program(text, template, want, source, parameters)


def _module(
    template: ast.Template, want: Want, mark: Callable[..., str]
) -> tuple[str, tuple[str, ...]]:
    """The Python of a module with the template's function, and the names of its parameters."""
    made = function(template, _ENTRY, want, mark)
    lines = [*sorted(made.imports), "", "", *made.lines, ""]
    return "\n".join(lines), tuple(name.partition(":")[0] for name in made.parameters)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a template came to: Go's text, or why there is none (`error`: "parse" or "exec")."""

    ok: bool
    output: str = ""
    error: str = ""
    message: str = ""


def rendered(text: str, data: Any, context: Context) -> Outcome:
    """Compile and run a template as Go would print it."""
    diagnostics = Diagnostics()
    made = program(diagnostics, text, native=False)
    if made is None:
        first = diagnostics.sorted()[0]
        place = f"{first.span.file}:{first.span.line}:{first.span.column}"
        return Outcome(False, error="parse", message=f"{first.message} ({place})")
    try:
        return Outcome(True, output=made.run(context, data))
    except EvaluationError as error:
        return Outcome(False, error="exec", message=str(error))
