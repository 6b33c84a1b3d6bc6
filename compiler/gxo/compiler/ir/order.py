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

    def meet(self, one: str, other: str) -> bool:
        """Whether the two are the same, or one reads the other, or both read a third."""
        bits, before = self._bits, self._before
        return bool((before[one] | bits[one]) & (before[other] | bits[other]))

    def among(self, readers: Iterable[str], names: Iterable[str]) -> set[str]:
        """Those of the names that any of the readers reads."""
        before = 0
        for reader in readers:
            before |= self._before[reader]
        return {name for name in names if before & self._bits.get(name, 0)}
