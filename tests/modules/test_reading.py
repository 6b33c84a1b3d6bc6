"""Properties of the reader: annotations round-trip, and no file makes it crash."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.diagnostics import Diagnostics
from gxo.compiler.modules.annotations import WORDS, SourceFile, read_type, union
from gxo.compiler.modules.declare import parse_file, read_modules
from gxo.compiler.modules.index import standard_roots
from gxo.compiler.types import NIL, Choice, ListOf, MapOf, OnDot, PerRecord, Type

Annotated = tuple[str, Type]

SIMPLE = st.sampled_from([(word, kind) for word, kind in WORDS.items()])
CHOICES = st.lists(st.text() | st.integers(0, 9) | st.booleans(), min_size=1, max_size=3).map(
    lambda values: (f"Literal[{', '.join(map(repr, values))}]", Choice(tuple(values)))
)


def containers(inner: st.SearchStrategy[Annotated]) -> st.SearchStrategy[Annotated]:
    return st.one_of(
        inner.map(lambda one: (f"list[{one[0]}]", ListOf(one[1]))),
        inner.map(lambda one: (f"Mapping[str, {one[0]}]", MapOf(one[1]))),
        inner.map(lambda one: (f"Each[{one[0]}]", PerRecord(one[1]))),
        inner.map(lambda one: (f"Optional[{one[0]}]", union((one[1], NIL)))),
        inner.map(lambda one: (repr(one[0]), one[1])),
        st.tuples(inner, inner).map(
            lambda two: (f"On[{two[0][0]}, {two[1][0]}]", OnDot(two[0][1], two[1][1]))
        ),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda many: (
                f"Union[{', '.join(text for text, _ in many)}]",
                union(tuple(kind for _, kind in many)),
            )
        ),
    )


def empty_file() -> SourceFile:
    return SourceFile("x.py", ast.parse(""), [], lambda _: None)


@given(st.recursive(SIMPLE | CHOICES, containers, max_leaves=6))
def test_an_annotation_means_its_type(annotated: Annotated) -> None:
    text, kind = annotated
    assert read_type(ast.parse(text, mode="eval").body, empty_file()) == kind


SOURCES = [
    path.read_text(encoding="utf-8")
    for root in standard_roots()
    for path in sorted(Path(root.folder).rglob("*.py"))
    if path.stat().st_size
]


def _read(text: str) -> None:
    diags = Diagnostics()
    source = parse_file(text, "x.py", lambda _: None, diags)
    if source is not None:
        read_modules(source, "gxo.stdlib.x", diags)
    for item in diags.items:
        assert item.span.line >= 1 and item.span.column >= 1


@given(st.data())
def test_a_damaged_file_is_told_and_no_crash(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(SOURCES)).splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    line = lines[at]
    cut = data.draw(st.integers(0, len(line)))
    how = data.draw(st.sampled_from(["cut", "drop", "swap", "insert", "double"]))
    if how == "cut":
        lines[at] = line[:cut]
    elif how == "drop":
        del lines[at]
    elif how == "swap":
        lines[at], lines[-1] = lines[-1], line
    elif how == "insert":
        lines[at] = line[:cut] + data.draw(st.sampled_from('()[]:,*=|"#.\\é\0')) + line[cut:]
    else:
        lines.insert(at, line)
    _read("\n".join(lines))


@pytest.mark.parametrize(
    "text",
    ["", "\ufeff", "\0", "(" * 10_000, "x = 1\n\t y", "é = (", "# -*- coding: nonsense -*-\n"],
)
def test_an_odd_file_is_told_and_no_crash(text: str) -> None:
    _read(text)
