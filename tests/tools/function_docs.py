"""`docs/functions.md`: every template function, from the library's declarations.

    ### trunc
    trunc (count: an int) (text: text) -> text

The examples are in `docs/functions.examples.yaml`; what they print is computed here, so an example
that prints something else makes the page stale.
"""

from pathlib import Path

import yaml

from gxo.cli.evaluate import FakeContext, rendered
from gxo.compiler.template import functions
from gxo.compiler.template.functions import Signature
from gxo.compiler.types import describe

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLES = DOCS / "functions.examples.yaml"
LEFT_OUT = DOCS / "functions.left-out.yaml"

_HEAD = """\
# Template functions

Go's own functions and Sprig's, in Go's order of arguments: what is piped in is the last one. `and`,
`or` and `not` are operators of the language. What is in
brackets may be left out, and `...` stands for any number of arguments. Impure functions may give another value each time, and are
evaluated only when the playbook runs.

This page is made from the declarations in `runtime/gxo/runtime/functions`; `make docs` writes it.
"""
_FAMILIES = {"": "the run", "expr": "values"}
"""Titles of the families that are not called as their file is."""


def examples() -> dict[str, str]:
    """A template for each function, by the function's name."""
    table: dict[str, str] = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))
    return table


def left_out() -> dict[str, str]:
    """Why Sprig's other functions are not there."""
    reasons: dict[str, str] = yaml.safe_load(LEFT_OUT.read_text(encoding="utf-8"))
    return reasons


def signatures() -> list[Signature]:
    """The functions by family and name."""
    found = [functions.find(name) for name in functions.names() - functions.OPERATORS]
    return sorted((one for one in found if one), key=lambda one: (one.family, one.name))


def document() -> str:
    """The page."""
    shown = examples()
    lines = [_HEAD]
    family = None
    for one in signatures():
        if one.family != family:
            family = one.family
            lines.append(f"## {_FAMILIES.get(family, family).capitalize()}\n")
        lines.append(_entry(one, shown[one.name]))
    lines.append("## Left out\n\nFunctions of Sprig 3.2.3 that gxo does not have.\n")
    return "\n".join([*lines, *_left_out()]) + "\n"


def _left_out() -> list[str]:
    """A line for each reason."""
    names: dict[str, list[str]] = {}
    for name, reason in left_out().items():
        names.setdefault(reason, []).append(f"`{name}`")
    return [f"- {', '.join(those)}: {reason}" for reason, those in names.items()]


def _entry(one: Signature, example: str) -> str:
    doc = " ".join(one.doc.split())
    parts = [f"### {one.name}\n", f"    {_usage(one)}\n"]
    if doc:
        parts.append(f"{doc}\n")
    if not one.pure:
        parts.append("Impure.\n")
    if one.mutates:
        parts.append("Changes its first argument.\n")
    parts.append(f"{_shown(one, example)}\n")
    return "\n".join(parts)


def _usage(one: Signature) -> str:
    """`trunc (count: int) (text: text) -> text`; what may be left out is in brackets."""
    words = [
        f"({name}: {describe(kind)})" if index < one.required else f"[{name}: {describe(kind)}]"
        for index, (name, kind) in enumerate(one.parameters)
    ]
    if one.variadic:
        words.append(f"({one.variadic[0]}: {describe(one.variadic[1])})...")
    result = "a value with fields" if one.native else describe(one.result)
    return " ".join([one.name, *words, "->", result])


def _shown(one: Signature, example: str) -> str:
    """The example and what it prints, unless that may differ."""
    if not one.pure:
        return f"```\n{example}\n```"
    outcome = rendered(example, {}, FakeContext())
    result = f'"{outcome.output}"' if outcome.ok else f"error: {outcome.message}"
    return f"```\n{example}\n{result}\n```"
