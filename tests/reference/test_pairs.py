"""Every pair of what a workload can have means at -O0 and -O1 what the language page says."""

from itertools import combinations

import pytest

from tests.both_levels import Refused
from tests.reference.compare import check
from tests.reference.pairs import ELEMENTS, FORBIDDEN, forbidden_playbooks, playbooks
from tests.reference.playbook import read, refusals
from tests.reference.real import compiled


@pytest.mark.parametrize(("first", "second"), list(combinations(ELEMENTS, 2)))
def test_pair(first: str, second: str) -> None:
    played = 0
    for name, document in playbooks(first, second):
        check(document, name)
        played += 1
    assert played >= 8


def test_pairs_that_the_language_forbids() -> None:
    """The compiler refuses them, and the page's sentence for each is in the table."""
    for name, document in forbidden_playbooks():
        assert refusals(read(document)), name
        with pytest.raises(Refused, match="cannot read a stream"):
            compiled(document)


def test_no_pair_is_left_out() -> None:
    """On one workload, all but the pairs of one key's values and those in the table."""
    for first, second in combinations(ELEMENTS, 2):
        names = [name for name, _ in playbooks(first, second)]
        on_one = any("one workload" in name for name in names)
        assert on_one or frozenset({first, second}) in FORBIDDEN or is_one_key(first, second)
        for connection in ("needs", "register"):
            assert any(f", {connection}, " in name for name in names)


def is_one_key(first: str, second: str) -> bool:
    kinds = [one.split()[0].replace("parallel", "loop") for one in (first, second)]
    return kinds[0] == kinds[1] in ("when", "loop", "retry")
