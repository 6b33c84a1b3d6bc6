"""Sections of a module's docstring: what documentation and `gxo modules` print.

before:  "Read a file.\\n\\nArgs:\\n    path: where it is\\n"
after:   Docstring(summary="Read a file."), {"path": "where it is"}
"""

import ast
import re
from textwrap import dedent

from gxo.compiler.modules.fault import DeclarationError
from gxo.compiler.modules.spec import Docstring

_SECTION = re.compile(r"^(Args|Returns|Raises|Example):[ \t]*", re.MULTILINE)
_ARGUMENT = re.compile(r"^(\w+): +(\S.*)$")


def read_docstring(
    definition: ast.AsyncFunctionDef, params: list[str]
) -> tuple[Docstring, dict[str, str]]:
    """A function's docstring and its parameters' descriptions.

    `params` are the Python names; a description of something else raises DeclarationError.
    """
    parts = _SECTION.split(ast.get_docstring(definition) or "")
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    summary, _, text = parts[0].partition("\n\n")
    descriptions = _arguments(dedent(sections.get("Args", "")))
    for name in descriptions:
        if name not in params:
            message = f"the docstring describes `{name}`, which is no parameter"
            raise DeclarationError(definition.body[0], message)
    doc = Docstring(
        summary=" ".join(summary.split()),
        text=text.strip(),
        returns=_flat(sections.get("Returns", "")),
        raises=_flat(sections.get("Raises", "")),
        example=dedent(sections.get("Example", "")).strip("\n"),
    )
    return doc, descriptions


def _flat(text: str) -> str:
    return " ".join(text.split())


def _arguments(text: str) -> dict[str, str]:
    """`name: text`, where more indented lines go on."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        start = _ARGUMENT.match(line)
        if start:
            name = start[1]
            found[name] = start[2].strip()
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found
