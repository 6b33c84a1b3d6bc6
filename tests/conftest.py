"""What every test shares: hypothesis's settings, what is made of gxo's own files, real servers, the
Pythons, how far a test may reach, and how golden files are rewritten.
"""

import os
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import loopback
from tests.once import share_own_files
from tests.pythons import supported

pytest_plugins = ("tests.services.fixtures",)

share_own_files()
loopback.guard()

settings.register_profile(
    "gxo",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("gxo")

os.environ["PYTHONASYNCIODEBUG"] = "1"
"""Every loop that is made here is in debug mode, whoever makes it, and in children that inherit it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the expected files under golden/"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail a test that reached further than loopback, though it may have caught the error."""
    try:
        result = yield
    finally:
        outside = loopback.reached_outside()
    assert not outside, f"a test may reach loopback only: {outside}"
    return result


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `python` once for each; they are looked for only then."""
    if "python" in metafunc.fixturenames:
        metafunc.parametrize("python", supported().items(), ids=supported(), indirect=True)


@pytest.fixture
def python(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Path:
    """A Python that artifacts run on."""
    version, path = request.param
    record_property("python", version)
    return path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on which Pythons artifacts ran, and in how many tests."""
    ran = Counter(
        value
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, value in report.user_properties
        if name == "python" and report.when == "call"
    )
    if ran:
        counts = [f"{version} ({tests} tests)" for version, tests in sorted(ran.items())]
        terminalreporter.line(f"artifacts ran on Python {', '.join(counts)}")
