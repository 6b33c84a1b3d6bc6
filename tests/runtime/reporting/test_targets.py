"""Where reports cannot be written to: a full disk, a pipe that nobody reads, what is refused.

With real processes, and the same rules for the JSON report and the page.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reports import read_report
from tests.runtime.reporting.pages import read_page, rows

JOBS = Path(__file__).parents[1] / "kernel" / "jobs.py"
RUNTIME = Path(__file__).parents[3] / "runtime"
OPTIONS = ("--report", "--report-html")
FULL = "cannot write the report to {}: No space left on device"


def job(
    name: str,
    *options: str,
    stdout: int = subprocess.PIPE,
    most: int | None = None,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a job. most: the most bytes that a file may have. folder: where it runs."""
    return subprocess.run(
        [sys.executable, str(JOBS), name, *options],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(RUNTIME), "PYTHONWARNINGS": "error"},
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=folder,
        timeout=60,
        preexec_fn=most and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))),
    )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that holds the report of an earlier run."""
    made = tmp_path / "report"
    made.write_text("before")
    return made


@pytest.mark.parametrize("option", OPTIONS)
def test_a_file_is_replaced_as_a_whole(option: str, target: Path) -> None:
    assert job("empty", option, str(target)).returncode == 0
    if option == "--report":
        assert list(read_report(target)["workload_results"]) == ["a"]
    else:
        assert list(rows(read_page(target.read_text("utf-8")))) == ["a"]
    assert os.listdir(target.parent) == [target.name]


def test_both_at_once(target: Path) -> None:
    page = target.parent / "page.html"
    done = job("empty", "--report", "-", "--report-html", str(page))
    assert (done.returncode, done.stderr.count(b"\n")) == (0, 2)
    assert read_report(done.stdout)["run_id"] in page.read_text("utf-8")


@pytest.mark.parametrize("option", OPTIONS)
def test_a_link_keeps_leading_where_it_did(option: str, target: Path) -> None:
    link = target.parent / "link"
    link.symlink_to(target)
    assert job("empty", option, str(link)).returncode == 0
    assert link.is_symlink() and len(target.read_text("utf-8")) > 100


@pytest.mark.parametrize("option", OPTIONS)
def test_a_full_disk_fails_a_good_run(option: str) -> None:
    done = job("empty", option, "/dev/full")
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].endswith(FULL.format("/dev/full"))


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", ["empty", "prints_a_lot"])
def test_standard_output_on_a_full_disk(name: str, option: str) -> None:
    with open("/dev/full", "wb") as full:
        done = job(name, option, "-", stdout=full.fileno())
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].endswith(FULL.format("standard output"))


@pytest.mark.parametrize("option", OPTIONS)
def test_a_disk_that_fills_up_leaves_what_was_there(option: str, target: Path) -> None:
    """The report is larger than a file may be: the old one stays, and nothing beside it."""
    done = job("prints_a_lot" if option == "--report" else "empty", option, str(target), most=4096)
    assert done.returncode == 1
    assert f"cannot write the report to {target}: File too large" in done.stderr.decode()
    assert target.read_text() == "before"
    assert os.listdir(target.parent) == [target.name]


@pytest.mark.parametrize("option", OPTIONS)
def test_a_failed_job_keeps_its_exit_code(option: str) -> None:
    done = job("waits", "--timeout", "50ms", option, "/dev/full")
    assert done.returncode == 124
    assert FULL.format("/dev/full") in done.stderr.decode()


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("name", ["empty", "prints_a_lot"])
def test_nobody_reads_standard_output(name: str, option: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = job(name, option, "-", stdout=writing)
    os.close(writing)
    assert done.returncode == 0
    assert b"Error" not in done.stderr and b"cannot" not in done.stderr


def test_one_that_cannot_be_written_does_not_keep_the_other(target: Path) -> None:
    done = job("empty", "--report", "/dev/full", "--report-html", str(target))
    assert done.returncode == 1
    assert target.read_bytes().startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("", "it is a directory"),
        ("no/such/report", "there is no directory {folder}/no/such"),
    ],
)
def test_what_cannot_work_is_told_before_the_job_runs(
    option: str, place: str, reason: str, tmp_path: Path
) -> None:
    done = job("waits", option, f"{tmp_path}/{place}")
    assert done.returncode == 2
    expected = f"error: cannot write the report to {tmp_path}/{place}: "
    assert done.stderr.decode() == expected + reason.format(folder=tmp_path) + "\n"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["--report", "-"], ["--report-html", "-"]),
        (["--report", "/dev/stdout"], ["--metrics", "-"]),
        (["--report", "-"], ["--events", "fd:1"]),
        (["--report", "told"], ["--events", "./told"]),
        (["--report-html", "told"], ["--metrics", "../work/told"]),
        (["--metrics", "told"], ["--events", "link"]),
    ],
)
def test_two_cannot_go_to_one_place(first: list[str], second: list[str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "link").symlink_to("told")
    done = job("waits", *first, *second, folder=work)
    assert done.returncode == 2
    expected = f"error: {first[0]} and {second[0]} cannot both go to {second[1]}\n"
    assert done.stderr.decode() == expected
    assert os.listdir(work) == ["link"]


@pytest.mark.parametrize("option", OPTIONS)
def test_who_may_read_it_stays_as_it_was(option: str, target: Path) -> None:
    target.chmod(0o600)
    assert job("empty", option, str(target)).returncode == 0
    assert target.stat().st_mode & 0o777 == 0o600


def test_standard_error_on_a_full_disk() -> None:
    """The job goes on without its log, and ends as it would have."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, str(JOBS), "empty", "--report", "-"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(RUNTIME)},
            stdout=subprocess.PIPE,
            stderr=full,
            timeout=60,
        )
    assert done.returncode == 0
    assert read_report(done.stdout)["overall_status"] == "Completed"
