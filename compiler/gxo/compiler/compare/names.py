"""Which workloads of two plans are the same one: by their names, or plainly renamed.

before:  {name: keep, module: filesystem:write, path: page.html}
after:   {name: store, module: filesystem:write, path: page.html}     keep is now store
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence

from gxo.compiler.compare.facts import parameters
from gxo.compiler.ir.nodes import Plan, Workload
from gxo.compiler.ir.pprint import print_value
from gxo.compiler.ir.walk import every_workload

Likeness = Callable[[Workload], Hashable]


def renamed(old: Plan, new: Plan) -> dict[str, str]:
    """The new name of each workload that is plainly the same under another.

    It has the same parameters, else the same register, and no other of either plan has them too.
    """
    found: dict[str, str] = {}
    names = {one.name for one in every_workload(old)} & {one.name for one in every_workload(new)}
    gone = [one for one in every_workload(old) if one.name not in names]
    added = [one for one in every_workload(new) if one.name not in names]
    for likeness in (_parameters, _register):
        pairs = list(_pairs(gone, added, likeness))
        found |= pairs
        gone = [one for one in gone if one.name not in found]
        added = [one for one in added if one.name not in found.values()]
    return found


def moved(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """The names, there in both orders, that have other places; the fewest that explain it."""
    places = {name: place for place, name in enumerate(old)}
    order = [places[name] for name in new if name in places]
    kept = set(_longest_rising(order))
    return [name for name in new if name in places and places[name] not in kept]


def _pairs(
    gone: Sequence[Workload], added: Sequence[Workload], likeness: Likeness
) -> Iterator[tuple[str, str]]:
    """Old and new name of those that are alike and like no other."""
    before, after = _by(likeness, gone), _by(likeness, added)
    for mark, names in before.items():
        if mark is not None and len(names) == len(after.get(mark, [])) == 1:
            yield names[0], after[mark][0]


def _by(likeness: Likeness, workloads: Sequence[Workload]) -> dict[Hashable, list[str]]:
    found: dict[Hashable, list[str]] = {}
    for workload in workloads:
        found.setdefault(likeness(workload), []).append(workload.name)
    return found


def _parameters(workload: Workload) -> Hashable:
    leaves = sorted((leaf.path, print_value(leaf.value)) for leaf in parameters(workload))
    return _module(workload), tuple(leaves), len(workload.steps)


def _register(workload: Workload) -> Hashable:
    return workload.register and (_module(workload), workload.register)


def _module(workload: Workload) -> str:
    return workload.decl.module.text


def _longest_rising(numbers: Sequence[int]) -> list[int]:
    """A longest subsequence that only rises (patience sorting)."""
    ends: list[int] = []  # of the best rising sequence of each length, the last number
    before: dict[int, int | None] = {}
    for number in numbers:
        length = bisect_left(ends, number)
        before[number] = ends[length - 1] if length else None
        ends[length : length + 1] = [number]
    rising: list[int] = []
    last = ends[-1] if ends else None
    while last is not None:
        rising.append(last)
        last = before[last]
    return rising
