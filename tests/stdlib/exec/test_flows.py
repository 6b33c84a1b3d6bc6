"""Much output and many records (`make proof commands`: a hundred times as much)."""

from pathlib import Path

import pytest

from tests.stdlib.exec.flows import filtered, measured, printed
from tests.stdlib.harness import run


def test_what_is_over_the_limit_costs_no_memory_and_holds_nobody_up(tmp_path: Path) -> None:
    """10 MB to each output, of which 100 KB are kept."""
    run(printed(tmp_path, 1000, 10))  # imports
    result, peak = measured(printed(tmp_path, 10_000_000, 100_000))
    assert len(result["stdout"]) == len(result["stderr"]) == 100_000
    assert result["truncated"] and result["exit_code"] == 0
    assert peak < 1_500_000
    assert (tmp_path / "end").exists()


@pytest.mark.parametrize("lines", [10_000])
def test_many_records_through_a_command(lines: int, tmp_path: Path) -> None:
    """In order, all of them; while nobody reads, little more goes in than pipes hold."""
    flow = run(filtered(tmp_path, lines))
    assert (flow.count, flow.wrong) == (lines, 0)
    assert 0 < flow.ahead < 3000
