"""Who waits for whom, when a job can make no progress."""

from collections.abc import Iterator, Mapping

from gxo.runtime.kernel.node import Node


def who_waits(nodes: Mapping[str, Node]) -> Iterator[str]:
    """One sentence for each workload that has not ended."""
    for node in nodes.values():
        if node.over or node.settled:
            continue
        if node.task is None and node.unit.in_block:
            yield f"'{node.name}' waits for its turn"
        elif node.task is None:
            waited = {*node.spec.after, *node.spec.observes}
            names = [f"'{name}'" for name in waited if not nodes[name].settled]
            yield f"'{node.name}' waits for {', '.join(sorted(names)) or 'its stream group'}"
        else:
            yield f"'{node.name}' waits {_stream_wait(node)}"


def _stream_wait(node: Node) -> str:
    from gxo.runtime.streams.connect import waiting_pipes  # only for a defect

    reading, full = waiting_pipes(node)
    if full:
        return f"for {', '.join(full)} to take records"
    if reading:
        return f"for records of {', '.join(reading)}"
    return "for something that cannot happen"
