"""Put things that read each other in order.

{"c": ["b"], "b": ["a"], "a": []}    ->    a, b, c
"""

from collections.abc import Callable, Mapping, Sequence


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
