"""2,000 random topologies do at -O0 and at -O1 what the model says, and the same.

`python -m tests.topologies.long 50000` checks others, as many as it is told.
"""

from typing import Any

import pytest

from tests.topologies import compare
from tests.topologies.long import check

CHUNKS, CHUNK = 50, 40


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_topologies(chunk: int) -> None:
    checked = check(range(chunk * CHUNK, (chunk + 1) * CHUNK))
    assert checked.topologies == CHUNK
    assert checked.known > CHUNK // 3, "of too many the model knows nothing"


BAD = {"record": {"n": 1}, "workload": "c4", "number": 3}
TOLD = {**BAD, "error": "no number"}


@pytest.mark.parametrize(
    ("told", "known"),
    [(TOLD, BAD), ({"was": {"all": TOLD}}, {"was": {"all": BAD}}), ([TOLD], [BAD])],
)
def test_an_error_is_compared_nowhere_in_a_record(told: Any, known: Any) -> None:
    assert compare._canonical(told, True) == compare._canonical(known, True)
    assert compare._canonical(told, True) != compare._canonical({"n": 1}, True)
