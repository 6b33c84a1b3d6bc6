"""data:parse is cancelled while a part of a file is read: it ends with that part, and lets go of all."""

import asyncio
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import Source
from gxo.stdlib.data._readers import READERS, ParseOptions
from gxo.stdlib.data._text import Slice
from tests.stdlib.harness import bench, function_of, module_spec, run


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for number in range(2000):
        book.active.append([number])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


LONG = b"x" * 600
FILES: dict[str, tuple[bytes, ParseOptions]] = {
    "json": (b"[" + b'{"a": 1},' * 5000 + b"1]", {}),
    "json_path": (b'{"a": [' + b'"%s",' % LONG * 5000 + b'1], "b": [1]}', {"json_path": "b"}),
    "jsonl": (b'{"a": "%s"}\n' % LONG * 5000, {}),
    "yaml": (b"- {a: 1}\n" * 3000, {}),
    "csv": (b"a\n" + b"%s\n" % LONG * 5000, {}),
    "tsv": (b"a\n" + b"%s\n" % LONG * 5000, {}),
    "xml": (b"<a>" + b"<r>%s</r>" % LONG * 5000 + b"</a>", {}),
    "text_lines": (b"%s\n" % LONG * 5000, {}),
    "regex": (b"%s\n" % LONG * 5000, {"pattern": "(?P<a>x)"}),
    "logfmt": (b"a=%s\n" % LONG * 5000, {}),
    "grok": (b"%s\n" % LONG * 5000, {"pattern": "%{WORD:a}"}),
    "xlsx": (workbook(), {}),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("at", [0, 2])
def test_cancelled_while_a_part_is_read(
    name: str, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, options = FILES[name]
    kind = name.partition("_path")[0]
    (tmp_path / "in").write_bytes(data)
    reader = READERS[kind]
    read = 0

    async def play() -> None:
        loop = asyncio.get_running_loop()

        def counted(pieces: Iterator[bytes], given: ParseOptions) -> Iterator[Slice]:
            nonlocal read
            for part in reader(pieces, given):
                if read == at:
                    loop.call_soon_threadsafe(task.cancel)
                read += 1
                yield part

        monkeypatch.setitem(READERS, kind, counted)
        async with bench(tmp_path) as workbench:
            output = Source("under-test", Channel())
            consumer = asyncio.ensure_future(_read(Records([output.connect("reader")])))
            params: dict[str, Any] = {"format_": kind, "path": "in", "format_options": options}
            parse = function_of(module_spec("data:parse"))
            task = asyncio.ensure_future(parse(workbench.context, out=output.port(), **params))
            await asyncio.wait([task])
            consumer.cancel()
            await asyncio.wait([consumer])
            assert task.cancelled()

    run(play())
    assert read == at + 1
    assert list(tmp_path.iterdir()) == [tmp_path / "in"]


async def _read(records: Records) -> None:
    async for _ in records:
        pass


@pytest.mark.parametrize(("kind", "head"), [("jsonl", b""), ("csv", b"a\n")])
def test_cancelled_between_blank_lines_that_are_in_memory(
    kind: str, head: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes of them, so nobody is waited for, and no thread reads them."""
    (tmp_path / "in").write_bytes(head + b"\n" * 3_000_000)
    reads = 0

    async def play() -> None:
        def read_at_once(descriptor: int, buffers: list[memoryview], *_: int) -> int:
            nonlocal reads
            reads += 1
            task.cancel()
            return os.readv(descriptor, buffers)

        # Not every file system can tell what it has in memory.
        monkeypatch.setattr(os, "preadv", read_at_once)
        monkeypatch.setattr(os, "RWF_NOWAIT", 8, raising=False)
        async with bench(tmp_path) as workbench:
            parse = function_of(module_spec("data:parse"))
            task = asyncio.ensure_future(
                parse(
                    workbench.context,
                    out=Source("under-test", Channel()).port(),
                    format_=kind,
                    path="in",
                )
            )
            await asyncio.wait([task])
            assert task.cancelled()

    run(play())
    assert reads == 1
