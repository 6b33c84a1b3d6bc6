"""How the data modules behave as parts of a stream: batches, large inputs, early ends, cancellation."""

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import ConsumersClosed, Source
from gxo.stdlib.data._batches import BATCH
from tests.stdlib.data.oracle import play
from tests.stdlib.harness import Bench, bench, function_of, module_spec, run


def test_a_large_file_is_read_whole_though_in_pieces(tmp_path: Path) -> None:
    rows = [{"id": number, "text": "é" * (number % 50)} for number in range(20_000)]
    path = tmp_path / "rows"
    for kind, text in (
        ("jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)),
        ("json", json.dumps(rows, ensure_ascii=False)),
    ):
        path.write_text(text, encoding="utf-8")
        outcome = run(call(tmp_path, "data:parse", {"format": kind, "path": "rows"}))
        assert outcome.sent == rows


async def call(folder: Path, module: str, params: dict[str, Any], streams: Any = None) -> Any:
    async with bench(folder) as workbench:
        outcome = await workbench.call(module_spec(module), params, streams)
    if outcome.error is not None:
        raise outcome.error
    return outcome


def test_a_large_file_is_written_whole_though_in_pieces(tmp_path: Path) -> None:
    rows = [{"id": number, "text": "x" * 100} for number in range(20_000)]
    batches = [rows[start : start + 300] for start in range(0, len(rows), 300)]
    params = {"format": "jsonl", "path": "out/rows.jsonl"}
    run(call(tmp_path, "data:format", params, {"rows": batches}))
    written = (tmp_path / "out" / "rows.jsonl").read_text()
    assert [json.loads(line) for line in written.splitlines()] == rows
    assert os.listdir(tmp_path / "out") == ["rows.jsonl"]


@pytest.mark.parametrize(
    ("module", "params", "streams"),
    [
        ("data:generate_from_list", {"items": list(range(3 * BATCH))}, {}),
        ("data:parse", {"format": "text_lines", "content": "x\n" * 3 * BATCH}, {}),
        ("data:parse", {"format": "json", "content": json.dumps([0] * 3 * BATCH)}, {}),
        ("data:flatten", {"field": "n"}, {"rows": [{"n": [0] * 3 * BATCH}]}),
        (
            "data:join",
            {
                "join_type": "inner",
                "on": [
                    {"stream": "p", "role": "probe", "field": "k"},
                    {"stream": "b", "role": "build", "field": "k"},
                ],
            },
            {"p": [{"k": 1}] * 3, "b": [[{"k": 1}] * BATCH]},
        ),
    ],
)
def test_batches_are_bounded_however_much_there_is(
    module: str, params: dict[str, Any], streams: dict[str, Any], tmp_path: Path
) -> None:
    sizes: list[int] = []

    class Out:
        async def send(self, batch: list[Any]) -> None:
            sizes.append(len(batch))
            await asyncio.sleep(0)

    async def play_it() -> None:
        async with bench(tmp_path) as workbench:
            spec = module_spec(module)
            feeds = await feed(workbench, streams)
            python = {param.name: param.python for param in spec.params}
            arguments = {python[name]: value for name, value in params.items()}
            port = {"inputs": feeds} if spec.inputs else {}
            if spec.records:
                port = {"records": next(iter(feeds.values()))}
            await function_of(spec)(workbench.context, out=Out(), **port, **arguments)

    run(play_it())
    assert sum(sizes) == 3 * BATCH
    assert max(sizes) <= BATCH


async def feed(workbench: Bench, streams: dict[str, list[Any]]) -> Any:
    """Input ports whose records are all there."""
    from gxo.runtime.streams.ports import Inputs

    ports = {}
    for name, records in streams.items():
        source = Source(name, Channel(10**6))
        ports[name] = Records([source.connect("under-test")])
        for record in records:
            await source.port().send(record if isinstance(record, list) else [record])
        source.finish()
    return Inputs(ports)


def test_a_reached_limit_ends_the_producer() -> None:
    """The records that the limit does not want are never asked for."""
    outcome = play("data:limit", {"count": 3}, {"numbers": [{"n": n} for n in range(1000)]})
    assert [record["n"] for record in outcome.sent] == [0, 1, 2]


def test_a_consumer_that_ends_ends_a_source(tmp_path: Path) -> None:
    """ConsumersClosed passes through a source that reads a file, and the file is closed."""
    (tmp_path / "lines").write_text("x\n" * 200_000)

    async def play_it() -> None:
        async with bench(tmp_path) as workbench:
            source = Source("under-test", Channel())
            reader = Records([source.connect("reader")])
            parse = function_of(module_spec("data:parse"))
            working = asyncio.ensure_future(
                parse(workbench.context, source.port(), format_="text_lines", path="lines")
            )
            async for _ in reader:
                break
            reader.close()
            with pytest.raises(ConsumersClosed):
                await working

    run(play_it())


@pytest.mark.parametrize("records", [0, 1, 5000])
def test_a_cancelled_format_leaves_no_file(records: int, tmp_path: Path) -> None:
    async def play_it() -> None:
        async with bench(tmp_path) as workbench:
            source = Source("rows", Channel(10**6))
            port = Records([source.connect("under-test")])
            if records:
                await source.port().send([{"text": "x" * 200}] * records)
            format_ = function_of(module_spec("data:format"))
            working = asyncio.ensure_future(
                format_(workbench.context, port, format_="jsonl", path="out.jsonl")
            )
            while not port.is_waiting():  # until all is read  # noqa: ASYNC110
                await asyncio.sleep(0)
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working
            assert working.cancelled()
            port.close()
            source.finish()

    run(play_it())
    assert os.listdir(tmp_path) == []


def test_no_module_changes_a_record() -> None:
    """Other consumers see the same dicts."""
    before = [{"k": number, "list": [{"n": number}], "gone": "x"} for number in range(5)]
    text = json.dumps(before)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("data:filter", {"condition": "True"}),
        ("data:map", {"fields": {"k": "record['k'] + 1"}, "drop": ["gone"]}),
        ("data:flatten", {"field": "list"}),
        ("data:limit", {"count": 3}),
        ("data:collect", {}),
        ("data:format", {"format": "csv"}),
        ("data:aggregate", {"aggregate_fields": [{"name": "all", "op": "collect"}]}),
        ("data:dedupe", {"by": ["list"]}),
        ("data:batch", {"size": 2}),
        ("data:sample", {"count": 3}),
    ]
    for module, params in calls:
        play(module, params, {"rows": [before]})
    on = [
        {"stream": name, "role": role, "field": "k"}
        for name, role in (("p", "probe"), ("b", "build"))
    ]
    play("data:join", {"join_type": "outer", "on": on}, {"p": [before], "b": [before]})
    assert json.dumps(before) == text
