"""What a resumed job restores, and what runs again; what may not run again is refused.

build   Completed            restored
deploy  Completed            restored
report  Completed, redacted  runs again, because
send    Failed               runs, and reads what `report` leaves
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gxo.runtime.errors import UsageError
from gxo.runtime.job import Job
from gxo.runtime.journal.records import STARTED, Past
from gxo.runtime.kernel.graph import producer
from gxo.runtime.kernel.node import COMPLETED, SKIPPED

Names = tuple[str, ...]

PIPELINE = "stream:pipeline"
"""What a pipeline itself says is not true of its steps."""


class Facts:
    """What the manifest says of the workloads.

    reads: whose results each one reads. unsafe: those that change something and whose modules are
    not declared idempotent, so that doing it twice is not the same as once. by_call: those of them
    whose module may say, when it is called, that it changes nothing. handles: of those whose result
    is a handle, the field that it is in; what they did is gone with the process.
    """

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.reads: dict[str, list[str]] = {}
        self.unsafe: set[str] = set()
        self.by_call: set[str] = set()
        self.handles: dict[str, str] = {}
        for entry in manifest.get("workloads", []):
            self.reads[entry["name"]] = entry["reads"]
            if "handle" in entry:
                self.handles[entry["name"]] = entry["handle"]
            elif entry["changes"] and not entry["idempotent"]:
                self.unsafe.add(entry["name"])
                if entry["changes"] == "by_call" and entry["module"] != PIPELINE:
                    self.by_call.add(entry["name"])


class Plan:
    """Which workloads of a resumed job are restored, and which are not.

    running: those that are not restored. why: for one that had Completed, the reason.
    compensations: the ignored failures whose `on_failure` was cut off; it runs from its beginning.
    """

    def __init__(
        self,
        job: Job,
        groups: Iterable[Names],
        facts: Facts,
        past: Past,
        insisted: Iterable[str],
    ) -> None:
        """groups: the workloads' names, those that streams connect together. insisted: those of
        `--rerun`. UsageError when one does not exist."""
        self._job = job
        self._reads = facts.reads
        self._unsafe = facts.unsafe - past.harmless
        self._entries = past.entries
        self._insisted = set(insisted)
        self._unit_of: dict[str, Names] = {}
        self.why: dict[str, str] = {}
        self.running: set[str] = set()
        for name in self._insisted:
            _check_exists(job, name)
        for group in groups:
            self._unit_of |= dict.fromkeys(group, group)
        self._has_servers = any(one.background for one in job.workloads.values())
        self._decide()
        self.compensations = self._cut_off()
        for name in self.compensations:
            self.why |= dict.fromkeys(self._block(name), "is in an `on_failure` that was cut off")

    @property
    def restored(self) -> list[str]:
        """Those that are not to run, in playbook order."""
        return [name for name in self._job.workloads if name not in self.running]

    @property
    def again(self) -> list[str]:
        """Those to run of which the journal says something, in playbook order."""
        anew = [name for name in self._job.workloads if name in self.running]
        anew += [child for name in self.compensations for child in self._block(name)]
        return [name for name in anew if name in self._entries]

    @property
    def repeated(self) -> list[str]:
        """Those to run again though they had Completed, in playbook order."""
        return [name for name in self.again if self._entries[name].status == COMPLETED]

    def check(self) -> None:
        """UsageError that names what would happen a second time and was not insisted on."""
        refused = {name: why for name in self.again if (why := self._refusal(name))}
        if refused:
            told = "; ".join(f"'{name}' {why}" for name, why in refused.items())
            words = " ".join(f"--rerun {name}" for name in refused)
            raise UsageError(
                f"cannot resume without doing again what may not be done twice: {told}",
                hint=f"see what was done; to run it again all the same: {words}",
            )

    def _decide(self) -> None:
        """Collect what is to run, until everything it reads can be restored or runs as well."""
        for unit in dict.fromkeys(self._unit_of.values()):
            self._run_unfinished(unit)
        waiting = [*self.running, *self._cut_off()]
        for workload in self._job.cleanups:
            waiting += self._need(workload.name, workload.name)
        while waiting:
            name = waiting.pop()
            for reader in self._readers(name):
                waiting += self._need(reader, name)

    def _run_unfinished(self, unit: Names) -> None:
        """Streams cannot be restored, so a group of which anything is left runs as a whole."""
        left = [name for name in unit if not self._is_done(name)]
        if left or all(self._entries[name].status == SKIPPED for name in unit):
            self._run(unit, f"shares streams with '{left[0]}', which is to run" if left else "")
        self.why |= dict.fromkeys(self._insisted.intersection(unit), "is named by --rerun")

    def _is_done(self, name: str) -> bool:
        """Whether nothing is left to do for it. An ignored failure is final too: the playbook has
        gone on from it."""
        entry = self._entries.get(name)
        if entry is None or name in self._insisted:
            return False
        return entry.status in (COMPLETED, SKIPPED) or entry.is_ignored

    def _cut_off(self) -> list[str]:
        return [
            name
            for name in self.restored
            if self._entries[name].is_ignored and self._is_block_left(name)
        ]

    def _block(self, name: str) -> list[str]:
        return [child.name for child in self._job.workloads[name].on_failure]

    def _is_block_left(self, name: str) -> bool:
        """Whether some workload of its `on_failure` has come to no end, or is insisted on."""
        block = self._block(name)
        entries = map(self._entries.get, block)
        is_cut = any(entry is None or entry.is_cut_off for entry in entries)
        return is_cut or not self._insisted.isdisjoint(block)

    def _run(self, unit: Names, why: str) -> None:
        self.running.update(unit)
        self.why |= dict.fromkeys(unit, why)

    def _readers(self, name: str) -> Iterator[str]:
        """The workload, and what may run because of it."""
        yield name
        yield from self._block(name)

    def _need(self, reader: str, root: str) -> list[str]:
        """Run what the reader reads and cannot be restored; returns what is added.

        root: the workload of the playbook, or of `finally`, that the reader belongs to.
        """
        added: list[str] = []
        for source in (*self._reads.get(reader, ()), *self._servers_before(reader)):
            entry = self._entries.get(source)
            if source in self.running or source not in self._unit_of or entry is None:
                continue
            if entry.status == COMPLETED and entry.lost:
                unit = self._unit_of[source]
                self._run(unit, f"shares streams with '{source}', which is to run")
                self.why[source] = self._why_needed(source, root, entry.lost)
                added += unit
        return added

    def _why_needed(self, source: str, reader: str, lost: str) -> str:
        if self._job.workloads[source].background:
            return f"runs in the background, and '{reader}' may need it"
        return f"has a result that '{reader}' reads and that cannot be restored: {lost}"

    def _servers_before(self, name: str) -> list[str]:
        """The workloads in the background that the workload waits for, directly or not: it may need
        them without reading what they leave."""
        workloads = self._job.workloads
        if name not in workloads or not self._has_servers:
            return []
        found = [name]
        for one in found:
            spec = workloads[one]
            sources = {*spec.after, *spec.observes, *map(producer, spec.stream_inputs)}
            found += sorted(sources.difference(found))
        return [one for one in found[1:] if workloads[one].background]

    def _refusal(self, name: str) -> str | None:
        """Why the workload may not run again; None when it may."""
        if name not in self._unsafe or name in self._insisted:
            return None
        entry = self._entries[name]
        if entry.is_half_done:
            killed = entry.status == STARTED
            how = "was running when the job was killed" if killed else "was stopped half-way"
            return f"{how}, and may have done all or a part of it"
        return self.why[name] if entry.status == COMPLETED or entry.is_ignored else None


def _check_exists(job: Job, name: str) -> None:
    blocks = (one.on_failure for one in job.workloads.values())
    names = {*job.workloads, *(one.name for block in blocks for one in block)}
    if name not in names:
        from difflib import get_close_matches

        close = get_close_matches(name, names, 1)
        near = f"; did you mean '{close[0]}'?" if close else ""
        raise UsageError(f"--rerun names a workload that does not exist: '{name}'{near}")
