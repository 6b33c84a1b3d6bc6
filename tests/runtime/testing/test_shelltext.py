"""What a line for the shell names that no test may use: cases in `shelltext.yaml`."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.testing.shelltext import outside

CASES = yaml.safe_load((Path(__file__).parent / "shelltext.yaml").read_text())


def line_of(case: Any) -> str:
    return str(case if isinstance(case, str) else next(iter(case)))


@pytest.mark.parametrize("case", CASES, ids=line_of)
def test_case(case: Any) -> None:
    more = {} if isinstance(case, str) else case
    found = list(
        outside(
            line_of(case),
            depth=more.get("depth", 0),
            workspace="/work/space",
            exists=lambda path: path in more.get("exists", ()),
        )
    )
    wanted = more.get(line_of(case))
    assert found[:1] == ([wanted] if wanted else [])


@given(st.text("ab/.~$(){}'\"`\\;|&<># =:*\n", max_size=60))
def test_any_text_is_read_to_its_end(text: str) -> None:
    list(outside(text))
    assert any("/bin/ls" in what for what in outside(f"/bin/ls\n{text}"))


def test_what_is_nested_without_end_is_refused() -> None:
    assert "nested too deeply" in next(outside("$(" * 20_000))
