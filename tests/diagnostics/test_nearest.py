"""`nearest`: what a misspelt word stands for, and how little is compared among many names."""

import pytest

from gxo.compiler import diagnostics
from gxo.compiler.diagnostics import nearest, one_slip_away

MANY = {f"workload-{number}" for number in range(4_000)}


@pytest.mark.parametrize("slip", ["fecth", "ftch", "feetch", "fetsh", "etch", "fetchh"])
def test_a_slip_is_found_among_many_names(slip: str) -> None:
    assert nearest(slip, MANY | {"fetch"}) == "fetch"
    assert one_slip_away(slip, {"fetch", "other"}) == "fetch"


def test_a_name_itself_is_nearer_than_its_neighbour() -> None:
    assert nearest("workload-12x", MANY) in {"workload-12", "workload-121"}
    assert one_slip_away("ab", {"abc", "ab"}) == "ab"


def test_few_names_may_differ_more() -> None:
    assert nearest("stdot", ["stdout", "stderr"]) == "stdout"
    assert nearest("no-such", {"fetch"}) is None
    assert one_slip_away("wrklod", {"workload"}) is None


def test_many_names_are_not_compared_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> list[str]:
        raise AssertionError("each comparison costs as much as reading a line")

    monkeypatch.setattr(diagnostics, "get_close_matches", refuse)
    assert nearest("workload-1 2", MANY) == "workload-12"
    assert nearest("x" * 200, ["y" * 200]) is None
    assert nearest("fetch", [str(number) for number in range(10_000)]) is None
