"""2,000 random playbooks mean at -O0 and -O1 what the language page says. The seeds are fixed.

`python -m tests.reference.long 50000` checks other ones, as many as it is told.
"""

import pytest

from tests.reference.long import check_random

CHUNKS, CHUNK = 50, 40


@pytest.mark.parametrize("seed", range(CHUNKS))
def test_random_playbooks(seed: int) -> None:
    assert check_random(CHUNK, seed).playbooks >= CHUNK
