"""Peers that send garbage; `make proof PROOFS=database` knocks at 200 for each protocol."""

from pathlib import Path

import pytest

from tests.stdlib.database.fuzzed import BEGINNINGS, babble
from tests.stdlib.harness import run


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_garbage_is_one_clear_error(kind: str, tmp_path: Path) -> None:
    for seed in range(10):
        run(babble(tmp_path, kind, seed))
