"""`filesystem:list` of more entries than fit into the memory that it may take (`make proof`: 100,000)."""

from pathlib import Path

import pytest

from gxo.stdlib.data import _runs
from gxo.stdlib.filesystem import list as module
from tests.stdlib.filesystem.listed import fill, listed

ENTRIES = 3000


def test_many_entries_in_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them in memory at once are 2.5 MB."""
    fill(tmp_path, ENTRIES)
    monkeypatch.setattr(module, "CHUNK", 50)
    monkeypatch.setattr(module, "MAX_MEMORY", 150_000)
    monkeypatch.setattr(_runs, "BATCH", 100)  # three are on their way, on a busy machine four
    listed(tmp_path / "000")  # imports
    found = listed(tmp_path)
    assert (found.count, found.disorder) == (ENTRIES + 1000, 0)
    assert found.files > 1, "none waited in files"
    assert found.peak < 500_000
    assert not list(tmp_path.glob("*tmp*"))
