"""What is said of a template without running it, against what happens when it runs.

A secret that is in the result must have been followed there; a value that a shell takes for code must
have been reported. Random templates, real evaluation, a real shell.
"""

import subprocess
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gxo.compiler.diagnostics import Diagnostics, Note, Place, Span
from gxo.compiler.flow import injection
from gxo.compiler.flow.marks import CLEAN, Flow, Kind, named_secret, outside
from gxo.compiler.flow.templates import Outcome, follow
from gxo.compiler.flow.trace import Arrival
from gxo.compiler.source import plain
from gxo.compiler.template import ast
from gxo.compiler.template.parse import parse
from gxo.compiler.template.resolve import Scope, resolve
from gxo.compiler.types import ANY
from tests.template.evaluator import evaluate
from tests.template.generated import DATA, TEMPLATES

NOTE = Note(Span("f", 1, 1, 1, 1), "it comes from here")
CANARY = "Qz7x9"


def followed(text: str, data: Flow) -> tuple[ast.Template, Outcome]:
    """The template, and what it holds when its dot holds `data`."""
    template = parse(plain(text, "f"), Diagnostics())
    assume(template is not None)
    assert template is not None
    template = resolve(template, Scope({}, dot=ANY), Diagnostics())
    return template, follow(template, False, lambda _: data)


@given(TEMPLATES, DATA)
@settings(max_examples=300)
def test_a_secret_in_the_result_was_followed_there(text: str, data: dict[str, Any]) -> None:
    data = data | {"s": CANARY}
    ran = evaluate(text, data)
    _, outcome = followed(text, Flow({}, {"s": named_secret(NOTE)}, CLEAN))
    if CANARY.lower() in str(ran.output).lower():
        assert Kind.SECRET in outcome.value.whole
        assert any(Kind.SECRET in one.flow.whole for one in outcome.printed)


PAYLOADS = st.sampled_from(
    [
        "x; echo P$((1))WNED",
        "$(echo P$((1))WNED)",
        "`echo P$((1))WNED`",
        "'; echo P$((1))WNED; '",
        '"; echo P$((1))WNED; "',
        "x\necho P$((1))WNED\n",
        "x\nE\necho P$((1))WNED\n",
        "\\",
        "a'b",
    ]
)
ACTIONS = st.sampled_from(
    [
        "{{ .s }}",
        "{{ shellquote .s }}",
        "{{ shellquote .s }}",
        "{{ shellquote .s }}",
        "{{ .s | trim | shellquote }}",
        "{{ shellquote .s | upper | lower }}",
        "{{ shellquote .s | trunc 3 }}",
        '{{ shellquote .s | replace "\'" "" }}',
        '{{ printf "%s-%s" (shellquote .s) "x" }}',
        '{{ printf "%.4s" (shellquote .s) }}',
        "{{ printf \"'%s'\" (shellquote .s) }}",
        '{{ join " " (list "a" (shellquote .s)) }}',
        '{{ (shellquote .s) + "\'" }}',
        "{{ $x := shellquote .s }}{{ $x }}",
        "{{ if .s }}{{ shellquote .s }}{{ end }}",
        "{{ if .s }}'{{ end }}",
        "{{ range list 1 2 }} {{ shellquote $.s }}{{ end }}",
        "{{ b64enc .s }}",
        "{{ len .s }}",
        "{{ urlquery .s }}",
    ]
)
LITERALS = st.sampled_from(
    ["'", '"', "'", '"', "\\", " ", "x", "# ", "\n", "$(", ")", "`", "<<E", "\nE\n", ";", "echo "]
)


@given(st.lists(st.one_of(ACTIONS, LITERALS), max_size=7), PAYLOADS)
@settings(max_examples=400, deadline=None)
def test_what_a_shell_takes_for_code_was_reported(parts: list[str], payload: str) -> None:
    text = "echo " + "".join(parts)
    template, outcome = followed(text, Flow({}, {"s": Flow(outside(NOTE))}))
    diags = Diagnostics()
    injection.check(
        Arrival("shell", Place("w", "params.command"), outcome.printed, template), diags
    )
    if diags.has_errors:
        return
    line = evaluate(text, {"s": payload}).output
    assert isinstance(line, str)
    ran = subprocess.run(["/bin/sh", "-c", line], env={"PATH": ""}, capture_output=True, timeout=10)
    assert b"P1WNED" not in ran.stdout, line
