"""RE2's patterns on Python's library: the same matches from `re` and from the machine."""

import re
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gxo.runtime.errors import ExpressionError
from gxo.runtime.regex import Pattern, compile_pattern, matches_whole, translate
from gxo.runtime.regex.cost import degree
from gxo.runtime.regex.machine import build
from gxo.runtime.regex.syntax import parse
from gxo.runtime.regex.translate import to_python
from tests.runtime.functions.test_cases import rows


@pytest.mark.parametrize("row", rows("costs.jsonl"), ids=lambda row: row["pattern"])
def test_cost(row: dict[str, Any]) -> None:
    parsed = parse(row["pattern"])
    assert degree(parsed, anchored=False) == row["degree"]
    assert degree(parsed, anchored=True) == row.get("anchored", row["degree"])


@pytest.mark.parametrize("row", rows("patterns.jsonl"), ids=lambda row: row["pattern"])
def test_syntax(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(ExpressionError) as caught:
            compile_pattern(row["pattern"])
        assert row["error"] in str(caught.value)
    else:
        assert to_python(parse(row["pattern"])) == row["python"]


def test_translating_refuses_what_may_be_slow() -> None:
    assert translate(r"^(\w+)=(\d+)$") == r"\A([0-9A-Z_a-z]+)=([0-9]+)\Z"
    assert translate(r"(\w+)=(\d+)", anchored=True) == r"([0-9A-Z_a-z]+)=([0-9]+)"
    with pytest.raises(ExpressionError, match="more than linear"):
        translate(r"(\w+)=(\d+)")


ATOMS = [
    "a",
    "b",
    ".",
    r"\d",
    r"\w",
    "[^a]",
    "[ab]",
    "^",
    "$",
    r"\b",
    "(?i:a)",
    "é",
    r"\z",
    "(?m:$)",
]
PATTERNS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        inner.map(lambda body: f"({body})"),
        st.tuples(inner, inner).map(lambda both: f"(?:{both[0]}|{both[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "+?", "{2}", "{1,3}"])).map(
            lambda both: f"(?:{both[0]}){both[1]}"
        ),
    ),
    max_leaves=8,
)


@given(PATTERNS, st.text("aabé1 \n-", max_size=10), st.integers(0, 3))
@example(r"(?:a|ab)(?:c|bcd)?", "abcd", 0)
def test_the_machine_agrees_with_re(source: str, text: str, start: int) -> None:
    parsed = parse(source)
    assume(degree(parsed, anchored=False) is not None and start <= len(text))
    match = re.compile(to_python(parsed)).search(text, start)
    expected = None if match is None else tuple(at for span in match.regs for at in span)
    assert build(parsed).search(text, start) == expected


@pytest.mark.parametrize("source", [r"^(a+)+$", r"(a|a)*b", r"(a?){20}a{20}", r".*.*.*.*x"])
def test_a_catastrophic_pattern_never_reaches_re(source: str) -> None:
    pattern = Pattern(source)

    class Refusing:
        def search(self, *_: object) -> None:
            raise AssertionError("backtracking")

    pattern._python = Refusing()  # type: ignore[assignment]
    pattern.search("a" * 3000)


def test_groups_and_names() -> None:
    pattern = compile_pattern(r"(?P<key>\w+)=(?P<value>\S*)( #.*)?")
    assert pattern.names == {"key": 1, "value": 2}
    assert pattern.groups == 3
    assert pattern.search("x a=1 y") == (2, 5, 2, 3, 4, 5, -1, -1)
    assert pattern.search("none") is None


def test_a_long_list_of_choices_needs_no_deep_stack() -> None:
    pattern = "|".join(f"ab{number}" for number in range(5000))
    assert matches_whole(pattern, "ab4999") and not matches_whole(pattern, "ab5000")


def test_what_nests_too_deeply_is_refused_before_the_stack_ends() -> None:
    """A pattern is read where a job or a compiler is already some hundred calls deep."""

    def deeper(levels: int) -> None:
        if levels:
            deeper(levels - 1)
            return
        assert matches_whole("(" * 99 + "a" + ")*" * 99, "aaa")
        with pytest.raises(ExpressionError, match="nests too deeply"):
            matches_whole("(" * 101 + "a" + ")*" * 101, "aaa")

    deeper(300)
