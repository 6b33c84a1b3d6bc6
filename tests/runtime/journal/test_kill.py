"""Kill -9 at each write of the journal, then resume: the same end, and nothing is done twice.

The job is `killed.gxo.yaml`, compiled to an artifact. It is killed when half of the n-th line is
written, and just after the n-th line is.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gxo.compiler.driver import check
from tests.reports import read_report

HERE = Path(__file__).parent
TOKEN = "hunter22-token"
LINES = 50
"""What an undisturbed run writes: the job, that it is ready, 18 starts, 31 ends... and its end."""

WRITES = {"released 3": "log", "rolled out": "more-log"}
"""Lines of the file that two workloads append to."""

RESTORED = "restored from the journal"

IMPATIENT = re.compile(r"--rerun ([\w-]+)")


@dataclass
class Jobs:
    """Runs the artifact in a folder of its own."""

    process: "subprocess.Popen[str]"
    folder: Path

    def run(self, *arguments: str, kill: tuple[int, str] | None = None) -> tuple[int, str]:
        """The exit code and what was written to standard error."""
        request = {
            "arguments": [*arguments, "--report", "report.json", "--outputs", "outputs"],
            "folder": str(self.folder),
            "environment": {"EFFECTS": str(self.folder / "effects"), "KILLED_TOKEN": TOKEN},
            "kill": kill,
        }
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        errors = (self.folder / "err").read_text()
        assert "Traceback" not in errors, errors
        for name in ("err", "report.json", "state/journal"):
            path = self.folder / name
            assert not path.exists() or TOKEN not in path.read_text(), name
        return code, errors

    @property
    def journal(self) -> Path:
        return self.folder / "state" / "journal"

    def effects(self) -> Counter[str]:
        """How often each module that changes something has done so."""
        files = (self.folder / "effects", self.folder / "outputs" / "out" / "log.txt")
        return Counter(
            line for path in files if path.exists() for line in path.read_text().splitlines()
        )

    def outcome(self, rerun: set[str]) -> dict[str, Any]:
        """The end of the job: its report without times, and its outputs' lines, each once.

        rerun: what was told to run again; there `attempts` starts anew.
        """
        report = read_report(self.folder / "report.json")
        for name, result in report["workload_results"].items():
            for key in ("start_time", "end_time", "duration_ms", "reason"):
                del result[key]
            if name in rerun:
                del result["attempts"]
        for key in ("run_id", "start_time", "end_time", "duration_ms"):
            del report[key]
        files = (self.folder / "outputs" / "out").iterdir()
        outputs = {path.name: set(path.read_text().splitlines()) for path in files}
        return report | {"outputs": outputs}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[subprocess.Popen[str]]":
    artifact = tmp_path_factory.mktemp("artifact") / "killed.pyz"
    check(HERE / "killed.gxo.yaml").write_artifact(artifact)
    with subprocess.Popen(
        [sys.executable, "-I", str(HERE / "zygote.py"), str(artifact)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        yield started
        assert started.stdin is not None
        started.stdin.close()


def jobs_in(process: "subprocess.Popen[str]", folder: Path) -> Jobs:
    (folder / "outputs").mkdir(parents=True)
    return Jobs(process, folder)


@pytest.fixture
def jobs(process: "subprocess.Popen[str]", tmp_path: Path) -> Jobs:
    return jobs_in(process, tmp_path)


@pytest.fixture(scope="module")
def undisturbed(process: "subprocess.Popen[str]", tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    jobs = jobs_in(process, tmp_path_factory.mktemp("undisturbed") / "job")
    code, errors = jobs.run("--journal", "state")
    assert code == 0, errors
    return jobs


def test_an_undisturbed_run(undisturbed: Jobs) -> None:
    """The journal has as many lines as are killed at below, and no workspace beside it."""
    text = undisturbed.journal.read_text()
    assert text.count("\n") == LINES
    assert not (undisturbed.folder / "state" / "workspace").exists()
    assert undisturbed.journal.stat().st_mode & 0o777 == 0o600
    assert set(undisturbed.effects().values()) == {1, 3}


@pytest.mark.parametrize("how", ["torn", "after"])
@pytest.mark.parametrize("number", range(1, LINES + 1))
def test_killed_at_a_write(number: int, how: str, jobs: Jobs, undisturbed: Jobs) -> None:
    code, errors = jobs.run("--journal", "state", kill=(number, how))
    assert code == -9, errors
    expected = undisturbed.effects()
    before = jobs.effects()
    if number == 1:  # the journal appears as a whole, with its first line
        assert not before
        code, errors = jobs.run("--resume", "state")
        assert (code, "no job has begun there" in errors) == (2, True)
        code, errors = jobs.run("--journal", "state")
        told: set[str] = set()
    else:
        done = ended(jobs.journal)
        code, errors = jobs.run("--resume", "state")
        told = set(IMPATIENT.findall(errors)) if code == 2 else set()
        for name in told:  # it could not be sure of these, or it cannot restore them
            assert name not in done or name == "whoami" or streams_are_cut(done), errors
        if told:
            assert jobs.effects() == before, "a refusal changes nothing"
            words = [word for name in sorted(told) for word in ("--rerun", name)]
            code, errors = jobs.run("--resume", "state", *words)
    assert code == 0, errors
    assert jobs.outcome(told) == undisturbed.outcome(told)
    after = jobs.effects()
    assert after.keys() == expected.keys()
    for name, times in after.items():
        workload = WRITES.get(name, name)
        assert expected[name] <= times <= expected[name] * (2 if workload in told else 1), name


def test_report_and_events_say_what_was_restored(jobs: Jobs) -> None:
    assert jobs.run("--journal", "state", kill=(25, "after"))[0] == -9
    _, errors = jobs.run("--resume", "state")
    told = IMPATIENT.findall(errors)
    words = [word for name in told for word in ("--rerun", name)]
    code, errors = jobs.run("--resume", "state", "--events", "events", *words)
    assert code == 0, errors
    results = read_report(jobs.folder / "report.json")["workload_results"]
    restored = {name for name, one in results.items() if one["reason"] == RESTORED}
    assert "settings" in restored
    assert "publish" not in restored
    events = [json.loads(line) for line in (jobs.folder / "events").read_text().splitlines()]
    assert {one["workload"] for one in events if one.get("reason") == RESTORED} == restored
    began = {one["workload"] for one in events if one["event"] == "WorkloadStart"}
    assert not began & restored
    assert f"resumed: {len(restored)} workloads restored" in errors
    head = json.loads(jobs.journal.read_text().splitlines()[0].partition(" ")[2])
    assert {one["run_id"] for one in events} == {head["run_id"]}
    start, end = results["settings"]["start_time"], results["settings"]["end_time"]
    assert start <= end <= events[0]["time"], "restored times are those of the first run"


def ended(journal: Path) -> set[str]:
    """The workloads whose end is in the journal."""
    lines = journal.read_text().splitlines(keepends=True)
    records = [json.loads(line.partition(" ")[2]) for line in lines if line.endswith("\n")]
    return {record["workload"] for record in records if record["record"] == "ended"}


def streams_are_cut(done: set[str]) -> bool:
    """Whether some workloads of the group that changes something have ended, but not all."""
    return not {"events", "labelled", "sent", "kept"} <= done
