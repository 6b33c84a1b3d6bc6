"""`SourceText.locate`: for each character of a value, the place in the file where it is written."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.frontend.yaml import Mapping, Node, Scalar, Sequence, compose

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]
LINE_BREAKS = ["\n", "\r\n", "\r"]

EVERY_STYLE = r"""
plain: one
long: one  two
   three

   four
# a comment
single: 'it''s  a
  folded

  text '
double: "tab\t \u00e9\x41 \U0001F600 \
   joined

   next  \
   \  end\n
   of it"
literal: |
  first
    more

  last
folded: >-
  some
  text

   more indented
  again


  end
indicated: |2+
    two

anchored: &a >+

  x

  y

# between
lists:
- |
 item
- >1
  x
   y
  z
- [*a, 'x', "", 日本 語, ~]
- - "nested"
  - ? key
    : - |-
       deep
empty:
blank: |
keep: |+

last: |
  no line feed at the end of the file"""


def scalars(node: Node) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    if isinstance(node, Sequence):
        return [scalar for item in node.items for scalar in scalars(item)]
    return [scalar for entry in node.entries for scalar in (entry.key, *scalars(entry.value))]


def source_lines(text: str) -> list[str]:
    for line_break in ("\r\n", "\r"):
        text = text.replace(line_break, "\n")
    return [line + "\n" for line in text.split("\n")]


def check_place(lines: list[str], scalar: Scalar, offset: int) -> None:
    """The source at the place is the character, its escape, or the line break that became it."""
    character = scalar.text.value[offset]
    line, column, *_ = scalar.text.locate(offset, offset)
    source = lines[line - 1][column - 1 :]
    opening = lines[scalar.span.line - 1][scalar.span.column - 1 :][:1]
    if opening == '"' and source[0] == "\\":
        assert yaml.safe_load(f'"{escape(source)}"') == character
    elif source[0] == "\n":
        assert character in " \n"
    else:
        assert source[0] == character


def escape(source: str) -> str:
    return source[: {"x": 4, "u": 6, "U": 10}.get(source[1], 2)]


def tree_of(text: str, loader: type) -> Node:
    diags = Diagnostics()
    tree = compose(text, "f", diags, loader)
    assert tree is not None and not diags.has_errors, diags.items
    return tree


@pytest.mark.parametrize("line_break", LINE_BREAKS, ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("loader", LOADERS)
def test_every_style(loader: type, line_break: str) -> None:
    text = EVERY_STYLE.replace("\n", line_break)
    lines = source_lines(text)
    found = scalars(tree_of(text, loader))
    assert len(found) > 30
    for scalar in found:
        places = [
            scalar.text.locate(offset, offset)[:2] for offset in range(len(scalar.text.value) + 1)
        ]
        assert places == sorted(places)
        for offset in range(len(scalar.text.value)):
            check_place(lines, scalar, offset)


@pytest.mark.parametrize("loader", LOADERS)
def test_spans_hold_the_scalar(loader: type) -> None:
    lines = source_lines(EVERY_STYLE)
    for scalar in scalars(tree_of(EVERY_STYLE, loader)):
        span = scalar.span
        first = lines[span.line - 1][span.column - 1 :]
        last = lines[span.end_line - 1][: span.end_column - 1]
        if scalar.plain:
            assert first.startswith(scalar.text.value.split()[0] if scalar.text.value else "")
        else:
            assert first[0] in "\"'|>"
        if first[0] in "\"'":
            assert last.endswith(first[0])


def test_a_piece_of_a_text() -> None:
    tree = tree_of('a: "x\\ty{{ .z }}"', yaml.SafeLoader)
    assert isinstance(tree, Mapping)
    value = tree.get("a")
    assert isinstance(value, Scalar)
    piece = value.text.at(value.text.value.index("{{"), len(value.text.value))
    assert (piece.line, piece.column, piece.end_line, piece.end_column) == (1, 9, 1, 17)
    nothing = value.text.at(1, 1)
    assert (nothing.line, nothing.column, nothing.end_column) == (1, 6, 7)


TEXTS = st.text(
    st.one_of(st.sampled_from(" \n\t'\"\\ab:#-|>{}é日😀"), st.characters(codec="utf-8")),
    max_size=40,
)
STYLES = st.sampled_from([None, "'", '"', "|", ">"])


@given(
    texts=st.lists(TEXTS, min_size=1, max_size=4),
    style=STYLES,
    width=st.sampled_from([10, 80]),
    indent=st.sampled_from([2, 4, 7]),
    line_break=st.sampled_from(LINE_BREAKS),
    loader=st.sampled_from(LOADERS),
)
def test_dumped_texts(
    texts: list[str], style: str | None, width: int, indent: int, line_break: str, loader: type
) -> None:
    """What PyYAML writes in any style is read back with the same value, each character in place."""
    values = {f"k{number}": {"in": [text]} for number, text in enumerate(texts)}
    written = yaml.dump(
        values, default_style=style, width=width, indent=indent, allow_unicode=True, sort_keys=False
    )
    if any(mark in written for mark in "\x85\u2028\u2029\ufeff\r"):
        return  # refused before the tree is made
    text = written.replace("\n", line_break)
    lines = source_lines(text)
    found = scalars(tree_of(text, loader))
    read = [scalar.text.value for scalar in found if scalar.text.value not in ("in", *values)]
    assert read == [one for one in texts if one not in ("in", *values)]
    for scalar in found:
        for offset in range(len(scalar.text.value)):
            check_place(lines, scalar, offset)
