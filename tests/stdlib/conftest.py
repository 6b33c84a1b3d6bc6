"""Standard output is for data: no module ever writes there, whatever its case does."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def nothing_on_standard_output(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr().out == ""
