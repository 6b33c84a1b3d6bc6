"""Runs jobs of the kernel's harness with a journal, and cuts journals off as a kill would."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gxo.runtime.bundle import MANIFEST
from gxo.runtime.job import Job
from gxo.runtime.journal.journal import open_journal
from gxo.runtime.kernel.run import Run
from gxo.runtime.settings import Settings
from tests.runtime.kernel.harness import Played, Stage, play


class FakeBundle:
    """An artifact that is nothing but a manifest."""

    def __init__(
        self,
        job: Job,
        unsafe: Iterable[str] = (),
        by_call: Iterable[str] = (),
        reads: Mapping[str, list[str]] | None = None,
        handles: Mapping[str, str] | None = None,
        version: str = "0.1.0",
    ) -> None:
        """unsafe: workloads that change something; by_call: whose modules decide that when they are
        called; reads: whose results each one reads; handles: the field of a handle that some
        leave."""
        blocks = [one.on_failure for one in job.workloads.values()]
        specs = [
            *job.workloads.values(),
            *job.cleanups,
            *(one for block in blocks for one in block),
        ]
        unsafe, reads, handles = set(unsafe), reads or {}, handles or {}
        self._manifest = {
            "gxo": version,
            "assets": [],
            "workloads": [
                {
                    "name": one.name,
                    "module": "test",
                    "changes": "by_call" if one.name in by_call else one.name in unsafe,
                    "idempotent": False,
                    "reads": reads.get(one.name, []),
                    **({"handle": handles[one.name]} if one.name in handles else {}),
                }
                for one in specs
            ],
        }

    def read(self, name: str) -> bytes:
        if name != MANIFEST:
            raise FileNotFoundError(name)
        return json.dumps(self._manifest).encode()

    def names(self) -> list[str]:
        return [MANIFEST]


class Recalled(Exception):
    """The job had Completed: nothing is played."""

    def __init__(self, run: Run) -> None:
        self.run = run


def play_journaled(
    job: Job,
    stage: Stage,
    bundle: FakeBundle | None,
    *,
    settings: Settings,
    environment: Mapping[str, str] | None = None,
    meanwhile: Callable[[Run], None] | None = None,
) -> Played:
    """Run the job as `main` runs one with `--journal` or `--resume`. UsageError."""
    opened = []

    def begin(run: Run) -> None:
        if job.secrets:
            _ = run.secrets
        run.journal = open_journal(run)
        opened.append(run.journal)
        if run.journal.is_completed:
            run.journal.recall()
            raise Recalled(run)
        if meanwhile is not None:
            meanwhile(run)

    try:
        return play(
            job, stage, settings=settings, bundle=bundle, environment=environment, meanwhile=begin
        )
    except Recalled as recalled:
        return Played(recalled.run, recalled.run.ending.exit_code, stage.trace, "", 0)
    finally:
        if not stage.loop.is_closed():
            stage.loop.end([])
        for journal in opened:
            journal.close()


def cut_after(folder: Path, *what: str) -> None:
    """Leave of the journal what comes up to `ended a`, `started a`, `ready` or `job`; to the last
    of them, if there are several."""
    journal = folder / "journal"
    kept, missing = [], set(what)
    for line in journal.read_text().splitlines(keepends=True):
        record = json.loads(line.partition(" ")[2])
        kept.append(line)
        missing.discard(" ".join(filter(None, (record["record"], record.get("workload")))))
        if not missing:
            break
    else:
        raise AssertionError(f"{missing} is not in the journal")
    journal.write_text("".join(kept))
    os.makedirs(folder / "workspace", mode=0o700, exist_ok=True)


def settings_of(**given: Any) -> Settings:
    settings = Settings()
    for name, value in given.items():
        setattr(settings, name, value)
    return settings
