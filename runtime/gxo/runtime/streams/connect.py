"""The streams of a group, made just before it starts. Not imported by a job without streams."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gxo.runtime.errors import UpstreamFailed
from gxo.runtime.kernel.graph import ERRORS, producer
from gxo.runtime.kernel.instance import CLOSED, first_failure
from gxo.runtime.kernel.node import COMPLETED, FAILED, SKIPPED, Node
from gxo.runtime.streams.pipes import Channel
from gxo.runtime.streams.ports import Inputs, Records
from gxo.runtime.streams.source import Source

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.streams.pipes import Pipe


def connect(run: "Run", members: list[Node]) -> None:
    """Give each member its ports."""
    for node in members:
        names = node.spec.stream_inputs
        if names:
            pipes = {
                name: _source(run, name).connect(node.name, undecided=node.undecided)
                for name in names
            }
            node.upstream = tuple(run.nodes[producer(name)] for name in names)
            node.port = _port(run, node, pipes)


def finish(node: Node) -> None:
    """The workload has ended: end its streams as it ended, and read no more."""
    port = node.port
    if port is not None:
        node.records_in = port.records_in
        if node.status == SKIPPED:
            port.discard()
        else:
            port.close()
    for source in (node.source, node.rejects):
        if source is not None:
            if node.status in (COMPLETED, SKIPPED):
                source.finish()
            else:
                source.fail(_as_its_readers_meet_it(node))
            node.records_dropped += source.dropped
    if node.source is not None:
        node.records_out = node.source.records_out


def upstream_failure(node: Node) -> UpstreamFailed | None:
    """The failure that ended a stream which the workload had not closed before.

    Of several, one that is not ignored. A stream can also end because its producer was cancelled;
    that is told as the failure upstream for which it was.
    """
    failures = {
        producer(pipe.producer): pipe.failure
        for records in _ports(node)
        for pipe in records.pipes
        if isinstance(pipe.failure, UpstreamFailed) and pipe.state != "closed"
    }
    if not failures:
        return None
    failed = [one for one in node.upstream if one.name in failures and one.status == FAILED]
    if failed:
        return failures[min(failed, key=lambda one: one.ignored).name]
    return first_failure(node) or next(iter(failures.values()))


def waiting_pipes(node: Node) -> tuple[list[str], list[str]]:
    """Whom the workload waits for: the producers it reads from, the consumers that take nothing."""
    reading = [
        f"'{pipe.producer}'"
        for records in _ports(node)
        for pipe in records.pipes
        if records.is_waiting() and pipe.state == "open"
    ]
    sources = [source for source in (node.source, node.rejects) if source is not None]
    full = [
        f"'{pipe.consumer}'"
        for source in sources
        if source.statistics().parked_senders or source.finished
        for pipe in source.pipes
        if pipe.state == "open" and pipe.buffered > 0
    ]
    return reading, full


def _as_its_readers_meet_it(node: Node) -> UpstreamFailed:
    """How a workload's end breaks its streams; a failure from upstream is passed on as it is."""
    if isinstance(node.failure, UpstreamFailed):
        return node.failure
    what = "failed" if node.status == FAILED else "was cancelled"
    failure = UpstreamFailed(f"upstream '{node.name}' {what}", ignored=node.ignored)
    failure.__cause__ = node.failure
    return failure


def _ports(node: Node) -> list[Records]:
    port = node.port
    if port is None:
        return []
    return [port] if isinstance(port, Records) else list(port.values())


def _port(run: "Run", node: Node, pipes: "Mapping[str, Pipe]") -> Records | Inputs:
    if not node.spec.inputs:
        return Records(pipes.values())
    ports: dict[str, Records] = {
        name: Records([pipe]) for name, pipe in pipes.items() if name not in node.spec.spills
    }
    if node.spec.spills:
        from gxo.runtime.streams.spill import spilling_ports  # start-up: only where they are

        ports |= spilling_ports(run, {name: pipes[name] for name in node.spec.spills})
    return Inputs({name: ports[name] for name in pipes})


def _source(run: "Run", name: str) -> Source:
    """The stream of that name, made for its first reader."""
    node = run.nodes[producer(name)]
    channel = node.spec.channel or Channel()

    def tell_loss(pipe: "Pipe", _count: int) -> None:
        _tell_loss(run, pipe)

    if name.endswith(ERRORS):
        if node.rejects is None:
            node.rejects = Source(name, channel, side=True, when_dropped=tell_loss)
        return node.rejects
    if node.source is None:
        node.source = Source(
            name,
            channel,
            when_abandoned=lambda: run.scheduler.cancel(node, CLOSED),
            when_dropped=tell_loss,
        )
    return node.source


def _tell_loss(run: "Run", pipe: "Pipe") -> None:
    """An overflowing stream drops records: say so, at most once a second."""
    now = run.clock.monotonic()
    if now - run.last_loss >= 1.0:
        run.last_loss = now
        run.log.write_clean(
            "warning",
            f"the stream to '{pipe.consumer}' overflows: {pipe.dropped} records dropped so far",
            pipe.producer,
        )
