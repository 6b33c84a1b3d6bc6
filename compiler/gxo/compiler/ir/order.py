"""Put things that read each other in order.

{"c": ["b"], "b": ["a"], "a": []}    ->    a, b, c
"""

from collections.abc import Callable, Iterable, Mapping, Sequence


def ignore_circle(circle: list[str]) -> None:
    """The default: a circle is cut anywhere."""


def reading_order(
    reads: Mapping[str, Sequence[str]],
    on_circle: Callable[[list[str]], None] = ignore_circle,
) -> list[str]:
    """The names, each after those it reads; names that are not keys do not matter.

    on_circle: called with each circle that is met, its first name once more at the end.
    """
    order: dict[str, None] = {}
    path: dict[str, int] = {}  # who is being placed, and how many of its sources were looked at
    for root in reads:
        if root not in order:
            path[root] = 0
        while path:
            name, at = next(reversed(path.items()))
            if at == len(reads[name]):
                del path[name]
                order[name] = None
                continue
            path[name] = at + 1
            source = reads[name][at]
            if source in path:
                names = list(path)
                on_circle([*names[names.index(source) :], source])
            elif source in reads and source not in order:
                path[source] = 0
    return list(order)


def knots(leads_to: Sequence[Sequence[int]]) -> list[int]:
    """For each number the name of its knot: those in one lead to each other, directly or not.

    Tarjan's strongly connected components, without recursion.
    """
    met, lowest = [0] * len(leads_to), [0] * len(leads_to)
    knot = [-1] * len(leads_to)
    pending = [iter(others) for others in leads_to]
    path: list[int] = []
    loose: list[int] = []  # met, and in no knot so far
    count = 0
    for root in range(len(leads_to)):
        if not met[root]:
            path.append(root)
        while path:
            one = path[-1]
            if not met[one]:
                count += 1
                met[one] = lowest[one] = count
                loose.append(one)
            for other in pending[one]:
                if not met[other]:
                    path.append(other)
                    break
                if knot[other] < 0 and met[other] < lowest[one]:
                    lowest[one] = met[other]
            else:
                path.pop()
                if path and lowest[one] < lowest[path[-1]]:
                    lowest[path[-1]] = lowest[one]
                while lowest[one] == met[one] and knot[one] < 0:
                    knot[loose.pop()] = one
    return knot


class Before:
    """All that each name reads, directly or not; where there are circles, perhaps not all.

    Sets of names are numbers with a bit for each: a chain of thousands costs next to nothing.
    """

    def __init__(self, reads: Mapping[str, Sequence[str]]) -> None:
        self._bits = {name: 1 << number for number, name in enumerate(reads)}
        self._before = dict.fromkeys(reads, 0)
        for name in reading_order(reads):
            for source in reads[name]:
                self._before[name] |= self._before.get(source, 0) | self._bits.get(source, 0)

    def among(self, readers: Iterable[str], names: Iterable[str]) -> set[str]:
        """Those of the names that any of the readers reads."""
        before = 0
        for reader in readers:
            before |= self._before[reader]
        return {name for name in names if before & self._bits.get(name, 0)}
