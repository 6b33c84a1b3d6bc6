"""Every function on its cases. What is printed there is what Go and Sprig print."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime import convert, expr
from gxo.runtime.errors import WorkloadError
from gxo.runtime.functions.json import parse_int

CASES = Path(__file__).with_name("cases")


def rows(*names: str) -> list[dict[str, Any]]:
    lines = [line for name in names for line in (CASES / name).read_text().split("\n") if line]
    return [json.loads(line, parse_int=parse_int) for line in lines]


CALLS = [
    row
    for path in sorted(CASES.glob("*.jsonl"))
    if path.name not in ("costs.jsonl", "patterns.jsonl", "times.jsonl")
    for row in rows(path.name)
]
_MODULES = {"expr": expr, "convert": convert}


@pytest.mark.parametrize("row", CALLS, ids=lambda row: json.dumps(row["call"])[:60])
def test_case(row: dict[str, Any], library: dict[str, Callable[..., Any]]) -> None:
    name, *arguments = row["call"]
    module, _, core = name.rpartition(".")
    function = getattr(_MODULES[module], core) if module else library[name]
    if "fails" in row:
        with pytest.raises(WorkloadError) as caught:
            function(*arguments)
        assert row["fails"] is True or row["fails"] in str(caught.value)
        return
    result = function(*arguments)
    if "prints" in row:
        assert expr.format_value(result) == row["prints"]
    else:
        assert (result, type(result)) == (row["is"], type(row["is"]))
