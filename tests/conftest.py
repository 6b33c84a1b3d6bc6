"""What every test shares: hypothesis's settings, and how golden files are rewritten."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "gxo",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("gxo")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the expected files under golden/"
    )
