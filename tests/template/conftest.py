"""The Go oracle, built once for all tests that compare with it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.go_oracle.oracle import Oracle, build, is_installed


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not is_installed():
        reason = "needs Go and Sprig; tests/tools/go_oracle/install.sh installs them"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return build(tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="module")
def oracle(program: Path) -> Iterator[Oracle]:
    """It runs no longer than a file of tests: others look whether children are left."""
    with Oracle(program) as running:
        yield running
