"""Random stream topologies do at -O0 and at -O1 what a model of lists says, and the same."""

from collections.abc import Iterator

from tests.proof.figure import Figure
from tests.topologies.long import Disagreement, main

TOPOLOGIES = 50_000


def prove(scale: float) -> Iterator[Figure]:
    try:
        checked = main(max(1, round(TOPOLOGIES * scale)))
    except Disagreement as found:
        print(found)
        yield Figure("random topologies that go wrong", 1, 0)
        return
    yield Figure("random topologies", checked.topologies)
    yield Figure("of them known to the model, per cent", 100 * checked.known / checked.topologies)
    yield Figure("random topologies that go wrong", 0, 0)
