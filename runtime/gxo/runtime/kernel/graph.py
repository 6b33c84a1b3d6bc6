"""Who waits for whom: dependency counts, made once when the job starts, so that no step searches.

    a: after []      b: after [a]      c: records [b]

gives the units {a} (waits for 0 ends) and {b, c} (waits for 1; joined by the stream b -> c).
"""

from collections.abc import Iterable, Mapping

from gxo.runtime.job import Workload
from gxo.runtime.kernel.node import Failure, Node, Unit

ERRORS = ".errors"
"""What the name of the stream of a workload's failed records ends with (language, section 5)."""


def units(specs: Iterable[Workload], nodes: Mapping[str, Node], failure: Failure) -> list[Unit]:
    """The units of a block, in order of their first member. A block's references add no edges."""
    return [Unit(group, failure, in_block=True) for group in _groups(specs, nodes)]


def link(specs: Iterable[Workload], nodes: Mapping[str, Node], failure: Failure) -> list[Unit]:
    """The units of the playbook's workloads, with who waits for whom filled in."""
    result = [Unit(group, failure, in_block=False) for group in _groups(specs, nodes)]
    for unit in result:
        for node in unit.members:
            needed = set(node.spec.after)
            if node.spec.observes:
                observed = set(node.spec.observes)
                needed -= observed
                unit.waiting += len(observed)
                for name in observed:
                    nodes[name].observers.append(node)
            for name in needed:
                nodes[name].followers.append(node)
            unit.waiting += len(needed)
    return result


def producer(name: str) -> str:
    """The workload that a stream input is of: `parse` for `parse` and for `parse.errors`."""
    return name.removesuffix(ERRORS)


def spread_blocks(members: Iterable[Node], nodes: Mapping[str, Node]) -> None:
    """Block each member of a group that reads, directly or not, from one that can never run."""
    found = True
    while found:
        found = False
        for node in members:
            for name in node.spec.stream_inputs if node.blocked_by is None else ():
                source = nodes[producer(name)]
                if source.blocked_by is not None:
                    node.blocked_by = source
                    found = True
                    break


def descendants(failed: Iterable[Node], nodes: Mapping[str, Node]) -> set[Node]:
    """The workloads that read, directly or not, from those that failed."""
    readers: dict[Node, list[Node]] = {}
    for node in nodes.values():
        for source in node.upstream:
            readers.setdefault(source, []).append(node)
    found: set[Node] = set()
    waiting = list(failed)
    while waiting:
        for reader in readers.get(waiting.pop(), ()):
            if reader not in found:
                found.add(reader)
                waiting.append(reader)
    return found


def _groups(specs: Iterable[Workload], nodes: Mapping[str, Node]) -> list[list[Node]]:
    """The connected components of stream edges, each in playbook order, by their first members."""
    members = [nodes[spec.name] for spec in specs]
    group_of: dict[str, list[Node]] = {}
    for node in members:
        for name in node.spec.stream_inputs:
            ours = group_of.setdefault(node.name, [node])
            theirs = group_of.setdefault(producer(name), [nodes[producer(name)]])
            if ours is not theirs:
                ours.extend(theirs)
                group_of.update((member.name, ours) for member in theirs)
    for group in {id(group): group for group in group_of.values()}.values():
        group.sort(key=_index)
    groups = (group_of.get(node.name, [node]) for node in members)
    return [group for node, group in zip(members, groups, strict=True) if group[0] is node]


def _index(node: Node) -> int:
    return node.index
