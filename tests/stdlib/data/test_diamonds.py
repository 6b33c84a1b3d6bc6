"""`data:join` reads one stream after another, and others may wait meanwhile for what it leaves."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

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


def joined(name: str, probe: str, build: str) -> dict[str, Any]:
    roles = {"probe": probe, "build": build}
    on = [{"stream": stream, "role": role, "field": "n"} for role, stream in roles.items()]
    params = {"join_type": "left", "on": on}
    return workload(name, "data:join", params, stream_inputs=[probe, build])


def errors(workloads: list[dict[str, Any]], folder: Path, *, optimize: bool) -> dict[str, str]:
    """What went wrong, with one record at a time in each stream."""
    head = {"name": "p", "schemaVersion": "v1.0.0", "channel_policy": {"buffer_size": 1}}
    text = yaml.safe_dump({**head, "workloads": workloads}, sort_keys=False, width=1000)
    results = ran(text, folder, optimize=optimize)
    return {name: one for name, one in results.items() if one["status"] != "Completed"}


def source(name: str) -> dict[str, Any]:
    lines = "".join(f'{{"n": {number}}}\n' for number in range(1100))
    return workload(name, "data:parse", {"format": "jsonl", "content": lines})


@pytest.mark.parametrize("optimize", [False, True])
def test_joins_that_read_the_same_streams_in_opposite_order(optimize: bool, tmp_path: Path) -> None:
    one, other = joined("one", "a", "b"), joined("other", "b", "a")
    assert errors([source("a"), source("b"), one, other], tmp_path, optimize=optimize) == {}


CHOICES = st.lists(
    st.tuples(st.sampled_from(["join", "merge"]), st.integers(0, 99), st.integers(0, 99)),
    min_size=2,
    max_size=5,
)


@settings(max_examples=10)
@given(CHOICES, st.booleans())
def test_no_graph_stalls(choices: list[tuple[str, int, int]], optimize: bool) -> None:
    """Each reader takes any two of the streams before it; numbers stay unique, so nothing grows."""
    workloads = [source("s0"), source("s1"), source("s2")]
    for number, (kind, first, second) in enumerate(choices):
        names = [one["name"] for one in workloads]
        one = names.pop(first % len(names))
        other = names[second % len(names)]
        if kind == "join":
            workloads.append(joined(f"w{number}", one, other))
        else:
            workloads.append(
                workload(f"w{number}", "passthrough", None, stream_inputs=[one, other])
            )
    with TemporaryDirectory() as folder:
        assert errors(workloads, Path(folder), optimize=optimize) == {}
