"""Random graphs of workloads against a model: every record arrives once, in order, or is counted.

Each node sends records {by: its name, n: 0, 1, 2...}, as many as it read (a source: as many as it
plans), in batches of changing size. So what a reader got of one producer can be held against what
that producer sent, edge by edge, whatever the order between producers.
"""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.errors import ModuleError, UpstreamFailed
from gxo.runtime.streams.pipes import Channel, Pipe
from gxo.runtime.streams.ports import Out, Records
from gxo.runtime.streams.source import ConsumersClosed, Source
from tests.runtime.streams.conformance import run

CHANNELS = st.builds(
    Channel,
    st.sampled_from([0, 1, 2, 3, 7, 100]),
    st.sampled_from(["block", "block", "drop_new", "drop_oldest"]),
)


@dataclass
class Node:
    """One workload: what it is to do, and what it did."""

    name: str
    reads: list[int]  # nodes before it
    channel: Channel
    count: int  # records of a source
    batches: list[int]  # sizes, repeated
    pauses: list[int]  # turns given up between batches, repeated
    closes_after: int | None  # reads at most so many
    fails_after: int | None  # sends at most so many
    skipped: bool
    sent: int = 0
    got: dict[str, list[int]] = field(default_factory=dict)
    end: str = ""


@st.composite
def graphs(draw, trouble: bool) -> list[Node]:
    nodes: list[Node] = []
    for index in range(draw(st.integers(2, 6))):
        before = (
            st.lists(st.integers(0, index - 1), unique=True, max_size=3) if index else st.just([])
        )
        sometimes = st.one_of(st.none(), st.none(), st.integers(0, 20)) if trouble else st.none()
        nodes.append(
            Node(
                name=f"n{index}",
                reads=draw(before),
                channel=draw(CHANNELS),
                count=draw(st.integers(0, 40)),
                batches=draw(st.lists(st.integers(1, 12), min_size=1, max_size=4)),
                pauses=draw(st.lists(st.integers(0, 3), min_size=1, max_size=4)),
                closes_after=draw(sometimes),
                fails_after=draw(sometimes),
                skipped=trouble and draw(st.integers(0, 5)) == 0,
            )
        )
    return nodes


async def perform(nodes: list[Node]) -> dict[tuple[str, str], Pipe]:
    """Run the graph as the scheduler does, and return its pipes by producer and consumer."""
    sources = [Source(node.name, node.channel) for node in nodes]
    pipes = {
        (nodes[index].name, node.name): sources[index].connect(node.name)
        for node in nodes
        for index in node.reads
    }
    ports = [
        Records([pipes[nodes[index].name, node.name] for index in node.reads]) for node in nodes
    ]
    for node, records in zip(nodes, ports, strict=True):
        if node.skipped:
            records.discard()
    tasks = [_node(*each) for each in zip(nodes, sources, ports, strict=True)]
    await asyncio.wait_for(asyncio.gather(*tasks), 15)
    return pipes


async def _node(node: Node, source: Source, records: Records) -> None:
    error: BaseException | None = None
    try:
        if node.skipped:
            node.end = "skipped"
        else:
            await _module(node, source.port(), records)
            node.end = "completed"
    except ConsumersClosed:
        node.end = "closed"
    except (UpstreamFailed, ModuleError) as caught:
        node.end, error = "failed", caught
    if node.end == "completed":
        source.finish()
        await source.drained()
    records.close()
    if error is not None:
        source.fail(error)
    source.finish()


async def _module(node: Node, out: Out, records: Records) -> None:
    step = 0
    pending = 0
    if not node.reads:
        pending = node.count
    else:
        read = 0
        async for batch in records:
            for record in batch:
                node.got.setdefault(record["by"], []).append(record["n"])
            read += len(batch)
            pending += len(batch)
            if node.closes_after is not None and read >= node.closes_after:
                records.close()
            while pending >= 5:
                pending -= await _send(node, out, pending, step)
                step += 1
    while pending:
        pending -= await _send(node, out, pending, step)
        step += 1


async def _send(node: Node, out: Out, at_most: int, step: int) -> int:
    size = min(node.batches[step % len(node.batches)], at_most)
    if node.fails_after is not None and node.sent + size > node.fails_after:
        raise ModuleError("planned")
    for _ in range(node.pauses[step % len(node.pauses)]):
        await asyncio.sleep(0)
    batch = [{"by": node.name, "n": node.sent + offset} for offset in range(size)]
    before = out.records_out
    try:
        await out.send(batch)
    finally:
        node.sent += out.records_out - before
    return size


@given(graphs(trouble=False))
def test_every_record_is_delivered_once_in_order_or_counted_dropped(nodes):
    pipes = run(perform(nodes))
    by_name = {node.name: node for node in nodes}
    assert [node.end for node in nodes] == ["completed"] * len(nodes)
    for (producer, consumer), pipe in pipes.items():
        sent, got = by_name[producer].sent, by_name[consumer].got.get(producer, [])
        assert pipe.state == "ended"
        assert got == sorted(set(got))
        assert len(got) + pipe.dropped == sent
        assert pipe.passed == len(got)
        if pipe.dropped == 0:
            assert got == list(range(sent))
    for node in nodes:
        if node.reads:
            assert node.sent == sum(map(len, node.got.values()))
        else:
            assert node.sent == node.count


@given(graphs(trouble=True))
def test_with_failures_early_ends_and_skips_nothing_is_lost_in_silence(nodes):
    pipes = run(perform(nodes))
    by_name = {node.name: node for node in nodes}
    for (producer, consumer), pipe in pipes.items():
        sent, reader = by_name[producer], by_name[consumer]
        got = reader.got.get(producer, [])
        assert got == sorted(set(got))
        if pipe.dropped == 0:
            assert got == list(range(len(got)))
        if reader.skipped:
            assert got == []
            assert pipe.state == "discarding"
        elif sent.end == "failed":
            assert reader.end != "completed" or pipe.state == "closed"
        elif pipe.state == "ended":
            assert len(got) + pipe.dropped == sent.sent
        if reader.end == "completed" and reader.closes_after is None and reader.reads:
            assert pipe.state == "ended"
            assert len(got) + pipe.dropped == sent.sent


@given(graphs(trouble=False), st.integers(0, 5), st.integers(0, 60))
def test_a_node_cancelled_at_any_point_leaves_nobody_waiting(nodes, index, turns):
    """The scheduler cancels a task; its streams then end as failed and closed ones do."""
    victim = nodes[index % len(nodes)]

    async def perform_and_cancel() -> None:
        sources = [Source(node.name, node.channel) for node in nodes]
        ports = [
            Records([sources[other].connect(node.name) for other in node.reads]) for node in nodes
        ]
        tasks = [
            asyncio.ensure_future(_node(*each)) for each in zip(nodes, sources, ports, strict=True)
        ]
        for _ in range(turns):
            await asyncio.sleep(0)
        at = nodes.index(victim)
        tasks[at].cancel()
        await asyncio.wait([tasks[at]])
        if tasks[at].cancelled():
            # One that had sent everything and waited for its readers leaves them a whole stream.
            victim.end = victim.end or "cancelled"
            ports[at].close()
            sources[at].fail(ModuleError("cancelled"))
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 15)
        for source in sources:
            assert source.statistics().parked_senders == 0
            assert source.full_pipes == 0

    run(perform_and_cancel())
    for node in nodes:
        reads = [nodes[index] for index in node.reads]
        if node.end == "completed" and node is not victim:
            assert all(other.end in ("completed", "closed") for other in reads)
        for producer, got in node.got.items():
            assert got == sorted(set(got)), producer
