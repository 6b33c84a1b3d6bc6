"""`http:listen` in a real context, with a consumer that answers, and clients that speak in bytes."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gxo.runtime.context import Context
from gxo.runtime.spec import Record
from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Records
from gxo.runtime.streams.source import Source
from gxo.stdlib.http._exchanges import TICK
from gxo.stdlib.http.listen import listen
from gxo.stdlib.http.respond import respond
from tests.stdlib.harness import Bench, bench

GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
"""A request whose path is a number."""

Answering = Callable[["Served", Record], Awaitable[Any]]


class ListeningContext(Context):
    """A context in which a background module gets ready. address: where it listens then."""

    __slots__ = ("address",)

    def __init__(self, workbench: Bench) -> None:
        super().__init__(workbench.run, workbench.node)
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def ready(self, summary: Any) -> None:
        self.address.set_result(summary["local_addr"])


class Served:
    """A server. records: the requests so far, which its consumer has taken from reader. broke: what
    that could not do. listening: the module's task.
    """

    def __init__(self, workbench: Bench, context: Context, address: str, reader: Records) -> None:
        self.workbench = workbench
        self.context = context
        self.address = address
        self.reader = reader
        self.records: list[Record] = []
        self.broke: list[str] = []
        self.listening: asyncio.Task[Any] = asyncio.ensure_future(asyncio.sleep(0))

    async def respond(self, record: Record, **params: Any) -> Any:
        return await respond(self.context, request_id=record["request_id"], **params)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self.address.rsplit(":", 1)
        return await asyncio.open_connection(host, int(port))

    async def ask(self, *packets: bytes) -> bytes:
        """Send packets one by one, and nothing after them; all that comes back."""
        reader, writer = await self.connect()
        try:
            for packet in packets:
                writer.write(packet)
                await writer.drain()
                if len(packets) > 1:
                    await asyncio.sleep(0)
            writer.write_eof()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def settle(self) -> None:
        """Let the server do all that it can do just now; loopback delivers at once."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def pass_seconds(self, seconds: float) -> None:
        """Let time go by, for those who look at the clock now and then."""
        await self.settle()
        clock = self.workbench.clock
        clock.time += seconds - TICK  # which looking has waited for
        clock.advance()
        await self.settle()


async def echo(served: Served, record: Record) -> None:
    """Answer with the request's method, path and body."""
    text = f"{record['method']} {record['path']} {record['body']}"
    await served.respond(record, body=text)


async def never(served: Served, record: Record) -> None:
    """Do not answer."""


@asynccontextmanager
async def serving(
    folder: Path,
    answer: Answering | None = echo,
    *,
    held_clock: bool = True,
    channel: Channel | None = None,
    records: Records | None = None,
    **params: Any,
) -> AsyncIterator[Served]:
    """A server whose requests are answered one after the other; None for a consumer that does not
    read. Afterwards nothing of it may be left.
    """
    if records is None:
        params = {"address": "127.0.0.1:0", **params}
    async with bench(folder, held_clock=held_clock) as workbench:
        context = ListeningContext(workbench)
        source = Source("requests", channel or Channel())
        reader = Records([source.connect("answers")])
        listening = asyncio.ensure_future(listen(context, records, source.port(), **params))
        try:
            await asyncio.wait([listening, context.address], return_when="FIRST_COMPLETED")
            if listening.done():
                await listening
            served = Served(workbench, context, context.address.result(), reader)
            served.listening = listening
            consumer = asyncio.ensure_future(_consume(served, reader, answer))
            yield served
        finally:
            listening.cancel()
            await asyncio.wait([listening])
            source.finish()
            if answer is not None:
                await consumer
            consumer.cancel()
            await asyncio.wait([consumer])
            await workbench.run.shared.close()


async def _consume(served: Served, reader: Records, answer: Answering | None) -> None:
    if answer is None:
        return
    async for batch in reader:
        for record in batch:
            served.records.append(record)
            try:
                await answer(served, record)
            except Exception as error:
                served.broke.append(str(error))


def statuses(answers: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3})", answers)]
