"""Every kind of stream passes the same suite."""

import asyncio
from dataclasses import replace

import pytest

from gxo.runtime.host.threads import Threads
from gxo.runtime.streams.copies import copies_of
from gxo.runtime.streams.pipes import Channel, Overflow
from gxo.runtime.streams.ports import Inputs, Records, Source
from gxo.runtime.streams.spill import SpillingRecords
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
        fan_out,
        fan_in,
        port,
        spilling,
        loop_instance,
        errors,
        chained,
    ],
    ids=lambda f: f.__name__,
)
def test_conforms(make):
    check_stream(make)
