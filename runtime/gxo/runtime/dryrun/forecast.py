"""What a run would do, found out without doing it: `--dry-run` (language, section 6).

    deploy:  exec             deploy: would run: sh deploy.sh --to prod
      register: deployed
    notify:                   notify: would run if {{ .deployed.exit_code == 0 }}
      when: "{{ .deployed.exit_code == 0 }}"
                              dry run: 1 would change, 0 unchanged, 1 unknown

Everything runs as in any run, with three differences. A module that changes something asks
`ctx.dry_run` and says what it would do instead (`calls.py`). Files are written into memory
(`files.py`). And reading a value that is not known raises `Unknown`. So whatever an expression does
with such a value, its result is Unknown, while `and`, `or`, `default` and `if` still decide by what
is known; generated code and the helpers of expressions know nothing of this. What it means depends
on where it arrives:

    a `when`        the workload would run if the condition held; its register is Unknown
    a `loop`        no instance runs; the register is Unknown
    a parameter     the module is not called; the fields of its summary are Unknown
    a record        the module cannot go on; the fields of its summary, and its further records, are
                    Unknown, and so are those of whoever reads them

A workload that was left out in one of these ways is Completed, with that as its reason: what a dry
run does not do, it presumes to succeed. A module that reads sees the world as it is now.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from gxo.runtime.dryrun.conditions import comes_from, source_of
from gxo.runtime.dryrun.files import Changes, ForeseenFiles
from gxo.runtime.dryrun.foreseen import Foreseen, known_parts
from gxo.runtime.dryrun.views import ForeseenState, ForeseenWorkloads
from gxo.runtime.errors import Unknown
from gxo.runtime.kernel.graph import producer
from gxo.runtime.kernel.node import COMPLETED, SKIPPED, Failure, Node
from gxo.runtime.reporting.logs import workload_ended

if TYPE_CHECKING:
    from gxo.runtime.context import Context
    from gxo.runtime.kernel.run import Run
    from gxo.runtime.workspace.jail import Jail
    from gxo.runtime.workspace.workspace import Asset, Workspace

MOST_TOLD = 20
"""Calls of one workload, in a loop or in a pipeline, that get a line each."""

WOULD_CHANGE = 3
"""The exit code with `--detailed-exitcode`."""


class Outlook:
    """What one workload would do.

    told: its calls, as people read them, each once, with the loop's iteration. untold: how many
    there are besides. changing: how many of its calls change something.
    unknown: the first value that it needed and that is not known. is_open: whether its register is
    not known at all, as it may not run, or nobody knows how often. lost: whether the rest of its
    records is not known.
    """

    __slots__ = ("changing", "is_open", "lost", "told", "unknown", "untold")

    def __init__(self) -> None:
        self.told: dict[str, int] = {}
        self.untold = 0
        self.changing = 0
        self.unknown: str | None = None
        self.is_open = False
        self.lost = False

    def tell(self, line: str, iteration: int | None = None) -> None:
        """Add what people read, unless it has been said."""
        if len(self.told) < MOST_TOLD:
            self.told.setdefault(line, iteration or 0)
        elif line not in self.told:
            self.untold += 1

    def miss(self, unknown: Unknown) -> None:
        """It needed a value that is not known. The first one is remembered."""
        self.unknown = self.unknown or unknown.what

    @property
    def is_left_out(self) -> bool:
        """Whether something of it was not done."""
        return self.changing > 0 or self.unknown is not None


class Forecast:
    """The outlooks of one run's workloads. state: the registers, as a dry run has them. files: what
    would have been written."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._outlooks: dict[str, Outlook] = {}
        self._said: set[Context] = set()
        self.state = ForeseenState(run.nodes, self)
        self.files = Changes()
        self.workloads = ForeseenWorkloads(run.nodes, self)

    def of(self, workload: str) -> Outlook:
        """What the workload would do, as far as it is known by now."""
        return self._outlooks.setdefault(workload, Outlook())

    # What happens to a workload

    async def call(
        self, context: "Context", function: Callable[..., Awaitable[Any]], arguments: Any
    ) -> Any:
        """Call a workload's function; its summary, as far as it is known."""
        try:
            return await function(context, *arguments)
        except Unknown as unknown:
            missing = unknown
        except BaseExceptionGroup as group:
            found, others = group.split(Unknown)
            if found is None or others is not None:
                raise
            missing = _first(found)
        outlook = self.of(context.workload)
        outlook.miss(missing)
        outlook.lost = True
        self.files.anything = True  # it may be a module that writes some
        return Foreseen(context.workload, {"dry_run": True})

    def leave_out(self, node: Node, unknown: Unknown) -> None:
        """The workload could not begin."""
        outlook = self.of(node.name)
        outlook.is_open = True
        outlook.miss(unknown)
        outlook.lost = True
        spec = node.spec
        if spec.when is not None and comes_from(unknown, spec.when):
            outlook.tell(f"would run if {source_of(self._run, unknown, spec.when)}")
        elif spec.loop is not None and node.started is not None:
            outlook.tell(f"would run for each of {source_of(self._run, unknown, spec.loop.items)}")
        else:
            outlook.tell(f"would run if there is a record (not known: {unknown.what})")
        self.files.anything = True
        self.end_streams(node)

    def end_streams(self, node: Node) -> None:
        """The workload sends no more records; when some are not known, its readers learn that."""
        if not self.of(node.name).lost:
            return
        if node.source is not None:
            node.source.fail(Unknown(f"the records of '{node.name}'"))
        if node.rejects is not None:
            node.rejects.fail(Unknown(f"the record errors of '{node.name}'"))

    def kept(self, node: Node, summary: Any) -> Any:
        """The summary as the state gets it: without the secrets that the workload has read."""
        use = self._run.secret_use
        if use is None:
            return summary
        if isinstance(summary, Foreseen):
            return Foreseen(summary.whose, use.clean(node, summary.known))
        if isinstance(summary, list):
            return [self.kept(node, one) for one in summary]
        return use.clean(node, summary)

    # What modules say

    def would(
        self,
        context: "Context",
        what: str,
        known: dict[str, Any],
        changes: bool,
        writes: str | None,
        removes: str | None,
    ) -> Foreseen:
        """A module says what its call would do. Returns its summary."""
        outlook = self.of(context.workload)
        step = f"step '{context.step}' " if context.step is not None else ""
        outlook.tell(f"{step}would {what}", context.iteration)
        outlook.changing += changes
        self._said.add(context)
        if removes is not None:
            self._files_of(context).remove(removes)
        if writes == ".":
            self.files.anything = True
        elif writes is not None:
            self._files_of(context).lose(writes)
        return Foreseen(context.step or context.workload, {**known, "dry_run": True})

    def _files_of(self, context: "Context") -> ForeseenFiles:
        files = context.workspace
        assert isinstance(files, ForeseenFiles)
        return files

    def changes_nothing(self, context: "Context") -> None:
        """A module that decides by call says that this one changes nothing."""
        self._said.add(context)

    def miss_step(self, context: "Context", unknown: Unknown, when: Any = None) -> Foreseen:
        """A step of a pipeline needs a value that is not known. Returns what it would return.

        when: the step's condition, if that is what needs it.
        """
        outlook = self.of(context.workload)
        outlook.miss(unknown)
        self.files.anything = True
        if when is not None:
            what = f"if {source_of(self._run, unknown, when)}"
        else:
            what = f"(not known: {unknown.what})"
        outlook.tell(f"step '{context.step}' would run {what}")
        return Foreseen(context.step or "", {"dry_run": True})

    def has_said(self, context: "Context") -> bool:
        """Whether it has said what it would do since it was last asked, which is forgotten."""
        said = context in self._said
        self._said.discard(context)
        return said

    def lose_records(self, context: "Context") -> None:
        """The records that the call would send are not known."""
        unknown = Unknown(f"the records of '{context.step or context.workload}'")
        if context.step is not None:
            raise unknown
        self.of(context.workload).lost = True

    def comes_after_changes(self, workload: str) -> bool:
        """Whether something that it waits for was left out, so that the world is not as it is."""
        if self._run.nodes[workload].unit.in_block:
            return self.has_left_out
        seen = {workload}
        waiting = [workload]
        while waiting:
            spec = self._run.nodes[waiting.pop()].spec
            for name in (*spec.after, *spec.observes, *map(producer, spec.stream_inputs)):
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
                    if self.of(name).is_left_out:
                        return True
        return False

    # Files

    def over(self, files: "Jail") -> ForeseenFiles:
        """The files, with what would have been written."""
        return ForeseenFiles(files, self.files)

    def lay_out(self, workspace: "Workspace", assets: "Iterable[Asset]") -> None:
        """Let assets be there that a folder which is not to be changed lacks."""
        for path, mode, content in workspace.missing(assets):
            self.over(workspace).write(path, content, mode)

    # What is told

    @property
    def has_left_out(self) -> bool:
        """Whether anything was not done, so that how the job ends is not known."""
        return any(outlook.is_left_out for outlook in self._outlooks.values())

    @property
    def changes(self) -> int:
        """How many workloads would change something."""
        return sum(outlook.changing > 0 for outlook in self._outlooks.values())

    def check_ending(self, what: str) -> None:
        """Unknown unless it is known how the job ends."""
        if self.has_left_out and not self._run.ending.errors:
            raise Unknown(what)

    def check_failure(self, failure: Failure) -> None:
        """Unknown unless it is known what has failed."""
        if failure.workload is None:
            self.check_ending("whether something fails")

    def _reason(self, node: Node) -> str:
        """What the workload would do: redacted, a line a call; empty when it was done."""
        outlook = self.of(node.name)
        told = sorted(outlook.told, key=lambda line: outlook.told[line])  # side by side, they race
        if outlook.untold:
            told.append(f"and {outlook.untold} more")
        why = outlook.unknown
        if why is not None and not outlook.is_open and not any(why in line for line in told):
            told = told or [f"would call {self._run.module_of(node.name) or 'its module'}"]
            told[-1] += f" (not known: {why})"
        text: str = self._run.redact("\n".join(told))
        return text

    def ended(self, node: Node) -> None:
        """The workload is over: what it would do is the reason of its status."""
        if node.status == COMPLETED and (reason := self._reason(node)):
            node.reason = reason

    def told(self, node: Node) -> str:
        """The line about a workload that has ended."""
        outlook = self.of(node.name)
        if node.status == COMPLETED and node.reason and (outlook.told or outlook.unknown):
            return node.reason
        return workload_ended(node)

    def closing(self) -> str:
        """`dry run: 3 would change, 5 unchanged, 1 unknown`."""
        unknown = unchanged = 0
        for node in self._run.nodes.values():
            outlook = self.of(node.name)
            if not outlook.changing:
                unknown += outlook.is_left_out
                unchanged += not outlook.is_left_out and node.status in (COMPLETED, SKIPPED)
        return f"dry run: {self.changes} would change, {unchanged} unchanged, {unknown} unknown"

    def exit_code(self, code: int) -> int:
        """That of `--detailed-exitcode`."""
        return WOULD_CHANGE if code == 0 and self.changes else code

    def known(self, summary: Any) -> Any:
        """A summary for the report: what is known of it."""
        return known_parts(summary)


def _first(group: "BaseExceptionGroup[Unknown]") -> Unknown:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Unknown)
    return error
