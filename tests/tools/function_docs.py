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
from gxo.compiler.types import Shape, describe

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLES = DOCS / "functions.examples.yaml"
LEFT_OUT = DOCS / "functions.left-out.yaml"

_HEAD = """\
# Template functions

Go's own functions and Sprig's, in Go's order of arguments: what is piped in is the last one. `and`,
`or` and `not` are operators of the language. What is in
brackets may be left out, and `...` stands for any number of arguments. Impure functions may give another value each time, and are
evaluated only when the playbook runs.

A secret that a function makes, such as a private key, can be used like any other value, and `register`
keeps it; in logs, events, errors and the report it is redacted. So are lines of a certificate that
also stand in its private key, as they do with RSA. [More on secrets](security.md)

Some functions compute for so long that the other workloads of the job wait for them: `derivePassword`
150 ms, `bcrypt` and `htpasswd` 60 ms, a new certificate's RSA key 35 to 100 ms, `genPrivateKey "dsa"`
250 to 450 ms, `genPrivateKey "rsa"`, whose key has 4096 bits, 500 to 1,000 ms; `"ecdsa"` and `"ed25519"`
less than one. Make such a value once, in `vars`, or choose one of the latter. What functions link is
native code: the artifact then runs on one version of Python and one kind of host.

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
    if one.secret:
        parts.append(f"{_secret(one)} redacted from what leaves the job.\n")
    if one.needs:
        parts.append(f"Links {', '.join(one.needs)} into the job.\n")
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


def _secret(one: Signature) -> str:
    """What of the result is a secret."""
    if isinstance(one.result, Shape):
        return " and ".join(f"`.{name}`" for name in sorted(one.result.secret)) + " is"
    return "The result is"


def _shown(one: Signature, example: str) -> str:
    """The example and what it prints, unless that may differ."""
    if not one.pure:
        return f"```\n{example}\n```"
    outcome = rendered(example, {}, FakeContext())
    result = f'"{outcome.output}"' if outcome.ok else f"error: {outcome.message}"
    return f"```\n{example}\n{result}\n```"
