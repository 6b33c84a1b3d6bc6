"""The templates that the reference playbooks use (language, section 3), and what they mean.

    {{ .a.b }}                     a field chain, its native value
    {{ .a.b | default 5 }}         the same, asked for
    {{ .a.b == "Completed" }}      a comparison with a text

Exactly one action with one of these pipelines; there is nothing else in them.
"""

import re
from collections.abc import Mapping
from typing import Any

NAME = r"[A-Za-z_][\w-]*"
ACTION = re.compile(
    rf"\{{\{{ \.(?P<chain>{NAME}(\.[\w-]+)*)"
    r'(?: \| default (?P<default>\d+|"[^"]*"))?'
    r'(?: == "(?P<equals>[^"]*)")? \}\}'
)


class TemplateError(Exception):
    """A template could not be evaluated."""


def is_template(text: object) -> bool:
    return isinstance(text, str) and "{{" in text


def chain_of(text: str) -> tuple[str, ...]:
    """The names of the template's field chain."""
    match = ACTION.fullmatch(text)
    assert match is not None, f"the interpreter has no such template: {text}"
    return tuple(match["chain"].split("."))


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """The template's native value.

    names: what the first name of a chain can be. A register without a value is nil there.
    """
    match = ACTION.fullmatch(text)
    assert match is not None, f"the interpreter has no such template: {text}"
    value = _follow(match["chain"].split("."), names, asked=match["default"] is not None)
    if match["default"] is not None and is_empty(value):
        given = match["default"]
        value = given[1:-1] if given.startswith('"') else int(given)
    return value if match["equals"] is None else value == match["equals"]


def _follow(chain: list[str], names: Mapping[str, Any], asked: bool) -> Any:
    """Section 3, Missing values: "A missing key, or a field of nil, is an error where its value is
    used, and nil where it is asked for. A field of something that is neither a map nor nil is
    always an error." Section 6: "The register of a workload that did not complete is nil where it
    is asked for. Used as a value it is an error."
    """
    value: Any = names
    for name in chain:
        if value is None:
            if asked:
                return None
            raise TemplateError(f"{name} of nil")
        if not isinstance(value, Mapping):
            raise TemplateError(f"{name} of what is no map")
        if name in value:
            value = value[name]
        elif asked:
            value = None
        else:
            raise TemplateError(f"no key {name}")
    if value is None and len(chain) == 1 and not asked:
        raise TemplateError(f"register {chain[0]} has no value")
    return value


def is_empty(value: Any) -> bool:
    """What `default` replaces: nil, false, 0, an empty text, list or map."""
    return not value


def is_truthy(value: Any) -> bool:
    """Section 4: "Falsy: false, 0, 0.0, "", nil, empty list, empty map, and the texts false, no,
    off, 0 in any case with surrounding white space. Everything else is truthy."
    """
    if isinstance(value, str):
        return value.strip().lower() not in ("", "false", "no", "off", "0")
    return bool(value)
