"""Values for vars: what a template was checked against must stay true."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gxo.runtime.errors import UsageError
from gxo.runtime.job import Job
from gxo.runtime.kernel.inputs import resolve
from gxo.runtime.settings import Settings

CASES = yaml.safe_load((Path(__file__).parent / "given_vars.yaml").read_text(encoding="utf-8"))


def given(declared: Any, value: Any) -> Any:
    settings = Settings()
    resolve(Job("case", vars={"v": declared}), settings, {"v": (value, "a.json")}, [])
    return settings.vars["v"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_var_is_like_the_declared_one(case: dict[str, Any]) -> None:
    if "says" not in case:
        result = given(case["declared"], case["given"])
        expected = case.get("is", case["given"])
        assert (result, type(result)) == (expected, type(expected))
        return
    with pytest.raises(UsageError) as caught:
        given(case["declared"], case["given"])
    start = "var 'v' in a.json is not like the value in the playbook: "
    assert caught.value.message == start + case["says"]


def test_a_var_that_the_playbook_computes_takes_text() -> None:
    assert given(lambda ctx: 1, "2") == "2"
    with pytest.raises(UsageError, match=r"var 'v' in a\.json must be a string"):
        given(lambda ctx: 1, 2)
