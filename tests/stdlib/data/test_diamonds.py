"""`data:join` reads one stream after another, and all of them may come from one source."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.stdlib.stream.test_pipelines import ran, workload

COUNT = 5_000


def played(folder: Path, ways: list[str], limits: dict[str, int] | None = None) -> dict[str, Any]:
    """The report's results of a join of what comes by the two ways. Odd records fail in `checked`."""
    on = [
        {"stream": way, "role": role, "field": "number" if way.endswith(".errors") else "n"}
        for way, role in zip(ways, ("build", "probe"), strict=True)
    ]
    params: dict[str, Any] = {"join_type": "outer", "on": on} | (
        {"limits": limits} if limits else {}
    )
    odd = '{{ if eq (mod .n 2) 1 }}{{ fail "odd" }}{{ end }}{{ .n }}'
    items = f'{{{{ range $n := until {COUNT} }}}}{{"n": {{{{ $n }}}}}}\n{{{{ end }}}}'
    workloads = [
        workload("numbers", "data:parse", {"format": "jsonl", "content": items}),
        workload("copied", "passthrough", None, stream_inputs=["numbers"]),
        workload("checked", "data:map", {"fields": {"n": odd}}, stream_inputs=["numbers"]),
        workload("joined", "data:join", params, stream_inputs=ways),
        workload("odd", "passthrough", None, stream_inputs=["checked.errors"]),
    ]
    head = {"name": "p", "schemaVersion": "v1.0.0"}
    text = yaml.safe_dump({**head, "workloads": workloads}, sort_keys=False, width=1000)
    return ran(text, folder)


@pytest.mark.parametrize(
    ("ways", "read"),
    [
        (["copied", "numbers"], 2 * COUNT),
        (["numbers", "copied"], 2 * COUNT),
        (["checked.errors", "checked"], COUNT),
        (["checked", "checked.errors"], COUNT),
        (["copied", "checked.errors"], COUNT + COUNT // 2),
    ],
)
def test_all_records_come_together(ways: list[str], read: int, tmp_path: Path) -> None:
    results = played(tmp_path, ways)
    assert {name: one["error"] for name, one in results.items() if one["error"]} == {}
    assert results["joined"]["records_in"] == read


def test_what_waits_for_it_is_bounded(tmp_path: Path) -> None:
    results = played(tmp_path, ["copied", "numbers"], {"max_spill": 1000})
    assert results["joined"]["error"] == (
        "more than 1000 bytes of 'numbers' wait in a file until 'joined' reads them "
        "(limits.max_spill)"
    )
