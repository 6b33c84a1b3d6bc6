"""What a run tells its journal, and what a resumed run takes from it.

open_journal   before anything runs: the folder, the lines, what is restored; or a refusal
begin          assets and vars are there; what is restored has ended
starting       something that may not happen twice is about to; `changes_nothing`: it may
ended          a workload has; nothing that waits for it starts before that is on the disk
finish         the job has, too
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gxo.runtime.bundle import manifest
from gxo.runtime.errors import SecretError, UsageError
from gxo.runtime.journal import records
from gxo.runtime.journal.folder import JOURNAL, Folder
from gxo.runtime.journal.lines import Lines, Record
from gxo.runtime.journal.plan import Facts, Plan
from gxo.runtime.journal.records import Past
from gxo.runtime.journal.values import InexactError, written
from gxo.runtime.kernel.instance import STOPPED
from gxo.runtime.kernel.node import COMPLETED, Node
from gxo.runtime.kernel.restored import Restored

if TYPE_CHECKING:
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.kernel.scheduler import Scheduler


def open_journal(run: "Run") -> "Journal":
    """The journal that the settings ask for; a resumed run gets the id of the first one.

    UsageError or ArtifactError when that is not possible; then nothing has changed.
    """
    settings = run.settings
    facts = manifest(run.bundle)
    head = records.first(run, facts)
    directory = settings.journal or settings.resume
    assert directory is not None
    folder = Folder(directory, create=settings.resume is None)
    try:
        unsafe = Facts(facts)
        if settings.resume is None:
            return Journal(run, folder, _begin(folder, head), unsafe, None, None)
        if not folder.has_journal():
            raise UsageError(
                f"there is no journal in {folder.path}: no job has begun there",
                hint="--journal starts one",
            )
        return _resume(run, folder, head, unsafe)
    except OSError as error:
        folder.close()
        message = f"cannot use the journal {folder.journal}: {_reason(error)}"
        raise UsageError(message) from error
    except BaseException:
        folder.close()
        raise


def _begin(folder: Folder, head: Record) -> Lines:
    if folder.has_journal():
        raise UsageError(
            f"there is a job's journal in {folder.path} already",
            hint="--resume goes on with that job; a new one needs a folder of its own",
        )
    folder.make_workspace()
    return Lines.create(folder.descriptor, JOURNAL, head)


def _resume(run: "Run", folder: Folder, head: Record, facts: Facts) -> "Journal":
    lines, found = Lines.open(folder.descriptor, JOURNAL, folder.journal)
    try:
        past = Past(found, folder.journal)
        records.check_same(past.head, head, folder.journal)
        groups = [tuple(node.name for node in unit.members) for unit in run.units]
        plan = Plan(run.job, groups, facts, past, run.settings.rerun)
        if past.is_completed:
            if run.settings.rerun:
                raise UsageError(
                    f"the job of {folder.path} is Completed, and its workspace removed",
                    hint="start it anew with another --journal",
                )
        else:
            folder.check_workspace()
            plan.check()
            now = run.clock.seconds()
            lines.append({"record": "resumed", "again": plan.again, "time": now})
    except BaseException:
        lines.close()
        raise
    run.run_id = past.head["run_id"]
    return Journal(run, folder, lines, facts, past, plan)


class Journal:
    """The journal of one run. is_completed: the job had been, before it was resumed."""

    def __init__(
        self,
        run: "Run",
        folder: Folder,
        lines: Lines,
        facts: Facts,
        past: Past | None,
        plan: Plan | None,
    ) -> None:
        """past, plan: of the job that is resumed; None for one that begins."""
        self._run = run
        self._folder = folder
        self._lines = lines
        self._facts = facts
        self._notes: set[asyncio.Task[bool]] = set()
        self._handles: set[str] = set()
        self._past = past
        self._plan = plan
        self._is_broken = False
        self.is_completed = past is not None and past.is_completed
        run.settings.workspace = folder.workspace
        run.vars.update(past.vars if past is not None else {})

    @property
    def has_assets(self) -> bool:
        """Whether the assets were laid out already; workloads may have changed them since."""
        return self._past is not None and self._past.is_ready

    async def begin(self, scheduler: "Scheduler") -> None:
        """Vars and assets are there. Let what is not to run again have ended."""
        if not self.has_assets:  # vars are computed once a job, not once a run
            await self._write({"record": "ready", "vars": self._vars()})
        if self._past is None or self._plan is None:
            return
        if self._past.secrets and not await self._load_secrets(self._past.secrets):
            return
        nodes = [self._run.nodes[name] for name in self._plan.restored]
        for node in nodes:
            self._restore(node, self._past)
        Restored(scheduler, nodes, self._plan.compensations).begin()
        computed = self._computed_vars() if self.has_assets else []
        anew = [name for name in computed if name not in self._past.vars]
        self._run.log.write_clean("info", f"resumed: {_told(nodes, self._plan, anew)}")

    def recall(self) -> None:
        """Let all be as it was when the job had Completed: there is nothing left to run."""
        assert self._past is not None
        run = self._run
        if run.bus is not None:
            run.bus.run_started()
        run.log.write_clean("info", "nothing to resume: the job had Completed")
        run.add_nodes(run.job.cleanups)
        for node in [*run.nodes.values()]:
            if node.name in self._past.entries:
                self._restore(node, self._past)
        run.ended_at = run.clock.seconds()
        if run.bus is not None:
            run.bus.run_ended()
        self.finish()

    async def starting(self, node: Node) -> None:
        """The module is about to be called. Cancels the workload when that cannot be recorded."""
        if node.name in self._facts.unsafe:
            cancelled = await self._write(records.started(self._run, node))
            if cancelled or self._is_broken:
                raise asyncio.CancelledError

    def changes_nothing(self, node: Node) -> None:
        """A module that decides by call says so, as it is called: it may be called again.

        Of one item of a loop, that says nothing of the others.
        """
        if node.name in self._facts.by_call and node.spec.loop is None:
            record = {"record": "harmless", "workload": node.name}
            note = self._run.loop.create_task(self._write(record))
            self._notes.add(note)
            note.add_done_callback(self._notes.discard)

    async def ended(self, node: Node) -> None:
        """The workload has ended; those that wait for it have not been told."""
        self._run.scheduler.stop_timer(node)
        if self._notes:
            await asyncio.wait(self._notes)
        if node.name in self._facts.handles:
            self._handles.update(records.handles(node, self._facts.handles[node.name]))
        await self._write(records.ended(self._run, node))

    def finish(self) -> None:
        """The job has ended. If it is Completed, remove the workspace. Blocks."""
        run = self._run
        if self._is_broken or run.ending.status != COMPLETED:
            return
        if not self.is_completed:
            try:
                self._lines.append({"record": "completed", "time": run.clock.seconds()})
            except OSError as error:
                self._fail(error)
                return
        if not self._folder.remove_workspace():
            run.log.write("warning", f"{self._folder.workspace} could not be removed")

    def withdraw(self) -> None:
        """Nothing could run. Let a journal that has just begun not be there, so that the same
        command works once its mistake is mended."""
        if self._past is None:
            self._folder.clear()

    def close(self) -> None:
        """Let others use the folder."""
        self._lines.close()
        self._folder.close()

    async def _load_secrets(self, names: Iterable[str]) -> bool:
        """Know again what must not leave the job: what is restored no longer reads it."""
        run = self._run
        try:
            await run.secrets.load(sorted(names))
        except SecretError as error:
            run.fail(f"the job that is resumed has read a secret: {error.message}", error.hint)
            run.scheduler.stop()
            return False
        return True

    def _restore(self, node: Node, past: Past) -> None:
        """Let the workload be as the journal says; with what its failure has made run."""
        records.restore(self._run, node, past.entries[node.name])
        if self._run.bus is not None:
            self._run.bus.workload_restored(node)
        if not node.ignored or (self._plan and node.name in self._plan.compensations):
            return
        for child in self._run.add_nodes(node.spec.on_failure):
            if child.name in past.entries:
                self._restore(child, past)

    def _computed_vars(self) -> list[str]:
        """The vars that the caller has not given, and whose templates are not mere values."""
        given = self._run.settings.vars
        return [
            name for name, one in self._run.job.vars.items() if callable(one) and name not in given
        ]

    def _vars(self) -> Mapping[str, Any]:
        """The computed vars that can be written down: no secret, no value that JSON lacks."""
        run = self._run
        found = {name: run.vars[name] for name in self._computed_vars()}
        if run.secret_use is not None:
            use = run.secret_use
            found = {name: one for name, one in found.items() if not use.is_var_tainted(name)}
        kept = {}
        for name, value in found.items():
            if run.conceal(value) is value:
                with suppress(InexactError):
                    kept[name] = written(value)
        return kept

    async def _write(self, record: Record) -> bool:
        """Write a line in a thread. When that fails, so does the job; it writes no more.

        A cancellation takes nothing back that is being written: returns whether there was one.
        """
        cancelled = False
        if self._is_broken:
            return cancelled
        writing = self._run.loop.threads.submit(lambda: self._append(record))
        while not writing.done():
            try:
                await asyncio.wait([writing])
            except asyncio.CancelledError:
                cancelled = True
        error = writing.exception()
        if isinstance(error, OSError):
            self._fail(error)
        elif error is not None:
            raise error
        return cancelled

    def _append(self, record: Record) -> None:
        if "summary" in record:
            record = records.writable(self._run, record, self._handles)
        self._lines.append(record)

    def _fail(self, error: OSError) -> None:
        if self._is_broken:
            return
        self._is_broken = True
        self._run.fail(
            f"cannot write the journal {self._folder.journal}: {_reason(error)}",
            "make room, and --resume: what is in the journal already is not done again",
        )
        self._run.scheduler.stop()
        self._run.scheduler.cancel_all(STOPPED)


def _told(restored: list[Node], plan: Plan, anew: list[str]) -> str:
    """`12 workloads restored; 'report' runs again: ...`. anew: the vars that are computed again."""
    count = f"{len(restored)} workload{'' if len(restored) == 1 else 's'} restored"
    again = [f"'{name}' runs again: it {plan.why[name]}" for name in plan.repeated]
    computed = [f"the var '{name}' is computed again" for name in anew]
    return "; ".join([count, *again, *computed])


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
