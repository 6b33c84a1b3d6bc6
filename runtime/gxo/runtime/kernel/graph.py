"""Who waits for whom: dependency counts, made once when the job starts, so that no step searches.

    a: after []      b: after [a]      c: records [b]

gives the units {a} (waits for 0 ends) and {b, c} (waits for 1; joined by the stream b -> c).
"""

from collections.abc import Collection, Iterable, Mapping

from gxo.runtime.job import Workload
from gxo.runtime.kernel.node import Failure, Node, Unit

ERRORS = ".errors"
"""What the name of the stream of a workload's failed records ends with (language, section 5)."""


def units(specs: Collection[Workload], nodes: Mapping[str, Node], failure: Failure) -> list[Unit]:
    """The units of a block, in order of their first member. A block's references add no edges."""
    groups = stream_groups(specs)
    return [Unit([nodes[name] for name in group], failure, in_block=True) for group in groups]


def link(specs: Collection[Workload], nodes: Mapping[str, Node], failure: Failure) -> list[Unit]:
    """The units of the playbook's workloads, with who waits for whom filled in."""
    groups = stream_groups(specs)
    result = [Unit([nodes[name] for name in group], failure, in_block=False) for group in groups]
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


def stream_groups(specs: Collection[Workload]) -> list[list[str]]:
    """The names of the workloads, those that streams connect together.

    Each group is in playbook order; the groups are in the order of their first members.
    """
    order = {spec.name: place for place, spec in enumerate(specs)}
    group_of: dict[str, list[str]] = {}
    for spec in specs:
        for source in map(producer, spec.stream_inputs):
            ours = group_of.setdefault(spec.name, [spec.name])
            theirs = group_of.setdefault(source, [source])
            if ours is not theirs:
                ours.extend(theirs)
                group_of.update((member, ours) for member in theirs)
    for group in {id(group): group for group in group_of.values()}.values():
        group.sort(key=order.__getitem__)
    groups = (group_of.get(name, [name]) for name in order)
    return [group for name, group in zip(order, groups, strict=True) if group[0] == name]


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
