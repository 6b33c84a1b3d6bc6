"""Where the boxes of a graph stand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gxo.runtime.reporting.html import layout
from gxo.runtime.reporting.html.layout import arrange

SIZE, GAP = 20.0, 4.0


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    count = draw(st.integers(1, 25))
    names = draw(st.permutations(range(count)))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    chosen = draw(st.lists(pairs, max_size=50))
    return count, [(names[min(pair)], names[max(pair)]) for pair in chosen if pair[0] != pair[1]]


@given(graphs())
def test_edges_lead_down_and_boxes_stand_apart(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    found = arrange(count, edges, SIZE, GAP)
    assert arrange(count, edges[::-1], SIZE, GAP).across == found.across, "it is not repeatable"
    for source, target in edges:
        way = [source, *found.bends[source, target], target]
        assert [found.layer[one] for one in way] == list(
            range(found.layer[source], found.layer[target] + 1)
        )
    for layer in set(found.layer):
        inside = [number for number in range(len(found.layer)) if found.layer[number] == layer]
        inside.sort(key=found.across.__getitem__)
        for left, right in pairwise(inside):
            apart = sum((SIZE if one < count else GAP) / 2 for one in (left, right)) + GAP
            assert found.across[right] - found.across[left] >= apart - 1e-6
    for number, middle in enumerate(found.across):
        half = (SIZE if number < count else GAP) / 2
        assert half - 1e-6 <= middle <= found.width - half + 1e-6


@given(graphs())
def test_a_box_stands_right_below_what_it_waits_for(
    graph: tuple[int, list[tuple[int, int]]],
) -> None:
    count, edges = graph
    level = arrange(count, edges, SIZE, GAP).layer
    for number in range(count):
        sources = [source for source, target in edges if target == number]
        assert level[number] == 1 + max((level[one] for one in sources), default=-1)


def test_a_chain_is_straight_and_a_fork_is_even() -> None:
    assert len(set(arrange(4, [(0, 1), (1, 2), (2, 3)], SIZE, GAP).across)) == 1
    fork = arrange(3, [(0, 1), (0, 2)], SIZE, GAP)
    assert fork.across == [22.0, 10.0, 34.0]


def test_lines_are_untangled() -> None:
    found = arrange(4, [(0, 3), (1, 2)], SIZE, GAP)
    assert (found.across[0] < found.across[1]) == (found.across[3] < found.across[2])


def test_too_many_bends_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MOST_BENDS", 1)
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    assert arrange(4, edges, SIZE, GAP).bends[0, 3] == []
    monkeypatch.setattr(layout, "MOST_BENDS", 2)
    assert len(arrange(4, edges, SIZE, GAP).bends[0, 3]) == 2
