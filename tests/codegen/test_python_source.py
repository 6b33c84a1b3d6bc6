"""Values survive the way into generated code, and names stay names."""

import ast
import keyword
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.compiler.ir.names import local_name, local_words
from gxo.compiler.python_source import RESERVED, Names, literal

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(values)
def test_literal_round_trip(value: object) -> None:
    tree = ast.parse(literal(value), mode="eval")
    got = eval(compile(tree, "<literal>", "eval"), {"__builtins__": {"float": float}})
    assert got == value
    assert type(got) is type(value)


def test_not_a_number_has_a_literal() -> None:
    assert math.isnan(eval(literal(math.nan)))


def test_what_is_no_value_has_no_literal() -> None:
    with pytest.raises(TypeError):
        literal(object())


def test_a_function_hides_no_name_around_it() -> None:
    names = Names({"expr"}, {"exec_"})
    names.fresh("total")
    one, other = names.inner({"ctx"}), names.inner()
    given = [one.fresh(text) for text in ("ctx", "total", "expr", "exec", "class", "mine")]
    assert given == ["ctx_2", "total_2", "expr_", "exec__2", "class_", "mine"]
    assert [other.fresh(text) for text in ("ctx", "mine")] == ["ctx", "mine"]
    assert [names.fresh(text) for text in ("mine", "ctx")] == ["mine_2", "ctx_3"]


@given(st.lists(st.from_regex(r"[A-Za-z0-9_-]+", fullmatch=True)))
def test_names_are_unique_identifiers(texts: list[str]) -> None:
    names = Names(local_words())
    fresh = [names.fresh(text) for text in texts]
    assert len(set(fresh)) == len(fresh)
    for name in fresh:
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert name not in local_words()


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True))
def test_loop_variables_never_hide_what_functions_use(text: str) -> None:
    assert local_name(text) not in local_words() | RESERVED
    assert local_name(text).isidentifier()
