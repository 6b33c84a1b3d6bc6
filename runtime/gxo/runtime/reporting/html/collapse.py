"""Fold what is alike in a large graph, so that it can still be looked at.

    fetch-1 -> save-1, ..., fetch-300 -> save-300       600 boxes
    fetch-1 ... fetch-300  ->  save-1 ... save-300      2 boxes, of 300 workloads each

Alike are workloads of one module and one status that stand behind, and before, the like. A failed
one among completed ones so keeps a box of its own. Where that is not enough, those of one status
at the same distance from a start share a box.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from gxo.runtime.reporting.html.model import Edge, Kind, Row

MOST_BOXES = 60
"""A graph of so many workloads is drawn as it is."""

MOST_FOLDED = 240
"""A graph that folding leaves with more boxes is folded by distance."""


class Folded(NamedTuple):
    """groups: the workloads of each box, in playbook order. links: why there is an arrow, by the
    numbers of the boxes it goes from and to. note: what a reader has to know of the boxes.
    """

    groups: list[list[Row]]
    links: dict[tuple[int, int], Kind]
    note: str | None


def fold(rows: Sequence[Row], edges: Sequence[Edge]) -> Folded:
    """The boxes and arrows to draw."""
    if len(rows) <= MOST_BOXES:
        groups = [[row] for row in rows]
        return Folded(groups, _links(groups, edges), None)
    order = _sorted(rows, edges)
    groups = _alike(rows, edges, order)
    if len(groups) <= MOST_FOLDED:
        note = None
        if len(groups) < len(rows):
            note = f"Workloads that are alike share a box; there are {len(groups):,}."
        return Folded(groups, _links(groups, edges), note)
    return _by_distance(rows, edges, order)


def _by_distance(rows: Sequence[Row], edges: Iterable[Edge], order: Iterable[str]) -> Folded:
    before: dict[str, list[str]] = {}
    for edge in edges:
        before.setdefault(edge.target, []).append(edge.source)
    distance: dict[str, int] = {}
    for name in order:
        distance[name] = 1 + max((distance[one] for one in before.get(name, ())), default=-1)
    groups = _grouped(rows, {row.name: (distance[row.name], row.status) for row in rows})
    near = [edge for edge in edges if distance[edge.target] == distance[edge.source] + 1]
    note = (
        "Too many to tell apart: those of one status at the same distance from a start share a box,"
        " and arrows over more than one step are left out."
    )
    return Folded(groups, _links(groups, near), note)


def _links(groups: Sequence[Sequence[Row]], edges: Iterable[Edge]) -> dict[tuple[int, int], Kind]:
    number_of = {row.name: number for number, group in enumerate(groups) for row in group}
    return {(number_of[edge.source], number_of[edge.target]): edge.kind for edge in edges}


def _grouped(rows: Iterable[Row], kinds: Mapping[str, Hashable]) -> list[list[Row]]:
    found: dict[Hashable, list[Row]] = {}
    for row in rows:
        found.setdefault(kinds[row.name], []).append(row)
    return list(found.values())


def _alike(rows: Sequence[Row], edges: Sequence[Edge], order: list[str]) -> list[list[Row]]:
    kinds: dict[str, Hashable] = {
        row.name: (row.module, row.status, row.owner is not None) for row in rows
    }
    kinds = _refined(order, kinds, [(edge.target, edge.source, edge.kind) for edge in edges])
    kinds = _refined(order[::-1], kinds, [(edge.source, edge.target, edge.kind) for edge in edges])
    return _grouped(rows, kinds)


def _refined(
    order: Iterable[str], kinds: dict[str, Hashable], links: Iterable[tuple[str, str, str]]
) -> dict[str, Hashable]:
    """Split each kind by the kinds of those that its members are linked to, which come first."""
    linked: dict[str, list[tuple[str, str]]] = {}
    for name, other, why in links:
        linked.setdefault(name, []).append((other, why))
    numbers: dict[Hashable, int] = {}
    result: dict[str, Hashable] = {}
    for name in order:
        around = frozenset((result[other], why) for other, why in linked.get(name, ()))
        result[name] = numbers.setdefault((kinds[name], around), len(numbers))
    return result


def _sorted(rows: Sequence[Row], edges: Iterable[Edge]) -> list[str]:
    """The names, each after all that its edges come from."""
    after: dict[str, list[str]] = {row.name: [] for row in rows}
    missing = dict.fromkeys(after, 0)
    for edge in edges:
        after[edge.source].append(edge.target)
        missing[edge.target] += 1
    ready = [name for name, count in missing.items() if not count]
    for name in ready:
        for target in after[name]:
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return ready
