"""JSON templates: actions keep their place, whatever stands around them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.ir.json_template import read_record_template
from gxo.compiler.ir.nodes import Computed, Constant, Fields, Items, Value
from gxo.compiler.source import plain
from gxo.compiler.template.parse import parse

plain_texts = st.text(
    st.characters(exclude_characters="{}$", exclude_categories=["Cs", "Co", "Cc"])
)
leaves = st.none() | st.booleans() | st.integers() | plain_texts
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner) | st.dictionaries(plain_texts, inner),
    max_leaves=15,
)


def record(text: str) -> Value:
    diagnostics = Diagnostics()
    template = parse(plain(text, "t"), diagnostics)
    assert template is not None, diagnostics.items
    value = read_record_template(template, diagnostics)
    assert value is not None, diagnostics.items
    return value


def plain_value(value: Value) -> object:
    """The value as JSON, with "<native>" and "<text>" where templates stand."""
    match value:
        case Constant(constant):
            return constant
        case Computed():
            return f"<{value.want}>"
        case Items(values):
            return [plain_value(item) for item in values]
        case Fields(entries):
            return {name: plain_value(item) for name, item in entries}
    raise AssertionError(value)


@given(st.dictionaries(plain_texts, trees))
def test_without_actions_it_is_json(tree: dict[str, object]) -> None:
    assert plain_value(record(json.dumps(tree, ensure_ascii=False))) == tree


@given(st.dictionaries(plain_texts, trees), plain_texts, plain_texts)
def test_actions_stay_where_they_are(tree: dict[str, object], before: str, after: str) -> None:
    text = json.dumps(tree | {"in a text": f"{before}ACTION{after}", "value": "VALUE"})
    text = text.replace('"VALUE"', "{{ .x }}").replace("ACTION", "{{ .x }}")
    got = plain_value(record(text))
    assert got == tree | {"in a text": "<text>", "value": "<native>"}


def test_what_is_no_json_is_a_text() -> None:
    assert plain_value(record("{{ .a }}, {{ .b }}")) == {"value": "<text>"}
    assert plain_value(record('["{{ .a }}"]')) == {"value": "<text>"}


def test_an_action_in_a_key_is_refused() -> None:
    diagnostics = Diagnostics()
    template = parse(plain('{"{{ .a }}": 1}', "t"), diagnostics)
    assert template is not None
    assert read_record_template(template, diagnostics) is None
    assert [item.code for item in diagnostics.items] == ["GXO0509"]


def test_a_text_cannot_pose_as_an_action() -> None:
    """The characters that mark actions inside the compiler mean nothing when an author writes them."""
    posing = '{"a": "\ue0000\ue001", "b": "{{ .x }}", "c": "\\ue0000\\ue001"}'
    assert plain_value(record(posing)) == {"value": "<text>"}


@pytest.mark.parametrize("depth", [101, 150, 300, 500, 990, 5_000, 100_000])
def test_what_is_nested_too_deeply_is_one_error(depth: int) -> None:
    """A playbook's own lists nest at most 100 deep; these are the same lists, written as text."""
    diagnostics = Diagnostics()
    text = '{"a": ' + "[" * (depth - 1) + "{{ .x }}" + "]" * (depth - 1) + "}"
    template = parse(plain(text, "t"), diagnostics)
    assert template is not None
    assert read_record_template(template, diagnostics) is None
    assert [one.code for one in diagnostics.items] == ["GXO0413"]


def test_the_deepest_that_is_read() -> None:
    assert record('{"a": ' + "[" * 99 + "{{ .x }}" + "]" * 99 + "}")
