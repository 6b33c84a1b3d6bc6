"""Every operator of `test:assert`: the table `operators.yaml`, and what is so for any values."""

from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gxo.runtime.errors import ModuleError
from gxo.stdlib.test.assert_ import Assertion
from tests.stdlib.harness import bench, module_spec, run

TABLE: dict[str, dict[str, list[list[Any]]]] = yaml.safe_load(
    Path(__file__).with_name("operators.yaml").read_text(encoding="utf-8")
)
SPEC = module_spec("test:assert")
HEAD = "1 of 1 assertions failed\n  1: it: "


def said(folder: Path, assertions: list[dict[str, Any]]) -> list[str | None]:
    """Of each assertion, alone, what is said of its failure; None when it holds."""

    async def ask() -> list[str | None]:
        async with bench(folder) as workbench:
            found: list[str | None] = []
            for one in assertions:
                outcome = await workbench.call(SPEC, {"assertions": [one]})
                assert outcome.error is None or isinstance(outcome.error, ModuleError)
                found.append(outcome.error and str(outcome.error))
            return found

    return run(ask())


def test_the_table_has_every_operator() -> None:
    assert [*TABLE] == [name for name in get_type_hints(Assertion) if name in TABLE]
    assert get_type_hints(Assertion).keys() - TABLE.keys() == {"actual", "message"}
    assert all(one["holds"] and one["fails"] for one in TABLE.values())


@pytest.mark.parametrize("operator", TABLE)
def test_operator(operator: str, tmp_path: Path) -> None:
    holds, fails = TABLE[operator]["holds"], TABLE[operator]["fails"]
    pairs = [*holds, *(case[:2] for case in fails)]
    expected = [
        *(None for _ in holds),
        *(HEAD + message.replace(" | ", "\n      ") for _, _, message in fails),
    ]
    assertions = [{"actual": actual, operator: wanted} for actual, wanted in pairs]
    assert said(tmp_path, assertions) == expected


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "a", "ab", "é", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    ),
    max_leaves=6,
)
OPPOSITES = (
    ("equal_to", "not_equal_to"),
    ("contains", "not_contains"),
    ("greater_than", "less_than"),
)


@settings(max_examples=10)
@given(values=st.lists(st.tuples(VALUES, VALUES), min_size=10, max_size=20))
def test_of_two_opposites_one_fails(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[Any, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("values")
    for pair in OPPOSITES:
        sides = [
            said(folder, [{"actual": actual, name: expected} for actual, expected in values])
            for name in pair
        ]
        assert all(map(any, zip(*sides, strict=True))), pair
        if pair[0] == "equal_to":
            assert not any(map(all, zip(*sides, strict=True)))


@settings(max_examples=10)
@given(values=st.lists(VALUES, min_size=10, max_size=20))
def test_a_value_is_equal_to_itself_alone(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("values")
    alone = [{"actual": value, "equal_to": value} for value in values]
    inside = [{"actual": value, "equal_to": [value]} for value in values]
    assert not any(said(folder, alone))
    assert all(said(folder, inside))
