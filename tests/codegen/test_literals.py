"""Literal values survive the way from YAML through the generated module into a call's arguments."""

import ast
import json
import math
import re
from types import SimpleNamespace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from gxo.compiler.driver import Compilation

TEXTS = st.text(st.characters(codec="utf-8"))
KEYS = st.text(st.characters(codec="utf-8"), max_size=80)  # YAML reads keys of up to 1024 bytes
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**300), 10**300),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
HEAD = "name: p\nschemaVersion: v1.0.0\n"
WORKLOAD = """\
workloads:
  - name: w
    lifecycle: {policy: run_once}
    process: {module: control:identity, params: {value: %s}}
"""


def generated(playbook: str, pretty: bool) -> ast.Module:
    compilation = Compilation("p.gxo.yaml")
    assert compilation.read(playbook.encode()), compilation.diagnostics.items
    assert compilation.analyse(), compilation.diagnostics.items
    return ast.parse(compilation.generate(pretty).text)


def keyword(tree: ast.Module, name: str) -> Any:
    """The value of the only keyword argument of this name, which is a literal."""
    (found,) = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == name
    ]
    return ast.literal_eval(found)


def same(one: Any, other: Any) -> bool:
    """Equal, of the same types all through, and with the same sign of zero."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return bool(one == other)


def spelt(value: Any) -> str:
    """The value in YAML: JSON, but for characters that it writes as two halves."""

    def whole(halves: re.Match[str]) -> str:
        character = json.loads(f'"{halves[0]}"')
        return f"\\U{ord(character):08x}"

    return re.sub(r"\\ud[89ab]..\\ud[c-f]..", whole, json.dumps(value))


def is_plain(value: Any) -> bool:
    """Whether no text in it is a template, and no key is YAML's merge key."""
    text = json.dumps(value)
    return "{{" not in text and "${" not in text and "<<" not in text


@given(VALUES.filter(is_plain), st.booleans())
@example("\x00\x1b\u2028\ud7ff\U0001f600'\"\\\n", True)
@example({"": [1.0, -0.0, 1e300, 10**300, "1", True, None]}, True)
@example(["a" * 200 + "\n" + "b" * 200, '"""', "'''", "\\N{DASH}", "{x}"], True)
def test_a_parameter(value: Any, pretty: bool) -> None:
    tree = generated(HEAD + WORKLOAD % spelt(value), pretty)
    assert same(keyword(tree, "value"), value)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), VALUES.filter(is_plain)))
def test_vars(values: dict[str, Any]) -> None:
    tree = generated(HEAD + f"vars: {spelt(values)}\n" + WORKLOAD % 1, False)
    if values:
        assert same(keyword(tree, "vars"), values)


@given(
    TEXTS.filter(lambda text: is_plain(text) and not text.endswith(("{", "$"))),
    st.sampled_from(["", "x", "\n"]),
)
def test_the_text_around_an_action(text: str, after: str) -> None:
    """It takes part in an f-string, whose braces and quotes are its own."""
    playbook = (
        HEAD + "inputs: {a: {default: ''}}\n" + WORKLOAD % spelt(f"{text}{{{{ .a }}}}{after}x")
    )
    tree = generated(playbook, True)
    (found,) = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "value"
    ]
    context = SimpleNamespace(inputs={"a": "<é>"})
    made = eval(compile(ast.Expression(found), "<value>", "eval"), {"ctx": context})
    assert made == f"{text}<é>{after}x"
