"""Random playbooks end as the interpreter that is written from the language page says they may."""

from collections.abc import Iterator

from tests.proof.figure import Figure
from tests.reference.compare import Disagreement
from tests.reference.long import main

PLAYBOOKS = 50_000


def prove(scale: float) -> Iterator[Figure]:
    try:
        checked = main(max(1, round(PLAYBOOKS * scale)))
    except Disagreement as found:
        print(found)
        yield Figure("random playbooks that disagree", 1, 0)
        return
    yield Figure("random playbooks that agree", checked.playbooks)
    yield Figure(
        "of them with one outcome only, per cent", 100 * checked.certain / checked.playbooks
    )
    yield Figure("set aside: too many orders of events", checked.set_aside)
    yield Figure("random playbooks that disagree", 0, 0)
