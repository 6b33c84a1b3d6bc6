"""Where the boxes of a graph stand: layers, the order within each, and places across.

    edges (0, 1), (0, 2), (1, 3), (2, 3), (0, 3)        boxes 20 wide, 4 apart

    layer 0      0            layers   by the longest way from a start
    layer 1    1   2   *      order    by the mean of the neighbours, up and down a few times
    layer 2      3            places   as near to the neighbours as the distances allow

An edge over several layers gets a bend (`*`) in each one between, so that it passes beside the
boxes; a graph that needs too many of them goes without.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

Edge = tuple[int, int]

SWEEPS = 8
MOST_BENDS = 3000


class Layout:
    """layer: the layer of each box. across: the middle of each box, and `width` that of all.

    Numbers past the boxes are bends. bends: those of each edge, from its source to its target.
    """

    __slots__ = ("across", "bends", "layer", "width")

    def __init__(
        self, layer: list[int], across: list[float], width: float, bends: dict[Edge, list[int]]
    ) -> None:
        self.layer = layer
        self.across = across
        self.width = width
        self.bends = bends


def arrange(count: int, edges: Iterable[Edge], size: float, gap: float) -> Layout:
    """Lay out `count` boxes of that size across, at least `gap` apart. The edges have no cycle."""
    edges = sorted(set(edges))
    level = _levels(count, edges)
    bends, pieces = _bend(edges, level)
    layers: list[list[int]] = [[] for _ in range(max(level, default=-1) + 1)]
    for number, layer in enumerate(level):
        layers[layer].append(number)
    before, after = _neighbours(len(level), pieces)
    _order(layers, before, after)
    half = [size / 2 if number < count else gap / 2 for number in range(len(level))]
    across = _place(layers, before, after, half, gap)
    left = min((middle - part for middle, part in zip(across, half, strict=True)), default=0.0)
    right = max((middle + part for middle, part in zip(across, half, strict=True)), default=0.0)
    return Layout(level, [middle - left for middle in across], right - left, bends)


def _levels(count: int, edges: Sequence[Edge]) -> list[int]:
    """The layer of each box: one more than the last of those before it."""
    before, after = _neighbours(count, edges)
    missing = [len(sources) for sources in before]
    ready = [number for number in range(count) if not missing[number]]
    level = [0] * count
    for number in ready:
        for target in after[number]:
            level[target] = max(level[target], level[number] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return level


def _bend(edges: Sequence[Edge], level: list[int]) -> tuple[dict[Edge, list[int]], list[Edge]]:
    """Cut edges over several layers into pieces of one; the bends' layers are added to `level`."""
    longest = sum(level[target] - level[source] - 1 for source, target in edges)
    bends: dict[Edge, list[int]] = {}
    pieces: list[Edge] = []
    for source, target in edges:
        made: list[int] = []
        if longest <= MOST_BENDS:
            for layer in range(level[source] + 1, level[target]):
                made.append(len(level))
                level.append(layer)
        bends[source, target] = made
        chain = [source, *made, target]
        pieces += pairwise(chain)
    return bends, pieces


def _neighbours(count: int, edges: Iterable[Edge]) -> tuple[list[list[int]], list[list[int]]]:
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    return before, after


def _order(layers: list[list[int]], before: list[list[int]], after: list[list[int]]) -> None:
    """Sort each layer by the mean place of its neighbours, down and up in turns."""
    place: dict[int, float] = {}
    for layer in layers:
        _note_places(layer, place)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = before if down else after
        for layer in layers if down else reversed(layers):
            wanted = {
                number: _mean([place[one] for one in neighbours[number]], place[number])
                for number in layer
            }
            layer.sort(key=wanted.__getitem__)
            _note_places(layer, place)


def _note_places(layer: list[int], place: dict[int, float]) -> None:
    """Places from 0 to 1, so that layers of different lengths compare."""
    for index, number in enumerate(layer):
        place[number] = (index + 0.5) / len(layer)


def _place(
    layers: list[list[int]],
    before: list[list[int]],
    after: list[list[int]],
    half: list[float],
    gap: float,
) -> list[float]:
    """The middle of each box: near its neighbours, in the order of its layer, without overlaps."""
    across = [0.0] * len(half)
    offsets = []
    for layer in layers:
        offset, position = [], 0.0
        for number in layer:
            position += half[number]
            offset.append(position)
            position += half[number] + gap
        offsets.append(offset)
        for number, start in zip(layer, offset, strict=True):
            across[number] = start - (position - gap) / 2
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = before if down else after
        for layer, offset in _in_turn(layers, offsets, down=down):
            wanted = [
                _mean([across[one] for one in neighbours[number]], across[number])
                for number in layer
            ]
            for number, middle in zip(layer, _apart(wanted, offset), strict=True):
                across[number] = middle
    return across


def _in_turn(
    layers: list[list[int]], offsets: list[list[float]], *, down: bool
) -> list[tuple[list[int], list[float]]]:
    pairs = list(zip(layers, offsets, strict=True))
    return pairs if down else pairs[::-1]


def _apart(wanted: list[float], offset: list[float]) -> list[float]:
    """The places nearest to the wanted ones that keep order and distances.

    Where places are wanted too close together, their group is centred on the mean of what it wants
    (isotonic regression by pooling neighbours).
    """
    groups: list[
        tuple[float, int]
    ] = []  # the sum of what a group wants, less the offsets; its size
    for place, start in zip(wanted, offset, strict=True):
        total, size = place - start, 1
        while groups and groups[-1][0] / groups[-1][1] > total / size:
            other, members = groups.pop()
            total, size = total + other, size + members
        groups.append((total, size))
    bases = [total / size for total, size in groups for _ in range(size)]
    return [base + start for base, start in zip(bases, offset, strict=True)]


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
