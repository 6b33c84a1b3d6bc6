"""What holds for any input: no exception, no endless expansion, and JSON's values as they are."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend import yaml as frontend_yaml
from gxo.compiler.frontend.load import load_playbook
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar, compose, load
from gxo.compiler.rendering import render_github, render_json, render_text

PLAYBOOK = """\
name: demo
schemaVersion: v1.0.0
inputs: {limit: {type: int, default: 3, enum: [3, 4]}}
vars: &vars {page: 1, url: "{{ .limit }}"}
assets: [hosts.csv]
channel_policy: {buffer_size: 3}
workloads:
  - &first
    name: a
    lifecycle: {policy: run_once}
    process: {module: exec, params: {command: uname, env: *vars}}
    register: out
    when: "{{ .limit }} > 2"
    loop: [1, 2]
    loop_control: {loop_var: x, parallel: 2}
    retry: {attempts: 2, delay: 1s, max_delay: 1m}
    timeout: 3s
  - <<: *first
    name: b
    register: other
    needs: [a]
    stream_inputs: [a, a.errors]
    on_failure:
      - {name: undo, process: {module: exec}}
finally:
  - {name: tidy, process: {module: exec}}
"""
YAML_WORDS = [
    *("- ", ": ", "? ", "[", "]", "{", "}", ",", "\n", "  ", "\t", "#", "&a ", "*a ", "!!str "),
    *(
        "|",
        ">",
        "|2-\n",
        "'",
        '"',
        "\\",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "<<: ",
        "{{ ",
        " }}",
        "@",
    ),
    *(
        "a",
        "1",
        "0644",
        "yes",
        "~",
        "é",
        "日",
        "\r",
        "\ufeff",
        "\u2028",
        "\x07",
        "name: ",
        "[" * 101,
    ),
]


def plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Mapping):
        return {entry.key.text.value: plain(entry.value) for entry in node.entries}
    return [plain(item) for item in node.items]


def check_everything(data: bytes) -> None:
    """Loading and showing do not raise, and without a playbook there is an error that says why."""
    diags = Diagnostics()
    playbook = load_playbook(data, "f.gxo.yaml", diags)
    assert playbook is not None or diags.has_errors
    found = diags.sorted()
    text = data.decode("utf-8", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert all(1 <= item.span.line <= len(lines) for item in found)
    assert all(
        (item.span.line, item.span.column) <= (item.span.end_line, item.span.end_column)
        for item in found
    )
    assert render_text(found, {"f.gxo.yaml": text}, colour=True).count("\n") >= len(found)
    assert len(json.loads(render_json(found))) == len(found)
    assert len(render_github(found).splitlines()) == len(found)


@given(st.binary(max_size=300))
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b"\xff\xfe")
def test_any_bytes(data: bytes) -> None:
    check_everything(data)


@given(st.lists(st.sampled_from(YAML_WORDS), max_size=40).map("".join))
def test_any_yaml_like_text(text: str) -> None:
    check_everything(text.encode())


@given(st.lists(st.sampled_from(YAML_WORDS), max_size=40).map("".join))
def test_both_scanners_are_survived(text: str) -> None:
    for loader in (yaml.SafeLoader, frontend_yaml.FASTEST_LOADER):
        diags = Diagnostics()
        if not any(mark in text for mark in "\x07\u2028\ufeff"):
            assert compose(text, "f", diags, loader) is not None or diags.has_errors


@given(
    start=st.integers(0, len(PLAYBOOK)),
    length=st.integers(0, 30),
    instead=st.one_of(st.sampled_from(YAML_WORDS), st.text(max_size=5)),
)
def test_damaged_playbooks(start: int, length: int, instead: str) -> None:
    damaged = PLAYBOOK[:start] + instead + PLAYBOOK[start + length :]
    check_everything(damaged.encode("utf-8", "surrogatepass"))


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="utf-8")),
    ),
    lambda children: st.one_of(
        st.lists(children), st.dictionaries(st.text(st.characters(codec="utf-8")), children)
    ),
)
YAML_WANTS_ESCAPED = (
    "\x7f\x85\u2028\u2029\ufeff" + "".join(map(chr, range(0x80, 0xA0))) + "\ufffe\uffff"
)


@given(VALUES)
def test_json_is_yaml(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    for character in YAML_WANTS_ESCAPED:
        text = text.replace(character, f"\\u{ord(character):04x}")
    if "<<" in text:
        return  # JSON has no merge keys; in quotes it is a key, which `anchors.test` shows
    diags = Diagnostics()
    tree = load(text.encode(), "f", diags)
    assert tree is not None and not diags.has_errors, diags.items
    assert plain(tree) == value


def refused(text: str, code: str) -> None:
    diags = Diagnostics()
    assert load(text.encode(), "f", diags) is None
    assert [item.code for item in diags.items] == [code]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "a:\n"])
def test_nesting_is_limited(opening: str) -> None:
    if opening == "a:\n":
        text = "".join(" " * depth + "a:\n" for depth in range(300))
    else:
        text = opening * 100_000
    refused(text, "GXO0109")


def test_the_deepest_tree_that_is_read() -> None:
    diags = Diagnostics()
    assert load(b"[" * 100 + b"]" * 100, "f", diags) is not None
    assert not diags.has_errors
    refused("[" * 101 + "]" * 101, "GXO0109")


def test_aliases_count_towards_the_depth() -> None:
    half = "[" * 60 + "]" * 60
    refused(f"a: &a {half}\nb: {'[' * 60}*a{']' * 60}\n", "GXO0109")


def test_aliases_are_not_expanded_without_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    refused("\n".join(lines), "GXO0110")


def test_merges_are_not_expanded_without_end() -> None:
    keys = ", ".join(f"k{n}: 1" for n in range(1000))
    merges = "\n".join(f"m{n}: {{<<: [{', '.join(['*a'] * 100)}]}}" for n in range(20))
    refused(f"a: &a {{{keys}}}\n{merges}\n", "GXO0110")


def test_many_aliases_of_a_scalar_are_read() -> None:
    diags = Diagnostics()
    tree = load(b"a: &a x\nb: [" + b"*a, " * 1000 + b"]\n", "f", diags)
    assert isinstance(tree, Mapping) and not diags.items


def test_a_file_over_the_limit() -> None:
    refused("# " + "x" * (10 * 1024 * 1024), "GXO0104")


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 5000, "0o" + "7" * 5000])
def test_a_number_with_too_many_digits(number: str) -> None:
    """Python refuses to print such a number, so none may get as far as the generated module."""
    diags = Diagnostics()
    assert load(f"a: {number}".encode(), "f", diags) is not None
    assert [item.code for item in diags.items] == ["GXO0117"]


@pytest.mark.parametrize("number", ["9" * 4000, "0x" + "f" * 3300, "0o" + "7" * 4400])
def test_the_longest_number_can_be_printed(number: str) -> None:
    diags = Diagnostics()
    tree = load(f"a: {number}".encode(), "f", diags)
    assert tree is not None and not diags.items
    assert repr(plain(tree))


def test_a_scanner_that_lets_half_characters_through() -> None:
    diags = Diagnostics()
    compose('a: "\\ud83d"', "f", diags, yaml.SafeLoader)
    assert [item.code for item in diags.items] == ["GXO0106"]
