"""However a job ends, its workspace is removed, or swept by the next job. With real processes.

What is in it is hard to remove: 500 files (`make proof`: 100,000), folders and files without write
permission (test_workspace.py also does it as a user whom that binds), a process that works in it.
"""

import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runtime.kernel.test_processes import (  # noqa: F401 - fixtures
    Process,
    end,
    environment,
    start,
    wait_line,
    workspaces,
)

Start = Callable[..., Process]
FILES = os.environ.get("GXO_PROOF_FILES", "500")


@pytest.fixture
def filling(environment: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:  # noqa: F811
    """The environment of a job that fills its workspace; what holds it is let go afterwards."""
    os.mkfifo(tmp_path / "held")
    os.mkfifo(tmp_path / "release")
    environment |= {
        "HELD": str(tmp_path / "held"),
        "RELEASE": str(tmp_path / "release"),
        "GXO_TEST_FILES": FILES,
        "GXO_TEST_END": "waits",
    }
    # Open for both, so that nobody waits for the other end.
    release = os.open(tmp_path / "release", os.O_RDWR)
    yield environment
    os.write(release, b"\n")
    os.close(release)


ENDINGS = {
    "success": ("", [], None, 0),
    "failure": ("failure", [], None, 1),
    "time-out": ("waits", ["--timeout", "2s"], None, 124),
    "SIGINT": ("waits", [], signal.SIGINT, 130),
    "SIGTERM": ("waits", [], signal.SIGTERM, 143),
    "SIGHUP": ("waits", [], signal.SIGHUP, 129),
    "a module that is abandoned": ("abandoned", [], signal.SIGTERM, 143),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_workspace_is_removed(
    start: Start,  # noqa: F811
    filling: dict[str, str],
    workspaces: Path,  # noqa: F811
    ending: str,
) -> None:
    filling["GXO_TEST_END"], options, number, code = ENDINGS[ending]
    process = start("fills_its_workspace", *options, grace=0.1)
    wait_line(process, "in ")
    if number is not None:
        process.send_signal(number)
    returned, _, err = end(process)
    assert returned == code, err
    assert "could not be removed" not in err
    assert os.listdir(workspaces) == []


def test_the_next_job_sweeps_the_workspace_of_one_that_was_killed_and_never_a_live_one(
    start: Start,  # noqa: F811
    filling: dict[str, str],
    workspaces: Path,  # noqa: F811
) -> None:
    process = start("fills_its_workspace")
    left = wait_line(process, "in ").removeprefix("in ")
    process.kill()
    process.wait()
    live = start("waits")
    alive = wait_line(live, "in ").removeprefix("in ")
    assert not os.path.exists(left), "it was not swept"
    process = start("waits")
    wait_line(process, "in ")
    assert os.path.exists(alive), "a live one was swept"
    for one in (live, process):
        one.send_signal(signal.SIGTERM)
        assert end(one)[0] == 143
    assert os.listdir(workspaces) == []


@pytest.fixture
def small_disk(workspaces: Path) -> Iterator[str]:  # noqa: F811
    """A file system of 256 KiB for workspaces, where mounting is allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(workspaces)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode != 0:
        yield ""
        return
    yield "mounted"
    subprocess.run(["umount", str(workspaces)], check=True)


@pytest.mark.parametrize("limit", ["disk", "file size"])
def test_a_full_disk_is_an_error_and_leaves_nothing(
    start: Start,  # noqa: F811
    request: pytest.FixtureRequest,
    workspaces: Path,  # noqa: F811
    limit: str,
) -> None:
    keywords = {}
    says = "file too large"
    if limit == "disk" and request.getfixturevalue("small_disk"):
        says = "no space left on device"
    else:
        size = (1_000_000, 1_000_000)
        keywords = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, size)}
    code, _, err = end(start("fills_its_disk", **keywords))
    assert code == 1
    assert f": {says}" in err
    assert os.listdir(workspaces) == []
