"""2,000 random topologies do at -O0 and at -O1 what the model says, and the same.

`python -m tests.topologies.long 50000` checks others, as many as it is told.
"""

import pytest

from tests.topologies.long import check

CHUNKS, CHUNK = 50, 40


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_topologies(chunk: int) -> None:
    checked = check(range(chunk * CHUNK, (chunk + 1) * CHUNK))
    assert checked.topologies == CHUNK
    assert checked.known > CHUNK // 3, "of too many the model knows nothing"
