"""Every kind of stream passes the same suite."""

import asyncio
from dataclasses import replace

import pytest

from gxo.runtime.host.threads import Threads
from gxo.runtime.streams.copies import copies_of
from gxo.runtime.streams.pipes import Channel, Overflow
from gxo.runtime.streams.ports import Inputs, Out, Records
from gxo.runtime.streams.source import Source
from gxo.runtime.streams.spill import SpillingRecords
from gxo.runtime.streams.tables import Batch, Table
from tests.runtime.streams.conformance import BUFFER, Stream, check_stream, read_all


def plain(overflow: Overflow = "block") -> Stream:
    source = Source("fetch", Channel(BUFFER, overflow))
    pipe = source.connect("active")
    return Stream(source, source.port(), Records([pipe]), pipe)


def drop_new() -> Stream:
    return plain("drop_new")


def drop_oldest() -> Stream:
    return plain("drop_oldest")


def error() -> Stream:
    return plain("error")


def copies() -> Stream:
    """For a module that is not gxo's own."""
    stream = plain()
    return replace(stream, records=copies_of(stream.records))


class Tables(Out):
    """Sends each batch as a table."""

    async def send(self, batch: Batch) -> None:
        await super().send(table(batch))

    def send_nowait(self, batch: Batch) -> None:
        super().send_nowait(table(batch))


def table(batch: Batch) -> Table:
    return Table(("n",), [[record["n"]] for record in batch])


def tables() -> Stream:
    """Sent as tables, and read by a module that does not know of them."""
    stream = plain()
    return replace(stream, out=Tables(stream.source))


def tables_as_such() -> Stream:
    """Sent as tables, and read as such."""
    stream = tables()
    assert stream.records.batches() is stream.records
    return stream


def tables_dropped() -> Stream:
    stream = drop_oldest()
    return replace(stream, out=Tables(stream.source))


def fan_out() -> Stream:
    """One of three readers; the others were skipped. (Live ones: test_topologies.)"""
    stream = plain()
    for name in ("skipped", "too"):
        Records([stream.source.connect(name)]).discard()
    return stream


def fan_in() -> Stream:
    """One of three producers; the others are done."""
    source, empty, skipped = (Source(name, Channel(BUFFER)) for name in ("a", "b", "c"))
    pipe = source.connect("joined")
    records = Records([empty.connect("joined"), pipe, skipped.connect("joined")])
    empty.finish()
    skipped.finish()
    return Stream(source, source.port(), records, pipe)


def port() -> Stream:
    source, other = Source("left", Channel(BUFFER)), Source("right", Channel(BUFFER))
    pipe = source.connect("joined")
    inputs = Inputs({"right": Records([other.connect("joined")]), "left": Records([pipe])})
    other.finish()
    return Stream(source, source.port(), inputs["left"], pipe)


def spilling() -> Stream:
    """One of two inputs that share an ancestor; the other is done."""
    stream = plain()
    other = Source("other", Channel(BUFFER))
    threads = Threads(asyncio.get_running_loop())
    pipes = (stream.pipe, other.connect("active"))
    records, beside = (SpillingRecords(pipe, threads, lambda: None) for pipe in pipes)
    records.others, beside.others = [beside], [records]
    other.finish()
    return replace(stream, records=records)


def tables_spilling() -> Stream:
    stream = spilling()
    stream.records.batches()
    return replace(stream, out=Tables(stream.source))


def loop_instance() -> Stream:
    """One of the ports of a looped producer's stream; another instance has sent nothing."""
    stream = plain()
    stream.source.port()
    return stream


def errors() -> Stream:
    """A workload's `.errors`, whose reader never ends the producer."""
    source = Source("fetch.errors", Channel(BUFFER), side=True)
    pipe = source.connect("quarantine")
    return Stream(source, source.port(), Records([pipe]), pipe, side=True)


def chained() -> Stream:
    """The second half of a pipeline whose first half is busy."""
    first = Source("first", Channel(0))
    upstream = Records([first.connect("second")])

    async def feed() -> None:
        for number in range(100):
            await first.port().send([{"n": number}])

    stream = plain()
    stream.aside = [feed, lambda: read_all(upstream)]
    return stream


@pytest.mark.parametrize(
    "make",
    [
        plain,
        drop_new,
        drop_oldest,
        error,
        copies,
        tables,
        tables_as_such,
        tables_dropped,
        fan_out,
        fan_in,
        port,
        spilling,
        tables_spilling,
        loop_instance,
        errors,
        chained,
    ],
    ids=lambda f: f.__name__,
)
def test_conforms(make):
    check_stream(make)
