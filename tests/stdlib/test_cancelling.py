"""The quiet system modules are cancelled at any turn of the loop; `bench` sees what they leave."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Inputs, Records
from gxo.runtime.streams.source import Source
from tests.stdlib.harness import Bench, bench, function_of, module_spec, run

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("filesystem:read", {"path": "d/old.txt"}),
    ("filesystem:write", {"path": "d/old.txt", "content": "new" * 100_000}),
    ("filesystem:write", {"path": "d/old.txt", "content": "new", "append": True}),
    ("filesystem:stat", {"path": "d/old.txt", "checksum": "sha256"}),
    ("filesystem:manage", {"path": "d/old.txt", "state": "present", "content": "new" * 100_000}),
    ("filesystem:archive", {"source": "d", "destination": "d.tar"}),
    ("filesystem:copy", {"source": "d", "destination": "e", "recursive": True}),
    ("filesystem:list", {"path": "d", "recursive": True}),
    ("control:barrier", {}),
    ("control:sleep", {"duration": 60.0}),
    ("passthrough", {}),
    ("data:batch", {"size": 10, "within": 60.0}),
    ("data:aggregate", {"aggregate_fields": [{"name": "n", "op": "count"}], "window": 60.0}),
    ("exec", {"command": "true"}),
    ("exec", {"command": "cat", "stdin_from": "stream", "stdout_to": "lines"}),
]


class Streams:
    """Producers that never end, and a consumer that never reads."""

    def __init__(self) -> None:
        self.sources = {name: Source(name, Channel()) for name in ("one", "two")}
        self.output = Source("under-test", Channel(buffer_size=0))
        self.reader = Records([self.output.connect("reader")])

    async def send(self) -> None:
        for source in self.sources.values():
            await source.port().send([{"n": 1}])

    def ports(self, names: tuple[str, ...]) -> dict[str, Any]:
        pipes = {name: source.connect("under-test") for name, source in self.sources.items()}
        every = {
            "inputs": Inputs({name: Records([pipe]) for name, pipe in pipes.items()}),
            "records": Records(pipes.values()),
            "out": self.output.port(),
        }
        return {name: port for name, port in every.items() if name in names}


async def cancel_at(turn: int, workbench: Bench, module: str, params: dict[str, Any]) -> None:
    spec = module_spec(module)
    streams = Streams()
    ports = streams.ports(spec.ports)
    await streams.send()
    task = asyncio.ensure_future(function_of(spec)(workbench.context, **ports, **params))
    for _ in range(turn):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is None


@pytest.mark.parametrize("turn", range(6))
@pytest.mark.parametrize(("module", "params"), CALLS)
def test_cancelled(module: str, params: dict[str, Any], turn: int, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "old.txt").write_text("old")

    async def play() -> None:
        async with bench(tmp_path, held_clock=True) as workbench:
            await cancel_at(turn, workbench, module, params)

    run(play())
    assert [path.name for path in folder.iterdir()] == ["old.txt"]
    assert (folder / "old.txt").read_text() in ("old", "new" * 100_000, "oldnew")
